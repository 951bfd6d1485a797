#include "service/sync_history.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace tidemark {
namespace {

constexpr absl::string_view kPrefix = "sync_";
constexpr size_t kTimeDigits = 14;
constexpr size_t kChanceDigits = 6;
constexpr int kPruneRows = 500;  // at once: others wait for the catalog meanwhile

constexpr char kTables[] =
    "CREATE TABLE IF NOT EXISTS syncs("
    "sync_id TEXT PRIMARY KEY, connection TEXT NOT NULL, producer TEXT NOT NULL, "
    "phase INTEGER NOT NULL, cause INTEGER NOT NULL, queued_at INTEGER NOT NULL, "
    "started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, whole INTEGER NOT NULL, "
    "narrowed INTEGER NOT NULL, counts TEXT NOT NULL, bytes INTEGER NOT NULL, "
    "commits INTEGER NOT NULL, retries INTEGER NOT NULL, error TEXT NOT NULL, "
    "error_code INTEGER NOT NULL, interrupted INTEGER NOT NULL, started_by TEXT NOT NULL, "
    "skew INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS syncs_of_connection ON syncs(connection, sync_id);"
    "CREATE INDEX IF NOT EXISTS syncs_of_phase ON syncs(phase, sync_id);"
    "CREATE INDEX IF NOT EXISTS syncs_of_both ON syncs(connection, phase, sync_id);"
    "CREATE INDEX IF NOT EXISTS syncs_skewed ON syncs(skew) WHERE skew > 0;"
    "CREATE TABLE IF NOT EXISTS sync_reports("
    "sync_id TEXT PRIMARY KEY, connection TEXT NOT NULL, json TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS sync_reports_of ON sync_reports(connection, sync_id);"
    "CREATE TABLE IF NOT EXISTS sync_events("
    "sync_id TEXT PRIMARY KEY, ended_at INTEGER NOT NULL, document TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS sync_events_ended ON sync_events(ended_at);";

constexpr char kColumns[] =
    "sync_id, connection, producer, phase, cause, queued_at, started_at, ended_at, whole, "
    "narrowed, counts, bytes, commits, retries, error, error_code, interrupted, started_by";

std::string CountsText(const ChangeCounts& c) {
  return absl::StrJoin({c.inserted, c.updated, c.deleted, c.unchanged, c.superseded, c.missing,
                        c.conflict, c.late_queue, c.dead_letter, c.deleted_by_truncate,
                        c.duplicates_collapsed, c.missing_updates},
                       " ");
}

ChangeCounts CountsOf(absl::string_view text) {
  ChangeCounts c;
  uint64_t* const fields[] = {&c.inserted,
                              &c.updated,
                              &c.deleted,
                              &c.unchanged,
                              &c.superseded,
                              &c.missing,
                              &c.conflict,
                              &c.late_queue,
                              &c.dead_letter,
                              &c.deleted_by_truncate,
                              &c.duplicates_collapsed,
                              &c.missing_updates};
  size_t next = 0;
  for (absl::string_view number : absl::StrSplit(text, ' ')) {
    if (next == std::size(fields)) break;
    if (!absl::SimpleAtoi(number, fields[next++])) return ChangeCounts();
  }
  return c;
}

SyncEntry EntryOf(const SqliteStatement& row) {
  SyncEntry entry;
  entry.sync_id = row.String(0);
  entry.connection = row.String(1);
  entry.producer = row.String(2);
  entry.phase = static_cast<SyncPhase>(row.Int(3));
  entry.trigger = static_cast<SyncTrigger>(row.Int(4));
  entry.queued_at_us = row.Int(5);
  entry.started_at_us = row.Int(6);
  entry.ended_at_us = row.Int(7);
  entry.full = row.Int(8) != 0;
  entry.narrowed = row.Int(9) != 0;
  entry.counts = CountsOf(row.Text(10));
  entry.bytes = static_cast<uint64_t>(row.Int(11));
  entry.commits = static_cast<uint64_t>(row.Int(12));
  entry.retries = static_cast<uint64_t>(row.Int(13));
  entry.error = row.String(14);
  entry.error_code = static_cast<absl::StatusCode>(row.Int(15));
  entry.interrupted = row.Int(16) != 0;
  entry.started_by = row.String(17);
  return entry;
}

// Every row of `statement`, which is reset then.
absl::StatusOr<std::vector<SyncEntry>> Entries(SqliteConnection& db, SqliteStatement& statement) {
  std::vector<SyncEntry> entries;
  while (true) {
    absl::StatusOr<bool> row = db.Next(statement);
    if (!row.ok()) return row.status();
    if (!*row) return entries;
    entries.push_back(EntryOf(statement));
  }
}

// The first column of the first row; nullopt: no row, or NULL.
template <typename... Args>
absl::StatusOr<std::optional<std::string>> OneText(SqliteConnection& db, absl::string_view sql,
                                                   const Args&... args) {
  absl::StatusOr<SqliteStatement*> row = db.Query(sql, args...);
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = db.Next(**row);
  if (!found.ok()) return found.status();
  if (!*found) return std::nullopt;
  std::optional<std::string> text;
  if (!(*row)->IsNull(0)) text = (*row)->String(0);
  (*row)->Reset();
  return text;
}

}  // namespace

std::string SyncIdOf(int64_t time_us, uint64_t chance) {
  return absl::StrFormat("%s%014x%06x", kPrefix,
                         static_cast<uint64_t>(std::max<int64_t>(0, time_us)), chance & 0xffffff);
}

int64_t TimeOfSyncId(absl::string_view sync_id) {
  if (sync_id.size() != kPrefix.size() + kTimeDigits + kChanceDigits ||
      !absl::StartsWith(sync_id, kPrefix)) {
    return 0;
  }
  uint64_t time_us = 0;
  if (!absl::SimpleHexAtoi(sync_id.substr(kPrefix.size(), kTimeDigits), &time_us)) return 0;
  return static_cast<int64_t>(time_us);
}

absl::StatusOr<std::vector<SyncEntry>> SyncHistory::Open(int64_t now_us) {
  std::vector<SyncEntry> orphans;
  absl::Status status = catalog_->Transaction([&](SqliteConnection& db) -> absl::Status {
    if (absl::Status s = db.Execute(kTables); !s.ok()) return s;
    absl::StatusOr<std::optional<std::string>> skew =
        OneText(db, "SELECT max(skew) FROM syncs WHERE skew > 0");
    if (!skew.ok()) return skew.status();
    int64_t skew_us = 0;
    if (skew->has_value() && absl::SimpleAtoi(**skew, &skew_us)) skew_us_ = skew_us;
    absl::StatusOr<SqliteStatement*> open = db.Query(
        absl::StrCat("SELECT ", kColumns, " FROM syncs WHERE phase IN (1, 2) ORDER BY sync_id"));
    if (!open.ok()) return open.status();
    absl::StatusOr<std::vector<SyncEntry>> entries = Entries(db, **open);
    if (!entries.ok()) return entries.status();
    orphans = *std::move(entries);
    for (SyncEntry& orphan : orphans) {
      orphan.phase = SyncPhase::kFailed;
      orphan.ended_at_us = now_us;
      orphan.error = "the server ended";
      orphan.error_code = absl::StatusCode::kAborted;
      orphan.interrupted = true;
    }
    return db.Run(
        "UPDATE syncs SET phase = ?, ended_at = ?, error = 'the server ended', error_code = ?, "
        "interrupted = 1 WHERE phase IN (1, 2)",
        static_cast<int>(SyncPhase::kFailed), now_us, static_cast<int>(absl::StatusCode::kAborted));
  });
  if (!status.ok()) return status;
  return orphans;
}

absl::StatusOr<int64_t> SyncHistory::NewestTime() {
  int64_t time_us = 0;
  absl::Status status = catalog_->With([&](SqliteConnection& db) -> absl::Status {
    absl::StatusOr<std::optional<std::string>> newest =
        OneText(db, "SELECT max(sync_id) FROM syncs");
    if (!newest.ok()) return newest.status();
    if (newest->has_value()) time_us = TimeOfSyncId(**newest);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return time_us;
}

absl::StatusOr<std::vector<SyncEntry>> SyncHistory::NewestOfEach() {
  std::vector<SyncEntry> newest;
  absl::Status status = catalog_->With([&](SqliteConnection& db) -> absl::Status {
    absl::StatusOr<SqliteStatement*> rows = db.Query(absl::StrCat(
        "SELECT ", kColumns,
        " FROM syncs WHERE sync_id IN (SELECT max(sync_id) FROM syncs GROUP BY connection)"));
    if (!rows.ok()) return rows.status();
    absl::StatusOr<std::vector<SyncEntry>> entries = Entries(db, **rows);
    if (!entries.ok()) return entries.status();
    newest = *std::move(entries);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return newest;
}

absl::Status SyncHistory::Insert(const SyncEntry& e) {
  const int64_t skew_us = std::max<int64_t>(0, TimeOfSyncId(e.sync_id) - e.queued_at_us);
  if (skew_us > skew_us_.load()) skew_us_ = skew_us;
  const std::string counts = CountsText(e.counts);
  return catalog_->Transaction([&](SqliteConnection& db) {
    return db.Run(
        absl::StrCat("INSERT INTO syncs(", kColumns,
                     ", skew) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        e.sync_id, e.connection, e.producer, static_cast<int>(e.phase), static_cast<int>(e.trigger),
        e.queued_at_us, e.started_at_us, e.ended_at_us, e.full, e.narrowed, counts, e.bytes,
        e.commits, e.retries, e.error, static_cast<int>(e.error_code), e.interrupted, e.started_by,
        skew_us);
  });
}

absl::Status SyncHistory::Finish(const SyncEntry& e, absl::string_view report,
                                 absl::string_view events) {
  const std::string counts = CountsText(e.counts);
  return catalog_->Transaction([&](SqliteConnection& db) -> absl::Status {
    absl::Status status = db.Run(
        "UPDATE syncs SET phase = ?, started_at = ?, ended_at = ?, counts = ?, bytes = ?, "
        "commits = ?, retries = ?, error = ?, error_code = ?, interrupted = ? WHERE sync_id = ?",
        static_cast<int>(e.phase), e.started_at_us, e.ended_at_us, counts, e.bytes, e.commits,
        e.retries, e.error, static_cast<int>(e.error_code), e.interrupted, e.sync_id);
    if (status.ok() && !report.empty()) {
      status = db.Run("INSERT OR REPLACE INTO sync_reports VALUES(?, ?, ?)", e.sync_id,
                      e.connection, report);
    }
    if (status.ok() && !events.empty()) {
      status = db.Run("INSERT OR REPLACE INTO sync_events VALUES(?, ?, ?)", e.sync_id,
                      e.ended_at_us, events);
    }
    return status;
  });
}

absl::StatusOr<SyncEntry> SyncHistory::Get(absl::string_view sync_id) {
  absl::StatusOr<SyncEntry> found = absl::NotFoundError(absl::StrCat("no sync ", sync_id));
  absl::Status status = catalog_->With([&](SqliteConnection& db) -> absl::Status {
    absl::StatusOr<SqliteStatement*> row = db.Query(
        absl::StrCat("SELECT ", kColumns, " FROM syncs WHERE sync_id = ? AND phase >= 3"), sync_id);
    if (!row.ok()) return row.status();
    absl::StatusOr<std::vector<SyncEntry>> entries = Entries(db, **row);
    if (!entries.ok()) return entries.status();
    if (!entries->empty()) found = std::move(entries->front());
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return found;
}

absl::Status SyncHistory::Walk(SqliteConnection& db, const SyncQuery& query,
                               const std::string& connection, std::optional<SyncPhase> phase,
                               std::vector<SyncEntry>* out) {
  // The ids themselves bound the times: a walk never passes what lies outside.
  const std::string from = SyncIdOf(query.from_us, 0);
  std::string until = "t";  // behind every id
  if (query.until_us < INT64_MAX / 2) until = SyncIdOf(query.until_us + skew_us_.load(), 0);
  if (!query.after.empty()) until = std::min(until, query.after);
  std::string sql = absl::StrCat("SELECT ", kColumns, " FROM syncs");
  if (connection.empty() && !phase.has_value()) {
    absl::StrAppend(&sql, " WHERE phase >= 3 AND ?3 = '' AND ?4 = 0");
  } else if (connection.empty()) {
    absl::StrAppend(&sql, " INDEXED BY syncs_of_phase WHERE ?3 = '' AND phase = ?4");
  } else if (!phase.has_value()) {
    absl::StrAppend(&sql,
                    " INDEXED BY syncs_of_connection WHERE connection = ?3 AND phase >= 3 AND "
                    "?4 = 0");
  } else {
    absl::StrAppend(&sql, " INDEXED BY syncs_of_both WHERE connection = ?3 AND phase = ?4");
  }
  absl::StrAppend(&sql, " AND sync_id >= ?1 AND sync_id < ?2 ORDER BY sync_id DESC");
  absl::StatusOr<SqliteStatement*> rows =
      db.Query(sql, from, until, connection, phase.has_value() ? static_cast<int>(*phase) : 0);
  if (!rows.ok()) return rows.status();
  for (size_t taken = 0; taken < query.limit;) {
    absl::StatusOr<bool> row = db.Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    const int64_t queued_us = (*rows)->Int(5);
    if (queued_us < query.from_us || queued_us >= query.until_us) continue;
    if (query.may_see && connection.empty() && !query.may_see((*rows)->Text(1))) continue;
    out->push_back(EntryOf(**rows));
    ++taken;
  }
  (*rows)->Reset();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SyncEntry>> SyncHistory::List(
    const SyncQuery& query, const std::vector<std::string>& connections) {
  std::vector<std::optional<SyncPhase>> phases;
  for (const SyncPhase phase : query.phases) {
    if (HasEnded(phase)) phases.emplace_back(phase);
  }
  if (query.phases.empty()) phases.emplace_back(std::nullopt);
  std::vector<std::string> places = connections;
  if (!query.connection.empty()) places = {query.connection};
  if (places.empty()) places = {""};
  std::vector<SyncEntry> found;
  absl::Status status = catalog_->With([&](SqliteConnection& db) -> absl::Status {
    for (const std::string& place : places) {
      for (const std::optional<SyncPhase>& phase : phases) {
        if (absl::Status s = Walk(db, query, place, phase, &found); !s.ok()) return s;
      }
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  std::sort(found.begin(), found.end(),
            [](const SyncEntry& a, const SyncEntry& b) { return a.sync_id > b.sync_id; });
  if (found.size() > query.limit) found.resize(query.limit);
  return found;
}

absl::StatusOr<std::string> SyncHistory::Report(absl::string_view sync_id) {
  absl::StatusOr<std::optional<std::string>> text = std::nullopt;
  absl::Status status = catalog_->With([&](SqliteConnection& db) {
    text = OneText(db, "SELECT json FROM sync_reports WHERE sync_id = ?", sync_id);
    return text.status();
  });
  if (!status.ok()) return status;
  if (!text->has_value()) {
    return absl::NotFoundError(absl::StrCat("there is no report of sync ", sync_id));
  }
  return **std::move(text);
}

absl::StatusOr<std::string> SyncHistory::Events(absl::string_view sync_id) {
  absl::StatusOr<std::optional<std::string>> text = std::nullopt;
  absl::Status status = catalog_->With([&](SqliteConnection& db) {
    text = OneText(db, "SELECT document FROM sync_events WHERE sync_id = ?", sync_id);
    return text.status();
  });
  if (!status.ok()) return status;
  if (!text->has_value()) {
    return absl::NotFoundError(
        absl::StrCat("the events of sync ", sync_id, " are not kept any more, only its report"));
  }
  return **std::move(text);
}

absl::StatusOr<bool> SyncHistory::PruneSome(const std::string& connection, int64_t before_us,
                                            int64_t keep) {
  bool more = false;
  absl::Status status = catalog_->Transaction([&](SqliteConnection& db) -> absl::Status {
    absl::StatusOr<std::optional<std::string>> last =
        OneText(db,
                "SELECT sync_id FROM syncs INDEXED BY syncs_of_connection WHERE connection = ? "
                "ORDER BY sync_id DESC LIMIT 1 OFFSET ?",
                connection, keep);
    if (!last.ok()) return last.status();
    const std::string until = std::max(last->value_or(""), SyncIdOf(before_us, 0));
    absl::Status s = db.Run(
        "DELETE FROM syncs WHERE sync_id IN (SELECT sync_id FROM syncs INDEXED BY "
        "syncs_of_connection WHERE connection = ? AND sync_id <= ? AND phase >= 3 "
        "ORDER BY sync_id LIMIT ?)",
        connection, until, kPruneRows);
    if (!s.ok()) return s;
    more = sqlite3_changes(db.db()) == kPruneRows;
    absl::StatusOr<std::optional<std::string>> report =
        OneText(db,
                "SELECT sync_id FROM sync_reports INDEXED BY sync_reports_of WHERE connection = ? "
                "ORDER BY sync_id DESC LIMIT 1 OFFSET ?",
                connection, kReportsPerConnection);
    if (!report.ok()) return report.status();
    return db.Run(
        "DELETE FROM sync_reports WHERE sync_id IN (SELECT sync_id FROM sync_reports INDEXED BY "
        "sync_reports_of WHERE connection = ? AND sync_id <= ? ORDER BY sync_id LIMIT ?)",
        connection, std::max(until, report->value_or("")), kPruneRows);
  });
  if (!status.ok()) return status;
  return more;
}

absl::Status SyncHistory::PruneEvents(int64_t now_us) {
  return catalog_->Transaction([&](SqliteConnection& db) {
    return db.Run(
        "DELETE FROM sync_events WHERE sync_id IN (SELECT sync_id FROM sync_events "
        "WHERE ended_at < ? LIMIT ?)",
        now_us - absl::ToInt64Microseconds(kEventsFor), kPruneRows);
  });
}

}  // namespace tidemark
