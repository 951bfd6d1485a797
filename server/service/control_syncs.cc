#include "service/control_syncs.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/config_node.h"
#include "control/exit_code.h"
#include "service/call_error.h"
#include "service/control_messages.h"
#include "service/page_token.h"

namespace tidemark {
namespace {

// Conflict detection is not built: the document says so in the form that it will have.
std::string ConflictsJson(const SyncEntry& sync) {
  const nlohmann::ordered_json json = {{"sync_id", sync.sync_id},
                                       {"connection", sync.connection},
                                       {"conflict_detection", "off"},
                                       {"conflicts", nlohmann::ordered_json::array()}};
  return DumpJson(json, 2);
}

}  // namespace

absl::Status SyncError(const absl::Status& status) {
  if (const std::optional<std::string> busy = BusySync(status)) {
    return WithReason(status, "CONNECTION_BUSY", {{"sync_id", *busy}});
  }
  if (IsUsage(status) && !absl::IsNotFound(status)) {
    return WithReason(absl::FailedPreconditionError(status.message()), "INVALID_DEFINITION",
                      {{"exit_code", absl::StrCat(static_cast<int>(ExitCode::kUsage))}});
  }
  return status;
}

absl::StatusOr<SyncEntry> ControlSyncs::Find(ControlCall& call, const std::string& sync_id) const {
  if (sync_id.empty()) return BadField("sync_id", "name a sync by its id");
  absl::StatusOr<SyncEntry> sync = parts_.syncs->Get(sync_id);
  if (sync.ok() && CallGate::Sees(call.admitted, sync->connection)) {
    return sync;
  }
  if (!sync.ok() && !absl::IsNotFound(sync.status())) return sync.status();
  if (sync.ok()) parts_.gate->Allow(call.admitted, sync->connection).IgnoreError();  // audited
  return absl::NotFoundError(absl::StrCat("there is no sync ", sync_id));
}

absl::Status ControlSyncs::Start(ControlCall& call, const v1::StartSyncRequest& request,
                                 v1::Sync* response) {
  SyncRequest start;
  start.connection = request.connection();
  start.trigger = SyncTrigger::kCall;
  start.full = request.full();
  start.tables.assign(request.tables().begin(), request.tables().end());
  if (request.has_since()) start.since_us = MicrosOf(request.since());
  start.started_by = call.admitted.principal.name;
  absl::StatusOr<SyncEntry> sync = parts_.runner->Start(start);
  if (!sync.ok()) return SyncError(sync.status());
  ToMessage(*sync, response);
  return absl::OkStatus();
}

absl::Status ControlSyncs::Stop(ControlCall& call, const v1::StopSyncRequest& request,
                                v1::Sync* response) {
  absl::StatusOr<SyncEntry> sync = Find(call, request.sync_id());
  if (!sync.ok()) return sync.status();
  if (!HasEnded(sync->phase)) {
    sync = parts_.runner->StopSync(request.sync_id(), request.now());
    if (!sync.ok()) return sync.status();
  }
  ToMessage(*sync, response);
  return absl::OkStatus();
}

absl::Status ControlSyncs::List(ControlCall& call, const v1::ListSyncsRequest& request,
                                v1::ListSyncsResponse* response) {
  absl::StatusOr<PageRequest> page = ReadPage(request);
  if (!page.ok()) return page.status();
  if (absl::Status mask = CheckMask(request.read_mask(), *v1::Sync::descriptor()); !mask.ok()) {
    return mask;
  }
  SyncQuery query;
  query.connection = request.connection();
  if (!request.connection().empty()) {
    if (absl::Status may = parts_.gate->Allow(call.admitted, request.connection()); !may.ok()) {
      return may;
    }
  } else if (!call.admitted.principal.connections.empty()) {
    query.may_see = [&call](absl::string_view connection) {
      return CallGate::Sees(call.admitted, connection);
    };
  }
  for (const int status : request.statuses()) {
    if (status == v1::SYNC_STATUS_UNSPECIFIED) {
      return BadField("statuses", "SYNC_STATUS_UNSPECIFIED is no status; leave the list empty");
    }
    query.phases.push_back(static_cast<SyncPhase>(status));
  }
  if (request.has_from()) query.from_us = MicrosOf(request.from());
  if (request.has_until()) query.until_us = MicrosOf(request.until());
  query.after = page->after;
  query.limit = page->size + 1;
  absl::StatusOr<std::vector<SyncEntry>> syncs = parts_.syncs->List(query);
  if (!syncs.ok()) return syncs.status();
  if (syncs->size() > page->size) {
    syncs->resize(page->size);
    response->set_next_page_token(PageToken(request, syncs->back().sync_id));
  }
  for (const SyncEntry& sync : *syncs) {
    v1::Sync* out = response->add_syncs();
    ToMessage(sync, out);
    ApplyMask(request.read_mask(), out);
  }
  return absl::OkStatus();
}

absl::Status ControlSyncs::Get(ControlCall& call, const v1::GetSyncRequest& request,
                               v1::Sync* response) {
  if (absl::Status mask = CheckMask(request.read_mask(), *v1::Sync::descriptor()); !mask.ok()) {
    return mask;
  }
  absl::StatusOr<SyncEntry> sync = Find(call, request.sync_id());
  if (!sync.ok()) return sync.status();
  ToMessage(*sync, response);
  ApplyMask(request.read_mask(), response);
  return absl::OkStatus();
}

absl::Status ControlSyncs::GetReport(ControlCall& call, const v1::GetReportRequest& request,
                                     v1::GetReportResponse* response) {
  SyncEntry sync;
  if (!request.sync_id().empty()) {
    absl::StatusOr<SyncEntry> found = Find(call, request.sync_id());
    if (!found.ok()) return found.status();
    sync = *std::move(found);
  } else {
    if (request.connection().empty()) return BadField("sync_id", "name a sync or a connection");
    if (absl::Status may = parts_.gate->Allow(call.admitted, request.connection()); !may.ok()) {
      return may;
    }
    std::optional<SyncEntry> last = parts_.syncs->Last(request.connection());
    if (!last.has_value()) {
      return absl::NotFoundError(
          absl::StrCat("no sync of connection ", request.connection(), " has ended yet"));
    }
    sync = *std::move(last);
  }
  absl::StatusOr<std::string> json = parts_.syncs->Report(sync.sync_id);
  if (!json.ok()) return json.status();
  if (absl::Status read = ReportToMessage(*json, response->mutable_report()); !read.ok()) {
    parts_.log->Write(LogLevel::kError, {sync.connection, sync.sync_id, ""}, read.message());
  }
  response->set_json(*std::move(json));
  response->set_conflicts_json(ConflictsJson(sync));
  return absl::OkStatus();
}

}  // namespace tidemark
