#include "control/connection.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "control/configuration_check.h"
#include "control/connector_sandbox.h"
#include "control/exit_code.h"
#include "control/redaction.h"
#include "control/storage_address.h"
#include "control/table_settings.h"
#include "control/yaml_text.h"
#include "core/duration_text.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

constexpr size_t kMaxFile = 4 * 1024 * 1024;

absl::string_view Scheme(absl::string_view connection) {
  const size_t colon = connection.find(':');
  if (colon == absl::string_view::npos || colon < 2) return "";
  const absl::string_view scheme = connection.substr(0, colon);
  for (const char c : scheme) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '+') return "";
  }
  return scheme;
}

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
}

bool IsPathStep(absl::string_view name) { return name == "." || name == ".."; }

// Fills a Connection from a checked file. Findings that need more than one key are added to the
// checked file's problems.
class Reader {
 public:
  Reader(CheckedConfiguration* checked, Connection* connection)
      : in_(*checked), out_(*connection) {}

  void Read() {
    ReadNames();
    ReadSource();
    ReadDestination();
    ReadMethod();
    ReadOptions();
    ReadCheckpointing();
    ReadStorage();
    ReadDuration("state.backup.every", &out_.backup.every);
    ReadNumber("state.backup.keep", &out_.backup.keep);
    ReadRecovery();
    ReadTables();
    ReadNotices();
  }

 private:
  const ConfigNode* Find(const std::string& path) const { return in_.Find(path); }
  std::string Text(const std::string& path, absl::string_view otherwise) const {
    const ConfigNode* node = Find(path);
    return node == nullptr ? std::string(otherwise) : node->text;
  }
  std::string LowerText(const std::string& path, absl::string_view otherwise) const {
    return absl::AsciiStrToLower(Text(path, otherwise));
  }
  template <typename Number>
  void ReadNumber(const std::string& path, Number* out) const {
    const ConfigNode* node = Find(path);
    int64_t number = 0;
    if (node != nullptr && absl::SimpleAtoi(node->text, &number))
      *out = static_cast<Number>(number);
  }
  void ReadDuration(const std::string& path, absl::Duration* out) {
    const ConfigNode* node = Find(path);
    if (node == nullptr) return;
    absl::StatusOr<absl::Duration> duration = ParseDuration(node->text);
    if (duration.ok() && *duration > absl::ZeroDuration()) {
      *out = *duration;
    } else {
      in_.Add(*node, path, "expected a positive duration without months");
    }
  }
  void NotBuilt(const ConfigNode& node, const std::string& path, const std::string& what) {
    in_.Add(node, path, absl::StrCat(what, " is not built yet"), true);
  }
  void Require(const std::string& path, const std::string& text) {
    ConfigNode at;
    at.line = 1;
    at.column = 1;
    in_.Add(at, path, text);
  }

  void ReadNames() {
    const ConfigNode* name = Find("name");
    if (name == nullptr) return;
    out_.name = name->text;
    if (IsPathStep(name->text)) {
      in_.Add(*name, "name", "\".\" and \"..\" are places in a path; choose another name");
    } else if (!IsConnectionName(name->text)) {
      in_.Add(*name, "name", "expected letters, digits, \"_\", \"-\" and \".\"");
    }
  }

  void ReadSource() {
    if (Find("sync.sources") != nullptr) return;
    SourceSettings& source = out_.source;
    if (const ConfigNode* connection = Find("sync.source.connection"); connection != nullptr) {
      source.connection = *connection;
    }
    if (const ConfigNode* config = Find("sync.source.config"); config != nullptr) {
      source.config = *config;
    }
    source.config.kind = ConfigNode::Kind::kMap;
    source.connector = Text("sync.source.connector", "");
    if (source.connector.empty()) {
      const std::string type = LowerText("sync.source.type", "");
      if (type == "api") {
        source.connector = "rest";
      } else if (type.empty()) {
        Require("sync.source", "name the connector (connector: ID) or a type (type: api)");
      } else {
        source.connector = ConnectorByScheme(type);
      }
    }
    if (source.connection.has_value() &&
        (source.connector == "sqlite" || source.connector == "files")) {
      source.connection->text = PathOf(source.connection->text);
    }
    source.name = Text("sync.source.name", source.connector);
    source.in_process = LowerText("sync.isolation", "process") == "in_process";
    ReadDuration("sync.stall_timeout", &source.stall_timeout);
    if (const ConfigNode* memory = Find("sync.plugin_memory"); memory != nullptr) {
      ParseByteSize(memory->text, &source.plugin_memory);
    }
    ReadSandbox();
  }

  void ReadSandbox() {
    SourceSettings& source = out_.source;
    const ConfigNode* sandbox = Find("sync.sandbox");
    source.sandbox = LowerText("sync.sandbox", "full") == "full";
    source.sandbox_paths = Paths("sync.sandbox_paths");
    source.sandbox_write_paths = Paths("sync.sandbox_write_paths");
    if (sandbox != nullptr && source.sandbox && source.in_process) {
      in_.Add(*sandbox, "sync.sandbox", "needs sync.isolation: process");
    }
  }

  // The paths of a list, taken from the file's folder.
  std::vector<std::string> Paths(const std::string& key) const {
    std::vector<std::string> paths;
    const ConfigNode* list = Find(key);
    if (list == nullptr) return paths;
    if (list->is_scalar()) paths.push_back(AbsolutePath(PathOf(list->text)));
    for (const ConfigNode& item : list->items) paths.push_back(AbsolutePath(PathOf(item.text)));
    return paths;
  }

  // What reads a connection of type database or file.
  std::string ConnectorByScheme(const std::string& type) {
    const std::string scheme = absl::AsciiStrToLower(Scheme(Text("sync.source.connection", "")));
    if (type == "file" && (scheme.empty() || scheme == "file")) return "files";
    if (type == "database" && (scheme.empty() || scheme == "file" || scheme == "sqlite")) {
      return "sqlite";
    }
    NotBuilt(*Find("sync.source.type"), "sync.source.type", absl::StrCat(type, " ", scheme));
    return "";
  }

  // The path in a connection string, taken from the file's folder.
  std::string PathOf(absl::string_view path) const {
    if (absl::ConsumePrefix(&path, "sqlite:") || absl::ConsumePrefix(&path, "file:")) {
      if (absl::StartsWith(path, "///")) path.remove_prefix(2);
    }
    return absl::StartsWith(path, "/") ? std::string(path) : absl::StrCat(out_.folder, "/", path);
  }

  void ReadDestination() {
    const ConfigNode* connection = Find("sync.destination.connection");
    const ConfigNode* type = Find("sync.destination.type");
    std::string kind = LowerText("sync.destination.type", "");
    const std::string text = connection == nullptr ? "" : connection->text;
    const std::string scheme = absl::AsciiStrToLower(Scheme(text));
    if (kind.empty() || kind == "database") {
      kind = scheme.empty() || scheme == "sqlite" || scheme == "file" ? "sqlite" : scheme;
      if (kind != "sqlite") {
        const ConfigNode& at = type != nullptr ? *type : *connection;
        NotBuilt(at, "sync.destination.type",
                 absl::StrCat(type != nullptr ? "database " : "", kind));
      }
    }
    out_.destination.type = kind;
    out_.destination.name = Text("sync.destination.name", kind);
    if (kind != "sqlite") return;
    if (text.empty()) {
      Require("sync.destination.connection", "name the database file (connection: warehouse.db)");
      return;
    }
    out_.destination.path = PathOf(text);
    if (LowerText("sync.destination.schema", "main") != "main") {
      in_.Add(*Find("sync.destination.schema"), "sync.destination.schema",
              "sqlite has one schema to write to: main");
    }
  }

  void ReadMethod() {
    std::string method = LowerText("sync.cdc_method", "auto");
    const bool timestamp = Find("cdc.timestamp") != nullptr;
    const bool version = Find("cdc.version") != nullptr;
    if (method == "auto" && timestamp != version) method = timestamp ? "timestamp" : "version";
    if (method == "auto" && timestamp && version) {
      out_.warnings.push_back(
          "cdc: both timestamp and version have settings and neither is used; choose by "
          "sync.cdc_method");
    }
    out_.source.method = method;
    out_.options.full = method == "full";
    const ConfigNode* buffer = Find("cdc.timestamp.buffer_hours");
    const ConfigNode* tolerance = Find("cdc.timestamp.tolerance_window");
    const ConfigNode* own_buffer = out_.source.config.Find("buffer_hours");
    if (buffer == nullptr && tolerance != nullptr) buffer = own_buffer;
    if (buffer != nullptr && tolerance != nullptr && method == "timestamp") {
      in_.Add(*buffer, "cdc.timestamp.buffer_hours",
              absl::StrCat("line ", buffer->line, " (buffer_hours) and line ", tolerance->line,
                           " (tolerance_window) say the same thing: keep one"));
    }
    CheckZone();
    const std::string prefix = absl::StrCat("cdc.", method, ".");
    for (const auto& [path, node] : in_.values) {
      if (!absl::StartsWith(path, prefix) || node->kind == ConfigNode::Kind::kNull) continue;
      ConfigNode value = *node;
      std::string name = path;
      if (name == "cdc.timestamp.buffer_hours") {
        name = "cdc.timestamp.tolerance_window";
        value.text = absl::StrCat(value.text, " hours");
        value.quoted = true;
      }
      out_.source.method_values.emplace_back(std::move(name), std::move(value));
    }
  }

  void CheckZone() {
    absl::TimeZone zone = absl::UTCTimeZone();
    if (const ConfigNode* name = Find("cdc.timestamp.timezone"); name != nullptr) {
      absl::StatusOr<absl::TimeZone> parsed = ParseTimeZone(name->text);
      if (parsed.ok()) {
        zone = *parsed;
      } else {
        in_.Add(*name, "cdc.timestamp.timezone", std::string(parsed.status().message()));
      }
    }
    const ConfigNode* start = Find("cdc.timestamp.start");
    if (start == nullptr) return;
    if (absl::StatusOr<ParsedTime> time = ParseTime(start->text, zone); !time.ok()) {
      in_.Add(*start, "cdc.timestamp.start", std::string(time.status().message()));
    }
  }

  void ReadOptions() {
    SyncOptions& options = out_.options;
    ReadNumber("sync.batch_size", &options.page_rows);
    ReadNumber("sync.max_dead_letters", &options.max_dead_letters);
    ReadNumber("sync.max_rows_per_second", &options.rate.rows);
    if (const ConfigNode* bytes = Find("sync.max_bytes_per_second"); bytes != nullptr) {
      ParseByteSize(bytes->text, &options.rate.bytes);
    }
    if (absl::StatusOr<Naming> naming = ParseNaming(Text("sync.naming", "source")); naming.ok()) {
      options.naming = *naming;
    }
    options.strip_text_nul = LowerText("sync.text_nul", "refuse") == "strip";
    options.infer_dates = LowerText("sync.infer.dates", "false") == "true";
    ReadNumber("priority", &out_.priority);
    ReadSchedule();
  }

  void ReadSchedule() {
    out_.timezone = Text("sync.timezone", "UTC");
    const ConfigNode* zone = Find("sync.timezone");
    if (absl::StatusOr<absl::TimeZone> parsed = ParseTimeZone(out_.timezone); !parsed.ok()) {
      in_.Add(*zone, "sync.timezone", std::string(parsed.status().message()));
      return;
    }
    ReadDuration("sync.jitter", &out_.jitter);
    if (out_.jitter > Schedule::kMaxJitter) {
      in_.Add(*Find("sync.jitter"), "sync.jitter", "expected at most 24 hours");
      return;
    }
    const ConfigNode* frequency = Find("sync.frequency");
    if (frequency == nullptr) return;
    absl::StatusOr<Schedule> schedule =
        Schedule::Parse(frequency->text, out_.timezone, out_.jitter, out_.name);
    if (schedule.ok()) {
      out_.schedule = *std::move(schedule);
    } else {
      in_.Add(*frequency, "sync.frequency", std::string(schedule.status().message()));
    }
  }

  void ReadCheckpointing() {
    const std::string frequency = LowerText("state.checkpointing.frequency", "every_batch");
    if (frequency == "every_batch") return;
    const ConfigNode* interval = Find("state.checkpointing.interval");
    double number = 0;
    if (interval != nullptr && !absl::SimpleAtod(interval->text, &number)) return;
    GroupLimits& group = out_.options.group;
    group.when_idle = false;
    group.bytes = std::numeric_limits<uint64_t>::max();
    if (frequency == "every_n_records") {
      group.age = absl::InfiniteDuration();
      if (interval == nullptr) return;
      group.rows = static_cast<uint64_t>(number);
      if (number < 1) in_.Add(*interval, "state.checkpointing.interval", "at least 1 record");
    } else {
      group.rows = std::numeric_limits<uint64_t>::max();
      group.age = interval == nullptr ? absl::Seconds(1) : absl::Seconds(number);
    }
  }

  void ReadStorage() {
    const ConfigNode* type = Find("state.storage.type");
    const ConfigNode* connection = Find("state.storage.connection");
    StorageSettings& storage = out_.storage;
    ReadDuration("state.storage.lease", &storage.lease);
    storage.schema = Text("state.storage.schema", storage.schema);
    storage.accept_weak_durability =
        LowerText("state.storage.accept_weak_durability", "false") == "true";
    const std::string kind = LowerText("state.storage.type", "destination");
    if (kind == "destination") return;
    const std::string text = connection == nullptr ? "" : connection->text;
    if (text.empty()) {
      in_.Add(*type, "state.storage.connection", absl::StrCat("type ", kind, " needs it"));
      return;
    }
    const std::string problem =
        ReadStorageAddress(kind, text, out_.folder, out_.destination.path, &storage);
    if (!problem.empty()) in_.Add(*connection, "state.storage.connection", problem);
    if (Find("state.storage.lease") != nullptr && storage.lease < absl::Seconds(1)) {
      in_.Add(*Find("state.storage.lease"), "state.storage.lease", "at least 1 second");
    }
    for (std::string& secret : StorageSecrets(storage)) out_.secrets.push_back(std::move(secret));
  }

  void ReadRecovery() {
    RecoverySettings& recovery = out_.recovery;
    const auto is_true = [this](const std::string& name, absl::string_view otherwise) {
      return LowerText(absl::StrCat("state.recovery.", name), otherwise) == "true";
    };
    recovery.validate_on_start = is_true("validate_on_start", "true");
    recovery.auto_repair = is_true("auto_repair", "true");
    recovery.reset_on_corruption = is_true("reset_on_corruption", "false");
    recovery.full_sync_when_unreadable =
        LowerText("state.recovery.on_unreadable_state", "stop") == "full_sync";
    recovery.resnapshot_on_gap = LowerText("cdc.hybrid.on_gap", "stop") == "resnapshot";
    out_.options.validate_state = recovery.validate_on_start;
    const ConfigNode* failure = Find("state.recovery.on_checkpoint_failure");
    out_.options.go_on_behind_store =
        LowerText("state.recovery.on_checkpoint_failure", "stop") == "warn";
    if (out_.options.go_on_behind_store && out_.storage.kind == StorageKind::kDestination) {
      in_.Add(*failure, "state.recovery.on_checkpoint_failure",
              "warn needs a state.storage.type other than destination: there rows and state are "
              "committed together");
    }
  }

  void ReadTables() {
    TableRule rule;
    rule.pattern = "*";
    if (LowerText("sync.destination.deletes", "soft") == "hard") rule.deletes = DeleteMode::kHard;
    if (LowerText("sync.on_error", "continue") == "stop") rule.on_error = OnError::kStop;
    out_.options.default_rule = rule;
    out_.options.only_listed_tables = !in_.tables.empty();
    for (const CheckedConfiguration::Table& table : in_.tables) {
      out_.options.tables.push_back(ReadTableRule(table, rule, &in_.problems));
    }
  }

  void ReadNotices() {
    std::vector<std::string>& notices = out_.notices;
    if (const ConfigNode* node = Find("sync.max_parallel_tables");
        node != nullptr && node->text != "1") {
      notices.push_back(absl::StrCat("sync.max_parallel_tables: ", node->text,
                                     " accepted; tables are read in one lane"));
    }
    if (const ConfigNode* node = Find("conflict_resolution"); node != nullptr) {
      out_.warnings.push_back("conflict_resolution: not used, there is only one source");
    }
    if (out_.schedule.kind() == Schedule::Kind::kRealtime) {
      notices.push_back("sync.frequency: realtime; without --follow a run does one sync and ends");
    } else if (out_.schedule.kind() != Schedule::Kind::kManual) {
      notices.push_back(absl::StrCat("sync.frequency: ", out_.schedule.text(),
                                     "; this run does one sync, the schedule needs a server"));
    }
    if (out_.priority != 0) notices.push_back("priority: counts among connections of a server");
  }

  CheckedConfiguration& in_;
  Connection& out_;
};

// The variables of the .env file in `folder`, if there is one.
absl::StatusOr<std::map<std::string, std::string>> ReadDotEnv(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/.env");
  absl::StatusOr<std::string> text = ReadTextFile(path, kMaxFile);
  if (absl::IsNotFound(text.status())) return std::map<std::string, std::string>();
  if (!text.ok()) return AsUsage(text.status());
  auto values = ParseDotEnv(path, *text);
  if (!values.ok()) return AsUsage(values.status());
  return values;
}

}  // namespace

std::string DefaultConnectionName(const std::string& file) {
  const size_t slash = file.rfind('/');
  std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
  name = name.substr(0, std::min(name.rfind(".y"), size_t{100}));
  for (char& c : name) {
    if (!IsNameCharacter(c)) c = '_';
  }
  if (IsPathStep(name)) name.assign(name.size(), '_');
  return name;
}

bool IsConnectionName(absl::string_view name) {
  return !name.empty() && name.size() <= 100 && !IsPathStep(name) &&
         std::all_of(name.begin(), name.end(), IsNameCharacter);
}

absl::StatusOr<Connection> ParseConnection(const std::string& file, const std::string& folder,
                                           absl::string_view text,
                                           const ReferenceSources& references) {
  absl::StatusOr<ConfigNode> root = ParseYaml(file, text);
  if (!root.ok()) return AsUsage(root.status());
  std::vector<std::string> unresolved;
  std::vector<std::string> secrets;
  ResolveReferences(references, folder, &*root, &unresolved, &secrets);
  if (!unresolved.empty()) {
    for (std::string& problem : unresolved) problem = absl::StrCat(file, ": ", problem);
    return AsUsage(absl::InvalidArgumentError(absl::StrJoin(unresolved, "\n")));
  }
  CheckedConfiguration checked = CheckConfiguration(*root);
  if (!root->is_map()) return ProblemsStatus(file, checked.problems);
  Redactor redactor;  // a wrong value is repeated in its finding
  for (const std::string& secret : secrets) redactor.AddSecret(secret);
  Connection connection;
  connection.file = file;
  connection.folder = folder;
  connection.secrets = std::move(secrets);
  connection.name = DefaultConnectionName(file);
  Reader(&checked, &connection).Read();
  for (ConfigurationProblem& problem : checked.problems) {
    problem.text = redactor.Apply(problem.text);
  }
  if (absl::Status status = ProblemsStatus(file, checked.problems); !status.ok()) return status;
  connection.options.connection = connection.name;
  connection.options.source_name = connection.source.name;
  connection.options.destination_name = connection.destination.name;
  return connection;
}

absl::StatusOr<Connection> ParseConnection(const std::string& file, const std::string& folder,
                                           absl::string_view text, const Environment& environment) {
  ReferenceSources references;
  references.environment = environment;
  return ParseConnection(file, folder, text, references);
}

absl::StatusOr<Connection> LoadConnection(const std::string& path) {
  absl::StatusOr<std::string> text = ReadTextFile(path, kMaxFile);
  if (!text.ok()) return AsUsage(text.status());
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  absl::StatusOr<std::map<std::string, std::string>> values = ReadDotEnv(folder);
  if (!values.ok()) return values.status();
  return ParseConnection(path, folder, *text, ProcessEnvironment(*std::move(values)));
}

}  // namespace tidemark
