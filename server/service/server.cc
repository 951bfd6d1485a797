#include "service/server.h"

#include <grpcpp/impl/service_type.h>
#include <sqlite3.h>

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "access/audit_log.h"
#include "access/failed_attempts.h"
#include "access/master_key.h"
#include "access/next_master_key.h"
#include "access/secret_store.h"
#include "access/token_store.h"
#include "control/exit_code.h"
#include "control/plugin_search.h"
#include "core/file_system.h"
#include "core/mutex.h"
#include "service/call_gate.h"
#include "service/control_service.h"
#include "service/grpc_server.h"
#include "service/housekeeping.h"
#include "service/ingest_service.h"

namespace tidemark {
namespace {

absl::StatusOr<std::unique_ptr<Log>> OpenLog(const ServerSettings& settings,
                                             const Redactor* redactor) {
  if (settings.log_file.empty()) {
    return std::make_unique<Log>(settings.log_level, settings.log_json, redactor);
  }
  const LogFile file{settings.log_file, settings.log_max_bytes, settings.log_files};
  return Log::Open(settings.log_level, settings.log_json, file, redactor);
}

// How long calls that run have when everything else has ended.
constexpr absl::Duration kCallGrace = absl::Seconds(5);
// Each sync's destination may keep 48 MiB of pages. Dozens together stay near this: beyond it they
// use their own pages anew instead of more.
constexpr int64_t kSqliteBytes = int64_t{192} << 20;

int LevelNumber(LogLevel level) { return static_cast<int>(level); }

}  // namespace

// Members are destroyed from the last to the first.
struct Server::Parts {
  ServerSettings settings;
  Redactor redactor;
  std::unique_ptr<Log> log;
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<TokenStore> tokens;
  std::unique_ptr<SecretStore> secrets;
  NextMasterKey next_key;
  std::unique_ptr<AuditLog> audit;
  std::unique_ptr<FailedAttempts> attempts;
  std::unique_ptr<ConnectionBook> connections;
  std::unique_ptr<SyncBook> syncs;
  std::unique_ptr<SyncRunner> runner;
  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<Housekeeping> housekeeping;
  std::atomic<uint64_t> failed_callers{0};
  std::unique_ptr<CallGate> gate;
  std::unique_ptr<GrpcServer> listeners;  // outlives what made its services
  std::unique_ptr<ControlService> control;
  std::unique_ptr<IngestService> ingest;
  Mutex mutex;
  bool running ABSL_GUARDED_BY(mutex) = false;
  bool stopped ABSL_GUARDED_BY(mutex) = false;

  absl::Status OpenStores();
  absl::Status OpenAccess();
  absl::Status OpenSyncs();
  absl::Status OpenServices();
  absl::Status Listen();
};

absl::Status Server::Parts::OpenStores() {
  for (const std::string& secret : settings.secrets) redactor.AddSecret(secret);
  absl::StatusOr<std::unique_ptr<Log>> opened = OpenLog(settings, &redactor);
  if (!opened.ok()) return opened.status();
  log = *std::move(opened);
  absl::StatusOr<std::unique_ptr<Catalog>> stored = Catalog::Open(settings.data);
  if (!stored.ok()) return stored.status();
  catalog = *std::move(stored);
  if (absl::Status access = OpenAccess(); !access.ok()) return access;
  ConnectionBook::Options options;
  options.folder = settings.connections;
  options.clock = &Clock::Real();
  options.secret = [secrets = secrets.get()](absl::string_view name) {
    return secrets->Resolve(name);
  };
  absl::StatusOr<std::unique_ptr<ConnectionBook>> book =
      ConnectionBook::Open(catalog.get(), std::move(options));
  if (!book.ok()) return book.status();
  connections = *std::move(book);
  return absl::OkStatus();
}

absl::Status Server::Parts::OpenAccess() {
  SqliteConnection& db = catalog->connection();
  Mutex& db_mutex = catalog->mutex();
  absl::StatusOr<std::unique_ptr<TokenStore>> opened_tokens =
      TokenStore::Open(db, db_mutex, Clock::Real());
  if (!opened_tokens.ok()) return opened_tokens.status();
  tokens = *std::move(opened_tokens);
  absl::StatusOr<MasterKeySource> source =
      MasterKeySource::Parse(settings.master_key, catalog->folder());
  if (!source.ok()) return AsUsage(source.status());
  absl::StatusOr<std::unique_ptr<SecretStore>> opened_secrets =
      SecretStore::Open({db, db_mutex, Clock::Real(), FileSystem::Real()}, *source);
  if (!opened_secrets.ok()) return opened_secrets.status();
  secrets = *std::move(opened_secrets);
  absl::StatusOr<NextMasterKey> named = NextMasterKey::Open(settings.next_master_key);
  if (!named.ok()) return AsUsage(named.status());
  next_key = *std::move(named);
  absl::StatusOr<std::unique_ptr<AuditLog>> opened_audit =
      AuditLog::Open({db, db_mutex, Clock::Real(), FileSystem::Real(),
                      absl::StrCat(catalog->folder(), "/audit.head")});
  if (!opened_audit.ok()) return opened_audit.status();
  audit = *std::move(opened_audit);
  if (absl::Status state = audit->state(); !state.ok()) {
    log->Write(LogLevel::kError, {}, state.message());
  }
  attempts = std::make_unique<FailedAttempts>(Clock::Real());
  return absl::OkStatus();
}

absl::Status Server::Parts::OpenServices() {
  CallGate::Parts gating;
  gating.tokens = tokens.get();
  gating.attempts = attempts.get();
  gating.audit = audit.get();
  gating.log = log.get();
  gating.on_failure = [this] { ++failed_callers; };
  gate = std::make_unique<CallGate>(std::move(gating));
  ControlParts controlling;
  controlling.settings = &settings;
  controlling.catalog = catalog.get();
  controlling.connections = connections.get();
  controlling.syncs = syncs.get();
  controlling.runner = runner.get();
  controlling.tokens = tokens.get();
  controlling.secrets = secrets.get();
  controlling.next_key = &next_key;
  controlling.audit = audit.get();
  controlling.gate = gate.get();
  controlling.redactor = &redactor;
  controlling.log = log.get();
  controlling.clock = &Clock::Real();
  controlling.search = PluginSearch::FromEnvironment(settings.plugin_path);
  controlling.standing = [this](absl::string_view name) { return scheduler->StandingOf(name); };
  controlling.close_breaker = [this](absl::string_view name) { scheduler->Resume(name); };
  absl::StatusOr<std::unique_ptr<ControlService>> made =
      ControlService::Create(std::move(controlling));
  if (!made.ok()) return made.status();
  control = *std::move(made);
  IngestService::Parts ingesting;
  ingesting.gate = gate.get();
  ingesting.connections = connections.get();
  ingesting.runner = runner.get();
  ingesting.redactor = &redactor;
  ingesting.log = log.get();
  ingesting.clock = &Clock::Real();
  IngestLimits limits;
  limits.streams = settings.max_ingest_streams;
  ingest = std::make_unique<IngestService>(ingesting, limits);
  return absl::OkStatus();
}

absl::Status Server::Parts::Listen() {
  if (settings.listen.empty()) return absl::OkStatus();
  GrpcServer::Options options;
  options.listen = settings.listen;
  options.reflection = settings.reflection;
  options.log = log.get();
  const std::vector<GrpcServer::ServiceFactory> factories = {
      [this] { return control->NewService(); }, [this] { return ingest->NewService(); }};
  absl::StatusOr<std::unique_ptr<GrpcServer>> started =
      GrpcServer::Start(std::move(options), factories);
  if (!started.ok()) return started.status();
  listeners = *std::move(started);
  return absl::OkStatus();
}

absl::Status Server::Parts::OpenSyncs() {
  absl::StatusOr<std::unique_ptr<SyncBook>> book = SyncBook::Open(catalog.get(), &Clock::Real());
  if (!book.ok()) return book.status();
  syncs = *std::move(book);
  // What a sync logs, its watchers see.
  log->SetTap(
      [book = syncs.get()](LogLevel level, const LogFields& fields, absl::string_view text) {
        if (fields.sync.empty()) return;
        SyncFeedEvent event;
        event.kind = SyncFeedEvent::Kind::kLog;
        event.level = LevelNumber(level);
        event.table = fields.table;
        event.text = std::string(text);
        book->Publish(fields.sync, std::move(event));
      });
  SyncRunner::Parts parts;
  parts.connections = connections.get();
  parts.syncs = syncs.get();
  parts.redactor = &redactor;
  parts.log = log.get();
  parts.clock = &Clock::Real();
  parts.search = PluginSearch::FromEnvironment(settings.plugin_path);
  RunnerLimits limits;
  limits.max_syncs = settings.max_syncs;
  limits.max_ingest_streams = settings.max_ingest_streams;
  limits.max_plugins = settings.max_plugins;
  limits.memory_bytes = settings.memory_bytes;
  limits.stop = settings.stop_timeout;
  runner = std::make_unique<SyncRunner>(std::move(parts), limits);
  Scheduler::Parts scheduling;
  scheduling.connections = connections.get();
  scheduling.syncs = syncs.get();
  scheduling.runner = runner.get();
  scheduling.log = log.get();
  scheduling.clock = &Clock::Real();
  scheduling.catalog = catalog.get();
  scheduler = std::make_unique<Scheduler>(scheduling);
  runner->AddListener(scheduler.get());
  connections->SetListener([scheduler = scheduler.get()](const std::vector<std::string>& names) {
    scheduler->OnConnectionsChanged(names);
  });
  Housekeeping::Parts keeping;
  keeping.connections = connections.get();
  keeping.syncs = syncs.get();
  keeping.log = log.get();
  keeping.history_age = settings.history_age;
  keeping.history_syncs = settings.history_syncs;
  housekeeping = std::make_unique<Housekeeping>(keeping);
  return absl::OkStatus();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Stop(); }

absl::StatusOr<std::unique_ptr<Server>> Server::Open(ServerSettings settings) {
  sqlite3_soft_heap_limit64(kSqliteBytes);
  auto parts = std::make_unique<Parts>();
  parts->settings = std::move(settings);
  absl::Status status = parts->OpenStores();
  if (status.ok()) status = parts->OpenSyncs();
  if (status.ok()) status = parts->OpenServices();
  if (!status.ok()) return status;
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

const ServerSettings& Server::settings() const { return parts_->settings; }
Catalog& Server::catalog() { return *parts_->catalog; }
ConnectionBook& Server::connections() { return *parts_->connections; }
SyncBook& Server::syncs() { return *parts_->syncs; }
SyncRunner& Server::runner() { return *parts_->runner; }
Scheduler& Server::scheduler() { return *parts_->scheduler; }
Redactor& Server::redactor() { return parts_->redactor; }
Log& Server::log() { return *parts_->log; }

void Server::AddListener(SyncListener* listener) { parts_->runner->AddListener(listener); }
uint64_t Server::failed_callers() const { return parts_->failed_callers; }

absl::Status Server::Start() {
  const size_t interrupted = parts_->syncs->Interrupted().size();
  if (interrupted > 0) {
    parts_->log->Write(LogLevel::kWarning, {},
                       absl::StrCat(interrupted,
                                    " syncs were cut off by the end of the server "
                                    "before; those of connections begin again"));
  }
  if (absl::Status listening = parts_->Listen(); !listening.ok()) return listening;
  parts_->scheduler->Load();
  parts_->scheduler->Run();
  parts_->housekeeping->Run();
  MutexLock lock(parts_->mutex);
  parts_->running = true;
  return absl::OkStatus();
}

std::vector<std::string> Server::addresses() const {
  return parts_->listeners == nullptr ? std::vector<std::string>() : parts_->listeners->addresses();
}

void Server::Reload() { parts_->housekeeping->ReloadSoon(); }

absl::Status Server::Ready() {
  MutexLock lock(parts_->mutex);
  if (parts_->running && !parts_->stopped) return absl::OkStatus();
  return absl::UnavailableError(parts_->stopped ? "the server stops" : "the server starts");
}

void Server::Stop() {
  {
    MutexLock lock(parts_->mutex);
    if (std::exchange(parts_->stopped, true)) return;
  }
  if (parts_->listeners != nullptr) parts_->listeners->SetServing(false);
  parts_->scheduler->Stop();
  parts_->housekeeping->Stop();
  parts_->control->BeginStop();
  parts_->ingest->BeginStop();
  parts_->runner->Stop();
  if (parts_->listeners != nullptr) parts_->listeners->Stop(kCallGrace);
  parts_->ingest = nullptr;
  parts_->control = nullptr;
}

void Server::StopNow() { parts_->runner->CutNow(); }

}  // namespace tidemark
