#include "service/settings.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "access/listen_address.h"
#include "control/configuration_check.h"
#include "control/exit_code.h"
#include "control/references.h"
#include "control/yaml_text.h"
#include "core/duration_text.h"
#include "core/file_system.h"
#include "service/settings_keys.h"

namespace tidemark {
namespace {

constexpr size_t kMaxFile = 1024 * 1024;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// systemd gives several folders separated by ":".
std::string FirstFolder(const char* variable) {
  const std::string value = Variable(variable);
  return value.substr(0, value.find(':'));
}

std::string HomeFolder() {
  if (std::string home = Variable("HOME"); !home.empty()) return home;
  struct passwd entry = {};
  struct passwd* found = nullptr;
  char buffer[4096];
  if (getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found != nullptr) {
    return entry.pw_dir;
  }
  return "/";
}

std::string DefaultData() {
  if (std::string folder = FirstFolder("STATE_DIRECTORY"); !folder.empty()) return folder;
  if (std::string folder = Variable("XDG_STATE_HOME"); !folder.empty()) {
    return absl::StrCat(folder, "/tidemark");
  }
  return absl::StrCat(HomeFolder(), "/.local/state/tidemark");
}

ListenSettings DefaultSocket(const std::string& data) {
  std::string folder = FirstFolder("RUNTIME_DIRECTORY");
  if (folder.empty()) {
    folder = Variable("XDG_RUNTIME_DIR");
    folder = folder.empty() ? data : absl::StrCat(folder, "/tidemark");
  }
  ListenSettings listen;
  listen.address = absl::StrCat("unix:", folder, "/tidemark.sock");
  return listen;
}

// Fills the settings from a checked file.
class Reader {
 public:
  Reader(std::string folder, CheckedConfiguration* checked, ServerSettings* settings)
      : folder_(std::move(folder)), in_(*checked), out_(*settings) {}

  void Read() {
    ReadPath("data", &out_.data);
    ReadPath("connections", &out_.connections);
    ReadPluginPath();
    ReadListen();
    out_.reflection = Lower("reflection", "false") == "true";
    ReadHttp();
    ReadNumber("limits.syncs", &out_.max_syncs);
    ReadNumber("limits.ingest_streams", &out_.max_ingest_streams);
    ReadNumber("limits.plugins", &out_.max_plugins);
    ReadBytes("limits.memory", &out_.memory_bytes);
    ReadDuration("stop_timeout", &out_.stop_timeout);
    ReadDuration("history.age", &out_.history_age);
    ReadNumber("history.syncs", &out_.history_syncs);
    ReadKey("secrets.key", &out_.master_key);
    ReadKey("secrets.next_key", &out_.next_master_key);
    if (const ConfigNode* level = in_.Find("log.level"); level != nullptr) {
      out_.log_level = ParseLogLevel(level->text).value_or(LogLevel::kInfo);
    }
    out_.log_json = Lower("log.format", "text") == "json";
    ReadPath("log.file", &out_.log_file);
    ReadBytes("log.max_bytes", &out_.log_max_bytes);
    ReadNumber("log.files", &out_.log_files);
  }

  std::string Absolute(absl::string_view path) const {
    return absl::StartsWith(path, "/") ? std::string(path) : absl::StrCat(folder_, "/", path);
  }

 private:
  std::string Lower(const std::string& key, absl::string_view otherwise) const {
    const ConfigNode* node = in_.Find(key);
    return node == nullptr ? std::string(otherwise) : absl::AsciiStrToLower(node->text);
  }
  template <typename Number>
  void ReadNumber(const std::string& key, Number* out) const {
    const ConfigNode* node = in_.Find(key);
    Number number = 0;
    if (node != nullptr && absl::SimpleAtoi(node->text, &number)) *out = number;
  }
  void ReadBytes(const std::string& key, uint64_t* out) const {
    if (const ConfigNode* node = in_.Find(key); node != nullptr) ParseByteSize(node->text, out);
  }
  void ReadDuration(const std::string& key, absl::Duration* out) {
    const ConfigNode* node = in_.Find(key);
    if (node == nullptr) return;
    absl::StatusOr<absl::Duration> duration = ParseDuration(node->text);
    if (duration.ok() && *duration > absl::ZeroDuration()) {
      *out = *duration;
    } else {
      in_.Add(*node, key, "expected a positive duration without months");
    }
  }
  void ReadPath(const std::string& key, std::string* out) {
    const ConfigNode* node = in_.Find(key);
    if (node == nullptr) return;
    if (node->text.empty()) in_.Add(*node, key, "expected a path");
    *out = Absolute(node->text);
  }

  void ReadPluginPath() {
    const ConfigNode* node = in_.Find("plugin_path");
    if (node == nullptr) return;
    std::vector<std::string> folders;
    if (node->is_scalar()) folders.push_back(Absolute(node->text));
    for (const ConfigNode& item : node->items) folders.push_back(Absolute(item.text));
    for (const std::string& folder : folders) {
      if (absl::StrContains(folder, ":")) {
        in_.Add(*node, "plugin_path", "a folder's path holds no \":\"; write a list");
      }
    }
    out_.plugin_path = absl::StrJoin(folders, ":");
  }

  void ReadListen() {
    const ConfigNode* list = in_.Find("listen");
    if (list == nullptr || !list->is_list()) return;
    std::set<std::string> seen;
    for (const ConfigNode& item : list->items) {
      ListenSettings listen;
      const ConfigNode* address = item.Find("address");
      if (address == nullptr || !address->is_scalar()) {
        if (item.is_map()) in_.Add(item, "listen[].address", "name the address");
        continue;
      }
      absl::string_view path = address->text;
      listen.address = absl::ConsumePrefix(&path, "unix:") && !path.empty()
                           ? absl::StrCat("unix:", Absolute(path))
                           : address->text;
      if (const ConfigNode* tls = item.Find("tls"); tls != nullptr && tls->is_map()) {
        listen.tls.emplace();
        ReadFile(*tls, "certificate", &listen.tls->certificate);
        ReadFile(*tls, "key", &listen.tls->key);
        ReadFile(*tls, "client_ca", &listen.tls->client_ca);
      }
      std::string problem = ListenProblem(listen);
      if (problem.empty() && !seen.insert(listen.address).second) {
        problem = "the address is given twice";
      }
      if (!problem.empty()) in_.Add(*address, "listen[].address", problem);
      out_.listen.push_back(std::move(listen));
    }
  }

  void ReadFile(const ConfigNode& tls, absl::string_view name, std::string* out) const {
    const ConfigNode* node = tls.Find(name);
    if (node != nullptr && node->is_scalar() && !node->text.empty()) *out = Absolute(node->text);
  }

  void ReadHttp() {
    const ConfigNode* node = in_.Find("http.address");
    if (node == nullptr) return;
    out_.http_address = node->text;
    if (absl::EqualsIgnoreCase(node->text, "off")) {
      out_.http_address.clear();
      return;
    }
    const absl::StatusOr<ListenAddress> address = ListenAddress::Parse(node->text);
    if (!address.ok()) {
      in_.Add(*node, "http.address", absl::StrCat(address.status().message(), "; or off"));
    } else if (address->is_unix()) {
      in_.Add(*node, "http.address", "expected HOST:PORT, or off");
    }
  }

  // The value is not repeated: it may be the key itself.
  void ReadKey(const char* key, std::string* source) {
    const ConfigNode* node = in_.Find(key);
    if (node == nullptr) return;
    absl::string_view rest = node->text;
    if (absl::ConsumePrefix(&rest, "file:") && !rest.empty()) {
      *source = absl::StrCat("file:", Absolute(rest));
    } else if (absl::ConsumePrefix(&rest, "env:") || absl::ConsumePrefix(&rest, "credential:")) {
      *source = node->text;
    }
    if (rest.empty() || source->empty()) {
      in_.Add(*node, key, "expected file:PATH, env:NAME or credential:NAME");
    }
  }

  const std::string folder_;
  CheckedConfiguration& in_;
  ServerSettings& out_;
};

// A file as a tree with its references resolved.
absl::StatusOr<ConfigNode> ReadTree(const std::string& path, std::vector<std::string>* secrets) {
  absl::StatusOr<std::string> text = ReadTextFile(path, kMaxFile);
  if (!text.ok()) return text.status();
  absl::StatusOr<ConfigNode> root = ParseYaml(path, *text);
  if (!root.ok()) return root;
  ReferenceSources references;
  references.environment = ProcessEnvironment({});
  std::vector<std::string> problems;
  ResolveReferences(references, FolderOf(path), &*root, &problems, secrets);
  if (problems.empty()) return root;
  for (std::string& problem : problems) problem = absl::StrCat(path, ": ", problem);
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

absl::Status ReadAlerts(const ConfigNode& node, const std::string& path, ServerSettings* settings) {
  settings->alerts = node;
  settings->alerts_file = settings->file;
  if (!node.is_scalar()) return absl::OkStatus();
  absl::StatusOr<ConfigNode> rules = ReadTree(path, &settings->secrets);
  if (!rules.ok()) return rules.status();
  settings->alerts = *std::move(rules);
  settings->alerts_file = path;
  return absl::OkStatus();
}

}  // namespace

std::string ListenProblem(const ListenSettings& listen) {
  const absl::StatusOr<ListenAddress> address = ListenAddress::Parse(listen.address);
  if (!address.ok()) return std::string(address.status().message());
  if (address->is_unix() && listen.tls.has_value()) return "a unix socket needs no tls";
  if (listen.tls.has_value() && (listen.tls->certificate.empty() || listen.tls->key.empty())) {
    return "tls needs certificate and key";
  }
  ListenProtection protection;
  protection.tls = listen.tls.has_value();
  protection.tokens = true;  // of every caller over TCP
  return std::string(CheckListen(*address, protection).message());
}

ServerSettings DefaultServerSettings() {
  ServerSettings settings;
  settings.data = DefaultData();
  settings.listen.push_back(DefaultSocket(settings.data));
  return settings;
}

absl::StatusOr<ServerSettings> LoadServerSettings(const std::string& path) {
  ServerSettings settings;
  settings.file = path;
  settings.data = DefaultData();
  absl::StatusOr<ConfigNode> root = ReadTree(path, &settings.secrets);
  if (!root.ok()) return AsUsage(root.status());
  if (root->kind == ConfigNode::Kind::kNull) root->kind = ConfigNode::Kind::kMap;  // empty file
  if (!root->is_map()) {
    return AsUsage(absl::InvalidArgumentError(
        absl::StrCat(path, ":", root->line, ":", root->column, ": the file must be a map of ",
                     absl::StrJoin(KeysBelow("", ServerKeys()), ", "))));
  }
  CheckedConfiguration checked = CheckConfiguration(*root, ServerKeys());
  std::string folder = FolderOf(path);
  char current[4096];
  if (!absl::StartsWith(folder, "/") && getcwd(current, sizeof(current)) != nullptr) {
    folder = folder == "." ? current : absl::StrCat(current, "/", folder);
  }
  Reader reader(folder, &checked, &settings);
  reader.Read();
  if (const ConfigNode* alerts = checked.Find("alerts"); alerts != nullptr) {
    absl::Status status = ReadAlerts(*alerts, reader.Absolute(alerts->text), &settings);
    if (!status.ok()) checked.Add(*alerts, "alerts", std::string(status.message()));
  }
  if (absl::Status status = ProblemsStatus(path, checked.problems); !status.ok()) return status;
  if (settings.listen.empty()) settings.listen.push_back(DefaultSocket(settings.data));
  return settings;
}

}  // namespace tidemark
