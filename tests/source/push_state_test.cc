// The stored form of a producer's state: old bodies are read for ever.
#include "source/push_state.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark {
namespace {

TEST(PushStateTest, BodyIsALineForPeopleAndThenTheClientsBytes) {
  EXPECT_EQ(PushStateBody(42, "{\"page\":7}"), "tidemark-push/1 42\n{\"page\":7}");
  EXPECT_EQ(PushStateBody(0, ""), "tidemark-push/1 0\n");
}

TEST(PushStateTest, WhatWasWrittenIsReadWhateverItsBytes) {
  for (const std::string& state :
       {std::string(), std::string("a\nb"), std::string("\0\xff", 2), PushStateBody(7, "inner")}) {
    for (const uint64_t sequence : {uint64_t{0}, uint64_t{1}, UINT64_MAX}) {
      const auto parsed = ParsePushState(PushStateBody(sequence, state), kPushStateFormat);
      ASSERT_TRUE(parsed.ok()) << parsed.status();
      EXPECT_EQ(parsed->sequence, sequence);
      EXPECT_EQ(parsed->state, state);
    }
  }
}

TEST(PushStateTest, BodyOfANewerVersionIsRefusedInWords) {
  const auto parsed = ParsePushState("tidemark-push/2 42\n", 2);
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(PushStateTest, WhatIsNoSuchBodyIsDataLoss) {
  for (const char* body : {"", "42", "tidemark-push/1 ", "tidemark-push/1 42", "tidemark-push/1 \n",
                           "tidemark-push/1 -1\n", "tidemark-push/1 007\n", "tidemark-push/1 1 \n",
                           "tidemark-push/1 18446744073709551616\n", "{\"cursor\":1}\n"}) {
    EXPECT_EQ(ParsePushState(body, 1).status().code(), absl::StatusCode::kDataLoss) << body;
  }
}

}  // namespace
}  // namespace tidemark
