// Every statement of a writer numbers its parameters alike: ?1..?N are the table's columns in
// order, ?N+1 the time of writing, ?N+2.. the old key of a key change.
#include "destination/sqlite_table_writer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/canary.h"
#include "destination/sqlite_dialect.h"
#include "destination/sqlite_parked_rows.h"

namespace tidemark {
namespace {

// Shorter runs of upserts are applied row by row: starting the bulk statement costs more.
constexpr size_t kMinBulkRows = 8;
// A row with more text than this is left to SQLite's own limit on its own.
constexpr uint64_t kMaxBulkRowBytes = 100'000'000;

std::vector<SqliteRowBinder::Column> PhysicalColumns(const TargetTable& target,
                                                     const SqliteTable& table) {
  std::vector<SqliteRowBinder::Column> columns;
  for (size_t i = 0; i < table.storage.size(); ++i) {
    if (!table.storage[i].has_value()) continue;
    const TargetColumn& stored = table.stored.table.columns[i];
    SqliteRowBinder::Column column;
    column.name = QuoteIdentifier(stored.name);
    column.source = SqliteRowBinder::kNoSource;
    column.key = stored.key;
    column.type = stored.type.type;
    for (size_t j = 0; j < target.columns.size(); ++j) {
      if (absl::EqualsIgnoreCase(target.columns[j].name, stored.name)) column.source = j;
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace

SqliteTableWriter::SqliteTableWriter(SqliteConnection& connection, const TargetTable& target,
                                     const SqliteTable& table, int64_t sync_start_us, bool* bulk)
    : connection_(connection),
      target_(target),
      table_(QuoteIdentifier(table.stored.table.name)),
      deletes_(target.deletes),
      has_deleted_column_(table.has_deleted_column),
      integer_key_(table.integer_key()),
      keyless_(!target.columns.empty() && target.columns[0].name == kIdColumn),
      sync_start_us_(sync_start_us),
      bulk_(bulk),
      columns_(PhysicalColumns(target, table)),
      binder_(columns_.size()) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].key) keys_.push_back(i);
    if (target.stale_guard.has_value() && columns_[i].source == *target.stale_guard) guard_ = i;
  }
}

SqliteTableWriter::~SqliteTableWriter() = default;

absl::Status SqliteTableWriter::Apply(const ChangeBatch& batch, const ApplyOptions& options,
                                      ChangeCounts* counts, std::vector<RefusedRow>* refused) {
  if (batch.column_count > target_.columns.size()) {
    return absl::InternalError(absl::StrCat("a batch of ", batch.column_count,
                                            " columns for table ", table_, ", which has ",
                                            target_.columns.size()));
  }
  options_ = options;
  parked_ = nullptr;
  for (size_t row = 0; row < batch.row_count; ++row) {
    const size_t end = BulkEnd(batch, row);
    if (end - row >= kMinBulkRows) {
      if (absl::Status s = UpsertBulk(batch, row, end, counts); !s.ok()) return s;
      row = end - 1;
      continue;
    }
    absl::StatusOr<Outcome> outcome = ApplyRow(batch, row);
    if (!outcome.ok()) {
      // SQLite refuses one row and goes on, unless the transaction itself is gone.
      if (!absl::IsInvalidArgument(outcome.status()) || connection_.autocommit()) {
        return outcome.status();
      }
      refused->push_back({static_cast<uint32_t>(row), outcome.status()});
      continue;
    }
    switch (*outcome) {  // Invariant I5: exactly one of them.
      case Outcome::kInserted:
        ++counts->inserted;
        break;
      case Outcome::kUpdated:
        ++counts->updated;
        break;
      case Outcome::kDeleted:
        ++counts->deleted;
        break;
      case Outcome::kUnchanged:
        ++counts->unchanged;
        if (keyless_ && batch.kind(row) != ChangeKind::kDelete) ++counts->duplicates_collapsed;
        break;
      case Outcome::kSuperseded:
        ++counts->superseded;
        break;
      case Outcome::kMissing:
        ++counts->missing;
        if (batch.kind(row) == ChangeKind::kUpdate) ++counts->missing_updates;
        break;
    }
  }
  return parked_ == nullptr ? absl::OkStatus() : DropParked(counts);
}

absl::StatusOr<SqliteTableWriter::Outcome> SqliteTableWriter::ApplyRow(const ChangeBatch& batch,
                                                                       size_t row) {
  const absl::Span<const Value> values = batch.row(row);
  switch (batch.kind(row)) {
    case ChangeKind::kUpsert:
      if (absl::Status s = CheckKey(values); !s.ok()) return s;
      return Upsert(values);
    case ChangeKind::kSnapshot:
      if (absl::Status s = CheckKey(values); !s.ok()) return s;
      return Snapshot(values);
    case ChangeKind::kDelete:
      if (absl::Status s = CheckKey(values); !s.ok()) return s;
      return Delete(values);
    case ChangeKind::kUpdate: {
      auto before = std::lower_bound(batch.before_rows.begin(), batch.before_rows.end(), row);
      if (before != batch.before_rows.end() && *before == row) {
        return ChangeKey(batch, row,
                         batch.before_row(static_cast<size_t>(before - batch.before_rows.begin())));
      }
      if (absl::Status s = CheckKey(values); !s.ok()) return s;
      // Without a key, a row that equals its old one is all that is known of it.
      return keyless_ && IsWhole(values) ? Upsert(values) : Update(values);
    }
    case ChangeKind::kTruncate:
      break;
  }
  return absl::InternalError(absl::StrCat("change kind ", static_cast<int>(batch.kind(row)),
                                          " cannot be applied to ", table_, " as a row"));
}

absl::StatusOr<SqliteTableWriter::Outcome> SqliteTableWriter::Upsert(
    absl::Span<const Value> values) {
  if (!upsert_) {
    if (absl::Status s = Prepare(&upsert_, UpsertSql(false)); !s.ok()) return s;
  }
  sqlite3_stmt* const statement = upsert_.get();
  const size_t count = columns_.size();
  int code = SQLITE_OK;
  for (size_t i = 0; i < count; ++i) {
    const size_t source = columns_[i].source;
    const int parameter = static_cast<int>(i) + 1;
    code |= source < values.size() ? binder_.Bind(statement, parameter, values[source], i)
                                   : sqlite3_bind_null(statement, parameter);
  }
  if (code != SQLITE_OK) {
    return absl::InvalidArgumentError("SQLite refuses the row: a value is too large");
  }
  upsert_.Bind(static_cast<int>(count) + 1, binder_.SyncedText(options_.synced_us));

  sqlite3* const db = connection_.db();
  const int64_t sentinel = integer_key_ && values[columns_[keys_[0]].source].i64 == kInsertSentinel
                               ? kInsertSentinel + 1
                               : kInsertSentinel;
  sqlite3_set_last_insert_rowid(db, sentinel);
  absl::StatusOr<int> changed = Change(upsert_);
  if (!changed.ok()) return changed.status();
  if (*changed != 0) {
    return sqlite3_last_insert_rowid(db) != sentinel ? Outcome::kInserted : Outcome::kUpdated;
  }
  if (options_.touch_unchanged) {
    if (absl::Status s = Touch(values); !s.ok()) return s;
  }
  if (!guard_.has_value()) return Outcome::kUnchanged;
  absl::StatusOr<bool> newer = StoredIsNewer(values);
  if (!newer.ok()) return newer.status();
  return *newer ? Outcome::kSuperseded : Outcome::kUnchanged;
}

size_t SqliteTableWriter::BulkEnd(const ChangeBatch& batch, size_t first) const {
  if (!*bulk_ || options_.touch_unchanged || guard_.has_value()) return first;
  size_t row = first;
  for (; row < batch.row_count && batch.kind(row) == ChangeKind::kUpsert; ++row) {
    const absl::Span<const Value> values = batch.row(row);
    if (!CheckKey(values).ok()) break;
    if (integer_key_ && values[columns_[keys_[0]].source].i64 == kInsertSentinel) break;
    uint64_t bytes = 0;
    for (const Value& value : values) bytes += value.length;
    if (bytes > kMaxBulkRowBytes) break;
  }
  return row;
}

absl::Status SqliteTableWriter::UpsertBulk(const ChangeBatch& batch, size_t first, size_t end,
                                           ChangeCounts* counts) {
  if (!upsert_bulk_) {
    absl::StatusOr<std::unique_ptr<SqliteRowSource>> source =
        SqliteRowSource::Create(connection_, columns_, binder_);
    if (!source.ok()) return source.status();
    row_source_ = *std::move(source);
    if (absl::Status s = Prepare(&upsert_bulk_, UpsertSql(true)); !s.ok()) return s;
  }
  row_source_->Show(batch, first, end);
  upsert_bulk_.Bind(static_cast<int>(columns_.size()) + 1, binder_.SyncedText(options_.synced_us));
  absl::StatusOr<int> changed = Change(upsert_bulk_);
  if (!changed.ok()) {
    if (!absl::IsInvalidArgument(changed.status())) return changed.status();
    // Nothing that can be refused goes this way, so the file is not as we know it: the next
    // attempt goes row by row and finds the row.
    *bulk_ = false;
    return absl::AbortedError(absl::StrCat(table_, ": ", changed.status().message()));
  }
  const uint64_t touched = static_cast<uint64_t>(*changed);
  const uint64_t rows = end - first;
  if (row_source_->taken() != rows || touched > rows || row_source_->inserted() > touched) {
    return absl::InternalError(
        absl::StrCat(table_, ": SQLite has counted ", touched, " of ", rows, " rows"));
  }
  counts->inserted += row_source_->inserted();
  counts->updated += touched - row_source_->inserted();
  counts->unchanged += rows - touched;
  if (keyless_) counts->duplicates_collapsed += rows - touched;
  return absl::OkStatus();
}

absl::StatusOr<int> SqliteTableWriter::Change(SqliteStatement& statement) {
  const int code = statement.Step();
  if (code == SQLITE_DONE) {
    statement.Reset();
    return sqlite3_changes(connection_.db());
  }
  absl::Status status = connection_.Error();
  statement.Reset();
  return status;
}

absl::Status SqliteTableWriter::CheckKey(absl::Span<const Value> values) const {
  for (size_t key : keys_) {
    const size_t source = columns_[key].source;
    // SQLite would make up a number for a NULL in an INTEGER PRIMARY KEY, and stores NaN as NULL.
    if (source < values.size() && !values[source].is_null() && !values[source].is_unchanged() &&
        (values[source].kind != ValueKind::kDouble || !std::isnan(values[source].f64))) {
      continue;
    }
    return absl::InvalidArgumentError(
        absl::StrCat("the key column ", columns_[key].name, " has no value"));
  }
  return absl::OkStatus();
}

absl::Status SqliteTableWriter::Prepare(SqliteStatement* statement, const std::string& sql) {
  absl::StatusOr<SqliteStatement> prepared = connection_.Prepare(sql);
  if (!prepared.ok()) return prepared.status();
  *statement = *std::move(prepared);
  return absl::OkStatus();
}

std::string SqliteTableWriter::LiveCondition() const {
  return has_deleted_column_ ? absl::StrCat(QuoteIdentifier(kDeletedColumn), " IS NOT 1") : "1";
}

std::string SqliteTableWriter::KeyCondition(size_t first) const {
  std::vector<std::string> parts;
  for (size_t i = 0; i < keys_.size(); ++i) {
    const size_t parameter = first == 0 ? keys_[i] + 1 : first + i;
    parts.push_back(absl::StrCat(columns_[keys_[i]].name, " = ?", parameter));
  }
  return absl::StrJoin(parts, " AND ");
}

std::string SqliteTableWriter::UpsertSql(bool bulk) const {
  std::vector<std::string> names;
  std::vector<std::string> parameters;
  std::vector<std::string> keys;
  std::vector<std::string> assignments;
  std::vector<std::string> stored;
  std::vector<std::string> given;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const std::string& name = columns_[i].name;
    names.push_back(name);
    parameters.push_back(bulk ? SqliteRowSource::ColumnName(i) : absl::StrCat("?", i + 1));
    if (columns_[i].key) {
      keys.push_back(name);
      continue;
    }
    assignments.push_back(absl::StrCat(name, " = excluded.", name));
    stored.push_back(absl::StrCat("_t.", name));
    given.push_back(absl::StrCat("excluded.", name));
  }
  const std::string synced = QuoteIdentifier(kSyncedColumn);
  names.push_back(synced);
  parameters.push_back(absl::StrCat("?", columns_.size() + 1));
  assignments.push_back(absl::StrCat(synced, " = excluded.", synced));
  if (has_deleted_column_) {
    const std::string deleted = QuoteIdentifier(kDeletedColumn);
    names.push_back(deleted);
    parameters.push_back("0");
    assignments.push_back(absl::StrCat(deleted, " = 0"));
    stored.push_back(absl::StrCat("_t.", deleted));
    given.push_back("0");
  }
  const std::string given_rows =
      bulk ? absl::StrCat("SELECT ", absl::StrJoin(parameters, ", "), " FROM ", row_source_->name(),
                          " WHERE 1")
           : absl::StrCat("VALUES(", absl::StrJoin(parameters, ", "), ")");
  // OR FAIL in bulk: SQLite need not keep a journal to undo the statement.
  std::string sql = absl::StrCat(bulk ? "INSERT OR FAIL INTO " : "INSERT INTO ", table_, " AS _t(",
                                 absl::StrJoin(names, ", "), ") ", given_rows, " ON CONFLICT(",
                                 absl::StrJoin(keys, ", "), ") DO ");
  if (stored.empty()) return absl::StrCat(sql, "NOTHING");
  // Row values: an OR chain over 1,500 columns would be too deep for SQLite's parser.
  absl::StrAppend(&sql, "UPDATE SET ", absl::StrJoin(assignments, ", "), " WHERE (",
                  absl::StrJoin(stored, ", "), ") IS NOT (", absl::StrJoin(given, ", "), ")");
  if (guard_.has_value() && !Canary("apply_a_stale_row")) {
    const std::string& guard = columns_[*guard_].name;
    absl::StrAppend(&sql, " AND (_t.", guard, " IS NULL OR excluded.", guard,
                    " IS NULL OR excluded.", guard, " >= _t.", guard);
    // Invariant I4: a delete carries no cursor. One that comes again deletes the newer row as well,
    // and what follows it must bring that row back, as it does after a hard delete.
    if (has_deleted_column_) {
      absl::StrAppend(&sql, " OR _t.", QuoteIdentifier(kDeletedColumn), " = 1");
    }
    sql.push_back(')');
  }
  return sql;
}

absl::StatusOr<uint64_t> SqliteTableWriter::DeleteWrittenBefore(int64_t truncate_before_us,
                                                                int64_t synced_us) {
  const std::string synced = QuoteIdentifier(kSyncedColumn);
  SqliteStatement statement;
  absl::Status status =
      deletes_ == DeleteMode::kHard
          ? Prepare(&statement, absl::StrCat("DELETE FROM ", table_, " WHERE ", synced, " < ?1"))
          : Prepare(&statement, absl::StrCat("UPDATE ", table_, " SET ", synced, " = ?2, ",
                                             QuoteIdentifier(kDeletedColumn), " = 1 WHERE ", synced,
                                             " < ?1 AND ", LiveCondition()));
  if (!status.ok()) return status;
  const std::string before(binder_.SyncedText(truncate_before_us));
  statement.Bind(1, before);
  if (deletes_ == DeleteMode::kSoft) statement.Bind(2, binder_.SyncedText(synced_us));
  const int64_t earlier = sqlite3_total_changes64(connection_.db());
  if (statement.Step() != SQLITE_DONE) return connection_.Error();
  return static_cast<uint64_t>(sqlite3_total_changes64(connection_.db()) - earlier);
}

}  // namespace tidemark
