// What only a SQLite file has: files that are damaged, read-only, elsewhere or used by others;
// affinities, rebuilt tables, tampering.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "state/file_checks.h"
#include "tests/destination/destination_conformance.h"

namespace tidemark {
namespace {

class SqliteDestinationTest : public DestinationConformanceTest {
 protected:
  std::string Path() { return folder_ / "w.db"; }
  std::string Sql(const std::string& sql) { return Query(Path(), sql); }
};

absl::Status OpenStatus(const std::string& path) {
  auto destination = OpenSqliteDestination({path, "test", nullptr});
  if (!destination.ok()) return destination.status();
  return (*destination)->Acquire({"c", "test", {}, {}}).status();
}

TEST(SqliteFileTest, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  TemporaryFolder folder;
  const std::string path = folder / "w.db";
  std::ofstream(path) << std::string(5000, 'x');
  const absl::Status status = OpenStatus(path);
  EXPECT_EQ(absl::StatusCode::kDataLoss, status.code()) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), path));
  std::ifstream file(path);
  EXPECT_EQ(std::string(5000, 'x'), std::string(std::istreambuf_iterator<char>(file), {}));
}

TEST(SqliteFileTest, ReadOnlyFilesAndFoldersAreRefusedButCanBeRead) {
  TemporaryFolder folder;
  const std::string path = folder / "w.db";
  ASSERT_TRUE(OpenStatus(path).ok());
  chmod(path.c_str(), 0444);
  absl::Status status = OpenStatus(path);
  EXPECT_EQ(absl::StatusCode::kPermissionDenied, status.code()) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), path));
  chmod(folder.path().c_str(), 0555);
  status = OpenStatus(folder / "new.db");
  EXPECT_EQ(absl::StatusCode::kPermissionDenied, status.code()) << status;
  auto reader = OpenSqliteReader(path);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ(std::vector<std::string>{"c"}, *(*reader)->Connections());
  chmod(folder.path().c_str(), 0755);
}

TEST(SqliteFileTest, MissingFoldersFilesAndForeignFilesAreToldApart) {
  TemporaryFolder folder;
  EXPECT_TRUE(absl::IsNotFound(OpenStatus(folder / "no/w.db")));
  EXPECT_TRUE(absl::IsPermissionDenied(OpenStatus(folder.path())));
  EXPECT_TRUE(absl::IsNotFound(OpenSqliteReader(folder / "no.db").status()));
  for (const char* path : {"", ":memory:", "file:w.db?mode=ro"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(OpenStatus(path))) << path;
  }
  std::ofstream(folder / "empty.db").flush();
  EXPECT_TRUE(absl::IsFailedPrecondition(OpenSqliteReader(folder / "empty.db").status()));
}

TEST(SqliteFileTest, ANetworkFilesystemIsRefused) {
  const auto of = [](int64_t type) {
    return [type](const std::string&) { return std::optional<int64_t>(type); };
  };
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition,
            CheckLocalFilesystem("/data/w.db", of(0x6969)).code());
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition,
            CheckLocalFilesystem("/data/w.db", of(0xFF534D42)).code());
  EXPECT_TRUE(CheckLocalFilesystem("/data/w.db", of(0xEF53)).ok());  // ext4
  TemporaryFolder folder;
  EXPECT_TRUE(CheckLocalFilesystem(folder / "w.db").ok());
}

TEST_P(SqliteDestinationTest, BookkeepingOfANewerEngineIsRefused) {
  destination_ = nullptr;
  Sql("UPDATE _tidemark_meta SET schema_version = 99");
  const absl::Status status = OpenStatus(Path());
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, status.code());
  EXPECT_TRUE(absl::StrContains(status.message(), "newer engine"));
  EXPECT_FALSE(OpenSqliteReader(Path()).ok());
}

TEST_P(SqliteDestinationTest, TamperingIsFoundAndNothingIsChanged) {
  Write(People(), {Upsert(1, "a", 1)}, "1");
  Write(People(), {Upsert(1, "b", 1)}, "2");
  Write(People(), {Upsert(1, "c", 1)}, "3");
  destination_ = nullptr;
  for (const char* sql :
       {"UPDATE _tidemark_state_bodies SET body = x'39' WHERE body = x'32'",
        "UPDATE _tidemark_state_history SET inserted = 9 WHERE version = 1",
        "UPDATE _tidemark_state_history SET cursor_max = 'later' WHERE version = 3",
        "UPDATE _tidemark_state_history SET watermark = 5 WHERE version = 2",
        "UPDATE _tidemark_state_history SET kind = 'reset' WHERE version = 2",
        "UPDATE _tidemark_state_history SET created_at = created_at + 1 WHERE version = 2",
        "DELETE FROM _tidemark_state_history WHERE version = 2",
        "DELETE FROM _tidemark_state_history WHERE version = 1",
        "DELETE FROM _tidemark_state_history WHERE version = 3", "DELETE FROM _tidemark_state",
        "DELETE FROM _tidemark_state_bodies", "UPDATE _tidemark_state SET version = 2",
        "UPDATE _tidemark_state SET source_table = 'x'",
        "UPDATE _tidemark_state SET anchor = x'00'"}) {
    SCOPED_TRACE(sql);
    std::filesystem::copy_file(Path(), folder_ / "copy.db",
                               std::filesystem::copy_options::overwrite_existing);
    Query(folder_ / "copy.db", sql);
    const absl::Status status = OpenStatus(folder_ / "copy.db");
    EXPECT_EQ(absl::StatusCode::kDataLoss, status.code()) << status;
    EXPECT_NE(std::string::npos, status.message().find("copy.db: ")) << status;
    EXPECT_NE(std::string::npos, status.message().find("restore a backup")) << status;
    EXPECT_EQ("2\n", Query(folder_ / "copy.db", "SELECT epoch + 1 FROM _tidemark_connections"));
    EXPECT_EQ(absl::StatusCode::kDataLoss,
              (*OpenSqliteReader(folder_ / "copy.db"))->VerifyState("c").code());
  }
  EXPECT_TRUE(OpenStatus(Path()).ok());
}

// Invariant I3: the epoch decides, also where the lock did not.
TEST_P(SqliteDestinationTest, AnotherEpochFencesTheHolder) {
  Write(People(), {Upsert(1, "a", 1)}, "1");
  auto other = *OpenSqliteDestination({Path(), "test", &clock_});
  AcquireRequest request = {"c", "the other one", {}, {}};
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, other->Acquire(request).status().code());
  request.take_over = true;
  auto acquired = other->Acquire(request);
  ASSERT_TRUE(acquired.ok()) << acquired.status();
  EXPECT_EQ(2, acquired->epoch);
  const absl::Status status = destination_->Begin().status();
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, status.code());
  EXPECT_TRUE(absl::StrContains(status.message(), "FENCED"));
  EXPECT_TRUE(absl::StrContains(status.message(), "the other one"));
  SyncRecord record;
  record.sync_id = "s";
  EXPECT_TRUE(absl::IsFailedPrecondition(destination_->BeginSync(record)));
  EXPECT_EQ("take-over|the other one\n", Sql("SELECT action, holder FROM _tidemark_audit"));
  destination_->Release();
  EXPECT_TRUE(other->Begin().ok());
}

TEST_P(SqliteDestinationTest, LostStateTablesAreNeverMadeAnew) {
  Write(People(), {Upsert(1, "a", 1)}, "1");
  destination_ = nullptr;
  const std::string path = Path();
  struct Case {
    const char* sql;
    const char* says;
  };
  int copies = 0;
  for (const Case& each : {
           Case{"DROP TABLE _tidemark_state", "no table _tidemark_state)"},
           Case{"DROP TABLE _tidemark_state; DROP TABLE _tidemark_state_history; DROP TABLE "
                "_tidemark_state_bodies; DROP TABLE _tidemark_connections",
                "no table _tidemark_connections, _tidemark_state, _tidemark_state_history"},
           Case{"DELETE FROM _tidemark_state; DELETE FROM _tidemark_state_history",
                "no version of it is left"},
           Case{"DROP TABLE _tidemark_meta", "_tidemark_meta is gone"},
           Case{"DELETE FROM _tidemark_meta", "holds no version"},
       }) {
    const std::string copy = absl::StrCat(folder_ / "copy", ++copies, ".db");
    Query(path, absl::StrCat("VACUUM INTO '", copy, "'"));
    Query(copy, each.sql);
    const std::string before = Query(copy, "SELECT name FROM sqlite_schema ORDER BY 1");
    const absl::Status status = OpenStatus(copy);
    EXPECT_EQ(absl::StatusCode::kDataLoss, status.code()) << each.sql << ": " << status;
    EXPECT_TRUE(absl::StrContains(status.message(), each.says)) << status;
    EXPECT_EQ(before, Query(copy, "SELECT name FROM sqlite_schema ORDER BY 1")) << each.sql;
  }
  // Another connection that has never been here begins; the loss of the first stays visible.
  const std::string copy = folder_ / "copy2.db";
  auto other = *OpenSqliteDestination({copy, "test", nullptr});
  EXPECT_TRUE(other->Acquire({"d", "test", {}, {}}).ok());
  other = nullptr;
  EXPECT_EQ(absl::StatusCode::kDataLoss, OpenStatus(copy).code());
}

TEST_P(SqliteDestinationTest, TheLockEndsWithItsProcess) {
  destination_ = nullptr;
  int ready[2];
  ASSERT_EQ(0, pipe(ready));
  const pid_t child = fork();
  if (child == 0) {
    auto destination = OpenSqliteDestination({Path(), "test", nullptr});
    const bool held = (*destination)->Acquire({"c", "the child", {}, {}}).ok();
    (void)!write(ready[1], held ? "y" : "n", 1);
    pause();
  }
  char held = 0;
  ASSERT_EQ(1, read(ready[0], &held, 1));
  ASSERT_EQ('y', held);
  absl::Status status = OpenStatus(Path());
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, status.code());
  EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat("the child (pid ", child)));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  status = OpenStatus(Path());
  EXPECT_TRUE(status.ok()) << status;
  close(ready[0]);
  close(ready[1]);
}

TEST_P(SqliteDestinationTest, TablesAndViewsOfOthersAreRefused) {
  Sql("CREATE TABLE people(x); CREATE VIEW Seen AS SELECT 1");
  for (const char* name : {"people", "PEOPLE", "seen"}) {
    TargetTable target = People();
    target.name = name;
    auto transaction = destination_->Begin();
    auto handle = (*transaction)->EnsureTable(target, &schema_changes_);
    EXPECT_EQ(absl::StatusCode::kFailedPrecondition, handle.status().code());
    EXPECT_TRUE(absl::StrContains(handle.status().message(), "Choices")) << handle.status();
  }
  for (const char* name : {"sqlite_x", "_tidemark_x", ""}) {
    TargetTable target = People();
    target.name = name;
    auto transaction = destination_->Begin();
    EXPECT_TRUE(
        absl::IsInvalidArgument((*transaction)->EnsureTable(target, &schema_changes_).status()));
  }
}

TEST_P(SqliteDestinationTest, ARebuiltTableKeepsItsIndexesAndTriggers) {
  TargetTable target = People();
  Write(target, {Upsert(1, "a", 1), Upsert(2, "b", 2)}, "1");
  Sql("CREATE TABLE audit(id); CREATE INDEX by_name ON people(name);"
      "CREATE TRIGGER noted AFTER INSERT ON people BEGIN INSERT INTO audit VALUES(new.id); END;"
      "CREATE VIEW amounts AS SELECT amount FROM people");
  target.columns[2].type = Declared(DataType::kString);
  {
    auto transaction = destination_->Begin();
    auto handle = (*transaction)->EnsureTable(target, &schema_changes_);
    EXPECT_EQ(absl::StatusCode::kFailedPrecondition, handle.status().code());
    EXPECT_TRUE(absl::StrContains(handle.status().message(), "amounts")) << handle.status();
  }
  Sql("DROP VIEW amounts");
  std::vector<Change> changes;
  changes.reserve(30);
  for (int i = 2; i < 30; ++i) {
    changes.push_back(
        {ChangeKind::kUpsert, {Value::Int64(i), Value::String("b"), Value::String("2")}});
  }
  EXPECT_EQ("inserted 27, unchanged 1", CountsText(Write(target, changes, "2")));
  EXPECT_EQ("by_name\nnoted\n", Sql("SELECT name FROM sqlite_schema WHERE tbl_name = 'people' "
                                    "AND sql IS NOT NULL AND type <> 'table' ORDER BY name"));
  EXPECT_EQ("27\n", Sql("SELECT count(*) FROM audit"));
  EXPECT_EQ("text|1\n", Sql("SELECT typeof(amount), amount FROM people WHERE id = 1"));
  EXPECT_EQ("ok\n", Sql("PRAGMA integrity_check"));
}

TEST_P(SqliteDestinationTest, AUniqueIndexOfSomebodyElseRefusesSingleRows) {
  Write(People(), {Upsert(1, "a", 1)}, "1");
  Sql("CREATE UNIQUE INDEX u ON people(name)");
  std::vector<Change> changes;
  changes.reserve(30);
  for (int i = 2; i < 30; ++i) changes.push_back(Upsert(i, i == 7 ? "a" : nullptr, i));
  EXPECT_EQ("inserted 27", CountsText(Write(People(), changes, "2")));
  ASSERT_EQ(1u, refused_.size());
  EXPECT_EQ(5u, refused_[0].row);
}

TEST_P(SqliteDestinationTest, NamesAndManyColumnsAreTaken) {
  TargetTable target =
      Table("a \"b\"; DROP TABLE x --", {KeyColumn("sel\"ect", Declared(DataType::kString))});
  while (target.columns.size() < destination_->limits().max_columns) {
    target.columns.push_back(
        ValueColumn(absl::StrCat("excluded.", target.columns.size()), Declared(DataType::kLong)));
  }
  std::vector<Change> changes;
  for (const char* key : {"a", "b", "c", "d", "e", "f", "g", "h", "i"}) {
    Change change{ChangeKind::kUpsert, std::vector<Value>(target.columns.size(), Value::Int64(1))};
    change.values[0] = Value::String(key);
    changes.push_back(change);
  }
  EXPECT_EQ("inserted 9", CountsText(Write(target, changes, "1")));
  EXPECT_EQ("unchanged 9", CountsText(Write(target, changes, "2")));
  changes.resize(1);
  changes[0].values.back() = Value::Int64(2);
  EXPECT_EQ("updated 1", CountsText(Write(target, changes, "3")));
}

TEST_P(SqliteDestinationTest, ATableThatIsGoneIsNotFilledInSilence) {
  Write(People(), {Upsert(1, "a", 1)}, "1");
  destination_ = nullptr;
  Sql("DROP TABLE people");
  const absl::Status status = OpenStatus(Path());
  EXPECT_EQ(absl::StatusCode::kDataLoss, status.code());
  EXPECT_TRUE(absl::StrContains(status.message(), "people"));
}

TEST_P(SqliteDestinationTest, SyncMetadataIsAView) {
  SyncRecord record;
  record.sync_id = "s1";
  record.connection = "c";
  record.started_at_us = 1'700'000'000'000'000;
  record.status = "completed";
  TableRecord table;
  table.table = "people";
  table.status = "completed";
  table.last_sync_timestamp = "2023-11-14T22:13:20Z";
  table.counts.inserted = 2;
  table.counts.missing = 1;
  table.counts.deleted_by_truncate = 50;
  record.tables.push_back(table);
  ASSERT_TRUE(destination_->FinishSync(record).ok());
  EXPECT_EQ("1|people|2023-11-14T22:13:20Z|3|0|completed|2023-11-14T22:13:20Z\n",
            Sql("SELECT id, record_type, last_sync_timestamp, records_synced, is_full_sync, "
                "sync_status, created_at FROM _tidemark_sync_metadata"));
}

INSTANTIATE_TEST_SUITE_P(All, SqliteDestinationTest, DestinationKinds(), KindName);

}  // namespace
}  // namespace tidemark
