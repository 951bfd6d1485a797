#include "control/report.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "control/version.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

Json TimeOrNull(int64_t us) {
  if (us == kNoTime || us == 0) return nullptr;
  return FormatReportTime(us);
}

Json TextOrNull(const std::string& text) {
  if (text.empty()) return nullptr;
  return text;
}

double Seconds(int64_t from_us, int64_t to_us) {
  if (to_us < from_us) return 0;
  return std::round(static_cast<double>(to_us - from_us) / 1e3) / 1e3;
}

void AddCounts(const ChangeCounts& counts, Json* json) {
  Json& out = *json;
  out["records_processed"] = counts.Sum();
  out["records_inserted"] = counts.inserted;
  out["records_updated"] = counts.updated;
  out["records_deleted"] = counts.deleted + counts.deleted_by_truncate;
  out["records_unchanged"] = counts.unchanged;
  out["records_superseded"] = counts.superseded;
  out["records_missing"] = counts.missing;
  out["records_dead_lettered"] = counts.dead_letter;
}

Json Statistics(const SyncOutcome& outcome) {
  Json json;
  AddCounts(outcome.counts, &json);
  uint64_t sent = 0;
  uint64_t received = 0;
  uint64_t late = 0;
  for (const TableOutcome& table : outcome.tables) {
    sent += table.sent;
    received += table.received;
    late += table.late;
  }
  json["conflicts_detected"] = outcome.counts.conflict;
  json["conflicts_resolved"] = 0;
  json["errors"] = outcome.errors.size();
  json["records_late"] = late;
  json["records_deleted_by_truncate"] = outcome.counts.deleted_by_truncate;
  json["duplicates_collapsed"] = outcome.counts.duplicates_collapsed;
  json["records_sent_by_connector"] = sent;
  json["records_received"] = received;
  json["bytes"] = outcome.bytes;
  json["commits"] = outcome.commits;
  json["retries"] = outcome.retries;
  return json;
}

Json Table(const TableOutcome& table) {
  Json json;
  json["table"] = table.table;
  json["destination_table"] = table.destination_table;
  AddCounts(table.counts, &json);
  json["records_late"] = table.late;
  json["records_sent_by_connector"] = table.sent;
  json["records_received"] = table.received;
  json["sync_type"] = table.full ? "full" : "incremental";
  json["from"] = TextOrNull(table.from);
  json["to"] = TextOrNull(table.to);
  json["high_water_mark"] = TextOrNull(table.high_water_mark);
  json["last_sync_timestamp"] = TimeOrNull(table.last_commit_us);
  json["status"] = SyncStatusName(table.status);
  return json;
}

// The smallest mark over the tables that have one, times compared as times.
std::string LowestMark(const SyncOutcome& outcome) {
  std::string lowest;
  std::optional<int64_t> lowest_us;
  for (const TableOutcome& table : outcome.tables) {
    if (table.high_water_mark.empty()) continue;
    const absl::StatusOr<ParsedTime> time = ParseTime(table.high_water_mark);
    const std::optional<int64_t> us = time.ok() ? std::optional<int64_t>(time->us) : std::nullopt;
    const bool lower = lowest.empty() ||
                       (us.has_value() && lowest_us.has_value() ? *us < *lowest_us
                                                                : table.high_water_mark < lowest);
    if (!lower) continue;
    lowest = table.high_water_mark;
    lowest_us = us;
  }
  return lowest;
}

Json CheckpointPart(const SyncOutcome& outcome) {
  Json json;
  int64_t last_commit = kNoTime;
  for (const TableOutcome& table : outcome.tables) {
    last_commit = std::max(last_commit, table.last_commit_us);
  }
  int64_t version = 0;
  for (const SyncOutcome::EntryVersions& entry : outcome.state) {
    version = std::max(version, entry.after);
  }
  const std::string mark = LowestMark(outcome);
  json["last_sync_timestamp"] = TimeOrNull(last_commit);
  json["processed_record_ids"] = outcome.last_record_ids;
  json["high_water_mark"] = TextOrNull(mark);
  json["state_version"] = "1.0";
  json["version"] = version;
  json["entries"] = Json::array();
  for (const SyncOutcome::EntryVersions& entry : outcome.state) {
    json["entries"].push_back({{"entry", entry.entry},
                               {"version_before", entry.before},
                               {"version_after", entry.after},
                               {"cursor", TextOrNull(entry.cursor)}});
  }
  const absl::StatusOr<ParsedTime> time = ParseTime(mark);
  json["lag_seconds"] =
      time.ok() ? Json(Seconds(time->us, outcome.completed_at_us)) : Json(nullptr);
  return json;
}

Json Error(const SyncError& error) {
  return {{"code", absl::StatusCodeToString(error.code)},
          {"message", error.message},
          {"table", TextOrNull(error.table)},
          {"record_id", TextOrNull(error.record_id)},
          {"retryable", error.retryable},
          {"at", TimeOrNull(error.at_us)}};
}

}  // namespace

Json SyncReport(const ReportNames& names, const SyncOutcome& outcome) {
  bool full = names.full || outcome.tables.empty();
  for (const TableOutcome& table : outcome.tables) full = full || table.full;
  Json json;
  json["metadata"] = {{"sync_id", outcome.sync_id},
                      {"source", names.source},
                      {"destination", names.destination},
                      {"started_at", TimeOrNull(outcome.started_at_us)},
                      {"completed_at", TimeOrNull(outcome.completed_at_us)},
                      {"duration_seconds", Seconds(outcome.started_at_us, outcome.completed_at_us)},
                      {"status", SyncStatusName(outcome.status)},
                      {"connection", names.connection},
                      {"sync_type", full ? "full" : "incremental"},
                      {"interrupted", outcome.interrupted},
                      {"engine", EngineVersion()}};
  json["statistics"] = Statistics(outcome);
  json["tables"] = Json::array();
  for (const TableOutcome& table : outcome.tables) json["tables"].push_back(Table(table));
  json["conflicts"] = Json::array();
  json["conflict_detection"] = "off";
  json["late_arriving_data"] = Json::array();
  json["late_detection"] = "off";
  json["checkpoint"] = CheckpointPart(outcome);
  json["schema_changes"] = Json::array();
  for (const SchemaChange& change : outcome.schema_changes) {
    json["schema_changes"].push_back(
        {{"table", change.table}, {"column", TextOrNull(change.column)}, {"change", change.what}});
  }
  json["errors"] = Json::array();
  for (const SyncError& error : outcome.errors) json["errors"].push_back(Error(error));
  if (outcome.errors.empty() && !outcome.error.ok()) {
    json["errors"].push_back(Error({outcome.error.code(), std::string(outcome.error.message()), "",
                                    "", false, outcome.completed_at_us}));
    json["statistics"]["errors"] = 1;
  }
  json["warnings"] = outcome.warnings;
  return json;
}

}  // namespace tidemark
