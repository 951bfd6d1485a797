#include "service/control_connections.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/exit_code.h"
#include "control/version.h"
#include "control/yaml_text.h"
#include "core/digest.h"
#include "service/call_error.h"
#include "service/connection_folder.h"
#include "service/control_messages.h"
#include "service/page_token.h"

namespace tidemark {
namespace {

constexpr size_t kScanned = 256;  // entries read at a time where some are left out

// The name that a definition gives itself; INVALID_ARGUMENT where it is no YAML or has none.
absl::StatusOr<std::string> NameOf(const std::string& yaml) {
  // Before it is parsed: that takes many times its size.
  if (yaml.size() > kMaxDefinition) {
    return WithReason(
        BadField("yaml", absl::StrCat("the definition is larger than ", kMaxDefinition, " bytes")),
        "TOO_LARGE");
  }
  absl::StatusOr<ConfigNode> root = ParseYaml("yaml", yaml);
  if (!root.ok()) return WithField(root.status(), "yaml");
  const ConfigNode* name = root->Find("name");
  if (name == nullptr || !name->is_scalar() || name->text.empty()) {
    return BadField("yaml", "the definition has no name: write `name: NAME` into it");
  }
  return name->text;
}

std::string HashOf(const ConnectionEntry& entry) {
  return entry.yaml == nullptr ? "" : Blake2b256(*entry.yaml);
}

}  // namespace

ControlConnections::ControlConnections(const ControlParts& parts)
    : parts_(parts), started_at_(parts.clock->Now()) {}

absl::Status ControlConnections::GetServer(ControlCall& call,
                                           const v1::GetServerRequest& /*request*/,
                                           v1::Server* response) {
  response->set_version(EngineVersion());
  SetTime(started_at_, response->mutable_started_at());
  response->set_connections(static_cast<uint32_t>(parts_.connections->size()));
  uint32_t running = 0;
  for (const SyncEntry& sync : parts_.syncs->Live()) {
    if (sync.phase == SyncPhase::kRunning) ++running;
  }
  response->set_running_syncs(running);
  response->set_max_running_syncs(static_cast<uint32_t>(parts_.settings->max_syncs));
  response->set_role(std::string(RoleName(call.admitted.principal.role)));
  response->set_principal(call.admitted.principal.name);
  return absl::OkStatus();
}

absl::Status ControlConnections::List(ControlCall& call, const v1::ListConnectionsRequest& request,
                                      v1::ListConnectionsResponse* response) {
  absl::StatusOr<PageRequest> page = ReadPage(request);
  if (!page.ok()) return page.status();
  if (absl::Status mask = CheckMask(request.read_mask(), *v1::ConnectionRecord::descriptor());
      !mask.ok()) {
    return mask;
  }
  std::string after = page->after;
  std::string last;
  while (true) {
    const std::vector<ConnectionEntry> entries = parts_.connections->List(after, kScanned);
    for (const ConnectionEntry& entry : entries) {
      after = entry.name;
      if (!CallGate::Sees(call.admitted, entry.name)) continue;
      v1::ConnectionRecord record;
      ToMessage(entry, parts_, &record);
      if (request.health() != v1::CONNECTION_HEALTH_UNSPECIFIED &&
          record.health() != request.health()) {
        continue;
      }
      if (static_cast<size_t>(response->connections_size()) == page->size) {
        response->set_next_page_token(PageToken(request, last));
        return absl::OkStatus();
      }
      ApplyMask(request.read_mask(), &record);
      *response->add_connections() = std::move(record);
      last = entry.name;
    }
    if (entries.size() < kScanned) return absl::OkStatus();
  }
}

absl::Status ControlConnections::Get(ControlCall& /*call*/, const v1::GetConnectionRequest& request,
                                     v1::ConnectionRecord* response) {
  if (absl::Status mask = CheckMask(request.read_mask(), *v1::ConnectionRecord::descriptor());
      !mask.ok()) {
    return mask;
  }
  absl::StatusOr<ConnectionEntry> entry = parts_.connections->Get(request.name());
  if (!entry.ok()) return entry.status();
  ToMessage(*entry, parts_, response);
  ApplyMask(request.read_mask(), response);
  return absl::OkStatus();
}

absl::StatusOr<ApplyResult> ControlConnections::ApplyOnce(
    ControlCall& call, const v1::ApplyConnectionRequest& request) {
  absl::StatusOr<ApplyResult> result =
      parts_.connections->Apply(request.yaml(), request.dry_run(), request.expected_version());
  // The first call may have made the version that is in the way now: then nothing is left to do.
  if (!call.repeated || !absl::IsAborted(result.status())) return result;
  absl::StatusOr<ApplyResult> now = parts_.connections->Apply(request.yaml(), true, 0);
  return now.ok() && !now->changed ? now : result;
}

absl::Status ControlConnections::Apply(ControlCall& call, const v1::ApplyConnectionRequest& request,
                                       v1::ApplyConnectionResponse* response) {
  absl::StatusOr<std::string> name = NameOf(request.yaml());
  if (!name.ok()) return name.status();
  if (absl::Status may = parts_.gate->Allow(call.admitted, *name); !may.ok()) return may;
  if (absl::StatusOr<ConnectionEntry> before = parts_.connections->Get(*name); before.ok()) {
    call.before_hash = HashOf(*before);
  }
  absl::StatusOr<ApplyResult> result = ApplyOnce(call, request);
  if (!result.ok()) {
    if (absl::IsAlreadyExists(result.status())) return WithReason(result.status(), "READ_ONLY");
    return IsUsage(result.status()) || absl::IsInvalidArgument(result.status())
               ? WithField(WithReason(absl::InvalidArgumentError(result.status().message()),
                                      "INVALID_DEFINITION"),
                           "yaml")
               : result.status();
  }
  if (!request.dry_run()) call.after_hash = HashOf(result->entry);
  ToMessage(result->entry, parts_, response->mutable_connection());
  response->set_created(result->created);
  response->set_changed(result->changed);
  for (const std::string& change : result->changes) {
    response->add_changes(parts_.redactor->Apply(change));
  }
  for (const std::string& warning : result->warnings) {
    response->add_warnings(parts_.redactor->Apply(warning));
  }
  return absl::OkStatus();
}

absl::Status ControlConnections::Delete(ControlCall& call,
                                        const v1::DeleteConnectionRequest& request,
                                        v1::DeleteConnectionResponse* /*response*/) {
  absl::StatusOr<ConnectionEntry> entry = parts_.connections->Get(request.name());
  if (!entry.ok()) {
    return call.repeated && absl::IsNotFound(entry.status()) ? absl::OkStatus() : entry.status();
  }
  call.before_hash = HashOf(*entry);
  // The scheduler, which the book tells, ends a sync that runs.
  absl::Status deleted = parts_.connections->Delete(request.name(), request.expected_version());
  return absl::IsFailedPrecondition(deleted) ? WithReason(std::move(deleted), "READ_ONLY")
                                             : deleted;
}

absl::Status ControlConnections::SetPaused(const std::string& name, bool paused,
                                           v1::ConnectionRecord* response) {
  absl::StatusOr<ConnectionEntry> entry = parts_.connections->SetPaused(name, paused);
  if (!entry.ok()) return entry.status();
  if (!paused && parts_.close_breaker) parts_.close_breaker(name);
  ToMessage(*entry, parts_, response);
  return absl::OkStatus();
}

absl::Status ControlConnections::Pause(ControlCall& /*call*/,
                                       const v1::PauseConnectionRequest& request,
                                       v1::ConnectionRecord* response) {
  return SetPaused(request.name(), true, response);
}

absl::Status ControlConnections::Resume(ControlCall& /*call*/,
                                        const v1::ResumeConnectionRequest& request,
                                        v1::ConnectionRecord* response) {
  return SetPaused(request.name(), false, response);
}

}  // namespace tidemark
