#include "service/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "access/listen_address.h"
#include "core/mutex.h"
#include "service/tls_credentials.h"
#include "service/unix_listener.h"
#include "wire/transport.h"

namespace tidemark {
namespace {

using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

constexpr int kMaxRequestBytes = 4 * 1024 * 1024;
constexpr int kMaxStreams = 64;
constexpr int kHandshakeMs = 10'000;
constexpr int kKeepaliveMs = 60'000;  // the server's own pings
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kMinPingMs = 10'000;  // what clients may send
constexpr int kMaxPingStrikes = 2;
constexpr int kMaxIdleMs = 30 * 60 * 1000;  // a connection without calls
constexpr size_t kQuotaBytes = size_t{512} << 20;

// Linking the reflection plugin adds it to every builder of the program: here it is taken out again
// where it is not asked for.
class ReflectionChoice final : public grpc::ServerBuilderOption {
 public:
  explicit ReflectionChoice(bool wanted) : wanted_(wanted) {}

  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->erase(std::remove_if(plugins->begin(), plugins->end(),
                                  [](const std::unique_ptr<grpc::ServerBuilderPlugin>& plugin) {
                                    return plugin->name() ==
                                           grpc::reflection::ProtoServerReflectionPlugin().name();
                                  }),
                   plugins->end());
    if (wanted_) {
      plugins->push_back(std::make_unique<grpc::reflection::ProtoServerReflectionPlugin>());
    }
  }

 private:
  const bool wanted_;
};

void Configure(grpc::ServerBuilder* builder, const grpc::ResourceQuota& quota, bool reflection) {
  ConfigureServer(builder);
  builder->SetMaxReceiveMessageSize(kMaxRequestBytes);
  builder->SetResourceQuota(quota);
  builder->SetOption(std::make_unique<ReflectionChoice>(reflection));
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, int>>{
           {GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams},
           {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs},
           {GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs},
           {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs},
           {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingMs},
           {GRPC_ARG_HTTP2_MAX_PING_STRIKES, kMaxPingStrikes},
           {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
           {GRPC_ARG_MAX_CONNECTION_IDLE_MS, kMaxIdleMs},
           // Two servers on one port would each answer half of the calls.
           {GRPC_ARG_ALLOW_REUSEPORT, 0},
           {GRPC_ARG_ENABLE_CHANNELZ, 0}}) {
    builder->AddChannelArgument(name, value);
  }
}

// "127.0.0.1:0" with the port that was taken.
std::string Dialled(const ListenAddress& address, int port) {
  const bool six = address.host().find(':') != std::string::npos;
  return six ? absl::StrCat("[", address.host(), "]:", port)
             : absl::StrCat(address.host(), ":", port);
}

}  // namespace

struct GrpcServer::Parts {
  Options options;
  grpc::ResourceQuota quota{"tidemark"};
  std::vector<std::unique_ptr<TlsCredentials>> tls;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::vector<std::string> addresses;
  std::vector<std::unique_ptr<UnixListener>> listeners;
  std::vector<std::unique_ptr<Acceptor>> acceptors;  // of `local`, one for each listener
  std::unique_ptr<grpc::Server> local;               // unix sockets; null: there is none
  std::unique_ptr<grpc::Server> network;             // TCP; null: there is none

  Mutex mutex;
  CondVar changed;
  bool stopped ABSL_GUARDED_BY(mutex) = false;
  std::thread reloader;

  absl::Status StartLocal(const std::vector<ListenAddress>& all,
                          const std::vector<ServiceFactory>& factories);
  absl::Status StartNetwork(const std::vector<ListenAddress>& all,
                            const std::vector<ServiceFactory>& factories);
  void AddServices(grpc::ServerBuilder* builder, const std::vector<ServiceFactory>& factories);
  void ReloadLoop();
};

void GrpcServer::Parts::AddServices(grpc::ServerBuilder* builder,
                                    const std::vector<ServiceFactory>& factories) {
  for (const ServiceFactory& factory : factories) {
    services.push_back(factory());
    builder->RegisterService(services.back().get());
  }
}

absl::Status GrpcServer::Parts::StartLocal(const std::vector<ListenAddress>& all,
                                           const std::vector<ServiceFactory>& factories) {
  grpc::ServerBuilder builder;
  Configure(&builder, quota, options.reflection);
  for (const ListenAddress& address : all) {
    if (!address.is_unix()) continue;
    absl::StatusOr<std::unique_ptr<UnixListener>> listener =
        UnixListener::Listen(address.path(), options.log);
    if (!listener.ok()) return listener.status();
    listeners.push_back(*std::move(listener));
    addresses.push_back(address.Text());
    acceptors.push_back(builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        grpc::InsecureServerCredentials()));
  }
  if (listeners.empty()) return absl::OkStatus();
  AddServices(&builder, factories);
  local = builder.BuildAndStart();
  if (local == nullptr) return absl::InternalError("gRPC did not start on the unix sockets");
  for (size_t i = 0; i < listeners.size(); ++i) {
    listeners[i]->Start([acceptor = acceptors[i].get()](UniqueFd connection) {
      Acceptor::NewConnectionParameters parameters;
      parameters.fd = connection.Release();
      acceptor->HandleNewConnection(&parameters);
    });
  }
  return absl::OkStatus();
}

absl::Status GrpcServer::Parts::StartNetwork(const std::vector<ListenAddress>& all,
                                             const std::vector<ServiceFactory>& factories) {
  grpc::ServerBuilder builder;
  Configure(&builder, quota, false);
  std::vector<const ListenAddress*> asked;
  std::vector<int> ports(all.size(), 0);
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].is_unix()) continue;
    const std::optional<ListenSettings::Tls>& settings = options.listen[i].tls;
    // The gate asks every caller over TCP for a token or a certificate (service/call_gate.h).
    if (absl::Status may = CheckListen(all[i], {settings.has_value(), true}); !may.ok()) return may;
    std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
    if (settings.has_value()) {
      absl::StatusOr<std::unique_ptr<TlsCredentials>> opened =
          TlsCredentials::Open(*settings, options.log);
      if (!opened.ok()) return opened.status();
      credentials = (*opened)->ForServer();
      tls.push_back(*std::move(opened));
    }
    builder.AddListeningPort(all[i].Text(), std::move(credentials), &ports[asked.size()]);
    asked.push_back(&all[i]);
  }
  if (asked.empty()) return absl::OkStatus();
  AddServices(&builder, factories);
  network = builder.BuildAndStart();
  for (size_t i = 0; i < asked.size(); ++i) {
    if (network == nullptr || ports[i] <= 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot listen on ", asked[i]->Text(),
                       asked.size() > 1 ? " or on one of the other addresses" : "",
                       ": another program has the port, or the address is not of this machine"));
    }
    addresses.push_back(Dialled(*asked[i], ports[i]));
  }
  return absl::OkStatus();
}

void GrpcServer::Parts::ReloadLoop() {
  MutexLock lock(mutex);
  while (!stopped) {
    changed.WaitFor(mutex, options.reload_every);
    if (stopped) return;
    for (const std::unique_ptr<TlsCredentials>& one : tls) one->ReloadIfChanged();
  }
}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(
    Options options, const std::vector<ServiceFactory>& services) {
  // Of the whole program, and nothing that a caller is told by it is worth a proof.
  static std::once_flag once;
  std::call_once(once, [] { grpc::EnableDefaultHealthCheckService(true); });
  std::vector<ListenAddress> all;
  for (const ListenSettings& listen : options.listen) {
    absl::StatusOr<ListenAddress> address = ListenAddress::Parse(listen.address);
    if (!address.ok()) return address.status();
    all.push_back(*std::move(address));
  }
  if (all.empty()) return absl::FailedPreconditionError("the server has no address to listen on");
  auto parts = std::make_unique<Parts>();
  parts->options = std::move(options);
  parts->quota.Resize(kQuotaBytes);
  auto server = std::unique_ptr<GrpcServer>(new GrpcServer(std::move(parts)));
  // What may fail for reasons of others first: a socket that was made is removed by ~GrpcServer().
  if (absl::Status status = server->parts_->StartNetwork(all, services); !status.ok()) {
    return status;
  }
  if (absl::Status status = server->parts_->StartLocal(all, services); !status.ok()) return status;
  if (!server->parts_->tls.empty()) {
    server->parts_->reloader = std::thread([parts = server->parts_.get()] { parts->ReloadLoop(); });
  }
  server->SetServing(true);
  return server;
}

GrpcServer::GrpcServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

GrpcServer::~GrpcServer() { Stop(absl::ZeroDuration()); }

const std::vector<std::string>& GrpcServer::addresses() const { return parts_->addresses; }

void GrpcServer::SetServing(bool serving) {
  for (grpc::Server* server : {parts_->local.get(), parts_->network.get()}) {
    if (server == nullptr) continue;
    grpc::HealthCheckServiceInterface* health = server->GetHealthCheckService();
    if (health == nullptr) continue;
    health->SetServingStatus(serving);
    for (const char* service : {"tidemark.v1.Control", "tidemark.v1.Ingest"}) {
      health->SetServingStatus(service, serving);
    }
  }
}

void GrpcServer::Stop(absl::Duration grace) {
  {
    MutexLock lock(parts_->mutex);
    if (parts_->stopped) return;
    parts_->stopped = true;
    parts_->changed.SignalAll();
  }
  if (parts_->reloader.joinable()) parts_->reloader.join();
  for (const std::unique_ptr<UnixListener>& listener : parts_->listeners) listener->Stop();
  const auto deadline = std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace);
  for (grpc::Server* server : {parts_->local.get(), parts_->network.get()}) {
    if (server != nullptr) server->Shutdown(deadline);
  }
}

}  // namespace tidemark
