#include "remote_commands.h"

#include <google/protobuf/util/json_util.h>

#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/references.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

constexpr size_t kMaxDefinition = 1024 * 1024;

// What says the same with and without a server.
constexpr const char* kAnywhere[] = {"explain", "schema", "version",         "completion",
                                     "man",     "init",   "init connection", "init connector",
                                     "proto"};

// The innermost chosen subcommand and the words that lead to it.
const CLI::App& Chosen(const CLI::App& app, std::string* path) {
  const CLI::App* command = &app;
  std::vector<std::string> words;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    words.push_back(command->get_name());
  }
  *path = absl::StrJoin(words, " ");
  return *command;
}

RemoteActions AllActions() {
  RemoteActions actions;
  AddRemoteConnectionActions(&actions);
  AddRemoteSyncActions(&actions);
  AddRemoteStateActions(&actions);
  AddRemoteStateRepairActions(&actions);
  AddRemoteLetterActions(&actions);
  AddRemoteAccessActions(&actions);
  return actions;
}

bool IsDefinition(const std::string& file) {
  return absl::EndsWith(file, ".yaml") || absl::EndsWith(file, ".yml");
}

}  // namespace

std::optional<std::string> RemoteCommand::Given(const std::string& name) const {
  const CLI::Option* option = command_.get_option_no_throw(name);
  if (option == nullptr || option->count() == 0 || option->results().empty()) return std::nullopt;
  return option->results().back();
}

std::string RemoteCommand::Text(const std::string& name) const { return Given(name).value_or(""); }

std::vector<std::string> RemoteCommand::Texts(const std::string& name) const {
  const CLI::Option* option = command_.get_option_no_throw(name);
  return option == nullptr || option->count() == 0 ? std::vector<std::string>() : option->results();
}

bool RemoteCommand::Flag(const std::string& name) const {
  const CLI::Option* option = command_.get_option_no_throw(name);
  return option != nullptr && option->count() > 0;
}

int64_t RemoteCommand::Number(const std::string& name, int64_t otherwise) const {
  int64_t number = 0;
  const std::optional<std::string> text = Given(name);
  return text.has_value() && absl::SimpleAtoi(*text, &number) ? number : otherwise;
}

absl::StatusOr<std::string> RemoteCommand::Apply(const std::string& file) const {
  absl::StatusOr<std::string> text = ReadTextFile(file, kMaxDefinition);
  if (!text.ok()) return AsUsage(text.status());
  v1::ApplyConnectionRequest request;
  request.set_yaml(*text);
  v1::ApplyConnectionResponse response;
  absl::Status status = server.Call(&v1::Control::Stub::ApplyConnection, request, &response);
  if (!status.ok()) return status;
  for (const std::string& warning : response.warnings()) {
    session.log().Write(LogLevel::kWarning, {response.connection().name(), "", ""}, warning);
  }
  if (response.changed()) {
    session.log().Write(LogLevel::kInfo, {response.connection().name(), "", ""},
                        absl::StrCat(file, " is now version ", response.connection().version(),
                                     " of the server's connection"));
  }
  return response.connection().name();
}

absl::StatusOr<std::string> RemoteCommand::Connection(bool may_apply) const {
  if (!Text("--db").empty()) {
    return AsUsage(absl::InvalidArgumentError(
        "--db names a database of this machine; with --server name a connection"));
  }
  std::string name = Text("FILE");
  if (name.empty()) name = Text("--connection");
  if (name.empty()) {
    return AsUsage(absl::InvalidArgumentError("name a connection of the server"));
  }
  if (!IsDefinition(name)) return name;
  if (may_apply) return Apply(name);
  return AsUsage(absl::InvalidArgumentError(absl::StrCat(
      name, " is a file of this machine; with --server name a connection (`tidemark --server ",
      server.address(), " connections apply ", name, "` makes one of it)")));
}

ExitCode RunRemote(Session& session, const ServerOptions& options, const CLI::App& app,
                   const Action& local) {
  std::string path;
  const CLI::App& command = Chosen(app, &path);
  for (const char* name : kAnywhere) {
    if (path == name) return local(session);
  }
  const RemoteActions actions = AllActions();
  const auto found = actions.find(path);
  if (found == actions.end()) {
    return session.Fail(AsUsage(absl::InvalidArgumentError(
        absl::StrCat("`tidemark ", path, "` works on this machine alone; leave --server away"))));
  }
  absl::StatusOr<std::unique_ptr<RemoteServer>> server = RemoteServer::Open(options);
  if (!server.ok()) return session.Fail(server.status());
  RemoteCommand call(session, **server, command);
  return found->second(call);
}

nlohmann::ordered_json MessageJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) return nullptr;
  return nlohmann::ordered_json::parse(text, nullptr, false);
}

std::string TimeCell(bool set, const google::protobuf::Timestamp& time) {
  return set ? FormatReportTime(absl::FromUnixSeconds(time.seconds())) : "";
}

absl::Status ParsePoint(const std::string& text, v1::HistoryPoint* point) {
  int64_t version = 0;
  if (absl::SimpleAtoi(text, &version)) {
    if (version < 1) return AsUsage(absl::InvalidArgumentError("versions count from 1"));
    point->set_version(version);
    return absl::OkStatus();
  }
  if (absl::StatusOr<ParsedTime> time = ParseTime(text); time.ok()) {
    point->mutable_time()->set_seconds(time->us / 1'000'000);
    point->mutable_time()->set_nanos(static_cast<int32_t>(time->us % 1'000'000) * 1000);
    return absl::OkStatus();
  }
  point->set_sync_id(text);
  return absl::OkStatus();
}

}  // namespace tidemark
