#include "source/stderr_tail.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

class HandClock final : public Clock {
 public:
  absl::Time Now() override { return absl::UnixEpoch() + now_; }
  absl::Duration Monotonic() override { return now_; }
  void Sleep(absl::Duration duration) override { now_ += duration; }

 private:
  absl::Duration now_;
};

class StderrTailTest : public testing::Test {
 protected:
  HandClock clock_;
  std::vector<std::string> lines_;
  StderrTail tail_{[this](int level, absl::string_view text) {
                     lines_.push_back(absl::StrCat(level, " ", text));
                   },
                   clock_};
};

TEST_F(StderrTailTest, LinesReachTheLogWhereverTheBytesAreCut) {
  EXPECT_TRUE(tail_.Append("one\ntw"));
  EXPECT_TRUE(tail_.Append("o\n\n  \nthr"));
  tail_.Finish();
  EXPECT_EQ(lines_, (std::vector<std::string>{"1 one", "1 two", "1 thr"}));
  EXPECT_EQ(tail_.LastLine(), "thr");
  EXPECT_EQ(tail_.bytes(), 15u);
}

TEST_F(StderrTailTest, KeepsTheNewest64KiB) {
  const std::string block(40'000, 'a');
  tail_.Append(block + "\n");
  tail_.Append(std::string(30'000, 'b') + "\nlast words\n\n");
  EXPECT_EQ(tail_.Text().size(), StderrTail::kKeptBytes);
  EXPECT_EQ(tail_.LastLine(), "last words");
  tail_.Append(std::string(100'000, 'c'));
  EXPECT_EQ(tail_.Text(), std::string(StderrTail::kKeptBytes, 'c'));
}

TEST_F(StderrTailTest, LastLineIsPrintableAndShort) {
  tail_.Append("first\nbad \xff\x01 bytes " + std::string(5'000, 'x') + "\n");
  const std::string line = tail_.LastLine();
  EXPECT_TRUE(absl::StartsWith(line, "bad \xef\xbf\xbd  bytes xxx")) << line;
  EXPECT_LE(line.size(), 1'010u);
}

TEST_F(StderrTailTest, ManyLinesAreCountedNotPassedOn) {
  for (int i = 0; i < 1'500; ++i) tail_.Append("line\n");
  EXPECT_EQ(lines_.size(), 1'000u);
  clock_.Sleep(absl::Seconds(1));
  tail_.Append("later\n");
  ASSERT_EQ(lines_.size(), 1'002u);
  EXPECT_EQ(lines_[1'000], "2 500 lines were left out here");
  EXPECT_EQ(lines_[1'001], "1 later");
}

TEST_F(StderrTailTest, AFloodIsSeenAndAnHonestLogIsNot) {
  const std::string mebibyte(1 << 20, 'x');
  // One MiB a second for two hours.
  for (int i = 0; i < 7'200; ++i) {
    clock_.Sleep(absl::Seconds(1));
    ASSERT_TRUE(tail_.Append(mebibyte)) << i;
  }
  clock_.Sleep(absl::Minutes(2));
  int written = 0;
  while (tail_.Append(mebibyte) && written < 100) ++written;
  EXPECT_EQ(written, 64);
}

}  // namespace
}  // namespace tidemark
