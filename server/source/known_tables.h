// The tables of one stream as the connector numbered them.
#ifndef TIDEMARK_SOURCE_KNOWN_TABLES_H_
#define TIDEMARK_SOURCE_KNOWN_TABLES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/schema.h"

namespace tidemark {

// Thread-compatible.
class KnownTables {
 public:
  // Forgets what it knew. REQUIRES: no two tables with the same schema and name.
  void Reset(std::vector<TableSchema> tables);

  uint32_t size() const { return static_cast<uint32_t>(tables_.size()); }
  bool Knows(uint32_t table) const { return table < tables_.size(); }
  // REQUIRES: Knows(table).
  const TableSchema& at(uint32_t table) const { return tables_[table]; }
  // For error texts: the qualified name, or "table number 7" for one not known.
  std::string Name(uint32_t table) const;

  std::optional<uint32_t> Find(absl::string_view schema, absl::string_view name) const;
  // REQUIRES: Knows(table).
  std::optional<uint32_t> FindColumn(uint32_t table, absl::string_view column) const;

  // A new table with the next free number, or a known one that keeps its name, and of its columns
  // place, name and key. DATA_LOSS says what does not fit.
  absl::Status Define(uint32_t table, TableSchema definition);

 private:
  static std::string Key(absl::string_view schema, absl::string_view name);

  std::vector<TableSchema> tables_;
  absl::flat_hash_map<std::string, uint32_t> by_name_;
  // By table; filled when a table is first asked for columns by name.
  mutable std::vector<absl::flat_hash_map<std::string, uint32_t>> columns_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_KNOWN_TABLES_H_
