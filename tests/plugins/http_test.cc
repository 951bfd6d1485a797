#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "http/http_client.h"
#include "http/retrying_client.h"
#include "http/secrets.h"
#include "http/url.h"
#include "tests/plugins/local_server.h"
#include "tidemark/status.h"

namespace tidemark::http {
namespace {

using testing::HasSubstr;
using tidemark_testing::LocalServer;

std::unique_ptr<HttpClient> Client(const HttpClientOptions& options = {}) {
  auto client = HttpClient::Create(options);
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

TEST(Url, IsBuiltAndShown) {
  auto url = Url::Parse("HTTP://Example.com/v1?a=1#part");
  ASSERT_TRUE(url.ok());
  url->AddQuery("since", "2024-01-15T10:30:00+02:00 &");
  url->AddQuery("api_key", "secret");
  EXPECT_EQ(
      "http://example.com:80/v1?a=1&since=2024-01-15T10%3A30%3A00%2B02%3A00%20%26&"
      "api_key=secret",
      url->ToString());
  EXPECT_EQ("http://example.com/v1?a=1&since=2024-01-15T10%3A30%3A00%2B02%3A00%20%26&api_key=***",
            url->Shown());
  EXPECT_TRUE(url->HasQuery("api_key"));
  EXPECT_FALSE(url->HasQuery("api"));
}

TEST(Url, FollowsLinksAndAppendsPaths) {
  const auto base = Url::Parse("http://h:8080/v1/list?x=1");
  ASSERT_TRUE(base.ok());
  EXPECT_EQ("http://h:8080/next?p=2", base->Resolve("/next?p=2")->ToString());
  EXPECT_EQ("http://h:8080/v1/list?p=2", base->Resolve("?p=2")->ToString());
  EXPECT_EQ("https://other/x", base->Resolve("https://other/x")->Shown());
  EXPECT_EQ("http://h:8080/v1/list/users?x=1", base->Append("/users")->ToString());
  EXPECT_EQ("http://h:8080/v1/list/users?y=2", base->Append("users?y=2")->ToString());
  EXPECT_TRUE(base->SameOrigin(*Url::Parse("http://H:8080/")));
  EXPECT_FALSE(base->SameOrigin(*Url::Parse("https://h:8080/")));
  EXPECT_FALSE(base->SameOrigin(*Url::Parse("http://h/")));
}

TEST(Url, RefusesOtherSchemesAndCredentials) {
  for (const char* text : {"", "h", "ftp://h/", "file:///etc/passwd", "http://", "http://a b/"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Url::Parse(text).status())) << text;
  }
  const absl::Status status = Url::Parse("https://me:hunter2@h/").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_FALSE(absl::StrContains(status.message(), "hunter2")) << status;
}

TEST(Secrets, AreTakenOutOfEveryText) {
  Secrets secrets;
  secrets.Add("");
  secrets.Add("a/b c");
  secrets.Add("a/b cd");
  EXPECT_EQ("x *** y *** z ***", secrets.Redact("x a/b cd y a/b c z a%2Fb%20c"));
  const absl::Status status =
      WithRetryAfter(absl::UnavailableError("a/b c is busy"), absl::Seconds(7));
  EXPECT_EQ("*** is busy", secrets.Redact(status).message());
  EXPECT_EQ(absl::Seconds(7), RetryAfter(secrets.Redact(status)));
}

TEST(RetryingClient, BacksOffWithJitterAndObeysRetryAfter) {
  const auto server = LocalServer::Script("misbehaving.py");
  const auto client = Client();
  std::vector<absl::Duration> slept;
  const auto sleep = [&slept](absl::Duration d) {
    slept.push_back(d);
    return absl::OkStatus();
  };
  RetryingClient retrying(client.get(), {.max_retries = 4, .first_delay = absl::Seconds(1)});
  const auto ok = retrying.Send({.url = *Url::Parse(server->Url("/flaky/503/4"))}, sleep);
  ASSERT_TRUE(ok.ok()) << ok.status();
  ASSERT_EQ(4u, slept.size());
  for (size_t i = 0; i < slept.size(); ++i) {
    const absl::Duration full = absl::Seconds(1 << i);
    EXPECT_GE(slept[i], full / 2) << i;
    EXPECT_LE(slept[i], full) << i;
  }
  slept.clear();
  EXPECT_TRUE(retrying.Send({.url = *Url::Parse(server->Url("/busy/17"))}, sleep).ok());
  ASSERT_EQ(2u, slept.size());
  EXPECT_GE(slept[0], absl::Seconds(17));
  const auto longer = retrying.Send({.url = *Url::Parse(server->Url("/busy/3600"))}, sleep);
  EXPECT_TRUE(absl::IsResourceExhausted(longer.status()));
  EXPECT_EQ(absl::Seconds(3600), RetryAfter(longer.status()));
  EXPECT_EQ("6 requests were repeated (HTTP 429: 2, HTTP 503: 4)", retrying.DescribeRetries());
}

TEST(RetryingClient, StopsWhenItMayNotSleep) {
  const auto server = LocalServer::Script("misbehaving.py");
  const auto client = Client();
  RetryingClient retrying(client.get(), {});
  const auto response =
      retrying.Send({.url = *Url::Parse(server->Url("/flaky/500/9"))},
                    [](absl::Duration) { return absl::CancelledError("interrupted"); });
  EXPECT_TRUE(absl::IsCancelled(response.status()));
  EXPECT_EQ(1u, server->CountLines("GET /flaky"));
}

TEST(HttpClient, VerifiesCertificates) {
  const auto server = LocalServer::Script("tls.py", {"--folder", TIDEMARK_SERVERS_FOLDER});
  const auto url = Url::Parse(absl::StrCat("https://localhost:", server->port(), "/"));
  const auto refused = Client()->Send({.url = *url});
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status())) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("certificate is not trusted"));

  const HttpClientOptions trusting = {.ca_file = TIDEMARK_SERVERS_FOLDER "/localhost.crt"};
  const auto accepted = Client(trusting)->Send({.url = *url});
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(200, accepted->status);

  // The same certificate under a name that is not in it.
  const auto other = Url::Parse(absl::StrCat("https://127.0.0.1:", server->port(), "/"));
  EXPECT_TRUE(absl::IsFailedPrecondition(Client(trusting)->Send({.url = *other}).status()));
}

TEST(HttpClient, KeepsItsConnection) {
  const auto server = LocalServer::Script("misbehaving.py");
  const auto client = Client();
  std::string first;
  for (int i = 0; i < 3; ++i) {
    const auto response = client->Send({.url = *Url::Parse(server->Url("/peer"))});
    ASSERT_TRUE(response.ok()) << response.status();
    if (first.empty()) first = response->body;
    EXPECT_EQ(first, response->body) << "the same client port";
  }
}

TEST(HttpClient, AfterAnInterruptEveryRequestIsCancelled) {
  const auto server = LocalServer::Script("misbehaving.py");
  const auto client = Client();
  client->Interrupt();
  const auto response = client->Send({.url = *Url::Parse(server->Url("/rows"))});
  EXPECT_TRUE(absl::IsCancelled(response.status())) << response.status();
}

}  // namespace
}  // namespace tidemark::http
