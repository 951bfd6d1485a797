#include "core/duration_text.h"

#include <gtest/gtest.h>

namespace tidemark {
namespace {

TEST(DurationTextTest, ReadsWhatPeopleWrite) {
  struct Case {
    const char* text;
    absl::Duration want;
  };
  const Case cases[] = {
      {"5 minutes", absl::Minutes(5)},
      {"1 minute", absl::Minutes(1)},
      {"2h", absl::Hours(2)},
      {"2h30m", absl::Minutes(150)},
      {"90 s", absl::Seconds(90)},
      {"1.5 hours", absl::Minutes(90)},
      {"250ms", absl::Milliseconds(250)},
      {"10 us", absl::Microseconds(10)},
      {"1 day", absl::Hours(24)},
      {"2 Weeks", absl::Hours(336)},
      {"PT30M", absl::Minutes(30)},
      {"P1DT2H", absl::Hours(26)},
      {"PT0.5S", absl::Milliseconds(500)},
      {" 3 days ", absl::Hours(72)},
  };
  for (const Case& c : cases) {
    const auto got = ParseDuration(c.text);
    ASSERT_TRUE(got.ok()) << c.text << ": " << got.status();
    EXPECT_EQ(*got, c.want) << c.text;
  }
}

TEST(DurationTextTest, RefusesTheRestWithAnExample) {
  for (const char* text : {"", "5", "minutes", "5 parsecs", "P", "PT", "P1H", "-5 minutes",
                           "1 mont", "P1888888888888888888888888M"}) {
    const auto got = ParseDuration(text);
    ASSERT_FALSE(got.ok()) << text;
    EXPECT_NE(got.status().message().find("5 minutes"), absl::string_view::npos) << got.status();
  }
  EXPECT_FALSE(ParseDuration("3 months").ok());
}

TEST(DurationTextTest, MonthsFollowTheCalendar) {
  const auto three = ParseCalendarDuration("3 months");
  ASSERT_TRUE(three.ok());
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::Time may31 = absl::FromCivil(absl::CivilSecond(2024, 5, 31, 10, 0, 1), utc);
  EXPECT_EQ(three->Before(may31), absl::FromCivil(absl::CivilSecond(2024, 2, 29, 10, 0, 1), utc));
  const absl::Time nov30 = absl::FromCivil(absl::CivilSecond(2023, 11, 30), utc);
  EXPECT_EQ(three->After(nov30), absl::FromCivil(absl::CivilSecond(2024, 2, 29), utc));
  EXPECT_EQ(ParseCalendarDuration("P1Y2M")->months, 14);
}

}  // namespace
}  // namespace tidemark
