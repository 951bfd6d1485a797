// What a connector says about its tables, in source terms.
#ifndef TIDEMARK_CORE_SCHEMA_H_
#define TIDEMARK_CORE_SCHEMA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/type.h"

namespace tidemark {

struct Column {
  std::string name;  // as the source spells it, UTF-8, 1..255 bytes
  ColumnType type;
  bool key = false;        // part of the primary key
  bool cursor = false;     // TIDEMARK_COLUMN_CURSOR: the stale guard may compare it
  bool sensitive = false;  // values never appear in logs, dead letters show "***"

  friend bool operator==(const Column&, const Column&) = default;
};

// The numbers are those of read_abi.h and connector.proto and never change.
enum ReadMode : uint32_t {
  kReadKeys = 1,    // the rows of given keys
  kReadRanges = 2,  // the rows of [lower, upper) in key order (pipeline/key_order.h)
  kReadWhole = 4,   // every row, in any order
};

// Indices of columns are stable: a later definition only appends columns or widens types.
struct TableSchema {
  std::string schema;  // may be empty
  std::string name;
  std::vector<Column> columns;
  uint32_t reads = 0;  // bits of ReadMode: how rows are read beside Update

  friend bool operator==(const TableSchema&, const TableSchema&) = default;
};

// "schema.name", or "name" where the schema is empty: how logs, reports and state entries call it.
std::string QualifiedName(const TableSchema& table);

// What a connector says of itself before any configuration (Describe).
struct ConnectorDescription {
  std::string id;
  std::string version;
  std::string description;
  uint64_t capabilities = 0;  // bits of Capability
  uint32_t state_format = 0;
  struct Option {
    std::string name;
    DataType type = DataType::kString;
    bool required = false;
    bool secret = false;
    bool reads_path = false;    // names files that the connector reads
    bool writes_path = false;   // names a file or folder that the connector writes
    std::string default_value;  // empty: none
    std::string help;
    std::string label;
    std::vector<std::string> choices;  // empty: any value
    std::string json_schema;           // for JSON options; empty: any document
  };
  std::vector<Option> options;
  std::vector<std::string> extensions;  // "tidemark.read/1"
};

inline constexpr char kReadExtension[] = "tidemark.read/1";

enum Capability : uint64_t {
  kCanTableState = 1,
  kCanRewind = 2,
  kNeedsNetwork = 4,
  kNeedsFiles = 8,
  kSourceTransactions = 16,
};

}  // namespace tidemark

#endif  // TIDEMARK_CORE_SCHEMA_H_
