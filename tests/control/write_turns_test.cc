#include "control/write_turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"

namespace tidemark {
namespace {

TEST(WriteTurnsTest, WhoeverAsksFirstIsServedFirst) {
  WriteTurns turns;
  auto first = turns.Take("w.db", "first");
  ASSERT_TRUE(first.ok());
  std::vector<int> order;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      auto turn = turns.Take("w.db", "another");
      ASSERT_TRUE(turn.ok());
      order.push_back(i);
    });
    while (turns.waiting("w.db") != threads.size()) std::this_thread::yield();
  }
  first->reset();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(WriteTurnsTest, OnlyOneWritesAndNobodyIsLeftOut) {
  WriteTurns turns;
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<int> taken(4);
  std::vector<std::thread> threads;
  threads.reserve(taken.size());
  for (size_t i = 0; i < taken.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 500; ++n) {
        auto turn = turns.Take("w.db", "one");
        ASSERT_TRUE(turn.ok());
        most = std::max(most.load(), ++inside);
        ++taken[i];
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
  for (const int count : taken) EXPECT_EQ(count, 500);
}

TEST(WriteTurnsTest, OtherFilesDoNotWait) {
  WriteTurns turns;
  const auto one = turns.Take("a.db", "one");
  EXPECT_TRUE(turns.Take("b.db", "two").ok());
}

TEST(WriteTurnsTest, WhoeverWaitsTooLongIsToldWhoWrites) {
  WriteTurns turns(absl::Milliseconds(30));
  auto one = turns.Take("w.db", "connection \"shop\"");
  ASSERT_TRUE(one.ok());
  const absl::Status late = turns.Take("w.db", "connection \"till\"").status();
  EXPECT_TRUE(absl::IsUnavailable(late));
  EXPECT_EQ(late.message(),
            "w.db has been written by connection \"shop\" for more than 30ms; connection \"till\" "
            "tries again");
  one->reset();
  EXPECT_TRUE(turns.Take("w.db", "connection \"till\"").ok());
}

}  // namespace
}  // namespace tidemark
