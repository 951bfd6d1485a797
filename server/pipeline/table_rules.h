// Which rule of the configuration a table follows, and what its columns become at the
// destination. Pure functions; thread-safe.
#ifndef TIDEMARK_PIPELINE_TABLE_RULES_H_
#define TIDEMARK_PIPELINE_TABLE_RULES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/glob.h"  // of the rules' patterns
#include "core/schema.h"
#include "pipeline/sync.h"

namespace tidemark {

// The first rule whose pattern matches "schema.table" or "table"; the default rule where none
// does; nullptr when the table is not selected. Borrowed from `options`.
const TableRule* RuleOf(const SyncOptions& options, const TableSchema& table);

// Whether the connection selects the table and this run, for once, does not.
bool IsLeftOut(const SyncOptions& options, const TableSchema& table);

// The connector's table with the rule's primary key and declared types put in. Columns keep their
// order.
TableSchema WithRule(const TableSchema& table, const TableRule& rule);
// Columns of the rule's primary key that the table does not have (yet: a table may grow).
std::vector<std::string> AbsentKeyColumns(const TableSchema& table, const TableRule& rule);

// By column of the table: does the rule want it? Empty: all of them.
std::vector<bool> SelectedColumns(const TableSchema& table, const TableRule& rule);

// Columns that a rule names and `table` does not have, for one warning each at the end of a sync.
// None for a rule of many tables (a glob, the default rule), which need not all have its columns.
std::vector<std::string> UnknownColumns(const TableSchema& table, const TableRule& rule);

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_TABLE_RULES_H_
