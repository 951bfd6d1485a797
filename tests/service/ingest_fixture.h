// A server that takes pushes, on a unix socket and a TCP port of its own, in a fresh folder.
#ifndef TIDEMARK_TESTS_SERVICE_INGEST_FIXTURE_H_
#define TIDEMARK_TESTS_SERVICE_INGEST_FIXTURE_H_

#include <grpcpp/create_channel.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "access/audit_log.h"
#include "access/failed_attempts.h"
#include "access/token_store.h"
#include "core/file_system.h"
#include "service/call_gate.h"
#include "service/ingest_service.h"
#include "tests/service/push_client.h"
#include "tests/service/push_connection.h"
#include "tests/service/service_fixture.h"
#include "wire/transport.h"

namespace tidemark::test {

class IngestFixture : public ServiceFixture {
 protected:
  void TearDown() override {
    Stop();
    ServiceFixture::TearDown();
  }

  // A file of the folder; `more`: further lines of the file, at its end.
  void Ingested(const std::string& name, const std::string& source = "",
                const std::string& more = "", const std::string& database = "warehouse.db") {
    std::ofstream file(absl::StrCat(folder_, "/connections/", name, ".yaml"));
    file << "name: " << name << "\nsync:\n  source: {connector: ingest" << source
         << "}\n  destination: {connection: \"" << folder_ << "/" << database << "\"}\n"
         << more;
  }

  void Serve(IngestLimits limits = {}) {
    RunnerLimits runner;
    runner.stop = absl::Seconds(10);
    Open(runner);
    tokens_ = Opened(TokenStore::Open(catalog_->connection(), catalog_->mutex(), Clock::Real()));
    audit_ = Opened(AuditLog::Open({catalog_->connection(), catalog_->mutex(), Clock::Real(),
                                    FileSystem::Real(), folder_ + "/audit.head"}));
    CallGate::Parts gate;
    gate.tokens = tokens_.get();
    gate.attempts = &attempts_;
    gate.audit = audit_.get();
    gate.log = &log_;
    gate_ = std::make_unique<CallGate>(std::move(gate));
    IngestService::Parts parts;
    parts.gate = gate_.get();
    parts.connections = connections_.get();
    parts.runner = runner_.get();
    parts.redactor = &redactor_;
    parts.log = &log_;
    parts.clock = &Clock::Real();
    ingest_ = std::make_unique<IngestService>(parts, limits);
    service_ = ingest_->NewService();
    grpc::ServerBuilder builder;
    ConfigureServer(&builder);
    builder.SetMaxReceiveMessageSize(4 << 20);
    builder.AddListeningPort(address(), grpc::InsecureServerCredentials());
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }

  // As a server stops.
  void Stop() {
    if (ingest_ == nullptr) return;
    ingest_->BeginStop();
    runner_->Stop();
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2));
    ingest_ = nullptr;
    server_ = nullptr;
    service_ = nullptr;
  }

  std::string address() const { return absl::StrCat("unix:", folder_, "/socket"); }
  // A connection of its own, unlike others'.
  std::shared_ptr<grpc::Channel> Channel(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("grpc.use_local_subchannel_pool", 1);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }
  std::unique_ptr<PushConnection> Connect() {
    return std::make_unique<PushConnection>(Channel(address()));
  }
  // A stream that has begun.
  std::unique_ptr<PushConnection> Begin(
      const std::string& connection = "orders", const std::string& producer = "shop",
      v1::CheckpointMode mode = v1::CHECKPOINT_MODE_EVERY_MESSAGE) {
    std::unique_ptr<PushConnection> stream = Connect();
    stream->SendStart(connection, producer, mode);
    const bool started = stream->AwaitStarted().has_value();
    EXPECT_TRUE(started) << stream->AwaitEnd().error_message();
    return stream;
  }

  // Live rows of a query, each as "a|b", NULL as "NULL".
  std::vector<std::string> Rows(const std::string& sql,
                                const std::string& database = "warehouse.db") {
    std::vector<std::string> rows;
    auto connection = SqliteConnection::Open(absl::StrCat(folder_, "/", database),
                                             SqliteConnection::Mode::kReadOnly);
    if (!connection.ok()) return {std::string(connection.status().message())};
    auto statement = (*connection)->Query(sql);
    if (!statement.ok()) return {std::string(statement.status().message())};
    while ((*connection)->Next(**statement).value_or(false)) {
      std::string row;
      for (int i = 0; i < sqlite3_column_count((*statement)->get()); ++i) {
        absl::StrAppend(&row, i > 0 ? "|" : "",
                        (*statement)->IsNull(i) ? "NULL" : (*statement)->String(i));
      }
      rows.push_back(row);
    }
    return rows;
  }

  template <typename T>
  static T Opened(absl::StatusOr<T> opened) {
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  FailedAttempts attempts_{Clock::Real()};
  std::unique_ptr<TokenStore> tokens_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<CallGate> gate_;
  std::unique_ptr<IngestService> ingest_;
  std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVICE_INGEST_FIXTURE_H_
