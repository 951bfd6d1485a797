// The tables of one instance by number: those of schema(), then those defined during the run.
#ifndef TIDEMARK_PLUGIN_HOST_PLUGIN_TABLES_H_
#define TIDEMARK_PLUGIN_HOST_PLUGIN_TABLES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/schema.h"

namespace tidemark {

// Thread-compatible.
class PluginTables {
 public:
  PluginTables() = default;
  // REQUIRES: no two tables of the same schema and name.
  explicit PluginTables(std::vector<TableSchema> tables);

  struct Defined {
    uint32_t index = 0;
    bool changed = false;  // a new table, new columns, or wider types
  };
  // Idempotent by (schema, name). Columns are matched by name: a known one keeps its place and
  // takes the wider type, a new one is appended; an UNDECLARED type keeps what is known.
  // FAILED_PRECONDITION where the key of a known table would change.
  absl::StatusOr<Defined> Define(const TableSchema& given);

  uint32_t size() const { return static_cast<uint32_t>(tables_.size()); }
  // Numbers of the tables that were defined, or that grew, after schema().
  std::vector<uint32_t> GrownSinceSchema() const;

  // REQUIRES: index < size().
  const TableSchema& at(uint32_t index) const { return tables_[index]; }

 private:
  std::vector<TableSchema> tables_;
  std::vector<bool> grown_;  // by table
  std::map<std::pair<std::string, std::string>, uint32_t> by_name_;
};

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_PLUGIN_TABLES_H_
