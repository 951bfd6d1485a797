#include "pipeline/table_rules.h"

#include <algorithm>
#include <set>

namespace tidemark {
namespace {

bool Matches(absl::string_view pattern, const TableSchema& table) {
  return GlobMatches(pattern, QualifiedName(table)) || GlobMatches(pattern, table.name);
}

}  // namespace

const TableRule* RuleOf(const SyncOptions& options, const TableSchema& table) {
  for (const TableRule& rule : options.tables) {
    if (Matches(rule.pattern, table)) return &rule;
  }
  return options.only_listed_tables ? nullptr : &options.default_rule;
}

bool IsLeftOut(const SyncOptions& options, const TableSchema& table) {
  return RuleOf(options, table) == nullptr &&
         std::any_of(options.usual_tables.begin(), options.usual_tables.end(),
                     [&table](const std::string& pattern) { return Matches(pattern, table); });
}

TableSchema WithRule(const TableSchema& table, const TableRule& rule) {
  TableSchema result = table;
  for (Column& column : result.columns) {
    const auto type = rule.column_types.find(column.name);
    if (type != rule.column_types.end()) {
      column.type = type->second;
      column.type.declared = true;
    }
    if (rule.primary_key.has_value()) {
      column.key = std::find(rule.primary_key->begin(), rule.primary_key->end(), column.name) !=
                   rule.primary_key->end();
    }
  }
  return result;
}

std::vector<std::string> AbsentKeyColumns(const TableSchema& table, const TableRule& rule) {
  std::set<std::string> absent;
  if (rule.primary_key.has_value()) {
    absent.insert(rule.primary_key->begin(), rule.primary_key->end());
  }
  for (const Column& column : table.columns) absent.erase(column.name);
  return std::vector<std::string>(absent.begin(), absent.end());
}

std::vector<bool> SelectedColumns(const TableSchema& table, const TableRule& rule) {
  if (rule.exclude_columns.empty()) return {};
  const std::set<std::string> excluded(rule.exclude_columns.begin(), rule.exclude_columns.end());
  std::vector<bool> selected;
  bool all = true;
  for (const Column& column : table.columns) {
    selected.push_back(excluded.count(column.name) == 0);
    all = all && selected.back();
  }
  return all ? std::vector<bool>() : selected;
}

std::vector<std::string> UnknownColumns(const TableSchema& table, const TableRule& rule) {
  if (rule.pattern.empty() || IsGlob(rule.pattern)) return {};
  std::set<std::string> named(rule.exclude_columns.begin(), rule.exclude_columns.end());
  for (const auto& [name, unused] : rule.rename_columns) named.insert(name);
  for (const auto& [name, unused] : rule.column_types) named.insert(name);
  for (const Column& column : table.columns) named.erase(column.name);
  return std::vector<std::string>(named.begin(), named.end());
}

}  // namespace tidemark
