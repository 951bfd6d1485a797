#include "access/failed_attempts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "core/status_context.h"
#include "tests/access/access_fixture.h"

namespace tidemark {
namespace {

using ::testing::HasSubstr;

class FailedAttemptsTest : public testing::Test {
 protected:
  void Fail(int times, absl::string_view peer = "10.0.0.1") {
    for (int i = 0; i < times; ++i) attempts_.AddFailure(peer);
  }
  absl::Duration Pause(absl::string_view peer = "10.0.0.1") {
    const absl::Status checked = attempts_.Check(peer);
    if (checked.ok()) return absl::ZeroDuration();
    EXPECT_TRUE(absl::IsResourceExhausted(checked)) << checked;
    return RetryAfter(checked).value_or(absl::InfiniteDuration());
  }

  StandingClock clock_;
  FailedAttempts attempts_{clock_};
};

TEST_F(FailedAttemptsTest, RefusesAfterTenFailuresInAMinute) {
  Fail(9);
  EXPECT_EQ(Pause(), absl::ZeroDuration());
  Fail(1);
  EXPECT_EQ(Pause(), absl::Seconds(5));
  EXPECT_THAT(attempts_.Check("10.0.0.1").message(),
              HasSubstr("too many failed attempts from 10.0.0.1; try again in 5 s"));
  EXPECT_EQ(Pause("10.0.0.2"), absl::ZeroDuration());
  clock_.Move(absl::Seconds(4) + absl::Milliseconds(1));
  EXPECT_EQ(Pause(), absl::Seconds(1));
  clock_.Move(absl::Milliseconds(999));
  EXPECT_EQ(Pause(), absl::ZeroDuration());
}

TEST_F(FailedAttemptsTest, CountsTheLastMinuteOnly) {
  for (int i = 0; i < 100; ++i) {  // nine in each minute
    Fail(1);
    clock_.Move(absl::Minutes(1) / 9 + absl::Microseconds(1));
    ASSERT_EQ(Pause(), absl::ZeroDuration()) << i;
  }
  Fail(1);
  clock_.Move(absl::Seconds(1));
  Fail(1);
  EXPECT_EQ(Pause(), absl::Seconds(5));
}

TEST_F(FailedAttemptsTest, WaitsLongerEachTimeUpToFiveMinutes) {
  Fail(10);
  const int seconds[] = {5, 10, 20, 40, 80, 160, 300, 300, 300};
  for (const int pause : seconds) {
    EXPECT_EQ(Pause(), absl::Seconds(pause));
    clock_.Move(absl::Seconds(pause));
    EXPECT_EQ(Pause(), absl::ZeroDuration());
    Fail(1);
  }
}

TEST_F(FailedAttemptsTest, WhatIsRefusedIsNoFailure) {
  Fail(10);
  for (int i = 0; i < 1000; ++i) Pause();
  // Those that were under way when the pause began do not prolong it.
  Fail(50);
  EXPECT_EQ(Pause(), absl::Seconds(5));
  clock_.Move(absl::Seconds(5));
  EXPECT_EQ(Pause(), absl::ZeroDuration());
}

TEST_F(FailedAttemptsTest, ForgetsAfterAQuarterOfAnHour) {
  Fail(10);
  clock_.Move(absl::Seconds(5));
  Fail(1);
  EXPECT_EQ(Pause(), absl::Seconds(10));
  clock_.Move(absl::Minutes(15));
  Fail(9);
  EXPECT_EQ(Pause(), absl::ZeroDuration());
  Fail(1);
  EXPECT_EQ(Pause(), absl::Seconds(5));
}

TEST_F(FailedAttemptsTest, RemembersTenThousandPeersAtMost) {
  Fail(10, "first");
  Fail(10, "second");
  for (size_t i = 0; i < FailedAttempts::kPeers - 2; ++i) Fail(1, absl::StrCat("other ", i));
  EXPECT_EQ(attempts_.size(), FailedAttempts::kPeers);
  EXPECT_GT(Pause("first"), absl::ZeroDuration());
  Fail(1, "first");  // now the second is the one that has not failed for longest
  Fail(1, "new");
  EXPECT_EQ(attempts_.size(), FailedAttempts::kPeers);
  EXPECT_GT(Pause("first"), absl::ZeroDuration());
  EXPECT_EQ(Pause("second"), absl::ZeroDuration());
  for (int i = 0; i < 100'000; ++i) Fail(1, absl::StrCat("flood ", i));
  EXPECT_EQ(attempts_.size(), FailedAttempts::kPeers);
}

TEST(PeerAddressTest, IsTheHostWithoutItsPort) {
  struct Case {
    const char* peer;
    const char* address;
  };
  const Case cases[] = {
      {"ipv4:10.1.2.3:5000", "10.1.2.3"},
      {"10.1.2.3:5000", "10.1.2.3"},
      {"10.1.2.3", "10.1.2.3"},
      {"ipv6:%5B2001:db8:1:2:3:4:5:6%5D:5000", "2001:db8:1:2::/64"},
      {"ipv6:[2001:db8:1:2:3:4:5:6]:5000", "2001:db8:1:2::/64"},
      {"ipv6:%5b2001:db8:1:2:ffff::1%5d:1", "2001:db8:1:2::/64"},
      {"[2001:db8:1:3::1]:5000", "2001:db8:1:3::/64"},
      {"ipv6:[fe80::1%25eth0]:5000", "fe80::/64"},
      {"ipv6:[::1]:5000", "::/64"},
      {"ipv6:[::ffff:10.1.2.3]:5000", "10.1.2.3"},
      {"unix:/run/tidemark.sock", "unix"},
      {"unix:", "unix"},
      {"", ""},
      {"[", ""},
      {"nonsense", "nonsense"},
  };
  for (const Case& c : cases) EXPECT_EQ(PeerAddress(c.peer), c.address) << c.peer;
}

}  // namespace
}  // namespace tidemark
