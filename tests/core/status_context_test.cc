#include "core/status_context.h"

#include <gtest/gtest.h>

namespace tidemark {
namespace {

TEST(StatusContextTest, ContextKeepsCodeAndRetryAfter) {
  const absl::Status cause = WithRetryAfter(absl::UnavailableError("busy"), absl::Seconds(7));
  const absl::Status status = WithContext("table user", cause);
  EXPECT_EQ(status.message(), "table user: busy");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(RetryAfter(status).has_value());
  EXPECT_EQ(*RetryAfter(status), absl::Seconds(7));
  EXPECT_TRUE(WithContext("x", absl::OkStatus()).ok());
  EXPECT_FALSE(RetryAfter(absl::UnavailableError("x")).has_value());
}

TEST(StatusContextTest, FourCodesAreTransient) {
  for (int code = 1; code <= 16; ++code) {
    const bool want = code == 14 || code == 8 || code == 10 || code == 4;
    EXPECT_EQ(IsTransient(absl::Status(static_cast<absl::StatusCode>(code), "x")), want) << code;
  }
  EXPECT_FALSE(IsTransient(absl::OkStatus()));
  EXPECT_TRUE(IsAuthentication(absl::UnauthenticatedError("x")));
  EXPECT_FALSE(IsAuthentication(absl::NotFoundError("x")));
}

}  // namespace
}  // namespace tidemark
