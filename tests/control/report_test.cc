// The Sync Status Report has the keys, in the order, of the document that describes it.
#include "control/report.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "control/exit_code.h"
#include "core/time_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/control/seed_blocks.h"

namespace tidemark {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

int64_t At(const char* text) { return ParseTime(text)->us; }

// The sync that the document's sample describes.
SyncOutcome SampleOutcome() {
  SyncOutcome outcome;
  outcome.sync_id = "sync_123456";
  outcome.status = SyncStatus::kCompleted;
  outcome.started_at_us = At("2024-01-15T10:00:00Z");
  outcome.completed_at_us = At("2024-01-15T10:30:00Z");
  outcome.counts.inserted = 1234;
  outcome.counts.updated = 14000;
  TableOutcome table;
  table.table = "customers";
  table.counts.inserted = 500;
  table.counts.updated = 4500;
  table.last_commit_us = At("2024-01-15T10:25:00Z");
  table.high_water_mark = "2024-01-15T10:25:00Z";
  table.full = true;
  outcome.tables.push_back(table);
  outcome.last_record_ids = {"CUST001", "CUST002"};
  outcome.state.push_back({"", 3, 4, "2024-01-15T10:25:00Z", "{}"});
  outcome.warnings = {"5 records arrived out of order but were processed correctly"};
  return outcome;
}

// Every key of `expected` stands in `actual`, in the same order, with the same kind of value.
void ExpectKeys(const Json& expected, const Json& actual, const std::string& path) {
  ASSERT_EQ(expected.type() == actual.type() || (expected.is_number() && actual.is_number()), true)
      << path << ": " << expected.type_name() << " against " << actual.type_name();
  if (expected.is_array() && !expected.empty() && !actual.empty()) {
    ExpectKeys(expected[0], actual[0], path + "[0]");
  }
  if (!expected.is_object()) return;
  std::vector<std::string> wanted;
  std::vector<std::string> found;
  for (const auto& item : expected.items()) wanted.push_back(item.key());
  for (const auto& item : actual.items()) {
    if (expected.contains(item.key())) found.push_back(item.key());
  }
  EXPECT_EQ(found, wanted) << path;
  for (const std::string& key : found)
    ExpectKeys(expected[key], actual[key], absl::StrCat(path, ".", key));
}

TEST(ReportTest, HasTheDocumentsKeysInItsOrder) {
  const Json report = SyncReport({"orders", "customers_db", "data_warehouse"}, SampleOutcome());
  ExpectKeys(Json::parse(kReport), report, "report");
}

TEST(ReportTest, SaysTheDocumentsSample) {
  const Json report = SyncReport({"orders", "customers_db", "data_warehouse"}, SampleOutcome());
  const Json sample = Json::parse(kReport);
  EXPECT_EQ(report["metadata"]["started_at"], sample["metadata"]["started_at"]);
  EXPECT_EQ(report["metadata"]["duration_seconds"], 1800);
  EXPECT_EQ(report["metadata"]["sync_type"], "full");
  EXPECT_EQ(report["statistics"]["records_processed"], 15234);
  EXPECT_EQ(report["tables"][0]["records_processed"], 5000);
  EXPECT_EQ(report["tables"][0]["last_sync_timestamp"], "2024-01-15T10:25:00Z");
  EXPECT_EQ(report["checkpoint"]["processed_record_ids"],
            sample["checkpoint"]["processed_record_ids"]);
  EXPECT_EQ(report["checkpoint"]["high_water_mark"], "2024-01-15T10:25:00Z");
  EXPECT_EQ(report["checkpoint"]["state_version"], "1.0");
  EXPECT_EQ(report["checkpoint"]["version"], 4);
  EXPECT_EQ(report["checkpoint"]["lag_seconds"], 300);
  EXPECT_EQ(report["conflict_detection"], "off");
  EXPECT_EQ(report["late_detection"], "off");
}

TEST(ReportTest, AFailureStandsInErrors) {
  SyncOutcome outcome;
  outcome.error = absl::UnauthenticatedError("the API refused the token");
  const Json report = SyncReport({"c", "s", "d"}, outcome);
  ASSERT_EQ(report["errors"].size(), 1u);
  EXPECT_EQ(report["errors"][0]["code"], "UNAUTHENTICATED");
  EXPECT_EQ(report["statistics"]["errors"], 1);
  EXPECT_EQ(report["metadata"]["status"], "failed");
  EXPECT_THAT(ReportText(report), HasSubstr("error: the API refused the token"));
}

TEST(ReportTest, TheHighWaterMarkIsTheLowestOfTheTables) {
  SyncOutcome outcome = SampleOutcome();
  outcome.tables.push_back(outcome.tables[0]);
  outcome.tables[1].high_water_mark = "2024-01-15T09:00:00+02:00";
  EXPECT_EQ(SyncReport({}, outcome)["checkpoint"]["high_water_mark"], "2024-01-15T09:00:00+02:00");
  // As times, not as texts: 11:00 in Berlin is before 10:25 UTC, though "11" comes after "10".
  outcome.tables[1].high_water_mark = "2024-01-15T11:00:00+01:00";
  EXPECT_EQ(SyncReport({}, outcome)["checkpoint"]["high_water_mark"], "2024-01-15T11:00:00+01:00");
}

TEST(ReportTest, TextOfAnyJsonDoesNotFail) {
  for (const char* text : {"null", "[]", "{}", R"({"tables": 5, "metadata": []})",
                           R"({"tables": [1], "warnings": {"a": 1}, "errors": "x"})"}) {
    EXPECT_FALSE(ReportText(Json::parse(text)).empty()) << text;
  }
}

TEST(ExitCodeTest, FollowsStatusAndMark) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kDone);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("x")), ExitCode::kFailed);
  EXPECT_EQ(ExitCodeOf(AsUsage(absl::PermissionDeniedError("x"))), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(absl::PermissionDeniedError("x")), ExitCode::kAuthentication);
  EXPECT_EQ(ExitCodeOf(AsLocal(absl::PermissionDeniedError("x"))), ExitCode::kFailed);
  SyncOutcome outcome;
  outcome.status = SyncStatus::kFailed;
  outcome.error = absl::UnauthenticatedError("x");
  EXPECT_EQ(ExitCodeOf(outcome), ExitCode::kAuthentication);
  outcome.error_of_destination = true;
  EXPECT_EQ(ExitCodeOf(outcome), ExitCode::kFailed);
  outcome.interrupted = true;
  EXPECT_EQ(ExitCodeOf(outcome), ExitCode::kInterrupted);
  outcome.interrupted = false;
  outcome.status = SyncStatus::kPartial;
  EXPECT_EQ(ExitCodeOf(outcome), ExitCode::kPartial);
}

}  // namespace
}  // namespace tidemark
