#include "service/tls_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/server_credentials.h>
#include <sodium.h>

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/clock.h"

namespace tidemark {

// What gRPC is given at a handshake.
struct TlsCredentials::Fetcher {
  Mutex mutex;
  TlsMaterial material ABSL_GUARDED_BY(mutex);
  uint64_t version ABSL_GUARDED_BY(mutex) = 0;

  ~Fetcher() { sodium_memzero(material.key.data(), material.key.size()); }
};

// One listening address: gRPC asks for each by itself.
struct TlsCredentials::Listener {
  Fetcher* fetcher = nullptr;
  uint64_t delivered = 0;  // guarded by the fetcher's mutex
};

namespace {

// gRPC's C++ credentials over TLS cannot change their certificate; those of its C interface can.
class Reloading final : public grpc::ServerCredentials {
 public:
  using Fetch = grpc_ssl_certificate_config_reload_status (*)(void*,
                                                              grpc_ssl_server_certificate_config**);

  Reloading(bool clients, Fetch fetch, void* asked)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                clients ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                        : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
                fetch, asked))) {}
  ~Reloading() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TlsCredentials>> TlsCredentials::Open(
    const ListenSettings::Tls& settings, Log* log) {
  auto credentials = std::unique_ptr<TlsCredentials>(
      new TlsCredentials({settings.certificate, settings.key, settings.client_ca}, log));
  if (absl::Status loaded = credentials->Load(); !loaded.ok()) return loaded;
  return credentials;
}

TlsCredentials::TlsCredentials(const TlsPaths& paths, Log* log)
    : log_(log),
      clients_(!paths.client_ca.empty()),
      files_(paths, Clock::Real()),
      fetcher_(std::make_unique<Fetcher>()) {}

TlsCredentials::~TlsCredentials() = default;

absl::Status TlsCredentials::Load() {
  absl::StatusOr<TlsMaterial> material = files_.Read();
  if (!material.ok()) return material.status();
  for (const std::string& warning : material->warnings) {
    log_->Write(LogLevel::kWarning, {}, warning);
  }
  MutexLock lock(fetcher_->mutex);
  std::string& old = fetcher_->material.key;
  sodium_memzero(old.data(), old.size());
  fetcher_->material = *std::move(material);
  ++fetcher_->version;
  return absl::OkStatus();
}

void TlsCredentials::ReloadIfChanged() {
  if (!files_.Changed()) return;
  if (absl::Status loaded = Load(); !loaded.ok()) {
    log_->Write(LogLevel::kError, {},
                absl::StrCat("the changed files of TLS are not taken, the old ones stay in use: ",
                             loaded.message()));
    return;
  }
  log_->Write(LogLevel::kInfo, {}, "certificate and key of TLS were read again");
}

std::shared_ptr<grpc::ServerCredentials> TlsCredentials::ForServer() {
  Listener* listener = listeners_.emplace_back(std::make_unique<Listener>()).get();
  listener->fetcher = fetcher_.get();
  const auto fetch = [](void* asked, grpc_ssl_server_certificate_config** config) {
    auto* one = static_cast<Listener*>(asked);
    Fetcher& fetcher = *one->fetcher;
    MutexLock lock(fetcher.mutex);
    if (one->delivered == fetcher.version) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair = {fetcher.material.key.c_str(),
                                             fetcher.material.certificate.c_str()};
    // gRPC ends the program where there are no roots at all. Where clients are not asked for a
    // certificate nothing is verified by them, so that our own will do.
    const std::string& roots = fetcher.material.client_ca.empty() ? fetcher.material.certificate
                                                                  : fetcher.material.client_ca;
    *config = grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
    one->delivered = fetcher.version;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  };
  return std::make_shared<Reloading>(clients_, fetch, listener);
}

}  // namespace tidemark
