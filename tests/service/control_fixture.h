// A server with Control, on a unix socket and a TCP port of its own, in a fresh folder.
#ifndef TIDEMARK_TESTS_SERVICE_CONTROL_FIXTURE_H_
#define TIDEMARK_TESTS_SERVICE_CONTROL_FIXTURE_H_

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "access/audit_log.h"
#include "access/failed_attempts.h"
#include "access/next_master_key.h"
#include "access/secret_store.h"
#include "access/token_store.h"
#include "core/file_system.h"
#include "google/rpc/error_details.pb.h"
#include "service/call_gate.h"
#include "service/control_service.h"
#include "service/grpc_server.h"
#include "service/ingest_service.h"
#include "tests/service/service_fixture.h"
#include "tests/service/test_clock.h"
#include "tidemark/v1/control.grpc.pb.h"

namespace tidemark::test {

class ControlFixture : public ServiceFixture {
 protected:
  using Stub = v1::Control::Stub;

  void TearDown() override {
    Stop();
    ServiceFixture::TearDown();
  }

  // Everything of a server but its scheduler.
  void Serve(std::optional<ListenSettings::Tls> tls = std::nullopt, bool reflection = false) {
    secret_ = [this](absl::string_view name) -> absl::StatusOr<std::string> {
      if (secrets_ == nullptr) return absl::NotFoundError("there are no secrets yet");
      return secrets_->Resolve(name);
    };
    Open();
    tokens_ = Opened(TokenStore::Open(catalog_->connection(), catalog_->mutex(), clock_));
    audit_ = Opened(AuditLog::Open({catalog_->connection(), catalog_->mutex(), Clock::Real(),
                                    FileSystem::Real(), folder_ + "/audit.head"}));
    secrets_ = Opened(SecretStore::Open(
        {catalog_->connection(), catalog_->mutex(), Clock::Real(), FileSystem::Real()},
        Opened(MasterKeySource::Parse(settings_.master_key, catalog_->folder()))));
    next_key_ = Opened(NextMasterKey::Open(settings_.next_master_key));
    CallGate::Parts gate;
    gate.tokens = tokens_.get();
    gate.attempts = &attempts_;
    gate.audit = audit_.get();
    gate.log = &log_;
    gate_ = std::make_unique<CallGate>(std::move(gate));
    ControlParts parts;
    parts.settings = &settings_;
    parts.catalog = catalog_.get();
    parts.connections = connections_.get();
    parts.syncs = syncs_.get();
    parts.runner = runner_.get();
    parts.tokens = tokens_.get();
    parts.secrets = secrets_.get();
    parts.next_key = &next_key_;
    parts.audit = audit_.get();
    parts.gate = gate_.get();
    parts.redactor = &redactor_;
    parts.log = &log_;
    parts.clock = &clock_;
    parts.close_breaker = [this](absl::string_view name) {
      MutexLock lock(closed_mutex_);
      closed_.emplace_back(name);
    };
    control_ = Opened(ControlService::Create(std::move(parts)));
    IngestService::Parts ingest;
    ingest.gate = gate_.get();
    ingest.connections = connections_.get();
    ingest.runner = runner_.get();
    ingest.redactor = &redactor_;
    ingest.log = &log_;
    ingest.clock = &Clock::Real();
    ingest_ = std::make_unique<IngestService>(ingest);
    GrpcServer::Options options;
    options.listen.push_back({socket(), std::nullopt});
    options.listen.push_back({"127.0.0.1:0", std::move(tls)});
    options.reflection = reflection;
    options.log = &log_;
    options.reload_every = absl::Milliseconds(20);
    server_ =
        Opened(GrpcServer::Start(std::move(options), {[this] { return control_->NewService(); },
                                                      [this] { return ingest_->NewService(); }}));
    for (const std::string& address : server_->addresses()) {
      if (address.rfind("unix:", 0) != 0) tcp_ = address;
    }
    admin_ = v1::Control::NewStub(Channel(socket()));
  }

  // As a server stops. Serve() may follow.
  void Stop() {
    if (server_ == nullptr) return;
    control_->BeginStop();
    ingest_->BeginStop();
    runner_->Stop();
    server_->Stop(absl::Seconds(2));
    control_ = nullptr;
    ingest_ = nullptr;
    server_ = nullptr;
    gate_ = nullptr;
    tokens_ = nullptr;
    audit_ = nullptr;
    secrets_ = nullptr;
    runner_ = nullptr;
    syncs_ = nullptr;
    connections_ = nullptr;
    catalog_ = nullptr;
  }

  std::string socket() const { return absl::StrCat("unix:", folder_, "/run/socket"); }

  // A connection of its own, unlike others'.
  std::shared_ptr<grpc::Channel> Channel(const std::string& address,
                                         const std::shared_ptr<grpc::ChannelCredentials>&
                                             credentials = grpc::InsecureChannelCredentials(),
                                         const std::string& host = "") {
    grpc::ChannelArguments arguments;
    arguments.SetInt("grpc.use_local_subchannel_pool", 1);
    if (!host.empty()) arguments.SetSslTargetNameOverride(host);
    return grpc::CreateCustomChannel(address, credentials, arguments);
  }
  std::unique_ptr<Stub> Tcp() { return v1::Control::NewStub(Channel(tcp_)); }

  std::string Token(Role role, std::vector<std::string> connections = {},
                    std::optional<absl::Time> expires = std::nullopt) {
    return Opened(tokens_->Create({role, std::move(connections), "", expires})).text;
  }
  static void Prepare(grpc::ClientContext* context, const std::string& token) {
    if (!token.empty()) context->AddMetadata("authorization", absl::StrCat("Bearer ", token));
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }
  template <typename Request, typename Response>
  static grpc::Status Call(
      Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
      const Request& request, Response* response, const std::string& token = "") {
    grpc::ClientContext context;
    Prepare(&context, token);
    return (stub.*method)(&context, request, response);
  }

  static google::rpc::Status Details(const grpc::Status& status) {
    google::rpc::Status details;
    details.ParseFromString(status.error_details());
    return details;
  }
  template <typename Message>
  static Message Detail(const grpc::Status& status) {
    Message message;
    const google::rpc::Status details = Details(status);
    for (const auto& detail : details.details()) {
      if (detail.UnpackTo(&message)) return message;
    }
    return Message();
  }
  static std::string Reason(const grpc::Status& status) {
    return Detail<google::rpc::ErrorInfo>(status).reason();
  }
  // The first field that a call was refused for.
  static std::string Field(const grpc::Status& status) {
    const auto request = Detail<google::rpc::BadRequest>(status);
    return request.field_violations().empty() ? "" : request.field_violations(0).field();
  }

  std::string Definition(const std::string& name, const std::string& config = "{count: 20}") {
    return absl::StrCat("name: ", name,
                        "\nsync:\n  source: {connector: generator, config: ", config,
                        "}\n  destination: {connection: \"", folder_, "/warehouse.db\"}\n");
  }
  v1::Sync StartSync(const std::string& connection, const std::string& key = "") {
    v1::StartSyncRequest request;
    request.set_connection(connection);
    request.set_idempotency_key(key);
    v1::Sync sync;
    const grpc::Status status = Call(*admin_, &Stub::StartSync, request, &sync);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return sync;
  }

  template <typename T>
  static T Opened(absl::StatusOr<T> opened) {
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  ServerSettings settings_;
  TestClock clock_{absl::Now()};  // of tokens, failed attempts and idempotency keys
  FailedAttempts attempts_{clock_};
  std::unique_ptr<TokenStore> tokens_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<SecretStore> secrets_;
  NextMasterKey next_key_;
  std::unique_ptr<CallGate> gate_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<ControlService> control_;
  std::unique_ptr<IngestService> ingest_;
  Mutex closed_mutex_;
  std::vector<std::string> closed_ ABSL_GUARDED_BY(closed_mutex_);  // breakers, as they came
  std::string tcp_;
  std::unique_ptr<Stub> admin_;  // over the unix socket
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVICE_CONTROL_FIXTURE_H_
