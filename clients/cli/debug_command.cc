// `tidemark debug TARGET`: runs a connector here, into files/warehouse.db and files/state.json.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "commands.h"
#include "control/config_node.h"
#include "debug_state.h"
#include "progress_line.h"

namespace tidemark {
namespace {

constexpr size_t kMaxConfiguration = 4 * 1024 * 1024;

struct DebugOptions {
  std::string target;
  std::string configuration;
  std::string state;
  std::string naming;     // empty: source
  std::string isolation;  // empty: process
  std::string sandbox;    // empty: full
};

// A name for the connection that stays the same from run to run: letters, digits, "_", "-", ".".
std::string ConnectionName(const std::string& target) {
  if (absl::StartsWith(target, "grpc://") || absl::StartsWith(target, "unix:")) return "debug";
  std::string name = std::filesystem::path(target).stem().string();
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-' && c != '.') {
      c = '_';
    }
  }
  return name.empty() ? "debug" : name;
}

// --configuration, else FIVETRAN_CONFIGURATION (a path, or the JSON object itself), else
// configuration.json, else nothing.
absl::StatusOr<ConfigNode> ReadConfiguration(const DebugOptions& options, std::string* path) {
  *path = options.configuration;
  if (path->empty()) {
    const char* variable = std::getenv("FIVETRAN_CONFIGURATION");
    if (variable != nullptr && *variable != '\0') {
      *path = variable;
    } else if (access("configuration.json", F_OK) == 0) {
      *path = "configuration.json";
    }
  }
  ConfigNode node;
  node.kind = ConfigNode::Kind::kMap;
  if (path->empty()) {
    *path = "configuration";
    return node;
  }
  absl::StatusOr<std::string> text = absl::StripLeadingAsciiWhitespace(*path).substr(0, 1) == "{"
                                         ? std::exchange(*path, "FIVETRAN_CONFIGURATION")
                                         : ReadTextFile(*path, kMaxConfiguration);
  if (!text.ok()) return AsUsage(text.status());
  absl::StatusOr<ConfigNode> parsed = ParseJsonText(*path, *text);
  if (!parsed.ok()) return AsUsage(parsed.status());
  if (!parsed->is_map()) {
    return AsUsage(
        absl::InvalidArgumentError(absl::StrCat(*path, ": a configuration is one JSON object")));
  }
  return parsed;
}

absl::StatusOr<Connection> DebugConnection(const DebugOptions& options) {
  Connection connection;
  if (absl::EndsWith(options.target, ".yaml") || absl::EndsWith(options.target, ".yml")) {
    if (!options.configuration.empty() || !options.naming.empty() || !options.isolation.empty() ||
        !options.sandbox.empty()) {
      return AsUsage(
          absl::InvalidArgumentError("--configuration, --naming, --isolation, --sandbox: a "
                                     "connection file says these itself"));
    }
    absl::StatusOr<Connection> loaded = LoadConnection(options.target);
    if (!loaded.ok()) return loaded;
    connection = *std::move(loaded);
  } else {
    std::string path;
    absl::StatusOr<ConfigNode> config = ReadConfiguration(options, &path);
    if (!config.ok()) return config.status();
    connection.file = path;
    connection.folder = ".";
    connection.name = ConnectionName(options.target);
    connection.source.connector = options.target;
    connection.source.name = connection.name;
    connection.source.config = *std::move(config);
    connection.source.method = "auto";
    connection.source.in_process = options.isolation == "in_process";
    connection.source.sandbox = options.sandbox != "off";
    absl::StatusOr<Naming> naming = ParseNaming(options.naming.empty() ? "source" : options.naming);
    if (!naming.ok()) {
      return AsUsage(absl::Status(naming.status().code(),
                                  absl::StrCat("--naming: ", naming.status().message())));
    }
    connection.options.naming = *naming;
  }
  connection.destination.type = "sqlite";
  connection.destination.name = "warehouse.db";
  connection.destination.path = kDebugDatabase;
  connection.backup.every = absl::InfiniteDuration();  // files/ holds nothing to be kept
  connection.options.connection = connection.name;
  connection.options.source_name = connection.source.name;
  connection.options.destination_name = connection.destination.name;
  return connection;
}

// Fivetran's tester prints this block; authors' scripts look for it.
std::string Summary(const SyncOutcome& outcome) {
  std::string text = "Operation       | Calls\n----------------+------------\n";
  const auto line = [&text](const char* name, uint64_t calls) {
    absl::StrAppendFormat(&text, "%-16s| %d\n", name, calls);
  };
  line("Upserts", outcome.upserts);
  line("Updates", outcome.updates);
  line("Deletes", outcome.deletes);
  line("Truncates", outcome.truncates);
  line("SchemaChanges", outcome.schema_changes.size());
  line("Checkpoints", outcome.checkpoints);
  if (outcome.interrupted) {
    absl::StrAppend(&text, "Sync INTERRUPTED: everything up to the last commit is kept\n");
  } else if (outcome.status == SyncStatus::kFailed) {
    absl::StrAppend(&text, "Sync FAILED: ", outcome.error.message(), "\n");
  } else {
    absl::StrAppend(&text, "Sync SUCCEEDED",
                    outcome.status == SyncStatus::kPartial ? " in part" : "", "\n");
  }
  return text;
}

std::string PeakMemory() {
  const auto megabytes = [](int who) {
    struct rusage usage = {};
    getrusage(who, &usage);
    return usage.ru_maxrss / 1024;  // ru_maxrss is in KiB on Linux
  };
  // Connectors behind an address are nobody's children.
  const int64_t connector = megabytes(RUSAGE_CHILDREN);
  return absl::StrCat(megabytes(RUSAGE_SELF), " MB tidemark",
                      connector > 0 ? absl::StrCat(", ", connector, " MB connector") : "");
}

std::string Details(const SyncOutcome& outcome) {
  std::vector<std::vector<std::string>> rows;
  for (const TableOutcome& table : outcome.tables) {
    const ChangeCounts& counts = table.counts;
    rows.push_back({table.destination_table, Grouped(counts.inserted), Grouped(counts.updated),
                    Grouped(counts.deleted + counts.deleted_by_truncate), Grouped(counts.unchanged),
                    Grouped(counts.superseded + counts.missing + counts.dead_letter)});
  }
  std::string text;
  if (!rows.empty()) {
    absl::StrAppend(
        &text, "\n",
        TextTable({"table", "inserted", "updated", "deleted", "unchanged", "other"}, rows));
  }
  for (const std::string& warning : outcome.warnings) {
    absl::StrAppend(&text, "warning: ", warning, "\n");
  }
  for (const SyncError& error : outcome.errors) {
    absl::StrAppend(&text, "error: ", error.table.empty() ? "" : absl::StrCat(error.table, ": "),
                    error.message, "\n");
  }
  const double seconds = static_cast<double>(outcome.completed_at_us - outcome.started_at_us) / 1e6;
  const uint64_t rate =
      seconds > 0 ? static_cast<uint64_t>(static_cast<double>(outcome.counts.Sum()) / seconds) : 0;
  absl::StrAppendFormat(&text, "\n%s rows in %.2f s (%s rows/s); peak memory %s\n",
                        Grouped(outcome.counts.Sum()), seconds, Grouped(rate), PeakMemory());
  absl::StrAppend(&text, "state in ", kDebugState, ", rows in ", kDebugDatabase, ":\n");
  const std::string table = outcome.tables.empty() ? "" : outcome.tables[0].destination_table;
  absl::StrAppend(&text, "tidemark rows ", table, table.empty() ? "" : " ", "--db ", kDebugDatabase,
                  "\n");
  return text;
}

ExitCode Debug(Session& session, const DebugOptions& options) {
  absl::StatusOr<Connection> connection = DebugConnection(options);
  if (!connection.ok()) return session.Fail(connection.status());
  session.LogNotices(*connection);
  std::error_code error;
  std::filesystem::create_directories("files", error);
  if (error) {
    return session.Fail(AsLocal(
        absl::FailedPreconditionError(absl::StrCat("cannot make files/: ", error.message()))));
  }
  Interrupt* interrupt = session.WatchInterrupts();
  absl::StatusOr<std::unique_ptr<Engine>> engine = session.OpenEngine(*std::move(connection));
  if (!engine.ok()) return session.Fail(engine.status());
  if (absl::Status status = CheckDebugOutput(**engine); !status.ok()) return session.Fail(status);
  absl::StatusOr<std::string> notice = TakeDebugState(**engine, options.state);
  if (!notice.ok()) return session.Fail(notice.status());
  if (!notice->empty()) session.Note(*notice);
  absl::StatusOr<SyncOutcome> outcome = absl::UnknownError("");
  {
    ProgressLine line(session.quiet());
    outcome = (*engine)->Run(
        {}, [&line](const SyncProgress& progress) { line.Show(progress); }, interrupt);
  }
  if (!outcome.ok()) return session.Fail(outcome.status());
  if (absl::Status status = WriteDebugState(**engine); !status.ok()) session.Fail(status);
  if (session.json()) {
    session.Print((*engine)->Report(*outcome, false) + "\n");
  } else {
    session.Print(Summary(*outcome) + Details(*outcome));
  }
  return ExitCodeOf(*outcome);
}

}  // namespace

void AddDebugCommand(CLI::App& app, Action* action) {
  auto options = std::make_shared<DebugOptions>();
  CLI::App* command = app.add_subcommand("debug", "Run a connector here, into files/");
  command
      ->add_option("TARGET", options->target,
                   "Plugin id, path of a .so or .py, folder with connector.py, grpc://HOST:PORT, "
                   "unix:PATH or a connection file")
      ->required();
  command->add_option("--configuration", options->configuration,
                      "JSON file with the connector's options (default: configuration.json)");
  command->add_option("--state", options->state, "JSON file with the state to start from");
  command->add_option("--naming", options->naming,
                      "Names of tables and columns: source, snake_case");
  command->add_option("--isolation", options->isolation, "process or in_process")
      ->check(CLI::IsMember({"process", "in_process"}));
  command
      ->add_option("--sandbox", options->sandbox,
                   "What the connector's process may do: full (what it says it needs), off")
      ->check(CLI::IsMember({"full", "off"}));
  command->callback([options, action] {
    *action = [options](Session& session) { return Debug(session, *options); };
  });
}

}  // namespace tidemark
