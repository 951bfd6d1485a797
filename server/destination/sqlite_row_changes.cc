// Updates, deletes and snapshot rows of SqliteTableWriter.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/time_text.h"
#include "destination/sqlite_dialect.h"
#include "destination/sqlite_table_writer.h"

namespace tidemark {
namespace {

// Statements kept for different sets of changed columns; a table that goes beyond starts afresh.
constexpr size_t kMaxUpdateStatements = 64;

}  // namespace

template <typename Sql>
absl::Status SqliteTableWriter::BindKeyed(SqliteStatement* statement,
                                          absl::Span<const Value> values, Sql sql) {
  if (!*statement) {
    if (absl::Status s = Prepare(statement, sql()); !s.ok()) return s;
  }
  for (size_t key : keys_) {
    if (binder_.Bind(statement->get(), static_cast<int>(key) + 1, values[columns_[key].source],
                     key) != SQLITE_OK) {
      return absl::InvalidArgumentError("SQLite refuses the row: its key is too large");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<SqliteTableWriter::Presence> SqliteTableWriter::Find(
    absl::Span<const Value> values) {
  absl::Status status = BindKeyed(&find_, values, [this] {
    return absl::StrCat("SELECT ", LiveCondition(), " FROM ", table_, " WHERE ", KeyCondition(0));
  });
  if (!status.ok()) return status;
  const int code = find_.Step();
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    status = connection_.Error();
    find_.Reset();
    return status;
  }
  Presence presence = Presence::kMissing;
  if (code == SQLITE_ROW) presence = find_.Int(0) != 0 ? Presence::kLive : Presence::kDeleted;
  find_.Reset();
  return presence;
}

absl::StatusOr<bool> SqliteTableWriter::Truncated(absl::Span<const Value> values) {
  if (options_.truncate_before_us == kNoTime) return false;
  absl::Status status = BindKeyed(&truncated_, values, [this] {
    return absl::StrCat("SELECT 1 FROM ", table_, " WHERE ", KeyCondition(0), " AND ",
                        QuoteIdentifier(kSyncedColumn), " < ?", columns_.size() + 1);
  });
  if (!status.ok()) return status;
  const std::string before = FormatUtcMicros(options_.truncate_before_us);
  truncated_.Bind(static_cast<int>(columns_.size()) + 1, before);
  const int code = truncated_.Step();
  status = code == SQLITE_ROW || code == SQLITE_DONE ? absl::OkStatus() : connection_.Error();
  truncated_.Reset();
  if (!status.ok()) return status;
  return code == SQLITE_ROW;
}

absl::StatusOr<bool> SqliteTableWriter::StoredIsNewer(absl::Span<const Value> values) {
  absl::Status status = BindKeyed(&newer_, values, [this] {
    return absl::StrCat("SELECT 1 FROM ", table_, " WHERE ", KeyCondition(0), " AND ",
                        columns_[*guard_].name, " > ?", *guard_ + 1);
  });
  if (!status.ok()) return status;
  const size_t source = columns_[*guard_].source;
  if (source >= values.size() || values[source].is_null() || values[source].is_unchanged()) {
    return false;
  }
  binder_.Bind(newer_.get(), static_cast<int>(*guard_) + 1, values[source], *guard_);
  const int code = newer_.Step();
  status = code == SQLITE_ROW || code == SQLITE_DONE ? absl::OkStatus() : connection_.Error();
  newer_.Reset();
  if (!status.ok()) return status;
  return code == SQLITE_ROW;
}

absl::StatusOr<bool> SqliteTableWriter::WrittenInThisSync(absl::Span<const Value> values) {
  absl::Status status = BindKeyed(&written_, values, [this] {
    return absl::StrCat("SELECT 1 FROM ", table_, " WHERE ", KeyCondition(0), " AND ",
                        QuoteIdentifier(kSyncedColumn), " > ?", columns_.size() + 1);
  });
  if (!status.ok()) return status;
  const std::string start(binder_.SyncedText(sync_start_us_));
  written_.Bind(static_cast<int>(columns_.size()) + 1, start);
  const int code = written_.Step();
  status = code == SQLITE_ROW || code == SQLITE_DONE ? absl::OkStatus() : connection_.Error();
  written_.Reset();
  if (!status.ok()) return status;
  return code == SQLITE_ROW;
}

absl::Status SqliteTableWriter::Touch(absl::Span<const Value> values) {
  absl::Status status = BindKeyed(&touch_, values, [this] {
    return absl::StrCat("UPDATE ", table_, " SET ", QuoteIdentifier(kSyncedColumn), " = ?",
                        columns_.size() + 1, " WHERE ", KeyCondition(0));
  });
  if (!status.ok()) return status;
  touch_.Bind(static_cast<int>(columns_.size()) + 1, binder_.SyncedText(options_.synced_us));
  return Change(touch_).status();
}

absl::Status SqliteTableWriter::Remove(absl::Span<const Value> values) {
  absl::Status status = BindKeyed(&remove_, values, [this] {
    return absl::StrCat("DELETE FROM ", table_, " WHERE ", KeyCondition(0));
  });
  if (!status.ok()) return status;
  return Change(remove_).status();
}

absl::StatusOr<SqliteTableWriter::Outcome> SqliteTableWriter::Delete(
    absl::Span<const Value> values) {
  const bool hard = deletes_ == DeleteMode::kHard;
  absl::Status status = BindKeyed(&delete_, values, [this, hard] {
    if (hard) return absl::StrCat("DELETE FROM ", table_, " WHERE ", KeyCondition(0));
    return absl::StrCat("UPDATE ", table_, " SET ", QuoteIdentifier(kDeletedColumn), " = 1, ",
                        QuoteIdentifier(kSyncedColumn), " = ?", columns_.size() + 1, " WHERE ",
                        KeyCondition(0), " AND ", LiveCondition());
  });
  if (!status.ok()) return status;
  if (!hard) {
    delete_.Bind(static_cast<int>(columns_.size()) + 1, binder_.SyncedText(options_.synced_us));
  }
  absl::StatusOr<int> changed = Change(delete_);
  if (!changed.ok()) return changed.status();
  if (*changed != 0) return Outcome::kDeleted;
  if (hard) return Outcome::kMissing;
  absl::StatusOr<Presence> presence = Find(values);
  if (!presence.ok()) return presence.status();
  return *presence == Presence::kMissing ? Outcome::kMissing : Outcome::kUnchanged;
}

// A snapshot row was read while other changes were running: whatever this sync has written, and
// every delete, may be newer than it.
absl::StatusOr<SqliteTableWriter::Outcome> SqliteTableWriter::Snapshot(
    absl::Span<const Value> values) {
  if (deletes_ == DeleteMode::kHard) {
    return absl::FailedPreconditionError(
        absl::StrCat("table ", table_,
                     ": snapshot rows need deletes: soft, because a row deleted "
                     "hard leaves nothing that keeps a snapshot from bringing it back"));
  }
  absl::StatusOr<Presence> presence = Find(values);
  if (!presence.ok()) return presence.status();
  bool superseded = *presence == Presence::kDeleted;
  if (*presence == Presence::kLive) {
    absl::StatusOr<bool> written = WrittenInThisSync(values);
    if (!written.ok()) return written.status();
    // What a truncate has made gone is not newer, although this sync wrote it.
    absl::StatusOr<bool> truncated = Truncated(values);
    if (!truncated.ok()) return truncated.status();
    superseded = *written && !*truncated;
  }
  if (!superseded) return Upsert(values);
  if (options_.touch_unchanged) {
    if (absl::Status s = Touch(values); !s.ok()) return s;
  }
  return Outcome::kSuperseded;
}

absl::StatusOr<SqliteTableWriter::Outcome> SqliteTableWriter::Update(
    absl::Span<const Value> values) {
  absl::StatusOr<SqliteStatement*> statement = BoundUpdate(values, false);
  if (!statement.ok()) return statement.status();
  if (*statement != nullptr) {
    absl::StatusOr<int> changed = Change(**statement);
    if (!changed.ok()) return changed.status();
    if (*changed != 0) return Outcome::kUpdated;
  }
  absl::StatusOr<Presence> presence = Find(values);
  if (!presence.ok()) return presence.status();
  if (*presence == Presence::kMissing) return Outcome::kMissing;
  if (options_.touch_unchanged) {
    if (absl::Status s = Touch(values); !s.ok()) return s;
  }
  if (!guard_.has_value()) return Outcome::kUnchanged;
  absl::StatusOr<bool> newer = StoredIsNewer(values);
  if (!newer.ok()) return newer.status();
  return *newer ? Outcome::kSuperseded : Outcome::kUnchanged;
}

// The statement for this row's set of changed columns, bound except for the old key of a move;
// nullptr when the change names no column and does not move.
absl::StatusOr<SqliteStatement*> SqliteTableWriter::BoundUpdate(absl::Span<const Value> values,
                                                                bool move) {
  update_set_.assign(1, move ? 'm' : 'u');
  for (const SqliteRowBinder::Column& column : columns_) {
    const bool given = column.source < values.size() && !values[column.source].is_unchanged();
    update_set_.push_back(given && !column.key ? '1' : '0');
  }
  if (!move && update_set_.find('1') == std::string::npos) return nullptr;
  auto found = updates_.find(update_set_);
  if (found == updates_.end()) {
    if (updates_.size() >= kMaxUpdateStatements) updates_.clear();
    SqliteStatement statement;
    if (absl::Status s = Prepare(&statement, UpdateSql(move)); !s.ok()) return s;
    found = updates_.emplace(update_set_, std::move(statement)).first;
  }
  SqliteStatement& statement = found->second;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i].key && update_set_[i + 1] == '0') continue;
    if (binder_.Bind(statement.get(), static_cast<int>(i) + 1, values[columns_[i].source], i) !=
        SQLITE_OK) {
      return absl::InvalidArgumentError("SQLite refuses the row: a value is too large");
    }
  }
  statement.Bind(static_cast<int>(columns_.size()) + 1, binder_.SyncedText(options_.synced_us));
  return &statement;
}

std::string SqliteTableWriter::UpdateSql(bool move) const {
  std::vector<std::string> assignments;
  std::vector<std::string> stored;
  std::vector<std::string> given;
  const size_t synced = columns_.size() + 1;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (update_set_[i + 1] == '0' && !(move && columns_[i].key)) continue;
    assignments.push_back(absl::StrCat(columns_[i].name, " = ?", i + 1));
    stored.push_back(columns_[i].name);
    given.push_back(absl::StrCat("?", i + 1));
  }
  assignments.push_back(absl::StrCat(QuoteIdentifier(kSyncedColumn), " = ?", synced));
  std::string sql = absl::StrCat("UPDATE ", table_, " SET ", absl::StrJoin(assignments, ", "),
                                 " WHERE ", KeyCondition(move ? synced + 1 : 0));
  if (move) return sql;
  absl::StrAppend(&sql, " AND (", absl::StrJoin(stored, ", "), ") IS NOT (",
                  absl::StrJoin(given, ", "), ")");
  if (guard_.has_value() && update_set_[*guard_ + 1] == '1') {
    const std::string& guard = columns_[*guard_].name;
    absl::StrAppend(&sql, " AND (", guard, " IS NULL OR ?", *guard_ + 1, " IS NULL OR ?",
                    *guard_ + 1, " >= ", guard, ")");
  }
  return sql;
}

}  // namespace tidemark
