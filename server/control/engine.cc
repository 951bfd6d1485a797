#include "control/engine.h"

#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "control/cancellation.h"
#include "control/connector_options.h"
#include "control/connector_sandbox.h"
#include "control/exit_code.h"
#include "control/letter_source.h"
#include "control/outer_storage.h"
#include "control/preview.h"
#include "control/report.h"
#include "control/state_backups.h"
#include "control/state_recovery.h"
#include "control/version.h"
#include "control/write_turns.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/failpoint.h"
#include "core/status_context.h"
#include "destination/sqlite_destination.h"
#include "pipeline/table_rules.h"

namespace tidemark {
namespace {

// After a call beside syncs was cancelled: it has nothing to finish.
constexpr absl::Duration kVisitEnds = absl::Seconds(2);

LogLevel LevelOf(int level) {
  if (level <= 0) return LogLevel::kDebug;
  if (level == 1) return LogLevel::kInfo;
  return level == 2 ? LogLevel::kWarning : LogLevel::kError;
}

// The pipeline's voice: into the log and the progress line.
class Observer final : public SyncObserver {
 public:
  // `also` may be null.
  Observer(Log* log, const Redactor* redactor, std::string connection,
           const std::function<void(const SyncProgress&)>& progress, SyncObserver* also)
      : log_(log),
        redactor_(redactor),
        connection_(std::move(connection)),
        progress_(progress),
        also_(also) {}

  void OnProgress(const SyncProgress& progress) override {
    if (progress_) progress_(progress);
    if (also_ != nullptr) also_->OnProgress(progress);
  }
  void OnBegin(absl::string_view sync_id) override {
    sync_ = std::string(sync_id);
    if (also_ != nullptr) also_->OnBegin(sync_id);
  }
  void OnLog(int level, absl::string_view table, absl::string_view text) override {
    log_->Write(LevelOf(level), {connection_, sync_, std::string(table)}, text);
    if (also_ != nullptr) also_->OnLog(level, table, redactor_->Apply(text));
  }
  void OnDeadLetter(const DeadLetter& letter, uint32_t row) override {
    if (also_ != nullptr) also_->OnDeadLetter(letter, row);
  }

 private:
  Log* const log_;
  const Redactor* const redactor_;
  const std::string connection_;
  std::string sync_;
  const std::function<void(const SyncProgress&)>& progress_;
  SyncObserver* const also_;
};

void Redact(const Redactor& redactor, SyncOutcome* outcome) {
  for (SyncError& error : outcome->errors) error.message = redactor.Apply(error.message);
  for (std::string& warning : outcome->warnings) warning = redactor.Apply(warning);
  if (!outcome->error.ok()) {
    absl::Status error(outcome->error.code(), redactor.Apply(outcome->error.message()));
    outcome->error.ForEachPayload([&error](absl::string_view url, const absl::Cord& payload) {
      error.SetPayload(url, payload);
    });
    outcome->error = std::move(error);
  }
}

// Narrows the options down to the tables that were asked for, each with its own rule.
absl::Status SelectTables(const std::vector<std::string>& tables, SyncOptions* options) {
  if (tables.empty()) return absl::OkStatus();
  std::vector<TableRule> rules;
  rules.reserve(tables.size());
  for (const std::string& name : tables) {
    const TableRule* rule = options->only_listed_tables ? nullptr : &options->default_rule;
    const std::string bare = name.substr(name.rfind('.') + 1);  // a rule may leave out the schema
    for (const TableRule& listed : options->tables) {
      if (listed.pattern != name && !GlobMatches(listed.pattern, name) &&
          !GlobMatches(listed.pattern, bare)) {
        continue;
      }
      rule = &listed;
      break;
    }
    if (rule == nullptr) {
      return AsUsage(absl::NotFoundError(
          absl::StrCat("table ", name, " is not one of sync.source.tables of this connection")));
    }
    rules.push_back(*rule);
    rules.back().pattern = name;
  }
  if (!options->only_listed_tables) options->usual_tables.emplace_back("*");
  for (const TableRule& listed : options->tables) options->usual_tables.push_back(listed.pattern);
  options->tables = std::move(rules);
  options->only_listed_tables = true;
  return absl::OkStatus();
}

}  // namespace

Engine::Engine(Connection connection, Parts parts)
    : connection_(std::move(connection)), parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(Connection connection, Parts parts) {
  std::unique_ptr<Engine> engine(new Engine(std::move(connection), std::move(parts)));
  for (const std::string& secret : engine->connection_.secrets) {
    engine->parts_.redactor->AddSecret(secret);
  }
  const SourceSettings& source = engine->connection_.source;
  absl::StatusOr<ConnectorTarget> target = ResolveConnector(
      source.connector, engine->connection_.folder, source.in_process, engine->parts_.search);
  if (!target.ok()) return target.status();
  engine->target_ = *std::move(target);
  if (absl::Status status = engine->Describe(); !status.ok()) return status;
  return engine;
}

absl::Status Engine::Describe() {
  absl::StatusOr<ConnectorDescription> description =
      DescribeConnector(target_, DescribingSandbox(connection_.source), parts_.cancellation);
  if (!description.ok()) return description.status();
  description_ = *std::move(description);
  absl::StatusOr<ConnectorSettings> settings =
      CheckConnectorSettings(description_, connection_.source, connection_.file);
  if (!settings.ok()) return settings.status();
  settings_ = std::move(settings->settings);
  for (const std::string& secret : settings->secrets) parts_.redactor->AddSecret(secret);
  if (target_.placement == ConnectorTarget::Placement::kPython && connection_.source.sandbox) {
    sandbox_warnings_ = {
        "sandbox: off: a connector in Python runs without one, and may do what "
        "its server may (sync.sandbox: off says that this is known)"};
  }
  if (target_.placement != ConnectorTarget::Placement::kChild) return absl::OkStatus();
  sandbox_ = ConnectorSandbox(connection_.source, description_, settings_);
  sandbox_warnings_ = SandboxWarnings(sandbox_);
  return absl::OkStatus();
}

ConnectorLaunch Engine::Launch() const {
  ConnectorLaunch launch;
  launch.label = target_.label;
  launch.settings = settings_;
  launch.limits.stall = connection_.source.stall_timeout;
  launch.limits.memory_bytes = connection_.source.plugin_memory;
  if (parts_.cancellation != nullptr) launch.limits.interrupt = kVisitEnds;
  launch.sandbox = sandbox_;
  Log* const log = parts_.log;
  launch.log = [log, name = connection_.name, sync = sync_id_](int level, absl::string_view text) {
    log->Write(LevelOf(level), {name, sync, ""}, text);
  };
  return launch;
}

absl::StatusOr<std::unique_ptr<ChangeSource>> Engine::OpenSource() const {
  absl::StatusOr<std::unique_ptr<ChangeSource>> source = OpenConnector(target_, Launch());
  if (!source.ok()) return source;
  return Cancellation::Cover(*std::move(source), parts_.cancellation);
}

absl::Status Engine::Check() {
  if (IsPushed()) return absl::OkStatus();
  for (const std::string& warning : sandbox_warnings_) {
    parts_.log->Write(LogLevel::kWarning, {connection_.name, "", ""}, warning);
  }
  absl::StatusOr<std::unique_ptr<ChangeSource>> source = OpenSource();
  if (!source.ok()) return source.status();
  return (*source)->Check();
}

absl::StatusOr<std::vector<TableSchema>> Engine::Schema() {
  absl::StatusOr<std::unique_ptr<ChangeSource>> source = OpenSource();
  if (!source.ok()) return source.status();
  return (*source)->Schema();
}

absl::StatusOr<Preview> Engine::ReadPreview(const std::string& table, size_t rows) {
  absl::StatusOr<std::unique_ptr<ChangeSource>> source = OpenSource();
  if (!source.ok()) return source.status();
  return PreviewSource(**source, connection_.name, table, rows);
}

absl::StatusOr<std::unique_ptr<Destination>> Engine::OpenDestination() const {
  SqliteOptions options;
  options.path = connection_.destination.path;
  options.engine = EngineVersion();
  absl::StatusOr<std::unique_ptr<Destination>> destination = OpenSqliteDestination(options);
  if (!destination.ok()) return AsLocal(destination.status());
  return destination;
}

std::string Engine::Holder() const {
  char host[256] = "";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat("tidemark on ", host);
}

void Engine::BackUp() const {
  const LogFields fields{connection_.name, "", ""};
  absl::StatusOr<std::string> line =
      BackUpIfDue({connection_.destination.path, connection_.name, &connection_});
  if (!line.ok()) {
    parts_.log->Write(LogLevel::kWarning, fields,
                      absl::StrCat("the state was not backed up: ", line.status().message()));
  } else if (!line->empty()) {
    parts_.log->Write(LogLevel::kInfo, fields, *line);
  }
}

absl::StatusOr<SyncOutcome> Engine::Run(const RunRequest& request,
                                        const std::function<void(const SyncProgress&)>& progress,
                                        Interrupt* interrupt) {
  if (IsPushed() && !request.push && request.replay == nullptr) return OnlyPushed(target_);
  SyncOptions options = connection_.options;
  options.holder = Holder();
  options.take_over = request.take_over;
  options.full = options.full || request.full;
  options.sync_id = sync_id_ = request.sync_id;
  options.continuous = request.continuous;
  if (request.since_us.has_value()) options.from_us = *request.since_us;
  if (absl::Status status = SelectTables(request.tables, &options); !status.ok()) return status;
  if (request.replay != nullptr) options.full = false;
  if (request.repair) {
    options.full = false;
    options.usual_tables.clear();  // what a repair commits leaves the state where it was
    for (TableRule& rule : options.tables) rule.stale_guard = StaleGuard::kOff;
  }
  const StateLocation state{connection_.destination.path, connection_.name, &connection_};
  absl::StatusOr<std::vector<std::string>> recovered = RecoverBeforeSync(
      state, connection_.recovery, options.holder, absl::ToUnixMicros(Clock::Real().Now()));
  if (!recovered.ok()) return recovered.status();
  options.warnings = sandbox_warnings_;
  options.warnings.insert(options.warnings.end(), recovered->begin(), recovered->end());
  absl::StatusOr<std::unique_ptr<OuterStorage>> storage =
      OuterStorage::Open(connection_, options.holder, request.take_over);
  if (!storage.ok()) return storage.status();
  if (*storage != nullptr) {
    recovered = RecoverOuterStore(connection_, absl::ToUnixMicros(Clock::Real().Now()));
    if (!recovered.ok()) return recovered.status();
    options.warnings.insert(options.warnings.end(), recovered->begin(), recovered->end());
    recovered = (*storage)->RewindIfAhead([this] { return OpenSource(); });
    if (!recovered.ok()) return recovered.status();
    options.warnings.insert(options.warnings.end(), recovered->begin(), recovered->end());
  }
  OuterStore* const outer = *storage == nullptr ? nullptr : (*storage)->store();
  BackUp();
  absl::StatusOr<SyncOutcome> outcome = RunOnce(options, request, outer, progress, interrupt);
  if (outcome.ok() && CorruptionOf(outcome->error).has_value()) {
    // The source cannot go on from the state: begin again where the connection allows it.
    recovered = RecoverAfterRefusal(state, connection_.recovery, outcome->error, options.holder,
                                    absl::ToUnixMicros(Clock::Real().Now()));
    if (!recovered.ok()) return outcome;
    options.warnings.insert(options.warnings.end(), recovered->begin(), recovered->end());
    outcome = RunOnce(options, request, outer, progress, interrupt);
  }
  return outcome;
}

absl::StatusOr<SyncOutcome> Engine::RunOnce(
    const SyncOptions& options, const RunRequest& request, OuterStore* outer,
    const std::function<void(const SyncProgress&)>& progress, Interrupt* interrupt) {
  absl::StatusOr<std::unique_ptr<Destination>> destination = OpenDestination();
  if (!destination.ok()) return destination.status();
  Observer observer(parts_.log, parts_.redactor, connection_.name, progress, request.observer);
  SyncParts parts;
  parts.source = [this] { return OpenSource(); };
  if (request.repair) parts.source = request.repair;
  if (request.push) parts.source = request.push;
  std::unique_ptr<Destination> turning;
  if (parts_.turns != nullptr) {
    turning = WriteInTurns(connection_.destination.path, parts_.turns, destination->get());
  }
  parts.destination = turning == nullptr ? destination->get() : turning.get();
  std::unique_ptr<Destination> kept;
  if (request.replay != nullptr) {
    parts.source = [box = request.replay] { return OpenLetterSource(box); };
    kept = KeepLetters(request.replay, parts.destination);
    parts.destination = kept.get();
  }
  parts.outer = outer;
  parts.clock = &Clock::Real();
  parts.observer = &observer;
  parts.interrupt = interrupt;
  parts.rate = parts_.rate.get();
  parts.report = [this, full = options.full](const SyncOutcome& outcome) {
    return Report(outcome, full);
  };
  SyncOutcome outcome = RunSync(options, parts);
  PassFailpoint("run.report");
  Redact(*parts_.redactor, &outcome);
  return outcome;
}

absl::Status Engine::ImportStates(const std::vector<StateEntry>& entries) {
  absl::StatusOr<std::unique_ptr<Destination>> destination = OpenDestination();
  if (!destination.ok()) return destination.status();
  AcquireRequest acquire;
  acquire.connection = connection_.name;
  acquire.holder = Holder();
  absl::StatusOr<Acquired> acquired = (*destination)->Acquire(acquire);
  if (!acquired.ok()) return AsLocal(acquired.status());
  CommitRequest request;
  request.sync_id = absl::StrCat("import_", RandomHex(8));
  request.group_id = RandomHex(16);
  for (const StateEntry& entry : entries) {
    EntryCommit commit;
    commit.entry = EntryName(entry);
    commit.kind = StateKind::kImport;
    commit.state = entry;
    for (const StateEntry& current : acquired->states) {
      if (EntryName(current) == commit.entry) {
        commit.expected_version = static_cast<int64_t>(current.version);
      }
    }
    request.entries.push_back(std::move(commit));
  }
  request.last_synced_us = acquired->last_synced_us;
  absl::StatusOr<std::unique_ptr<DestinationTransaction>> transaction = (*destination)->Begin();
  if (!transaction.ok()) return AsLocal(transaction.status());
  return AsLocal((*transaction)->Commit(request).status());
}

std::string Engine::Report(const SyncOutcome& outcome, bool full) const {
  const ReportNames names{connection_.name, connection_.options.source_name,
                          connection_.options.destination_name, full};
  return parts_.redactor->Apply(DumpJson(SyncReport(names, outcome), 2));
}

absl::StatusOr<ConnectorDescription> DescribeConnector(const ConnectorTarget& target,
                                                       const SandboxPolicy& sandbox,
                                                       Cancellation* cancellation) {
  if (target.placement == ConnectorTarget::Placement::kPushed) return PushedDescription();
  ConnectorLaunch launch;
  launch.label = target.label;
  launch.sandbox = sandbox;
  if (cancellation != nullptr) launch.limits.interrupt = kVisitEnds;
  absl::StatusOr<std::unique_ptr<ChangeSource>> source = OpenConnector(target, launch);
  if (!source.ok()) return source.status();
  return Cancellation::Cover(*std::move(source), cancellation)->Describe();
}

absl::StatusOr<std::unique_ptr<DestinationReader>> OpenReader(const std::string& path) {
  absl::StatusOr<std::unique_ptr<DestinationReader>> reader = OpenSqliteReader(path);
  if (!reader.ok()) return AsLocal(reader.status());
  return reader;
}

}  // namespace tidemark
