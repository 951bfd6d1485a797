// `tidemark report`: the stored Sync Status Reports.
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "commands.h"
#include "control/report.h"
#include "core/time_text.h"
#include "stored_destination.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct ReportOptions {
  StoredChoice stored;
  std::string sync;
  bool list = false;
  int limit = 20;
};

// The report of a sync that has none yet (it still runs, or it was killed) is made of its record.
Json StoredReport(const SyncRecord& record) {
  Json report = Json::parse(record.report_json, nullptr, false);
  if (report.is_object()) return report;
  const auto time = [](int64_t us) {
    return us == kNoTime ? Json(nullptr) : Json(FormatReportTime(us));
  };
  report = {{"metadata",
             {{"sync_id", record.sync_id},
              {"source", record.source},
              {"destination", record.destination},
              {"started_at", time(record.started_at_us)},
              {"completed_at", time(record.completed_at_us)},
              {"status", record.status},
              {"connection", record.connection}}}};
  return report;
}

ExitCode ListReports(Session& session, const std::vector<SyncRecord>& syncs) {
  if (session.json()) {
    Json list = Json::array();
    for (const SyncRecord& record : syncs) list.push_back(StoredReport(record)["metadata"]);
    session.PrintJson(list);
    return ExitCode::kDone;
  }
  std::vector<std::vector<std::string>> rows;
  for (const SyncRecord& record : syncs) {
    uint64_t records = 0;
    for (const TableRecord& table : record.tables) records += table.counts.Sum();
    rows.push_back({record.sync_id, record.connection, FormatReportTime(record.started_at_us),
                    record.status, Grouped(records)});
  }
  session.Print(TextTable({"sync", "connection", "started", "status", "records"}, rows));
  return ExitCode::kDone;
}

ExitCode Report(Session& session, const ReportOptions& options) {
  absl::StatusOr<StoredDestination> stored = OpenStored(options.stored, false);
  if (!stored.ok()) return session.Fail(stored.status());
  if (!options.sync.empty()) {
    absl::StatusOr<SyncRecord> record = stored->reader->Sync(options.sync);
    if (!record.ok()) return session.Fail(AsLocal(record.status()));
    const Json report = StoredReport(*record);
    session.json() ? session.PrintJson(report) : session.Print(ReportText(report));
    return ExitCode::kDone;
  }
  absl::StatusOr<std::vector<SyncRecord>> syncs =
      stored->reader->Syncs(stored->connection, options.list ? options.limit : 1);
  if (!syncs.ok()) return session.Fail(AsLocal(syncs.status()));
  if (options.list) return ListReports(session, *syncs);
  if (syncs->empty()) {
    return session.Fail(absl::NotFoundError(
        absl::StrCat(stored->path, ": no sync yet",
                     stored->connection.empty() ? "" : " of connection ", stored->connection)));
  }
  const Json report = StoredReport(syncs->front());
  session.json() ? session.PrintJson(report) : session.Print(ReportText(report));
  return ExitCode::kDone;
}

}  // namespace

void AddReportCommand(CLI::App& app, Action* action) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* command = app.add_subcommand("report", "Show the report of the last sync");
  AddStoredOptions(*command, &options->stored);
  command->add_option("--sync", options->sync, "The report of this sync");
  command->add_flag("--list", options->list, "List the syncs, newest first");
  command->add_option("--limit", options->limit, "How many to list")
      ->check(CLI::Range(1, 1'000'000));
  command->callback([options, action] {
    *action = [options](Session& session) { return Report(session, *options); };
  });
}

}  // namespace tidemark
