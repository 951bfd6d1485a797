#include "sqlite/row_scan.h"

#include <sqlite3.h>

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace tidemark::sqlite {
namespace {

// How long a writer waits at most where readers keep it out.
constexpr absl::Duration kHold = absl::Milliseconds(200);

}  // namespace

nlohmann::json ScanPosition::ToJson() const {
  return {{"schema", schema_version}, {"after", sqlite::ToJson(after)}};
}

std::optional<ScanPosition> ScanPosition::FromJson(const nlohmann::json& json) {
  if (!json.is_object() || !json.contains("schema") || !json.contains("after") ||
      !json["schema"].is_number_integer()) {
    return std::nullopt;
  }
  std::optional<std::vector<Cell>> after = CellsFromJson(json["after"]);
  if (!after) return std::nullopt;
  return ScanPosition{json["schema"].get<int64_t>(), *std::move(after)};
}

RowScan::RowScan(Database* database, const TableDefinition* table, ScanRange range,
                 ScanPosition from)
    : database_(database), table_(table), range_(std::move(range)), from_(std::move(from)) {}

absl::Status RowScan::Open() {
  std::vector<std::string> order = table_->row_order;
  if (order.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("table ", table_->name,
                     " has columns called rowid, _rowid_ and oid and no integer key: "
                     "its rows cannot be told apart; rename one of them"));
  }
  for (size_t i = 0; i < range_.order_by.size(); ++i) {
    order.insert(order.begin() + static_cast<std::ptrdiff_t>(i),
                 Quoted(table_->columns[range_.order_by[i]].name));
  }
  std::string sql =
      absl::StrCat("SELECT ", table_->ColumnList(), ", ", absl::StrJoin(order, ", "), " FROM main.",
                   Quoted(table_->name), " WHERE (", range_.where, ")");
  const size_t first = range_.parameters.size() + 1;
  if (!from_.after.empty()) {
    if (from_.after.size() != order.size()) {
      return absl::DataLossError(absl::StrCat("the position in table ", table_->name,
                                              " is of another key: read the table in full once"));
    }
    absl::StrAppend(&sql, " AND (", absl::StrJoin(order, ", "), ") > (");
    for (size_t i = 0; i < order.size(); ++i) {
      absl::StrAppend(&sql, i == 0 ? "?" : ", ?", first + i);
    }
    sql += ")";
  }
  absl::StrAppend(&sql, " ORDER BY ", absl::StrJoin(order, ", "));
  absl::StatusOr<Statement> statement = database_->Prepare(sql);
  if (!statement.ok()) return statement.status();
  statement_ = *std::move(statement);
  int index = 0;
  for (const Cell& cell : range_.parameters) statement_.Bind(++index, cell);
  for (const Cell& cell : from_.after) statement_.Bind(++index, cell);
  opened_ = absl::Now();
  return absl::OkStatus();
}

absl::Status RowScan::CheckSchema() {
  absl::StatusOr<int64_t> version = database_->SchemaVersion();
  if (!version.ok()) return version.status();
  if (from_.after.empty()) {
    from_.schema_version = *version;
  } else if (from_.schema_version != *version) {
    return absl::AbortedError(absl::StrCat("the schema changed while table ", table_->name,
                                           " was read: its reading begins again"));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> RowScan::Next() {
  const bool lets_others_in = !database_->wal() && sqlite3_get_autocommit(database_->handle()) != 0;
  if (statement_ && !row_.empty() && lets_others_in && absl::Now() - opened_ > kHold) {
    from_ = position();
    statement_ = Statement();
  }
  const bool opens = !statement_;
  if (opens) {
    if (absl::Status s = Open(); !s.ok()) return s;
  }
  absl::StatusOr<bool> row = statement_.Step();
  row_.clear();
  if (!row.ok()) return row;
  if (opens) {  // Now that the statement sees one state of the file, so does this.
    if (absl::Status s = CheckSchema(); !s.ok()) return s;
  }
  if (!*row) return row;
  row_.reserve(table_->columns.size());
  for (size_t i = 0; i < table_->columns.size(); ++i) {
    row_.push_back(statement_.ToValue(static_cast<int>(i)));
  }
  return true;
}

ScanPosition RowScan::position() const {
  ScanPosition position = {from_.schema_version, {}};
  for (int i = static_cast<int>(table_->columns.size()); i < statement_.column_count(); ++i) {
    position.after.push_back(statement_.ToCell(i));
  }
  return position;
}

}  // namespace tidemark::sqlite
