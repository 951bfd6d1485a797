/* Plugins whose entry is wrong, one for each value of BROKEN. */
#include "tidemark/plugin_abi.h"

static tidemark_code Create(const tidemark_host* host, const tidemark_config* config,
                            tidemark_connector** out, tidemark_error* error) {
  static char self;
  (void)host;
  (void)config;
  (void)error;
  *out = (tidemark_connector*)&self;
  return TIDEMARK_OK;
}
static void Destroy(tidemark_connector* c) { (void)c; }
static tidemark_code Schema(tidemark_connector* c, const tidemark_schema** schema,
                            tidemark_error* error) {
  static const tidemark_schema empty = {sizeof(empty), sizeof(tidemark_table), 0, 0, NULL};
  (void)c;
  (void)error;
  *schema = &empty;
  return TIDEMARK_OK;
}
static tidemark_code Update(tidemark_connector* c, const tidemark_update_request* request,
                            const tidemark_sink* sink, tidemark_error* error) {
  (void)c;
  (void)request;
  (void)sink;
  (void)error;
  return TIDEMARK_OK;
}

enum {
  NULL_TABLE = 1,
  SMALL_TABLE,
  MISSING_UPDATE,
  ABI_2_TABLE,
  ABI_2_SYMBOL,
  NEWER_MINOR,
  BAD_ID,
  BAD_OPTION
};

/* A table as a newer minor version of the ABI would have it. */
static const struct {
  tidemark_plugin known;
  void* appended;
} kTable = {{
                .struct_size = BROKEN == SMALL_TABLE   ? 16
                               : BROKEN == NEWER_MINOR ? sizeof(kTable)
                                                       : sizeof(tidemark_plugin),
                .abi_version = BROKEN == ABI_2_TABLE || BROKEN == ABI_2_SYMBOL ? 2u << 16
                               : BROKEN == NEWER_MINOR ? TIDEMARK_ABI_VERSION + 1
                                                       : TIDEMARK_ABI_VERSION,
                .id = BROKEN == BAD_ID ? "../\xff" : "broken_entry",
                .version = "1.0.0",
                .option_count = BROKEN == BAD_OPTION ? 1 : 0,
                .option_size = BROKEN == BAD_OPTION ? 3 : sizeof(tidemark_option),
                .options = (const void*)&kTable,
                .create = Create,
                .destroy = Destroy,
                .schema = Schema,
                .update = BROKEN == MISSING_UPDATE ? NULL : Update,
            },
            NULL};

#if BROKEN == 5
TIDEMARK_EXPORT const tidemark_plugin* tidemark_plugin_entry_v2(void);
const tidemark_plugin* tidemark_plugin_entry_v2(void) { return &kTable.known; }
#else
const tidemark_plugin* tidemark_plugin_entry_v1(void) {
  return BROKEN == NULL_TABLE ? NULL : &kTable.known;
}
#endif
