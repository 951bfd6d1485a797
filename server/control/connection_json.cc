// What a connection file means, as JSON without secrets.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "control/connection.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

std::string TypeText(const ColumnType& type) {
  std::string text(DataTypeName(type.type));
  if (type.precision > 0) absl::StrAppend(&text, "(", type.precision, ",", type.scale, ")");
  return text;
}

Json RuleJson(const TableRule& rule) {
  Json json = {{"table", rule.pattern},
               {"deletes", rule.deletes == DeleteMode::kHard ? "hard" : "soft"},
               {"on_error", rule.on_error == OnError::kStop ? "stop" : "continue"},
               {"stale_guard", rule.stale_guard == StaleGuard::kOff ? "off" : "auto"}};
  if (rule.primary_key.has_value()) json["primary_key"] = *rule.primary_key;
  Json columns = Json::object();
  if (!rule.exclude_columns.empty()) columns["exclude"] = rule.exclude_columns;
  for (const auto& [from, to] : rule.rename_columns) columns["rename"][from] = to;
  for (const auto& [name, type] : rule.column_types) columns["type"][name] = TypeText(type);
  if (!columns.empty()) json["columns"] = std::move(columns);
  return json;
}

}  // namespace

Json ConnectionJson(const Connection& connection) {
  const SourceSettings& source = connection.source;
  const SyncOptions& options = connection.options;
  Json json = {{"name", connection.name}, {"priority", connection.priority}};
  Json& from = json["source"];
  from = {{"name", source.name},
          {"connector", source.connector},
          {"connection", source.connection.has_value() ? "***" : ""},
          {"isolation", source.in_process ? "in_process" : "process"},
          {"stall_timeout", absl::FormatDuration(source.stall_timeout)},
          {"plugin_memory", source.plugin_memory},
          {"sandbox", source.sandbox ? "full" : "off"},
          {"sandbox_paths", source.sandbox_paths},
          {"sandbox_write_paths", source.sandbox_write_paths},
          {"method", source.method}};
  Json given = Json::array();
  for (const ConfigNode::Entry& entry : source.config.entries) given.push_back(entry.key);
  from["options_given"] = std::move(given);
  for (const auto& [name, value] : source.method_values)
    from["method_values"][name] = ToJson(value);
  json["destination"] = {{"name", connection.destination.name},
                         {"type", connection.destination.type},
                         {"path", connection.destination.path}};
  Json& sync = json["sync"];
  sync = {{"frequency", connection.schedule.text()},
          {"timezone", connection.timezone},
          {"jitter", absl::FormatDuration(connection.jitter)},
          {"full", options.full},
          {"batch_size", options.page_rows},
          {"naming", options.naming == Naming::kSnakeCase ? "snake_case" : "source"},
          {"max_dead_letters", options.max_dead_letters},
          {"max_rows_per_second", options.rate.rows},
          {"max_bytes_per_second", options.rate.bytes},
          {"text_nul", options.strip_text_nul ? "strip" : "refuse"},
          {"infer_dates", options.infer_dates},
          {"only_listed_tables", options.only_listed_tables},
          {"other_tables", RuleJson(options.default_rule)}};
  sync["tables"] = Json::array();
  for (const TableRule& rule : options.tables) sync["tables"].push_back(RuleJson(rule));
  json["commit"] = {{"rows", options.group.rows},
                    {"bytes", options.group.bytes},
                    {"age", absl::FormatDuration(options.group.age)},
                    {"when_idle", options.group.when_idle}};
  const StorageSettings& storage = connection.storage;
  json["storage"] = {{"type", std::string(StorageKindName(storage.kind))},
                     {"path", storage.path},
                     {"address", storage.address.empty() ? "" : "***"},
                     {"schema", storage.schema},
                     {"lease", absl::FormatDuration(storage.lease)},
                     {"accept_weak_durability", storage.accept_weak_durability}};
  const RecoverySettings& recovery = connection.recovery;
  json["recovery"] = {
      {"validate_on_start", recovery.validate_on_start},
      {"auto_repair", recovery.auto_repair},
      {"reset_on_corruption", recovery.reset_on_corruption},
      {"on_unreadable_state", recovery.full_sync_when_unreadable ? "full_sync" : "stop"},
      {"on_checkpoint_failure", options.go_on_behind_store ? "warn" : "stop"}};
  json["backup"] = {{"every", absl::FormatDuration(connection.backup.every)},
                    {"keep", connection.backup.keep}};
  json["notices"] = connection.notices;
  json["warnings"] = connection.warnings;
  return json;
}

}  // namespace tidemark
