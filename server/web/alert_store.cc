#include "web/alert_store.h"

#include <set>

namespace tidemark {
namespace {

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS alert_incidents ("
    "rule TEXT NOT NULL, connection TEXT NOT NULL, since_us INTEGER NOT NULL, "
    "noticed_us INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (rule, connection)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS alert_notices ("
    "number INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, attempts INTEGER NOT NULL, "
    "next_us INTEGER NOT NULL, id TEXT NOT NULL, event INTEGER NOT NULL, rule TEXT NOT NULL, "
    "severity TEXT NOT NULL, connection TEXT NOT NULL, text TEXT NOT NULL, "
    "since_us INTEGER NOT NULL, at_us INTEGER NOT NULL) STRICT;"
    "CREATE INDEX IF NOT EXISTS alert_notices_channel ON alert_notices (channel, number);";

absl::Status AddNotice(SqliteConnection& connection, const AlertNotice& notice,
                       const std::string& channel) {
  absl::Status added = connection.Run(
      "INSERT INTO alert_notices (channel, attempts, next_us, id, event, rule, severity, "
      "connection, text, since_us, at_us) VALUES (?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?)",
      channel, notice.id, static_cast<int>(notice.event), notice.rule, notice.severity,
      notice.connection, notice.text, notice.since_us, notice.at_us);
  if (!added.ok()) return added;
  return connection.Run(
      "DELETE FROM alert_notices WHERE channel = ?1 AND number <= (SELECT number FROM "
      "alert_notices WHERE channel = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
      channel, AlertStore::kPending);
}

absl::Status ApplyOne(SqliteConnection& connection, const AlertStore::Change& change) {
  const Incident& incident = change.incident;
  absl::Status written =
      change.over ? connection.Run("DELETE FROM alert_incidents WHERE rule = ? AND connection = ?",
                                   incident.rule, incident.connection)
                  : connection.Run("INSERT OR REPLACE INTO alert_incidents VALUES (?, ?, ?, ?, ?)",
                                   incident.rule, incident.connection, incident.since_us,
                                   incident.noticed_us, incident.text);
  if (!change.notice.has_value()) return written;
  for (const std::string& channel : change.channels) {
    if (written.ok()) written = AddNotice(connection, *change.notice, channel);
  }
  return written;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AlertStore>> AlertStore::Open(Catalog* catalog) {
  absl::Status made = catalog->Transaction(
      [](SqliteConnection& connection) { return connection.Execute(kTables); });
  if (!made.ok()) return made;
  return std::unique_ptr<AlertStore>(new AlertStore(catalog));
}

absl::StatusOr<std::vector<Incident>> AlertStore::Incidents() {
  std::vector<Incident> incidents;
  absl::Status read = catalog_.With([&](SqliteConnection& connection) -> absl::Status {
    auto rows = connection.Query(
        "SELECT rule, connection, since_us, noticed_us, text FROM alert_incidents "
        "ORDER BY rule, connection");
    if (!rows.ok()) return rows.status();
    for (;;) {
      const absl::StatusOr<bool> row = connection.Next(**rows);
      if (!row.ok() || !*row) return row.status();
      incidents.push_back({(*rows)->String(0), (*rows)->String(1), (*rows)->Int(2), (*rows)->Int(3),
                           (*rows)->String(4)});
    }
  });
  if (!read.ok()) return read;
  return incidents;
}

absl::Status AlertStore::Apply(const std::vector<Change>& changes) {
  if (changes.empty()) return absl::OkStatus();
  return catalog_.Transaction([&](SqliteConnection& connection) -> absl::Status {
    for (const Change& change : changes) {
      if (absl::Status applied = ApplyOne(connection, change); !applied.ok()) return applied;
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<PendingNotice>> AlertStore::First(const std::string& channel) {
  std::optional<PendingNotice> first;
  absl::Status read = catalog_.With([&](SqliteConnection& connection) -> absl::Status {
    auto rows = connection.Query(
        "SELECT number, attempts, next_us, id, event, rule, severity, connection, text, since_us, "
        "at_us FROM alert_notices WHERE channel = ? ORDER BY number LIMIT 1",
        channel);
    if (!rows.ok()) return rows.status();
    const absl::StatusOr<bool> row = connection.Next(**rows);
    if (!row.ok() || !*row) return row.status();
    const SqliteStatement& at = **rows;
    first =
        PendingNotice{at.Int(0), at.Int(1), at.Int(2),
                      AlertNotice{at.String(3), static_cast<AlertEvent>(at.Int(4)), at.String(5),
                                  at.String(6), at.String(7), at.String(8), at.Int(9), at.Int(10)}};
    return connection.Finish(**rows);
  });
  if (!read.ok()) return read;
  return first;
}

absl::Status AlertStore::Postpone(const PendingNotice& notice) {
  return catalog_.With([&](SqliteConnection& connection) {
    return connection.Run("UPDATE alert_notices SET attempts = ?, next_us = ? WHERE number = ?",
                          notice.attempts, notice.next_us, notice.number);
  });
}

absl::Status AlertStore::Remove(int64_t number) {
  return catalog_.With([&](SqliteConnection& connection) {
    return connection.Run("DELETE FROM alert_notices WHERE number = ?", number);
  });
}

absl::StatusOr<int64_t> AlertStore::KeepOnly(const std::vector<std::string>& channels) {
  int64_t removed = 0;
  absl::Status kept = catalog_.Transaction([&](SqliteConnection& connection) -> absl::Status {
    std::set<std::string> gone;
    auto rows = connection.Query("SELECT DISTINCT channel FROM alert_notices");
    if (!rows.ok()) return rows.status();
    for (;;) {
      const absl::StatusOr<bool> row = connection.Next(**rows);
      if (!row.ok()) return row.status();
      if (!*row) break;
      gone.insert((*rows)->String(0));
    }
    for (const std::string& channel : channels) gone.erase(channel);
    for (const std::string& channel : gone) {
      absl::Status deleted = connection.Run("DELETE FROM alert_notices WHERE channel = ?", channel);
      if (!deleted.ok()) return deleted;
      removed += sqlite3_changes64(connection.db());
    }
    return absl::OkStatus();
  });
  if (!kept.ok()) return kept;
  return removed;
}

}  // namespace tidemark
