// A loaded plugin: the shared library, its checked function table and its description.
#ifndef TIDEMARK_PLUGIN_HOST_PLUGIN_LIBRARY_H_
#define TIDEMARK_PLUGIN_HOST_PLUGIN_LIBRARY_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "core/schema.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/read_abi.h"

namespace tidemark {

// Immutable, hence thread-safe. The library is never unloaded: threads, thread-local destructors
// and strings of a plugin may outlive every instance.
class PluginLibrary {
 public:
  // NOT_FOUND when there is no file, else FAILED_PRECONDITION: not a library, not a plugin, built
  // for another ABI, a required function missing. Each names the path and what to do.
  static absl::StatusOr<std::shared_ptr<const PluginLibrary>> Open(const std::string& path);

  PluginLibrary(const PluginLibrary&) = delete;
  PluginLibrary& operator=(const PluginLibrary&) = delete;

  // This host's own copy of the function table: fields the plugin's table does not reach are zero;
  // check, acknowledged, interrupt, validate_state and extension are never null.
  const tidemark_plugin& table() const { return table_; }
  const ConnectorDescription& description() const { return description_; }
  // The extension tidemark.read/1, checked; null: the plugin does not offer it.
  const tidemark_read_v1* read() const { return read_; }
  const std::string& path() const { return path_; }

 private:
  PluginLibrary(std::string path, const tidemark_plugin& table, ConnectorDescription description,
                const tidemark_read_v1* read)
      : path_(std::move(path)), table_(table), description_(std::move(description)), read_(read) {}

  const std::string path_;
  const tidemark_plugin table_;
  const ConnectorDescription description_;
  const tidemark_read_v1* const read_;
};

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_PLUGIN_LIBRARY_H_
