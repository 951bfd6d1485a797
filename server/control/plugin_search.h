// Where plugins are found (product.md section 3 of the design): --plugin-path,
// TIDEMARK_PLUGIN_PATH, <bin>/../plugins, the user's and the system's plugin folders, in this
// order.
#ifndef TIDEMARK_CONTROL_PLUGIN_SEARCH_H_
#define TIDEMARK_CONTROL_PLUGIN_SEARCH_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/schema.h"

namespace tidemark {

struct PluginSearch {
  std::vector<std::string> folders;
  std::string host_binary;  // tidemark-plugin-host, beside the running binary

  // `plugin_path`: the option's folders, separated by ":". Reads the environment and
  // /proc/self/exe.
  static PluginSearch FromEnvironment(const std::string& plugin_path);
};

// Every *.so of the folders, first one of a name only, sorted by name.
std::vector<std::string> ListPluginFiles(const PluginSearch& search);

// Tells the id of the plugin in a file (by describing it), or an error.
using PluginDescriber =
    std::function<absl::StatusOr<ConnectorDescription>(const std::string& path)>;

// The file of the plugin `id`: FOLDER/id.so, else the first file whose plugin says it is `id`.
// NOT_FOUND names the nearest known id and where was searched.
absl::StatusOr<std::string> FindPlugin(const PluginSearch& search, const std::string& id,
                                       const PluginDescriber& describe);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_PLUGIN_SEARCH_H_
