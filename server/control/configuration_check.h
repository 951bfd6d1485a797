// Checks a parsed connection file against the table of keys.
#ifndef TIDEMARK_CONTROL_CONFIGURATION_CHECK_H_
#define TIDEMARK_CONTROL_CONFIGURATION_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "control/config_node.h"
#include "control/configuration_keys.h"

namespace tidemark {

// One finding of a configuration file.
struct ConfigurationProblem {
  int line = 0;
  int column = 0;
  std::string path;        // the key, empty: the file
  std::string text;        // a sentence
  bool not_built = false;  // a selected feature that this version does not have
  size_t order = 0;        // findings of one place stay in the order they were found
};

// What a connection file holds, by dotted path. Elements of sync.source.tables are reached by the
// table's name. Nodes are borrowed from the checked tree.
struct CheckedConfiguration {
  struct Table {
    std::string pattern;
    std::map<std::string, const ConfigNode*> settings;  // by path below the table
    int line = 0;
  };
  std::map<std::string, const ConfigNode*> values;
  std::vector<Table> tables;  // in the order of the file
  std::vector<ConfigurationProblem> problems;

  // The node of a key that was given, or null.
  const ConfigNode* Find(const std::string& path) const;
  void Add(const ConfigNode& node, std::string path, std::string text, bool not_built = false);
};

// Unknown keys, wrong values, and features that are not built where the key itself selects them.
// `root` outlives the result.
CheckedConfiguration CheckConfiguration(const ConfigNode& root,
                                        KeyTable keys = ConfigurationKeys());

// OK, or every finding a line in the order of the file: "FILE:LINE:COLUMN: KEY: ...". IsUsage()
// holds; UNIMPLEMENTED where nothing else is wrong than what is not built.
absl::Status ProblemsStatus(const std::string& file, std::vector<ConfigurationProblem> problems);

// "4096", "256 MiB", "1.5 GB" -> bytes; false for anything else.
bool ParseByteSize(absl::string_view text, uint64_t* bytes);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_CONFIGURATION_CHECK_H_
