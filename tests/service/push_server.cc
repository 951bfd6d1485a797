#include "tests/service/push_server.h"

#include <grpcpp/impl/service_type.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "access/audit_log.h"
#include "access/failed_attempts.h"
#include "access/token_store.h"
#include "core/clock.h"
#include "core/file_system.h"
#include "service/call_gate.h"
#include "service/catalog.h"
#include "service/connection_book.h"
#include "service/ingest_service.h"
#include "service/sync_book.h"
#include "service/sync_runner.h"
#include "wire/transport.h"

namespace tidemark::test {

struct PushServer::Parts {
  Redactor redactor;
  Log log{LogLevel::kError, false, &redactor};
  FailedAttempts attempts{Clock::Real()};
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<ConnectionBook> connections;
  std::unique_ptr<SyncBook> syncs;
  std::unique_ptr<TokenStore> tokens;
  std::unique_ptr<AuditLog> audit;
  std::unique_ptr<SyncRunner> runner;
  std::unique_ptr<CallGate> gate;
  std::unique_ptr<grpc::Service> service;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<IngestService> ingest;
  std::string address;

  absl::Status OpenStores(const std::string& folder);
  absl::Status Serve();
};

absl::Status PushServer::Parts::OpenStores(const std::string& folder) {
  auto opened = Catalog::Open(folder + "/data");
  if (!opened.ok()) return opened.status();
  catalog = *std::move(opened);
  ConnectionBook::Options options;
  options.folder = folder;
  options.clock = &Clock::Real();
  auto book = ConnectionBook::Open(catalog.get(), std::move(options));
  if (!book.ok()) return book.status();
  connections = *std::move(book);
  auto history = SyncBook::Open(catalog.get(), &Clock::Real());
  if (!history.ok()) return history.status();
  syncs = *std::move(history);
  auto store = TokenStore::Open(catalog->connection(), catalog->mutex(), Clock::Real());
  if (!store.ok()) return store.status();
  tokens = *std::move(store);
  auto entries = AuditLog::Open({catalog->connection(), catalog->mutex(), Clock::Real(),
                                 FileSystem::Real(), folder + "/data/audit.head"});
  if (!entries.ok()) return entries.status();
  audit = *std::move(entries);
  return absl::OkStatus();
}

absl::Status PushServer::Parts::Serve() {
  SyncRunner::Parts running;
  running.connections = connections.get();
  running.syncs = syncs.get();
  running.redactor = &redactor;
  running.log = &log;
  running.clock = &Clock::Real();
  runner = std::make_unique<SyncRunner>(std::move(running), RunnerLimits());
  CallGate::Parts gating;
  gating.tokens = tokens.get();
  gating.attempts = &attempts;
  gating.audit = audit.get();
  gating.log = &log;
  gate = std::make_unique<CallGate>(std::move(gating));
  IngestService::Parts parts;
  parts.gate = gate.get();
  parts.connections = connections.get();
  parts.runner = runner.get();
  parts.redactor = &redactor;
  parts.log = &log;
  parts.clock = &Clock::Real();
  ingest = std::make_unique<IngestService>(parts);
  service = ingest->NewService();
  grpc::ServerBuilder builder;
  ConfigureServer(&builder);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(service.get());
  server = builder.BuildAndStart();
  return server == nullptr ? absl::UnavailableError("gRPC did not start") : absl::OkStatus();
}

PushServer::PushServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

PushServer::~PushServer() {
  if (parts_->ingest != nullptr) parts_->ingest->BeginStop();
  if (parts_->runner != nullptr) parts_->runner->Stop();
  if (parts_->server != nullptr) parts_->server->Shutdown(std::chrono::system_clock::now());
  parts_->ingest = nullptr;
}

absl::StatusOr<std::unique_ptr<PushServer>> PushServer::Open(const std::string& folder) {
  auto server = std::unique_ptr<PushServer>(new PushServer(std::make_unique<Parts>()));
  server->parts_->address = absl::StrCat("unix:", folder, "/socket");
  absl::Status status = server->parts_->OpenStores(folder);
  if (status.ok()) status = server->parts_->Serve();
  if (!status.ok()) return status;
  return server;
}

const std::string& PushServer::address() const { return parts_->address; }

}  // namespace tidemark::test
