// One instance of a plugin in a test, driven through its C table.
#ifndef TIDEMARK_TESTING_PLUGIN_RUN_H_
#define TIDEMARK_TESTING_PLUGIN_RUN_H_

#include <dlfcn.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/read_abi.h"
#include "tidemark/testing/error_text.h"
#include "tidemark/testing/recording_sink.h"
#include "tidemark/testing/settings.h"

namespace tidemark_testing {

// Loads a plugin's file; it stays loaded.
inline absl::StatusOr<const tidemark_plugin*> LoadPlugin(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) return absl::NotFoundError(dlerror());
  void* symbol = dlsym(library, TIDEMARK_ENTRY_SYMBOL);
  if (symbol == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " has no symbol " TIDEMARK_ENTRY_SYMBOL));
  }
  const tidemark_plugin* plugin = reinterpret_cast<tidemark_plugin_entry_fn>(symbol)();
  if (plugin == nullptr) return absl::InternalError(absl::StrCat(path, ": the entry gave nothing"));
  return plugin;
}

// Creates an instance at Open() and destroys it at Close() or its own end. Thread-compatible.
class PluginRun {
 public:
  // The plugin must live on; settings are copied.
  PluginRun(const tidemark_plugin& plugin, Settings settings)
      : plugin_(plugin), settings_(std::move(settings)) {}
  ~PluginRun() { Close(); }
  PluginRun(const PluginRun&) = delete;
  PluginRun& operator=(const PluginRun&) = delete;

  RecordingSink& sink() { return sink_; }
  const RecordingSink& sink() const { return sink_; }
  tidemark_connector* connector() const { return connector_; }

  // create() and schema().
  absl::Status Open() {
    ErrorText error;
    absl::Status s = error.ToStatus(
        plugin_.create(sink_.host(), settings_.For(plugin_), &connector_, error.get()));
    if (!s.ok()) return s;
    if (connector_ == nullptr) return absl::InternalError("create() is OK without a connector");
    return Schema();
  }
  // schema(); the sink then knows the tables.
  absl::Status Schema() {
    ErrorText error;
    const tidemark_schema* schema = nullptr;
    absl::Status s = error.ToStatus(plugin_.schema(connector_, &schema, error.get()));
    return s.ok() ? sink_.SetSchema(schema) : s;
  }
  absl::Status Check() {
    ErrorText error;
    if (plugin_.check == nullptr) return absl::OkStatus();
    return error.ToStatus(plugin_.check(connector_, error.get()));
  }
  // update() from `states`, with acknowledgements before and after it.
  absl::Status Update(const std::vector<RecordedState>& states = {}) {
    const std::vector<tidemark_state> raw = Raw(states);
    tidemark_update_request request = {};
    request.struct_size = sizeof(request);
    request.state_size = sizeof(tidemark_state);
    request.state_count = static_cast<uint32_t>(raw.size());
    request.states = raw.data();
    request.selection_size = sizeof(tidemark_selection);
    request.new_tables = TIDEMARK_SELECT_INCREMENTAL;
    request.connection = {"test", 4};
    request.sync_id = {"sync-1", 6};
    request.epoch = 1;
    request.attempt = 1;
    request.from_us = TIDEMARK_NO_TIME;
    request.until_us = INT64_MAX;
    return Update(request);
  }
  absl::Status Update(const tidemark_update_request& request) {
    Acknowledge();
    sink_.BeginUpdate();
    ErrorText error;
    const tidemark_code code = plugin_.update(connector_, &request, sink_.sink(), error.get());
    sink_.EndUpdate();
    Acknowledge();
    return error.ToStatus(code);
  }
  // The plugin's tidemark.read/1, or null.
  const tidemark_read_v1* reading() const {
    if (!TIDEMARK_HAS(tidemark_plugin, &plugin_, extension) || plugin_.extension == nullptr) {
      return nullptr;
    }
    return static_cast<const tidemark_read_v1*>(plugin_.extension(TIDEMARK_READ_EXTENSION));
  }
  // How a table of the schema can be read: TIDEMARK_READ_ bits. REQUIRES: reading().
  absl::StatusOr<uint32_t> ReadModes(uint32_t table) {
    ErrorText error;
    uint32_t modes = 0;
    absl::Status s = error.ToStatus(reading()->modes(connector_, table, &modes, error.get()));
    if (!s.ok()) return s;
    return modes;
  }
  // read(); the rows are the changes that the sink has more afterwards. REQUIRES: reading().
  absl::Status Read(const tidemark_read_request& request) {
    sink_.BeginUpdate();
    ErrorText error;
    const tidemark_code code = reading()->read(connector_, &request, sink_.sink(), error.get());
    sink_.EndUpdate();
    return error.ToStatus(code);
  }
  // OK without a validate_state.
  absl::Status ValidateState(const std::vector<RecordedState>& states) {
    if (!TIDEMARK_HAS(tidemark_plugin, &plugin_, validate_state) ||
        plugin_.validate_state == nullptr) {
      return absl::OkStatus();
    }
    const std::vector<tidemark_state> raw = Raw(states);
    ErrorText error;
    return error.ToStatus(plugin_.validate_state(connector_, raw.data(), sizeof(tidemark_state),
                                                 static_cast<uint32_t>(raw.size()), error.get()));
  }
  void Close() {
    if (connector_ != nullptr) plugin_.destroy(std::exchange(connector_, nullptr));
  }

 private:
  static std::vector<tidemark_state> Raw(const std::vector<RecordedState>& states) {
    const auto bytes = [](const std::string& s) { return tidemark_bytes{s.data(), s.size()}; };
    std::vector<tidemark_state> raw;
    raw.reserve(states.size());
    for (const RecordedState& s : states) {
      raw.push_back({bytes(s.schema), bytes(s.table), bytes(s.body), bytes(s.cursor), s.format,
                     TIDEMARK_STATE_NORMAL, 1, 0, s.watermark_us});
    }
    return raw;
  }
  void Acknowledge() {
    if (!TIDEMARK_HAS(tidemark_plugin, &plugin_, acknowledged) || plugin_.acknowledged == nullptr) {
      return;
    }
    tidemark_acknowledgement a = {};
    a.struct_size = sizeof(a);
    a.state_size = sizeof(tidemark_state);
    a.durable = sink_.checkpoints().size();
    plugin_.acknowledged(connector_, &a);
  }

  const tidemark_plugin& plugin_;
  Settings settings_;
  RecordingSink sink_;
  tidemark_connector* connector_ = nullptr;
};

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTING_PLUGIN_RUN_H_
