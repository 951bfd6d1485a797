#include "control/plan.h"

#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/exit_code.h"
#include "pipeline/table_rules.h"
#include "pipeline/table_target.h"

namespace tidemark {
namespace {

// What the destination already holds of a connection.
struct Stored {
  std::vector<StoredTable> tables;
  std::vector<StateVersion> states;  // newest first
};

absl::StatusOr<Stored> ReadStored(const Connection& connection) {
  Stored stored;
  absl::StatusOr<std::unique_ptr<DestinationReader>> reader =
      OpenReader(connection.destination.path);
  if (!reader.ok()) return reader.status();
  auto tables = (*reader)->Tables(connection.name);
  if (!tables.ok() && !absl::IsNotFound(tables.status())) return AsLocal(tables.status());
  if (tables.ok()) stored.tables = *std::move(tables);
  auto states = (*reader)->StateLog(connection.name, std::nullopt, false, 10'000);
  if (!states.ok() && !absl::IsNotFound(states.status())) return AsLocal(states.status());
  if (states.ok()) stored.states = *std::move(states);
  return stored;
}

std::string TypeText(const ColumnType& type) {
  if (type.type == DataType::kUndeclared) return "(type inferred)";
  std::string text(DataTypeName(type.type));
  if (type.precision > 0) absl::StrAppend(&text, "(", type.precision, ",", type.scale, ")");
  return text;
}

std::vector<std::string> Changes(const TargetTable& target, const TargetTable* stored) {
  std::vector<std::string> changes;
  if (stored == nullptr) {
    std::vector<std::string> columns;
    columns.reserve(target.columns.size());
    for (const TargetColumn& column : target.columns) {
      columns.push_back(absl::StrCat(column.name, " ", TypeText(column.type)));
    }
    changes.push_back(absl::StrCat("create table (", absl::StrJoin(columns, ", "), ")"));
    return changes;
  }
  for (const TargetColumn& column : target.columns) {
    const TargetColumn* before = nullptr;
    for (const TargetColumn& known : stored->columns) {
      if (known.name == column.name) before = &known;
    }
    if (before == nullptr) {
      changes.push_back(absl::StrCat("add column ", column.name, " ", TypeText(column.type)));
    } else if (before->type.type != column.type.type && column.type.type != DataType::kUndeclared) {
      changes.push_back(absl::StrCat("widen column ", column.name, " from ", TypeText(before->type),
                                     " to ", TypeText(column.type)));
    }
  }
  return changes;
}

void Resume(const Stored& stored, const std::string& entry, bool full, SyncPlan::Table* table) {
  table->sync_type = "full";
  if (full) return;
  // The table's own entry, else the connection-wide one.
  for (const std::string& name : {entry, std::string()}) {
    for (const StateVersion& version : stored.states) {
      if (version.entry != name) continue;
      table->sync_type = "incremental";
      table->from = version.cursor;
      return;
    }
  }
}

}  // namespace

absl::StatusOr<SyncPlan> MakePlan(Engine& engine) {
  const Connection& connection = engine.connection();
  SyncPlan plan;
  plan.connection = connection.name;
  plan.destination = connection.destination.path;
  plan.destination_exists = access(plan.destination.c_str(), F_OK) == 0;
  plan.notices = connection.notices;
  absl::StatusOr<std::vector<TableSchema>> schema = engine.Schema();
  if (!schema.ok()) return schema.status();
  Stored stored;
  if (plan.destination_exists) {
    absl::StatusOr<Stored> read = ReadStored(connection);
    if (!read.ok()) return read.status();
    stored = *std::move(read);
  }
  // What SQLite itself allows; the destination checks again when it is opened for writing.
  const DestinationLimits limits = {2000, 255, uint64_t{1} << 30};
  for (const TableSchema& source : *schema) {
    SyncPlan::Table table;
    table.table = QualifiedName(source);
    const TableRule* rule = RuleOf(connection.options, source);
    table.selected = rule != nullptr;
    if (rule != nullptr) {
      const TargetTable* before = nullptr;
      for (const StoredTable& known : stored.tables) {
        if (known.table.source_name == table.table) before = &known.table;
      }
      absl::StatusOr<TableTarget> target =
          TableTarget::Create(source, *rule, connection.options.naming, limits, before);
      if (!target.ok()) return AsUsage(target.status());
      table.destination_table = target->target().name;
      table.changes = Changes(target->target(), before);
      Resume(stored, table.table, connection.options.full, &table);
    }
    plan.tables.push_back(std::move(table));
  }
  return plan;
}

nlohmann::ordered_json PlanJson(const SyncPlan& plan) {
  nlohmann::ordered_json json = {{"connection", plan.connection},
                                 {"destination", plan.destination},
                                 {"destination_exists", plan.destination_exists},
                                 {"tables", nlohmann::ordered_json::array()},
                                 {"notices", plan.notices}};
  for (const SyncPlan::Table& table : plan.tables) {
    json["tables"].push_back({{"table", table.table},
                              {"selected", table.selected},
                              {"destination_table", table.destination_table},
                              {"sync_type", table.sync_type},
                              {"from", table.from},
                              {"changes", table.changes}});
  }
  return json;
}

std::string PlanText(const SyncPlan& plan) {
  std::string text = absl::StrCat("connection ", plan.connection, " into ", plan.destination,
                                  plan.destination_exists ? "" : " (will be created)", "\n");
  for (const std::string& notice : plan.notices) absl::StrAppend(&text, "notice: ", notice, "\n");
  if (plan.tables.empty()) {
    absl::StrAppend(&text, "The connector declares no tables; they appear with their rows.\n");
  }
  for (const SyncPlan::Table& table : plan.tables) {
    absl::StrAppend(&text, "\n", table.table);
    if (!table.selected) {
      absl::StrAppend(&text, ": not selected\n");
      continue;
    }
    absl::StrAppend(&text, " -> ", table.destination_table, ": ", table.sync_type, " sync",
                    table.from.empty() ? "" : absl::StrCat(" from ", table.from), "\n");
    if (table.changes.empty()) absl::StrAppend(&text, "  no change of the schema\n");
    for (const std::string& change : table.changes) absl::StrAppend(&text, "  ", change, "\n");
  }
  return text;
}

}  // namespace tidemark
