// Schedules: what is accepted, and starts against a model that walks every minute.
#include "control/schedule.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/random_bits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tidemark {
namespace {

using ::testing::HasSubstr;

Schedule Make(const std::string& text, const std::string& zone = "UTC",
              absl::Duration jitter = absl::ZeroDuration(), const std::string& name = "c") {
  absl::StatusOr<Schedule> schedule = Schedule::Parse(text, zone, jitter, name);
  EXPECT_TRUE(schedule.ok()) << text << ": " << schedule.status();
  return schedule.value_or(Schedule());
}

absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(
      absl::ParseTime("%Y-%m-%d %H:%M:%E*S %Ez", absl::StrCat(text, ":00 +00:00"), &time, &error))
      << text << ": " << error;
  return time;
}

std::string Text(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::UTCTimeZone());
}

TEST(ScheduleTest, WordsAndIntervalsAreRead) {
  EXPECT_EQ(Schedule().kind(), Schedule::Kind::kManual);
  EXPECT_EQ(Make("manual").kind(), Schedule::Kind::kManual);
  EXPECT_EQ(Make(" Realtime ").kind(), Schedule::Kind::kRealtime);
  EXPECT_EQ(Make(" Realtime ").text(), "Realtime");
  for (const char* text : {"every 10 seconds", "every 5m", "every hour", "Every 1h 30m",
                           "every PT30M", "every P1D", "every 366 days", "every 1s"}) {
    EXPECT_EQ(Make(text).kind(), Schedule::Kind::kInterval) << text;
  }
  for (const char* text : {"hourly", "Daily", "weekly", "* * * * *", "0\t6 * * MON-FRI"}) {
    EXPECT_EQ(Make(text).kind(), Schedule::Kind::kCron) << text;
  }
}

TEST(ScheduleTest, WhatIsWrongIsSaid) {
  struct Case {
    const char* text;
    const char* error;
  };
  for (const Case& c : std::vector<Case>{
           {"", "is no schedule"},
           {"fortnightly", "\"fortnightly\" is no schedule; write manual, realtime, hourly"},
           {"0 0 * *", "is no schedule"},
           {"0 0 * * * *", "is no schedule"},
           {"every", "is no schedule"},
           {"every ", "is no schedule"},
           {"every now", "\"every now\" is no interval; write"},
           {"every 0 s", "from 1 second to 366 days"},
           {"every 100 ms", "from 1 second to 366 days"},
           {"every 367 days", "from 1 second to 366 days"},
           {"every month", "month"},
           {"every -5 minutes", "no interval"},
           {"60 * * * *", "minute \"60\" is not in 0-59"},
           {"-1 * * * *", "minute \"\" is not in 0-59"},
           {"+1 * * * *", "minute \"+1\" is not in 0-59"},
           {"1e1 * * * *", "is not in 0-59"},
           {"* 24 * * *", "hour \"24\" is not in 0-23"},
           {"* * 0 * *", "day \"0\" is not in 1-31"},
           {"* * 32 * *", "day \"32\" is not in 1-31"},
           {"* * * 13 *", "month \"13\" is not in 1-12"},
           {"* * * janu *", "month \"janu\" is not in 1-12"},
           {"* * * * 8", "weekday \"8\" is not in 0-7"},
           {"* * * * funday", "weekday \"funday\" is not in 0-7"},
           {"mon * * * *", "minute \"mon\" is not in 0-59"},
           {"5-1 * * * *", "ends before it begins"},
           {"* * * * fri-mon", "ends before it begins"},
           {"*/0 * * * *", "has no step of 1 or more"},
           {"*/ * * * *", "has no step of 1 or more"},
           {"*/x * * * *", "has no step of 1 or more"},
           {"*/99999999999 * * * *", "has no step of 1 or more"},
           {"5/10 * * * *", "needs * or a range"},
           {"1,,2 * * * *", "minute \"\" is not in 0-59"},
           {", * * * *", "minute \"\" is not in 0-59"},
           {"1-2-3 * * * *", "minute \"2-3\" is not in 0-59"},
           {"** * * * *", "minute \"**\" is not in 0-59"}}) {
    const absl::StatusOr<Schedule> schedule = Schedule::Parse(c.text, "UTC", {}, "c");
    ASSERT_FALSE(schedule.ok()) << c.text;
    EXPECT_TRUE(absl::IsInvalidArgument(schedule.status()));
    EXPECT_THAT(std::string(schedule.status().message()), HasSubstr(c.error)) << c.text;
  }
  for (const char* zone : {"Mars/Olympus", "/usr/share/zoneinfo/UTC", "../zoneinfo/UTC",
                           "file:/etc/passwd", "Europe/Berlin ", "UTC;x"}) {
    EXPECT_FALSE(Schedule::Parse("daily", zone, {}, "c").ok()) << zone;
  }
  EXPECT_FALSE(Schedule::Parse("daily", "UTC", absl::Hours(25), "c").ok());
  EXPECT_FALSE(Schedule::Parse("daily", "UTC", -absl::Seconds(1), "c").ok());
}

struct StartCase {
  const char* schedule;
  const char* zone;
  const char* after;
  std::vector<const char*> starts;  // UTC
};

const StartCase kStarts[] = {
    {"hourly", "UTC", "2026-01-01 00:00", {"2026-01-01 01:00", "2026-01-01 02:00"}},
    {"daily", "UTC", "2025-12-31 23:59", {"2026-01-01 00:00", "2026-01-02 00:00"}},
    {"daily", "Europe/Berlin", "2026-01-01 00:00", {"2026-01-01 23:00"}},
    {"weekly", "UTC", "2026-01-01 00:00", {"2026-01-05 00:00", "2026-01-12 00:00"}},
    {"every 10 minutes", "Asia/Tokyo", "2026-01-01 00:00", {"2026-01-01 00:10"}},
    {"every 7 minutes", "UTC", "1970-01-01 00:00", {"1970-01-01 00:07"}},
    {"every 7 minutes", "UTC", "1969-12-31 23:50", {"1969-12-31 23:53", "1970-01-01 00:00"}},
    {"30 6 * * mon-fri", "UTC", "2026-01-02 06:30", {"2026-01-05 06:30"}},
    {"0 0 29 2 *", "UTC", "2026-01-01 00:00", {"2028-02-29 00:00", "2032-02-29 00:00"}},
    {"0 0 29 2 *", "UTC", "2096-03-01 00:00", {"2104-02-29 00:00"}},
    {"0 0 31 * *", "UTC", "2026-01-31 00:00", {"2026-03-31 00:00", "2026-05-31 00:00"}},
    {"*/20 9-10 * * *",
     "UTC",
     "2026-01-01 09:40",
     {"2026-01-01 10:00", "2026-01-01 10:20", "2026-01-01 10:40", "2026-01-02 09:00"}},
    {"5,1-3 * * * *", "UTC", "2026-01-01 00:02", {"2026-01-01 00:03", "2026-01-01 00:05"}},
    // Both restricted: either day counts. The 1st is a Thursday.
    {"0 0 1 * mon", "UTC", "2026-01-01 00:00", {"2026-01-05 00:00"}},
    {"0 0 2 1 mon", "UTC", "2026-01-01 00:00", {"2026-01-02 00:00", "2026-01-05 00:00"}},
    // One begins with *: both must match.
    {"0 0 */2 * mon", "UTC", "2026-01-01 00:00", {"2026-01-05 00:00", "2026-01-19 00:00"}},
    {"0 0 * * 7", "UTC", "2026-01-01 00:00", {"2026-01-04 00:00"}},
    {"0 0 * * 0", "UTC", "2026-01-01 00:00", {"2026-01-04 00:00"}},
    {"0 0 * * fri-sun", "UTC", "2026-01-02 00:00", {"2026-01-03 00:00", "2026-01-04 00:00"}},
    // The clock of Berlin goes from 02:00 to 03:00 at 01:00 UTC.
    {"30 2 * * *", "Europe/Berlin", "2026-03-28 12:00", {"2026-03-29 01:00", "2026-03-30 00:30"}},
    {"30 * * * *", "Europe/Berlin", "2026-03-29 00:00", {"2026-03-29 00:30", "2026-03-29 01:30"}},
    // ... and from 03:00 back to 02:00 at 01:00 UTC.
    {"30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", {"2026-10-25 00:30", "2026-10-26 01:30"}},
    {"30 * * * *",
     "Europe/Berlin",
     "2026-10-25 00:00",
     {"2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"}},
    // New York: 02:00 does not exist on March 8.
    {"0 2 * * *", "America/New_York", "2026-03-08 00:00", {"2026-03-08 07:00", "2026-03-09 06:00"}},
    // Lord Howe moves by half an hour: 02:00 to 02:30.
    {"15 2 * * *",
     "Australia/Lord_Howe",
     "2026-10-03 12:00",
     {"2026-10-03 15:30", "2026-10-04 15:15"}},
    // Newfoundland: at 00:01 the clock went back to 23:01 of the day before.
    {"5 * 5 11 *", "America/St_Johns", "2005-10-29 00:00", {"2005-11-05 03:35"}},
    {"30 23 29 10 *", "America/St_Johns", "2005-10-29 00:00", {"2005-10-30 02:00"}},
    {"30 * 29 10 *",
     "America/St_Johns",
     "2005-10-30 01:59",
     {"2005-10-30 02:00", "2005-10-30 03:00"}}};

TEST(ScheduleTest, StartsAreThoseOfTheTable) {
  for (const StartCase& c : kStarts) {
    SCOPED_TRACE(absl::StrCat(c.schedule, " in ", c.zone, " after ", c.after));
    const Schedule schedule = Make(c.schedule, c.zone);
    absl::Time time = At(c.after);
    for (const char* start : c.starts) {
      time = schedule.Next(time);
      EXPECT_EQ(Text(time), Text(At(start)));
    }
  }
}

TEST(ScheduleTest, WhatNeverComesIsInTheInfiniteFuture) {
  for (const char* text : {"manual", "realtime", "0 0 30 2 *", "* * 31 4,6,9,11 *"}) {
    EXPECT_EQ(Make(text).Next(At("2026-01-01 00:00")), absl::InfiniteFuture()) << text;
  }
  EXPECT_EQ(Make("daily").Next(absl::InfiniteFuture()), absl::InfiniteFuture());
  EXPECT_LT(Make("daily").Next(absl::InfinitePast()), absl::UnixEpoch());
  EXPECT_LT(Make("every 1 day").Next(absl::InfinitePast()), absl::UnixEpoch());
  EXPECT_LT(Make("0 0 29 2 sun").Next(At("2026-01-01 00:00")), absl::InfiniteFuture());
  // A leap day that is a Sunday: 2032.
  EXPECT_EQ(Text(Make("0 0 29 2 */7").Next(At("2026-01-01 00:00"))), "2032-02-29 00:00:00");
}

TEST(ScheduleTest, JitterIsAFixedPartPerName) {
  const absl::Duration jitter = absl::Minutes(10);
  std::vector<absl::Duration> parts;
  for (int i = 0; i < 200; ++i) {
    const Schedule schedule = Make("hourly", "UTC", jitter, absl::StrCat("connection", i));
    const absl::Time first = schedule.Next(At("2026-01-01 00:00"));
    const absl::Time second = schedule.Next(first);
    EXPECT_EQ(second - first, absl::Hours(1));
    // Between two whole hours, whichever part it is.
    const absl::Duration part = (first - absl::UnixEpoch()) % absl::Hours(1);
    EXPECT_GE(part, absl::ZeroDuration());
    EXPECT_LT(part, jitter);
    parts.push_back(part);
    EXPECT_EQ(
        Make("hourly", "UTC", jitter, absl::StrCat("connection", i)).Next(At("2026-01-01 00:00")),
        first);
  }
  std::sort(parts.begin(), parts.end());
  EXPECT_LT(parts[20], absl::Minutes(3));  // spread over the whole of it
  EXPECT_GT(parts[180], absl::Minutes(7));
}

TEST(ScheduleTest, StandingStillIsMeasuredByTheUsualDistance) {
  struct Case {
    const char* schedule;
    absl::Duration stale;
  };
  for (const Case& c : std::vector<Case>{{"manual", absl::InfiniteDuration()},
                                         {"realtime", absl::Minutes(10)},
                                         {"every 10 seconds", absl::Seconds(30)},
                                         {"hourly", absl::Hours(3)},
                                         {"daily", absl::Hours(72)},
                                         {"weekly", absl::Hours(3 * 168)},
                                         {"*/5 * * * *", absl::Minutes(15)},
                                         // Over the weekend: from Friday 17:00 to Monday 9:00.
                                         {"0 9-17 * * mon-fri", absl::Hours(96)},
                                         {"0 0 30 2 *", absl::InfiniteDuration()}}) {
    EXPECT_EQ(Make(c.schedule).StaleAfter(), c.stale) << c.schedule;
  }
}

// ---- against a model ----

struct Cron {
  std::string text;
  std::vector<bool> fields[5];
};

// One field: its text, and which values it stands for.
std::string AnyField(RandomBits& random, int low, int high, std::vector<bool>* values) {
  values->assign(static_cast<size_t>(high) + 1, false);
  const auto below = [&random](int limit) {
    return static_cast<int>(random.Below(static_cast<uint64_t>(limit)));
  };
  if (random.Below(3) == 0) {
    const int step = random.Below(2) == 0 ? 1 : 1 + below(high);
    for (int v = low; v <= high; v += step) (*values)[static_cast<size_t>(v)] = true;
    return step == 1 ? "*" : absl::StrCat("*/", step);
  }
  std::vector<std::string> parts;
  for (int part = below(3); part >= 0; --part) {
    const int first = low + below(high - low + 1);
    const int last = random.Below(2) == 0 ? first : first + below(high - first + 1);
    for (int v = first; v <= last; ++v) (*values)[static_cast<size_t>(v)] = true;
    parts.push_back(first == last ? absl::StrCat(first) : absl::StrCat(first, "-", last));
  }
  return absl::StrJoin(parts, ",");
}

Cron AnyCron(RandomBits& random) {
  Cron cron;
  static constexpr int kRanges[5][2] = {{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 6}};
  std::vector<std::string> texts;
  for (int i = 0; i < 5; ++i) {
    const bool any = i >= 2 && random.Below(2) == 0;
    texts.push_back(any ? "*" : AnyField(random, kRanges[i][0], kRanges[i][1], &cron.fields[i]));
    if (any) cron.fields[i].assign(static_cast<size_t>(kRanges[i][1]) + 1, true);
  }
  cron.text = absl::StrJoin(texts, " ");
  return cron;
}

bool Matches(const Cron& cron, absl::CivilMinute at) {
  const auto has = [&cron](int field, int value) {
    return bool{cron.fields[field][static_cast<size_t>(value)]};
  };
  const std::vector<std::string> texts = absl::StrSplit(cron.text, ' ');
  const bool date = has(2, at.day());
  const bool weekday = has(4, (static_cast<int>(absl::GetWeekday(absl::CivilDay(at))) + 1) % 7);
  const bool either = texts[2][0] != '*' && texts[4][0] != '*';
  return has(0, at.minute()) && has(1, at.hour()) && has(3, at.month()) &&
         (either ? date || weekday : date && weekday);
}

// Every start within [from, to), by walking each minute of it.
std::vector<absl::Time> ModelStarts(const Cron& cron, absl::TimeZone zone, absl::Time from,
                                    absl::Time to) {
  const bool every_hour =
      std::all_of(cron.fields[1].begin(), cron.fields[1].end(), [](bool b) { return b; });
  std::vector<absl::Time> starts;
  for (absl::Time at = from; at < to; at += absl::Minutes(1)) {
    const absl::CivilMinute now = absl::ToCivilMinute(at, zone);
    bool start = Matches(cron, now);
    if (!every_hour) {
      // Not the second of two equal civil minutes ...
      start = start && absl::FromCivil(absl::CivilSecond(now), zone) == at;
      // ... but at the end of a gap for all that was in it.
      const absl::CivilMinute before = absl::ToCivilMinute(at - absl::Minutes(1), zone);
      for (absl::CivilMinute gone = before + 1; gone < now; ++gone) {
        start = start || Matches(cron, gone);
      }
    }
    if (start) starts.push_back(at);
  }
  return starts;
}

TEST(ScheduleTest, CronAgreesWithAWalkOverEveryMinuteAcrossChangesOfTheClock) {
  const uint64_t seed = RandomBits::Real().Next();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  const std::unique_ptr<RandomBits> random = SeededBits(seed);
  struct Window {
    const char* zone;
    const char* from;
  };
  const Window kWindows[] = {{"Europe/Berlin", "2026-03-27 00:00"},
                             {"Europe/Berlin", "2026-10-23 00:00"},
                             {"America/New_York", "2026-03-06 00:00"},
                             {"America/New_York", "2026-10-30 00:00"},
                             {"Australia/Lord_Howe", "2026-04-03 00:00"},
                             {"Australia/Lord_Howe", "2026-10-02 00:00"},
                             {"America/St_Johns", "2005-10-29 00:00"},
                             {"Pacific/Apia", "2011-12-28 00:00"},
                             {"UTC", "2028-02-27 00:00"}};
  for (int round = 0; round < 150; ++round) {
    const Cron cron = AnyCron(*random);
    const Window& window = kWindows[random->Below(std::size(kWindows))];
    SCOPED_TRACE(absl::StrCat(cron.text, " in ", window.zone));
    const absl::TimeZone zone = *ParseTimeZone(window.zone);
    const absl::Time from = At(window.from);
    const absl::Time to = from + absl::Hours(5 * 24);
    const std::vector<absl::Time> starts = ModelStarts(cron, zone, from, to);
    const Schedule schedule = Make(cron.text, window.zone);
    // Walking along Next finds exactly them ...
    std::vector<absl::Time> found;
    for (absl::Time at = schedule.Next(from - absl::Seconds(1)); at < to; at = schedule.Next(at)) {
      ASSERT_TRUE(found.empty() || at > found.back());
      found.push_back(at);
    }
    ASSERT_EQ(found.size(), starts.size());
    ASSERT_TRUE(found == starts);
    // ... and from any moment the first after it.
    for (int i = 0; i < 20; ++i) {
      const absl::Time at =
          from + absl::Milliseconds(static_cast<int64_t>(random->Below(5 * 86'400'000)));
      const auto next = std::upper_bound(starts.begin(), starts.end(), at);
      if (next != starts.end()) {
        ASSERT_EQ(schedule.Next(at), *next) << Text(at);
      } else {
        ASSERT_GE(schedule.Next(at), to) << Text(at);
      }
    }
  }
}

TEST(ScheduleTest, NextIsLaterAndMonotoneAndCountsMissedStartsOnce) {
  const uint64_t seed = RandomBits::Real().Next();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  const std::unique_ptr<RandomBits> random = SeededBits(seed);
  const char* const kZones[] = {"UTC",
                                "Europe/Berlin",
                                "America/New_York",
                                "Australia/Lord_Howe",
                                "America/St_Johns",
                                "Asia/Kathmandu"};
  for (int round = 0; round < 2000; ++round) {
    const std::string text = random->Below(4) == 0
                                 ? absl::StrCat("every ", 1 + random->Below(100'000), " s")
                                 : AnyCron(*random).text;
    const absl::Duration jitter =
        random->Below(2) == 0 ? absl::ZeroDuration() : absl::Seconds(1 + random->Below(3600));
    const Schedule schedule = Make(text, kZones[random->Below(std::size(kZones))], jitter);
    const absl::Time at =
        At("1995-01-01 00:00") +
        absl::Milliseconds(static_cast<int64_t>(random->Below(1'600'000'000'000)));
    const absl::Time next = schedule.Next(at);
    SCOPED_TRACE(absl::StrCat(text, " at ", Text(at)));
    ASSERT_GT(next, at);
    // The clock goes forward or back, or the machine sleeps: one start follows, and never an
    // earlier one for a later moment.
    const absl::Time other =
        at + absl::Milliseconds(static_cast<int64_t>(random->Below(200'000'000)));
    ASSERT_LE(next, schedule.Next(other));
    if (other < next) {
      ASSERT_EQ(schedule.Next(other), next);
    }
  }
}

}  // namespace
}  // namespace tidemark
