#include "core/failpoint.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/random_bits.h"

namespace tidemark {
namespace {

class FailpointTest : public testing::Test {
 protected:
  FailpointTest() : log_(testing::TempDir() + "/failpoint_test.log") { unlink(log_.c_str()); }
  ~FailpointTest() override { EXPECT_TRUE(ArmFailpoints("", "").ok()); }

  void Arm(absl::string_view list) {
    const absl::Status armed = ArmFailpoints(list, log_);
    ASSERT_TRUE(armed.ok()) << armed;
  }
  // The codes of the next passes, "." for OK.
  static std::string Passes(int count) {
    std::string codes;
    for (int i = 0; i < count; ++i) {
      const absl::Status passed = Failpoint("apply.rows");
      absl::StrAppend(&codes, passed.ok() ? "." : absl::StatusCodeToString(passed.code()), " ");
    }
    return codes;
  }
  std::string Logged() const {
    std::ifstream file(log_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  const std::string log_;
};

TEST_F(FailpointTest, PassesWhileNothingIsArmed) { EXPECT_EQ(Passes(2), ". . "); }

TEST_F(FailpointTest, TakesItsStepsInOrderAndStaysAtTheLast) {
  struct Case {
    const char* list;
    const char* passes;
  } const cases[] = {
      {"apply.rows=error(UNAVAILABLE)", "UNAVAILABLE UNAVAILABLE UNAVAILABLE UNAVAILABLE "},
      {"apply.rows=2*off->1*error(DATA_LOSS)", ". . DATA_LOSS . "},
      {"apply.rows=1*off->error(ABORTED)", ". ABORTED ABORTED ABORTED "},
      {"apply.rows=1*error(ABORTED)->1*off->1*error(INTERNAL)", "ABORTED . INTERNAL . "},
      {"apply.rows=off", ". . . . "},
      {"apply.rows=1*delay(0)->short(3)", ". . . . "},
      {"apply.begun=error(ABORTED); apply.rows=1*error(UNKNOWN);", "UNKNOWN . . . "},
  };
  for (const Case& c : cases) {
    Arm(c.list);
    EXPECT_EQ(Passes(4), c.passes) << c.list;
  }
}

TEST_F(FailpointTest, SaysWhichPointFailed) {
  Arm("apply.rows=error(DATA_LOSS)");
  EXPECT_EQ(Failpoint("apply.rows").message(), "failpoint apply.rows");
}

TEST_F(FailpointTest, RefusesWhatItDoesNotUnderstand) {
  const char* const wrong[] = {"apply.rows",
                               "nonsense=kill",
                               "apply.rows=",
                               "apply.rows=die",
                               "apply.rows=0*kill",
                               "apply.rows=x*kill",
                               "apply.rows=error(OK)",
                               "apply.rows=error(WRONG)",
                               "apply.rows=error",
                               "apply.rows=delay(soon)",
                               "apply.rows=short(-1)",
                               "apply.rows=kill->1*off",
                               "apply.rows=off;apply.rows=kill"};
  for (const char* list : wrong) {
    const absl::Status armed = ArmFailpoints(list, "");
    EXPECT_TRUE(absl::IsInvalidArgument(armed)) << list;
    EXPECT_TRUE(absl::StrContains(armed.message(), "TIDEMARK_FAILPOINTS")) << armed;
    EXPECT_EQ(Passes(1), ". ") << list;
  }
  EXPECT_TRUE(absl::StrContains(ArmFailpoints("nonsense=kill", "").message(), "apply.rows"))
      << "the names there are";
  EXPECT_TRUE(absl::IsInvalidArgument(ArmFailpoints("", "/nowhere/at/all")));
}

TEST_F(FailpointTest, LogsTheFirstPassAndEveryAction) {
  Arm("apply.rows=1*off->1*error(ABORTED)");
  Passes(3);
  PassFailpoint("apply.begun");
  PassFailpoint("apply.begun");
  EXPECT_EQ(Logged(), "hit apply.rows\nfired apply.rows\nhit apply.begun\n");
}

TEST_F(FailpointTest, ShortensAWrite) {
  EXPECT_EQ(ShortWrite("apply.rows", 100), 100u);
  Arm("apply.rows=1*short(7)");
  EXPECT_EQ(ShortWrite("apply.rows", 100), 7u);
  EXPECT_EQ(ShortWrite("apply.rows", 100), 100u);
}

TEST_F(FailpointTest, Throws) {
  Arm("apply.rows=throw");
  EXPECT_THROW(PassFailpoint("apply.rows"), std::runtime_error);
}

TEST_F(FailpointTest, KillsItsOwnProcessAndSaysSoBefore) {
  Arm("apply.rows=1*off->kill;apply.begun=abort");
  EXPECT_EXIT(Passes(2), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(PassFailpoint("apply.begun"), testing::KilledBySignal(SIGABRT), "");
  EXPECT_TRUE(absl::StrContains(Logged(), "fired apply.rows\n"));
}

TEST_F(FailpointTest, StopsItsOwnProcessUntilItIsContinued) {
  Arm("apply.rows=1*stop");
  const pid_t child = fork();
  if (child == 0) {
    PassFailpoint("apply.rows");
    _exit(7);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  EXPECT_TRUE(WIFSTOPPED(status));
  kill(child, SIGCONT);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(FailpointNamesTest, StandOnceEach) {
  std::set<std::string> names;
  for (const char* name : kFailpointNames) EXPECT_TRUE(names.insert(name).second) << name;
  EXPECT_GE(names.size(), 40u);
}

TEST(RandomBitsTest, RepeatsWhatTheSeedGave) {
  const auto one = SeededBits(7);
  const auto same = SeededBits(7);
  const auto other = SeededBits(8);
  EXPECT_EQ(one->Hex(16), same->Hex(16));
  EXPECT_NE(one->Hex(16), other->Hex(16));
  EXPECT_EQ(SeededBits(0)->Next(), 0xe220a8397b1dcdafu) << "the published first number";
}

TEST(RandomBitsTest, StaysWithinItsBounds) {
  RandomBits& random = RandomBits::Real();
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t number = random.Below(3);
    ASSERT_LT(number, 3u);
    seen.insert(number);
    const double unit = random.Unit();
    ASSERT_GE(unit, 0.0);
    ASSERT_LT(unit, 1.0);
  }
  EXPECT_EQ(seen.size(), 3u);
  EXPECT_EQ(random.Hex(8).size(), 16u);
  EXPECT_NE(random.Hex(8), random.Hex(8));
}

}  // namespace
}  // namespace tidemark
