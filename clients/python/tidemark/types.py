"""The messages that calls answer with; proto/tidemark/v1/control.proto says what they hold."""

from tidemark._wire.control_pb2 import (
    CONNECTION_HEALTH_BROKEN, CONNECTION_HEALTH_DEGRADED, CONNECTION_HEALTH_OK,
    CONNECTION_HEALTH_STALE, SYNC_STATUS_COMPLETED, SYNC_STATUS_FAILED, SYNC_STATUS_PARTIAL,
    SYNC_STATUS_QUEUED, SYNC_STATUS_RUNNING, AcceptAuditResponse, ApplyConnectionResponse,
    AuditEntry, CheckConnectionResponse, ConnectionHealth, ConnectionRecord, CreateTokenResponse,
    GetReportResponse, LogEvent, PlanConnectionResponse, Plugin, PreviewTableResponse,
    ProgressEvent, ReplayDeadLettersResponse, RotateMasterKeyResponse, RowCounts, Secret, Server,
    SourceTable, StateBody, StateChange, StateVersionRecord, StoredLetter, Sync, SyncEvent,
    SyncReportDocument, SyncStatus, SyncTrigger, Token, ValidateStoredStateResponse,
    VerifyAuditResponse, VerifyResult)

__all__ = [name for name in dir() if not name.startswith("_")]
