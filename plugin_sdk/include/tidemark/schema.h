// The tables of a connector, as it declares them.
#ifndef TIDEMARK_SCHEMA_H_
#define TIDEMARK_SCHEMA_H_

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "tidemark/plugin_abi.h"

namespace tidemark {
inline namespace sdk_v1 {

// Types of columns and options; plugin_abi.h says what each holds.
enum Type : uint32_t {
  kUndeclared = TIDEMARK_TYPE_UNDECLARED,
  kBoolean = TIDEMARK_TYPE_BOOLEAN,
  kShort = TIDEMARK_TYPE_SHORT,
  kInt = TIDEMARK_TYPE_INT,
  kLong = TIDEMARK_TYPE_LONG,
  kDecimal = TIDEMARK_TYPE_DECIMAL,
  kFloat = TIDEMARK_TYPE_FLOAT,
  kDouble = TIDEMARK_TYPE_DOUBLE,
  kNaiveDate = TIDEMARK_TYPE_NAIVE_DATE,
  kNaiveTime = TIDEMARK_TYPE_NAIVE_TIME,
  kNaiveDatetime = TIDEMARK_TYPE_NAIVE_DATETIME,
  kUtcDatetime = TIDEMARK_TYPE_UTC_DATETIME,
  kBinary = TIDEMARK_TYPE_BINARY,
  kXml = TIDEMARK_TYPE_XML,
  kString = TIDEMARK_TYPE_STRING,
  kJson = TIDEMARK_TYPE_JSON,
};

// What else can be said of a column. precision and scale are of kDecimal (0, 0: not declared).
struct ColumnOptions {
  int32_t precision = 0;
  int32_t scale = 0;
  bool cursor = false;     // grows with each change of its row
  bool sensitive = false;  // never shown in logs, errors and previews
};

// A table and its columns, in the order of positional rows. Thread-compatible.
class Table {
 public:
  struct ColumnSpec {
    std::string name;
    uint32_t type = kUndeclared;
    uint32_t flags = 0;
    int32_t precision = 0;
    int32_t scale = 0;
  };

  explicit Table(std::string name, std::string schema = "")
      : name_(std::move(name)), schema_(std::move(schema)) {}

  // A column of the primary key. A table without one keeps every row as its own.
  Table& Key(std::string name, Type type, const ColumnOptions& options = {}) {
    return Add(std::move(name), type, TIDEMARK_COLUMN_KEY, options);
  }
  Table& Column(std::string name, Type type, const ColumnOptions& options = {}) {
    return Add(std::move(name), type, 0, options);
  }

  // Takes over the columns of `other`: a known one keeps its place and takes the declared type, a
  // new one is appended.
  void Merge(const Table& other) {
    for (const ColumnSpec& column : other.columns_) {
      const auto known = std::find_if(columns_.begin(), columns_.end(),
                                      [&](const ColumnSpec& c) { return c.name == column.name; });
      if (known == columns_.end()) {
        columns_.push_back(column);
      } else if (column.type != kUndeclared) {
        *known = column;
      }
    }
  }

  const std::string& name() const { return name_; }
  const std::string& schema() const { return schema_; }
  const std::vector<ColumnSpec>& columns() const { return columns_; }

 private:
  Table& Add(std::string name, Type type, uint32_t flags, const ColumnOptions& options) {
    if (options.cursor) flags |= TIDEMARK_COLUMN_CURSOR;
    if (options.sensitive) flags |= TIDEMARK_COLUMN_SENSITIVE;
    columns_.push_back({std::move(name), type, flags, options.precision, options.scale});
    return *this;
  }

  std::string name_;
  std::string schema_;
  std::vector<ColumnSpec> columns_;
};

// The tables that are known before reading; others may be defined on the way.
class Schema {
 public:
  Schema() = default;
  Schema(std::initializer_list<Table> tables) : tables_(tables) {}
  explicit Schema(std::vector<Table> tables) : tables_(std::move(tables)) {}

  void Add(Table table) { tables_.push_back(std::move(table)); }
  const std::vector<Table>& tables() const { return tables_; }

 private:
  std::vector<Table> tables_;
};

namespace internal {

// The C form of tables; borrows their names, so it must not outlive them.
class SchemaView {
 public:
  explicit SchemaView(const std::vector<Table>& tables) : columns_(tables.size()) {
    for (size_t i = 0; i < tables.size(); ++i) Add(tables[i], columns_[i]);
    schema_ = {sizeof(tidemark_schema), sizeof(tidemark_table),
               static_cast<uint32_t>(tables_.size()), 0, tables_.data()};
  }
  SchemaView(const SchemaView&) = delete;
  SchemaView& operator=(const SchemaView&) = delete;

  const tidemark_schema* get() const { return &schema_; }
  const tidemark_table& table(size_t i) const { return tables_[i]; }

 private:
  void Add(const Table& table, std::vector<tidemark_column>& columns) {
    for (const Table::ColumnSpec& c : table.columns()) {
      columns.push_back({c.name.c_str(), c.type, c.flags, c.precision, c.scale});
    }
    tables_.push_back({sizeof(tidemark_table), sizeof(tidemark_column),
                       static_cast<uint32_t>(columns.size()), 0, table.schema().c_str(),
                       table.name().c_str(), columns.data()});
  }

  std::vector<std::vector<tidemark_column>> columns_;
  std::vector<tidemark_table> tables_;
  tidemark_schema schema_ = {};
};

}  // namespace internal
}  // namespace sdk_v1
}  // namespace tidemark

#endif  // TIDEMARK_SCHEMA_H_
