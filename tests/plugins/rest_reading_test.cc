// What rest reads from an API that works, and what it remembers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/plugins/local_server.h"
#include "tests/plugins/rest_run.h"

namespace tidemark_testing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RestReading : public testing::Test {
 protected:
  void SetUp() override {
    server_ = LocalServer::Script("misbehaving.py");
    ASSERT_TRUE(server_->ready());
  }
  RestRun Run(const std::string& endpoint) {
    return RestRun(server_->Url(""),
                   absl::StrCat(R"([{"table": "t", "primary_key": ["id"], )", endpoint, "}]"));
  }
  // The value of a column in the only row of a run.
  static std::string Cell(const RestRun& run, const std::string& column) {
    const RecordedTable& table = run.sink().tables()[0];
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const auto& row = run.sink().changes().at(0).row;
      if (table.columns[i].name == column) return i < row.size() ? row[i].ToString() : "(none)";
    }
    return "(no column)";
  }

  std::unique_ptr<LocalServer> server_;
};

TEST_F(RestReading, BuildsRequestsFromVariables) {
  RestRun run(server_->Url("/echo"), R"([{"table": "t", "primary_key": "id",
      "path": "/{team}/x", "method": "post", "headers": {"X-Key": "k-{page_size}"},
      "query": {"since": "{cursor}", "size": "{page_size}", "brace": "{{x}"},
      "body": {"size": "{page_size}", "since": "{cursor}", "team": "{team}", "list": ["{offset}"],
               "flag": true},
      "pagination": {"type": "offset", "size": 7, "total": "/total"}}])");
  run.Set("variables", R"({"team": "blue"})").Set("headers", R"({"X-Team": "{team}"})");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ("\"POST\"", Cell(run, "method"));
  EXPECT_EQ("\"/echo/blue/x\"", Cell(run, "path"));
  EXPECT_EQ(R"("{\"brace\": \"{x}\", \"size\": \"7\"}")", Cell(run, "query"));
  EXPECT_EQ(R"("{\"flag\":true,\"list\":[0],\"size\":7,\"team\":\"blue\"}")", Cell(run, "body"));
  EXPECT_THAT(Cell(run, "headers"), HasSubstr(R"("x-team": "blue", "x-key": "k-7")"));
}

TEST_F(RestReading, KeepsDeclaredTypesAndInfersTheOthers) {
  RestRun run(server_->Url(""), R"([{"table": "t", "path": "/nested", "records": "/result/items",
      "primary_key": ["id"], "columns": {
        "price": {"type": "DECIMAL", "precision": 12, "scale": 4}, "day": "NAIVE_DATE",
        "at": "UTC_DATETIME", "bytes": "BINARY", "digits": "STRING", "time": "NAIVE_TIME"}}])");
  run.Set("cdc.timestamp.timezone", "Europe/Berlin");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ("12345678901234567890", Cell(run, "big")) << "DECIMAL beyond 64 bits";
  EXPECT_EQ("1.1", Cell(run, "exact"));
  EXPECT_EQ("true", Cell(run, "yes"));
  EXPECT_EQ("null", Cell(run, "none"));
  EXPECT_EQ(R"([1, {"b": "c"}])", Cell(run, "list")) << "byte for byte";
  EXPECT_EQ("\"\\303\\251\\n\\\"\"", Cell(run, "text"));
  EXPECT_EQ("0.0015", Cell(run, "price"));
  EXPECT_EQ("date:19782", Cell(run, "day"));
  EXPECT_EQ("timestamp:1719828000000000", Cell(run, "at")) << "noon in Berlin";
  EXPECT_EQ("x'000102'", Cell(run, "bytes"));
  EXPECT_EQ("\"7\"", Cell(run, "digits")) << "a number in a column of texts";
  EXPECT_EQ("\"007\"", Cell(run, "n"));
  EXPECT_EQ("1e+20", Cell(run, "huge"));
  EXPECT_EQ(absl::StrCat("15", std::string(399, '0')), Cell(run, "vast")) << "beyond a double";
  EXPECT_EQ("time:37800000000", Cell(run, "time"));
}

TEST_F(RestReading, FollowsEachPaginationWhateverSizeTheApiAllows) {
  for (const char* paging :
       {R"({"type": "offset", "parameter": "offset", "size_parameter": "limit"})",
        R"({"type": "offset", "parameter": "offset", "size_parameter": "limit",
            "total": "/total", "size": 20})",
        R"({"type": "page_number", "parameter": "page", "size_parameter": "limit", "size": 20})",
        R"({"type": "page_number", "parameter": "page"})",
        R"({"type": "keyset", "parameter": "after_id", "field": "id", "size_parameter": "limit",
            "size": 3})"}) {
    RestRun run = Run(absl::StrCat(R"("path": "/rows", "pagination": )", paging));
    ASSERT_EQ(absl::OkStatus(), run.Sync()) << paging << run.AllTexts();
    EXPECT_EQ(100u, run.image().RowCount("t")) << paging;
    EXPECT_EQ(100u, run.upserts()) << paging;
  }
}

TEST_F(RestReading, KeysetGoesOnBehindItsLastKeyAndCommitsEachPage) {
  RestRun run = Run(R"("path": "/first_keyset",
      "incremental": {"type": "keyset", "field": "id", "parameter": "after_id"})");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(100u, run.upserts());
  EXPECT_EQ(R"({"cursor":"100","type":"keyset"})", run.state()[0].body);
  EXPECT_EQ(5u, run.sink().checkpoints().size()) << "each of four pages, and the end";
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(0u, run.upserts());
}

TEST_F(RestReading, OddTimesAreDeliveredAndNeverMoveTheCursor) {
  RestRun run = Run(R"("path": "/since", "incremental": {"type": "timestamp", "field": "updatedAt",
                       "parameter": "since"})");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(103u, run.image().RowCount("t"));
  EXPECT_EQ("2023-04-11T00:00:00Z", run.sink().checkpoints().back().states[0].cursor);
  EXPECT_THAT(run.sink().warnings(),
              ElementsAre("2 rows without updatedAt, 1 row whose updatedAt is in the future"));
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(3u, run.upserts()) << "the odd ones; the row at the cursor is recognised";
}

TEST_F(RestReading, CompareGreaterLeavesOutWhatStandsAtTheCursor) {
  RestRun run = Run(R"("path": "/ordered", "incremental": {"type": "timestamp", "compare": ">",
      "field": "updatedAt", "parameter": "since", "ascending": true},
      "pagination": {"type": "offset", "parameter": "offset"})");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(100u, run.upserts());
  EXPECT_EQ(11u, run.sink().checkpoints().size()) << "each of ten pages, and the end";
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(0u, run.upserts());
}

TEST_F(RestReading, AskedOfAnExclusiveParameterIsOneUnitEarlier) {
  RestRun run = Run(R"("path": "/since", "incremental": {"type": "timestamp", "field": "updatedAt",
                       "parameter": "since", "exclusive": true})");
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(1u, server_->CountLines("since=2023-04-10T23%3A59%3A59Z"));
}

TEST_F(RestReading, WithoutAParameterOnlyNewRowsAreDelivered) {
  RestRun run = Run(R"("path": "/ordered", "pagination": {"type": "offset", "parameter": "offset"},
      "incremental": {"type": "timestamp", "field": "updatedAt", "buffer": "2 days"})");
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(100u, run.upserts());
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(3u, run.upserts()) << "the last one and the two days before it";
}

TEST_F(RestReading, SettleHoldsTheCursorBack) {
  RestRun run = Run(R"("path": "/since", "incremental": {"type": "timestamp", "field": "updatedAt",
                       "parameter": "since", "settle": "3 days"})");
  run.At(absl::FromCivil(absl::CivilDay(2023, 4, 11), absl::UTCTimeZone()));
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ("2023-04-08T00:00:00Z", run.sink().checkpoints().back().states[0].cursor);
  EXPECT_EQ(103u, run.image().RowCount("t")) << "all are delivered";
}

TEST_F(RestReading, AsksInTheTimesOfTheApi) {
  RestRun run = Run(R"("path": "/epoch", "incremental": {"type": "timestamp", "field": "at",
                       "parameter": "since", "format": "epoch_milliseconds"})");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ("timestamp:1600000000000000", Cell(run, "at"));
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(1u, server_->CountLines("since=1600000000009"));
}

TEST_F(RestReading, WindowsShrinkUntilTheApiCanAnswer) {
  RestRun run = Run(R"("path": "/window", "incremental": {"type": "timestamp",
      "field": "updatedAt", "parameter": "since", "until_parameter": "until",
      "start": "2023-01-01", "window": "3 months", "smallest_window": "2 weeks"})");
  run.At(absl::FromCivil(absl::CivilDay(2023, 5, 1), absl::UTCTimeZone()));
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(100u, run.image().RowCount("t"));
  EXPECT_GE(run.sink().checkpoints().size(), 8u) << "one for each window";
}

TEST_F(RestReading, DeletedRowsAreDeletedOnceAndNotAgain) {
  RestRun run = Run(R"("path": "/rows", "query": {"limit": "20"},
      "deleted": {"path": "/deleted", "incremental": {"type": "timestamp", "field": "deletedAt",
                  "parameter": "since", "buffer": "2 days"}})");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(2u, run.deletes());
  EXPECT_EQ(20u, run.image().RowCount("t")) << "deletions come first, then what is there";
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(0u, run.deletes()) << run.state()[0].body;
}

TEST_F(RestReading, FullWithRemoveMissingTruncatesFirst) {
  RestRun run = Run(R"("path": "/rows", "incremental": {"type": "full", "remove_missing": true})");
  ASSERT_EQ(absl::OkStatus(), run.Sync());
  EXPECT_EQ(TIDEMARK_TRUNCATE, run.sink().changes()[0].op);
  EXPECT_EQ(20u, run.image().RowCount("t"));
}

TEST_F(RestReading, ReadsOnlyTheTimesThatTheHostAsksFor) {
  RestRun run = Run(R"("path": "/since", "incremental": {"type": "timestamp", "field": "updatedAt",
                       "parameter": "since"})");
  ASSERT_EQ(absl::OkStatus(), run.Open());
  tidemark_update_request request = {};
  request.struct_size = sizeof(request);
  request.state_size = sizeof(tidemark_state);
  request.selection_size = sizeof(tidemark_selection);
  request.from_us =
      absl::ToUnixMicros(absl::FromCivil(absl::CivilDay(2023, 2, 1), absl::UTCTimeZone()));
  request.until_us =
      absl::ToUnixMicros(absl::FromCivil(absl::CivilDay(2023, 2, 11), absl::UTCTimeZone()));
  ASSERT_EQ(absl::OkStatus(), run.run().Update(request));
  EXPECT_EQ(10u + 2u, run.upserts()) << "ten days, and two rows without a time";
}

TEST_F(RestReading, UnderstandsCompressedAnswers) {
  RestRun run = Run(R"("path": "/compressed")");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(100u, run.upserts());
}

TEST_F(RestReading, FollowsRedirectsWithinTheHostOnly) {
  RestRun run = Run(R"("path": "/moved")");
  ASSERT_EQ(absl::OkStatus(), run.Sync()) << run.AllTexts();
  EXPECT_EQ(5u, run.upserts());
  RestRun away = Run(R"("path": "/elsewhere")");
  const absl::Status status = away.Sync();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("redirects to another place"));
}

TEST_F(RestReading, ConformsToTheRules) {
  for (const char* endpoint :
       {R"("path": "/ordered", "pagination": {"type": "offset", "parameter": "offset"},
           "incremental": {"type": "timestamp", "field": "updatedAt", "parameter": "since",
                           "ascending": true})",
        R"("path": "/first_keyset", "incremental": {"type": "keyset", "field": "id",
                                                    "parameter": "after_id"})",
        R"("path": "/rows", "incremental": {"type": "step", "field": "id", "width": 30,
                     "start_parameter": "start", "end_parameter": "end"})"}) {
    EXPECT_EQ("", Failures(RunConformance(RestPlugin(), Run(endpoint).settings()))) << endpoint;
  }
}

TEST_F(RestReading, RefusesAStateItDoesNotUnderstand) {
  for (const auto& [body, code] : std::vector<std::pair<std::string, absl::StatusCode>>{
           {"not json", absl::StatusCode::kDataLoss},
           {"[1]", absl::StatusCode::kDataLoss},
           {R"({"cursor": "2024-01-01"})", absl::StatusCode::kDataLoss},
           {R"({"type": "timestamp", "cursor": "yesterday"})", absl::StatusCode::kDataLoss},
           {R"({"type": "timestamp", "cursor": "2024-01-01", "seen": 7})",
            absl::StatusCode::kDataLoss},
           {R"({"type": "step", "cursor": 7})", absl::StatusCode::kFailedPrecondition}}) {
    RestRun run = Run(R"("path": "/since", "incremental": {"type": "timestamp",
                         "field": "updatedAt", "parameter": "since"})");
    run.state() = {{.schema = "", .table = "t", .body = body, .cursor = "", .format = 1}};
    const absl::Status status = run.Sync();
    EXPECT_EQ(code, status.code()) << body << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("state of table t"));
    EXPECT_EQ(code, run.run().ValidateState(run.state()).code());
  }
}

TEST_F(RestReading, ChecksTheConnection) {
  RestRun good = Run(R"("path": "/rows")");
  ASSERT_EQ(absl::OkStatus(), good.Open());
  EXPECT_EQ(absl::OkStatus(), good.run().Check());
  RestRun bad = Run(R"("path": "/no_such_path")");
  ASSERT_EQ(absl::OkStatus(), bad.Open());
  EXPECT_TRUE(absl::IsNotFound(bad.run().Check()));
}

}  // namespace
}  // namespace tidemark_testing
