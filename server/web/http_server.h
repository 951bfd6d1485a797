// The HTTP side of a server: /metrics, /healthz and /readyz, for Prometheus and for whoever
// restarts servers. Nothing else is served, and nothing can be changed through it.
//
// It asks nobody who he is, and metrics name connections: it listens on loopback addresses only,
// and refuses to start on another one (put a proxy with TLS and a login before it).
#ifndef TIDEMARK_WEB_HTTP_SERVER_H_
#define TIDEMARK_WEB_HTTP_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/catalog.h"

namespace tidemark {

// Thread-safe. Eight threads at most; a connection is one request, read and answered within
// Options::patience or cut. While others wait for a thread it gets a tenth of a second, so that
// slow clients cannot keep others out.
class HttpServer {
 public:
  struct Options {
    std::string address;  // "127.0.0.1:9187", "[::1]:0", "localhost:9187"; port 0: any
    // The text of /metrics. Called on the server's threads; must not throw.
    std::function<std::string()> metrics;
    // OK: /readyz answers 200; otherwise 503 with the text, which must hold no secret. Asked at
    // most once a second.
    std::function<absl::Status()> ready;
    absl::Duration patience = absl::Seconds(5);
  };

  // Listens when it returns. IsUsage() (control/exit_code.h): an address that is none, or not
  // loopback. UNAVAILABLE: the port is taken.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(Options options);
  ~HttpServer();  // answers what is being answered, and ends its threads
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  const std::string& address() const { return address_; }  // with the real port

 private:
  struct Work;
  explicit HttpServer(std::unique_ptr<Work> work, std::string address);

  const std::unique_ptr<Work> work_;
  const std::string address_;
};

// OK when `address` may be listened on without TLS and tokens; otherwise what is wrong with it.
absl::Status CheckHttpAddress(absl::string_view address);

// Whether the catalog takes writes now: a small one. For Options::ready, beside whether the
// listeners are up and nobody asked the server to stop.
absl::Status CatalogWritable(Catalog& catalog);

}  // namespace tidemark

#endif  // TIDEMARK_WEB_HTTP_SERVER_H_
