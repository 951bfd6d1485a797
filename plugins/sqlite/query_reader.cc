#include "sqlite/query_reader.h"

#include <sqlite3.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cursors/boundary_rows.h"
#include "cursors/time_text.h"
#include "sqlite/query_text.h"
#include "sqlite/seen_rows.h"
#include "sqlite/source_time.h"

namespace tidemark::sqlite {
namespace {

using nlohmann::json;

constexpr absl::Duration kSettle = absl::Seconds(5);

absl::Status Refused(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("cdc.polling.query: ", why));
}

// While it lives, statements may read tables and call functions, and nothing else.
class OnlyReading {
 public:
  explicit OnlyReading(Database* database) : database_(*database) {
    sqlite3_set_authorizer(database_.handle(), &Allow, nullptr);
  }
  ~OnlyReading() { sqlite3_set_authorizer(database_.handle(), nullptr, nullptr); }
  OnlyReading(const OnlyReading&) = delete;
  OnlyReading& operator=(const OnlyReading&) = delete;

 private:
  static int Allow(void*, int action, const char*, const char* function, const char*, const char*) {
    const bool reads = action == SQLITE_SELECT || action == SQLITE_READ ||
                       action == SQLITE_RECURSIVE || action == SQLITE_FUNCTION;
    const bool loads = action == SQLITE_FUNCTION && function != nullptr &&
                       absl::EqualsIgnoreCase(function, "load_extension");
    return reads && !loads ? SQLITE_OK : SQLITE_DENY;
  }
  Database& database_;
};

class QueryReader {
 public:
  explicit QueryReader(TableRun* run) : run_(*run), options_(run_.options.query) {}

  absl::Status Read() {
    absl::StatusOr<QueryText> query =
        ReadQuery(options_.text, absl::StrCat("main.", Quoted(run_.table.name)));
    if (!query.ok()) return query.status();
    query_ = *std::move(query);
    if (absl::Status s = CheckQuery(); !s.ok()) return s;
    if (absl::Status s = ReadState(); !s.ok()) return s;
    for (bool more = true; more;) {
      absl::StatusOr<bool> page = ReadPage();
      if (!page.ok()) return page.status();
      more = *page;
      if (absl::Status s = Checkpoint(more); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

 private:
  bool by_column() const { return !options_.cursor_field.empty(); }

  absl::Status CheckQuery() const {
    if (query_.batched && !by_column()) {
      return Refused(
          ":batch_size needs the column that pages go by: name it in query_cursor_field");
    }
    if (query_.batched && !query_.ordered) {
      return Refused(absl::StrCat(":batch_size needs an order: add ORDER BY ",
                                  options_.cursor_field, " before the LIMIT"));
    }
    return absl::OkStatus();
  }

  absl::Status ReadState() {
    const json& state = run_.state;
    if (run_.full || state.is_null()) return absl::OkStatus();
    if (TextIn(state, "field") != options_.cursor_field) {
      return absl::FailedPreconditionError(
          absl::StrCat("the state of table ", run_.table.name,
                       " is of another query_cursor_field: read the table in full once"));
    }
    if (state.contains("last")) {
      absl::StatusOr<Cell> last = CellFromJson(state["last"]);
      if (!last.ok()) return run_.Damaged("has a damaged cursor");
      last_ = *std::move(last);
      if (!by_column() && !cursors::ParseTime(last_->bytes).ok()) {
        return run_.Damaged("has a cursor that is no time");
      }
    }
    if (state.contains("seen")) {
      auto seen = SeenFromJson(state["seen"]);
      if (!seen) return run_.Damaged("has a damaged list of seen rows");
      old_seen_ = *std::move(seen);
    }
    return absl::OkStatus();
  }

  Cell Written(absl::Time time) const {
    switch (options_.time) {
      case QueryTime::kSqlite:
        return Cell::Text(absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::UTCTimeZone()));
      case QueryTime::kIso:
        return Cell::Text(cursors::FormatTime(time, cursors::Precision::kSecond));
      case QueryTime::kUnix:
        return Cell::Integer(absl::ToUnixSeconds(time));
      case QueryTime::kUnixMillis:
        break;
    }
    return Cell::Integer(absl::ToUnixMillis(time));
  }

  Cell LastSync() const {
    if (by_column()) {
      if (next_) return *next_;
      if (last_) return *last_;
      const std::optional<size_t> column = run_.table.FindColumn(options_.cursor_field);
      if (column && run_.table.columns[*column].affinity == Affinity::kText) return Cell::Text("");
      return Cell::Integer(std::numeric_limits<int64_t>::min());
    }
    if (last_) return Written(cursors::ParseTime(last_->bytes)->time - kSettle);
    return Written(absl::FromCivil(absl::CivilSecond(1, 1, 1), absl::UTCTimeZone()));
  }

  std::string Sql() const {
    std::vector<std::string> order;
    if (by_column()) order.push_back(Quoted(options_.cursor_field));
    if (by_column() || !query_.ordered) {
      for (const size_t column : run_.table.key) {
        order.push_back(Quoted(run_.table.columns[column].name));
      }
    }
    return absl::StrCat("SELECT * FROM (\n", query_.sql, "\n)", order.empty() ? "" : " ORDER BY ",
                        absl::StrJoin(order, ", "));
  }

  absl::StatusOr<Statement> Prepare() {
    const std::string sql = Sql();
    sqlite3_stmt* raw = nullptr;
    const char* tail = nullptr;
    const int code = sqlite3_prepare_v2(run_.database.handle(), sql.c_str(),
                                        static_cast<int>(sql.size()), &raw, &tail);
    Statement statement(&run_.database, raw);
    if (code != SQLITE_OK) return Refused(sqlite3_errmsg(run_.database.handle()));
    if (tail != sql.c_str() + sql.size() || sqlite3_stmt_readonly(raw) == 0) {
      return Refused("it has to be one statement that only reads");
    }
    return statement;
  }

  // Finds the place of each column of the query in the table.
  absl::Status FindColumns(const Statement& statement) {
    if (!places_.empty()) return absl::OkStatus();
    Table wider(run_.table.name);
    const auto& known = run_.target.table().columns();
    size_t width = known.size();
    for (int i = 0; i < statement.column_count(); ++i) {
      const std::string name = sqlite3_column_name(statement.get(), i);
      if (absl::EqualsIgnoreCase(name, options_.cursor_field)) cursor_column_ = i;
      const auto column = std::find_if(known.begin(), known.end(), [&](const auto& c) {
        return absl::EqualsIgnoreCase(c.name, name);
      });
      if (column == known.end()) wider.Column(name, kUndeclared);
      places_.push_back(column == known.end() ? width++
                                              : static_cast<size_t>(column - known.begin()));
    }
    // The table's own columns come first among the known ones.
    for (const size_t column : run_.table.key) {
      if (std::count(places_.begin(), places_.end(), column) > 0) continue;
      return Refused(
          absl::StrCat("it does not give the key column ", run_.table.columns[column].name));
    }
    if (by_column() && !cursor_column_) {
      return Refused(absl::StrCat("it does not give ", options_.cursor_field));
    }
    row_.resize(width);
    if (wider.columns().empty()) return absl::OkStatus();
    absl::StatusOr<TableRef> target = run_.sink.Define(wider);
    if (!target.ok()) return target.status();
    run_.target = *target;
    return absl::OkStatus();
  }

  // Whether there may be another page.
  absl::StatusOr<bool> ReadPage() {
    const OnlyReading only_reading(&run_.database);
    absl::StatusOr<Statement> statement = Prepare();
    if (!statement.ok()) return statement.status();
    if (absl::Status s = FindColumns(*statement); !s.ok()) return s;
    const Cell from = LastSync();
    const auto bind = [&](const char* name, const Cell& cell) {
      const int index = sqlite3_bind_parameter_index(statement->get(), name);
      if (index > 0) statement->Bind(index, cell);
    };
    bind(":last_sync", from);
    bind(":now", Written(run_.now));
    bind(":batch_size", Cell::Integer(static_cast<int64_t>(run_.page_rows())));
    page_last_.reset();
    next_.reset();
    uint64_t rows = 0;
    for (;; ++rows) {
      absl::StatusOr<bool> row = statement->Step();
      if (!row.ok()) return row.status();
      if (!*row) break;
      if (absl::Status s = Take(*statement); !s.ok()) return s;
    }
    if (!query_.batched || rows < run_.page_rows()) return false;
    // More rows with the page's last value may follow: the next page begins before them.
    if (!next_ || *next_ == from) {
      return absl::FailedPreconditionError(
          absl::StrCat("cdc.polling.query: a whole page of ", rows, " rows has one and the same ",
                       options_.cursor_field, ": make sync.batch_size larger"));
    }
    return true;
  }

  absl::Status Take(const Statement& statement) {
    std::fill(row_.begin(), row_.end(), Value::Null());
    for (size_t i = 0; i < places_.size(); ++i) {
      row_[places_[i]] = statement.ToValue(static_cast<int>(i));
    }
    if (by_column()) TakeCursor(statement.ToCell(*cursor_column_));
    const std::string digest = DigestOf(row_);
    const bool again = old_seen_.Contains(absl::InfiniteFuture(), digest) ||
                       new_seen_.Contains(absl::InfiniteFuture(), digest);
    new_seen_.Add(absl::InfiniteFuture(), digest);
    if (again) return absl::OkStatus();
    return run_.sink.Upsert(run_.target, row_);
  }

  // Rows come in the order of the cursor.
  void TakeCursor(Cell cell) {
    if (cell.null()) return;
    if (page_last_ && *page_last_ != cell) next_ = page_last_;
    page_last_ = cell;
    const auto time = ReadTime(cell.ToValue(), {});
    const bool is_time = time.ok() && (cell.kind == Cell::Kind::kText || NumbersAreTimes());
    if (!is_time || time->time <= run_.now - kSettle) settled_ = std::move(cell);
  }

  // A number alone does not say whether it counts seconds.
  bool NumbersAreTimes() const {
    const std::optional<size_t> column = run_.table.FindColumn(options_.cursor_field);
    if (!column) return false;
    const std::string type = absl::AsciiStrToUpper(run_.table.columns[*column].declared);
    return absl::StrContains(type, "DATE") || absl::StrContains(type, "TIME");
  }

  absl::Status Checkpoint(bool more) {
    json state = {{"field", options_.cursor_field}};
    if (by_column()) {
      if (settled_) last_ = *settled_;
      if (last_) state["last"] = ToJson(*last_);
    } else {
      // The next poll begins where this one did.
      state["last"] = FormatTime(run_.now, cursors::Precision::kMicrosecond);
    }
    if (!new_seen_.rows().empty()) state["seen"] = ToJson(new_seen_);
    if (more) state["seen"] = ToJson(old_seen_);
    const std::string cursor = by_column() ? (last_ ? JsonText(ToJson(*last_)) : "")
                                           : FormatTime(run_.now, cursors::Precision::kSecond);
    return run_.Checkpoint(std::move(state), cursor);
  }

  TableRun& run_;
  const QueryOptions& options_;
  QueryText query_;
  std::vector<size_t> places_;  // by column of the query
  std::optional<int> cursor_column_;
  std::vector<Value> row_;
  std::optional<Cell> last_;       // where the last run ended
  std::optional<Cell> page_last_;  // the largest value of the page
  std::optional<Cell> next_;       // the largest value before that: where the next page begins
  std::optional<Cell> settled_;    // the largest value that no open transaction can come before
  cursors::BoundaryRows old_seen_;
  cursors::BoundaryRows new_seen_;
};

}  // namespace

absl::Status ReadQueryRows(TableRun& run) { return QueryReader(&run).Read(); }

}  // namespace tidemark::sqlite
