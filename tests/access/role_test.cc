#include "access/role.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark {
namespace {

using ::testing::HasSubstr;

constexpr Role kRoles[] = {Role::kViewer, Role::kOperator, Role::kEditor, Role::kAdmin};

TEST(RoleTest, IsReadAsItIsPrinted) {
  for (const Role role : kRoles) {
    const absl::StatusOr<Role> read = ParseRole(RoleName(role));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, role);
  }
  for (const char* wrong : {"", "Admin", "admin ", "root", "view"}) {
    const absl::StatusOr<Role> read = ParseRole(wrong);
    EXPECT_TRUE(absl::IsInvalidArgument(read.status())) << wrong;
    EXPECT_THAT(read.status().message(), HasSubstr("viewer, operator, editor or admin"));
  }
}

TEST(PrincipalTest, HasItsRoleAndThoseBelow) {
  for (const Role has : kRoles) {
    for (const Role needed : kRoles) {
      Principal principal;
      principal.role = has;
      EXPECT_EQ(HasRole(principal, needed), has >= needed) << RoleName(has) << RoleName(needed);
      EXPECT_EQ(MayUse(principal, needed, "orders"), has >= needed);
      EXPECT_EQ(MayUse(principal, needed, ""), has >= needed);
    }
  }
}

TEST(PrincipalTest, IsLimitedToItsConnections) {
  struct Case {
    std::vector<std::string> globs;
    const char* connection;
    bool may;
  };
  const Case cases[] = {
      {{}, "orders", true},
      {{}, "", true},
      {{"orders"}, "orders", true},
      {{"orders"}, "orders2", false},
      {{"orders"}, "Orders", false},
      {{"orders"}, "my_orders", false},
      {{"orders*"}, "orders_eu", true},
      {{"*_eu"}, "orders_eu", true},
      {{"*_eu"}, "orders_eu2", false},
      {{"a", "b?"}, "b1", true},
      {{"a", "b?"}, "b", false},
      {{"a", "b?"}, "c", false},
      // The whole server is no connection, not even one that * would match.
      {{"orders"}, "", false},
      {{"*"}, "", false},
      {{"*"}, "orders", true},
  };
  for (const Case& c : cases) {
    Principal principal;
    principal.role = Role::kAdmin;
    principal.connections = c.globs;
    EXPECT_EQ(MayUse(principal, Role::kViewer, c.connection), c.may)
        << testing::PrintToString(c.globs) << " " << c.connection;
    principal.role = Role::kViewer;
    EXPECT_FALSE(MayUse(principal, Role::kOperator, c.connection)) << c.connection;
  }
}

TEST(PrincipalTest, OfTheUnixSocketIsAdmin) {
  const Principal principal = UnixPrincipal(1000);
  EXPECT_EQ(principal.name, "unix:1000");
  EXPECT_TRUE(MayUse(principal, Role::kAdmin, ""));
  EXPECT_EQ(ProofName(principal.proof), "unix socket");
}

TEST(ConnectionGlobsTest, AreNamesOrGlobsOfBoundedSize) {
  EXPECT_TRUE(CheckConnectionGlobs({}).ok());
  EXPECT_TRUE(CheckConnectionGlobs({"*", "orders_eu", "a?c"}).ok());
  struct Case {
    std::vector<std::string> globs;
    const char* problem;
  };
  const Case cases[] = {
      {{"ok", ""}, "connections[1] is empty"},
      {{"a b"}, "connections[0] holds a blank"},
      {{"a\nb"}, "connections[0] holds a blank"},
      {{std::string("a\0b", 3)}, "connections[0] holds a blank"},
      {{"\xc3\xa4"}, "connections[0] holds a blank"},
      {{std::string(kMaxConnectionGlobBytes + 1, 'a')}, "longer than 200"},
      {std::vector<std::string>(kMaxConnectionGlobs + 1, "a"), "at most 64"},
  };
  for (const Case& c : cases) {
    const absl::Status checked = CheckConnectionGlobs(c.globs);
    EXPECT_TRUE(absl::IsInvalidArgument(checked)) << c.problem;
    EXPECT_THAT(checked.message(), HasSubstr(c.problem));
  }
}

}  // namespace
}  // namespace tidemark
