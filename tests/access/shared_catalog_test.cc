// Tokens, secrets and the audit log on one connection, from several threads.
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "access/audit_log.h"
#include "access/secret_store.h"
#include "access/token_store.h"
#include "tests/access/access_fixture.h"

namespace tidemark {
namespace {

class SharedCatalogTest : public AccessTest {};

TEST_F(SharedCatalogTest, HoldsForAllOfThemAtOnce) {
  FileSystem& files = FileSystem::Real();
  const std::unique_ptr<TokenStore> tokens = *TokenStore::Open(*catalog_, mutex_, clock_);
  const std::unique_ptr<SecretStore> secrets =
      *SecretStore::Open({*catalog_, mutex_, clock_, files}, *MasterKeySource::Parse("", folder_));
  const std::unique_ptr<AuditLog> audit =
      *AuditLog::Open({*catalog_, mutex_, clock_, files, Path("audit.head")});
  const TokenStore::Created token = *tokens->Create({.role = Role::kOperator});
  ASSERT_TRUE(secrets->Set("shared", "value").ok());

  constexpr int kThreads = 4;
  constexpr int kTurns = 50;
  std::vector<std::thread> threads;
  std::vector<int> failures(kThreads);
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const std::string own = absl::StrCat("own_", i);
      for (int turn = 0; turn < kTurns; ++turn) {
        const std::string value = absl::StrCat(i, " in turn ", turn);
        const absl::StatusOr<Principal> principal = tokens->Verify(token.text);
        bool right = principal.ok() && principal->role == Role::kOperator;
        right = right && secrets->Set(own, value).ok();
        right = right && *secrets->Resolve(own) == value && *secrets->Resolve("shared") == "value";
        right = right && audit->Append({.who = own, .object = value}).ok();
        if (turn % 10 == 0) right = right && audit->Verify(std::nullopt)->ok();
        if (turn % 25 == 0) right = right && secrets->Rotate(std::nullopt).ok();
        failures[static_cast<size_t>(i)] += right ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, std::vector<int>(kThreads));
  const absl::StatusOr<AuditCheck> check = audit->Verify(std::nullopt);
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_TRUE(check->ok()) << check->problem;
  EXPECT_EQ(check->entries, kThreads * kTurns);
}

}  // namespace
}  // namespace tidemark
