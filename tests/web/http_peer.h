// A small HTTP server for tests, over TCP or TLS, on a loopback port.
#ifndef TIDEMARK_TESTS_WEB_HTTP_PEER_H_
#define TIDEMARK_TESTS_WEB_HTTP_PEER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/access/test_certificates.h"

namespace tidemark::test {

struct PeerRequest {
  std::string line;                            // "POST /hook HTTP/1.1"
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// Answers one connection after the other on a thread of its own.
class HttpPeer {
 public:
  // The answer with its status line; empty: none, the client waits.
  using Answer = std::function<std::string(const PeerRequest&)>;

  explicit HttpPeer(Answer answer = nullptr) : HttpPeer(std::move(answer), nullptr) {}
  HttpPeer(Answer answer, const TestCertificate* certificate);
  ~HttpPeer();
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;

  int port() const { return port_; }
  std::vector<PeerRequest> requests() const;
  // False: there were not so many within half a minute.
  bool WaitForRequests(size_t count) const;
  int connections() const;

 private:
  struct Work;
  std::unique_ptr<Work> work_;
  int port_ = 0;
};

// "HTTP/1.1 STATUS ..." with these further header lines and no body.
std::string PlainAnswer(int status, const std::string& headers = "");

// Sends the bytes to a loopback port and returns all that comes back within ten seconds.
std::string Exchange(int port, const std::string& bytes);
// A TCP connection to a loopback port; -1: refused. The caller closes it.
int Dial(int port);

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_WEB_HTTP_PEER_H_
