#include "core/time_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace tidemark {
namespace {

constexpr int64_t kBase = 1'705'314'600'000'000;  // 2024-01-15T10:30:00Z

TEST(TimeTextTest, FormatsFixedWidth) {
  EXPECT_EQ(FormatUtcMicros(kBase), "2024-01-15T10:30:00.000000Z");
  EXPECT_EQ(FormatUtcMicros(kBase + 5), "2024-01-15T10:30:00.000005Z");
  EXPECT_EQ(FormatUtcMicros(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(FormatNaiveMicros(0), "1970-01-01T00:00:00.000000");
  EXPECT_EQ(FormatUtcMicros(std::numeric_limits<int64_t>::max()), "infinity");
  EXPECT_EQ(FormatUtcMicros(std::numeric_limits<int64_t>::min()), "-infinity");
  EXPECT_EQ(FormatDate(19737), "2024-01-15");
  EXPECT_EQ(FormatDate(-719'528), "0000-01-01");
  EXPECT_EQ(FormatTimeOfDay(86'400'000'000), "24:00:00.000000");
}

TEST(TimeTextTest, ReadsIso8601) {
  struct Case {
    const char* text;
    int64_t us;
    bool zone;
  };
  const Case cases[] = {
      {"2024-01-15T10:30:00Z", kBase, true},
      {"2024-01-15 10:30:00", kBase, false},
      {"2024-01-15T10:30Z", kBase, true},
      {"2024-01-15T12:30:00+02:00", kBase, true},
      {"2024-01-15T12:30:00+0200", kBase, true},
      {"2024-01-15T05:00:00-05:30", kBase, true},
      {"2024-01-15T10:30:00.5Z", kBase + 500'000, true},
      {"2024-01-15T10:30:00.123456789Z", kBase + 123'456, true},
      {"2024-01-15", kBase - 10 * 3'600'000'000LL - 1'800'000'000LL, false},
  };
  for (const Case& c : cases) {
    const auto got = ParseTime(c.text);
    ASSERT_TRUE(got.ok()) << c.text << ": " << got.status();
    EXPECT_EQ(got->us, c.us) << c.text;
    EXPECT_EQ(got->had_zone, c.zone) << c.text;
  }
  EXPECT_TRUE(ParseTime("2024-01-15")->date_only);
  EXPECT_TRUE(ParseTime("2024-01-15T10:30:00.1234567Z")->truncated);
  EXPECT_FALSE(ParseTime("2024-01-15T10:30:00.1234560Z")->truncated);
}

TEST(TimeTextTest, RefusesWhatIsNoTime) {
  for (const char* text : {"", "2024", "2024-13-01T00:00:00Z", "2024-02-30", "2024-01-15T25:00:00Z",
                           "2024-01-15T10:60:00Z", "2024-01-15T10:30:00X", "2024-01-15T10:30:00.Z",
                           "15.01.2024", "2024-01-15T10:30:00Zjunk", "2024-01-15T24:00:01Z"}) {
    EXPECT_FALSE(ParseTime(text).ok()) << text;
  }
}

TEST(TimeTextTest, LeapSecondIsTheLastMicrosecondBefore) {
  const auto got = ParseTime("2016-12-31T23:59:60Z");
  ASSERT_TRUE(got.ok());
  EXPECT_TRUE(got->leap_second);
  EXPECT_EQ(FormatUtcMicros(got->us), "2016-12-31T23:59:59.999999Z");
}

TEST(TimeTextTest, DaylightSavingGapIsRefusedAndFoldIsChosen) {
  absl::TimeZone berlin;
  if (!absl::LoadTimeZone("Europe/Berlin", &berlin)) GTEST_FAIL() << "install tzdata";
  EXPECT_FALSE(ParseTime("2024-03-31T02:30:00", berlin).ok());
  const auto earlier = ParseTime("2024-10-27T02:30:00", berlin, false);
  const auto later = ParseTime("2024-10-27T02:30:00", berlin, true);
  ASSERT_TRUE(earlier.ok() && later.ok());
  EXPECT_EQ(later->us - earlier->us, 3'600'000'000);
}

TEST(TimeTextTest, EveryMicrosecondRoundTrips) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<int64_t> anywhere(-62'167'219'200'000'000, 253'402'300'799'999'999);
  for (int i = 0; i < 20'000; ++i) {
    const int64_t us = anywhere(random);
    const auto got = ParseTime(FormatUtcMicros(us));
    ASSERT_TRUE(got.ok()) << us << ": " << got.status();
    ASSERT_EQ(got->us, us);
    const int64_t days = us / 86'400'000'000;
    ASSERT_EQ(*ParseDate(FormatDate(days)), days);
  }
}

}  // namespace
}  // namespace tidemark
