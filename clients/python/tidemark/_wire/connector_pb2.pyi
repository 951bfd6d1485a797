from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_TYPE_UNDECLARED: _ClassVar[DataType]
    DATA_TYPE_BOOLEAN: _ClassVar[DataType]
    DATA_TYPE_SHORT: _ClassVar[DataType]
    DATA_TYPE_INT: _ClassVar[DataType]
    DATA_TYPE_LONG: _ClassVar[DataType]
    DATA_TYPE_DECIMAL: _ClassVar[DataType]
    DATA_TYPE_FLOAT: _ClassVar[DataType]
    DATA_TYPE_DOUBLE: _ClassVar[DataType]
    DATA_TYPE_NAIVE_DATE: _ClassVar[DataType]
    DATA_TYPE_NAIVE_TIME: _ClassVar[DataType]
    DATA_TYPE_NAIVE_DATETIME: _ClassVar[DataType]
    DATA_TYPE_UTC_DATETIME: _ClassVar[DataType]
    DATA_TYPE_BINARY: _ClassVar[DataType]
    DATA_TYPE_XML: _ClassVar[DataType]
    DATA_TYPE_STRING: _ClassVar[DataType]
    DATA_TYPE_JSON: _ClassVar[DataType]

class ChangeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_KIND_UNSPECIFIED: _ClassVar[ChangeKind]
    CHANGE_KIND_UPSERT: _ClassVar[ChangeKind]
    CHANGE_KIND_UPDATE: _ClassVar[ChangeKind]
    CHANGE_KIND_DELETE: _ClassVar[ChangeKind]
    CHANGE_KIND_TRUNCATE: _ClassVar[ChangeKind]
    CHANGE_KIND_SNAPSHOT: _ClassVar[ChangeKind]

class ReadMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    READ_MODE_UNSPECIFIED: _ClassVar[ReadMode]
    READ_MODE_KEYS: _ClassVar[ReadMode]
    READ_MODE_RANGES: _ClassVar[ReadMode]
    READ_MODE_WHOLE: _ClassVar[ReadMode]

class SelectionMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SELECTION_MODE_SKIP: _ClassVar[SelectionMode]
    SELECTION_MODE_INCREMENTAL: _ClassVar[SelectionMode]
    SELECTION_MODE_FULL: _ClassVar[SelectionMode]
DATA_TYPE_UNDECLARED: DataType
DATA_TYPE_BOOLEAN: DataType
DATA_TYPE_SHORT: DataType
DATA_TYPE_INT: DataType
DATA_TYPE_LONG: DataType
DATA_TYPE_DECIMAL: DataType
DATA_TYPE_FLOAT: DataType
DATA_TYPE_DOUBLE: DataType
DATA_TYPE_NAIVE_DATE: DataType
DATA_TYPE_NAIVE_TIME: DataType
DATA_TYPE_NAIVE_DATETIME: DataType
DATA_TYPE_UTC_DATETIME: DataType
DATA_TYPE_BINARY: DataType
DATA_TYPE_XML: DataType
DATA_TYPE_STRING: DataType
DATA_TYPE_JSON: DataType
CHANGE_KIND_UNSPECIFIED: ChangeKind
CHANGE_KIND_UPSERT: ChangeKind
CHANGE_KIND_UPDATE: ChangeKind
CHANGE_KIND_DELETE: ChangeKind
CHANGE_KIND_TRUNCATE: ChangeKind
CHANGE_KIND_SNAPSHOT: ChangeKind
READ_MODE_UNSPECIFIED: ReadMode
READ_MODE_KEYS: ReadMode
READ_MODE_RANGES: ReadMode
READ_MODE_WHOLE: ReadMode
SELECTION_MODE_SKIP: SelectionMode
SELECTION_MODE_INCREMENTAL: SelectionMode
SELECTION_MODE_FULL: SelectionMode

class Value(_message.Message):
    __slots__ = ("bool", "int64", "double", "decimal", "string", "bytes", "json", "date_days", "time_us", "timestamp_us", "naive_timestamp_us")
    BOOL_FIELD_NUMBER: _ClassVar[int]
    INT64_FIELD_NUMBER: _ClassVar[int]
    DOUBLE_FIELD_NUMBER: _ClassVar[int]
    DECIMAL_FIELD_NUMBER: _ClassVar[int]
    STRING_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    DATE_DAYS_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_US_FIELD_NUMBER: _ClassVar[int]
    NAIVE_TIMESTAMP_US_FIELD_NUMBER: _ClassVar[int]
    bool: bool
    int64: int
    double: float
    decimal: str
    string: str
    bytes: bytes
    json: str
    date_days: int
    time_us: int
    timestamp_us: int
    naive_timestamp_us: int
    def __init__(self, bool: bool = ..., int64: _Optional[int] = ..., double: _Optional[float] = ..., decimal: _Optional[str] = ..., string: _Optional[str] = ..., bytes: _Optional[bytes] = ..., json: _Optional[str] = ..., date_days: _Optional[int] = ..., time_us: _Optional[int] = ..., timestamp_us: _Optional[int] = ..., naive_timestamp_us: _Optional[int] = ...) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("id", "version", "description", "capabilities", "state_format", "options", "extensions")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    STATE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    EXTENSIONS_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: str
    description: str
    capabilities: int
    state_format: int
    options: _containers.RepeatedCompositeFieldContainer[Option]
    extensions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., version: _Optional[str] = ..., description: _Optional[str] = ..., capabilities: _Optional[int] = ..., state_format: _Optional[int] = ..., options: _Optional[_Iterable[_Union[Option, _Mapping]]] = ..., extensions: _Optional[_Iterable[str]] = ...) -> None: ...

class Option(_message.Message):
    __slots__ = ("name", "type", "required", "secret", "default_value", "help", "label", "choices", "json_schema", "reads_path", "writes_path")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    HELP_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    READS_PATH_FIELD_NUMBER: _ClassVar[int]
    WRITES_PATH_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: DataType
    required: bool
    secret: bool
    default_value: str
    help: str
    label: str
    choices: _containers.RepeatedScalarFieldContainer[str]
    json_schema: str
    reads_path: bool
    writes_path: bool
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[DataType, str]] = ..., required: bool = ..., secret: bool = ..., default_value: _Optional[str] = ..., help: _Optional[str] = ..., label: _Optional[str] = ..., choices: _Optional[_Iterable[str]] = ..., json_schema: _Optional[str] = ..., reads_path: bool = ..., writes_path: bool = ...) -> None: ...

class Setting(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: Value
    def __init__(self, name: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...

class Configuration(_message.Message):
    __slots__ = ("settings",)
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    settings: _containers.RepeatedCompositeFieldContainer[Setting]
    def __init__(self, settings: _Optional[_Iterable[_Union[Setting, _Mapping]]] = ...) -> None: ...

class CheckRequest(_message.Message):
    __slots__ = ("configuration",)
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    configuration: Configuration
    def __init__(self, configuration: _Optional[_Union[Configuration, _Mapping]] = ...) -> None: ...

class CheckResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Column(_message.Message):
    __slots__ = ("name", "type", "key", "cursor", "sensitive", "precision", "scale")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    SENSITIVE_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: DataType
    key: bool
    cursor: bool
    sensitive: bool
    precision: int
    scale: int
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[DataType, str]] = ..., key: bool = ..., cursor: bool = ..., sensitive: bool = ..., precision: _Optional[int] = ..., scale: _Optional[int] = ...) -> None: ...

class Table(_message.Message):
    __slots__ = ("schema", "name", "columns", "reads")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    READS_FIELD_NUMBER: _ClassVar[int]
    schema: str
    name: str
    columns: _containers.RepeatedCompositeFieldContainer[Column]
    reads: int
    def __init__(self, schema: _Optional[str] = ..., name: _Optional[str] = ..., columns: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., reads: _Optional[int] = ...) -> None: ...

class SchemaRequest(_message.Message):
    __slots__ = ("configuration",)
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    configuration: Configuration
    def __init__(self, configuration: _Optional[_Union[Configuration, _Mapping]] = ...) -> None: ...

class SchemaResponse(_message.Message):
    __slots__ = ("tables",)
    TABLES_FIELD_NUMBER: _ClassVar[int]
    tables: _containers.RepeatedCompositeFieldContainer[Table]
    def __init__(self, tables: _Optional[_Iterable[_Union[Table, _Mapping]]] = ...) -> None: ...

class StateEntry(_message.Message):
    __slots__ = ("schema", "table", "body", "cursor", "format", "kind", "version", "committed_at_us", "watermark_us")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_AT_US_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_US_FIELD_NUMBER: _ClassVar[int]
    schema: str
    table: str
    body: bytes
    cursor: str
    format: int
    kind: int
    version: int
    committed_at_us: int
    watermark_us: int
    def __init__(self, schema: _Optional[str] = ..., table: _Optional[str] = ..., body: _Optional[bytes] = ..., cursor: _Optional[str] = ..., format: _Optional[int] = ..., kind: _Optional[int] = ..., version: _Optional[int] = ..., committed_at_us: _Optional[int] = ..., watermark_us: _Optional[int] = ...) -> None: ...

class ValidateStateRequest(_message.Message):
    __slots__ = ("configuration", "states")
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    configuration: Configuration
    states: _containers.RepeatedCompositeFieldContainer[StateEntry]
    def __init__(self, configuration: _Optional[_Union[Configuration, _Mapping]] = ..., states: _Optional[_Iterable[_Union[StateEntry, _Mapping]]] = ...) -> None: ...

class ValidateStateResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReadRequest(_message.Message):
    __slots__ = ("configuration", "table", "mode", "key_count", "keys", "lower", "upper", "limit", "columns")
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    KEY_COUNT_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    configuration: Configuration
    table: int
    mode: ReadMode
    key_count: int
    keys: bytes
    lower: bytes
    upper: bytes
    limit: int
    columns: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, configuration: _Optional[_Union[Configuration, _Mapping]] = ..., table: _Optional[int] = ..., mode: _Optional[_Union[ReadMode, str]] = ..., key_count: _Optional[int] = ..., keys: _Optional[bytes] = ..., lower: _Optional[bytes] = ..., upper: _Optional[bytes] = ..., limit: _Optional[int] = ..., columns: _Optional[_Iterable[bool]] = ...) -> None: ...

class UpdateRequest(_message.Message):
    __slots__ = ("start", "acknowledgement")
    START_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENT_FIELD_NUMBER: _ClassVar[int]
    start: Start
    acknowledgement: Acknowledgement
    def __init__(self, start: _Optional[_Union[Start, _Mapping]] = ..., acknowledgement: _Optional[_Union[Acknowledgement, _Mapping]] = ...) -> None: ...

class Selection(_message.Message):
    __slots__ = ("mode", "columns")
    MODE_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    mode: SelectionMode
    columns: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, mode: _Optional[_Union[SelectionMode, str]] = ..., columns: _Optional[_Iterable[bool]] = ...) -> None: ...

class Start(_message.Message):
    __slots__ = ("configuration", "states", "selections", "new_tables", "connection", "sync_id", "epoch", "attempt", "dry_run", "continuous", "page_rows", "from_us", "until_us", "releasable")
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    SELECTIONS_FIELD_NUMBER: _ClassVar[int]
    NEW_TABLES_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    SYNC_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    CONTINUOUS_FIELD_NUMBER: _ClassVar[int]
    PAGE_ROWS_FIELD_NUMBER: _ClassVar[int]
    FROM_US_FIELD_NUMBER: _ClassVar[int]
    UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    RELEASABLE_FIELD_NUMBER: _ClassVar[int]
    configuration: Configuration
    states: _containers.RepeatedCompositeFieldContainer[StateEntry]
    selections: _containers.RepeatedCompositeFieldContainer[Selection]
    new_tables: SelectionMode
    connection: str
    sync_id: str
    epoch: int
    attempt: int
    dry_run: bool
    continuous: bool
    page_rows: int
    from_us: int
    until_us: int
    releasable: _containers.RepeatedCompositeFieldContainer[StateEntry]
    def __init__(self, configuration: _Optional[_Union[Configuration, _Mapping]] = ..., states: _Optional[_Iterable[_Union[StateEntry, _Mapping]]] = ..., selections: _Optional[_Iterable[_Union[Selection, _Mapping]]] = ..., new_tables: _Optional[_Union[SelectionMode, str]] = ..., connection: _Optional[str] = ..., sync_id: _Optional[str] = ..., epoch: _Optional[int] = ..., attempt: _Optional[int] = ..., dry_run: bool = ..., continuous: bool = ..., page_rows: _Optional[int] = ..., from_us: _Optional[int] = ..., until_us: _Optional[int] = ..., releasable: _Optional[_Iterable[_Union[StateEntry, _Mapping]]] = ...) -> None: ...

class Acknowledgement(_message.Message):
    __slots__ = ("durable", "releasable")
    DURABLE_FIELD_NUMBER: _ClassVar[int]
    RELEASABLE_FIELD_NUMBER: _ClassVar[int]
    durable: int
    releasable: _containers.RepeatedCompositeFieldContainer[StateEntry]
    def __init__(self, durable: _Optional[int] = ..., releasable: _Optional[_Iterable[_Union[StateEntry, _Mapping]]] = ...) -> None: ...

class UpdateResponse(_message.Message):
    __slots__ = ("row_batch", "rows", "table_definition", "checkpoint", "dead_letter", "table_done", "warning", "flush", "progress", "log", "finished")
    ROW_BATCH_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TABLE_DEFINITION_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTER_FIELD_NUMBER: _ClassVar[int]
    TABLE_DONE_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    FLUSH_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    row_batch: RowBatch
    rows: Rows
    table_definition: TableDefinition
    checkpoint: Checkpoint
    dead_letter: DeadLetter
    table_done: TableDone
    warning: Warning
    flush: Flush
    progress: Progress
    log: Log
    finished: Finished
    def __init__(self, row_batch: _Optional[_Union[RowBatch, _Mapping]] = ..., rows: _Optional[_Union[Rows, _Mapping]] = ..., table_definition: _Optional[_Union[TableDefinition, _Mapping]] = ..., checkpoint: _Optional[_Union[Checkpoint, _Mapping]] = ..., dead_letter: _Optional[_Union[DeadLetter, _Mapping]] = ..., table_done: _Optional[_Union[TableDone, _Mapping]] = ..., warning: _Optional[_Union[Warning, _Mapping]] = ..., flush: _Optional[_Union[Flush, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., log: _Optional[_Union[Log, _Mapping]] = ..., finished: _Optional[_Union[Finished, _Mapping]] = ...) -> None: ...

class RowBatch(_message.Message):
    __slots__ = ("table", "row_count", "column_count", "ops", "rows", "before_rows", "before", "meta")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    COLUMN_COUNT_FIELD_NUMBER: _ClassVar[int]
    OPS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    BEFORE_ROWS_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    table: int
    row_count: int
    column_count: int
    ops: bytes
    rows: bytes
    before_rows: _containers.RepeatedScalarFieldContainer[int]
    before: bytes
    meta: bytes
    def __init__(self, table: _Optional[int] = ..., row_count: _Optional[int] = ..., column_count: _Optional[int] = ..., ops: _Optional[bytes] = ..., rows: _Optional[bytes] = ..., before_rows: _Optional[_Iterable[int]] = ..., before: _Optional[bytes] = ..., meta: _Optional[bytes] = ...) -> None: ...

class Rows(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    def __init__(self, rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ...) -> None: ...

class Row(_message.Message):
    __slots__ = ("schema", "table", "kind", "values", "before", "on_error_continue", "event_time_us", "sequence", "subsequence")
    class ValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    class BeforeEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    ON_ERROR_CONTINUE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_US_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SUBSEQUENCE_FIELD_NUMBER: _ClassVar[int]
    schema: str
    table: str
    kind: ChangeKind
    values: _containers.MessageMap[str, Value]
    before: _containers.MessageMap[str, Value]
    on_error_continue: bool
    event_time_us: int
    sequence: int
    subsequence: int
    def __init__(self, schema: _Optional[str] = ..., table: _Optional[str] = ..., kind: _Optional[_Union[ChangeKind, str]] = ..., values: _Optional[_Mapping[str, Value]] = ..., before: _Optional[_Mapping[str, Value]] = ..., on_error_continue: bool = ..., event_time_us: _Optional[int] = ..., sequence: _Optional[int] = ..., subsequence: _Optional[int] = ...) -> None: ...

class TableDefinition(_message.Message):
    __slots__ = ("index", "table")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    index: int
    table: Table
    def __init__(self, index: _Optional[int] = ..., table: _Optional[_Union[Table, _Mapping]] = ...) -> None: ...

class TableRows(_message.Message):
    __slots__ = ("table", "rows")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    table: int
    rows: int
    def __init__(self, table: _Optional[int] = ..., rows: _Optional[int] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("id", "states", "rows_since_last")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    ROWS_SINCE_LAST_FIELD_NUMBER: _ClassVar[int]
    id: int
    states: _containers.RepeatedCompositeFieldContainer[StateEntry]
    rows_since_last: _containers.RepeatedCompositeFieldContainer[TableRows]
    def __init__(self, id: _Optional[int] = ..., states: _Optional[_Iterable[_Union[StateEntry, _Mapping]]] = ..., rows_since_last: _Optional[_Iterable[_Union[TableRows, _Mapping]]] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("table", "code", "record_json", "key_json", "reason", "context_json")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    RECORD_JSON_FIELD_NUMBER: _ClassVar[int]
    KEY_JSON_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_JSON_FIELD_NUMBER: _ClassVar[int]
    table: int
    code: int
    record_json: str
    key_json: str
    reason: str
    context_json: str
    def __init__(self, table: _Optional[int] = ..., code: _Optional[int] = ..., record_json: _Optional[str] = ..., key_json: _Optional[str] = ..., reason: _Optional[str] = ..., context_json: _Optional[str] = ...) -> None: ...

class TableDone(_message.Message):
    __slots__ = ("table", "code", "reason")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    table: int
    code: int
    reason: str
    def __init__(self, table: _Optional[int] = ..., code: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class Warning(_message.Message):
    __slots__ = ("table", "text")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    table: int
    text: str
    def __init__(self, table: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class Flush(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Progress(_message.Message):
    __slots__ = ("table", "rows_done", "rows_total", "bytes_done", "phase")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ROWS_DONE_FIELD_NUMBER: _ClassVar[int]
    ROWS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    BYTES_DONE_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    table: int
    rows_done: int
    rows_total: int
    bytes_done: int
    phase: str
    def __init__(self, table: _Optional[int] = ..., rows_done: _Optional[int] = ..., rows_total: _Optional[int] = ..., bytes_done: _Optional[int] = ..., phase: _Optional[str] = ...) -> None: ...

class Log(_message.Message):
    __slots__ = ("level", "text")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    level: int
    text: str
    def __init__(self, level: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class Finished(_message.Message):
    __slots__ = ("code", "message", "retry_after_us", "sent", "error_column", "error_table")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_US_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    ERROR_COLUMN_FIELD_NUMBER: _ClassVar[int]
    ERROR_TABLE_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    retry_after_us: int
    sent: _containers.RepeatedCompositeFieldContainer[TableRows]
    error_column: str
    error_table: int
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., retry_after_us: _Optional[int] = ..., sent: _Optional[_Iterable[_Union[TableRows, _Mapping]]] = ..., error_column: _Optional[str] = ..., error_table: _Optional[int] = ...) -> None: ...
