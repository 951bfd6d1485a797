// The suite of state_store_conformance.h over SQLite and plain files, and what is particular to
// SQLite: damage is read around, lost tables are noticed, newer formats are refused.
#include <sqlite3.h>

#include "tests/state/local_stores.h"

namespace tidemark {
namespace {

StoreUnderTest SqliteStore() {
  return {"Sqlite", [] { return std::make_unique<SqliteStorePlace>(); }};
}
StoreUnderTest FileStore() {
  return {"Files", [] { return std::make_unique<FileStorePlace>(); }};
}

INSTANTIATE_TEST_SUITE_P(Local, StateStoreConformanceTest,
                         testing::Values(SqliteStore(), FileStore()), StoreUnderTestName);

class SqliteStoreTest : public StateStoreConformanceTest {
 protected:
  std::string Path() { return static_cast<SqliteStorePlace&>(*place_).path(); }
  void Sql(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(SQLITE_OK, sqlite3_open(Path().c_str(), &db));
    char* error = nullptr;
    EXPECT_EQ(SQLITE_OK, sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error))
        << sql << ": " << (error == nullptr ? "" : error);
    sqlite3_free(error);
    sqlite3_close(db);
  }
  // One entry with five versions, and nobody holds the connection.
  void Begin() {
    Acquire();
    AddAll("t", 5);
    store_ = nullptr;
  }
};

INSTANTIATE_TEST_SUITE_P(Local, SqliteStoreTest, testing::Values(SqliteStore()),
                         StoreUnderTestName);

TEST_P(SqliteStoreTest, AVersionWhoseFieldsMakeNoSenseIsReadWithWhatItHas) {
  for (const char* damage :
       {"UPDATE _tidemark_state_history SET kind = 'nrmal' WHERE version = 3",
        "UPDATE _tidemark_state_history SET epoch = 'one' WHERE version = 3",
        "UPDATE _tidemark_state_history SET body_hash = 'text' WHERE version = 3",
        "UPDATE _tidemark_state_history SET cursor_max = x'00ff' WHERE version = 3",
        "UPDATE _tidemark_state_history SET watermark = 'now' WHERE version = 3",
        "DELETE FROM _tidemark_state_bodies WHERE body = CAST('body 3' AS BLOB)"}) {
    place_ = GetParam().make_place();
    store_ = Open();
    Begin();
    Sql(damage);
    store_ = Open();
    const std::vector<StoredVersion> versions = Read(All("t"));
    ASSERT_EQ(5u, versions.size()) << damage;
    for (const StoredVersion& stored : versions) {
      EXPECT_EQ(stored.version.version != 3, stored.readable.ok()) << damage;
      EXPECT_EQ("sync", stored.version.sync_id);
    }
    EXPECT_EQ(absl::StatusCode::kDataLoss, versions[2].readable.code()) << damage;
    // A repair sets it aside as it is, and history verifies again.
    Acquire();
    const VersionAppend repair = RepairTo("t", 2);
    ASSERT_TRUE(store_->Append({&repair, 1}, {}).ok()) << damage;
    EXPECT_TRUE(Verify("t").ok()) << damage << ": " << Verify("t");
    EXPECT_EQ((std::vector<int64_t>{1, 2, 6}), Numbers(All("t")));
  }
}

TEST_P(SqliteStoreTest, WhatIsSetAsideKeepsItsRawValues) {
  Begin();
  Sql("UPDATE _tidemark_state_history SET version = 'five', kind = 7 WHERE version = 5");
  store_ = Open();
  Acquire();
  VersionAppend repair = RepairTo("t", 4);
  EXPECT_EQ((std::vector<int64_t>{0}), repair.set_aside) << "what 'five' reads as";
  ASSERT_TRUE(store_->Append({&repair, 1}, {}).ok());
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
  store_ = nullptr;
  sqlite3* db = nullptr;
  ASSERT_EQ(SQLITE_OK, sqlite3_open(Path().c_str(), &db));
  sqlite3_stmt* row = nullptr;
  sqlite3_prepare_v2(db,
                     "SELECT version || ' ' || kind || ' ' || CAST(body AS TEXT) || ' ' || "
                     "repaired_by FROM _tidemark_state_damaged",
                     -1, &row, nullptr);
  ASSERT_EQ(SQLITE_ROW, sqlite3_step(row));
  EXPECT_STREQ("five 7 body 5 6", reinterpret_cast<const char*>(sqlite3_column_text(row, 0)));
  sqlite3_finalize(row);
  sqlite3_close(db);
}

TEST_P(SqliteStoreTest, ADamagedOrLostHeadCanBeRepaired) {
  for (const char* damage :
       {"UPDATE _tidemark_state SET version = 'x', chain = 'y'",
        "UPDATE _tidemark_state SET version = 77", "UPDATE _tidemark_state SET chain = 5.5",
        "DELETE FROM _tidemark_state"}) {
    place_ = GetParam().make_place();
    store_ = Open();
    Begin();
    Sql(damage);
    store_ = Open();
    Acquire();
    const StateHead head = Head("t");
    VersionAppend repair = RepairTo("t", 5);
    if (repair.version.version <= 5) {
      repair.version.version = 6;
      repair.version.chain = ComputeChain(repair.version);
    }
    repair.schema = "";
    repair.table = "t";
    ASSERT_EQ("t", head.entry) << damage;
    absl::Status status = store_->Append({&repair, 1}, {});
    EXPECT_TRUE(status.ok()) << damage << ": " << status;
    EXPECT_TRUE(Verify("t").ok()) << damage << ": " << Verify("t");
    EXPECT_TRUE(Add("t", "and on").ok()) << damage;
  }
}

TEST_P(SqliteStoreTest, LostTablesAreNamedAndMadeAnewOnlyByARebuild) {
  Begin();
  Sql("CREATE TABLE _tidemark_tables(connection TEXT); "
      "INSERT INTO _tidemark_tables VALUES('c'); DROP TABLE _tidemark_state_history");
  store_ = Open();
  absl::Status status = store_->Heads().status();
  EXPECT_EQ(absl::StatusCode::kNotFound, status.code()) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "_tidemark_state_history")) << status;
  status = store_->Acquire(Ask()).status();
  EXPECT_EQ(absl::StatusCode::kDataLoss, status.code()) << status;
  OwnershipRequest request = Ask();
  request.rebuild = true;
  ASSERT_TRUE(store_->Acquire(request).ok());
  EXPECT_EQ(5, Head("t").version) << "what was left stays";
  store_ = nullptr;
  Sql("DELETE FROM _tidemark_state");
  store_ = Open();
  EXPECT_TRUE(absl::IsNotFound(store_->Heads().status()));
  EXPECT_TRUE(absl::IsDataLoss(store_->Acquire(Ask()).status()));
}

TEST_P(SqliteStoreTest, ANewerFormatADamagedFileAndAMissingOneAreToldApart) {
  Begin();
  Sql("UPDATE _tidemark_meta SET schema_version = 2");
  store_ = Open();
  OwnershipRequest rebuild = Ask();
  rebuild.rebuild = true;
  for (const absl::Status& status : {store_->Heads().status(), store_->Acquire(Ask()).status(),
                                     store_->Acquire(rebuild).status()}) {
    EXPECT_EQ(absl::StatusCode::kFailedPrecondition, status.code()) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "newer engine")) << status;
  }
  store_ = nullptr;
  std::filesystem::resize_file(Path(), 4096 + 100);
  store_ = Open();
  EXPECT_EQ(absl::StatusCode::kDataLoss, store_->Heads().status().code())
      << store_->Heads().status();
  std::filesystem::remove(Path());
  SqliteStateStoreOptions options;
  auto store = *OpenSqliteStateStore(Path(), "c", options);
  EXPECT_TRUE(absl::IsNotFound(store->Heads().status()));
  EXPECT_TRUE(absl::IsNotFound(store->Acquire(Ask()).status()));
  EXPECT_FALSE(std::filesystem::exists(Path()));
}

}  // namespace
}  // namespace tidemark
