// The HTTP side against real sockets.
#include "web/http_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "control/exit_code.h"
#include "core/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/web/http_peer.h"
#include "tests/web/web_fixture.h"

namespace tidemark {
namespace {

using test::Dial;
using test::Exchange;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpServerTest : public testing::Test {
 protected:
  void Start(absl::Duration patience = absl::Seconds(5)) {
    HttpServer::Options options;
    options.address = "127.0.0.1:0";
    options.metrics = [] { return std::string("tidemark_connections 1\n"); };
    options.ready = [this] {
      ++asked_;
      return ready_;
    };
    options.patience = patience;
    auto server = HttpServer::Start(std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    const std::string& address = server_->address();
    ASSERT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port_));
  }
  std::string Get(const std::string& path) {
    return Exchange(port_, absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: a\r\n\r\n"));
  }

  absl::Status ready_;
  std::atomic<int> asked_{0};
  std::unique_ptr<HttpServer> server_;
  int port_ = 0;
};

TEST_F(HttpServerTest, ServesThreePathsAndNothingElse) {
  Start();
  const std::string metrics = Get("/metrics");
  EXPECT_THAT(metrics, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(metrics, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(metrics, HasSubstr("\r\n\r\ntidemark_connections 1\n"));
  EXPECT_THAT(Get("/metrics?x=1"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(Get("/healthz"), HasSubstr("\r\n\r\nalive\n"));
  EXPECT_THAT(Get("/readyz"), HasSubstr("\r\n\r\nready\n"));
  for (const char* path : {"/", "/metrics/", "//metrics", "/../metrics", "/etc/passwd",
                           "/..%2f..%2fetc%2fpasswd", "/metricsx", "/%00", "/debug"}) {
    EXPECT_THAT(Get(path), StartsWith("HTTP/1.1 404 ")) << path;
  }
}

TEST_F(HttpServerTest, OnlyReads) {
  Start();
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    EXPECT_THAT(Exchange(port_, absl::StrCat(method, " /metrics HTTP/1.1\r\nHost: a\r\n",
                                             "Content-Length: 2\r\n\r\n{}")),
                StartsWith("HTTP/1.1 405 "))
        << method;
  }
  const std::string head = Exchange(port_, "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("tidemark_connections")));
}

TEST_F(HttpServerTest, TellsWhyItIsNotReadyAndAsksAtMostOnceASecond) {
  ready_ = absl::UnavailableError("the server stops");
  Start();
  for (int i = 0; i < 20; ++i) {
    const std::string answer = Get("/readyz");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(answer, HasSubstr("not ready: the server stops"));
    EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_LE(asked_, 3);
}

TEST_F(HttpServerTest, MalformedRequestsGetNoMoreThanAnError) {
  Start();
  for (const std::string& bytes :
       {std::string("\r\n\r\n"), std::string("nonsense\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string("GET /metrics HTTP/9.9\r\n\r\n"), std::string("\0\0\0\0\r\n\r\n", 8),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + "\r\n\r\n",
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")}) {
    EXPECT_THAT(Exchange(port_, bytes), Not(HasSubstr("tidemark_connections")));
  }
  EXPECT_THAT(Get("/metrics"), HasSubstr("tidemark_connections"));
}

TEST_F(HttpServerTest, LongHeadersAreCut) {
  Start();
  const std::string many =
      absl::StrCat("GET /metrics HTTP/1.1\r\n", std::string(1'000'000, 'a'), ": b\r\n\r\n");
  EXPECT_THAT(Exchange(port_, many), Not(HasSubstr("tidemark_connections")));
  std::string lines = "GET /metrics HTTP/1.1\r\n";
  for (int i = 0; i < 5000; ++i) absl::StrAppend(&lines, "X-", i, ": value\r\n");
  EXPECT_THAT(Exchange(port_, lines + "\r\n"), Not(HasSubstr("tidemark_connections")));
  // The library reads ranges by a regular expression, which recurses.
  std::string ranges = "GET /metrics HTTP/1.1\r\nHost: a\r\nRange: bytes=0-0";
  while (ranges.size() < 16'000) ranges += ",0-0";
  EXPECT_THAT(Exchange(port_, ranges + "\r\n\r\n"), Not(HasSubstr("tidemark_connections 1")));
  EXPECT_THAT(Get("/metrics"), HasSubstr("tidemark_connections"));
}

// Fifty clients that never finish their request do not keep one out that does.
TEST_F(HttpServerTest, SlowClientsKeepNobodyOut) {
  Start(absl::Seconds(60));
  std::vector<int> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(Dial(port_));
    ASSERT_GE(slow.back(), 0);
    ASSERT_EQ(send(slow.back(), "GET /met", 8, MSG_NOSIGNAL), 8);
  }
  const absl::Duration began = Clock::Real().Monotonic();
  for (int i = 0; i < 20; ++i) EXPECT_THAT(Get("/metrics"), HasSubstr("tidemark_connections"));
  EXPECT_LT(Clock::Real().Monotonic() - began, absl::Seconds(10));
  for (const int fd : slow) close(fd);
}

// A byte now and then gains a client nothing: the whole request has one deadline.
TEST_F(HttpServerTest, ADripOfBytesIsCutAtTheDeadline) {
  Start(absl::Milliseconds(400));
  const int fd = Dial(port_);
  ASSERT_GE(fd, 0);
  const absl::Duration began = Clock::Real().Monotonic();
  bool cut = false;
  while (!cut && Clock::Real().Monotonic() - began < absl::Seconds(20)) {
    cut = send(fd, "G", 1, MSG_NOSIGNAL) < 0;
    pollfd wait = {fd, POLLIN, 0};
    char byte;
    cut = cut || (poll(&wait, 1, 20) > 0 && recv(fd, &byte, 1, 0) <= 0);
  }
  EXPECT_TRUE(cut);
  close(fd);
}

TEST_F(HttpServerTest, AThousandHalfOpenConnectionsAreSurvived) {
  Start(absl::Milliseconds(300));
  std::vector<int> half_open;
  for (int i = 0; i < 1000; ++i) {
    const int fd = Dial(port_);
    if (fd >= 0) half_open.push_back(fd);
  }
  EXPECT_THAT(Get("/metrics"), HasSubstr("tidemark_connections"));
  for (const int fd : half_open) close(fd);
  EXPECT_THAT(Get("/healthz"), HasSubstr("alive"));
}

TEST_F(HttpServerTest, StopsWithClientsWaiting) {
  Start(absl::Milliseconds(300));
  const int fd = Dial(port_);
  server_.reset();
  EXPECT_LT(Dial(port_), 0);
  close(fd);
}

TEST_F(HttpServerTest, APortHasOneServer) {
  Start();
  HttpServer::Options options;
  options.address = server_->address();
  options.metrics = [] { return ""; };
  options.ready = [] { return absl::OkStatus(); };
  EXPECT_EQ(HttpServer::Start(options).status().code(), absl::StatusCode::kUnavailable);
}

TEST(HttpAddress, OnlyLoopbackWithoutALogin) {
  for (const char* good : {"127.0.0.1:9187", "127.1.2.3:0", "[::1]:9187", "localhost:80"}) {
    EXPECT_EQ(CheckHttpAddress(good), absl::OkStatus()) << good;
  }
  for (const char* bad : {"0.0.0.0:9187", "[::]:9187", "192.168.1.1:80", "example.com:80", ":9187",
                          "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:-1", "[::1:80",
                          "::1]:80", "", "8.8.8.8:80", "127.0.0.1.example.com:80"}) {
    EXPECT_TRUE(IsUsage(CheckHttpAddress(bad))) << bad;
  }
  HttpServer::Options options;
  options.address = "0.0.0.0:0";
  EXPECT_TRUE(IsUsage(HttpServer::Start(options).status()));
}

using CatalogTest = test::WebFixture;

TEST_F(CatalogTest, WritableSaysSo) {
  EXPECT_EQ(CatalogWritable(*catalog_), absl::OkStatus());
  EXPECT_EQ(CatalogWritable(*catalog_), absl::OkStatus());
  ASSERT_TRUE(catalog_
                  ->With([](SqliteConnection& connection) {
                    return connection.Execute("PRAGMA query_only = 1");
                  })
                  .ok());
  EXPECT_FALSE(CatalogWritable(*catalog_).ok());
}

}  // namespace
}  // namespace tidemark
