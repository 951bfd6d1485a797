#include "access/secret_store.h"

#include <signal.h>
#include <sys/stat.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "core/failpoint.h"
#include "tests/access/access_fixture.h"

namespace tidemark {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kCanary[] = "canary-1f6a-of-the-secrets";

class SecretStoreTest : public AccessTest {
 protected:
  ~SecretStoreTest() override { EXPECT_TRUE(ArmFailpoints("", "").ok()); }

  SecretStore::Parts Parts() { return {*catalog_, mutex_, clock_, FileSystem::Real()}; }
  absl::Status TryOpen(const std::string& source = "") {
    store_.reset();
    absl::StatusOr<MasterKeySource> parsed = MasterKeySource::Parse(source, folder_);
    if (!parsed.ok()) return parsed.status();
    absl::StatusOr<std::unique_ptr<SecretStore>> opened = SecretStore::Open(Parts(), *parsed);
    if (!opened.ok()) return opened.status();
    store_ = *std::move(opened);
    return absl::OkStatus();
  }
  void Open(const std::string& source = "") {
    const absl::Status opened = TryOpen(source);
    ASSERT_TRUE(opened.ok()) << opened;
  }
  void Set(const std::string& name, const std::string& value) {
    const absl::StatusOr<SecretRecord> set = store_->Set(name, value);
    ASSERT_TRUE(set.ok()) << set.status();
  }
  // The value, or the code of the error.
  std::string Value(const std::string& name) {
    const absl::StatusOr<std::string> value = store_->Resolve(name);
    return value.ok() ? *value : absl::StatusCodeToString(value.status().code());
  }
  void SetThree() {
    Set("api", "value of api");
    Set("db", "value of db");
    Set("old", "value of old");
    Set("old", "newer value of old");
  }
  void ExpectThree() {
    EXPECT_EQ(Value("api"), "value of api");
    EXPECT_EQ(Value("db"), "value of db");
    EXPECT_EQ(Value("old"), "newer value of old");
  }

  std::unique_ptr<SecretStore> store_;
};

TEST_F(SecretStoreTest, GivesBackWhatWasSet) {
  Open();
  const std::string binary("\0\xff binary \n", 11);
  Set("api", "value");
  Set("db", binary);
  Set("big", std::string(SecretStore::kMaxValueBytes, 'x'));
  for (int turn = 0; turn < 2; ++turn) {
    EXPECT_EQ(Value("api"), "value");
    EXPECT_EQ(Value("db"), binary);
    EXPECT_EQ(Value("big"), std::string(SecretStore::kMaxValueBytes, 'x'));
    EXPECT_EQ(Value("none"), "NOT_FOUND");
    store_.reset();
    OpenCatalog();
    Open();
  }
}

TEST_F(SecretStoreTest, ListsNamesVersionsAndTimesOnly) {
  Open();
  const absl::Time first = clock_.Now();
  Set("b", "1");
  Set("a", "1");
  clock_.Move(absl::Hours(1));
  Set("b", "2");
  const absl::StatusOr<std::vector<SecretRecord>> listed = store_->List("", 10);
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->size(), 2);
  EXPECT_EQ((*listed)[0].name, "a");
  EXPECT_EQ((*listed)[1].name, "b");
  EXPECT_EQ((*listed)[1].version, 2);
  EXPECT_EQ((*listed)[1].created_at, first);
  EXPECT_EQ((*listed)[1].set_at, first + absl::Hours(1));
  EXPECT_EQ(store_->List("a", 10)->size(), 1);
  EXPECT_EQ(store_->List("", 1)->size(), 1);
}

TEST_F(SecretStoreTest, DeletedIsGoneAndItsVersionsGoOn) {
  Open();
  Set("a", "1");
  ASSERT_TRUE(store_->Delete("a").ok());
  EXPECT_EQ(Value("a"), "NOT_FOUND");
  EXPECT_THAT(*store_->List("", 10), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(store_->Delete("a")));
  EXPECT_TRUE(absl::IsNotFound(store_->Delete("never")));
  clock_.Move(absl::Hours(1));
  const absl::StatusOr<SecretRecord> again = store_->Set("a", "2");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->version, 2);
  EXPECT_EQ(again->created_at, clock_.Now());
  EXPECT_EQ(Value("a"), "2");
}

TEST_F(SecretStoreTest, RefusesNamesAndValuesThatAreNone) {
  Open();
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a/b"), std::string("1a"), std::string("-a"),
        std::string("a\n"), std::string("\xc3\xa4"), std::string("a\0b", 3), std::string(129, 'a'),
        std::string("' OR 1=1")}) {
    EXPECT_TRUE(absl::IsInvalidArgument(store_->Set(name, "v").status())) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(store_->Resolve(name).status())) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(store_->Delete(name))) << name;
  }
  EXPECT_TRUE(store_->Set(std::string(128, 'a'), "v").ok());
  EXPECT_TRUE(store_->Set("_a.b-C9", "v").ok());
  EXPECT_TRUE(absl::IsInvalidArgument(store_->Set("a", "").status()));
  const absl::Status large =
      store_->Set("a", std::string(SecretStore::kMaxValueBytes + 1, 'x')).status();
  EXPECT_TRUE(absl::IsInvalidArgument(large));
  EXPECT_THAT(std::string(large.message()), Not(HasSubstr("xxx")));
}

TEST_F(SecretStoreTest, NoFileHoldsAValue) {
  Open();
  Set("canary", kCanary);
  Set("canary", absl::StrCat(kCanary, " again"));
  Set("deleted", kCanary);
  ASSERT_TRUE(store_->Delete("deleted").ok());
  ASSERT_TRUE(store_->Rotate(std::nullopt).ok());
  EXPECT_EQ(Value("canary"), absl::StrCat(kCanary, " again"));
  Sql("CREATE TABLE control_of_this_test(name TEXT); INSERT INTO control_of_this_test "
      "VALUES('here-it-is')");
  EXPECT_NE(FilesWith("here-it-is"), "");  // the search finds
  for (const std::string& spelling :
       {std::string(kCanary), absl::BytesToHexString(kCanary), absl::Base64Escape(kCanary),
        std::string(kCanary).substr(0, 10), Blake2b256(kCanary)}) {
    EXPECT_EQ(FilesWith(spelling), "") << spelling;
  }
}

TEST_F(SecretStoreTest, RecordPastedElsewhereIsRefusedByName) {
  Open();
  SetThree();
  Sql("CREATE TABLE kept AS SELECT * FROM secrets");
  struct Case {
    const char* change;
    const char* damaged;
  };
  const Case cases[] = {
      // The value of one secret under another's name: with its version, with all but its name.
      {"UPDATE secrets SET box = (SELECT box FROM kept WHERE name = 'db') WHERE name = 'api'",
       "api"},
      {"DELETE FROM secrets WHERE name = 'api'; UPDATE secrets SET name = 'api' WHERE name = 'db'",
       "api"},
      {"UPDATE secrets SET version = version + 1 WHERE name = 'db'", "db"},
      {"UPDATE secrets SET version = 1 WHERE name = 'old'", "old"},
      {"UPDATE secrets SET key = 'other' WHERE name = 'db'", "db"},
      {"UPDATE secrets SET box = CAST(substr(box, 1, length(box) - 16) || zeroblob(16) AS BLOB) "
       "WHERE name = 'db'",
       "db"},
      {"UPDATE secrets SET box = x'00' WHERE name = 'db'", "db"},
      {"UPDATE secrets SET box = (SELECT box FROM secret_keys) WHERE name = 'db'", "db"},
  };
  for (const Case& c : cases) {
    Sql(c.change);
    const absl::Status refused = store_->Resolve(c.damaged).status();
    EXPECT_TRUE(absl::IsDataLoss(refused)) << c.change << refused;
    EXPECT_THAT(
        std::string(refused.message()),
        AllOf(HasSubstr(absl::StrCat("secret \"", c.damaged, "\"")), Not(HasSubstr("value of"))));
    EXPECT_TRUE(absl::IsDataLoss(store_->Rotate(std::nullopt).status())) << c.change;
    Sql("DELETE FROM secrets; INSERT INTO secrets SELECT * FROM kept");
    ExpectThree();
  }
  // An old value put back under its own name and number.
  Sql("CREATE TABLE older AS SELECT * FROM secrets WHERE name = 'old'");
  Set("old", "newest");
  Sql("UPDATE secrets SET box = (SELECT box FROM older) WHERE name = 'old'");
  EXPECT_EQ(Value("old"), "DATA_LOSS");
  Set("old", "newest");  // the way out
  EXPECT_EQ(Value("old"), "newest");
}

TEST_F(SecretStoreTest, DamagedDataKeyIsSaid) {
  Open();
  SetThree();
  Sql("CREATE TABLE kept AS SELECT * FROM secret_keys");
  for (const char* change :
       {"UPDATE secret_keys SET box = CAST(substr(box, 1, length(box) - 16) || zeroblob(16) AS "
        "BLOB)",
        "UPDATE secret_keys SET id = '0000000000000000'", "DELETE FROM secret_keys"}) {
    Sql(change);
    EXPECT_EQ(Value("api"), "DATA_LOSS") << change;
    Sql("DELETE FROM secret_keys; INSERT INTO secret_keys SELECT * FROM kept");
    ExpectThree();
  }
}

TEST_F(SecretStoreTest, MakesItsKeyOnTheFirstStartOnly) {
  Open();
  SetThree();
  struct stat found = {};
  ASSERT_EQ(stat(Path("master.key").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0400);

  std::filesystem::rename(Path("master.key"), Path("elsewhere"));
  const absl::Status gone = TryOpen();
  EXPECT_TRUE(absl::IsFailedPrecondition(gone)) << gone;
  EXPECT_THAT(gone.message(), HasSubstr(Path("master.key") + " is gone"));
  EXPECT_FALSE(std::filesystem::exists(Path("master.key")));
  std::filesystem::rename(Path("elsewhere"), Path("master.key"));
  Open();
  ExpectThree();

  ASSERT_EQ(chmod(Path("master.key").c_str(), 0640), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(TryOpen()));
}

TEST_F(SecretStoreTest, WrongMasterKeyIsNamedByItsId) {
  Open();
  SetThree();
  const std::string right = store_->master_key_id();
  const SecretKey other = *SecretKey::Random();
  ASSERT_EQ(setenv("TIDEMARK_TEST_KEY", other.Hex().c_str(), 1), 0);
  const absl::Status wrong = TryOpen("env:TIDEMARK_TEST_KEY");
  EXPECT_TRUE(absl::IsFailedPrecondition(wrong)) << wrong;
  EXPECT_THAT(std::string(wrong.message()),
              AllOf(HasSubstr(right), HasSubstr(other.Id()), Not(HasSubstr(other.Hex()))));

  std::filesystem::remove(Path("master.key"));
  ASSERT_TRUE(WriteMasterKey(FileSystem::Real(), Path("master.key"), other).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen()));
  // Whoever lost the key gives up the secrets, and only them.
  ASSERT_TRUE(SecretStore::Discard(Parts()).ok());
  Open();
  EXPECT_EQ(store_->master_key_id(), other.Id());
  EXPECT_EQ(Value("api"), "NOT_FOUND");
  EXPECT_EQ(store_->Set("old", "again")->version, 3);
}

TEST_F(SecretStoreTest, RotationLeavesNothingForTheOldKey) {
  Open();
  SetThree();
  const std::string before = store_->master_key_id();
  const std::string old_key = FileText(Path("master.key"));
  std::vector<std::string> boxes;
  Set("gone", std::string(2000, 'x'));
  Set("shorter", std::string(2000, 'y'));
  for (const char* name : {"gone", "shorter"}) {
    boxes.push_back(SqlText(absl::StrCat("SELECT box FROM secrets WHERE name = '", name, "'")));
  }
  Sql("PRAGMA wal_checkpoint(TRUNCATE)");
  ASSERT_TRUE(store_->Delete("gone").ok());
  Set("shorter", "y");
  const std::string data_key = SqlText("SELECT id FROM secret_keys");
  for (const char* name : {"api", "db", "old"}) {
    boxes.push_back(SqlText(absl::StrCat("SELECT box FROM secrets WHERE name = '", name, "'")));
  }
  boxes.push_back(SqlText("SELECT box FROM secret_keys"));
  ASSERT_TRUE(store_->Rotate(std::nullopt).ok());
  ExpectThree();
  EXPECT_NE(store_->master_key_id(), before);
  EXPECT_NE(FileText(Path("master.key")), old_key);
  EXPECT_EQ(old_key.size(), 65);
  EXPECT_EQ(FilesWith(old_key.substr(0, 64)), "");
  EXPECT_FALSE(std::filesystem::exists(Path("master.key.next")));
  EXPECT_NE(SqlText("SELECT id FROM secret_keys"), data_key);
  for (const std::string& box : boxes) {
    // A part of it is enough: free space has its first bytes written over.
    EXPECT_EQ(FilesWith(box.substr(box.size() / 2, 16)), "");
  }
  Open();
  ExpectThree();
  EXPECT_EQ(store_->List("", 10)->back().version, 2);  // no new versions
}

TEST_F(SecretStoreTest, RotatesToAKeyOfElsewhere) {
  Open();
  SetThree();
  const SecretKey next = *SecretKey::Random();
  ASSERT_TRUE(store_->Rotate(*SecretKey::FromHex(next.Hex())).ok());
  ExpectThree();
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen()));  // the configuration names another key
  ASSERT_EQ(setenv("TIDEMARK_TEST_KEY", next.Hex().c_str(), 1), 0);
  Open("env:TIDEMARK_TEST_KEY");
  ExpectThree();
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->Rotate(std::nullopt).status()));
  ExpectThree();
}

// The rotation is killed, or fails, wherever it can: then every secret is there, under the old key
// or under the new one.
TEST_F(SecretStoreTest, RotationIsWholeOrNone) {
  struct Case {
    const char* point;
    bool done;  // the new key holds after a kill
  };
  const Case cases[] = {{"secrets.key_written=kill", false},
                        {"secrets.resealed=kill", false},
                        {"secrets.resealed=2*off->kill", false},
                        {"secrets.before_commit=kill", false},
                        {"secrets.committed=kill", true}};
  Open();
  SetThree();
  for (const Case& c : cases) {
    const std::string before = store_->master_key_id();
    store_.reset();
    const int signal = SignalOf([&] {
      Open();
      ASSERT_TRUE(ArmFailpoints(c.point, "").ok());
      EXPECT_TRUE(store_->Rotate(std::nullopt).ok());
    });
    ASSERT_EQ(signal, SIGKILL) << c.point;
    EXPECT_TRUE(std::filesystem::exists(Path("master.key.next"))) << c.point;
    Open();
    ExpectThree();
    EXPECT_EQ(store_->master_key_id() != before, c.done) << c.point;
    EXPECT_FALSE(std::filesystem::exists(Path("master.key.next"))) << c.point;
    EXPECT_EQ(SqlText("SELECT count(DISTINCT key) FROM secrets"), "1");
  }
}

TEST_F(SecretStoreTest, RotationThatFailsKeepsTheOldKey) {
  Open();
  SetThree();
  for (const char* point : {"secrets.key_written", "secrets.resealed", "secrets.before_commit"}) {
    const std::string before = store_->master_key_id();
    ASSERT_TRUE(ArmFailpoints(absl::StrCat(point, "=1*error(UNAVAILABLE)"), "").ok());
    EXPECT_TRUE(absl::IsUnavailable(store_->Rotate(std::nullopt).status())) << point;
    ASSERT_TRUE(ArmFailpoints("", "").ok());
    ExpectThree();
    EXPECT_EQ(store_->master_key_id(), before) << point;
    Set("db", "value of db");
    EXPECT_TRUE(catalog_->autocommit());
    Open();
    ExpectThree();
    ASSERT_TRUE(store_->Rotate(std::nullopt).ok()) << point;
    ExpectThree();
  }
}

TEST_F(SecretStoreTest, ServerThatMissedARotationSaysSo) {
  Open();
  SetThree();
  std::unique_ptr<SecretStore> other = std::move(store_);
  Open();
  ASSERT_TRUE(store_->Rotate(std::nullopt).ok());
  const absl::Status missed = other->Resolve("api").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(missed)) << missed;
  EXPECT_THAT(missed.message(), HasSubstr("this server holds"));
  EXPECT_TRUE(absl::IsFailedPrecondition(other->Set("api", "x").status()));
  ExpectThree();
}

}  // namespace
}  // namespace tidemark
