// rest against an API on its worse days: nothing hangs, nothing is lost, nothing secret is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/plugins/local_server.h"
#include "tests/plugins/rest_run.h"

namespace tidemark_testing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kToken[] = "t0p-s3cret-t0ken";

class RestFaults : public testing::Test {
 protected:
  void SetUp() override {
    server_ = LocalServer::Script("misbehaving.py");
    ASSERT_TRUE(server_->ready());
  }
  RestRun Run(const std::string& endpoint) {
    return RestRun(server_->Url(""),
                   absl::StrCat(R"([{"table": "t", "primary_key": ["id"], )", endpoint, "}]"));
  }

  std::unique_ptr<LocalServer> server_;
};

TEST_F(RestFaults, PassingOnesAreRepeatedAndCountedInOneWarning) {
  for (const auto& [path, warning] : std::vector<std::pair<std::string, std::string>>{
           {"/flaky/500/3", "3 requests were repeated (HTTP 500: 3)"},
           {"/flaky/503/1", "1 request was repeated (HTTP 503: 1)"},
           {"/flaky/408/2", "2 requests were repeated (HTTP 408: 2)"},
           {"/busy/7", "2 requests were repeated (HTTP 429: 2)"},
           {"/drops", "2 requests were repeated (no connection: 2)"}}) {
    RestRun run = Run(absl::StrCat(R"("path": ")", path, "\""));
    ASSERT_EQ(absl::OkStatus(), run.Sync()) << path << ": " << run.AllTexts();
    EXPECT_EQ(5u, run.upserts()) << path;
    EXPECT_THAT(run.sink().warnings(), ElementsAre(warning)) << path;
  }
}

TEST_F(RestFaults, LongerOnesAreLeftToTheEngine) {
  RestRun run = Run(R"("path": "/flaky/500/5")");
  const absl::Status first = run.Sync();
  EXPECT_TRUE(absl::IsUnavailable(first)) << first;
  EXPECT_THAT(std::string(first.message()), HasSubstr("answered 500, 4 attempts"));
  EXPECT_EQ(0u, run.sink().checkpoints().size());
  EXPECT_THAT(run.sink().warnings(), ElementsAre("3 requests were repeated (HTTP 500: 3)"));
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << "the engine's next attempt";
  EXPECT_EQ(5u, run.upserts());
}

TEST_F(RestFaults, ALongRetryAfterIsHandedToTheEngine) {
  RestRun run = Run(R"("path": "/busy/3600")");
  const absl::Status status = run.Sync();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(1u, server_->CountLines("GET /busy"));
}

TEST_F(RestFaults, ASilentApiIsATimeout) {
  RestRun run = Run(R"("path": "/silent")");
  run.Set("timeout", "100 ms").Set("max_retries", "1");
  const absl::Status status = run.Sync();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_THAT(run.sink().warnings(), ElementsAre("1 request was repeated (timeout: 1)"));
}

TEST_F(RestFaults, AnInterruptEndsARequestUnderWay) {
  RestRun run = Run(R"("path": "/silent")");
  ASSERT_EQ(absl::OkStatus(), run.Open());
  std::thread interrupter([&] {
    server_->AwaitLine("GET /silent");
    RestPlugin().interrupt(run.run().connector());
  });
  const absl::Status status = run.run().Update();
  interrupter.join();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

struct Standing {
  const char* name;
  const char* endpoint;
  absl::StatusCode code;
  const char* text;
};

class RestStandingFaults : public RestFaults, public testing::WithParamInterface<Standing> {};

TEST_P(RestStandingFaults, EndInASentence) {
  RestRun run = Run(GetParam().endpoint);
  run.Set("max_response_bytes", "50000");
  const absl::Status status = run.Sync();
  EXPECT_EQ(GetParam().code, status.code()) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().text));
  EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << status;
  EXPECT_LT(server_->CountLines("GET /"), 1100u) << "no endless loop";
}

constexpr absl::StatusCode kSetup = absl::StatusCode::kFailedPrecondition;

INSTANTIATE_TEST_SUITE_P(
    All, RestStandingFaults,
    testing::Values(
        Standing{"html", R"("path": "/html")", kSetup, "answered text/html instead of JSON"},
        Standing{"broken_json", R"("path": "/broken")", kSetup, "not valid JSON"},
        Standing{"empty", R"("path": "/empty")", kSetup, "answered 200 with an empty body"},
        Standing{"no_list", R"("path": "/no_list")", kSetup, "a list \"data\""},
        Standing{"wrong_pointer", R"("path": "/rows", "records": "/a/b")", kSetup,
                 "no list at /a/b"},
        Standing{"not_found", R"("path": "/no_such_path")", absl::StatusCode::kNotFound,
                 "answered 404, there is nothing at this address: no such path"},
        Standing{"forbidden", R"("path": "/forbidden")", absl::StatusCode::kPermissionDenied,
                 "answered 403"},
        Standing{"large", R"("path": "/large")", kSetup, "larger than 50000 bytes"},
        Standing{"bomb", R"("path": "/bomb")", kSetup, "larger than 50000 bytes"},
        Standing{"elsewhere", R"("path": "/elsewhere")", kSetup, "redirects to another place"},
        Standing{"rounds", R"("path": "/rounds")", kSetup, "redirects without an end"},
        Standing{"same_page",
                 R"("path": "/same_page", "pagination": {"type": "page_number",
                                                         "parameter": "page"})",
                 kSetup, "the same page again (page 2)"},
        Standing{"wraps",
                 R"("path": "/wraps", "pagination": {"type": "page_number", "parameter": "page"})",
                 kSetup, "goes in circles"},
        Standing{"same_link",
                 R"("path": "/same_link", "pagination": {"type": "next_url", "pointer": "/next"})",
                 kSetup, "goes in circles"},
        Standing{"circle",
                 R"("path": "/circle", "pagination": {"type": "next_url", "pointer": "/next"})",
                 kSetup, "goes in circles"},
        Standing{"endless",
                 R"("path": "/endless", "pagination": {"type": "next_url", "pointer": "/next"})",
                 kSetup, "empty pages only"},
        Standing{"foreign",
                 R"("path": "/foreign", "pagination": {"type": "next_url", "pointer": "/next"})",
                 kSetup, "leads to another place"},
        Standing{"backwards",
                 R"("path": "/backwards", "incremental": {"type": "keyset", "field": "id",
                                                          "parameter": "after_id"})",
                 kSetup, "the cursor goes backwards"},
        Standing{"disorder",
                 R"("path": "/disorder", "incremental": {"type": "timestamp", "ascending": true,
                    "field": "updatedAt", "parameter": "since"})",
                 kSetup, "the cursor goes backwards"},
        Standing{"ignores_range",
                 R"("path": "/ignores_range", "incremental": {"type": "step", "field": "id",
                    "width": 5, "start_parameter": "a", "end_parameter": "b"})",
                 kSetup, "but 1 to 5 was asked for"},
        Standing{"no_keyset_field",
                 R"("path": "/rows", "pagination": {"type": "keyset", "field": "key",
                                                    "parameter": "after_id"})",
                 kSetup, "has no key"}),
    [](const auto& info) { return info.param.name; });

TEST_F(RestFaults, BadRecordsBecomeDeadLettersAndTheOthersArrive) {
  RestRun run = Run(R"("path": "/bad_rows", "columns": {"n": "LONG"})");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(2u, run.image().RowCount("t"));
  std::vector<std::string> reasons;
  for (const RecordedDeadLetter& d : run.sink().dead_letters()) {
    reasons.push_back(d.reason);
    EXPECT_THAT(d.context_json, HasSubstr("/bad_rows"));
  }
  EXPECT_THAT(reasons,
              ElementsAre(HasSubstr("no value for its key id"),
                          HasSubstr("no value for its key id"), HasSubstr("not a JSON object"),
                          HasSubstr("column n: is not a whole number"), HasSubstr("not valid JSON"),
                          HasSubstr("not valid JSON"), HasSubstr("gives id twice")));
  EXPECT_EQ(R"({"id": 4, "n": "x"})", run.sink().dead_letters()[3].record_json);
  EXPECT_EQ(R"({"id":"4"})", run.sink().dead_letters()[3].key_json);
}

TEST_F(RestFaults, PagesShrinkAndOneBadRecordIsPassedOver) {
  for (const auto& [paging, where] : std::vector<std::pair<std::string, std::string>>{
           {R"("path": "/heavy", "pagination": {"type": "offset", "parameter": "offset",
               "size_parameter": "limit"})",
            "offset 36"},
           {R"("path": "/heavy_page", "pagination": {"type": "page_number", "parameter": "page",
               "size_parameter": "limit"})",
            "page 37"}}) {
    RestRun run = Run(paging);
    ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
    EXPECT_EQ(99u, run.image().RowCount("t"));
    ASSERT_EQ(1u, run.sink().dead_letters().size());
    EXPECT_EQ(absl::StrCat("the API cannot answer for the record at ", where),
              run.sink().dead_letters()[0].reason);
    EXPECT_THAT(run.sink().dead_letters()[0].context_json, HasSubstr("answered 500"));
  }
}

TEST_F(RestFaults, AnOutageNeverFillsTheDeadLetters) {
  RestRun run = Run(R"("path": "/dies", "pagination": {"type": "offset", "parameter": "offset",
                       "size_parameter": "limit", "size": 20})");
  const absl::Status status = run.Sync();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(0u, run.sink().dead_letters().size());
}

TEST_F(RestFaults, OneTableFailsAndTheOthersGoOn) {
  RestRun run(server_->Url(""), R"([{"table": "a", "path": "/html", "primary_key": ["id"]},
                                    {"table": "b", "path": "/rows", "primary_key": ["id"]},
                                    {"table": "c", "path": "/flaky/500/9", "primary_key": ["id"]},
                                    {"table": "d", "path": "/rows", "primary_key": ["id"]}])");
  const absl::Status status = run.Sync();
  EXPECT_TRUE(absl::IsUnavailable(status)) << "c, after all others: " << status;
  EXPECT_TRUE(absl::IsFailedPrecondition(run.sink().done().at("a")));
  EXPECT_EQ(absl::OkStatus(), run.sink().done().at("b"));
  EXPECT_EQ(0u, run.sink().done().count("c"));
  EXPECT_EQ(20u, run.image().RowCount("d"));
}

TEST_F(RestFaults, CredentialsNeverAppear) {
  const std::string wrong = "wr0ng-t0ken-xyz";
  for (const auto& [path, auth] : std::vector<std::pair<std::string, std::string>>{
           {"/tells", R"({"type": "bearer", "token": "$"})"},
           {"/tells_row", R"({"type": "bearer", "token": "$"})"},
           {"/key", R"({"type": "api_key", "in": "query", "key": "$"})"},
           {"/key", R"({"type": "api_key", "name": "X-Key", "key": "$"})"},
           {"/tells", R"({"type": "headers", "headers": {"Authorization": "$"}})"},
           {"/tells", R"({"type": "basic", "username": "me", "password": "$"})"}}) {
    RestRun run = Run(absl::StrCat(R"("path": ")", path, "\""));
    run.Set("auth", absl::StrReplaceAll(auth, {{"$", wrong}}));
    const absl::Status status = run.Sync();
    EXPECT_NE(absl::OkStatus(), path == "/tells_row" ? absl::InternalError("") : status) << path;
    EXPECT_FALSE(absl::StrContains(run.AllTexts(), wrong)) << run.AllTexts();
    EXPECT_FALSE(absl::StrContains(run.AllTexts(), "bWU6d3IwbmctdDBrZW4teHl6")) << "base64";
  }
}

TEST_F(RestFaults, KnowsApiKeysInHeaderAndQuery) {
  for (const char* auth : {R"({"type": "api_key", "in": "query", "key": "$"})",
                           R"({"type": "api_key", "name": "X-Key", "key": "$"})",
                           R"({"type": "headers", "headers": {"X-Key": "$"}})"}) {
    RestRun run = Run(R"("path": "/key")");
    run.Set("auth", absl::StrReplaceAll(auth, {{"$", kToken}}));
    EXPECT_EQ(absl::OkStatus(), run.Sync()) << auth << run.AllTexts();
    EXPECT_EQ(5u, run.upserts());
    EXPECT_FALSE(absl::StrContains(run.AllTexts(), kToken));
  }
}

TEST_F(RestFaults, LogsInAgainWhenATokenExpires) {
  RestRun run = Run(R"("path": "/session", "pagination": {"type": "offset",
                                                          "parameter": "offset"})");
  run.Set("auth", R"({"type": "session", "prefix": "Token ", "login": {"path": "/login",
      "token": "/session/token", "body": {"username": "me", "password": "p{ss"}}})");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(100u, run.image().RowCount("t"));
  EXPECT_GE(server_->CountLines("POST /login"), 2u);
  EXPECT_FALSE(absl::StrContains(run.AllTexts(), "p{ss"));
}

TEST_F(RestFaults, ConfigurationErrorsNameTheirPlace) {
  for (const auto& [endpoints, text] : std::vector<std::pair<std::string, std::string>>{
           {R"([])", "endpoints: there is none"},
           {R"({})", "endpoints: it has to be a list"},
           {R"([{"path": "/x"}])", "endpoints[0].table: it is missing"},
           {R"([{"table": "t"}])", "endpoints[0].path: it is missing"},
           {R"([{"table": "t", "path": "/x", "colour": 1}])",
            "endpoints[0].colour: there is no such option"},
           {R"([{"table": "t", "path": "/{y}"}])", "there is no variable {y}"},
           {R"([{"table": "t", "path": "/{"}])", "is not closed"},
           {R"([{"table": "t", "path": "http://other.example/x"}])", ""},
           {R"([{"table": "t", "path": "/x", "columns": {"a": "TEXT"}}])",
            "endpoints[0].columns.a: \"TEXT\" is none of"},
           {R"([{"table": "t", "path": "/x", "pagination": {"type": "pages"}}])",
            "pagination.type: \"pages\" is none of none, next_url"},
           {R"([{"table": "t", "path": "/x", "pagination": {"type": "offset"}}])",
            "no text uses {offset}"},
           {R"([{"table": "t", "path": "/x", "pagination": {"type": "next_url",
                 "pointer": "next"}}])",
            "a JSON pointer begins with /"},
           {R"([{"table": "t", "path": "/x", "incremental": {"type": "timestamp"}}])",
            "incremental.field: it is missing"},
           {R"([{"table": "t", "path": "/x", "incremental": {"type": "timestamp", "field": "a",
                 "buffer": "soon"}}])",
            "incremental.buffer: \"soon\" is not a duration"},
           {R"([{"table": "t", "path": "/x"}, {"table": "t", "path": "/y"}])", "there twice"}}) {
    RestRun run(server_->Url(""), endpoints);
    const absl::Status status = text.empty() ? run.Sync() : run.Open();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << endpoints << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text)) << endpoints;
  }
}

TEST_F(RestFaults, BufferAndToleranceWindowTogetherAreAnError) {
  RestRun run = Run(R"("path": "/rows")");
  run.Set("buffer_hours", "2").Set("cdc.timestamp.tolerance_window", "2 hours");
  const absl::Status status = run.Open();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("cdc.timestamp.tolerance_window"));
}

}  // namespace
}  // namespace tidemark_testing
