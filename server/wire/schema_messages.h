// Descriptions and schemas, core <-> proto.
#ifndef TIDEMARK_WIRE_SCHEMA_MESSAGES_H_
#define TIDEMARK_WIRE_SCHEMA_MESSAGES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/schema.h"

namespace tidemark {
namespace v1 {
class DescribeResponse;
class SchemaResponse;
class Table;
}  // namespace v1

inline constexpr size_t kMaxNameBytes = 255;

// Checks what every table of a connector must satisfy: names of 1..255 bytes of UTF-8 without
// U+0000 (the schema may be empty), no column twice, known types, precision and scale in order.
// INVALID_ARGUMENT naming table and column.
absl::Status CheckTable(const TableSchema& table);

// Checked by CheckTable. Columns come out `declared` unless UNDECLARED.
absl::StatusOr<TableSchema> TableFromMessage(const v1::Table& message);
void TableToMessage(const TableSchema& table, v1::Table* message);

// INVALID_ARGUMENT also where two tables have the same schema and name.
absl::StatusOr<std::vector<TableSchema>> SchemaFromMessage(const v1::SchemaResponse& message);
void SchemaToMessage(absl::Span<const TableSchema> tables, v1::SchemaResponse* message);

// INVALID_ARGUMENT for an option without a name, given twice, or of an unknown type.
absl::StatusOr<ConnectorDescription> DescriptionFromMessage(const v1::DescribeResponse& message);
void DescriptionToMessage(const ConnectorDescription& description, v1::DescribeResponse* message);

}  // namespace tidemark

#endif  // TIDEMARK_WIRE_SCHEMA_MESSAGES_H_
