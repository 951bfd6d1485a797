// The commands of `tidemark --server ADDR ...`: the same command line, carried out by a server.
// They read the parsed command line by the names of its options, so that the local commands know
// nothing of them.
#ifndef TIDEMARK_CLIENTS_CLI_REMOTE_COMMANDS_H_
#define TIDEMARK_CLIENTS_CLI_REMOTE_COMMANDS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "remote_server.h"
#include "session.h"

namespace CLI {
class App;
}

namespace tidemark {

// A command that was chosen, with its options as they were given.
class RemoteCommand {
 public:
  RemoteCommand(Session& session, RemoteServer& server, const CLI::App& command)
      : session(session), server(server), command_(command) {}

  Session& session;
  RemoteServer& server;

  // Of an option or an argument: "--sync", "FILE". Not given: empty, false, or `otherwise`.
  std::string Text(const std::string& name) const;
  std::optional<std::string> Given(const std::string& name) const;
  std::vector<std::string> Texts(const std::string& name) const;
  bool Flag(const std::string& name) const;
  int64_t Number(const std::string& name, int64_t otherwise) const;

  // The connection of FILE or --connection: its name. With `may_apply`, FILE may be a connection
  // file, which is applied to the server first. IsUsage() holds for errors of the command line.
  absl::StatusOr<std::string> Connection(bool may_apply = false) const;
  absl::StatusOr<std::string> Apply(const std::string& file) const;

 private:
  const CLI::App& command_;
};

constexpr uint32_t kRemotePage = 1'000;  // entries of a list that are asked for at once

using RemoteAction = std::function<ExitCode(RemoteCommand&)>;
using RemoteActions = std::map<std::string, RemoteAction>;  // by path: "state rollback"

void AddRemoteConnectionActions(RemoteActions* actions);  // check .. preview, connections, plugins
void AddRemoteSyncActions(RemoteActions* actions);        // run, report, sync
void AddRemoteStateActions(RemoteActions* actions);
void AddRemoteStateRepairActions(RemoteActions* actions);
void AddRemoteLetterActions(RemoteActions* actions);  // dead-letters, verify
void AddRemoteAccessActions(RemoteActions* actions);  // token, secret, audit

// Carries the chosen command out. What works here alone is refused with exit code 2; what needs no
// server runs as `local`.
ExitCode RunRemote(Session& session, const ServerOptions& options, const CLI::App& app,
                   const Action& local);

// A message as JSON with the names of the proto file.
nlohmann::ordered_json MessageJson(const google::protobuf::Message& message);
// "2024-01-15T10:30:00Z", or "" where it is not set.
std::string TimeCell(bool set, const google::protobuf::Timestamp& time);
// "3", a time, or a sync's id, as `tidemark state` takes them.
absl::Status ParsePoint(const std::string& text, v1::HistoryPoint* point);

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_REMOTE_COMMANDS_H_
