// The methods of the sqlite connector that read tables by a cursor, or as a whole.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
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

constexpr char kUpdatedAt[] = "cdc.timestamp.updated_at_field";
constexpr char kVersion[] = "cdc.version.version_field";

absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << error;
  return time;
}

SourceRun RunOf(const TestDatabase& db, std::string method) {
  return SourceRun("sqlite", {{"connection", db.path()}, {"cdc_method", std::move(method)}});
}

// What a full read of the same database gives.
std::string Truth(const TestDatabase& db) {
  SourceRun full = RunOf(db, "full");
  EXPECT_TRUE(full.Sync().ok());
  return absl::StrJoin(full.image().Lines(), "\n");
}

std::string Lines(const SourceRun& run) { return absl::StrJoin(run.image().Lines(), "\n"); }

using Texts = std::vector<std::string>;

TEST(SqliteSchema, DeclaresOnlyWhatAColumnCanHold) {
  TestDatabase db(
      "CREATE TABLE plain(id INTEGER PRIMARY KEY, n INT, s VARCHAR(10), d DATETIME);"
      "CREATE TABLE strict(k TEXT PRIMARY KEY, i INTEGER, r REAL, b BLOB, a ANY) STRICT;"
      "CREATE TABLE pair(b INT, a TEXT, v, PRIMARY KEY (a, b)) WITHOUT ROWID;"
      "CREATE TABLE keyless(x, g AS (x + 1));"
      "CREATE TABLE textual(id INT PRIMARY KEY);"
      "CREATE VIEW shown AS SELECT 1; CREATE TABLE _tidemark_x(a);");
  PluginRun run(BuiltPlugin("sqlite"), {{"connection", db.path()}});
  ASSERT_TRUE(run.Open().ok());
  Texts tables;
  for (const RecordedTable& t : run.sink().tables()) {
    std::string text = t.name;
    for (const RecordedColumn& c : t.columns) {
      absl::StrAppend(&text, " ", c.name, ":", c.type, c.flags != 0 ? "*" : "");
    }
    tables.push_back(text);
  }
  EXPECT_EQ((Texts{"keyless x:0 g:0", "pair b:0* a:0* v:0", "plain id:4* n:0 s:0 d:0",
                   "strict k:14* i:4 r:7 b:12 a:0", "textual id:0*"}),
            tables);
}

TEST(SqliteFull, DeliversEveryKindOfValueAndWhatIsGone) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v);"
      "INSERT INTO t VALUES (1, 7), (2, 1.5), (3, 'text'), (4, x'00ff'), (5, NULL), (6, '');");
  SourceRun run = RunOf(db, "full");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(
      "t (1) id=1 v=7\nt (2) id=2 v=1.5\nt (3) id=3 v=\"text\"\nt (4) id=4 v=x'00ff'\n"
      "t (5) id=5\nt (6) id=6 v=\"\"",
      Lines(run));
  db.Run("DELETE FROM t WHERE id < 4; UPDATE t SET v = 8 WHERE id = 4");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ("t (4) id=4 v=8\nt (5) id=5\nt (6) id=6 v=\"\"", Lines(run));
  EXPECT_EQ(1u, run.count(TIDEMARK_TRUNCATE));
}

TEST(SqliteFull, RollsBackWhatAKilledWriterLeftHalfWritten) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
      "SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT i, printf('whole %200d', i) FROM n",
      /*wal=*/false);
  const std::string truth = Truth(db);
  // A small cache: changed pages are in the file while the transaction is open.
  db.Run("PRAGMA cache_size = 5; BEGIN; UPDATE t SET v = 'half'");
  const std::string killed = db.folder().File("killed.db");
  std::filesystem::copy_file(db.path(), killed);
  std::filesystem::copy_file(db.path() + "-journal", killed + "-journal");
  SourceRun run("sqlite", {{"connection", killed}, {"cdc_method", "full"}});
  const absl::Status status = run.Sync();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(truth, Lines(run));
}

TEST(SqliteFull, StopsWhenTooManyRowsAreGone) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i "
      "+ 1 FROM n WHERE i < 100) INSERT INTO t SELECT i FROM n");
  SourceRun run = RunOf(db, "full");
  ASSERT_TRUE(run.Sync().ok());
  db.Run("DELETE FROM t WHERE id > 60");
  const absl::Status status = run.Sync();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "40 of 100 rows are gone")) << status;
  EXPECT_EQ(100u, run.image().RowCount("t"));
  run.Set("max_delete_share", "1");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(60u, run.image().RowCount("t"));
}

TEST(SqliteTimestamp, ReadsWhatChangedWhateverTheFormOfItsTimes) {
  struct Case {
    const char* name;
    const char* declared;
    Texts values;  // of 10:00:00, 10:00:01, 10:00:02 on 2024-01-15 (UTC)
    const char* zone = "UTC";
  };
  for (const Case& c : std::vector<Case>{
           {"CURRENT_TIMESTAMP",
            "TEXT",
            {"'2024-01-15 10:00:00'", "'2024-01-15 10:00:01'", "'2024-01-15 10:00:02'"}},
           {"DATETIME has NUMERIC affinity",
            "DATETIME",
            {"'2024-01-15 10:00:00'", "'2024-01-15 10:00:01'", "'2024-01-15 10:00:02'"}},
           {"mixed forms",
            "TEXT",
            {"'2024-01-15T10:00:00Z'", "'2024-01-15 10:00:01.000'", "'2024-01-15T12:00:02+02:00'"}},
           {"a zone before UTC",
            "TEXT",
            {"'2024-01-15T10:00:00Z'", "'2024-01-14 22:00:01-12:00'", "'2024-01-15 10:00:02'"}},
           {"local times",
            "TEXT",
            {"'2024-01-15 05:00:00'", "'2024-01-15 05:00:01'", "'2024-01-15 05:00:02'"},
            "America/New_York"},
           {"unix seconds", "INTEGER", {"1705312800", "1705312801", "1705312802"}},
           {"unix seconds without affinity", "", {"1705312800", "1705312801", "1705312802"}},
           {"unix milliseconds", "INTEGER", {"1705312800000", "1705312801000", "1705312802000"}},
           {"Julian days",
            "REAL",
            {"julianday('2024-01-15 10:00:00')", "julianday('2024-01-15 10:00:01')",
             "julianday('2024-01-15 10:00:02')"}},
           {"numbers and texts", "", {"1705312800", "'2024-01-15 10:00:01'", "1705312802000"}}}) {
    SCOPED_TRACE(c.name);
    TestDatabase db(absl::StrCat("CREATE TABLE t(id INTEGER PRIMARY KEY, at ", c.declared,
                                 ", v); INSERT INTO t VALUES (1, ", c.values[0], ", 'a'), (2, ",
                                 c.values[0], ", 'a')"));
    SourceRun run = RunOf(db, "timestamp");
    run.Set(kUpdatedAt, "at").Set("cdc.timestamp.timezone", c.zone);
    ASSERT_TRUE(run.At(At("2024-01-15T11:00:00Z")).Sync().ok());
    EXPECT_EQ((Texts{"1", "2"}), run.Keys());
    EXPECT_TRUE(absl::StartsWith(run.state()[0].cursor, "2024-01-15T10:00:00"))
        << run.state()[0].cursor;
    // Equal time, later time, changed row at the equal time; row 2 is recognised.
    db.Run(absl::StrCat("INSERT INTO t VALUES (3, ", c.values[0], ", 'late'), (4, ", c.values[1],
                        ", 'new'); UPDATE t SET v = 'b' WHERE id = 1"));
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ((Texts{"1", "3", "4"}), run.Keys());
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ(Texts(), run.Keys());
    db.Run(absl::StrCat("UPDATE t SET v = 'c', at = ", c.values[2], " WHERE id = 2"));
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ((Texts{"2"}), run.Keys());
    EXPECT_EQ(Truth(db), Lines(run));
  }
}

TEST(SqliteTimestamp, OddTimesAreDeliveredAndMoveNothing) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT);"
      "INSERT INTO t VALUES (1, '2024-01-15 10:00:00'), (2, NULL), (3, '2999-01-01 00:00:00'),"
      "(4, 'yesterday'), (5, '2024-02-31 00:00:00'), (6, ''), (7, x'00')");
  SourceRun run = RunOf(db, "timestamp");
  run.Set(kUpdatedAt, "at").At(At("2024-01-15T11:00:00Z"));
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ((Texts{"1", "2", "3", "4", "5", "6", "7"}), run.Keys());
  EXPECT_EQ("2024-01-15T10:00:00Z", run.state()[0].cursor);
  EXPECT_TRUE(absl::StrContains(run.Warnings(), "1 row without at")) << run.Warnings();
  EXPECT_TRUE(absl::StrContains(run.Warnings(), "1 row whose at is in the future"));
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(Texts(), run.Keys());
  // New ones of each kind are not missed, wherever they sort.
  db.Run("INSERT INTO t VALUES (12, NULL), (13, '2998-01-01'), (14, '0'), (16, ''), (17, x'')");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ((Texts{"12", "13", "14", "16", "17"}), run.Keys());
}

TEST(SqliteTimestamp, TheCursorKeepsItsDistanceFromNow) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT);"
      "INSERT INTO t VALUES (1, '2024-01-15 10:59:58'), (2, '2024-01-15 10:00:00')");
  SourceRun run = RunOf(db, "timestamp");
  run.Set(kUpdatedAt, "at").Set("cdc.timestamp.settle", "1 minute");
  ASSERT_TRUE(run.At(At("2024-01-15T11:00:00Z")).Sync().ok());
  EXPECT_EQ((Texts{"1", "2"}), run.Keys());
  EXPECT_EQ("2024-01-15T10:59:00Z", run.state()[0].cursor);
  // A transaction that began before the last sync and committed after it.
  db.Run("INSERT INTO t VALUES (3, '2024-01-15 10:59:01')");
  ASSERT_TRUE(run.At(At("2024-01-15T11:00:30Z")).Sync().ok());
  EXPECT_EQ((Texts{"3"}), run.Keys());
}

TEST(SqliteTimestamp, ToleranceReadsAgainWithoutDeliveringAgain) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at INTEGER);"
      "INSERT INTO t VALUES (1, 1705312800), (2, 1705312200)");
  SourceRun run = RunOf(db, "timestamp");
  run.Set(kUpdatedAt, "at").Set("cdc.timestamp.tolerance_window", "15 minutes");
  ASSERT_TRUE(run.At(At("2024-01-15T11:00:00Z")).Sync().ok());
  db.Run("INSERT INTO t VALUES (3, 1705312300), (4, 1705311000)");  // 8 and 30 minutes before
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ((Texts{"3"}), run.Keys());
}

TEST(SqliteTimestamp, CreatedAtStandsInForNull) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, made TEXT, at TEXT);"
      "INSERT INTO t VALUES (1, '2024-01-15 09:00:00', NULL),"
      "(2, '2024-01-15 08:00:00', '2024-01-15 08:30:00'), (3, NULL, NULL)");
  SourceRun run = RunOf(db, "timestamp");
  run.Set(kUpdatedAt, "at").Set("cdc.timestamp.created_at_field", "made");
  ASSERT_TRUE(run.At(At("2024-01-15T11:00:00Z")).Sync().ok());
  EXPECT_EQ((Texts{"1", "2", "3"}), run.Keys());
  EXPECT_EQ("2024-01-15T09:00:00Z", run.state()[0].cursor);
  db.Run(
      "INSERT INTO t VALUES (4, '2024-01-15 10:00:00', NULL); UPDATE t SET at = '2024-01-15 "
      "10:30:00' WHERE id = 3");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ((Texts{"3", "4"}), run.Keys());
}

TEST(SqliteTimestamp, TablesWithoutTheColumnAreReadAsAWhole) {
  TestDatabase db(
      "CREATE TABLE a(id INTEGER PRIMARY KEY, at TEXT); CREATE TABLE b(id INTEGER PRIMARY KEY);"
      "INSERT INTO a VALUES (1, '2024-01-15'); INSERT INTO b VALUES (1), (2)");
  SourceRun run = RunOf(db, "timestamp");
  run.Set(kUpdatedAt, "at");
  ASSERT_TRUE(run.Sync().ok());
  db.Run("DELETE FROM b WHERE id = 1");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ("a (1) at=\"2024-01-15\" id=1\nb (2) id=2", Lines(run));
  EXPECT_TRUE(absl::StrContains(run.Warnings(), "the table has no column at"));
}

TEST(SqliteVersion, ReadsFromTheCursorOnAndRecognisesItsEdge) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, ver INTEGER, v);"
      "INSERT INTO t VALUES (1, 10, 'a'), (2, 11, 'a'), (3, NULL, 'a')");
  SourceRun run = RunOf(db, "version");
  run.Set(kVersion, "ver");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ((Texts{"1", "2", "3"}), run.Keys());
  EXPECT_EQ("11", run.state()[0].cursor);
  db.Run("UPDATE t SET ver = 12, v = 'b' WHERE id = 1; INSERT INTO t VALUES (4, 11, 'late')");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ((Texts{"1", "4"}), run.Keys());
  EXPECT_EQ(Truth(db), Lines(run));
}

TEST(SqliteVersion, NumbersThatBeginAnewAreNoticed) {
  struct Case {
    const char* name;
    const char* sql;
  };
  for (const Case& c :
       std::vector<Case>{{"counted per row", "INSERT INTO t VALUES (9, 1, 'new')"},
                         {"restored and started again",
                          "DELETE FROM t; INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y')"}}) {
    SCOPED_TRACE(c.name);
    TestDatabase db(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, ver INTEGER, v);"
        "INSERT INTO t VALUES (1, 10, 'a'), (2, 11, 'a'), (3, 12, 'a')");
    SourceRun run = RunOf(db, "version");
    run.Set(kVersion, "ver");
    ASSERT_TRUE(run.Sync().ok());
    db.Run(c.sql);
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_TRUE(absl::StrContains(run.Warnings(), "read as a whole")) << run.Warnings();
    EXPECT_EQ(Truth(db), Lines(run));
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ("", run.Warnings());
  }
}

TEST(SqliteKeyset, ReadsNewRowsOnly) {
  TestDatabase db("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a')");
  SourceRun run("sqlite", {{"connection", db.path()}, {"keyset_field", "id"}});
  ASSERT_TRUE(run.Sync().ok());
  db.Run("INSERT INTO t VALUES (2, 'b'), (3, 'c'); UPDATE t SET v = 'unseen' WHERE id = 1");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ((Texts{"2", "3"}), run.Keys());
  db.Run("INSERT INTO t VALUES (-1, 'behind')");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(Truth(db), Lines(run));
}

// Every method, broken off at each emit while the source goes on changing.
TEST(SqliteResume, NoRowIsMissedWhereverARunBreaksOff) {
  struct Case {
    const char* method;
    const char* option;
    const char* column;
  };
  for (const Case& c : std::vector<Case>{{"timestamp", kUpdatedAt, "at"},
                                         {"version", kVersion, "ver"},
                                         {"auto", "keyset_field", "id"},
                                         {"full", "busy_timeout", "10 seconds"}}) {
    for (const bool wal : {true, false}) {
      SCOPED_TRACE(absl::StrCat(c.method, wal ? ", wal" : ", rollback journal"));
      TestDatabase db(
          "CREATE TABLE t(id INTEGER PRIMARY KEY, ver INTEGER, at INTEGER, v);"
          "CREATE TABLE p(a TEXT, id INT, ver INTEGER, at INTEGER, PRIMARY KEY (a, id)) WITHOUT "
          "ROWID;",
          wal);
      int64_t number = 0;
      const auto write = [&](int64_t count) {
        for (int64_t i = 0; i < count; ++i, ++number) {
          db.Run(absl::StrCat("INSERT INTO t VALUES (", number, ",", number, ",", number / 3,
                              ",'x'); INSERT INTO p VALUES ('k',", number, ",", number, ",",
                              number / 3, ")"));
        }
      };
      write(20);
      SourceRun run = RunOf(db, c.method);
      run.Set(c.option, c.column).PageRows(3).At(absl::FromUnixSeconds(100'000));
      for (size_t emit = 1; emit < 12; ++emit) {
        run.BreakAtEmit(emit).Sync().IgnoreError();
        write(3);
      }
      ASSERT_TRUE(run.BreakAtEmit(0).Sync().ok());
      EXPECT_EQ(Truth(db), Lines(run));
    }
  }
}

TEST(SqliteState, ThatCannotBeUsedIsRefusedWithWords) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, ver INTEGER); INSERT INTO t VALUES (1, 1)");
  SourceRun run = RunOf(db, "version");
  run.Set(kVersion, "ver");
  ASSERT_TRUE(run.Sync().ok());
  ASSERT_TRUE(run.Validate().ok());
  const std::string good = run.state()[0].body;
  struct Case {
    std::string body;
    absl::StatusCode code;
    const char* says;
  };
  for (const Case& c : std::vector<Case>{
           {"{", absl::StatusCode::kDataLoss, "not a JSON object"},
           {"{}", absl::StatusCode::kDataLoss, "no format number"},
           {R"({"format": 2})", absl::StatusCode::kFailedPrecondition, "newer version"},
           {R"({"format": 1, "method": "timestamp", "application": 0})",
            absl::StatusCode::kFailedPrecondition, "of method timestamp"},
           {R"({"format": 1, "method": "version", "application": 5})",
            absl::StatusCode::kFailedPrecondition, "another database"}}) {
    run.state()[0].body = c.body;
    const absl::Status status = run.Validate();
    EXPECT_EQ(c.code, status.code()) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), c.says)) << status;
    EXPECT_EQ(c.code, run.Sync().code());
    EXPECT_TRUE(run.Sync(/*full=*/true).ok());
    run.state()[0].body = good;
  }
  db.Run("DROP TABLE t");
  EXPECT_TRUE(absl::StrContains(run.Validate().message(), "not in the database any more"));
}

TEST(SqliteErrors, SayWhatToDo) {
  TestDatabase db("CREATE TABLE t(a)");
  struct Case {
    std::string path;
    const char* says;
  };
  const std::string no_database = db.folder().File("text.db");
  FILE* file = fopen(no_database.c_str(), "w");
  fputs("this is no database, however long it is", file);
  fclose(file);
  for (const Case& c : std::vector<Case>{{db.folder().File("absent.db"), "cannot be opened"},
                                         {no_database, "not a SQLite database"}}) {
    PluginRun run(BuiltPlugin("sqlite"), {{"connection", c.path}});
    const absl::Status status = run.Open();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), c.says)) << status;
  }
}

TEST(SqliteConformance, HoldsForEveryMethod) {
  TestDatabase db(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, ver INTEGER, at INTEGER, v TEXT);"
      "CREATE TABLE keyless(ver INTEGER, at INTEGER);"
      "CREATE TABLE pair(b TEXT, a INT, v REAL, PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID;"
      "INSERT INTO pair VALUES ('a', 1, 0.5), ('A', 1, 1), ('\u00e9', -1, 2), ('', 9, 3);"
      "CREATE TABLE named(k TEXT PRIMARY KEY COLLATE NOCASE);"
      "INSERT INTO named VALUES ('B'), ('a');"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
      "INSERT INTO t SELECT i, i, 1700000000 - i / 2, 'text ' || i FROM n;"
      "INSERT INTO keyless SELECT ver, at FROM t LIMIT 50");
  for (const Settings& settings : std::vector<Settings>{
           {{"connection", db.path()}},
           {{"connection", db.path()}, {"cdc_method", "timestamp"}, {kUpdatedAt, "at"}},
           {{"connection", db.path()}, {"cdc_method", "version"}, {kVersion, "ver"}},
           {{"connection", db.path()}, {"keyset_field", "ver"}}}) {
    EXPECT_EQ("", Failures(RunConformance(BuiltPlugin("sqlite"), settings)));
  }
}

}  // namespace
}  // namespace tidemark_testing
