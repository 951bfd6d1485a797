// A plugin that does wrong on purpose: the option `mode` says what. Written on the bare C ABI,
// since the C++ layer does not allow most of it.
//
// It emits `after_rows` good rows of table "t" (id LONG key, name STRING) with one checkpoint (its
// state is the number of rows), and then misbehaves. With `once_file`, only while that file does
// not exist; it is created before the misbehaviour, so that a second attempt goes well and emits
// `after_rows` further rows.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/plugin_sdk/plugins/misbehaving_modes.h"
#include "tidemark/plugin_abi.h"

struct tidemark_connector {
  const tidemark_host* host = nullptr;
  const tidemark_sink* sink = nullptr;
  std::string mode = "none";
  std::string once_file;
  int64_t after_rows = 0;
  int64_t code = TIDEMARK_INTERNAL;
  int64_t retry_after_us = 0;
  int64_t amount = 0;
};

namespace {

const tidemark_column kColumns[] = {{"id", TIDEMARK_TYPE_LONG, TIDEMARK_COLUMN_KEY, 0, 0},
                                    {"name", TIDEMARK_TYPE_STRING, 0, 0, 0}};
const tidemark_table kTables[] = {
    {sizeof(tidemark_table), sizeof(tidemark_column), 2, 0, "", "t", kColumns}};
const tidemark_schema kSchema = {sizeof(tidemark_schema), sizeof(tidemark_table), 1, 0, kTables};

tidemark_code Fail(tidemark_error* error, tidemark_code code, const std::string& text) {
  if (error != nullptr) {
    error->length = std::min(static_cast<uint32_t>(text.size()), error->capacity);
    memcpy(error->message, text.data(), error->length);
  }
  return code;
}

// Whether to misbehave now. Leaves a mark, so that the next process behaves.
bool Armed(const tidemark_connector& c) {
  if (c.once_file.empty()) return true;
  if (access(c.once_file.c_str(), F_OK) == 0) return false;
  FILE* file = fopen(c.once_file.c_str(), "w");
  if (file != nullptr) fclose(file);
  return true;
}

[[noreturn]] void Hang() {
  while (true) std::this_thread::sleep_for(std::chrono::hours(1));
}

void SetText(const tidemark_setting& s, std::string* out) {
  out->assign(s.value.u.data, s.value.length);
}

tidemark_code Create(const tidemark_host* host, const tidemark_config* config,
                     tidemark_connector** out, tidemark_error* error) {
  auto* c = new tidemark_connector;
  c->host = host;
  const char* p = reinterpret_cast<const char*>(config->settings);
  for (uint32_t i = 0; i < config->setting_count; ++i, p += config->setting_size) {
    const auto& s = *reinterpret_cast<const tidemark_setting*>(p);
    if (strcmp(s.name, "mode") == 0) SetText(s, &c->mode);
    if (strcmp(s.name, "once_file") == 0) SetText(s, &c->once_file);
    if (strcmp(s.name, "after_rows") == 0) c->after_rows = s.value.u.i64;
    if (strcmp(s.name, "code") == 0) c->code = s.value.u.i64;
    if (strcmp(s.name, "retry_after_us") == 0) c->retry_after_us = s.value.u.i64;
    if (strcmp(s.name, "amount") == 0) c->amount = s.value.u.i64;
  }
  *out = c;
  if (c->mode == "create_fails") {
    delete c;
    *out = nullptr;
    return Fail(error, TIDEMARK_INVALID_ARGUMENT, "create fails as asked");
  }
  if (c->mode == "create_null") {
    delete c;
    *out = nullptr;
    return TIDEMARK_OK;
  }
  if (c->mode == "hang_create") Hang();
  if (c->mode == "abort_create") abort();
  return TIDEMARK_OK;
}

void Destroy(tidemark_connector* c) {
  if (c->mode == "hang_destroy") Hang();
  if (c->mode == "sink_after_update" && c->sink != nullptr) {
    const tidemark_code code = misbehaving::EmitRows(c->sink, 0, 1, nullptr);
    const std::string text = "emit after update answered " + std::to_string(code);
    c->host->log(c->host, TIDEMARK_LOG_WARNING, {text.data(), text.size()});
  }
  delete c;
}

tidemark_code Check(tidemark_connector* c, tidemark_error* error) {
  if (c->mode == "hang_check") Hang();
  if (c->mode == "check_fails") return Fail(error, TIDEMARK_UNAUTHENTICATED, "the token is wrong");
  return TIDEMARK_OK;
}

tidemark_code Schema(tidemark_connector* c, const tidemark_schema** schema, tidemark_error* error) {
  if (c->mode == "hang_schema") Hang();
  if (c->mode == "abort_schema") abort();
  if (c->mode == "schema_fails") return Fail(error, TIDEMARK_UNAVAILABLE, "no schema today");
  *schema = &kSchema;
  misbehaving::WrongSchema(c->mode, schema);
  return TIDEMARK_OK;
}

// Modes that end, stop or hurt the process.
tidemark_code Hurt(tidemark_connector* c, const tidemark_sink* sink, tidemark_error* error) {
  const std::string& mode = c->mode;
  if (mode == "abort") {
    fputs("misbehaving: about to abort\n", stderr);
    abort();
  }
  if (mode == "segfault") {
    signal(SIGSEGV, SIG_DFL);  // AddressSanitizer would make an exit status of it
    raise(SIGSEGV);
  }
  if (mode == "exit") _exit(static_cast<int>(c->amount));
  if (mode == "raw_exception") throw 7;
  if (mode == "hang") Hang();
  if (mode == "spin") {
    for (std::atomic<uint64_t> i = 0;;) ++i;
  }
  if (mode == "flood_stderr") {  // `amount` lines of 80 bytes, then success
    for (int64_t i = 0; i < c->amount; ++i) {
      fprintf(stderr, "%010lld %s\n", static_cast<long long>(i), std::string(68, '#').c_str());
    }
  }
  if (mode == "eat_memory") {  // `amount` MiB, held for ever
    std::vector<std::vector<char>> held;
    held.reserve(static_cast<size_t>(c->amount));
    for (int64_t i = 0; i < c->amount; ++i) held.emplace_back(1 << 20, 'x');
    Hang();
  }
  if (mode == "ignore_cancel") {  // emits on and on, whatever it is told
    for (int64_t n = c->after_rows;; ++n) misbehaving::EmitRows(sink, n, 1, error);
  }
  if (mode == "leave_child") {  // a process that outlives this one
    if (fork() == 0) Hang();
  }
  if (mode == "other_thread") {
    tidemark_code code = TIDEMARK_OK;
    std::thread([&] { code = misbehaving::EmitRows(sink, c->after_rows, 1, error); }).join();
    return code;
  }
  if (mode == "fail") {
    if (error != nullptr) error->retry_after_us = c->retry_after_us;
    return Fail(error, static_cast<tidemark_code>(c->code), "failed as asked");
  }
  if (mode == "error_overflow") {  // claims more text than there is room for
    if (error != nullptr) error->length = error->capacity + 1000;
    return TIDEMARK_INTERNAL;
  }
  if (mode == "error_bad_utf8") return Fail(error, TIDEMARK_INTERNAL, "bad \xff\xfe text");
  if (mode == "no_checkpoint") return misbehaving::EmitRows(sink, c->after_rows, 5, error);
  return misbehaving::Nonsense({mode, sink, c->after_rows}, error);
}

tidemark_code Update(tidemark_connector* c, const tidemark_update_request* request,
                     const tidemark_sink* sink, tidemark_error* error) {
  c->sink = sink;
  int64_t start = 0;
  if (request->state_count > 0) {
    const tidemark_bytes body = request->states->body;
    start = atoll(std::string(body.data, body.size).c_str());
  }
  const int64_t end = start + c->after_rows;
  if (tidemark_code code = misbehaving::EmitRows(sink, start, c->after_rows, error); code != 0) {
    return code;
  }
  if (c->after_rows > 0) {
    if (tidemark_code code = misbehaving::Checkpoint(sink, end, error); code != 0) return code;
  }
  if (c->mode == "none" || !Armed(*c)) return TIDEMARK_OK;
  return Hurt(c, sink, error);
}

const tidemark_option kOptions[] = {
    {"mode", TIDEMARK_TYPE_STRING, 0, "none", "what to do wrong", nullptr, nullptr, nullptr},
    {"once_file", TIDEMARK_TYPE_STRING, TIDEMARK_OPTION_WRITES_PATH, nullptr,
     "misbehave only while it does not exist", nullptr, nullptr, nullptr},
    {"after_rows", TIDEMARK_TYPE_LONG, 0, "10", "good rows before", nullptr, nullptr, nullptr},
    {"code", TIDEMARK_TYPE_LONG, 0, "13", "of mode fail", nullptr, nullptr, nullptr},
    {"retry_after_us", TIDEMARK_TYPE_LONG, 0, "0", "of mode fail", nullptr, nullptr, nullptr},
    {"amount", TIDEMARK_TYPE_LONG, 0, "0", "exit status, lines or MiB", nullptr, nullptr, nullptr},
};

tidemark_plugin MakePlugin() {
  tidemark_plugin p = {};
  p.struct_size = sizeof(p);
  p.abi_version = TIDEMARK_ABI_VERSION;
  p.id = "misbehaving";
  p.version = "1.0.0";
  p.description = "Does wrong on purpose";
  p.capabilities = TIDEMARK_CAN_REWIND | TIDEMARK_NEEDS_FILES;
  p.state_format = 1;
  p.option_count = sizeof(kOptions) / sizeof(kOptions[0]);
  p.option_size = sizeof(kOptions[0]);
  p.options = kOptions;
  p.create = Create;
  p.destroy = Destroy;
  p.check = Check;
  p.schema = Schema;
  p.update = Update;
  return p;
}

}  // namespace

const tidemark_plugin* tidemark_plugin_entry_v1(void) {
  static const tidemark_plugin plugin = MakePlugin();
  return &plugin;
}
