#include "pipeline/outcome.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status_context.h"
#include "core/time_text.h"
#include "pipeline/table_rules.h"

namespace tidemark {
namespace {

void WarnOfNotes(SyncRun& run, const std::string& name, const TableRun& table) {
  for (size_t i = 0; i < table.notes.size() && i < table.columns.size(); ++i) {
    const ConversionNotes& notes = table.notes[i];
    const auto warn = [&](uint64_t count, absl::string_view what) {
      if (count == 0) return;
      run.Warn(name, absl::StrCat("column ", table.columns[i], ": ", count, " ", what));
    };
    warn(notes.nan, "NaN stored as NULL");
    warn(notes.infinity, "infinite values stored as NULL");
    warn(notes.nul_stripped, "texts stored without their U+0000");
    warn(notes.truncated, "times cut to microseconds");
    warn(notes.leap_seconds, "leap seconds stored as 59.999999");
  }
}

SyncStatus StatusOf(const TableRun& table, const SyncOutcome& outcome) {
  if (!table.failure.ok()) return SyncStatus::kFailed;
  if (!outcome.error.ok() && !table.done) return SyncStatus::kFailed;
  if (table.dead_letters > 0 || table.counts_differ || !table.done) return SyncStatus::kPartial;
  return SyncStatus::kCompleted;
}

// Status and first reason of the whole.
void Judge(SyncRun& run, size_t tables, size_t failed) {
  SyncOutcome& outcome = run.outcome;
  if (!outcome.error.ok()) {
    outcome.status = SyncStatus::kFailed;
    return;
  }
  if (tables > 0 && failed == tables) {
    outcome.status = SyncStatus::kFailed;
    for (const auto& [name, table] : run.tables) {
      if (outcome.error.ok() && !table.failure.ok()) outcome.error = table.failure;
    }
    return;
  }
  bool partial = !run.MayAcknowledge() || outcome.interrupted || run.tail_discarded || failed > 0 ||
                 run.dead_letters > 0;
  for (const TableOutcome& table : outcome.tables) {
    partial = partial || table.status != SyncStatus::kCompleted;
  }
  outcome.status = partial ? SyncStatus::kPartial : SyncStatus::kCompleted;
}

void AddTable(SyncRun& run, const std::string& name, TableRun& table) {
  TableOutcome& outcome = table.outcome;
  const StateEntry* entry = run.book.Find(name);
  if (entry == nullptr) entry = run.book.Find("");
  if (entry != nullptr) outcome.to = outcome.high_water_mark = entry->cursor;
  if (table.counted) {
    outcome.sent =
        static_cast<uint64_t>(static_cast<int64_t>(outcome.received) + table.sent_surplus);
  }
  outcome.status = StatusOf(table, run.outcome);
  if (table.dead_letters > 0) {
    run.Warn(name, absl::StrCat(table.dead_letters,
                                " dead letters; the first: ", table.first_dead_letter));
  }
  if (outcome.counts.missing_updates > 0) {
    run.Warn(name, absl::StrCat(outcome.counts.missing_updates,
                                " updates of rows that are not there were not applied"));
  }
  // Without rows, the columns of an undeclared table are not known.
  if (run.outcome.error.ok() && outcome.received > 0) {
    for (const std::string& column : table.unknown_columns) {
      run.Warn(name, absl::StrCat("its rule names the column ", column,
                                  ", which the source does not have"));
    }
  }
  WarnOfNotes(run, name, table);
  if (!table.failure.ok() && !table.ended) run.AddError(table.failure, name, "");
  run.outcome.tables.push_back(outcome);
}

void WarnOfUnusedRules(SyncRun& run) {
  for (const TableRule& rule : run.options.tables) {
    if (IsGlob(rule.pattern)) continue;
    bool used = false;
    for (const TableOutcome& table : run.outcome.tables) {
      const size_t dot = table.table.rfind('.');
      used = used || table.table == rule.pattern ||
             (dot != std::string::npos && table.table.substr(dot + 1) == rule.pattern);
    }
    if (!used) run.Warn("", absl::StrCat("the source has no table ", rule.pattern));
  }
}

SyncRecord Record(const SyncRun& run) {
  SyncRecord record;
  record.sync_id = run.outcome.sync_id;
  record.connection = run.options.connection;
  record.source = run.options.source_name;
  record.destination = run.options.destination_name;
  record.started_at_us = run.outcome.started_at_us;
  return record;
}

}  // namespace

SyncRecord RunningRecord(const SyncRun& run) {
  SyncRecord record = Record(run);
  record.status = "running";
  return record;
}

void FinishOutcome(SyncRun& run) {
  SyncOutcome& outcome = run.outcome;
  size_t tables = 0;
  size_t failed = 0;
  for (auto& [name, table] : run.tables) {
    outcome.counts += table.outcome.counts;
    if (name.empty() || table.known_only) continue;
    AddTable(run, name, table);
    ++tables;
    if (!table.failure.ok()) ++failed;
  }
  run.CountBadRows();
  Judge(run, tables, failed);
  if (outcome.error.ok()) WarnOfUnusedRules(run);
  outcome.state = run.book.Versions();
  outcome.last_record_ids = RecordIdsOf(run.last_group);
  outcome.completed_at_us = run.NowUs();
}

SyncRecord FinishedRecord(const SyncRun& run) {
  SyncRecord record = Record(run);
  record.completed_at_us = run.outcome.completed_at_us;
  record.status = std::string(SyncStatusName(run.outcome.status));
  if (run.parts.report) record.report_json = run.parts.report(run.outcome);
  for (const TableOutcome& table : run.outcome.tables) {
    TableRecord& row = record.tables.emplace_back();
    row.table = table.table;
    row.status = std::string(SyncStatusName(table.status));
    row.full = table.full;
    if (table.last_commit_us != kNoTime) {
      row.last_sync_timestamp = FormatReportTime(table.last_commit_us);
    }
    row.counts = table.counts;
  }
  return record;
}

}  // namespace tidemark
