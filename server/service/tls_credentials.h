// A server's side of TLS whose certificate can change while it runs.
#ifndef TIDEMARK_SERVICE_TLS_CREDENTIALS_H_
#define TIDEMARK_SERVICE_TLS_CREDENTIALS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "access/tls_files.h"
#include "control/log.h"
#include "core/mutex.h"
#include "service/settings.h"

namespace grpc {
class ServerCredentials;
}

namespace tidemark {

// TLS 1.2 or 1.3. With a client CA every client must present a certificate of it. Thread-safe; gRPC
// asks for the newest material at each handshake. Must outlive the servers that use it.
class TlsCredentials {
 public:
  // Reads and checks the files; errors as TlsFiles::Read(). `log` is borrowed.
  static absl::StatusOr<std::unique_ptr<TlsCredentials>> Open(const ListenSettings::Tls& settings,
                                                              Log* log);
  ~TlsCredentials();
  TlsCredentials(const TlsCredentials&) = delete;
  TlsCredentials& operator=(const TlsCredentials&) = delete;

  // For one listening address.
  std::shared_ptr<grpc::ServerCredentials> ForServer();

  // Takes the files anew where one has changed. What does not fit together stays unused and is
  // said in the log. From one thread at a time.
  void ReloadIfChanged();

 private:
  struct Fetcher;
  struct Listener;

  TlsCredentials(const TlsPaths& paths, Log* log);
  absl::Status Load();

  Log* const log_;
  const bool clients_;  // they must present a certificate
  TlsFiles files_;
  const std::unique_ptr<Fetcher> fetcher_;
  // What gRPC's core asks at every handshake; it borrows them, beyond the builder's credentials.
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_TLS_CREDENTIALS_H_
