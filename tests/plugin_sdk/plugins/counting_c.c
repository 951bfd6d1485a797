/* A well-behaved plugin in plain C: emits n and n * n for n in [0, rows). The state is the next n
 * as decimal text. Shows that the C ABI alone suffices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FROZEN_ABI: built against the header as it was released, to prove that such a plugin runs. */
#ifdef FROZEN_ABI
#include "tests/plugin_sdk/frozen/plugin_abi_1_0.h"
#else
#include "tidemark/plugin_abi.h"
#endif

enum { kBatchRows = 100 };

struct tidemark_connector {
  const tidemark_host* host;
  int64_t rows;
  int64_t checkpoint_interval;
  uint64_t durable;
};

static const char* const kUnits[] = {"one", "dozen", NULL};

static const tidemark_option kOptions[] = {
    {"rows", TIDEMARK_TYPE_LONG, 0, "1000", "how many numbers", "Rows", NULL, NULL},
    {"checkpoint_interval", TIDEMARK_TYPE_LONG, 0, "100", "rows between checkpoints", NULL, NULL,
     NULL},
    {"unit", TIDEMARK_TYPE_STRING, 0, "one", "unused", NULL, kUnits, NULL},
    {"password", TIDEMARK_TYPE_STRING, TIDEMARK_OPTION_SECRET, NULL, "unused", NULL, NULL, NULL},
};

static const tidemark_column kColumns[] = {
    {"n", TIDEMARK_TYPE_LONG, TIDEMARK_COLUMN_KEY, 0, 0},
    {"square", TIDEMARK_TYPE_LONG, 0, 0, 0},
};
static const tidemark_table kTable = {
    sizeof(tidemark_table), sizeof(tidemark_column), 2, 0, NULL, "numbers", kColumns};
static const tidemark_schema kSchema = {sizeof(tidemark_schema), sizeof(tidemark_table), 1, 0,
                                        &kTable};

static tidemark_code Fail(tidemark_error* error, tidemark_code code, const char* text) {
  if (error != NULL) {
    const size_t size = strlen(text);
    error->length = size < error->capacity ? (uint32_t)size : error->capacity;
    memcpy(error->message, text, error->length);
  }
  return code;
}

static tidemark_code Create(const tidemark_host* host, const tidemark_config* config,
                            tidemark_connector** out, tidemark_error* error) {
  tidemark_connector* c = calloc(1, sizeof(*c));
  if (c == NULL) return Fail(error, TIDEMARK_RESOURCE_EXHAUSTED, "no memory");
  c->host = host;
  c->checkpoint_interval = 100;
  const char* p = (const char*)config->settings;
  for (uint32_t i = 0; i < config->setting_count; ++i, p += config->setting_size) {
    const tidemark_setting* s = (const void*)p;
    if (strcmp(s->name, "rows") == 0) c->rows = s->value.u.i64;
    if (strcmp(s->name, "checkpoint_interval") == 0) c->checkpoint_interval = s->value.u.i64;
  }
  if (c->rows < 0 || c->checkpoint_interval < 1) {
    free(c);
    return Fail(error, TIDEMARK_INVALID_ARGUMENT, "rows and checkpoint_interval are positive");
  }
  *out = c;
  return TIDEMARK_OK;
}

static void Destroy(tidemark_connector* c) { free(c); }

static tidemark_code Check(tidemark_connector* c, tidemark_error* error) {
  return c->rows == 13 ? Fail(error, TIDEMARK_FAILED_PRECONDITION, "13 rows bring bad luck")
                       : TIDEMARK_OK;
}

static tidemark_code Schema(tidemark_connector* c, const tidemark_schema** schema,
                            tidemark_error* error) {
  (void)c;
  (void)error;
  *schema = &kSchema;
  return TIDEMARK_OK;
}

/* The next n of a state body, or -1. */
static int64_t ParseState(tidemark_bytes body) {
  int64_t n = 0;
  if (body.size == 0 || body.size > 18) return -1;
  for (uint64_t i = 0; i < body.size; ++i) {
    if (body.data[i] < '0' || body.data[i] > '9') return -1;
    n = n * 10 + (body.data[i] - '0');
  }
  return n;
}

static tidemark_code ValidateState(tidemark_connector* c, const tidemark_state* states,
                                   uint32_t state_size, uint32_t state_count,
                                   tidemark_error* error) {
  (void)c;
  (void)state_size;
  if (state_count == 1 && ParseState(states->body) >= 0) return TIDEMARK_OK;
  return Fail(error, TIDEMARK_DATA_LOSS, "the state is not a number");
}

static tidemark_code Emit(const tidemark_sink* sink, int64_t first, uint32_t count,
                          tidemark_error* error) {
  uint8_t ops[kBatchRows];
  tidemark_value values[kBatchRows][2];
  for (uint32_t i = 0; i < count; ++i) {
    const int64_t n = first + i;
    ops[i] = TIDEMARK_UPSERT;
    values[i][0] = (tidemark_value){TIDEMARK_INT64, 0, {.i64 = n}};
    values[i][1] = (tidemark_value){TIDEMARK_INT64, 0, {.i64 = n * n}};
  }
  const tidemark_batch batch = {sizeof(batch), 0, count, 2,    ops, &values[0][0],
                                NULL,          0, 0,     NULL, NULL};
  return sink->emit(sink, &batch, error);
}

static tidemark_code Checkpoint(const tidemark_sink* sink, int64_t n, tidemark_error* error) {
  char text[32];
  const int size = snprintf(text, sizeof(text), "%lld", (long long)n);
  tidemark_state state;
  memset(&state, 0, sizeof(state));
  state.body.data = state.cursor.data = text;
  state.body.size = state.cursor.size = (uint64_t)size;
  state.format = 1;
  state.watermark_us = TIDEMARK_NO_TIME;
  const tidemark_checkpoint checkpoint = {sizeof(checkpoint), sizeof(state), 1, 0, &state};
  uint64_t id = 0;
  return sink->checkpoint(sink, &checkpoint, &id, error);
}

static tidemark_code Update(tidemark_connector* c, const tidemark_update_request* request,
                            const tidemark_sink* sink, tidemark_error* error) {
  int64_t n = 0;
  if (request->state_count > 0) n = ParseState(request->states->body);
  if (n < 0) return Fail(error, TIDEMARK_DATA_LOSS, "the state is not a number");
  while (n < c->rows) {
    int64_t count = c->rows - n;
    const int64_t to_checkpoint = c->checkpoint_interval - n % c->checkpoint_interval;
    if (count > to_checkpoint) count = to_checkpoint;
    if (count > kBatchRows) count = kBatchRows;
    tidemark_code code = Emit(sink, n, (uint32_t)count, error);
    if (code != TIDEMARK_OK) return code;
    n += count;
    if (n % c->checkpoint_interval == 0 || n == c->rows) {
      code = Checkpoint(sink, n, error);
      if (code != TIDEMARK_OK) return code;
    }
  }
  return TIDEMARK_OK;
}

static void Acknowledged(tidemark_connector* c, const tidemark_acknowledgement* a) {
  c->durable = a->durable;
}

static const tidemark_plugin kPlugin = {
    .struct_size = sizeof(tidemark_plugin),
    .abi_version = TIDEMARK_ABI_VERSION,
    .id = "counting_c",
    .version = "1.0.0",
    .description = "Numbers and their squares, in plain C",
    .capabilities = TIDEMARK_CAN_REWIND,
    .state_format = 1,
    .option_count = sizeof(kOptions) / sizeof(kOptions[0]),
    .option_size = sizeof(kOptions[0]),
    .options = kOptions,
    .create = Create,
    .destroy = Destroy,
    .check = Check,
    .schema = Schema,
    .update = Update,
    .acknowledged = Acknowledged,
    .validate_state = ValidateState,
};

const tidemark_plugin* tidemark_plugin_entry_v1(void) { return &kPlugin; }
