import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConnectionOrigin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONNECTION_ORIGIN_UNSPECIFIED: _ClassVar[ConnectionOrigin]
    CONNECTION_ORIGIN_FOLDER: _ClassVar[ConnectionOrigin]
    CONNECTION_ORIGIN_API: _ClassVar[ConnectionOrigin]

class ConnectionHealth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONNECTION_HEALTH_UNSPECIFIED: _ClassVar[ConnectionHealth]
    CONNECTION_HEALTH_OK: _ClassVar[ConnectionHealth]
    CONNECTION_HEALTH_DEGRADED: _ClassVar[ConnectionHealth]
    CONNECTION_HEALTH_BROKEN: _ClassVar[ConnectionHealth]
    CONNECTION_HEALTH_STALE: _ClassVar[ConnectionHealth]

class SyncStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SYNC_STATUS_UNSPECIFIED: _ClassVar[SyncStatus]
    SYNC_STATUS_QUEUED: _ClassVar[SyncStatus]
    SYNC_STATUS_RUNNING: _ClassVar[SyncStatus]
    SYNC_STATUS_COMPLETED: _ClassVar[SyncStatus]
    SYNC_STATUS_PARTIAL: _ClassVar[SyncStatus]
    SYNC_STATUS_FAILED: _ClassVar[SyncStatus]

class SyncTrigger(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SYNC_TRIGGER_UNSPECIFIED: _ClassVar[SyncTrigger]
    SYNC_TRIGGER_SCHEDULE: _ClassVar[SyncTrigger]
    SYNC_TRIGGER_CALL: _ClassVar[SyncTrigger]
    SYNC_TRIGGER_RETRY: _ClassVar[SyncTrigger]
    SYNC_TRIGGER_INGEST: _ClassVar[SyncTrigger]
    SYNC_TRIGGER_REPLAY: _ClassVar[SyncTrigger]
    SYNC_TRIGGER_REPAIR: _ClassVar[SyncTrigger]
CONNECTION_ORIGIN_UNSPECIFIED: ConnectionOrigin
CONNECTION_ORIGIN_FOLDER: ConnectionOrigin
CONNECTION_ORIGIN_API: ConnectionOrigin
CONNECTION_HEALTH_UNSPECIFIED: ConnectionHealth
CONNECTION_HEALTH_OK: ConnectionHealth
CONNECTION_HEALTH_DEGRADED: ConnectionHealth
CONNECTION_HEALTH_BROKEN: ConnectionHealth
CONNECTION_HEALTH_STALE: ConnectionHealth
SYNC_STATUS_UNSPECIFIED: SyncStatus
SYNC_STATUS_QUEUED: SyncStatus
SYNC_STATUS_RUNNING: SyncStatus
SYNC_STATUS_COMPLETED: SyncStatus
SYNC_STATUS_PARTIAL: SyncStatus
SYNC_STATUS_FAILED: SyncStatus
SYNC_TRIGGER_UNSPECIFIED: SyncTrigger
SYNC_TRIGGER_SCHEDULE: SyncTrigger
SYNC_TRIGGER_CALL: SyncTrigger
SYNC_TRIGGER_RETRY: SyncTrigger
SYNC_TRIGGER_INGEST: SyncTrigger
SYNC_TRIGGER_REPLAY: SyncTrigger
SYNC_TRIGGER_REPAIR: SyncTrigger

class GetServerRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Server(_message.Message):
    __slots__ = ("version", "started_at", "connections", "running_syncs", "max_running_syncs", "role", "principal")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_SYNCS_FIELD_NUMBER: _ClassVar[int]
    MAX_RUNNING_SYNCS_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    version: str
    started_at: _timestamp_pb2.Timestamp
    connections: int
    running_syncs: int
    max_running_syncs: int
    role: str
    principal: str
    def __init__(self, version: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., connections: _Optional[int] = ..., running_syncs: _Optional[int] = ..., max_running_syncs: _Optional[int] = ..., role: _Optional[str] = ..., principal: _Optional[str] = ...) -> None: ...

class ConnectionRecord(_message.Message):
    __slots__ = ("name", "origin", "yaml", "version", "changed_at", "paused", "schedule", "next_sync_at", "health", "problem", "connector", "destination_type", "running_sync_id", "last_sync_id", "last_sync_status", "failures_in_a_row")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    YAML_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    NEXT_SYNC_AT_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_TYPE_FIELD_NUMBER: _ClassVar[int]
    RUNNING_SYNC_ID_FIELD_NUMBER: _ClassVar[int]
    LAST_SYNC_ID_FIELD_NUMBER: _ClassVar[int]
    LAST_SYNC_STATUS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_IN_A_ROW_FIELD_NUMBER: _ClassVar[int]
    name: str
    origin: ConnectionOrigin
    yaml: str
    version: int
    changed_at: _timestamp_pb2.Timestamp
    paused: bool
    schedule: str
    next_sync_at: _timestamp_pb2.Timestamp
    health: ConnectionHealth
    problem: str
    connector: str
    destination_type: str
    running_sync_id: str
    last_sync_id: str
    last_sync_status: SyncStatus
    failures_in_a_row: int
    def __init__(self, name: _Optional[str] = ..., origin: _Optional[_Union[ConnectionOrigin, str]] = ..., yaml: _Optional[str] = ..., version: _Optional[int] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., paused: bool = ..., schedule: _Optional[str] = ..., next_sync_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., health: _Optional[_Union[ConnectionHealth, str]] = ..., problem: _Optional[str] = ..., connector: _Optional[str] = ..., destination_type: _Optional[str] = ..., running_sync_id: _Optional[str] = ..., last_sync_id: _Optional[str] = ..., last_sync_status: _Optional[_Union[SyncStatus, str]] = ..., failures_in_a_row: _Optional[int] = ...) -> None: ...

class ListConnectionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "read_mask", "health")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    read_mask: _field_mask_pb2.FieldMask
    health: ConnectionHealth
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., health: _Optional[_Union[ConnectionHealth, str]] = ...) -> None: ...

class ListConnectionsResponse(_message.Message):
    __slots__ = ("connections", "next_page_token")
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    connections: _containers.RepeatedCompositeFieldContainer[ConnectionRecord]
    next_page_token: str
    def __init__(self, connections: _Optional[_Iterable[_Union[ConnectionRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetConnectionRequest(_message.Message):
    __slots__ = ("name", "read_mask")
    NAME_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    name: str
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, name: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class ApplyConnectionRequest(_message.Message):
    __slots__ = ("yaml", "dry_run", "expected_version", "idempotency_key")
    YAML_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    yaml: str
    dry_run: bool
    expected_version: int
    idempotency_key: str
    def __init__(self, yaml: _Optional[str] = ..., dry_run: bool = ..., expected_version: _Optional[int] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ApplyConnectionResponse(_message.Message):
    __slots__ = ("connection", "created", "changed", "changes", "warnings")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    connection: ConnectionRecord
    created: bool
    changed: bool
    changes: _containers.RepeatedScalarFieldContainer[str]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, connection: _Optional[_Union[ConnectionRecord, _Mapping]] = ..., created: bool = ..., changed: bool = ..., changes: _Optional[_Iterable[str]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class DeleteConnectionRequest(_message.Message):
    __slots__ = ("name", "expected_version", "idempotency_key")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    expected_version: int
    idempotency_key: str
    def __init__(self, name: _Optional[str] = ..., expected_version: _Optional[int] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class DeleteConnectionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PauseConnectionRequest(_message.Message):
    __slots__ = ("name", "idempotency_key")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    idempotency_key: str
    def __init__(self, name: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ResumeConnectionRequest(_message.Message):
    __slots__ = ("name", "idempotency_key")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    idempotency_key: str
    def __init__(self, name: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class CheckConnectionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CheckConnectionResponse(_message.Message):
    __slots__ = ("ok", "problem", "notices", "warnings", "connector", "connector_version", "destination", "destination_exists", "json", "exit_code")
    OK_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_VERSION_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_EXISTS_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    ok: bool
    problem: str
    notices: _containers.RepeatedScalarFieldContainer[str]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    connector: str
    connector_version: str
    destination: str
    destination_exists: bool
    json: str
    exit_code: int
    def __init__(self, ok: bool = ..., problem: _Optional[str] = ..., notices: _Optional[_Iterable[str]] = ..., warnings: _Optional[_Iterable[str]] = ..., connector: _Optional[str] = ..., connector_version: _Optional[str] = ..., destination: _Optional[str] = ..., destination_exists: bool = ..., json: _Optional[str] = ..., exit_code: _Optional[int] = ...) -> None: ...

class PlanConnectionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class PlanConnectionResponse(_message.Message):
    __slots__ = ("tables", "destination_exists", "notices", "json", "destination")
    class Table(_message.Message):
        __slots__ = ("table", "destination_table", "selected", "changes", "sync_type")
        TABLE_FIELD_NUMBER: _ClassVar[int]
        DESTINATION_TABLE_FIELD_NUMBER: _ClassVar[int]
        SELECTED_FIELD_NUMBER: _ClassVar[int]
        CHANGES_FIELD_NUMBER: _ClassVar[int]
        SYNC_TYPE_FIELD_NUMBER: _ClassVar[int]
        FROM_FIELD_NUMBER: _ClassVar[int]
        table: str
        destination_table: str
        selected: bool
        changes: _containers.RepeatedScalarFieldContainer[str]
        sync_type: str
        def __init__(self, table: _Optional[str] = ..., destination_table: _Optional[str] = ..., selected: bool = ..., changes: _Optional[_Iterable[str]] = ..., sync_type: _Optional[str] = ..., **kwargs) -> None: ...
    TABLES_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_EXISTS_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    tables: _containers.RepeatedCompositeFieldContainer[PlanConnectionResponse.Table]
    destination_exists: bool
    notices: _containers.RepeatedScalarFieldContainer[str]
    json: str
    destination: str
    def __init__(self, tables: _Optional[_Iterable[_Union[PlanConnectionResponse.Table, _Mapping]]] = ..., destination_exists: bool = ..., notices: _Optional[_Iterable[str]] = ..., json: _Optional[str] = ..., destination: _Optional[str] = ...) -> None: ...

class ListTablesRequest(_message.Message):
    __slots__ = ("connection",)
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    connection: str
    def __init__(self, connection: _Optional[str] = ...) -> None: ...

class SourceColumn(_message.Message):
    __slots__ = ("name", "type", "key", "cursor", "sensitive")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    SENSITIVE_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: str
    key: bool
    cursor: bool
    sensitive: bool
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ..., key: bool = ..., cursor: bool = ..., sensitive: bool = ...) -> None: ...

class SourceTable(_message.Message):
    __slots__ = ("name", "columns")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    name: str
    columns: _containers.RepeatedCompositeFieldContainer[SourceColumn]
    def __init__(self, name: _Optional[str] = ..., columns: _Optional[_Iterable[_Union[SourceColumn, _Mapping]]] = ...) -> None: ...

class ListTablesResponse(_message.Message):
    __slots__ = ("tables",)
    TABLES_FIELD_NUMBER: _ClassVar[int]
    tables: _containers.RepeatedCompositeFieldContainer[SourceTable]
    def __init__(self, tables: _Optional[_Iterable[_Union[SourceTable, _Mapping]]] = ...) -> None: ...

class PreviewTableRequest(_message.Message):
    __slots__ = ("connection", "table", "rows")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    connection: str
    table: str
    rows: int
    def __init__(self, connection: _Optional[str] = ..., table: _Optional[str] = ..., rows: _Optional[int] = ...) -> None: ...

class PreviewTableResponse(_message.Message):
    __slots__ = ("tables",)
    class Cell(_message.Message):
        __slots__ = ("text",)
        TEXT_FIELD_NUMBER: _ClassVar[int]
        text: str
        def __init__(self, text: _Optional[str] = ...) -> None: ...
    class PreviewRow(_message.Message):
        __slots__ = ("cells",)
        CELLS_FIELD_NUMBER: _ClassVar[int]
        cells: _containers.RepeatedCompositeFieldContainer[PreviewTableResponse.Cell]
        def __init__(self, cells: _Optional[_Iterable[_Union[PreviewTableResponse.Cell, _Mapping]]] = ...) -> None: ...
    class PreviewedTable(_message.Message):
        __slots__ = ("name", "columns", "rows")
        NAME_FIELD_NUMBER: _ClassVar[int]
        COLUMNS_FIELD_NUMBER: _ClassVar[int]
        ROWS_FIELD_NUMBER: _ClassVar[int]
        name: str
        columns: _containers.RepeatedScalarFieldContainer[str]
        rows: _containers.RepeatedCompositeFieldContainer[PreviewTableResponse.PreviewRow]
        def __init__(self, name: _Optional[str] = ..., columns: _Optional[_Iterable[str]] = ..., rows: _Optional[_Iterable[_Union[PreviewTableResponse.PreviewRow, _Mapping]]] = ...) -> None: ...
    TABLES_FIELD_NUMBER: _ClassVar[int]
    tables: _containers.RepeatedCompositeFieldContainer[PreviewTableResponse.PreviewedTable]
    def __init__(self, tables: _Optional[_Iterable[_Union[PreviewTableResponse.PreviewedTable, _Mapping]]] = ...) -> None: ...

class PluginOption(_message.Message):
    __slots__ = ("name", "type", "required", "secret", "default_value", "help", "choices", "json_schema", "reads_path", "writes_path")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    HELP_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    READS_PATH_FIELD_NUMBER: _ClassVar[int]
    WRITES_PATH_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: str
    required: bool
    secret: bool
    default_value: str
    help: str
    choices: _containers.RepeatedScalarFieldContainer[str]
    json_schema: str
    reads_path: bool
    writes_path: bool
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ..., required: bool = ..., secret: bool = ..., default_value: _Optional[str] = ..., help: _Optional[str] = ..., choices: _Optional[_Iterable[str]] = ..., json_schema: _Optional[str] = ..., reads_path: bool = ..., writes_path: bool = ...) -> None: ...

class Plugin(_message.Message):
    __slots__ = ("id", "path", "version", "description", "capabilities", "options", "problem", "extensions", "state_format")
    ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    EXTENSIONS_FIELD_NUMBER: _ClassVar[int]
    STATE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    id: str
    path: str
    version: str
    description: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    options: _containers.RepeatedCompositeFieldContainer[PluginOption]
    problem: str
    extensions: _containers.RepeatedScalarFieldContainer[str]
    state_format: int
    def __init__(self, id: _Optional[str] = ..., path: _Optional[str] = ..., version: _Optional[str] = ..., description: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ..., options: _Optional[_Iterable[_Union[PluginOption, _Mapping]]] = ..., problem: _Optional[str] = ..., extensions: _Optional[_Iterable[str]] = ..., state_format: _Optional[int] = ...) -> None: ...

class ListPluginsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPluginsResponse(_message.Message):
    __slots__ = ("plugins", "next_page_token")
    PLUGINS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    plugins: _containers.RepeatedCompositeFieldContainer[Plugin]
    next_page_token: str
    def __init__(self, plugins: _Optional[_Iterable[_Union[Plugin, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DescribePluginRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class RowCounts(_message.Message):
    __slots__ = ("inserted", "updated", "deleted", "unchanged", "superseded", "missing", "conflicts", "late_queued", "dead_letters", "deleted_by_truncate")
    INSERTED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    LATE_QUEUED_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    DELETED_BY_TRUNCATE_FIELD_NUMBER: _ClassVar[int]
    inserted: int
    updated: int
    deleted: int
    unchanged: int
    superseded: int
    missing: int
    conflicts: int
    late_queued: int
    dead_letters: int
    deleted_by_truncate: int
    def __init__(self, inserted: _Optional[int] = ..., updated: _Optional[int] = ..., deleted: _Optional[int] = ..., unchanged: _Optional[int] = ..., superseded: _Optional[int] = ..., missing: _Optional[int] = ..., conflicts: _Optional[int] = ..., late_queued: _Optional[int] = ..., dead_letters: _Optional[int] = ..., deleted_by_truncate: _Optional[int] = ...) -> None: ...

class Sync(_message.Message):
    __slots__ = ("sync_id", "connection", "status", "trigger", "queued_at", "started_at", "ended_at", "full", "counts", "bytes", "commits", "retries", "error", "error_code", "interrupted", "producer", "started_by")
    SYNC_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    QUEUED_AT_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    COMMITS_FIELD_NUMBER: _ClassVar[int]
    RETRIES_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    INTERRUPTED_FIELD_NUMBER: _ClassVar[int]
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    STARTED_BY_FIELD_NUMBER: _ClassVar[int]
    sync_id: str
    connection: str
    status: SyncStatus
    trigger: SyncTrigger
    queued_at: _timestamp_pb2.Timestamp
    started_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    full: bool
    counts: RowCounts
    bytes: int
    commits: int
    retries: int
    error: str
    error_code: str
    interrupted: bool
    producer: str
    started_by: str
    def __init__(self, sync_id: _Optional[str] = ..., connection: _Optional[str] = ..., status: _Optional[_Union[SyncStatus, str]] = ..., trigger: _Optional[_Union[SyncTrigger, str]] = ..., queued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., full: bool = ..., counts: _Optional[_Union[RowCounts, _Mapping]] = ..., bytes: _Optional[int] = ..., commits: _Optional[int] = ..., retries: _Optional[int] = ..., error: _Optional[str] = ..., error_code: _Optional[str] = ..., interrupted: bool = ..., producer: _Optional[str] = ..., started_by: _Optional[str] = ...) -> None: ...

class StartSyncRequest(_message.Message):
    __slots__ = ("connection", "full", "tables", "since", "idempotency_key")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    connection: str
    full: bool
    tables: _containers.RepeatedScalarFieldContainer[str]
    since: _timestamp_pb2.Timestamp
    idempotency_key: str
    def __init__(self, connection: _Optional[str] = ..., full: bool = ..., tables: _Optional[_Iterable[str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class StopSyncRequest(_message.Message):
    __slots__ = ("sync_id", "now", "idempotency_key")
    SYNC_ID_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    sync_id: str
    now: bool
    idempotency_key: str
    def __init__(self, sync_id: _Optional[str] = ..., now: bool = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListSyncsRequest(_message.Message):
    __slots__ = ("connection", "statuses", "until", "page_size", "page_token", "read_mask")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    connection: str
    statuses: _containers.RepeatedScalarFieldContainer[SyncStatus]
    until: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, connection: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[SyncStatus, str]]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., **kwargs) -> None: ...

class ListSyncsResponse(_message.Message):
    __slots__ = ("syncs", "next_page_token")
    SYNCS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    syncs: _containers.RepeatedCompositeFieldContainer[Sync]
    next_page_token: str
    def __init__(self, syncs: _Optional[_Iterable[_Union[Sync, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetSyncRequest(_message.Message):
    __slots__ = ("sync_id", "read_mask")
    SYNC_ID_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    sync_id: str
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, sync_id: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class WatchSyncRequest(_message.Message):
    __slots__ = ("sync_id", "after_sequence")
    SYNC_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    sync_id: str
    after_sequence: int
    def __init__(self, sync_id: _Optional[str] = ..., after_sequence: _Optional[int] = ...) -> None: ...

class SyncEvent(_message.Message):
    __slots__ = ("sequence", "at", "progress", "log", "started", "ended")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    at: _timestamp_pb2.Timestamp
    progress: ProgressEvent
    log: LogEvent
    started: Sync
    ended: Sync
    def __init__(self, sequence: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., progress: _Optional[_Union[ProgressEvent, _Mapping]] = ..., log: _Optional[_Union[LogEvent, _Mapping]] = ..., started: _Optional[_Union[Sync, _Mapping]] = ..., ended: _Optional[_Union[Sync, _Mapping]] = ...) -> None: ...

class ProgressEvent(_message.Message):
    __slots__ = ("table", "rows", "rows_per_second", "elapsed_seconds", "phase", "lag_seconds")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    ROWS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    LAG_SECONDS_FIELD_NUMBER: _ClassVar[int]
    table: str
    rows: int
    rows_per_second: float
    elapsed_seconds: float
    phase: str
    lag_seconds: float
    def __init__(self, table: _Optional[str] = ..., rows: _Optional[int] = ..., rows_per_second: _Optional[float] = ..., elapsed_seconds: _Optional[float] = ..., phase: _Optional[str] = ..., lag_seconds: _Optional[float] = ...) -> None: ...

class LogEvent(_message.Message):
    __slots__ = ("level", "table", "text")
    class Level(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        LEVEL_DEBUG: _ClassVar[LogEvent.Level]
        LEVEL_INFO: _ClassVar[LogEvent.Level]
        LEVEL_WARNING: _ClassVar[LogEvent.Level]
        LEVEL_ERROR: _ClassVar[LogEvent.Level]
    LEVEL_DEBUG: LogEvent.Level
    LEVEL_INFO: LogEvent.Level
    LEVEL_WARNING: LogEvent.Level
    LEVEL_ERROR: LogEvent.Level
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    level: LogEvent.Level
    table: str
    text: str
    def __init__(self, level: _Optional[_Union[LogEvent.Level, str]] = ..., table: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class GetReportRequest(_message.Message):
    __slots__ = ("sync_id", "connection")
    SYNC_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    sync_id: str
    connection: str
    def __init__(self, sync_id: _Optional[str] = ..., connection: _Optional[str] = ...) -> None: ...

class GetReportResponse(_message.Message):
    __slots__ = ("report", "json", "conflicts_json")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    CONFLICTS_JSON_FIELD_NUMBER: _ClassVar[int]
    report: SyncReportDocument
    json: str
    conflicts_json: str
    def __init__(self, report: _Optional[_Union[SyncReportDocument, _Mapping]] = ..., json: _Optional[str] = ..., conflicts_json: _Optional[str] = ...) -> None: ...

class SyncReportDocument(_message.Message):
    __slots__ = ("metadata", "statistics", "tables", "checkpoint", "schema_changes", "errors", "warnings", "conflict_detection", "late_detection")
    class Metadata(_message.Message):
        __slots__ = ("sync_id", "source", "destination", "started_at", "completed_at", "duration_seconds", "status", "connection", "sync_type", "interrupted", "engine")
        SYNC_ID_FIELD_NUMBER: _ClassVar[int]
        SOURCE_FIELD_NUMBER: _ClassVar[int]
        DESTINATION_FIELD_NUMBER: _ClassVar[int]
        STARTED_AT_FIELD_NUMBER: _ClassVar[int]
        COMPLETED_AT_FIELD_NUMBER: _ClassVar[int]
        DURATION_SECONDS_FIELD_NUMBER: _ClassVar[int]
        STATUS_FIELD_NUMBER: _ClassVar[int]
        CONNECTION_FIELD_NUMBER: _ClassVar[int]
        SYNC_TYPE_FIELD_NUMBER: _ClassVar[int]
        INTERRUPTED_FIELD_NUMBER: _ClassVar[int]
        ENGINE_FIELD_NUMBER: _ClassVar[int]
        sync_id: str
        source: str
        destination: str
        started_at: str
        completed_at: str
        duration_seconds: float
        status: str
        connection: str
        sync_type: str
        interrupted: bool
        engine: str
        def __init__(self, sync_id: _Optional[str] = ..., source: _Optional[str] = ..., destination: _Optional[str] = ..., started_at: _Optional[str] = ..., completed_at: _Optional[str] = ..., duration_seconds: _Optional[float] = ..., status: _Optional[str] = ..., connection: _Optional[str] = ..., sync_type: _Optional[str] = ..., interrupted: bool = ..., engine: _Optional[str] = ...) -> None: ...
    class Statistics(_message.Message):
        __slots__ = ("records_processed", "records_inserted", "records_updated", "records_deleted", "records_unchanged", "records_superseded", "records_missing", "records_dead_lettered", "conflicts_detected", "conflicts_resolved", "errors", "records_late", "records_deleted_by_truncate", "duplicates_collapsed", "records_sent_by_connector", "records_received", "bytes", "commits", "retries")
        RECORDS_PROCESSED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_INSERTED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_UPDATED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_DELETED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_UNCHANGED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_MISSING_FIELD_NUMBER: _ClassVar[int]
        RECORDS_DEAD_LETTERED_FIELD_NUMBER: _ClassVar[int]
        CONFLICTS_DETECTED_FIELD_NUMBER: _ClassVar[int]
        CONFLICTS_RESOLVED_FIELD_NUMBER: _ClassVar[int]
        ERRORS_FIELD_NUMBER: _ClassVar[int]
        RECORDS_LATE_FIELD_NUMBER: _ClassVar[int]
        RECORDS_DELETED_BY_TRUNCATE_FIELD_NUMBER: _ClassVar[int]
        DUPLICATES_COLLAPSED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_SENT_BY_CONNECTOR_FIELD_NUMBER: _ClassVar[int]
        RECORDS_RECEIVED_FIELD_NUMBER: _ClassVar[int]
        BYTES_FIELD_NUMBER: _ClassVar[int]
        COMMITS_FIELD_NUMBER: _ClassVar[int]
        RETRIES_FIELD_NUMBER: _ClassVar[int]
        records_processed: int
        records_inserted: int
        records_updated: int
        records_deleted: int
        records_unchanged: int
        records_superseded: int
        records_missing: int
        records_dead_lettered: int
        conflicts_detected: int
        conflicts_resolved: int
        errors: int
        records_late: int
        records_deleted_by_truncate: int
        duplicates_collapsed: int
        records_sent_by_connector: int
        records_received: int
        bytes: int
        commits: int
        retries: int
        def __init__(self, records_processed: _Optional[int] = ..., records_inserted: _Optional[int] = ..., records_updated: _Optional[int] = ..., records_deleted: _Optional[int] = ..., records_unchanged: _Optional[int] = ..., records_superseded: _Optional[int] = ..., records_missing: _Optional[int] = ..., records_dead_lettered: _Optional[int] = ..., conflicts_detected: _Optional[int] = ..., conflicts_resolved: _Optional[int] = ..., errors: _Optional[int] = ..., records_late: _Optional[int] = ..., records_deleted_by_truncate: _Optional[int] = ..., duplicates_collapsed: _Optional[int] = ..., records_sent_by_connector: _Optional[int] = ..., records_received: _Optional[int] = ..., bytes: _Optional[int] = ..., commits: _Optional[int] = ..., retries: _Optional[int] = ...) -> None: ...
    class TableReport(_message.Message):
        __slots__ = ("table", "destination_table", "records_processed", "records_inserted", "records_updated", "records_deleted", "records_unchanged", "records_superseded", "records_missing", "records_dead_lettered", "records_late", "records_sent_by_connector", "records_received", "sync_type", "to", "high_water_mark", "last_sync_timestamp", "status")
        TABLE_FIELD_NUMBER: _ClassVar[int]
        DESTINATION_TABLE_FIELD_NUMBER: _ClassVar[int]
        RECORDS_PROCESSED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_INSERTED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_UPDATED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_DELETED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_UNCHANGED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_MISSING_FIELD_NUMBER: _ClassVar[int]
        RECORDS_DEAD_LETTERED_FIELD_NUMBER: _ClassVar[int]
        RECORDS_LATE_FIELD_NUMBER: _ClassVar[int]
        RECORDS_SENT_BY_CONNECTOR_FIELD_NUMBER: _ClassVar[int]
        RECORDS_RECEIVED_FIELD_NUMBER: _ClassVar[int]
        SYNC_TYPE_FIELD_NUMBER: _ClassVar[int]
        FROM_FIELD_NUMBER: _ClassVar[int]
        TO_FIELD_NUMBER: _ClassVar[int]
        HIGH_WATER_MARK_FIELD_NUMBER: _ClassVar[int]
        LAST_SYNC_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
        STATUS_FIELD_NUMBER: _ClassVar[int]
        table: str
        destination_table: str
        records_processed: int
        records_inserted: int
        records_updated: int
        records_deleted: int
        records_unchanged: int
        records_superseded: int
        records_missing: int
        records_dead_lettered: int
        records_late: int
        records_sent_by_connector: int
        records_received: int
        sync_type: str
        to: str
        high_water_mark: str
        last_sync_timestamp: str
        status: str
        def __init__(self, table: _Optional[str] = ..., destination_table: _Optional[str] = ..., records_processed: _Optional[int] = ..., records_inserted: _Optional[int] = ..., records_updated: _Optional[int] = ..., records_deleted: _Optional[int] = ..., records_unchanged: _Optional[int] = ..., records_superseded: _Optional[int] = ..., records_missing: _Optional[int] = ..., records_dead_lettered: _Optional[int] = ..., records_late: _Optional[int] = ..., records_sent_by_connector: _Optional[int] = ..., records_received: _Optional[int] = ..., sync_type: _Optional[str] = ..., to: _Optional[str] = ..., high_water_mark: _Optional[str] = ..., last_sync_timestamp: _Optional[str] = ..., status: _Optional[str] = ..., **kwargs) -> None: ...
    class CheckpointReport(_message.Message):
        __slots__ = ("last_sync_timestamp", "processed_record_ids", "high_water_mark", "state_version", "version", "entries", "lag_seconds")
        class Entry(_message.Message):
            __slots__ = ("entry", "version_before", "version_after", "cursor")
            ENTRY_FIELD_NUMBER: _ClassVar[int]
            VERSION_BEFORE_FIELD_NUMBER: _ClassVar[int]
            VERSION_AFTER_FIELD_NUMBER: _ClassVar[int]
            CURSOR_FIELD_NUMBER: _ClassVar[int]
            entry: str
            version_before: int
            version_after: int
            cursor: str
            def __init__(self, entry: _Optional[str] = ..., version_before: _Optional[int] = ..., version_after: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...
        LAST_SYNC_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
        PROCESSED_RECORD_IDS_FIELD_NUMBER: _ClassVar[int]
        HIGH_WATER_MARK_FIELD_NUMBER: _ClassVar[int]
        STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
        VERSION_FIELD_NUMBER: _ClassVar[int]
        ENTRIES_FIELD_NUMBER: _ClassVar[int]
        LAG_SECONDS_FIELD_NUMBER: _ClassVar[int]
        last_sync_timestamp: str
        processed_record_ids: _containers.RepeatedScalarFieldContainer[str]
        high_water_mark: str
        state_version: str
        version: int
        entries: _containers.RepeatedCompositeFieldContainer[SyncReportDocument.CheckpointReport.Entry]
        lag_seconds: float
        def __init__(self, last_sync_timestamp: _Optional[str] = ..., processed_record_ids: _Optional[_Iterable[str]] = ..., high_water_mark: _Optional[str] = ..., state_version: _Optional[str] = ..., version: _Optional[int] = ..., entries: _Optional[_Iterable[_Union[SyncReportDocument.CheckpointReport.Entry, _Mapping]]] = ..., lag_seconds: _Optional[float] = ...) -> None: ...
    class ReportedSchemaChange(_message.Message):
        __slots__ = ("table", "column", "change")
        TABLE_FIELD_NUMBER: _ClassVar[int]
        COLUMN_FIELD_NUMBER: _ClassVar[int]
        CHANGE_FIELD_NUMBER: _ClassVar[int]
        table: str
        column: str
        change: str
        def __init__(self, table: _Optional[str] = ..., column: _Optional[str] = ..., change: _Optional[str] = ...) -> None: ...
    class ReportedError(_message.Message):
        __slots__ = ("code", "message", "table", "record_id", "retryable", "at")
        CODE_FIELD_NUMBER: _ClassVar[int]
        MESSAGE_FIELD_NUMBER: _ClassVar[int]
        TABLE_FIELD_NUMBER: _ClassVar[int]
        RECORD_ID_FIELD_NUMBER: _ClassVar[int]
        RETRYABLE_FIELD_NUMBER: _ClassVar[int]
        AT_FIELD_NUMBER: _ClassVar[int]
        code: str
        message: str
        table: str
        record_id: str
        retryable: bool
        at: str
        def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., table: _Optional[str] = ..., record_id: _Optional[str] = ..., retryable: bool = ..., at: _Optional[str] = ...) -> None: ...
    METADATA_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_CHANGES_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_DETECTION_FIELD_NUMBER: _ClassVar[int]
    LATE_DETECTION_FIELD_NUMBER: _ClassVar[int]
    metadata: SyncReportDocument.Metadata
    statistics: SyncReportDocument.Statistics
    tables: _containers.RepeatedCompositeFieldContainer[SyncReportDocument.TableReport]
    checkpoint: SyncReportDocument.CheckpointReport
    schema_changes: _containers.RepeatedCompositeFieldContainer[SyncReportDocument.ReportedSchemaChange]
    errors: _containers.RepeatedCompositeFieldContainer[SyncReportDocument.ReportedError]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    conflict_detection: str
    late_detection: str
    def __init__(self, metadata: _Optional[_Union[SyncReportDocument.Metadata, _Mapping]] = ..., statistics: _Optional[_Union[SyncReportDocument.Statistics, _Mapping]] = ..., tables: _Optional[_Iterable[_Union[SyncReportDocument.TableReport, _Mapping]]] = ..., checkpoint: _Optional[_Union[SyncReportDocument.CheckpointReport, _Mapping]] = ..., schema_changes: _Optional[_Iterable[_Union[SyncReportDocument.ReportedSchemaChange, _Mapping]]] = ..., errors: _Optional[_Iterable[_Union[SyncReportDocument.ReportedError, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ..., conflict_detection: _Optional[str] = ..., late_detection: _Optional[str] = ...) -> None: ...

class HistoryPoint(_message.Message):
    __slots__ = ("version", "sync_id", "time")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SYNC_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    version: int
    sync_id: str
    time: _timestamp_pb2.Timestamp
    def __init__(self, version: _Optional[int] = ..., sync_id: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StateVersionRecord(_message.Message):
    __slots__ = ("entry", "version", "parent", "kind", "sync_id", "created_at", "epoch", "format", "body_bytes", "cursor", "chain", "counts", "body_hash", "engine")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SYNC_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    BODY_BYTES_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    BODY_HASH_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    entry: str
    version: int
    parent: int
    kind: str
    sync_id: str
    created_at: _timestamp_pb2.Timestamp
    epoch: int
    format: int
    body_bytes: int
    cursor: str
    chain: str
    counts: RowCounts
    body_hash: str
    engine: str
    def __init__(self, entry: _Optional[str] = ..., version: _Optional[int] = ..., parent: _Optional[int] = ..., kind: _Optional[str] = ..., sync_id: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., epoch: _Optional[int] = ..., format: _Optional[int] = ..., body_bytes: _Optional[int] = ..., cursor: _Optional[str] = ..., chain: _Optional[str] = ..., counts: _Optional[_Union[RowCounts, _Mapping]] = ..., body_hash: _Optional[str] = ..., engine: _Optional[str] = ...) -> None: ...

class ListStateVersionsRequest(_message.Message):
    __slots__ = ("connection", "entry", "page_size", "page_token")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    connection: str
    entry: str
    page_size: int
    page_token: str
    def __init__(self, connection: _Optional[str] = ..., entry: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListStateVersionsResponse(_message.Message):
    __slots__ = ("versions", "next_page_token", "damage")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DAMAGE_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[StateVersionRecord]
    next_page_token: str
    damage: str
    def __init__(self, versions: _Optional[_Iterable[_Union[StateVersionRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., damage: _Optional[str] = ...) -> None: ...

class GetStateRequest(_message.Message):
    __slots__ = ("connection", "entry", "at")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    connection: str
    entry: str
    at: HistoryPoint
    def __init__(self, connection: _Optional[str] = ..., entry: _Optional[str] = ..., at: _Optional[_Union[HistoryPoint, _Mapping]] = ...) -> None: ...

class StateBody(_message.Message):
    __slots__ = ("version", "body")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    version: StateVersionRecord
    body: bytes
    def __init__(self, version: _Optional[_Union[StateVersionRecord, _Mapping]] = ..., body: _Optional[bytes] = ...) -> None: ...

class GetStateResponse(_message.Message):
    __slots__ = ("states",)
    STATES_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedCompositeFieldContainer[StateBody]
    def __init__(self, states: _Optional[_Iterable[_Union[StateBody, _Mapping]]] = ...) -> None: ...

class DiffStateRequest(_message.Message):
    __slots__ = ("connection", "entry", "to")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    connection: str
    entry: str
    to: HistoryPoint
    def __init__(self, connection: _Optional[str] = ..., entry: _Optional[str] = ..., to: _Optional[_Union[HistoryPoint, _Mapping]] = ..., **kwargs) -> None: ...

class DiffStateResponse(_message.Message):
    __slots__ = ("json",)
    JSON_FIELD_NUMBER: _ClassVar[int]
    json: str
    def __init__(self, json: _Optional[str] = ...) -> None: ...

class StateChange(_message.Message):
    __slots__ = ("moves", "written", "warning", "json")
    class Move(_message.Message):
        __slots__ = ("entry", "from_version", "to_version", "what")
        ENTRY_FIELD_NUMBER: _ClassVar[int]
        FROM_VERSION_FIELD_NUMBER: _ClassVar[int]
        TO_VERSION_FIELD_NUMBER: _ClassVar[int]
        WHAT_FIELD_NUMBER: _ClassVar[int]
        entry: str
        from_version: int
        to_version: int
        what: str
        def __init__(self, entry: _Optional[str] = ..., from_version: _Optional[int] = ..., to_version: _Optional[int] = ..., what: _Optional[str] = ...) -> None: ...
    MOVES_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    moves: _containers.RepeatedCompositeFieldContainer[StateChange.Move]
    written: bool
    warning: str
    json: str
    def __init__(self, moves: _Optional[_Iterable[_Union[StateChange.Move, _Mapping]]] = ..., written: bool = ..., warning: _Optional[str] = ..., json: _Optional[str] = ...) -> None: ...

class RollbackStateRequest(_message.Message):
    __slots__ = ("connection", "entry", "to", "dry_run", "idempotency_key")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    connection: str
    entry: str
    to: HistoryPoint
    dry_run: bool
    idempotency_key: str
    def __init__(self, connection: _Optional[str] = ..., entry: _Optional[str] = ..., to: _Optional[_Union[HistoryPoint, _Mapping]] = ..., dry_run: bool = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class RepairStateRequest(_message.Message):
    __slots__ = ("connection", "dry_run", "idempotency_key", "reset")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    connection: str
    dry_run: bool
    idempotency_key: str
    reset: bool
    def __init__(self, connection: _Optional[str] = ..., dry_run: bool = ..., idempotency_key: _Optional[str] = ..., reset: bool = ...) -> None: ...

class MigrateStateRequest(_message.Message):
    __slots__ = ("connection", "dry_run", "idempotency_key")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    connection: str
    dry_run: bool
    idempotency_key: str
    def __init__(self, connection: _Optional[str] = ..., dry_run: bool = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ResetStateRequest(_message.Message):
    __slots__ = ("connection", "entry", "dry_run", "idempotency_key")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    connection: str
    entry: str
    dry_run: bool
    idempotency_key: str
    def __init__(self, connection: _Optional[str] = ..., entry: _Optional[str] = ..., dry_run: bool = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ImportStateRequest(_message.Message):
    __slots__ = ("connection", "json", "dry_run", "idempotency_key")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    connection: str
    json: str
    dry_run: bool
    idempotency_key: str
    def __init__(self, connection: _Optional[str] = ..., json: _Optional[str] = ..., dry_run: bool = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class RestoreStateRequest(_message.Message):
    __slots__ = ("connection", "backup", "dry_run", "idempotency_key")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    BACKUP_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    connection: str
    backup: str
    dry_run: bool
    idempotency_key: str
    def __init__(self, connection: _Optional[str] = ..., backup: _Optional[str] = ..., dry_run: bool = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ValidateStoredStateRequest(_message.Message):
    __slots__ = ("connection",)
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    connection: str
    def __init__(self, connection: _Optional[str] = ...) -> None: ...

class ValidateStoredStateResponse(_message.Message):
    __slots__ = ("ok", "levels", "findings", "json")
    class Level(_message.Message):
        __slots__ = ("level", "result", "note")
        LEVEL_FIELD_NUMBER: _ClassVar[int]
        RESULT_FIELD_NUMBER: _ClassVar[int]
        NOTE_FIELD_NUMBER: _ClassVar[int]
        level: str
        result: str
        note: str
        def __init__(self, level: _Optional[str] = ..., result: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...
    OK_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    ok: bool
    levels: _containers.RepeatedCompositeFieldContainer[ValidateStoredStateResponse.Level]
    findings: _containers.RepeatedScalarFieldContainer[str]
    json: str
    def __init__(self, ok: bool = ..., levels: _Optional[_Iterable[_Union[ValidateStoredStateResponse.Level, _Mapping]]] = ..., findings: _Optional[_Iterable[str]] = ..., json: _Optional[str] = ...) -> None: ...

class BackupStateRequest(_message.Message):
    __slots__ = ("connection", "idempotency_key")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    connection: str
    idempotency_key: str
    def __init__(self, connection: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class BackupStateResponse(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class ExportStateRequest(_message.Message):
    __slots__ = ("connection", "entry", "at")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    connection: str
    entry: str
    at: HistoryPoint
    def __init__(self, connection: _Optional[str] = ..., entry: _Optional[str] = ..., at: _Optional[_Union[HistoryPoint, _Mapping]] = ...) -> None: ...

class ExportStateResponse(_message.Message):
    __slots__ = ("json",)
    JSON_FIELD_NUMBER: _ClassVar[int]
    json: str
    def __init__(self, json: _Optional[str] = ...) -> None: ...

class StoredLetter(_message.Message):
    __slots__ = ("id", "table", "key_json", "change_json", "reason", "code", "context_json", "first_seen", "last_seen", "attempts", "status", "sync_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    KEY_JSON_FIELD_NUMBER: _ClassVar[int]
    CHANGE_JSON_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_JSON_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SYNC_ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    table: str
    key_json: str
    change_json: str
    reason: str
    code: str
    context_json: str
    first_seen: _timestamp_pb2.Timestamp
    last_seen: _timestamp_pb2.Timestamp
    attempts: int
    status: str
    sync_id: str
    def __init__(self, id: _Optional[int] = ..., table: _Optional[str] = ..., key_json: _Optional[str] = ..., change_json: _Optional[str] = ..., reason: _Optional[str] = ..., code: _Optional[str] = ..., context_json: _Optional[str] = ..., first_seen: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempts: _Optional[int] = ..., status: _Optional[str] = ..., sync_id: _Optional[str] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("connection", "table", "status", "page_size", "page_token")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    connection: str
    table: str
    status: str
    page_size: int
    page_token: str
    def __init__(self, connection: _Optional[str] = ..., table: _Optional[str] = ..., status: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("letters", "next_page_token")
    LETTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    letters: _containers.RepeatedCompositeFieldContainer[StoredLetter]
    next_page_token: str
    def __init__(self, letters: _Optional[_Iterable[_Union[StoredLetter, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetDeadLetterRequest(_message.Message):
    __slots__ = ("connection", "id")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    connection: str
    id: int
    def __init__(self, connection: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class EditDeadLetterRequest(_message.Message):
    __slots__ = ("connection", "id", "change_json", "idempotency_key")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_JSON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    connection: str
    id: int
    change_json: str
    idempotency_key: str
    def __init__(self, connection: _Optional[str] = ..., id: _Optional[int] = ..., change_json: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ReplayDeadLettersRequest(_message.Message):
    __slots__ = ("connection", "ids", "idempotency_key")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    connection: str
    ids: _containers.RepeatedScalarFieldContainer[int]
    idempotency_key: str
    def __init__(self, connection: _Optional[str] = ..., ids: _Optional[_Iterable[int]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ReplayDeadLettersResponse(_message.Message):
    __slots__ = ("sync", "replayed", "failed", "refused", "report_json")
    class Refused(_message.Message):
        __slots__ = ("id", "reason")
        ID_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        id: int
        reason: str
        def __init__(self, id: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...
    SYNC_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REPORT_JSON_FIELD_NUMBER: _ClassVar[int]
    sync: Sync
    replayed: _containers.RepeatedScalarFieldContainer[int]
    failed: _containers.RepeatedScalarFieldContainer[int]
    refused: _containers.RepeatedCompositeFieldContainer[ReplayDeadLettersResponse.Refused]
    report_json: str
    def __init__(self, sync: _Optional[_Union[Sync, _Mapping]] = ..., replayed: _Optional[_Iterable[int]] = ..., failed: _Optional[_Iterable[int]] = ..., refused: _Optional[_Iterable[_Union[ReplayDeadLettersResponse.Refused, _Mapping]]] = ..., report_json: _Optional[str] = ...) -> None: ...

class DiscardDeadLettersRequest(_message.Message):
    __slots__ = ("connection", "ids", "idempotency_key")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    connection: str
    ids: _containers.RepeatedScalarFieldContainer[int]
    idempotency_key: str
    def __init__(self, connection: _Optional[str] = ..., ids: _Optional[_Iterable[int]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class DiscardDeadLettersResponse(_message.Message):
    __slots__ = ("discarded",)
    DISCARDED_FIELD_NUMBER: _ClassVar[int]
    discarded: int
    def __init__(self, discarded: _Optional[int] = ...) -> None: ...

class ListConflictsRequest(_message.Message):
    __slots__ = ("connection", "page_size", "page_token")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    connection: str
    page_size: int
    page_token: str
    def __init__(self, connection: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class StoredConflict(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ListConflictsResponse(_message.Message):
    __slots__ = ("conflicts", "next_page_token", "detection")
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DETECTION_FIELD_NUMBER: _ClassVar[int]
    conflicts: _containers.RepeatedCompositeFieldContainer[StoredConflict]
    next_page_token: str
    detection: str
    def __init__(self, conflicts: _Optional[_Iterable[_Union[StoredConflict, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., detection: _Optional[str] = ...) -> None: ...

class VerifyRequest(_message.Message):
    __slots__ = ("connection", "tables", "repair", "listed", "allow_mass_deletes")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    REPAIR_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MASS_DELETES_FIELD_NUMBER: _ClassVar[int]
    connection: str
    tables: _containers.RepeatedScalarFieldContainer[str]
    repair: bool
    listed: int
    allow_mass_deletes: bool
    def __init__(self, connection: _Optional[str] = ..., tables: _Optional[_Iterable[str]] = ..., repair: bool = ..., listed: _Optional[int] = ..., allow_mass_deletes: bool = ...) -> None: ...

class VerifyResponse(_message.Message):
    __slots__ = ("table_begun", "result")
    TABLE_BEGUN_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    table_begun: str
    result: VerifyResult
    def __init__(self, table_begun: _Optional[str] = ..., result: _Optional[_Union[VerifyResult, _Mapping]] = ...) -> None: ...

class VerifyResult(_message.Message):
    __slots__ = ("equal", "json", "repair", "differences_found", "error", "text", "exit_code")
    EQUAL_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    REPAIR_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FOUND_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    equal: bool
    json: str
    repair: Sync
    differences_found: bool
    error: str
    text: str
    exit_code: int
    def __init__(self, equal: bool = ..., json: _Optional[str] = ..., repair: _Optional[_Union[Sync, _Mapping]] = ..., differences_found: bool = ..., error: _Optional[str] = ..., text: _Optional[str] = ..., exit_code: _Optional[int] = ...) -> None: ...

class Token(_message.Message):
    __slots__ = ("id", "role", "connections", "note", "created_at", "expires_at", "revoked_at", "last_used_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    REVOKED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_USED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    role: str
    connections: _containers.RepeatedScalarFieldContainer[str]
    note: str
    created_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    revoked_at: _timestamp_pb2.Timestamp
    last_used_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., role: _Optional[str] = ..., connections: _Optional[_Iterable[str]] = ..., note: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_used_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateTokenRequest(_message.Message):
    __slots__ = ("role", "connections", "note", "expires_at")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    role: str
    connections: _containers.RepeatedScalarFieldContainer[str]
    note: str
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, role: _Optional[str] = ..., connections: _Optional[_Iterable[str]] = ..., note: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateTokenResponse(_message.Message):
    __slots__ = ("token", "text")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    token: Token
    text: str
    def __init__(self, token: _Optional[_Union[Token, _Mapping]] = ..., text: _Optional[str] = ...) -> None: ...

class ListTokensRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTokensResponse(_message.Message):
    __slots__ = ("tokens", "next_page_token")
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedCompositeFieldContainer[Token]
    next_page_token: str
    def __init__(self, tokens: _Optional[_Iterable[_Union[Token, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RevokeTokenRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class Secret(_message.Message):
    __slots__ = ("name", "version", "changed_at")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SetSecretRequest(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: bytes
    def __init__(self, name: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class ListSecretsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSecretsResponse(_message.Message):
    __slots__ = ("secrets", "next_page_token")
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    secrets: _containers.RepeatedCompositeFieldContainer[Secret]
    next_page_token: str
    def __init__(self, secrets: _Optional[_Iterable[_Union[Secret, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteSecretRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteSecretResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RotateMasterKeyRequest(_message.Message):
    __slots__ = ("idempotency_key",)
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: str
    def __init__(self, idempotency_key: _Optional[str] = ...) -> None: ...

class RotateMasterKeyResponse(_message.Message):
    __slots__ = ("old_key_id", "new_key_id", "secrets", "to_do")
    OLD_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    NEW_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    TO_DO_FIELD_NUMBER: _ClassVar[int]
    old_key_id: str
    new_key_id: str
    secrets: int
    to_do: str
    def __init__(self, old_key_id: _Optional[str] = ..., new_key_id: _Optional[str] = ..., secrets: _Optional[int] = ..., to_do: _Optional[str] = ...) -> None: ...

class AuditEntry(_message.Message):
    __slots__ = ("sequence", "at", "who", "method", "object", "before_hash", "after_hash", "result")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_HASH_FIELD_NUMBER: _ClassVar[int]
    AFTER_HASH_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    at: _timestamp_pb2.Timestamp
    who: str
    method: str
    object: str
    before_hash: str
    after_hash: str
    result: str
    def __init__(self, sequence: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., who: _Optional[str] = ..., method: _Optional[str] = ..., object: _Optional[str] = ..., before_hash: _Optional[str] = ..., after_hash: _Optional[str] = ..., result: _Optional[str] = ..., **kwargs) -> None: ...

class ListAuditRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAuditResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AuditEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[AuditEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class VerifyAuditRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VerifyAuditResponse(_message.Message):
    __slots__ = ("ok", "entries", "problem", "head", "accepted")
    OK_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    ok: bool
    entries: int
    problem: str
    head: str
    accepted: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, ok: bool = ..., entries: _Optional[int] = ..., problem: _Optional[str] = ..., head: _Optional[str] = ..., accepted: _Optional[_Iterable[int]] = ...) -> None: ...

class AcceptAuditRequest(_message.Message):
    __slots__ = ("reason", "idempotency_key")
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    reason: str
    idempotency_key: str
    def __init__(self, reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class AcceptAuditResponse(_message.Message):
    __slots__ = ("entry", "head")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    entry: AuditEntry
    head: str
    def __init__(self, entry: _Optional[_Union[AuditEntry, _Mapping]] = ..., head: _Optional[str] = ...) -> None: ...
