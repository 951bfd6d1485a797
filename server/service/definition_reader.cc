#include "service/definition_reader.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/config_node.h"
#include "control/exit_code.h"
#include "control/yaml_text.h"
#include "core/file_system.h"

namespace tidemark {
namespace {

// Links followed as far as the path exists and may be looked at.
std::string RealPath(const std::string& path) {
  std::error_code error;
  std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  if (error) real = std::filesystem::absolute(path, error).lexically_normal();
  return real.string();
}

bool IsBelow(const std::string& path, const std::string& folder) {
  return path == folder || absl::StartsWith(path, absl::StrCat(folder, "/"));
}

// Absolute paths among the values of `node`.
void AddPaths(const ConfigNode& node, std::vector<std::string>* paths) {
  if (node.is_scalar() && absl::StartsWith(node.text, "/")) paths->push_back(node.text);
  for (const ConfigNode& item : node.items) AddPaths(item, paths);
  for (const ConfigNode::Entry& entry : node.entries) AddPaths(entry.value, paths);
}

bool IsPath(absl::string_view connector) {
  const bool address = absl::StrContains(connector, "://") || absl::StartsWith(connector, "unix:");
  return !address && (absl::StrContains(connector, "/") || absl::EndsWith(connector, ".so"));
}

}  // namespace

DefinitionReader::DefinitionReader(std::string data_folder, SecretLookup secret)
    : data_folder_(std::move(data_folder)),
      api_folder_(absl::StrCat(data_folder_, "/files")),
      secret_(std::move(secret)) {}

absl::StatusOr<Connection> DefinitionReader::Read(
    ConnectionOrigin origin, const std::string& file, absl::string_view yaml,
    const std::map<std::string, std::string>& variables) const {
  ReferenceSources references;
  references.secret = secret_;
  std::string folder = api_folder_;
  if (origin == ConnectionOrigin::kFolder) {
    references.environment = ProcessEnvironment(variables);
    folder = FolderOf(file);
  } else {
    references.files = false;
  }
  absl::StatusOr<Connection> connection = ParseConnection(file, folder, yaml, references);
  if (!connection.ok()) return connection;
  connection->destination.path = RealPath(connection->destination.path);
  if (absl::Status status = CheckLimits(origin, *connection); !status.ok()) return status;
  return connection;
}

ExaminedDefinition DefinitionReader::Examine(
    ConnectionOrigin origin, const std::string& file, std::shared_ptr<const std::string> text,
    const std::map<std::string, std::string>& variables) const {
  ExaminedDefinition out;
  out.text = std::move(text);
  ConnectionEntry& entry = out.entry;
  entry.origin = origin;
  entry.file = file;
  entry.folder = origin == ConnectionOrigin::kApi ? api_folder_ : FolderOf(file);
  absl::StatusOr<Connection> connection = Read(origin, file, *out.text, variables);
  if (!connection.ok()) {
    entry.problem = std::string(connection.status().message());
    out.name = NameInDefinition(*out.text);
    return out;
  }
  out.name = connection->name;
  out.warnings = std::move(connection->warnings);
  entry.usable = true;
  entry.schedule = connection->schedule;
  entry.connector = connection->source.connector;
  entry.destination_type = connection->destination.type;
  entry.destination_path = connection->destination.path;
  entry.priority = connection->priority;
  return out;
}

// The data folder holds the keys of everybody's secrets.
bool DefinitionReader::IsReserved(const std::string& path) const {
  const std::string real = RealPath(path);
  return IsBelow(real, data_folder_) && !IsBelow(real, api_folder_);
}

absl::Status DefinitionReader::CheckLimits(ConnectionOrigin origin,
                                           const Connection& connection) const {
  std::vector<std::string> problems;
  const auto add = [&](absl::string_view key, absl::string_view text) {
    problems.push_back(absl::StrCat(connection.file, ": ", key, ": ", text));
  };
  const SourceSettings& source = connection.source;
  const auto check_path = [&](absl::string_view key, const std::string& path) {
    if (IsReserved(path)) {
      add(key,
          absl::StrCat("lies in the server's data folder; only ", api_folder_, " may be used"));
    }
  };
  check_path("sync.destination.connection", connection.destination.path);
  if (!connection.storage.path.empty()) {
    check_path("state.storage.connection", connection.storage.path);
  }
  if (source.connection.has_value() && absl::StartsWith(source.connection->text, "/")) {
    check_path("sync.source.connection", source.connection->text);
  }
  std::vector<std::string> paths;
  AddPaths(source.config, &paths);
  for (const std::string& path : paths) check_path("sync.source.config", path);
  for (const std::string& path : source.sandbox_paths) check_path("sync.sandbox_paths", path);
  for (const std::string& path : source.sandbox_write_paths) {
    check_path("sync.sandbox_write_paths", path);
  }
  if (origin == ConnectionOrigin::kApi) {
    if (source.in_process) {
      add("sync.isolation", "in_process may only be chosen by a file of the server's folder");
    }
    if (!source.sandbox) {
      add("sync.sandbox", "off may only be chosen by a file of the server's folder");
    }
    if (IsPath(source.connector)) {
      add("sync.source.connector",
          "a path may only be given by a file of the server's folder; name a plugin by its id");
    }
  }
  if (problems.empty()) return absl::OkStatus();
  return AsUsage(absl::InvalidArgumentError(absl::StrJoin(problems, "\n")));
}

std::string NameInDefinition(absl::string_view yaml) {
  const absl::StatusOr<ConfigNode> root = ParseYaml("", yaml);
  if (!root.ok() || !root->is_map()) return "";
  const ConfigNode* name = root->Find("name");
  if (name == nullptr || !name->is_scalar() || !IsConnectionName(name->text)) return "";
  return name->text;
}

}  // namespace tidemark
