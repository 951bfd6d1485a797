// `tidemark --server ... run`, `report` and `sync`.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/report.h"
#include "core/time_text.h"
#include "remote_commands.h"
#include "remote_watch.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;
using Stub = v1::Control::Stub;

absl::StatusOr<v1::StartSyncRequest> StartRequest(RemoteCommand& call, const std::string& name) {
  v1::StartSyncRequest request;
  request.set_connection(name);
  request.set_full(call.Flag("--full"));
  for (const std::string& table : call.Texts("--table")) request.add_tables(table);
  if (const std::string since = call.Text("--since"); !since.empty()) {
    absl::StatusOr<ParsedTime> time = ParseTime(since);
    if (!time.ok()) return AsUsage(time.status());
    request.mutable_since()->set_seconds(time->us / 1'000'000);
    request.mutable_since()->set_nanos(static_cast<int32_t>(time->us % 1'000'000) * 1000);
  }
  return request;
}

ExitCode Run(RemoteCommand& call) {
  for (const char* option : {"--follow", "--dry-run", "--take-over", "--source", "--destination"}) {
    if (!call.Flag(option)) continue;
    return call.session.Fail(AsUsage(absl::InvalidArgumentError(
        absl::StrCat("run ", option, " works on this machine alone; leave --server away"))));
  }
  absl::StatusOr<std::string> name = call.Connection(true);
  if (!name.ok()) return call.session.Fail(name.status());
  absl::StatusOr<v1::StartSyncRequest> request = StartRequest(call, *name);
  if (!request.ok()) return call.session.Fail(request.status());
  v1::Sync sync;
  if (absl::Status status = call.server.Call(&Stub::StartSync, *request, &sync); !status.ok()) {
    return call.session.Fail(status);
  }
  absl::StatusOr<v1::Sync> ended = WatchSync(call, sync.sync_id(), true);
  if (!ended.ok()) return call.session.Fail(ended.status());
  return ShowEnded(call, *ended);
}

std::string StatusCell(v1::SyncStatus status) {
  switch (status) {
    case v1::SYNC_STATUS_QUEUED:
      return "queued";
    case v1::SYNC_STATUS_RUNNING:
      return "running";
    case v1::SYNC_STATUS_COMPLETED:
      return "completed";
    case v1::SYNC_STATUS_PARTIAL:
      return "partial";
    case v1::SYNC_STATUS_FAILED:
      return "failed";
    default:
      return "";
  }
}

uint64_t Records(const v1::RowCounts& counts) {
  return counts.inserted() + counts.updated() + counts.deleted() + counts.unchanged() +
         counts.superseded() + counts.missing() + counts.conflicts() + counts.late_queued() +
         counts.dead_letters();
}

// The newest syncs, at most `limit`.
absl::StatusOr<std::vector<v1::Sync>> Syncs(RemoteCommand& call, const std::string& connection,
                                            bool ended, size_t limit) {
  std::vector<v1::Sync> syncs;
  v1::ListSyncsRequest request;
  request.set_connection(connection);
  if (ended) {
    request.add_statuses(v1::SYNC_STATUS_COMPLETED);
    request.add_statuses(v1::SYNC_STATUS_PARTIAL);
    request.add_statuses(v1::SYNC_STATUS_FAILED);
  }
  request.set_page_size(static_cast<uint32_t>(std::min<size_t>(limit, kRemotePage)));
  do {
    v1::ListSyncsResponse response;
    absl::Status status = call.server.Call(&Stub::ListSyncs, request, &response);
    if (!status.ok()) return status;
    for (const v1::Sync& sync : response.syncs()) {
      if (syncs.size() < limit) syncs.push_back(sync);
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && syncs.size() < limit);
  return syncs;
}

absl::StatusOr<Json> ReportOf(RemoteCommand& call, const v1::GetReportRequest& request) {
  v1::GetReportResponse response;
  absl::Status status = call.server.Call(&Stub::GetReport, request, &response);
  if (!status.ok()) return status;
  Json report = Json::parse(response.json(), nullptr, false);
  if (report.is_discarded()) return absl::DataLossError("the stored report is damaged");
  return report;
}

ExitCode ListReports(RemoteCommand& call, const std::string& connection) {
  const auto limit = static_cast<size_t>(call.Number("--limit", 20));
  absl::StatusOr<std::vector<v1::Sync>> syncs = Syncs(call, connection, true, limit);
  if (!syncs.ok()) return call.session.Fail(syncs.status());
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const v1::Sync& sync : *syncs) {
    rows.push_back({sync.sync_id(), sync.connection(),
                    TimeCell(sync.has_started_at(), sync.started_at()), StatusCell(sync.status()),
                    Grouped(Records(sync.counts()))});
    if (!call.session.json()) continue;
    v1::GetReportRequest request;
    request.set_sync_id(sync.sync_id());
    absl::StatusOr<Json> report = ReportOf(call, request);
    list.push_back(report.ok() && report->contains("metadata") ? (*report)["metadata"]
                                                               : MessageJson(sync));
  }
  call.session.json()
      ? call.session.PrintJson(list)
      : call.session.Print(TextTable({"sync", "connection", "started", "status", "records"}, rows));
  return ExitCode::kDone;
}

ExitCode Report(RemoteCommand& call) {
  v1::GetReportRequest request;
  request.set_sync_id(call.Text("--sync"));
  if (request.sync_id().empty()) {
    absl::StatusOr<std::string> name = call.Connection();
    if (!name.ok()) return call.session.Fail(name.status());
    if (call.Flag("--list")) return ListReports(call, *name);
    request.set_connection(*name);
  }
  absl::StatusOr<Json> report = ReportOf(call, request);
  if (!report.ok()) return call.session.Fail(report.status());
  call.session.json() ? call.session.PrintJson(*report) : call.session.Print(ReportText(*report));
  return ExitCode::kDone;
}

ExitCode ShowSync(Session& session, const v1::Sync& sync) {
  if (session.json()) {
    session.PrintJson(MessageJson(sync));
    return ExitCode::kDone;
  }
  session.Print(
      TextTable({"sync", "connection", "status", "queued", "started", "ended", "records", "error"},
                {{sync.sync_id(), sync.connection(), StatusCell(sync.status()),
                  TimeCell(sync.has_queued_at(), sync.queued_at()),
                  TimeCell(sync.has_started_at(), sync.started_at()),
                  TimeCell(sync.has_ended_at(), sync.ended_at()), Grouped(Records(sync.counts())),
                  sync.error()}}));
  return ExitCode::kDone;
}

ExitCode Start(RemoteCommand& call) {
  absl::StatusOr<v1::StartSyncRequest> request = StartRequest(call, call.Text("CONNECTION"));
  if (!request.ok()) return call.session.Fail(request.status());
  request->set_idempotency_key(call.Text("--idempotency-key"));
  v1::Sync sync;
  if (absl::Status status = call.server.Call(&Stub::StartSync, *request, &sync); !status.ok()) {
    return call.session.Fail(status);
  }
  return ShowSync(call.session, sync);
}

ExitCode Stop(RemoteCommand& call) {
  v1::StopSyncRequest request;
  request.set_sync_id(call.Text("SYNC"));
  request.set_now(call.Flag("--now"));
  v1::Sync sync;
  if (absl::Status status = call.server.Call(&Stub::StopSync, request, &sync); !status.ok()) {
    return call.session.Fail(status);
  }
  return ShowSync(call.session, sync);
}

ExitCode Show(RemoteCommand& call) {
  v1::GetSyncRequest request;
  request.set_sync_id(call.Text("SYNC"));
  v1::Sync sync;
  if (absl::Status status = call.server.Call(&Stub::GetSync, request, &sync); !status.ok()) {
    return call.session.Fail(status);
  }
  return ShowSync(call.session, sync);
}

ExitCode ListSyncs(RemoteCommand& call) {
  absl::StatusOr<std::vector<v1::Sync>> syncs =
      Syncs(call, call.Text("CONNECTION"), false, static_cast<size_t>(call.Number("--limit", 20)));
  if (!syncs.ok()) return call.session.Fail(syncs.status());
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const v1::Sync& sync : *syncs) {
    json.push_back(MessageJson(sync));
    rows.push_back({sync.sync_id(), sync.connection(), StatusCell(sync.status()),
                    TimeCell(sync.has_queued_at(), sync.queued_at()),
                    TimeCell(sync.has_ended_at(), sync.ended_at()),
                    Grouped(Records(sync.counts()))});
  }
  call.session.json() ? call.session.PrintJson(json)
                      : call.session.Print(TextTable(
                            {"sync", "connection", "status", "queued", "ended", "records"}, rows));
  return ExitCode::kDone;
}

ExitCode Watch(RemoteCommand& call) {
  absl::StatusOr<v1::Sync> sync = WatchSync(call, call.Text("SYNC"), false);
  if (!sync.ok()) return call.session.Fail(sync.status());
  if (sync->status() < v1::SYNC_STATUS_COMPLETED) return ExitCode::kInterrupted;
  return ShowEnded(call, *sync);
}

}  // namespace

void AddRemoteSyncActions(RemoteActions* actions) {
  actions->insert({{"run", Run},
                   {"report", Report},
                   {"sync start", Start},
                   {"sync stop", Stop},
                   {"sync list", ListSyncs},
                   {"sync show", Show},
                   {"sync watch", Watch}});
}

}  // namespace tidemark
