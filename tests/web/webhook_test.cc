// Webhooks against real servers on loopback.
#include <fstream>

#include "control/config_node.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/destination/destination_fixture.h"
#include "tests/pipeline/fake_clock.h"
#include "tests/web/http_peer.h"
#include "web/alert_channels.h"

namespace tidemark {
namespace {

using test::HttpPeer;
using test::PlainAnswer;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

AlertNotice Notice() {
  AlertNotice notice;
  notice.id = "0123456789abcdef";
  notice.rule = "sync failed";
  notice.severity = "critical";
  notice.connection = "shop";
  notice.text = "the last sync failed: a \"quoted\" text";
  notice.since_us = 1'700'000'000'000'000;
  notice.at_us = 1'700'000'060'000'000;
  return notice;
}

WebhookSettings To(const HttpPeer& peer, const std::string& path = "/hook") {
  WebhookSettings settings;
  settings.url = absl::StrCat("http://127.0.0.1:", peer.port(), path);
  return settings;
}

absl::Status Send(const WebhookSettings& settings) {
  FakeClock clock;
  return MakeWebhookChannel(settings, &clock)->Send(Notice());
}

TEST(Webhook, PostsTheNoticeAsJsonWithItsId) {
  HttpPeer peer;
  ASSERT_TRUE(Send(To(peer, "/hook?a=1")).ok());
  ASSERT_THAT(peer.requests(), SizeIs(1));
  const test::PeerRequest request = peer.requests()[0];
  EXPECT_EQ(request.line, "POST /hook?a=1 HTTP/1.1");
  EXPECT_EQ(request.headers.at("content-type"), "application/json");
  EXPECT_EQ(request.headers.at("tidemark-notice"), "0123456789abcdef");
  EXPECT_EQ(request.headers.count("tidemark-signature"), 0U);
  EXPECT_EQ(request.body,
            R"({"version":1,"id":"0123456789abcdef","event":"firing","rule":"sync failed",)"
            R"("severity":"critical","connection":"shop",)"
            R"("text":"the last sync failed: a \"quoted\" text",)"
            R"("since":"2023-11-14T22:13:20Z","at":"2023-11-14T22:14:20Z"})");
}

// RFC 2104 over SHA-256, computed with another implementation (Python's hmac).
TEST(Webhook, SignatureVectors) {
  EXPECT_EQ(WebhookSignature("whsec_test", 1'700'000'000, R"({"version":1})"),
            "83171cbb758ad8691565f1c3f7f4593a985a0451a5e67181aba825c6a58bb106");
  EXPECT_EQ(WebhookSignature(std::string(200, 'k'), 0, ""),
            "76a82ba859636cc3081c72aa270fd66ac81a202f8182404e7752795c6e7ba88f");
}

TEST(Webhook, SignsTimeAndBody) {
  HttpPeer peer;
  WebhookSettings settings = To(peer);
  settings.secret = "whsec_test";
  ASSERT_TRUE(Send(settings).ok());
  ASSERT_THAT(peer.requests(), SizeIs(1));
  const test::PeerRequest request = peer.requests()[0];
  FakeClock clock;
  const int64_t now = absl::ToUnixSeconds(clock.Now());
  EXPECT_EQ(request.headers.at("tidemark-signature"),
            absl::StrCat("t=", now, ",v1=", WebhookSignature("whsec_test", now, request.body)));
}

TEST(Webhook, AnswersDecideWhetherItIsTriedAgain) {
  const struct {
    int status;
    absl::StatusCode code;
  } kRows[] = {
      {200, absl::StatusCode::kOk},
      {204, absl::StatusCode::kOk},
      {301, absl::StatusCode::kFailedPrecondition},
      {400, absl::StatusCode::kFailedPrecondition},
      {401, absl::StatusCode::kFailedPrecondition},
      {404, absl::StatusCode::kFailedPrecondition},
      {408, absl::StatusCode::kUnavailable},
      {429, absl::StatusCode::kUnavailable},
      {500, absl::StatusCode::kUnavailable},
      {503, absl::StatusCode::kUnavailable},
  };
  for (const auto& row : kRows) {
    HttpPeer peer([&row](const test::PeerRequest&) { return PlainAnswer(row.status); });
    EXPECT_EQ(Send(To(peer)).code(), row.code) << row.status;
  }
}

TEST(Webhook, FollowsNoRedirect) {
  HttpPeer target;
  HttpPeer peer([&target](const test::PeerRequest&) {
    return PlainAnswer(307, absl::StrCat("Location: http://127.0.0.1:", target.port(), "/x\r\n"));
  });
  const absl::Status sent = Send(To(peer));
  EXPECT_EQ(sent.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(sent.message()), HasSubstr("redirect"));
  EXPECT_EQ(target.connections(), 0);
}

TEST(Webhook, GivesUpOnAServerThatDoesNotAnswer) {
  HttpPeer peer([](const test::PeerRequest&) { return std::string(); });
  WebhookSettings settings = To(peer);
  settings.timeout = absl::Milliseconds(200);
  EXPECT_EQ(Send(settings).code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(Webhook, ALongAnswerIsCut) {
  HttpPeer peer([](const test::PeerRequest&) {
    return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
                        std::string(1'000'000, 'x'));
  });
  EXPECT_TRUE(Send(To(peer)).ok());
}

TEST(Webhook, APortWithoutServerIsTriedAgain) {
  WebhookSettings settings;
  {
    HttpPeer peer;
    settings = To(peer, "/secret-path");
  }
  const absl::Status sent = Send(settings);
  EXPECT_EQ(sent.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(sent.message()), Not(HasSubstr("secret-path")));
}

// What a name resolves to counts, at the moment the socket is opened.
TEST(Webhook, NamesThatLeadInsideAreRefused) {
  HttpPeer peer;
  const struct {
    const char* address;
    bool allow_private, allow_link_local, allow_loopback;
    const char* said;
  } kRows[] = {
      {"169.254.169.254", false, false, false, "link_local"},
      {"169.254.169.254", true, false, true, "link_local"},
      {"127.0.0.1", false, false, false, "loopback"},
      {"127.0.0.1", true, true, false, "loopback"},
      {"10.0.0.1", false, true, true, "private"},
      {"192.168.1.1", false, false, false, "private"},
      {"[::1]", false, false, false, "loopback"},
      {"[::ffff:169.254.169.254]", true, false, true, "link_local"},
      {"[fd00::1]", false, true, true, "private"},
      {"0.0.0.0", true, true, true, "reserved"},
  };
  for (const auto& row : kRows) {
    WebhookSettings settings;
    settings.url = absl::StrCat("https://hooks.example.test:", peer.port(), "/");
    settings.resolve = {absl::StrCat("hooks.example.test:", peer.port(), ":", row.address)};
    settings.allow_private = row.allow_private;
    settings.allow_link_local = row.allow_link_local;
    settings.allow_loopback = row.allow_loopback;
    settings.timeout = absl::Seconds(2);
    const absl::Status sent = Send(settings);
    EXPECT_EQ(sent.code(), absl::StatusCode::kPermissionDenied) << row.address << sent;
    EXPECT_THAT(std::string(sent.message()), HasSubstr(row.said)) << row.address;
  }
  EXPECT_EQ(peer.connections(), 0);
}

// Somebody who controls the environment of the server does not get around the check.
TEST(Webhook, UsesNoProxy) {
  HttpPeer proxy;
  HttpPeer peer;
  setenv("http_proxy", absl::StrCat("http://127.0.0.1:", proxy.port()).c_str(), 1);
  setenv("all_proxy", absl::StrCat("http://127.0.0.1:", proxy.port()).c_str(), 1);
  EXPECT_TRUE(Send(To(peer)).ok());
  unsetenv("http_proxy");
  unsetenv("all_proxy");
  EXPECT_EQ(proxy.connections(), 0);
  EXPECT_THAT(peer.requests(), SizeIs(1));
}

class WebhookTls : public testing::Test {
 protected:
  WebhookSettings Settings(const std::string& host, const HttpPeer& peer) {
    WebhookSettings settings;
    settings.url = absl::StrCat("https://", host, ":", peer.port(), "/");
    settings.resolve = {absl::StrCat(host, ":", peer.port(), ":127.0.0.1")};
    settings.allow_loopback = true;
    settings.ca_file = folder_ / "ca.pem";
    std::ofstream(settings.ca_file) << certificate_.certificate;
    return settings;
  }

  TemporaryFolder folder_;
  const test::TestCertificate certificate_ = test::MakeCertificate(
      "hooks.example.test", absl::Now() - absl::Hours(1), absl::Now() + absl::Hours(1));
};

TEST_F(WebhookTls, ACertificateOfTheConfiguredAuthorityIsTaken) {
  HttpPeer peer(nullptr, &certificate_);
  EXPECT_EQ(Send(Settings("hooks.example.test", peer)), absl::OkStatus());
  EXPECT_THAT(peer.requests(), SizeIs(1));
}

TEST_F(WebhookTls, OtherCertificatesAreNot) {
  HttpPeer peer(nullptr, &certificate_);
  WebhookSettings unknown = Settings("hooks.example.test", peer);
  unknown.ca_file.clear();
  EXPECT_FALSE(Send(unknown).ok());
  EXPECT_FALSE(Send(Settings("other.example.test", peer)).ok());
  const test::TestCertificate expired = test::MakeCertificate(
      "hooks.example.test", absl::Now() - absl::Hours(2), absl::Now() - absl::Hours(1));
  HttpPeer old(nullptr, &expired);
  WebhookSettings settings = Settings("hooks.example.test", old);
  std::ofstream(settings.ca_file) << expired.certificate;
  EXPECT_FALSE(Send(settings).ok());
  EXPECT_THAT(peer.requests(), IsEmpty());
  EXPECT_THAT(old.requests(), IsEmpty());
}

TEST(WebhookUrl, WhatMayStandInIt) {
  const struct {
    const char* url;
    const char* problem;  // empty: none
  } kRows[] = {
      {"https://hooks.example.com/x", ""},
      {"https://8.8.8.8/", ""},
      {"https://127.0.0.1:8443/", ""},
      {"http://127.0.0.1:9000/", ""},
      {"http://localhost/", ""},
      {"http://[::1]:80/", ""},
      {"http://hooks.example.com/", "must be https"},
      {"http://10.0.0.1/", "must be https"},
      {"ftp://hooks.example.com/", "must be https"},
      {"file:///etc/passwd", "must be https"},
      {"gopher://127.0.0.1/", "must be https"},
      {"https://user:password@hooks.example.com/", "login"},
      {"https://10.0.0.1/", "private"},
      {"https://169.254.169.254/latest", "link_local"},
      {"https://[fe80::1]/", "link_local"},
      {"https://[::ffff:10.0.0.1]/", "private"},
      {"https://0.0.0.0/", "reserved"},
      {"https://2852039166/", "link_local"},  // 169.254.169.254 as a number
      {"https://0x0a000001/", "private"},
      {"https://", "no URL"},
      {"hooks", "no URL"},
      {"", "no URL"},
  };
  for (const auto& row : kRows) {
    WebhookSettings settings;
    settings.url = row.url;
    const absl::Status checked = CheckWebhookUrl(settings);
    if (*row.problem == '\0') {
      EXPECT_EQ(checked, absl::OkStatus()) << row.url;
    } else {
      EXPECT_FALSE(checked.ok()) << row.url;
      EXPECT_THAT(std::string(checked.message()), HasSubstr(row.problem)) << row.url;
      EXPECT_FALSE(Send(settings).ok()) << row.url;
    }
  }
}

TEST(WebhookUrl, ShowsTheHostOnly) {
  EXPECT_EQ(ShownUrl("https://hooks.example.com/T0/B0/secret?key=1"), "https://hooks.example.com");
  EXPECT_EQ(ShownUrl("https://u:p@hooks.example.com:444/x"), "https://hooks.example.com:444");
  EXPECT_EQ(ShownUrl("http://[::1]:80/"), "http://[::1]:80");
  EXPECT_EQ(ShownUrl("::"), "the webhook");
}

}  // namespace
}  // namespace tidemark
