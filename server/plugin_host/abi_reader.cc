#include "plugin_host/abi_reader.h"

#include <set>
#include <utility>

#include "core/text.h"
#include "wire/schema_messages.h"
#include "wire/state_messages.h"

namespace tidemark {
namespace {

constexpr uint32_t kMaxTables = 1'000'000;
constexpr uint32_t kMaxColumns = 65'536;
constexpr uint32_t kMaxStates = 1'000'000;
constexpr uint32_t kMaxOptions = 10'000;

absl::string_view OrEmpty(const char* text) { return text == nullptr ? "" : text; }

absl::Status CheckCount(absl::string_view name, uint32_t count, uint32_t most) {
  if (count <= most) return absl::OkStatus();
  return Misbehaved(absl::StrCat(name, " is ", count, ", at most ", most));
}

absl::StatusOr<Column> ReadColumn(const tidemark_column& from) {
  if (absl::Status flags = CheckFlags("tidemark_column.flags", from.flags); !flags.ok()) {
    return flags;
  }
  if (from.type > TIDEMARK_TYPE_JSON) {
    return Misbehaved(absl::StrCat("column ", OrEmpty(from.name), " has unknown type ", from.type));
  }
  Column column;
  column.name = std::string(OrEmpty(from.name));
  column.type.type = static_cast<DataType>(from.type);
  column.type.declared = from.type != TIDEMARK_TYPE_UNDECLARED;
  column.type.precision = from.precision;
  column.type.scale = from.scale;
  column.key = (from.flags & TIDEMARK_COLUMN_KEY) != 0;
  column.cursor = (from.flags & TIDEMARK_COLUMN_CURSOR) != 0;
  column.sensitive = (from.flags & TIDEMARK_COLUMN_SENSITIVE) != 0;
  return column;
}

absl::StatusOr<StateEntry> ReadState(const tidemark_state& from) {
  StateEntry entry;
  const std::pair<std::string*, const tidemark_bytes*> texts[] = {{&entry.schema, &from.schema},
                                                                  {&entry.table, &from.table},
                                                                  {&entry.body, &from.body},
                                                                  {&entry.cursor, &from.cursor}};
  for (const auto& [to, bytes] : texts) {
    if (bytes->size > kMaxStateBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("a state entry has ", bytes->size, " bytes, at most ", kMaxStateBytes));
    }
    absl::StatusOr<absl::string_view> text = ReadBytes("a text of tidemark_state", *bytes);
    if (!text.ok()) return text.status();
    to->assign(text->data(), text->size());
  }
  if (from.kind > TIDEMARK_STATE_SNAPSHOT) {
    return Misbehaved(absl::StrCat("tidemark_state.kind is ", from.kind));
  }
  entry.format = from.format;
  entry.kind = from.kind;
  entry.watermark_us = from.watermark_us;
  if (absl::Status checked = CheckStateEntry(entry); !checked.ok()) return checked;
  return entry;
}

absl::StatusOr<ConnectorDescription::Option> ReadOption(const tidemark_option& from) {
  ConnectorDescription::Option option;
  option.name = std::string(OrEmpty(from.name));
  if (option.name.empty()) return absl::FailedPreconditionError("an option has no name");
  const std::string where = absl::StrCat("option ", option.name);
  if (from.type > TIDEMARK_TYPE_JSON) {
    return absl::FailedPreconditionError(absl::StrCat(where, " has unknown type ", from.type));
  }
  if (absl::Status flags = CheckFlags(where + ": flags", from.flags); !flags.ok()) return flags;
  option.type = static_cast<DataType>(from.type);
  option.required = (from.flags & TIDEMARK_OPTION_REQUIRED) != 0;
  option.secret = (from.flags & TIDEMARK_OPTION_SECRET) != 0;
  option.reads_path = (from.flags & TIDEMARK_OPTION_READS_PATH) != 0;
  option.writes_path = (from.flags & TIDEMARK_OPTION_WRITES_PATH) != 0;
  option.default_value = std::string(OrEmpty(from.default_value));
  option.help = std::string(OrEmpty(from.help));
  option.label = std::string(OrEmpty(from.label));
  option.json_schema = std::string(OrEmpty(from.json_schema));
  for (const char* const* choice = from.choices; choice != nullptr && *choice != nullptr;
       ++choice) {
    option.choices.emplace_back(*choice);
  }
  for (const std::string* text :
       {&option.name, &option.default_value, &option.help, &option.label, &option.json_schema}) {
    if (!IsUtf8(*text)) return absl::FailedPreconditionError(where + ": a text is not UTF-8");
  }
  for (const std::string& choice : option.choices) {
    if (!IsUtf8(choice)) return absl::FailedPreconditionError(where + ": a choice is not UTF-8");
  }
  return option;
}

}  // namespace

absl::Status CheckFlags(absl::string_view name, uint32_t flags) {
  if ((flags >> 16) == 0) return absl::OkStatus();
  return Misbehaved(absl::StrCat(name, " asks for something this host does not know (bits ",
                                 absl::Hex(flags), ")"));
}

absl::StatusOr<absl::string_view> ReadBytes(absl::string_view name, const tidemark_bytes& bytes) {
  if (bytes.size == 0) return absl::string_view();
  if (bytes.data == nullptr) {
    return Misbehaved(absl::StrCat(name, " is NULL, size is ", bytes.size));
  }
  return absl::string_view(bytes.data, bytes.size);
}

absl::StatusOr<TableSchema> ReadTable(const tidemark_table* table) {
  if (table == nullptr) return Misbehaved("the table is NULL");
  if (!TIDEMARK_HAS(tidemark_table, table, columns)) {
    return Misbehaved(absl::StrCat("tidemark_table.struct_size is ", table->struct_size));
  }
  if (absl::Status flags = CheckFlags("tidemark_table.flags", table->flags); !flags.ok()) {
    return flags;
  }
  if (absl::Status count =
          CheckCount("tidemark_table.column_count", table->column_count, kMaxColumns);
      !count.ok()) {
    return count;
  }
  if (absl::Status array = CheckArray("tidemark_table.columns", table->columns, table->column_size,
                                      table->column_count);
      !array.ok()) {
    return array;
  }
  TableSchema result;
  result.schema = std::string(OrEmpty(table->schema));
  result.name = std::string(OrEmpty(table->name));
  result.columns.reserve(table->column_count);
  for (uint32_t i = 0; i < table->column_count; ++i) {
    absl::StatusOr<Column> column = ReadColumn(ElementAt(table->columns, table->column_size, i));
    if (!column.ok()) return column.status();
    result.columns.push_back(*std::move(column));
  }
  if (absl::Status checked = CheckTable(result); !checked.ok()) return checked;
  return result;
}

absl::StatusOr<std::vector<TableSchema>> ReadSchema(const tidemark_schema* schema) {
  if (schema == nullptr) return Misbehaved("schema() said OK and gave no schema");
  if (!TIDEMARK_HAS(tidemark_schema, schema, tables)) {
    return Misbehaved(absl::StrCat("tidemark_schema.struct_size is ", schema->struct_size));
  }
  if (absl::Status flags = CheckFlags("tidemark_schema.flags", schema->flags); !flags.ok()) {
    return flags;
  }
  if (absl::Status count =
          CheckCount("tidemark_schema.table_count", schema->table_count, kMaxTables);
      !count.ok()) {
    return count;
  }
  if (absl::Status array = CheckArray("tidemark_schema.tables", schema->tables, schema->table_size,
                                      schema->table_count);
      !array.ok()) {
    return array;
  }
  std::vector<TableSchema> tables;
  std::set<std::pair<std::string, std::string>> seen;
  tables.reserve(schema->table_count);
  for (uint32_t i = 0; i < schema->table_count; ++i) {
    absl::StatusOr<TableSchema> table =
        ReadTable(&ElementAt(schema->tables, schema->table_size, i));
    if (!table.ok()) return table.status();
    if (!seen.emplace(table->schema, table->name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the schema has the table ", QualifiedName(*table), " twice"));
    }
    tables.push_back(*std::move(table));
  }
  return tables;
}

absl::StatusOr<std::vector<StateEntry>> ReadStates(const tidemark_checkpoint* checkpoint) {
  if (checkpoint == nullptr) return Misbehaved("the checkpoint is NULL");
  if (!TIDEMARK_HAS(tidemark_checkpoint, checkpoint, states)) {
    return Misbehaved(absl::StrCat("tidemark_checkpoint.struct_size is ", checkpoint->struct_size));
  }
  if (absl::Status flags = CheckFlags("tidemark_checkpoint.flags", checkpoint->flags);
      !flags.ok()) {
    return flags;
  }
  if (absl::Status count =
          CheckCount("tidemark_checkpoint.state_count", checkpoint->state_count, kMaxStates);
      !count.ok()) {
    return count;
  }
  if (checkpoint->state_count == 0) return Misbehaved("a checkpoint without a state entry");
  if (absl::Status array = CheckArray("tidemark_checkpoint.states", checkpoint->states,
                                      checkpoint->state_size, checkpoint->state_count);
      !array.ok()) {
    return array;
  }
  std::vector<StateEntry> entries;
  std::set<std::pair<std::string, std::string>> seen;
  for (uint32_t i = 0; i < checkpoint->state_count; ++i) {
    absl::StatusOr<StateEntry> entry =
        ReadState(ElementAt(checkpoint->states, checkpoint->state_size, i));
    if (!entry.ok()) return entry.status();
    if (!seen.emplace(entry->schema, entry->table).second) {
      return Misbehaved(
          absl::StrCat("a checkpoint carries the entry \"", EntryName(*entry), "\" twice"));
    }
    entries.push_back(*std::move(entry));
  }
  return entries;
}

absl::StatusOr<ConnectorDescription> ReadDescription(const tidemark_plugin& plugin) {
  ConnectorDescription description;
  description.id = std::string(OrEmpty(plugin.id));
  description.version = std::string(OrEmpty(plugin.version));
  description.description = std::string(OrEmpty(plugin.description));
  description.capabilities = plugin.capabilities;
  description.state_format = plugin.state_format;
  if (!IsUtf8(description.version) || !IsUtf8(description.description)) {
    return absl::FailedPreconditionError("its version or description is not UTF-8");
  }
  if (absl::Status count = CheckCount("option_count", plugin.option_count, kMaxOptions);
      !count.ok()) {
    return count;
  }
  if (absl::Status array =
          CheckArray("options", plugin.options, plugin.option_size, plugin.option_count);
      !array.ok()) {
    return array;
  }
  std::set<std::string> seen;
  for (uint32_t i = 0; i < plugin.option_count; ++i) {
    absl::StatusOr<ConnectorDescription::Option> option =
        ReadOption(ElementAt(plugin.options, plugin.option_size, i));
    if (!option.ok()) return option.status();
    if (!seen.insert(option->name).second) {
      return absl::FailedPreconditionError(
          absl::StrCat("option ", option->name, " is declared twice"));
    }
    description.options.push_back(*std::move(option));
  }
  return description;
}

}  // namespace tidemark
