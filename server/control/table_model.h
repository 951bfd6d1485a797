// What a connector's changes add up to, in memory: the tables a destination would hold.
#ifndef TIDEMARK_CONTROL_TABLE_MODEL_H_
#define TIDEMARK_CONTROL_TABLE_MODEL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/change_batch.h"
#include "core/schema.h"

namespace tidemark {

// Confined to one thread.
class TableModel {
 public:
  // Defines a table or replaces its definition.
  void Define(size_t index, const TableSchema& table);
  // Forgets the table's rows.
  void Clear(size_t index);
  // False when the batch names a table or columns that are not defined.
  bool Apply(const ChangeBatch& batch);

  uint64_t rows() const;
  // Where `other` holds something else, in a sentence; empty: nowhere.
  std::string Difference(const TableModel& other) const;

 private:
  using Row = std::map<std::string, std::optional<std::string>>;  // by column name
  struct Table {
    TableSchema schema;
    std::map<std::string, Row> rows;  // by key text
  };

  static std::string KeyText(const Table& table, absl::Span<const Value> values);

  std::map<size_t, Table> tables_;
};

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_TABLE_MODEL_H_
