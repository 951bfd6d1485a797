from tidemark._wire import connector_pb2 as _connector_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CheckpointMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHECKPOINT_MODE_EVERY_MESSAGE: _ClassVar[CheckpointMode]
    CHECKPOINT_MODE_EXPLICIT: _ClassVar[CheckpointMode]
CHECKPOINT_MODE_EVERY_MESSAGE: CheckpointMode
CHECKPOINT_MODE_EXPLICIT: CheckpointMode

class PushStart(_message.Message):
    __slots__ = ("connection", "producer", "checkpoints", "expected_sequence")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    connection: str
    producer: str
    checkpoints: CheckpointMode
    expected_sequence: int
    def __init__(self, connection: _Optional[str] = ..., producer: _Optional[str] = ..., checkpoints: _Optional[_Union[CheckpointMode, str]] = ..., expected_sequence: _Optional[int] = ...) -> None: ...

class PushRequest(_message.Message):
    __slots__ = ("sequence", "start", "table", "rows", "row_batch", "checkpoint")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    ROW_BATCH_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    start: PushStart
    table: _connector_pb2.TableDefinition
    rows: _connector_pb2.Rows
    row_batch: _connector_pb2.RowBatch
    checkpoint: PushCheckpoint
    def __init__(self, sequence: _Optional[int] = ..., start: _Optional[_Union[PushStart, _Mapping]] = ..., table: _Optional[_Union[_connector_pb2.TableDefinition, _Mapping]] = ..., rows: _Optional[_Union[_connector_pb2.Rows, _Mapping]] = ..., row_batch: _Optional[_Union[_connector_pb2.RowBatch, _Mapping]] = ..., checkpoint: _Optional[_Union[PushCheckpoint, _Mapping]] = ...) -> None: ...

class PushCheckpoint(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: bytes
    def __init__(self, state: _Optional[bytes] = ...) -> None: ...

class PushResponse(_message.Message):
    __slots__ = ("started", "acknowledged", "row_error", "warning", "ended")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    ROW_ERROR_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    started: Started
    acknowledged: Acknowledged
    row_error: RowError
    warning: PushWarning
    ended: Ended
    def __init__(self, started: _Optional[_Union[Started, _Mapping]] = ..., acknowledged: _Optional[_Union[Acknowledged, _Mapping]] = ..., row_error: _Optional[_Union[RowError, _Mapping]] = ..., warning: _Optional[_Union[PushWarning, _Mapping]] = ..., ended: _Optional[_Union[Ended, _Mapping]] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("durable_sequence", "state", "state_version", "sync_id", "epoch")
    DURABLE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SYNC_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    durable_sequence: int
    state: bytes
    state_version: int
    sync_id: str
    epoch: int
    def __init__(self, durable_sequence: _Optional[int] = ..., state: _Optional[bytes] = ..., state_version: _Optional[int] = ..., sync_id: _Optional[str] = ..., epoch: _Optional[int] = ...) -> None: ...

class Acknowledged(_message.Message):
    __slots__ = ("sequence", "state_version")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    state_version: int
    def __init__(self, sequence: _Optional[int] = ..., state_version: _Optional[int] = ...) -> None: ...

class RowError(_message.Message):
    __slots__ = ("sequence", "index", "table", "code", "reason")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    index: int
    table: str
    code: int
    reason: str
    def __init__(self, sequence: _Optional[int] = ..., index: _Optional[int] = ..., table: _Optional[str] = ..., code: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class PushWarning(_message.Message):
    __slots__ = ("table", "text")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    table: str
    text: str
    def __init__(self, table: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Ended(_message.Message):
    __slots__ = ("durable_sequence", "state_version")
    DURABLE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    durable_sequence: int
    state_version: int
    def __init__(self, durable_sequence: _Optional[int] = ..., state_version: _Optional[int] = ...) -> None: ...
