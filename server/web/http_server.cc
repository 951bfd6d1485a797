#include "web/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "control/exit_code.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "httplib.h"

namespace tidemark {
namespace {

constexpr size_t kThreads = 8;
constexpr size_t kWaiting = 32;  // connections that no thread has taken yet
constexpr int kBacklog = 1024;
constexpr size_t kRequestBytes = 16 * 1024;                   // request line and headers
constexpr absl::Duration kHurried = absl::Milliseconds(100);  // for a request while others wait
constexpr absl::Duration kLook = absl::Milliseconds(20);
constexpr absl::Duration kReadyFor = absl::Seconds(1);

// Set while the accepting thread itself runs a connection: there is no room for it.
thread_local bool no_room = false;

struct HostPort {
  std::string host;  // as the library takes it: no brackets
  int port = 0;
};

absl::StatusOr<HostPort> ParseAddress(absl::string_view address) {
  HostPort out;
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(address.substr(colon + 1), &out.port) ||
      out.port < 0 || out.port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("http.address: \"", address, "\" is not HOST:PORT; example: 127.0.0.1:9187"));
  }
  absl::string_view host = address.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[") != absl::ConsumeSuffix(&host, "]")) {
    return absl::InvalidArgumentError(
        absl::StrCat("http.address: \"", address, "\" has one bracket only"));
  }
  out.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  return out;
}

// "127.0.0.1", "::1": literal addresses only, so that nothing is looked up.
bool IsLoopback(const std::string& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

// A socket that is read and written until one moment for the whole request, so that a client gains
// nothing by sending a byte now and then. The moment comes early while others wait for a thread.
class BoundedStream : public httplib::Stream {
 public:
  BoundedStream(int socket, absl::Duration patience, const std::atomic<size_t>& waiting)
      : socket_(socket), patience_(patience), waiting_(waiting) {}

  bool is_readable() const override { return Ready(POLLIN); }
  bool is_writable() const override { return Ready(POLLOUT); }
  // The library asks for single bytes.
  ssize_t read(char* out, size_t size) override {
    if (given_ == received_) {
      if (received_ == buffer_.size() || !is_readable()) return -1;
      const ssize_t got = recv(socket_, buffer_.data() + received_, buffer_.size() - received_, 0);
      if (got <= 0) return got;
      received_ += static_cast<size_t>(got);
    }
    size = std::min(size, received_ - given_);
    std::copy_n(buffer_.data() + given_, size, out);
    given_ += size;
    return static_cast<ssize_t>(size);
  }
  ssize_t write(const char* bytes, size_t size) override {
    if (!is_writable()) return -1;
    return send(socket_, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = "loopback";
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    get_remote_ip_and_port(ip, port);
  }
  socket_t socket() const override { return socket_; }

 private:
  bool Ready(short events) const {
    for (;;) {
      const absl::Duration limit = waiting_ > 0 ? std::min(patience_, kHurried) : patience_;
      const absl::Duration left = began_ + limit - Clock::Real().Monotonic();
      if (left <= absl::ZeroDuration()) return false;
      pollfd wait{socket_, events, 0};
      const auto look_ms = absl::ToInt64Milliseconds(std::min(left, kLook));
      const int got = poll(&wait, 1, static_cast<int>(look_ms) + 1);
      if (got > 0) return (wait.revents & (events | POLLHUP)) != 0;
      if (got < 0 && errno != EINTR) return false;
    }
  }

  const int socket_;
  const absl::Duration patience_;
  const std::atomic<size_t>& waiting_;  // connections without a thread
  const absl::Duration began_ = Clock::Real().Monotonic();
  std::array<char, kRequestBytes> buffer_;  // the whole request; longer ones are cut
  size_t received_ = 0;
  size_t given_ = 0;
};

// The library's threads, with a bounded queue: of too many, the connection that has waited longest
// is closed.
class Pool : public httplib::TaskQueue {
 public:
  explicit Pool(std::atomic<size_t>& waiting) : waiting_(waiting) {
    for (size_t i = 0; i < kThreads; ++i) {
      threads_.emplace_back([this] {
        pthread_setname_np(pthread_self(), "http");
        Run();
      });
    }
  }

  void enqueue(std::function<void()> serve) override {
    std::function<void()> oldest;
    {
      MutexLock lock(mutex_);
      queue_.push_back(std::move(serve));
      if (queue_.size() > kWaiting) {
        oldest = std::move(queue_.front());
        queue_.pop_front();
      }
      waiting_ = queue_.size();
      wake_.Signal();
    }
    if (!oldest) return;
    no_room = true;
    oldest();
    no_room = false;
  }
  void shutdown() override {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
      waiting_ = 1;  // those being served hurry
      wake_.SignalAll();
    }
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void Run() {
    for (;;) {
      std::function<void()> serve;
      {
        MutexLock lock(mutex_);
        while (queue_.empty() && !stopping_) wake_.Wait(mutex_);
        if (queue_.empty()) return;
        serve = std::move(queue_.front());
        queue_.pop_front();
        if (!stopping_) waiting_ = queue_.size();
      }
      serve();
    }
  }

  std::atomic<size_t>& waiting_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

void Answer(int status, const std::string& text, httplib::Response* response) {
  response->status = status;
  response->set_header("Cache-Control", "no-store");
  response->set_header("X-Content-Type-Options", "nosniff");
  response->set_content(text, "text/plain; version=0.0.4; charset=utf-8");
}

class Server : public httplib::Server {
 public:
  explicit Server(HttpServer::Options options) : options_(std::move(options)) {
    new_task_queue = [this] { return new Pool(waiting_); };
    // The library lets several programs share a port.
    set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    // Before the library looks at paths and bodies itself.
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      Route(request, &response);
      return HandlerResponse::Handled;
    });
    set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
          Answer(500, "out of memory\n", &response);
        });
  }

  // After binding: the library lets five wait for being accepted, and drops the others in silence.
  void WidenBacklog() { ::listen(svr_sock_, kBacklog); }

 private:
  void Route(const httplib::Request& request, httplib::Response* response) {
    if (request.method != "GET" && request.method != "HEAD") {
      response->set_header("Allow", "GET, HEAD");
      return Answer(405, "only GET\n", response);
    }
    if (request.path == "/metrics") return Answer(200, options_.metrics(), response);
    if (request.path == "/healthz") return Answer(200, "alive\n", response);
    if (request.path == "/readyz") {
      const absl::Status ready = Ready();
      if (ready.ok()) return Answer(200, "ready\n", response);
      return Answer(503, absl::StrCat("not ready: ", ready.message(), "\n"), response);
    }
    Answer(404, "there are /metrics, /healthz and /readyz\n", response);
  }

  // At most one look a second: it costs a write to the disk.
  absl::Status Ready() {
    MutexLock lock(mutex_);
    const absl::Duration now = Clock::Real().Monotonic();
    if (now - looked_ >= kReadyFor) {
      ready_ = options_.ready();
      looked_ = now;
    }
    return ready_;
  }

  bool process_and_close_socket(socket_t socket) override {
    if (!no_room) {
      BoundedStream stream(socket, options_.patience, waiting_);
      bool closed = false;
      process_request(stream, /*close_connection=*/true, closed, nullptr);
    }
    shutdown(socket, SHUT_RDWR);
    close(socket);
    return true;
  }

  const HttpServer::Options options_;
  std::atomic<size_t> waiting_{0};
  Mutex mutex_;
  absl::Status ready_ ABSL_GUARDED_BY(mutex_);
  absl::Duration looked_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

}  // namespace

struct HttpServer::Work {
  explicit Work(Options options) : server(std::move(options)) {}
  Server server;
  std::thread accepting;
  std::atomic<bool> ended{false};
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(Options options) {
  if (absl::Status good = CheckHttpAddress(options.address); !good.ok()) return good;
  const absl::StatusOr<HostPort> address = ParseAddress(options.address);
  auto work = std::make_unique<Work>(std::move(options));
  int port = address->port;
  if (port == 0) {
    port = work->server.bind_to_any_port(address->host);
  } else if (!work->server.bind_to_port(address->host, port)) {
    port = -1;
  }
  if (port <= 0) {
    return absl::UnavailableError(
        absl::StrCat("http.address: nothing can listen on ", address->host, " port ", address->port,
                     ": it is taken, or not allowed; choose another port"));
  }
  work->server.WidenBacklog();
  work->accepting = std::thread([work = work.get()] {
    work->server.listen_after_bind();
    work->ended = true;
  });
  const bool v6 = address->host.find(':') != std::string::npos;
  return std::unique_ptr<HttpServer>(
      new HttpServer(std::move(work), v6 ? absl::StrCat("[", address->host, "]:", port)
                                         : absl::StrCat(address->host, ":", port)));
}

HttpServer::HttpServer(std::unique_ptr<Work> work, std::string address)
    : work_(std::move(work)), address_(std::move(address)) {}

HttpServer::~HttpServer() {
  // stop() of a server whose thread has not begun yet does nothing.
  while (!work_->server.is_running() && !work_->ended) std::this_thread::yield();
  work_->server.stop();
  work_->accepting.join();
}

absl::Status CheckHttpAddress(absl::string_view address) {
  const absl::StatusOr<HostPort> parsed = ParseAddress(address);
  if (!parsed.ok()) return AsUsage(parsed.status());
  if (IsLoopback(parsed->host)) return absl::OkStatus();
  return AsUsage(absl::InvalidArgumentError(absl::StrCat(
      "http.address: ", address,
      " is not a loopback address, and /metrics asks nobody who he is: "
      "listen on 127.0.0.1 or [::1], and put a proxy with TLS and a login before it")));
}

absl::Status CatalogWritable(Catalog& catalog) {
  return catalog.Transaction([](SqliteConnection& connection) {
    // A real write, so that a full disk or a file that became read-only shows.
    return connection.Execute(
        "CREATE TABLE IF NOT EXISTS readiness (one INTEGER PRIMARY KEY CHECK (one = 1), "
        "looks INTEGER NOT NULL) STRICT; "
        "INSERT INTO readiness VALUES (1, 1) ON CONFLICT DO UPDATE SET looks = looks + 1");
  });
}

}  // namespace tidemark
