#include "core/naming.h"

#include <gtest/gtest.h>

namespace tidemark {
namespace {

TEST(NamingTest, SnakeCaseSplitsWordsAndIsIdempotent) {
  struct Case {
    const char* name;
    const char* want;
  };
  const Case cases[] = {
      {"user", "user"},
      {"userID", "user_id"},
      {"HTTPServer", "http_server"},
      {"First Name", "first_name"},
      {"a-b.c", "a_b_c"},
      {"x__y", "x_y"},
      {"USER", "user"},
      {"_id", "_id"},
      {"price%", "price_"},
      {"col1", "col1"},
      {"Größe (cm)", "größe_cm_"},
      {"updatedAt", "updated_at"},
      {"sha256Sum", "sha256_sum"},
      {"日本語", "日本語"},
      {"$price", "_price"},
  };
  for (const Case& c : cases) {
    const std::string once = ApplyNaming(Naming::kSnakeCase, c.name);
    EXPECT_EQ(once, c.want) << c.name;
    EXPECT_EQ(ApplyNaming(Naming::kSnakeCase, once), once) << c.name;
    EXPECT_EQ(ApplyNaming(Naming::kSource, c.name), c.name);
  }
}

TEST(NamingTest, NamesAreReadInAnyCase) {
  EXPECT_EQ(*ParseNaming("SOURCE"), Naming::kSource);
  EXPECT_EQ(*ParseNaming("Snake_Case"), Naming::kSnakeCase);
  EXPECT_EQ(ParseNaming("fivetran").status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(ParseNaming("camel").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tidemark
