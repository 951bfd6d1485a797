#include "access/token_store.h"

#include <set>

#include "access/token.h"
#include "core/digest.h"
#include "tests/access/access_fixture.h"

namespace tidemark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class TokenStoreTest : public AccessTest {
 protected:
  TokenStoreTest() { OpenStore(); }
  void OpenStore() {
    absl::StatusOr<std::unique_ptr<TokenStore>> opened =
        TokenStore::Open(*catalog_, mutex_, clock_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }
  TokenStore::Created Create(const TokenStore::Request& request) {
    absl::StatusOr<TokenStore::Created> created = store_->Create(request);
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? *std::move(created) : TokenStore::Created();
  }
  absl::Status Refusal(absl::string_view text) { return store_->Verify(text).status(); }
  TokenRecord Record(const std::string& id) {
    absl::StatusOr<std::vector<TokenRecord>> records = store_->List(0, 1000);
    EXPECT_TRUE(records.ok()) << records.status();
    for (const TokenRecord& record : *records) {
      if (record.id == id) return record;
    }
    ADD_FAILURE() << "no token " << id;
    return {};
  }
  static std::string WithOtherSecret(std::string text) {
    text.back() = text.back() == 'x' ? 'y' : 'x';
    return text;
  }

  std::unique_ptr<TokenStore> store_;
};

TEST_F(TokenStoreTest, KnowsWhoPresentsAToken) {
  const TokenStore::Created created =
      Create({.role = Role::kEditor, .connections = {"orders*", "items"}, .note = "etl \xc3\xa4"});
  for (int turn = 0; turn < 2; ++turn) {
    const absl::StatusOr<Principal> principal = store_->Verify(created.text);
    ASSERT_TRUE(principal.ok()) << principal.status();
    EXPECT_EQ(principal->name, created.record.id);
    EXPECT_EQ(principal->role, Role::kEditor);
    EXPECT_THAT(principal->connections, ElementsAre("orders*", "items"));
    EXPECT_EQ(principal->proof, Principal::Proof::kToken);
    EXPECT_EQ(Record(created.record.id).note, "etl \xc3\xa4");
    store_.reset();  // the second time from the file
    OpenCatalog();
    OpenStore();
  }
}

TEST_F(TokenStoreTest, StoresNothingThatOpensTheServer) {
  const TokenStore::Created created = Create({.role = Role::kAdmin});
  const std::string secret = ParseToken(created.text)->secret;
  EXPECT_EQ(FilesWith(secret), "");
  EXPECT_NE(FilesWith(Blake2b256(secret)), "");  // it would have been found
  // The digest is no token.
  EXPECT_TRUE(absl::IsUnauthenticated(Refusal(Hex(Blake2b256(secret)))));
}

TEST_F(TokenStoreTest, SaysTheSameWhateverIsWrongWithAToken) {
  const TokenStore::Created one = Create({});
  const TokenStore::Created other = Create({});
  const TokenStore::Created revoked = Create({});
  const TokenStore::Created expired = Create({.expires_at = clock_.Now() + absl::Seconds(1)});
  ASSERT_TRUE(store_->Revoke(revoked.record.id).ok());
  clock_.Move(absl::Seconds(1));
  const TokenParts parts = *ParseToken(one.text);
  const std::string wrong[] = {
      "",
      "tm_",
      "Bearer " + one.text,
      one.text + " ",
      NewToken().Text(),
      WithOtherSecret(one.text),
      TokenParts{parts.id, ParseToken(other.text)->secret}.Text(),
      WithOtherSecret(revoked.text),
      WithOtherSecret(expired.text),
      TokenParts{std::string(kTokenIdLength, '-'), std::string(kTokenSecretLength, '-')}.Text(),
      std::string(100'000, 'x'),
      "tm_' OR 1=1 --_" + std::string(kTokenSecretLength, 'x'),
  };
  const std::string text(Refusal("nonsense").message());
  EXPECT_THAT(text, HasSubstr("the token is not valid"));
  for (const std::string& presented : wrong) {
    const absl::Status refused = Refusal(presented);
    EXPECT_TRUE(absl::IsUnauthenticated(refused)) << presented.substr(0, 100);
    EXPECT_EQ(refused.message(), text) << presented.substr(0, 100);
  }
  EXPECT_TRUE(store_->Verify(one.text).ok());
}

TEST_F(TokenStoreTest, SaysWhyToWhoKnowsTheSecret) {
  const TokenStore::Created expiring = Create({.expires_at = absl::FromUnixSeconds(1'800'003'600)});
  const TokenStore::Created revoked = Create({});
  ASSERT_TRUE(store_->Revoke(revoked.record.id).ok());
  EXPECT_THAT(Refusal(revoked.text).message(),
              HasSubstr("token " + revoked.record.id + " was revoked at 2027-01-15T08:00:00Z"));
  EXPECT_TRUE(absl::IsUnauthenticated(Refusal(revoked.text)));

  clock_.Move(absl::Hours(1) - absl::Microseconds(1));
  EXPECT_TRUE(store_->Verify(expiring.text).ok());
  clock_.Move(absl::Microseconds(1));
  EXPECT_TRUE(absl::IsUnauthenticated(Refusal(expiring.text)));
  EXPECT_THAT(Refusal(expiring.text).message(),
              HasSubstr("token " + expiring.record.id + " expired at 2027-01-15T09:00:00Z"));
  EXPECT_THAT(std::string(Refusal(expiring.text).message()),
              Not(HasSubstr(ParseToken(expiring.text)->secret)));
}

TEST_F(TokenStoreTest, RevokesOnceAndForGood) {
  const TokenStore::Created created = Create({});
  const absl::StatusOr<TokenRecord> first = store_->Revoke(created.record.id);
  ASSERT_TRUE(first.ok()) << first.status();
  clock_.Move(absl::Hours(1));
  const absl::StatusOr<TokenRecord> second = store_->Revoke(created.record.id);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->revoked_at, first->revoked_at);
  for (int turn = 0; turn < 2; ++turn) {
    EXPECT_TRUE(absl::IsUnauthenticated(Refusal(created.text))) << turn;
    store_.reset();  // the second time from the file
    OpenCatalog();
    OpenStore();
  }
  EXPECT_TRUE(absl::IsNotFound(store_->Revoke("aaaaaaaaaaaa").status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Revoke("").status()));
}

TEST_F(TokenStoreTest, WritesTheTimeOfUseOnceAMinute) {
  const TokenStore::Created created = Create({});
  EXPECT_FALSE(Record(created.record.id).last_used_at.has_value());
  const absl::Time first = clock_.Now();
  ASSERT_TRUE(store_->Verify(created.text).ok());
  EXPECT_EQ(Record(created.record.id).last_used_at, first);
  clock_.Move(absl::Seconds(59));
  const int changes = sqlite3_total_changes(catalog_->db());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(store_->Verify(created.text).ok());
  EXPECT_EQ(sqlite3_total_changes(catalog_->db()), changes);
  EXPECT_EQ(Record(created.record.id).last_used_at, first);
  clock_.Move(absl::Seconds(1));
  ASSERT_TRUE(store_->Verify(created.text).ok());
  EXPECT_EQ(Record(created.record.id).last_used_at, first + absl::Minutes(1));
  // Refused, it was not used.
  clock_.Move(absl::Hours(1));
  EXPECT_FALSE(store_->Verify(WithOtherSecret(created.text)).ok());
  EXPECT_EQ(Record(created.record.id).last_used_at, first + absl::Minutes(1));
}

TEST_F(TokenStoreTest, ListsInPagesThatStayValid) {
  std::vector<std::string> ids;
  ids.reserve(6);
  for (int i = 0; i < 5; ++i) ids.push_back(Create({}).record.id);
  std::vector<std::string> listed;
  int64_t after = 0;
  while (true) {
    const absl::StatusOr<std::vector<TokenRecord>> page = store_->List(after, 2);
    ASSERT_TRUE(page.ok()) << page.status();
    if (page->empty()) break;
    for (const TokenRecord& record : *page) listed.push_back(record.id);
    after = page->back().sequence;
    if (listed.size() == 2) ids.push_back(Create({}).record.id);
  }
  EXPECT_EQ(listed, ids);
}

TEST_F(TokenStoreTest, RefusesARequestThatMeansNothing) {
  struct Case {
    TokenStore::Request request;
    const char* problem;
  };
  const Case cases[] = {
      {{.connections = {""}}, "connections[0]"},
      {{.note = std::string(501, 'x')}, "note: more than 500"},
      {{.note = "\xff"}, "note: "},
      {{.note = std::string(1, '\0')}, "note: "},
      {{.expires_at = clock_.Now()}, "expires_at: 2027-01-15T08:00:00Z is past"},
      {{.expires_at = absl::InfinitePast()}, "expires_at: "},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<TokenStore::Created> created = store_->Create(c.request);
    EXPECT_TRUE(absl::IsInvalidArgument(created.status())) << c.problem;
    EXPECT_THAT(created.status().message(), HasSubstr(c.problem));
  }
  EXPECT_THAT(*store_->List(0, 10), IsEmpty());
}

TEST_F(TokenStoreTest, RefusesATokenWhoseRoleIsDamaged) {
  const TokenStore::Created created = Create({.role = Role::kViewer});
  Sql("UPDATE tokens SET role = 'superuser'");
  EXPECT_TRUE(absl::IsDataLoss(Refusal(created.text)));
  EXPECT_THAT(Refusal(created.text).message(), HasSubstr(created.record.id));
  EXPECT_TRUE(absl::IsDataLoss(store_->List(0, 10).status()));
  ASSERT_TRUE(store_->Revoke(created.record.id).ok());
  EXPECT_TRUE(store_->List(0, 10).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(Refusal(created.text)));
}

TEST_F(TokenStoreTest, LetsInThoughTheTimeOfUseCannotBeWritten) {
  const TokenStore::Created created = Create({});
  Sql("PRAGMA query_only = ON");
  EXPECT_TRUE(store_->Verify(created.text).ok());
  Sql("PRAGMA query_only = OFF");
}

}  // namespace
}  // namespace tidemark
