// rest against the real mock API: each pagination, each incremental kind, each authentication.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/plugins/mock_api.h"
#include "tests/plugins/rest_run.h"

namespace tidemark_testing {
namespace {

using testing::HasSubstr;

class RestMockApi : public testing::Test {
 protected:
  static void SetUpTestSuite() { api_ = new MockApi(); }
  static void TearDownTestSuite() {
    delete api_;
    api_ = nullptr;
  }
  void SetUp() override { ASSERT_TRUE(api_->ready()); }

  static std::string Base() { return api_->Url(""); }

  static MockApi* api_;
};

MockApi* RestMockApi::api_ = nullptr;

struct Paging {
  const char* name;
  const char* endpoint;  // JSON, without the table and the key
  size_t least_pages;
};

class RestMockPaging : public RestMockApi, public testing::WithParamInterface<Paging> {};

TEST_P(RestMockPaging, ReadsAllUsersOnceAndThenTheBoundaryOnly) {
  RestRun run(Base(), absl::StrCat(R"([{"table": "user", "primary_key": ["id"], )",
                                   GetParam().endpoint, "}]"));
  const size_t before = api_->server().CountLines("GET /");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  // The API's keyset drops users that share the last second of a page.
  EXPECT_GE(run.image().RowCount("user"), 195u);
  EXPECT_EQ(run.image().RowCount("user"), run.upserts()) << "each user once";
  EXPECT_GE(api_->server().CountLines("GET /") - before, GetParam().least_pages);

  const std::vector<std::string> users = run.image().Lines();
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(users, run.image().Lines());
  EXPECT_EQ(0u, run.upserts()) << "what stands at the cursor is recognised";
}

INSTANTIATE_TEST_SUITE_P(
    All, RestMockPaging,
    testing::Values(Paging{"next_url",
                           R"("path": "/pagination/next_page_url",
                  "pagination": {"type": "next_url", "pointer": "/next_page_url",
                                 "size_parameter": "per_page", "size": 50},
                  "incremental": {"type": "timestamp", "field": "updatedAt", "ascending": true,
                                  "parameter": "updated_since"})",
                           4},
                    Paging{"page_number",
                           R"("path": "/pagination/page_number",
                  "pagination": {"type": "page_number", "parameter": "page", "max_size": 50,
                                 "size_parameter": "per_page", "total": "/total_pages"},
                  "incremental": {"type": "timestamp", "field": "updatedAt",
                                  "parameter": "updated_since"})",
                           4},
                    Paging{"offset",
                           R"("path": "/pagination/offset", "query": {"order_by": "updatedAt"},
                  "pagination": {"type": "offset", "parameter": "offset",
                                 "size_parameter": "limit", "size": 50},
                  "incremental": {"type": "timestamp", "field": "updatedAt",
                                  "parameter": "updated_since"})",
                           5},
                    Paging{"scroll",
                           R"("path": "/pagination/keyset",
                  "pagination": {"type": "scroll", "parameter": "scroll_param",
                                 "pointer": "/scroll_param", "token_only": true},
                  "incremental": {"type": "timestamp", "field": "updatedAt",
                                  "parameter": "updated_since"})",
                           4},
                    Paging{"none",
                           R"("path": "/incremental/timestamp",
                  "incremental": {"type": "timestamp", "field": "updatedAt",
                                  "parameter": "since"})",
                           1}),
    [](const auto& info) { return info.param.name; });

TEST_F(RestMockApi, ReplayReadsItsBufferAgain) {
  RestRun run(Base(), R"([{"table": "user", "path": "/incremental/timestamp",
                           "primary_key": ["id"],
                           "incremental": {"type": "replay", "field": "updatedAt",
                                           "parameter": "since"}}])");
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(200u, run.image().RowCount("user"));
  const std::vector<std::string> users = run.image().Lines();
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(users, run.image().Lines());
  EXPECT_GT(run.upserts(), 0u) << "the two hours before the last timestamp";
  EXPECT_LT(run.upserts(), 20u);
}

TEST_F(RestMockApi, StepWalksOverTheIdentifiersAndGoesOnBehindThem) {
  RestRun run(Base(), R"([{"table": "user", "path": "/incremental/step", "primary_key": "id",
                           "columns": {"id": "LONG"},
                           "incremental": {"type": "step", "field": "id", "width": 60,
                                           "start_parameter": "start_id",
                                           "end_parameter": "end_id"}}])");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(200u, run.image().RowCount("user"));
  EXPECT_EQ(R"({"cursor":200,"type":"step"})", run.state()[0].body);
  EXPECT_EQ(5u, run.sink().checkpoints().size()) << "one for each range, the empty one too";
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(0u, run.upserts());
}

TEST_F(RestMockApi, FullReadsEverythingEachTime) {
  RestRun run(Base(), R"([{"table": "user", "path": "/incremental/timestamp",
                           "primary_key": ["id"]}])");
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(200u, run.upserts());
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(200u, run.upserts());
  EXPECT_EQ(200u, run.image().RowCount("user"));
}

TEST_F(RestMockApi, ReadsSeveralTablesAndTheirOptionsOfTheCdcSection) {
  RestRun run(Base(),
              R"([{"table": "user", "path": "/incremental/timestamp", "primary_key": ["id"],
                   "incremental": {"parameter": "since"}},
                  {"table": "company", "path": "/cursors/companies", "primary_key": ["company_id"],
                   "incremental": {"parameter": "updated_since"}}])");
  run.Set("cdc.timestamp.updated_at_field", "updatedAt")
      .Set("cdc.timestamp.tolerance_window", "5 minutes");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(200u, run.image().RowCount("user"));
  EXPECT_EQ(2u, run.image().RowCount("company"));
  ASSERT_EQ(2u, run.state().size());
  EXPECT_EQ("user", run.state()[0].table);
  EXPECT_EQ("company", run.state()[1].table);
}

TEST_F(RestMockApi, SaysWhatTheApiSaysAboutAnUnknownParameter) {
  RestRun run(Base(), R"([{"table": "user", "path": "/incremental/timestamp",
                           "query": {"colour": "red"}}])");
  const absl::Status status = run.Sync();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("answered 400: Unexpected query parameters: colour"));
}

TEST_F(RestMockApi, KnowsEachAuthentication) {
  const std::string basic = api_->Credential("/auth/http_basic", "Password:");
  const std::string bearer = api_->Credential("/auth/http_bearer", "Bearer Token:");
  const std::string key = api_->Credential("/auth/api_key", "API Key:");
  const std::string session = api_->Credential("/auth/session_token/login", "Password:");
  const std::string session_login = absl::StrCat(
      R"({"type": "session", "prefix": "Token ", "login": {"path": "/auth/session_token/login",
          "body": {"username": ")",
      api_->Credential("/auth/session_token/login", "Username:"), R"(", "password": ")");
  const std::vector<std::tuple<std::string, std::string, std::string>> cases = {
      {"/auth/http_basic",
       absl::StrCat(R"({"type": "basic", "username": ")",
                    api_->Credential("/auth/http_basic", "Username:"), R"(", "password": ")", basic,
                    R"("})"),
       basic},
      {"/auth/http_bearer", absl::StrCat(R"({"type": "bearer", "token": ")", bearer, R"("})"),
       bearer},
      {"/auth/api_key",
       absl::StrCat(R"({"type": "api_key", "prefix": "apiKey ", "key": ")", key, R"("})"), key},
      {"/auth/api_key",
       absl::StrCat(R"({"type": "headers", "headers": {"Authorization": "apiKey )", key, R"("}})"),
       key},
      {"/auth/session_token/data", absl::StrCat(session_login, session, R"("}}})"), session}};
  for (const auto& [path, auth, secret] : cases) {
    const std::string endpoints =
        absl::StrCat(R"([{"table": "user", "path": ")", path, R"(", "primary_key": ["id"]}])");
    RestRun good(Base(), endpoints);
    good.Set("auth", auth);
    EXPECT_EQ(absl::OkStatus(), good.Sync()) << auth;
    EXPECT_GT(good.upserts(), 0u) << path;
    EXPECT_FALSE(absl::StrContains(good.AllTexts(), secret)) << good.AllTexts();

    const std::string wrong = absl::StrCat(secret.substr(1), "Z");
    RestRun bad(Base(), endpoints);
    bad.Set("auth", absl::StrReplaceAll(auth, {{secret, wrong}}));
    const absl::Status status = bad.Sync();
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << path << ": " << status;
    EXPECT_FALSE(absl::StrContains(bad.AllTexts(), wrong)) << bad.AllTexts();
    EXPECT_FALSE(absl::StrContains(status.message(), "\n"));
  }
}

TEST(RestMockRateLimit, WaitsAsTheApiAsks) {
  const MockApi api({"--rate-limit", "--capacity", "2"});
  ASSERT_TRUE(api.ready());
  RestRun run(api.Url(""), R"([{"table": "user", "path": "/pagination/offset",
      "primary_key": ["id"], "pagination": {"type": "offset", "parameter": "offset",
                                            "size_parameter": "limit", "size": 50}}])");
  run.Set("max_retries", "1000");  // sleeps take no time in a test
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(200u, run.image().RowCount("user"));
  ASSERT_EQ(1u, run.sink().warnings().size()) << "one warning that counts";
  EXPECT_THAT(run.sink().warnings()[0], HasSubstr("HTTP 429"));
}

}  // namespace
}  // namespace tidemark_testing
