/* The C ABI between a Tidemark plugin (a shared library holding one connector) and its host.
 *
 * C11 and C++20. Nothing here needs another library. Most authors write against
 * tidemark/connector.h, a C++ layer over this header; this header is for the host, for that layer,
 * and for plugins in other languages.
 *
 * ENTRY. A plugin exports one function, TIDEMARK_ENTRY_SYMBOL, that returns its function table.
 * It has no effects and may be called any number of times.
 *
 * LIFECYCLE. dlopen -> entry -> create -> [check] -> schema -> update (0..n times, one at a time)
 * -> destroy. A library is never unloaded. A process may hold several instances.
 *
 * THREADS. Each function names its thread:
 *   [instance]    one call at a time for an instance, on any thread;
 *   [update]      the thread that called update(); the sink is called on this thread only, the host
 *                 checks and answers FAILED_PRECONDITION elsewhere;
 *   [any-thread]  at any time, concurrently with everything else between create and destroy;
 *   [ack-thread]  one call at a time, before, beside and after update(), until destroy(); it must
 *                 not block and must not call the sink.
 *
 * ERRORS. Every fallible function returns a tidemark_code and fills the caller's tidemark_error
 * when it is not OK. No exception, longjmp or signal may cross this boundary. What a code means to
 * the host is listed at the codes below.
 *
 * MEMORY. Nothing is allocated on one side and freed on the other. A pointer is borrowed for the
 * time that stands beside it. Strings in `const char*` are NUL-terminated UTF-8; tidemark_bytes
 * and tidemark_value carry a length and need no terminator.
 *
 * GROWTH. A struct that begins with struct_size may grow at its end within major version 1; a
 * receiver reads a field only if TIDEMARK_HAS says it is there. Elements of arrays are reached by
 * the stride (`..._size`) that stands beside the array, never by sizeof. No struct has padding.
 * In a word of flags, bits 0..15 may be ignored by a receiver that does not know them; bits 16..31
 * must be refused. Unless stated otherwise a flags word is 0, and a reserved word is 0.
 */
#ifndef TIDEMARK_PLUGIN_ABI_H_
#define TIDEMARK_PLUGIN_ABI_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* major << 16 | minor. A minor version only appends; a major version has another entry symbol. */
#define TIDEMARK_ABI_VERSION ((1u << 16) | 0u)
#define TIDEMARK_ENTRY_SYMBOL "tidemark_plugin_entry_v1"

/* Whether the struct at `p`, of type `type` and beginning with struct_size, reaches `field`. */
#define TIDEMARK_HAS(type, p, field) \
  ((p)->struct_size >= offsetof(type, field) + sizeof((p)->field))

/* Put before the entry function, so that hidden visibility does not hide it. */
#define TIDEMARK_EXPORT __attribute__((visibility("default")))

/* ---- Codes ------------------------------------------------------------------------------------
 * The numbers of absl::StatusCode and of gRPC. What the host does with a code of update():
 *   UNAVAILABLE, RESOURCE_EXHAUSTED, ABORTED, DEADLINE_EXCEEDED   starts update() again from the
 *     last committed state after a backoff; retry_after_us of the error overrides the backoff
 *   UNAUTHENTICATED, PERMISSION_DENIED, FAILED_PRECONDITION, INVALID_ARGUMENT and the remaining
 *     codes of the caller's side stop the sync; the user must change something
 *   DATA_LOSS   stops the sync; nothing is reset
 *   CANCELLED   the host asked for it
 *   INTERNAL, UNKNOWN   a bug of the plugin; stops the sync
 */
typedef int32_t tidemark_code;
enum {
  TIDEMARK_OK = 0,
  TIDEMARK_CANCELLED = 1,
  TIDEMARK_UNKNOWN = 2,
  TIDEMARK_INVALID_ARGUMENT = 3,
  TIDEMARK_DEADLINE_EXCEEDED = 4,
  TIDEMARK_NOT_FOUND = 5,
  TIDEMARK_ALREADY_EXISTS = 6,
  TIDEMARK_PERMISSION_DENIED = 7,
  TIDEMARK_RESOURCE_EXHAUSTED = 8,
  TIDEMARK_FAILED_PRECONDITION = 9,
  TIDEMARK_ABORTED = 10,
  TIDEMARK_OUT_OF_RANGE = 11,
  TIDEMARK_UNIMPLEMENTED = 12,
  TIDEMARK_INTERNAL = 13,
  TIDEMARK_UNAVAILABLE = 14,
  TIDEMARK_DATA_LOSS = 15,
  TIDEMARK_UNAUTHENTICATED = 16
};

/* Types of columns and options. An UNDECLARED column takes the type of the values that arrive. */
enum {
  TIDEMARK_TYPE_UNDECLARED = 0,
  TIDEMARK_TYPE_BOOLEAN = 1,
  TIDEMARK_TYPE_SHORT = 2,           /* 16 bits */
  TIDEMARK_TYPE_INT = 3,             /* 32 bits */
  TIDEMARK_TYPE_LONG = 4,            /* 64 bits */
  TIDEMARK_TYPE_DECIMAL = 5,         /* exact; see precision and scale of tidemark_column */
  TIDEMARK_TYPE_FLOAT = 6,           /* 32 bits; travels as DOUBLE */
  TIDEMARK_TYPE_DOUBLE = 7,          /* 64 bits */
  TIDEMARK_TYPE_NAIVE_DATE = 8,      /* a day of the calendar */
  TIDEMARK_TYPE_NAIVE_TIME = 9,      /* a time of day */
  TIDEMARK_TYPE_NAIVE_DATETIME = 10, /* a day and time of day without a zone */
  TIDEMARK_TYPE_UTC_DATETIME = 11,   /* an instant */
  TIDEMARK_TYPE_BINARY = 12,
  TIDEMARK_TYPE_XML = 13,
  TIDEMARK_TYPE_STRING = 14,
  TIDEMARK_TYPE_JSON = 15
};

/* Kinds of tidemark_value, with the member of the union that holds it. */
enum {
  TIDEMARK_NULL = 0,            /* none */
  TIDEMARK_UNCHANGED = 1,       /* none; UPDATE: keep the stored value; before: old value unknown */
  TIDEMARK_BOOL = 2,            /* i64: 0 or 1 */
  TIDEMARK_INT64 = 3,           /* i64 */
  TIDEMARK_DOUBLE = 4,          /* f64 */
  TIDEMARK_DECIMAL = 5,         /* data: -?[0-9]+(\.[0-9]+)? or NaN, Infinity, -Infinity */
  TIDEMARK_STRING = 6,          /* data: UTF-8 without U+0000 */
  TIDEMARK_BYTES = 7,           /* data: any bytes */
  TIDEMARK_JSON = 8,            /* data: one JSON text in UTF-8; kept byte for byte */
  TIDEMARK_DATE = 9,            /* i64: days since 1970-01-01 */
  TIDEMARK_TIME = 10,           /* i64: microseconds since midnight, 0..86,400,000,000 */
  TIDEMARK_TIMESTAMP = 11,      /* i64: microseconds since 1970-01-01T00:00:00Z; INT64_MIN and
                                   INT64_MAX are minus and plus infinity */
  TIDEMARK_NAIVE_TIMESTAMP = 12 /* i64: as TIMESTAMP, of a clock on the wall */
};

/* Operations, one byte for each row of a batch. */
enum {
  TIDEMARK_UPSERT = 1,   /* a full row; a trailing column left out is NULL; UNCHANGED is refused */
  TIDEMARK_UPDATE = 2,   /* key and changed columns, the rest UNCHANGED (also trailing columns);
                            a changed key carries the old key in `before`; where no row has that
                            key, it is written as an UPSERT if nothing is UNCHANGED, else missing */
  TIDEMARK_DELETE = 3,   /* the key; other columns are ignored */
  TIDEMARK_TRUNCATE = 4, /* no values: every row written before it goes */
  TIDEMARK_SNAPSHOT = 5, /* a full row read while other changes were running: never overwrites or
                            resurrects something newer; UNCHANGED is refused */
  TIDEMARK_ON_ERROR_CONTINUE = 0x80 /* bit: a row that cannot be applied becomes a dead letter */
};

/* tidemark_column.flags */
enum {
  TIDEMARK_COLUMN_KEY = 1,      /* part of the primary key, in the order of the columns */
  TIDEMARK_COLUMN_CURSOR = 2,   /* grows with each change of its row */
  TIDEMARK_COLUMN_SENSITIVE = 4 /* never shown in logs, errors and previews */
};

/* tidemark_option.flags */
enum {
  TIDEMARK_OPTION_REQUIRED = 1,
  TIDEMARK_OPTION_SECRET = 2, /* never shown; may be given as a reference that the host resolves */
  /* Of a STRING that names a file, a folder, or files by * ? [..]; "file:" and "sqlite:" may stand
     before it. The host's sandbox opens what a connection names there, and no other file. */
  TIDEMARK_OPTION_READS_PATH = 4, /* the file, or the folder with everything below */
  TIDEMARK_OPTION_WRITES_PATH = 8 /* makes and changes files: of a file, in its whole folder */
};

/* tidemark_plugin.capabilities; the sandbox of the real run is built from these. */
enum {
  TIDEMARK_CAN_TABLE_STATE = 1, /* an entry of state for each table; update() may be asked for some
                                   tables only, by several instances side by side */
  TIDEMARK_CAN_REWIND = 2,      /* update() may be started from an earlier state */
  TIDEMARK_NEEDS_NETWORK = 4,   /* without it no connection is possible, with it only outgoing */
  TIDEMARK_NEEDS_FILES = 8,     /* without it TIDEMARK_OPTION_..._PATH opens nothing */
  TIDEMARK_SOURCE_TRANSACTIONS = 16 /* checkpoints stand at the ends of source transactions only */
};

/* tidemark_update_request.flags */
enum {
  TIDEMARK_REQUEST_DRY_RUN = 1,   /* what is emitted will be thrown away */
  TIDEMARK_REQUEST_CONTINUOUS = 2 /* go on waiting for changes until cancelled */
};

/* tidemark_selection.mode and tidemark_update_request.new_tables */
enum { TIDEMARK_SELECT_SKIP = 0, TIDEMARK_SELECT_INCREMENTAL = 1, TIDEMARK_SELECT_FULL = 2 };

/* tidemark_state.kind: how the version of this entry came to be. A plugin sends NORMAL. */
enum {
  TIDEMARK_STATE_NORMAL = 0,
  TIDEMARK_STATE_ROLLBACK = 1,
  TIDEMARK_STATE_REPAIR = 2,
  TIDEMARK_STATE_RESET = 3,
  TIDEMARK_STATE_MIGRATE = 4,
  TIDEMARK_STATE_IMPORT = 5,
  TIDEMARK_STATE_SNAPSHOT = 6
};

/* Levels of tidemark_host.log */
enum {
  TIDEMARK_LOG_DEBUG = 0,
  TIDEMARK_LOG_INFO = 1,
  TIDEMARK_LOG_WARNING = 2,
  TIDEMARK_LOG_ERROR = 3
};

/* Limits. A receiver refuses more and names the limit. */
enum {
  TIDEMARK_MAX_BATCH_ROWS = 65536,
  TIDEMARK_MAX_ROW_BYTES = 62914560,  /* 60 MiB, as encoded on the wire */
  TIDEMARK_MAX_NAME_BYTES = 255,      /* a schema, table or column */
  TIDEMARK_MAX_STATE_BYTES = 10485760 /* 10 MiB, the body of one entry; a warning above 1 MiB */
};

/* Where a table, column, row or time has to be named and there is none. */
#define TIDEMARK_NO_TABLE UINT32_MAX
#define TIDEMARK_NO_COLUMN UINT32_MAX
#define TIDEMARK_NO_ROW (-INT64_C(1))
#define TIDEMARK_NO_TIME INT64_MIN

/* ---- Frozen for the life of major 1 -------------------------------------------------------- */

/* A borrowed view; data may be NULL when size is 0. */
typedef struct {
  const char* data;
  uint64_t size;
} tidemark_bytes;

/* 16 bytes. `length` is the number of bytes at u.data and 0 for kinds without data. */
typedef struct {
  uint32_t type;
  uint32_t length;
  union {
    int64_t i64;
    double f64;
    const char* data;
  } u;
} tidemark_value;

/* The stamp of a row. event_time_us: when it happened at the source, TIDEMARK_NO_TIME if unknown.
 * (sequence, subsequence): its place in the source's order (log position and index, version); both
 * 0 if unknown. Rows that swap their keys have one sequence (or none): of changes with different
 * ones, the later moves the row that the earlier put there. */
typedef struct {
  int64_t event_time_us;
  uint64_t sequence;
  uint64_t subsequence;
} tidemark_row_meta;

/* ---- Growable ------------------------------------------------------------------------------ */

/* Filled by the callee when it does not return OK. The caller owns the struct and `message`
 * [capacity] and sets struct_size, capacity, length 0, the NO_ values and retry_after_us 0. The
 * callee writes at most `capacity` bytes and sets length; no terminator is needed. May be NULL:
 * then nothing is written. retry_after_us: 0 none. A message never holds a secret. */
typedef struct {
  uint32_t struct_size;
  uint32_t capacity;
  char* message;
  uint32_t length;
  uint32_t table;  /* index or TIDEMARK_NO_TABLE */
  int64_t row;     /* in the batch, or TIDEMARK_NO_ROW */
  uint32_t column; /* index or TIDEMARK_NO_COLUMN */
  uint32_t flags;
  int64_t retry_after_us;
} tidemark_error;

/* precision and scale: of DECIMAL, 0 and 0 when not declared. */
typedef struct {
  const char* name;
  uint32_t type;  /* TIDEMARK_TYPE_ */
  uint32_t flags; /* TIDEMARK_COLUMN_ */
  int32_t precision;
  int32_t scale;
} tidemark_column;

/* `schema` may be NULL or "" (no schema). Without a key column every row is its own. */
typedef struct {
  uint32_t struct_size;
  uint32_t column_size;
  uint32_t column_count;
  uint32_t flags;
  const char* schema;
  const char* name;
  const tidemark_column* columns;
} tidemark_table;

/* Its tables have the indices 0..table_count-1 in batches, selections and errors. */
typedef struct {
  uint32_t struct_size;
  uint32_t table_size;
  uint32_t table_count;
  uint32_t flags;
  const tidemark_table* tables;
} tidemark_schema;

/* One setting that a connector understands. Every pointer but `name` may be NULL.
 * type: BOOLEAN, LONG, DOUBLE, STRING, or JSON for lists and objects, checked against json_schema
 * ("x-secret": true marks a secret inside). default_value: as text. choices: NULL-terminated. */
typedef struct {
  const char* name;
  uint32_t type;
  uint32_t flags; /* TIDEMARK_OPTION_ */
  const char* default_value;
  const char* help;
  const char* label;
  const char* const* choices;
  const char* json_schema;
} tidemark_option;

/* value: BOOL, INT64, DOUBLE, STRING or JSON, by the type of the option. */
typedef struct {
  const char* name;
  tidemark_value value;
} tidemark_setting;

/* The settings of one instance, checked by the host against the declared options; defaults are
 * filled in, options without value and default are left out. Borrowed until create() returns. */
typedef struct {
  uint32_t struct_size;
  uint32_t setting_size;
  uint32_t setting_count;
  uint32_t flags;
  const tidemark_setting* settings;
} tidemark_config;

/* Changes of one table, in order. Borrowed until emit() returns. The values are those of the
 * table's first column_count columns; TRUNCATE and DELETE rows have values too (ignored ones).
 * `before`: old keys of updates that change the key, and full old rows of UPDATE and DELETE on a
 * table without a key; UNCHANGED = old value unknown. An update with `before` and every value needs
 * no row there to be applied: send all of them where rows are read beside their log, or read again.
 * On a table without a key, values left UNCHANGED are those of `before`. Columns that are not
 * selected are ignored. */
typedef struct {
  uint32_t struct_size;
  uint32_t table;
  uint32_t row_count;
  uint32_t column_count;
  const uint8_t* ops;            /* [row_count] TIDEMARK_UPSERT.., with or without the bit */
  const tidemark_value* values;  /* [row_count x column_count], row by row */
  const tidemark_row_meta* meta; /* [row_count] or NULL */
  uint32_t meta_size;            /* sizeof(tidemark_row_meta) or 0 */
  uint32_t before_count;
  const uint32_t* before_rows;  /* [before_count] ascending row numbers, or NULL */
  const tidemark_value* before; /* [before_count x column_count], or NULL */
} tidemark_batch;

/* One entry of state. schema and table empty: the connection-wide entry. body: opaque to the host.
 * cursor: the readable high-water mark, for reports. format: the author's format number of body.
 * watermark_us: every change up to this event time was emitted, or TIDEMARK_NO_TIME.
 * The host fills version (1, 2, .. of this entry; 0 from a plugin), kind and committed_at_us. */
typedef struct {
  tidemark_bytes schema;
  tidemark_bytes table;
  tidemark_bytes body;
  tidemark_bytes cursor;
  uint32_t format;
  uint32_t kind; /* TIDEMARK_STATE_ */
  uint64_t version;
  int64_t committed_at_us;
  int64_t watermark_us;
} tidemark_state;

/* Everything emitted since the last checkpoint for the tables it names (for all tables, when it
 * names the connection-wide entry) and its entries commit together. A connector uses either
 * connection-wide or per-table entries; both only inside one checkpoint. */
typedef struct {
  uint32_t struct_size;
  uint32_t state_size;
  uint32_t state_count;
  uint32_t flags;
  const tidemark_state* states;
} tidemark_checkpoint;

/* durable: every checkpoint id <= durable is committed (0: none yet); never decreases.
 * releasable: the newest entries that left the rollback horizon, possibly of an earlier sync. A
 * source may forget only what lies before a releasable body. Also delivered before update(). */
typedef struct {
  uint32_t struct_size;
  uint32_t state_size;
  uint64_t durable;
  uint32_t releasable_count;
  uint32_t flags;
  const tidemark_state* releasable;
} tidemark_acknowledgement;

/* A record that cannot become a row. record_json: as received; key_json and context_json (URL,
 * parameters): JSON or empty; reason: one sentence. */
typedef struct {
  uint32_t struct_size;
  uint32_t table;
  tidemark_code code;
  uint32_t flags;
  tidemark_bytes record_json;
  tidemark_bytes key_json;
  tidemark_bytes reason;
  tidemark_bytes context_json;
} tidemark_dead_letter;

/* rows_total: 0 unknown. phase: a word or NULL. */
typedef struct {
  uint32_t struct_size;
  uint32_t table; /* or TIDEMARK_NO_TABLE */
  uint64_t rows_done;
  uint64_t rows_total;
  uint64_t bytes_done;
  const char* phase;
} tidemark_progress;

/* columns: [column_count] 1 selected, 0 not; NULL: all. */
typedef struct {
  uint32_t mode; /* TIDEMARK_SELECT_ */
  uint32_t column_count;
  const uint8_t* columns;
} tidemark_selection;

/* Borrowed until update() returns. states: every committed entry (none: the first sync).
 * selections: [selection_count] by table index; none: every table, incremental.
 * connection, sync_id: names for logs. epoch: the fencing number of this run. attempt: 1, 2, ..
 * page_rows: the asked rows for each page and checkpoint, 0 as the connector likes.
 * [from_us, until_us): only changes of this time; TIDEMARK_NO_TIME and INT64_MAX: no bound. */
typedef struct {
  uint32_t struct_size;
  uint32_t state_size;
  uint32_t state_count;
  uint32_t selection_size;
  const tidemark_state* states;
  const tidemark_selection* selections;
  uint32_t selection_count;
  uint32_t new_tables; /* TIDEMARK_SELECT_ of tables defined during the run */
  tidemark_bytes connection;
  tidemark_bytes sync_id;
  uint64_t epoch;
  uint32_t attempt;
  uint32_t flags; /* TIDEMARK_REQUEST_ */
  uint32_t page_rows;
  uint32_t reserved;
  int64_t from_us;
  int64_t until_us;
} tidemark_update_request;

typedef struct tidemark_sink tidemark_sink;
typedef struct tidemark_host tidemark_host;
typedef struct tidemark_connector tidemark_connector; /* the plugin's own */

/* What update() emits into. Addressable until destroy(); outside update() it answers
 * FAILED_PRECONDITION. After a function returned CANCELLED the plugin returns from update() soon
 * (30 s, then a child process is killed). After another error nothing further is accepted. */
struct tidemark_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* ctx; /* the host's own */
  /* [update] Hands over a batch; blocks while the receiver is behind. */
  tidemark_code (*emit)(const tidemark_sink*, const tidemark_batch*, tidemark_error*);
  /* [update] Gives the checkpoint an id (1, 2, .. in this run). May block like emit; never waits
   * for a commit. */
  tidemark_code (*checkpoint)(const tidemark_sink*, const tidemark_checkpoint*, uint64_t* id,
                              tidemark_error*);
  /* [update] Defines a table or appends columns and widens types of one; idempotent by (schema,
   * name). The columns given are matched by name: a known one keeps its place, a new one is
   * appended in the order given; UNDECLARED keeps what is declared. Sets the index of the table;
   * indices are stable for the life of the instance. */
  tidemark_code (*define_table)(const tidemark_sink*, const tidemark_table*, uint32_t* table,
                                tidemark_error*);
  /* [update] */
  tidemark_code (*dead_letter)(const tidemark_sink*, const tidemark_dead_letter*, tidemark_error*);
  /* [update] One table finished (OK) or failed (any other code, with a reason); others go on. */
  tidemark_code (*table_done)(const tidemark_sink*, uint32_t table, tidemark_code,
                              tidemark_bytes reason, tidemark_error*);
  /* [update] A sentence for the report. table may be TIDEMARK_NO_TABLE. */
  tidemark_code (*warn)(const tidemark_sink*, uint32_t table, tidemark_bytes text, tidemark_error*);
  /* [update] Asks for a commit at the last checkpoint; does not wait for it. */
  tidemark_code (*flush)(const tidemark_sink*, tidemark_error*);
  /* [any-thread] The newest id such that every checkpoint up to it is committed; 0: none. */
  uint64_t (*durable)(const tidemark_sink*);
  /* [update] Blocks until durable() >= id, at most timeout_us (< 0: no limit): OK, CANCELLED or
   * DEADLINE_EXCEEDED. id 0: a cancellable sleep of timeout_us that returns OK. */
  tidemark_code (*wait)(const tidemark_sink*, uint64_t id, int64_t timeout_us, tidemark_error*);
};

/* What create() is given; lives until destroy() of the instance. */
struct tidemark_host {
  uint32_t struct_size;
  uint32_t abi_version; /* TIDEMARK_ABI_VERSION of the host */
  void* ctx;            /* the host's own */
  const char* version;  /* of the host program */
  /* [any-thread] level: TIDEMARK_LOG_. The text is copied. Never log a secret. */
  void (*log)(const tidemark_host*, int32_t level, tidemark_bytes text);
  /* [any-thread] Microseconds since 1970-01-01T00:00:00Z; tests may run it at their own pace. */
  int64_t (*now_us)(const tidemark_host*);
  /* [any-thread] Copied; may be dropped when the receiver is behind. */
  void (*progress)(const tidemark_host*, const tidemark_progress*);
  /* [any-thread] The host's table for an extension id ("tidemark.read/1"), or NULL. */
  const void* (*extension)(const tidemark_host*, const char* id);
};

/* The function table. Everything it points to is constant for the life of the library. Optional
 * slots may be NULL: check, acknowledged, interrupt, validate_state, extension, description. */
typedef struct {
  uint32_t struct_size;
  uint32_t abi_version;    /* TIDEMARK_ABI_VERSION of the header it was built with */
  const char* id;          /* "io.example.squares" or a plain word; [a-z0-9._-]+ */
  const char* version;     /* of the plugin */
  const char* description; /* one line */
  uint64_t capabilities;
  uint32_t state_format; /* the format number its checkpoints carry */
  uint32_t option_count;
  uint32_t option_size;
  uint32_t reserved;
  const tidemark_option* options;
  /* [instance] On OK sets *connector. Must be quick and do no I/O that can block. */
  tidemark_code (*create)(const tidemark_host*, const tidemark_config*,
                          tidemark_connector** connector, tidemark_error*);
  /* [instance] Called exactly once for each created instance, after update() returned. */
  void (*destroy)(tidemark_connector*);
  /* [instance] optional: does the configuration work (reaches the source, may read)? */
  tidemark_code (*check)(tidemark_connector*, tidemark_error*);
  /* [instance] On OK *schema is valid until the next schema() or destroy(). May have no table. */
  tidemark_code (*schema)(tidemark_connector*, const tidemark_schema** schema, tidemark_error*);
  /* [update] Reads the source from the request's states and emits into the sink. */
  tidemark_code (*update)(tidemark_connector*, const tidemark_update_request*, const tidemark_sink*,
                          tidemark_error*);
  /* [ack-thread] optional. The argument is borrowed until it returns. */
  void (*acknowledged)(tidemark_connector*, const tidemark_acknowledgement*);
  /* [any-thread] optional: wakes a blocked update(), which then returns CANCELLED. The instance is
   * destroyed next. */
  void (*interrupt)(tidemark_connector*);
  /* [instance] optional: can the source resume from these entries? OK or why not. */
  tidemark_code (*validate_state)(tidemark_connector*, const tidemark_state* states,
                                  uint32_t state_size, uint32_t state_count, tidemark_error*);
  /* [any-thread] optional: the plugin's table for an extension id, or NULL. */
  const void* (*extension)(const char* id);
} tidemark_plugin;

/* [any-thread] The type of the entry function. */
typedef const tidemark_plugin* (*tidemark_plugin_entry_fn)(void);

/* The entry function itself, defined by a plugin. */
TIDEMARK_EXPORT const tidemark_plugin* tidemark_plugin_entry_v1(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TIDEMARK_PLUGIN_ABI_H_ */
