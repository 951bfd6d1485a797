// One instance of a plugin: created with a configuration, destroyed with this object. The only
// file that calls into a plugin, and the one that contains what a plugin throws.
#ifndef TIDEMARK_PLUGIN_HOST_PLUGIN_INSTANCE_H_
#define TIDEMARK_PLUGIN_HOST_PLUGIN_INSTANCE_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/checkpoint.h"
#include "core/setting.h"
#include "plugin_host/host_callbacks.h"
#include "plugin_host/plugin_error.h"
#include "plugin_host/plugin_library.h"
#include "plugin_host/plugin_tables.h"
#include "tidemark/plugin_abi.h"

namespace tidemark {

// The threads are those of plugin_abi.h: one call of Check, Schema, ValidateState, Update and
// Read at a time; Acknowledged on one thread of its own; Interrupt and host() at any time.
class PluginInstance {
 public:
  static absl::StatusOr<std::unique_ptr<PluginInstance>> Create(
      std::shared_ptr<const PluginLibrary> library, const std::vector<Setting>& settings);
  ~PluginInstance();
  PluginInstance(const PluginInstance&) = delete;
  PluginInstance& operator=(const PluginInstance&) = delete;

  // The library offers tidemark.read/1.
  bool can_read() const { return library_->read() != nullptr; }

  // Errors of these three are the connector's own, led by the table and column they name.
  absl::Status Check();
  // Asks the plugin and takes its tables over.
  absl::Status Schema();
  absl::Status ValidateState(absl::Span<const StateEntry> states);

  struct Verdict {
    absl::Status status;
    ErrorPlace place;
  };
  // Runs update() on the calling thread.
  Verdict Update(const tidemark_update_request& request, const tidemark_sink& sink);
  // Runs read() on the calling thread. REQUIRES: the library offers tidemark.read/1.
  Verdict Read(const tidemark_read_request& request, const tidemark_sink& sink);
  void Acknowledged(const Acknowledgement& acknowledgement);
  void Interrupt();

  HostCallbacks& host() { return *host_; }
  bool has_schema() const { return tables_.has_value(); }
  // REQUIRES: Schema() was OK.
  PluginTables& tables() { return *tables_; }

 private:
  // Asks how each table can be read.
  absl::Status AskForModes(std::vector<TableSchema>* tables);
  explicit PluginInstance(std::shared_ptr<const PluginLibrary> library);
  absl::Status Located(const absl::Status& status, const ErrorPlace& place) const;

  const std::shared_ptr<const PluginLibrary> library_;
  const tidemark_plugin& plugin_;  // of library_
  const std::unique_ptr<HostCallbacks> host_;
  tidemark_connector* connector_ = nullptr;
  std::optional<PluginTables> tables_;
};

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_PLUGIN_INSTANCE_H_
