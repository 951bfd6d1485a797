#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "cursors/boundary_rows.h"
#include "cursors/calendar_span.h"
#include "cursors/high_water_mark.h"
#include "cursors/size_ladder.h"
#include "cursors/step_range.h"
#include "cursors/text_digest.h"
#include "cursors/time_text.h"

namespace tidemark::cursors {
namespace {

absl::Time At(const std::string& text) {
  const auto time = ParseTime(text);
  EXPECT_TRUE(time.ok()) << time.status();
  return time.ok() ? time->time : absl::InfinitePast();
}

TEST(TimeText, ReadsWhatSourcesWriteWithItsPrecision) {
  struct Case {
    const char* text;
    const char* utc;  // in its precision
    bool zone;
  };
  for (const Case& c :
       std::vector<Case>{{"2024-01-15", "2024-01-15", false},
                         {"2024-01-15T10:30:00Z", "2024-01-15T10:30:00Z", true},
                         {"2024-01-15t10:30:00z", "2024-01-15T10:30:00Z", true},
                         {"2024-01-15 10:30:00", "2024-01-15T10:30:00Z", false},
                         {" 2024-01-15T10:30Z ", "2024-01-15T10:30:00Z", true},
                         {"2024-01-15T10:30:00.5Z", "2024-01-15T10:30:00.500Z", true},
                         {"2024-01-15T10:30:00.123456789Z", "2024-01-15T10:30:00.123456Z", true},
                         {"2024-01-15T10:30:00,25Z", "2024-01-15T10:30:00.250Z", true},
                         {"2024-01-15T10:30:00+02:00", "2024-01-15T08:30:00Z", true},
                         {"2024-01-15T10:30:00-0530", "2024-01-15T16:00:00Z", true},
                         {"2024-01-15T10:30:00+02", "2024-01-15T08:30:00Z", true},
                         {"2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", true},
                         {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z", true}}) {
    const auto time = ParseTime(c.text);
    ASSERT_TRUE(time.ok()) << c.text << ": " << time.status();
    EXPECT_EQ(c.utc, FormatTime(time->time, time->precision)) << c.text;
    EXPECT_EQ(c.zone, time->had_zone) << c.text;
  }
}

TEST(TimeText, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "yesterday", "2024-13-01", "2024-02-30", "2024-1-5", "2024-01-15T",
        "2024-01-15T25:00:00Z", "2024-01-15T10:61:00Z", "2024-01-15T10:30:61Z",
        "2024-01-15T10:30:00.Z", "2024-01-15T10:30:00.1234567890Z", "2024-01-15T10:30:00 CET",
        "2024-01-15T10:30:00+25:00", "2024-01-15T10:30:00Zx", "20240115T103000Z"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseTime(text).status())) << text;
  }
}

TEST(TimeText, TakesTimesWithoutOffsetInTheirZone) {
  const auto berlin = ParseZone("Europe/Berlin");
  ASSERT_TRUE(berlin.ok());
  const std::string folded = "2023-10-29T02:30:00";  // the clocks show it twice
  EXPECT_EQ(At("2023-10-29T00:30:00Z"), ParseTime(folded, {*berlin, false})->time);
  EXPECT_EQ(At("2023-10-29T01:30:00Z"), ParseTime(folded, {*berlin, true})->time);
  const auto skipped = ParseTime("2023-03-26T02:30:00", {*berlin, false});
  EXPECT_TRUE(absl::StrContains(skipped.status().message(), "skip it")) << skipped.status();
  EXPECT_TRUE(ParseZone("+05:30").ok());
  EXPECT_TRUE(absl::IsInvalidArgument(ParseZone("Mars/Olympus").status()));
}

TEST(CalendarSpan, ReadsWhatPeopleWrite) {
  for (const auto& [text, span] :
       std::vector<std::pair<std::string, CalendarSpan>>{{"5 minutes", {0, absl::Minutes(5)}},
                                                         {"2h", {0, absl::Hours(2)}},
                                                         {"1 day 2 hours", {0, absl::Hours(26)}},
                                                         {"1.5 hours", {0, absl::Minutes(90)}},
                                                         {"500 ms", {0, absl::Milliseconds(500)}},
                                                         {"2 Weeks", {0, absl::Hours(336)}},
                                                         {"3 months", {3, {}}},
                                                         {"1 year", {12, {}}},
                                                         {"PT30M", {0, absl::Minutes(30)}},
                                                         {"P1M", {1, {}}},
                                                         {"P1DT2H", {0, absl::Hours(26)}}}) {
    const auto parsed = CalendarSpan::Parse(text);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status();
    EXPECT_EQ(span, *parsed) << text << " is " << parsed->ToString();
  }
  for (const char* text :
       {"", "soon", "5", "minutes", "1.5 months", "P", "PT", "5 parsecs", "-1 h"}) {
    EXPECT_FALSE(CalendarSpan::Parse(text).ok()) << text;
  }
}

TEST(CalendarSpan, MonthsEndOnTheLastDay) {
  const CalendarSpan month(1, {});
  EXPECT_EQ(At("2024-02-29T10:00:00Z"), month.Before(At("2024-03-31T10:00:00Z")));
  EXPECT_EQ(At("2023-02-28T10:00:00Z"), month.After(At("2023-01-31T10:00:00Z")));
  EXPECT_EQ(At("2023-10-15T08:30:00.5Z"),
            CalendarSpan(3, absl::Hours(2)).Before(At("2024-01-15T10:30:00.5Z")));
  EXPECT_EQ(absl::InfinitePast(), month.Before(absl::InfinitePast()));
}

TEST(HighWaterMark, GrowsOnlyByUsableTimes) {
  const absl::Time now = At("2024-01-15T12:00:00Z");
  HighWaterMark mark;
  EXPECT_FALSE(mark.LowerEdge({}).has_value());
  EXPECT_TRUE(mark.Observe(ParseTime("2024-01-15T10:30:00Z"), now));
  EXPECT_FALSE(mark.Observe(ParseTime("2024-01-15T09:00:00Z"), now));
  EXPECT_FALSE(mark.Observe(ParseTime("2999-01-01T00:00:00Z"), now));
  EXPECT_FALSE(mark.Observe(ParseTime("never"), now));
  mark.ObserveMissing();
  EXPECT_EQ("2024-01-15T10:30:00Z", mark.ToString());
  EXPECT_TRUE(mark.Observe(ParseTime("2024-01-15T12:04:00Z"), now)) << "a clock a little ahead";
  EXPECT_EQ(3u, mark.oddities().total());
  EXPECT_EQ("1 row without t, 1 row with an unreadable t, 1 row whose t is in the future",
            mark.oddities().Describe("t"));
}

TEST(HighWaterMark, TheNextRunBeginsAtTheEdgeOfItsPrecisionLessTheBuffer) {
  const absl::Time now = At("2024-01-16T12:00:00Z");
  HighWaterMark mark;
  mark.Observe(ParseTime("2024-01-15T10:30:00Z"), now);
  EXPECT_EQ(At("2024-01-15T08:30:00Z"), mark.LowerEdge({0, absl::Hours(2)}));
  mark.Observe(ParseTime("2024-01-15T10:30:00.123456Z"), now);
  EXPECT_EQ("2024-01-15T10:30:00.123456Z", mark.ToString());
  EXPECT_EQ(At("2023-12-15T10:30:00.123456Z"), mark.LowerEdge({1, {}}));
  const HighWaterMark days(At("2024-01-15T10:30:00Z"), Precision::kDay);
  EXPECT_EQ(At("2024-01-15"), days.LowerEdge({})) << "the day is not over";
}

TEST(BoundaryRows, RemembersTheNewestRowsBehindTheEdge) {
  BoundaryRows rows;
  const absl::Time one = At("2024-01-01");
  const absl::Time two = At("2024-01-02");
  rows.Add(one, "a");
  rows.Add(two, "b");
  EXPECT_TRUE(rows.Contains(one, "a"));
  EXPECT_FALSE(rows.Contains(two, "a")) << "the same content at another time is another change";
  rows.Forget(two);
  EXPECT_FALSE(rows.Contains(one, "a"));
  EXPECT_TRUE(rows.Contains(two, "b"));
  for (size_t i = 0; i < 2 * BoundaryRows::kMaxRows; ++i)
    rows.Add(two, TextDigest(std::to_string(i)));
  EXPECT_EQ(BoundaryRows::kMaxRows, rows.rows().size());
}

TEST(TextDigest, IsFnv1aOf128Bits) {
  // Of the published test vectors: "" and "a".
  EXPECT_EQ("6c62272e07bb014262b821756295c58d", TextDigest(""));
  EXPECT_EQ("d228cb696f1a8caf78912b704e4a8964", TextDigest("a"));
}

TEST(StepRange, WalksUntilARangeIsEmptyAndGoesOnBehindTheLargest) {
  StepRange range({.start = 1, .width = 10, .empty_to_stop = 2}, std::nullopt);
  std::vector<std::pair<int64_t, int64_t>> asked;
  for (const int64_t largest : {7, -1, 25, -1, -1}) {
    ASSERT_FALSE(range.done());
    asked.emplace_back(range.first(), range.last());
    range.Advance(largest < 0 ? std::nullopt : std::optional(largest));
  }
  EXPECT_TRUE(range.done());
  EXPECT_EQ(
      (std::vector<std::pair<int64_t, int64_t>>{{1, 10}, {11, 20}, {21, 30}, {31, 40}, {41, 50}}),
      asked);
  EXPECT_EQ(25, range.cursor());
  EXPECT_EQ(26, StepRange({.start = 1, .width = 10}, 25).first());
}

TEST(StepRange, StopsAtItsLimitAndAtTheEndOfNumbers) {
  StepRange range({.start = 1, .width = 10, .limit = 15}, std::nullopt);
  range.Advance(std::nullopt);
  EXPECT_FALSE(range.done()) << "an empty range is no end where there is a limit";
  EXPECT_EQ(15, range.last());
  range.Advance(15);
  EXPECT_TRUE(range.done());
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  StepRange last({.start = 1, .width = 10}, kMax - 3);
  EXPECT_EQ(kMax, last.last());
  last.Advance(kMax);
  EXPECT_TRUE(last.done());
  EXPECT_TRUE(StepRange({.start = 1}, kMax).done());
}

TEST(SizeLadder, ShrinksStepByStepAndGrowsBackAfterAnswers) {
  SizeLadder<int64_t> ladder(PageSizes(1000));
  std::vector<int64_t> sizes = {ladder.size()};
  while (ladder.Shrink()) sizes.push_back(ladder.size());
  EXPECT_EQ((std::vector<int64_t>{1000, 500, 250, 50, 10, 1}), sizes);
  for (int i = 0; i < SizeLadder<int64_t>::kAnswersToGrow; ++i) ladder.Answered();
  EXPECT_EQ(10, ladder.size());
  ladder.Settle([](int64_t size) { return size < 5; });
  EXPECT_EQ(1, ladder.size());
  EXPECT_EQ((std::vector<int64_t>{30, 10, 1}), PageSizes(30));
  EXPECT_EQ((std::vector<int64_t>{1}), PageSizes(0));
}

}  // namespace
}  // namespace tidemark::cursors
