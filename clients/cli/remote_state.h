// A change of the state on a server: the plan first, then, when it was agreed to, the change.
#ifndef TIDEMARK_CLIENTS_CLI_REMOTE_STATE_H_
#define TIDEMARK_CLIENTS_CLI_REMOTE_STATE_H_

#include <string>

#include "remote_commands.h"

namespace tidemark {

// What would be changed, for people.
void NoteChange(Session& session, const v1::StateChange& change);
// Whether the change that was shown shall be made: --yes, or the answer on a terminal.
absl::Status AgreedTo(RemoteCommand& call, const std::string& action,
                      const std::string& connection);
// Prints what was done (the document with --json).
ExitCode ShowChange(Session& session, const v1::StateChange& change);

// `method` is called with dry_run first. Where nothing moves, that is the end of it.
template <typename Request>
ExitCode ChangeState(RemoteCommand& call, const std::string& action,
                     grpc::Status (v1::Control::Stub::*method)(grpc::ClientContext*, const Request&,
                                                               v1::StateChange*),
                     Request request) {
  v1::StateChange change;
  request.set_dry_run(true);
  if (absl::Status status = call.server.Call(method, request, &change); !status.ok()) {
    return call.session.Fail(status);
  }
  NoteChange(call.session, change);
  const auto plan = nlohmann::ordered_json::parse(change.json(), nullptr, false);
  const bool nothing = (plan.is_object() && plan.contains("done")) || change.moves().empty();
  if (nothing) return ShowChange(call.session, change);
  if (absl::Status agreed = AgreedTo(call, action, request.connection()); !agreed.ok()) {
    if (call.session.json()) call.session.PrintJson(plan);
    return call.session.Fail(agreed);
  }
  request.set_dry_run(false);
  change.Clear();
  if (absl::Status status = call.server.Call(method, request, &change); !status.ok()) {
    return call.session.Fail(status);
  }
  return ShowChange(call.session, change);
}

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_REMOTE_STATE_H_
