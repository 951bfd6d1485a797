// The methods of the sqlite connector that see deletes: triggers, comparing, and queries.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "tests/plugins/source_run.h"
#include "tests/plugins/test_database.h"

namespace tidemark_testing {
namespace {

using Texts = std::vector<std::string>;

SourceRun RunOf(const TestDatabase& db, std::string method) {
  return SourceRun("sqlite", {{"connection", db.path()}, {"cdc_method", std::move(method)}});
}
SourceRun TriggersOf(const TestDatabase& db) {
  return SourceRun(
      "sqlite",
      {{"connection", db.path()}, {"cdc_method", "trigger"}, {"install_triggers", "true"}});
}
std::string Lines(const SourceRun& run) { return absl::StrJoin(run.image().Lines(), "\n"); }
std::string Truth(const TestDatabase& db) {
  SourceRun full = RunOf(db, "full");
  EXPECT_TRUE(full.Sync().ok());
  return absl::StrJoin(full.image().Lines(), "\n");
}

TEST(SqliteTrigger, AsksBeforeItChangesTheSource) {
  TestDatabase db("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  const absl::Status status = RunOf(db, "trigger").Sync();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "install_triggers: true")) << status;
  EXPECT_EQ(1, db.Number("SELECT count(*) FROM sqlite_schema"));
}

TEST(SqliteTrigger, CapturesEveryKindOfChange) {
  struct Case {
    const char* name;
    const char* sql;
  };
  constexpr char kTables[] =
      "CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE, v);"
      "CREATE TABLE named(k TEXT PRIMARY KEY COLLATE NOCASE, \"odd \"\"name\" REAL);"
      "CREATE TABLE pair(a TEXT, b INT, v BLOB, PRIMARY KEY (b, a)) WITHOUT ROWID;"
      "CREATE TABLE typed(id INTEGER PRIMARY KEY, t TEXT, r REAL, b BLOB) STRICT;"
      "CREATE TABLE keyless(a, b);"
      "CREATE TABLE child(id INTEGER PRIMARY KEY, t REFERENCES t(id) ON DELETE CASCADE);"
      "INSERT INTO t VALUES (1,'a',1), (2,'b',2), (3,'c',3); INSERT INTO child VALUES (1,1), (2,2);"
      "INSERT INTO keyless VALUES (1,'x'), (1,'x'), (2,'y');"
      "INSERT INTO pair VALUES ('p',1,x'01'), ('q',2,NULL); INSERT INTO named VALUES ('K', 1.5);";
  for (const Case& c : std::vector<Case>{
           {"insert", "INSERT INTO t VALUES (10,'z',x'00ff'), (11,NULL,1e300), (12,'\"''',-0.1)"},
           {"the largest and smallest",
            "INSERT INTO t VALUES (9223372036854775807,'m',"
            "-9223372036854775808), (-1,'n',9e999)"},
           {"update", "UPDATE t SET v = 'changed' WHERE id < 3"},
           {"delete", "DELETE FROM t WHERE id = 2"},
           {"all at once", "DELETE FROM t"},
           {"a key changes",
            "UPDATE t SET id = 20 WHERE id = 1; UPDATE pair SET a = 'r' WHERE b = 1"},
           {"a key changes to a deleted one",
            "DELETE FROM t WHERE id = 2; UPDATE t SET id = 2 WHERE "
            "id = 1"},
           {"keys are swapped",
            "UPDATE t SET id = 100 WHERE id = 1; UPDATE t SET id = 1 WHERE id = "
            "2; UPDATE t SET id = 2 WHERE id = 100"},
           {"a key changes twice",
            "UPDATE t SET id = 30 WHERE id = 1; UPDATE t SET id = 31 WHERE id = 30"},
           {"a key changes after an ignored conflict",
            "INSERT OR IGNORE INTO t VALUES (60,'a',7); UPDATE t SET id = 70 WHERE id = 1"},
           {"deleted and made again",
            "DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1,'a','n')"},
           {"upsert", "INSERT INTO t VALUES (1,'a',5) ON CONFLICT (u) DO UPDATE SET v = 9"},
           {"replace by key", "REPLACE INTO t VALUES (1,'new',7)"},
           {"replace by a unique column", "REPLACE INTO t VALUES (50,'b',7)"},
           {"replace of two rows", "REPLACE INTO t VALUES (1,'b',7)"},
           {"update or replace", "UPDATE OR REPLACE t SET u = 'b' WHERE id = 1"},
           {"replace by collation", "REPLACE INTO named VALUES ('k', 2)"},
           {"ignored conflict", "INSERT OR IGNORE INTO t VALUES (60,'a',7)"},
           {"rolled back", "BEGIN; DELETE FROM t; ROLLBACK"},
           {"cascade", "PRAGMA foreign_keys = on; DELETE FROM t WHERE id = 1"},
           {"strict", "INSERT INTO typed VALUES (1,'x',3,x''), (2,NULL,NULL,NULL)"},
           {"one of two equal rows", "DELETE FROM keyless WHERE rowid = 1"},
           {"both equal rows", "DELETE FROM keyless WHERE a = 1"},
           {"one of two equal rows changes", "UPDATE keyless SET b = 'z' WHERE rowid = 2"},
           {"text that is a number", "INSERT INTO keyless VALUES ('1', 1.0), (1, '1.0')"}}) {
    SCOPED_TRACE(c.name);
    TestDatabase db(kTables);
    SourceRun run = TriggersOf(db);
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ(Truth(db), Lines(run));
    db.Run(c.sql);
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ(Truth(db), Lines(run));
    EXPECT_EQ(0u, run.sink().dead_letters().size());
    const size_t repeated = run.sink().changes().size();
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ(0u, run.sink().changes().size()) << repeated;
  }
}

// A first read that is interrupted goes on behind the rows it has read; a row that comes to stand
// before its place is known from its key change alone.
TEST(SqliteTrigger, RowsThatMoveDuringAFirstReadAreNotLost) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
      "SELECT i + 1 FROM n WHERE i < 12) INSERT INTO t SELECT i, 'v' || i FROM n");
  SourceRun run = TriggersOf(db);
  run.PageRows(5);
  EXPECT_FALSE(run.BreakAtEmit(2).Sync().ok());
  ASSERT_EQ(5u, run.image().RowCount("t")) << "it broke off behind the first page";
  db.Run(
      "UPDATE t SET id = -1 WHERE id = 8; UPDATE t SET id = 20 WHERE id = 2;"
      "UPDATE t SET id = -9 WHERE id = 9; UPDATE t SET id = 2 WHERE id = -9;"
      "UPDATE t SET id = 8 WHERE id = 3");
  ASSERT_TRUE(run.BreakAtEmit(0).Sync().ok());
  EXPECT_EQ(Truth(db), Lines(run));
}

TEST(SqliteTrigger, WideTablesFitToo) {
  std::string columns, values;
  for (int i = 0; i < 150; ++i) {
    absl::StrAppend(&columns, ", c", i);
    absl::StrAppend(&values, ", ", i);
  }
  TestDatabase db(absl::StrCat("CREATE TABLE wide(id INTEGER PRIMARY KEY", columns, ")"));
  SourceRun run = TriggersOf(db);
  ASSERT_TRUE(run.Sync().ok());
  db.Run(absl::StrCat("INSERT INTO wide VALUES (1", values, ")"));
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(Truth(db), Lines(run));
}

TEST(SqliteTrigger, ReleasesOnlyWhatTheHostNeedsNoMore) {
  TestDatabase db("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
  SourceRun run = TriggersOf(db);
  ASSERT_TRUE(run.Sync().ok());
  db.Run("INSERT INTO t VALUES (1,1), (2,2), (3,3)");
  ASSERT_TRUE(run.Sync().ok());
  const std::vector<RecordedState> early = run.state();
  db.Run("INSERT INTO t VALUES (4,4)");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(4, db.Number("SELECT count(*) FROM _tidemark_changes"));
  // A state of now becomes releasable: everything before its last change may go.
  run.Release();
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(1, db.Number("SELECT count(*) FROM _tidemark_changes"));
  // A state from before that has lost its place.
  run.state() = early;
  db.Run("DELETE FROM _tidemark_changes");
  const absl::Status valid = run.Validate();
  EXPECT_TRUE(absl::IsDataLoss(valid)) << valid;
  EXPECT_TRUE(absl::StrContains(valid.message(), "changes 4 to 4 were removed")) << valid;
  EXPECT_TRUE(absl::IsDataLoss(run.Sync()));
  ASSERT_TRUE(run.Sync(/*full=*/true).ok());
  EXPECT_EQ(Truth(db), Lines(run));
}

TEST(SqliteTrigger, KeepsWhatAnotherConnectionNeeds) {
  TestDatabase db("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
  SourceRun run = TriggersOf(db);
  ASSERT_TRUE(run.Sync().ok());
  db.Run(
      "INSERT INTO _tidemark_consumers VALUES ('other', 't', 1);"
      "INSERT INTO t VALUES (1,1), (2,2), (3,3)");
  ASSERT_TRUE(run.Sync().ok());
  run.Release();
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(3, db.Number("SELECT count(*) FROM _tidemark_changes"));
}

TEST(SqliteTrigger, OlderCopiesOfTheDatabaseAreNoticed) {
  TestDatabase db("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
  SourceRun run = TriggersOf(db);
  ASSERT_TRUE(run.Sync().ok());
  const std::string copy = db.folder().File("copy.db");
  db.Run(absl::StrCat("VACUUM INTO '", copy, "'"));
  db.Run("INSERT INTO t VALUES (1,1), (2,2)");
  ASSERT_TRUE(run.Sync().ok());
  run.Set("connection", copy);
  absl::Status status = run.Validate();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "older copy")) << status;
  // It goes on by itself and gets as far as the other one.
  sqlite3* other = nullptr;
  ASSERT_EQ(SQLITE_OK, sqlite3_open(copy.c_str(), &other));
  ASSERT_EQ(SQLITE_OK, sqlite3_exec(other, "INSERT INTO t VALUES (7,7), (8,8), (9,9)", nullptr,
                                    nullptr, nullptr));
  sqlite3_close(other);
  status = run.Sync();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "change 2 is another one")) << status;
}

TEST(SqliteTrigger, ChangedTablesAreReadAgain) {
  struct Case {
    const char* name;
    const char* sql;
  };
  for (const Case& c : std::vector<Case>{
           {"a new column", "ALTER TABLE t ADD COLUMN w DEFAULT 5; INSERT INTO t VALUES (9,9,9)"},
           {"triggers gone", "DROP TRIGGER _tidemark_d_t; DELETE FROM t WHERE id = 1"},
           {"made again",
            "DROP TABLE t; CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t "
            "VALUES (5,5)"},
           {"change table gone",
            "DROP TABLE _tidemark_changes; DROP TRIGGER _tidemark_c_t; DROP TRIGGER _tidemark_u_t; "
            "DROP TRIGGER _tidemark_d_t; DELETE FROM t WHERE id = 1"}}) {
    SCOPED_TRACE(c.name);
    TestDatabase db("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1,1), (2,2)");
    SourceRun run = TriggersOf(db);
    ASSERT_TRUE(run.Sync().ok());
    db.Run("UPDATE t SET v = 3; UPDATE t SET v = 4");
    ASSERT_TRUE(run.Sync().ok());
    run.Release();  // Of these numbers, which a new change table does not know.
    db.Run(c.sql);
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_TRUE(absl::StrContains(run.Warnings(), "all rows are read again")) << run.Warnings();
    EXPECT_EQ(Truth(db), Lines(run));
    db.Run("DELETE FROM t WHERE id = 2");
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ("", run.Warnings());
    EXPECT_EQ(Truth(db), Lines(run));
  }
}

TEST(SqliteTrigger, TextThatIsNotUtf8IsADeadLetter) {
  TestDatabase db("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
  SourceRun run = TriggersOf(db);
  ASSERT_TRUE(run.Sync().ok());
  db.Run("INSERT INTO t VALUES (1, CAST(x'ff41' AS TEXT)), (2, 'good')");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ("t (2) id=2 v=\"good\"", Lines(run));
  ASSERT_EQ(1u, run.sink().dead_letters().size());
  EXPECT_TRUE(absl::StrContains(run.sink().dead_letters()[0].reason, "UTF-8"));
}

TEST(SqliteCompare, EmitsDifferencesOnly) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE TABLE keyless(a);"
      "CREATE TABLE pair(a TEXT, b, v, PRIMARY KEY (a, b));"
      "INSERT INTO t VALUES (1,1), (2,2), (3,3); INSERT INTO keyless VALUES (1), (2);"
      "INSERT INTO pair VALUES ('x', 1.5, 1), ('x', x'00', 2), ('\"', 'y', 3)");
  SourceRun run = RunOf(db, "polling");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(Truth(db), Lines(run));
  db.Run(
      "UPDATE t SET v = 9 WHERE id = 2; DELETE FROM t WHERE id = 3; INSERT INTO t VALUES (4,4);"
      "DELETE FROM pair WHERE v < 3; DELETE FROM keyless WHERE a = 1");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(3u, run.count(TIDEMARK_DELETE));
  EXPECT_EQ((Texts{"2", "2", "4"}), run.Keys());  // keyless rows are all read
  EXPECT_EQ(Truth(db), Lines(run));
}

TEST(SqliteCompare, StopsWhenTooManyRowsAreGone) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i "
      "+ 1 FROM n WHERE i < 100) INSERT INTO t SELECT i FROM n");
  SourceRun run = RunOf(db, "polling");
  ASSERT_TRUE(run.Sync().ok());
  db.Run("DELETE FROM t WHERE id > 60");
  EXPECT_TRUE(absl::IsFailedPrecondition(run.Sync()));
  EXPECT_EQ(100u, run.image().RowCount("t"));
  ASSERT_TRUE(run.Set("max_delete_share", "1").Sync().ok());
  EXPECT_EQ(60u, run.image().RowCount("t"));
}

TEST(SqliteCompare, TablesTooLargeToRememberAreReadAsAWhole) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
      "SELECT "
      "i + 1 FROM n WHERE i < 20001) INSERT INTO t SELECT i, i FROM n");
  SourceRun run = RunOf(db, "polling");
  ASSERT_TRUE(run.Sync().ok());
  db.Run("DELETE FROM t WHERE id = 5");  // Now it can be remembered.
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(20000u, run.image().RowCount("t"));
  db.Run("DELETE FROM t WHERE id = 6; UPDATE t SET v = 0 WHERE id = 7");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ((Texts{"7"}), run.Keys());
  db.Run("DELETE FROM t WHERE id = 8; INSERT INTO t VALUES (30001, 1), (30002, 2)");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(Truth(db), Lines(run));
}

TEST(SqliteQuery, RunsWithItsParameters) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT, v); CREATE TABLE other(id INTEGER PRIMARY "
      "KEY, at TEXT);"
      "INSERT INTO t VALUES (1, '2024-01-15 10:00:00', 'a'), (2, '2024-01-15 10:59:58', 'b');"
      "INSERT INTO other VALUES (7, '2024-01-15 10:00:00')");
  absl::Time now;
  ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full, "2024-01-15T11:00:00Z", &now, nullptr));
  for (const char* query :
       {"SELECT * FROM table WHERE at > :last_sync",
        "select * from {table} where at > :last_sync and at <= :now ; -- end"}) {
    SCOPED_TRACE(query);
    SourceRun run = RunOf(db, "polling");
    run.Set("cdc.polling.query", query).At(now);
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ((Texts{"1", "2", "7"}), run.Keys());
    db.Run(
        "INSERT OR REPLACE INTO t VALUES (3, '2024-01-15 10:59:59', 'c'), (4, '2024-01-15 "
        "10:00:00', 'too old')");
    ASSERT_TRUE(run.At(now + absl::Minutes(1)).Sync().ok());
    EXPECT_EQ((Texts{"3"}), run.Keys());
    db.Run("DELETE FROM t WHERE id > 2");
  }
}

TEST(SqliteQuery, PagesByAColumn) {
  TestDatabase db("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER)");
  for (int i = 0; i < 25; ++i) db.Run(absl::StrCat("INSERT INTO t VALUES (", i, ",", 2 * i, ")"));
  SourceRun run = RunOf(db, "polling");
  run.Set("cdc.polling.query",
          "SELECT id, n, n * n AS square FROM table WHERE n > :last_sync ORDER BY n LIMIT "
          ":batch_size")
      .Set("query_cursor_field", "n")
      .PageRows(4);
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(25u, run.upserts());
  EXPECT_EQ("48", run.state()[0].cursor);
  EXPECT_EQ(RecordedValue({TIDEMARK_INT64, 4, ""}), run.sink().changes()[1].row.at(2));
  db.Run("INSERT INTO t VALUES (100, 49), (101, 3)");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ((Texts{"100"}), run.Keys());
  db.Run("UPDATE t SET n = 60");
  EXPECT_TRUE(absl::StrContains(run.Sync().message(), "page of 4 rows has one and the same n"));
}

TEST(SqliteQuery, ThatIsNotOneReadingStatementIsRefused) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 1);"
      "CREATE TABLE second(id INTEGER PRIMARY KEY)");
  struct Case {
    const char* query;
    const char* says;
  };
  for (const Case& c : std::vector<Case>{
           {"DELETE FROM {table}", "syntax error"},
           {"SELECT * FROM {table}; DELETE FROM {table}", "syntax error"},
           {"SELECT * FROM {table}); DELETE FROM t; --", "one statement that only reads"},
           {"WITH x AS (SELECT 1) DELETE FROM {table}", "syntax error"},
           {"PRAGMA table_info({table})", "syntax error"},
           {"SELECT id, load_extension('x') FROM {table}", "not authorized"},
           {"SELECT name AS id FROM pragma_database_list, {table}", "not authorized"},
           {"SELECT * FROM {table} WHERE v > :since", ":since is none of"},
           {"SELECT * FROM {table} WHERE v > ?", "? is none of"},
           {"SELECT * FROM {table} WHERE v > 'a", "does not end"},
           {"SELECT v FROM {table}", "does not give the key column id"},
           {"SELECT * FROM {table} LIMIT :batch_size", "name it in query_cursor_field"},
           {"SELECT * FROM t", "2 are selected"},
           {"SELECT * FROM nowhere, {table}", "no such table"}}) {
    SCOPED_TRACE(c.query);
    SourceRun run = RunOf(db, "polling");
    run.Set("cdc.polling.query", c.query);
    absl::Status status = run.Sync();
    const auto& done = run.sink().done();
    if (status.ok() && done.count("t") > 0) status = done.at("t");
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), c.says)) << status;
  }
  EXPECT_EQ(1, db.Number("SELECT count(*) FROM t"));
}

TEST(SqliteErrors, AnotherProgramsLockAsksForAnotherAttempt) {
  TestDatabase db("CREATE TABLE t(id INTEGER PRIMARY KEY)", /*wal=*/false);
  db.Run("BEGIN EXCLUSIVE");
  SourceRun run = RunOf(db, "full");
  const absl::Status status = run.Set("busy_timeout", "20 ms").Sync();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "another program holds its lock")) << status;
  db.Run("COMMIT");
  EXPECT_TRUE(run.Sync().ok());
}

TEST(SqliteErrors, ARunningStatementCanBeInterrupted) {
  TestDatabase db("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)");
  const Settings settings = {{"connection", db.path()},
                             {"cdc_method", "polling"},
                             {"cdc.polling.query",
                              "SELECT * FROM {table} WHERE (WITH RECURSIVE n(i) AS (SELECT 1 UNION "
                              "ALL SELECT i + 1 FROM n) "
                              "SELECT count(*) FROM n) > 0"}};
  for (int i = 0; i < 5; ++i) {
    PluginRun run(BuiltPlugin("sqlite"), settings);
    ASSERT_TRUE(run.Open().ok());
    std::thread other([&] {
      for (int spin = 0; spin < i * 20; ++spin) std::this_thread::yield();
      BuiltPlugin("sqlite").interrupt(run.connector());
    });
    const absl::Status status = run.Update();
    other.join();
    EXPECT_TRUE(absl::IsCancelled(status)) << status;
  }
}

TEST(SqliteErrors, OnlyTriggersWriteToTheSource) {
  TestDatabase db("CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT, n INTEGER)");
  const int64_t before = db.Number("PRAGMA data_version");
  for (const char* method : {"full", "timestamp", "version", "polling"}) {
    SourceRun run = RunOf(db, method);
    run.Set("cdc.timestamp.updated_at_field", "at").Set("cdc.version.version_field", "n");
    EXPECT_TRUE(run.Sync().ok()) << method;
  }
  EXPECT_EQ(before, db.Number("PRAGMA data_version"));
}

// Whatever is done to a source, methods that see deletes end with its tables, also when runs break
// off at any emit.
TEST(SqliteChanges, RandomHistoriesEndWithEqualTables) {
  const char* const given = std::getenv("TIDEMARK_FAULT_SEED");
  const unsigned seed = given == nullptr ? std::random_device()()
                                         : static_cast<unsigned>(std::strtoul(given, nullptr, 10));
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  for (const char* method : {"trigger", "polling", "full"}) {
    std::mt19937 random(seed);
    const auto pick = [&random](int n) {
      return static_cast<int>(random() % static_cast<unsigned>(n));
    };
    TestDatabase db(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, u INT UNIQUE, v); CREATE TABLE keyless(a, b);");
    SourceRun run = RunOf(db, method);
    run.Set("install_triggers", "true").Set("max_delete_share", "1").PageRows(5);
    for (int round = 0; round < 25; ++round) {
      for (int i = 0; i < 8; ++i) {
        const int id = pick(12), other = pick(12);
        const std::string sql[] = {
            absl::StrCat("INSERT OR IGNORE INTO t VALUES (", id, ",", other, ",", round, ")"),
            absl::StrCat("REPLACE INTO t VALUES (", id, ",", other, ",", round, ")"),
            absl::StrCat("UPDATE OR IGNORE t SET v = v + 0.5, u = ", other, " WHERE id = ", id),
            absl::StrCat("UPDATE OR REPLACE t SET id = ", other, " WHERE id = ", id),
            absl::StrCat("DELETE FROM t WHERE id = ", id),
            absl::StrCat("INSERT INTO keyless VALUES (", id % 3, ",", other % 2, ")"),
            absl::StrCat("UPDATE keyless SET a = ", other % 3, " WHERE rowid % 5 = ", id % 5),
            absl::StrCat("DELETE FROM keyless WHERE rowid % 7 = ", id % 7)};
        db.Run(sql[pick(8)]);
      }
      run.BreakAtEmit(static_cast<size_t>(pick(6))).Sync().IgnoreError();
      if (pick(3) == 0) run.Release();
    }
    ASSERT_TRUE(run.BreakAtEmit(0).Sync().ok());
    EXPECT_EQ(Truth(db), Lines(run)) << method;
  }
}

TEST(SqliteChanges, Conform) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER, v TEXT); CREATE TABLE keyless(a);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
      "INSERT INTO t SELECT i, i, 'text ' || i FROM n; INSERT INTO keyless SELECT n FROM t LIMIT "
      "9");
  SourceRun install = TriggersOf(db);
  ASSERT_TRUE(install.Sync().ok());
  db.Run("UPDATE t SET v = 'other' WHERE id % 2 = 0; DELETE FROM t WHERE id % 7 = 0");
  const std::string path = db.path();
  for (const Settings& settings : std::vector<Settings>{
           {{"connection", path}, {"cdc_method", "trigger"}, {"install_triggers", "true"}},
           {{"connection", path}, {"cdc_method", "polling"}},
           {{"connection", path},
            {"cdc_method", "polling"},
            {"cdc.polling.query", "SELECT *, rowid AS r FROM {table}"}}}) {
    EXPECT_EQ("", Failures(RunConformance(BuiltPlugin("sqlite"), settings)));
  }
}

}  // namespace
}  // namespace tidemark_testing
