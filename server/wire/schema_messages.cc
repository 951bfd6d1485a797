#include "wire/schema_messages.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "tidemark/v1/connector.pb.h"

namespace tidemark {
namespace {

constexpr int kMaxDataType = static_cast<int>(DataType::kJson);

absl::Status CheckName(absl::string_view what, absl::string_view name) {
  if (!IsUtf8(name)) return absl::InvalidArgumentError(absl::StrCat(what, " is not UTF-8"));
  if (HasNul(name)) return absl::InvalidArgumentError(absl::StrCat(what, " holds U+0000"));
  if (name.size() > kMaxNameBytes) {
    return absl::InvalidArgumentError(absl::StrCat(what, " \"", CutUtf8(name, 40), "...\" has ",
                                                   name.size(), " bytes, at most ", kMaxNameBytes));
  }
  return absl::OkStatus();
}

absl::Status CheckColumn(const TableSchema& table, size_t index, const Column& column) {
  const std::string where = absl::StrCat("table ", QualifiedName(table), ", column ", index);
  if (column.name.empty()) return absl::InvalidArgumentError(absl::StrCat(where, " has no name"));
  if (absl::Status named = CheckName(absl::StrCat(where, ": the name"), column.name); !named.ok()) {
    return named;
  }
  if (static_cast<int>(column.type.type) > kMaxDataType) {
    return absl::InvalidArgumentError(absl::StrCat(where, " (", column.name, ") has unknown type ",
                                                   static_cast<int>(column.type.type)));
  }
  if (column.type.precision < 0 || column.type.scale < 0 ||
      (column.type.precision > 0 && column.type.scale > column.type.precision)) {
    return absl::InvalidArgumentError(absl::StrCat(where, " (", column.name, ") has precision ",
                                                   column.type.precision, " and scale ",
                                                   column.type.scale));
  }
  return absl::OkStatus();
}

absl::Status CheckType(int type, absl::string_view where) {
  if (type >= 0 && type <= kMaxDataType) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(where, " has unknown type ", type));
}

ConnectorDescription::Option OptionFromMessage(const v1::Option& from) {
  ConnectorDescription::Option option;
  option.name = from.name();
  option.type = static_cast<DataType>(from.type());
  option.required = from.required();
  option.secret = from.secret();
  option.reads_path = from.reads_path();
  option.writes_path = from.writes_path();
  option.default_value = from.default_value();
  option.help = from.help();
  option.label = from.label();
  option.choices.assign(from.choices().begin(), from.choices().end());
  option.json_schema = from.json_schema();
  return option;
}

}  // namespace

absl::Status CheckTable(const TableSchema& table) {
  if (absl::Status named = CheckName("a schema's name", table.schema); !named.ok()) return named;
  if (absl::Status named = CheckName("a table's name", table.name); !named.ok()) return named;
  if (table.name.empty()) return absl::InvalidArgumentError("a table has no name");
  std::set<absl::string_view> seen;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const Column& column = table.columns[i];
    if (absl::Status checked = CheckColumn(table, i, column); !checked.ok()) return checked;
    if (!seen.insert(column.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("table ", QualifiedName(table), " has the column ", column.name, " twice"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<TableSchema> TableFromMessage(const v1::Table& message) {
  TableSchema table;
  table.schema = message.schema();
  table.name = message.name();
  table.columns.reserve(static_cast<size_t>(message.columns_size()));
  for (const v1::Column& from : message.columns()) {
    if (absl::Status known = CheckType(
            from.type(), absl::StrCat("table ", QualifiedName(table), ", column ", from.name()));
        !known.ok()) {
      return known;
    }
    Column& column = table.columns.emplace_back();
    column.name = from.name();
    column.type.type = static_cast<DataType>(from.type());
    column.type.declared = column.type.type != DataType::kUndeclared;
    column.type.precision = from.precision();
    column.type.scale = from.scale();
    column.key = from.key();
    column.cursor = from.cursor();
    column.sensitive = from.sensitive();
  }
  table.reads = message.reads() & (kReadKeys | kReadRanges | kReadWhole);
  if (absl::Status checked = CheckTable(table); !checked.ok()) return checked;
  return table;
}

void TableToMessage(const TableSchema& table, v1::Table* message) {
  message->Clear();
  message->set_schema(table.schema);
  message->set_name(table.name);
  for (const Column& column : table.columns) {
    v1::Column* to = message->add_columns();
    to->set_name(column.name);
    to->set_type(static_cast<v1::DataType>(column.type.type));
    to->set_precision(column.type.precision);
    to->set_scale(column.type.scale);
    to->set_key(column.key);
    to->set_cursor(column.cursor);
    to->set_sensitive(column.sensitive);
  }
  message->set_reads(table.reads);
}

absl::StatusOr<std::vector<TableSchema>> SchemaFromMessage(const v1::SchemaResponse& message) {
  std::vector<TableSchema> tables;
  std::set<std::pair<std::string, std::string>> seen;
  tables.reserve(static_cast<size_t>(message.tables_size()));
  for (const v1::Table& from : message.tables()) {
    absl::StatusOr<TableSchema> table = TableFromMessage(from);
    if (!table.ok()) return table.status();
    if (!seen.emplace(table->schema, table->name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the schema has the table ", QualifiedName(*table), " twice"));
    }
    tables.push_back(*std::move(table));
  }
  return tables;
}

void SchemaToMessage(absl::Span<const TableSchema> tables, v1::SchemaResponse* message) {
  message->clear_tables();
  for (const TableSchema& table : tables) TableToMessage(table, message->add_tables());
}

absl::StatusOr<ConnectorDescription> DescriptionFromMessage(const v1::DescribeResponse& message) {
  ConnectorDescription description;
  description.id = message.id();
  description.version = message.version();
  description.description = message.description();
  description.capabilities = message.capabilities();
  description.state_format = message.state_format();
  std::set<absl::string_view> seen;
  for (const v1::Option& from : message.options()) {
    if (from.name().empty()) return absl::InvalidArgumentError("an option has no name");
    if (!seen.insert(from.name()).second) {
      return absl::InvalidArgumentError(absl::StrCat("option ", from.name(), " is given twice"));
    }
    if (absl::Status known = CheckType(from.type(), absl::StrCat("option ", from.name()));
        !known.ok()) {
      return known;
    }
    description.options.push_back(OptionFromMessage(from));
  }
  description.extensions.assign(message.extensions().begin(), message.extensions().end());
  return description;
}

void DescriptionToMessage(const ConnectorDescription& description, v1::DescribeResponse* message) {
  message->Clear();
  message->set_id(description.id);
  message->set_version(description.version);
  message->set_description(description.description);
  message->set_capabilities(description.capabilities);
  message->set_state_format(description.state_format);
  for (const ConnectorDescription::Option& option : description.options) {
    v1::Option* to = message->add_options();
    to->set_name(option.name);
    to->set_type(static_cast<v1::DataType>(option.type));
    to->set_required(option.required);
    to->set_secret(option.secret);
    to->set_reads_path(option.reads_path);
    to->set_writes_path(option.writes_path);
    to->set_default_value(option.default_value);
    to->set_help(option.help);
    to->set_label(option.label);
    for (const std::string& choice : option.choices) to->add_choices(choice);
    to->set_json_schema(option.json_schema);
  }
  for (const std::string& id : description.extensions) message->add_extensions(id);
}

}  // namespace tidemark
