#include "tests/web/http_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/mutex.h"
#include "gtest/gtest.h"

namespace tidemark::test {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// Bytes of one connection, plain or through TLS.
class Wire {
 public:
  Wire(int socket, SSL_CTX* tls) : socket_(socket) {
    if (tls == nullptr) return;
    ssl_ = SSL_new(tls);
    SSL_set_fd(ssl_, socket);
    open_ = SSL_accept(ssl_) == 1;
  }
  ~Wire() {
    SSL_free(ssl_);
    close(socket_);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool Read(std::string* out) {
    char bytes[4096];
    const ssize_t got = !open_            ? -1
                        : ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof(bytes))
                                          : recv(socket_, bytes, sizeof(bytes), 0);
    if (got > 0) out->append(bytes, static_cast<size_t>(got));
    return got > 0;
  }
  void Write(const std::string& text) {
    if (text.empty()) return;
    if (ssl_ != nullptr) {
      static_cast<void>(SSL_write(ssl_, text.data(), static_cast<int>(text.size())));
      SSL_shutdown(ssl_);
    } else {
      static_cast<void>(send(socket_, text.data(), text.size(), MSG_NOSIGNAL));
    }
  }

 private:
  const int socket_;
  SSL* ssl_ = nullptr;
  bool open_ = true;
};

// Head and body; false: the client ended before.
bool ReadRequest(Wire& wire, PeerRequest* request) {
  std::string text;
  size_t end = std::string::npos;
  while ((end = text.find("\r\n\r\n")) == std::string::npos) {
    if (!wire.Read(&text)) return false;
  }
  const std::vector<std::string> lines = absl::StrSplit(text.substr(0, end), "\r\n");
  request->line = lines[0];
  size_t length = 0;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> header =
        absl::StrSplit(lines[i], absl::MaxSplits(": ", 1));
    const std::string name = absl::AsciiStrToLower(header.first);
    request->headers[name] = header.second;
    if (name == "content-length" && !absl::SimpleAtoi(header.second, &length)) return false;
  }
  request->body = text.substr(end + 4);
  while (request->body.size() < length) {
    if (!wire.Read(&request->body)) return false;
  }
  return true;
}

SSL_CTX* MakeTls(const TestCertificate& certificate) {
  SSL_CTX* tls = SSL_CTX_new(TLS_server_method());
  const auto bio = [](const std::string& pem) {
    return BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  };
  BIO* certificate_bio = bio(certificate.certificate);
  BIO* key_bio = bio(certificate.key);
  X509* x509 = PEM_read_bio_X509(certificate_bio, nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
  EXPECT_EQ(SSL_CTX_use_certificate(tls, x509), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(tls, key), 1);
  X509_free(x509);
  EVP_PKEY_free(key);
  BIO_free(certificate_bio);
  BIO_free(key_bio);
  return tls;
}

}  // namespace

struct HttpPeer::Work {
  Answer answer;
  SSL_CTX* tls = nullptr;
  int listener = -1;
  int stop[2] = {-1, -1};
  std::thread thread;
  mutable Mutex mutex;
  mutable CondVar arrived;
  std::vector<PeerRequest> requests ABSL_GUARDED_BY(mutex);
  int connections ABSL_GUARDED_BY(mutex) = 0;

  bool WaitFor(int fd) const {
    pollfd wait[2] = {{fd, POLLIN, 0}, {stop[0], POLLIN, 0}};
    return poll(wait, 2, -1) > 0 && wait[1].revents == 0;
  }

  void Run() {
    while (WaitFor(listener)) {
      const int socket = accept(listener, nullptr, nullptr);
      if (socket < 0) continue;
      {
        MutexLock lock(mutex);
        ++connections;
      }
      Wire wire(socket, tls);
      PeerRequest request;
      if (!ReadRequest(wire, &request)) continue;
      {
        MutexLock lock(mutex);
        requests.push_back(request);
        arrived.SignalAll();
      }
      const std::string text = answer ? answer(request) : PlainAnswer(200);
      if (text.empty()) {
        WaitFor(socket);  // until the client gives up
      } else {
        wire.Write(text);
      }
    }
  }
};

HttpPeer::HttpPeer(Answer answer, const TestCertificate* certificate)
    : work_(std::make_unique<Work>()) {
  signal(SIGPIPE, SIG_IGN);  // as server/main.cc does: OpenSSL writes with write(2), on both ends
  work_->answer = std::move(answer);
  if (certificate != nullptr) work_->tls = MakeTls(*certificate);
  work_->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(work_->listener, any, length), 0);
  EXPECT_EQ(listen(work_->listener, 16), 0);
  EXPECT_EQ(getsockname(work_->listener, any, &length), 0);
  port_ = ntohs(address.sin_port);
  EXPECT_EQ(pipe(work_->stop), 0);
  work_->thread = std::thread([work = work_.get()] { work->Run(); });
}

HttpPeer::~HttpPeer() {
  close(work_->stop[1]);
  work_->thread.join();
  close(work_->stop[0]);
  close(work_->listener);
  SSL_CTX_free(work_->tls);
}

std::vector<PeerRequest> HttpPeer::requests() const {
  MutexLock lock(work_->mutex);
  return work_->requests;
}

bool HttpPeer::WaitForRequests(size_t count) const {
  MutexLock lock(work_->mutex);
  while (work_->requests.size() < count) {
    if (!work_->arrived.WaitFor(work_->mutex, absl::Seconds(30))) return false;
  }
  return true;
}

int HttpPeer::connections() const {
  MutexLock lock(work_->mutex);
  return work_->connections;
}

std::string PlainAnswer(int status, const std::string& headers) {
  return absl::StrCat("HTTP/1.1 ", status, " Whatever\r\nContent-Length: 0\r\n", headers,
                      "Connection: close\r\n\r\n");
}

int Dial(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
  close(fd);
  return -1;
}

std::string Exchange(int port, const std::string& bytes) {
  const int fd = Dial(port);
  if (fd < 0) return "refused";
  const timeval limit{10, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  static_cast<void>(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  std::string out;
  char buffer[4096];
  for (ssize_t got = 0; (got = recv(fd, buffer, sizeof(buffer), 0)) > 0;) {
    out.append(buffer, static_cast<size_t>(got));
  }
  close(fd);
  return out;
}

}  // namespace tidemark::test
