// The first released format of the local stores, as files: today's code reads them, and writes the
// same. A test that fails here after a change means that the change needs a new format and a
// migration (server/state/README.md); what today's code writes is left in the test's folder.
#include <sqlite3.h>

#include <fstream>
#include <iterator>
#include <regex>

#include "tests/state/local_stores.h"

namespace tidemark {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StateStoreConformanceTest);

namespace {

constexpr char kGolden[] = TIDEMARK_GOLDEN;

std::string Bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Rows of a query, a line each.
std::vector<std::string> Lines(sqlite3* db, const std::string& sql) {
  std::vector<std::string> lines;
  sqlite3_stmt* row = nullptr;
  EXPECT_EQ(SQLITE_OK, sqlite3_prepare_v2(db, sql.c_str(), -1, &row, nullptr)) << sql;
  while (sqlite3_step(row) == SQLITE_ROW) {
    lines.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(row, 0)));
  }
  sqlite3_finalize(row);
  return lines;
}

// The file as SQL that makes it again.
std::string Dump(sqlite3* db) {
  std::string text;
  for (const std::string& line :
       Lines(db, "SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")) {
    absl::StrAppend(&text, line, "\n");
  }
  for (const std::string& table :
       Lines(db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")) {
    const std::string values = Lines(
        db, absl::StrCat("SELECT group_concat('quote(\"' || name || '\")', ' || '','' || ') FROM ",
                         "pragma_table_info('", table, "')"))[0];
    for (const std::string& row : Lines(db, absl::StrCat("SELECT ", values, " FROM ", table))) {
      absl::StrAppend(&text, "INSERT INTO ", table, " VALUES(", row, ");\n");
    }
  }
  return text;
}

// What differs from one run to the next by nature: the process.
std::string WithoutProcess(std::string text) {
  text = std::regex_replace(text, std::regex(R"re("boot_id":"[^"]*","pid":\d+,"pid_start":\d+)re"),
                            R"("boot_id":"boot","pid":1,"pid_start":2)");
  text =
      std::regex_replace(text, std::regex(R"re("previous":"[0-9a-f]+")re"), R"("previous":"...")");
  return std::regex_replace(text, std::regex(R"re("blake2b256":"[0-9a-f]+")re"),
                            R"("blake2b256":"...")");
}

class GoldenStoreTest : public StateStoreConformanceTest {
 protected:
  // The history that both golden files hold.
  void Write() {
    OwnershipRequest request = Ask();
    request.holder = "golden test";
    request.retention.versions = 6;
    request.horizon.newer_versions = 2;
    Acquire(request);
    for (int i = 1; i <= 5; ++i) {
      StateHead head = Head("public.users");
      head.schema = "public";
      head.table = "users";
      VersionAppend append = Following(head, absl::StrCat("{\"page\": ", i / 2, "}"));
      append.version.counts.inserted = 1000;
      append.version.counts.late_queue = static_cast<uint64_t>(i);
      append.version.watermark_us = i == 2 ? kNoTime : 1'700'000'000'000'000 + i;
      append.version.cursor = "2023-11-14T22:13:20Z";
      append.version.chain = ComputeChain(append.version);
      ASSERT_TRUE(store_->Append({&append, 1}, {}).ok());
    }
    ASSERT_TRUE(Add("", std::string("\x00\xff binary", 9)).ok());
    const VersionAppend repair = RepairTo("public.users", 3);
    AuditRecord record;
    record.at_us = 1'700'000'000'000'000;
    record.action = "repair";
    record.entry = "public.users";
    record.by = "golden test";
    record.detail = "versions 4 and 5 did not verify";
    ASSERT_TRUE(store_->Append({&repair, 1}, {&record, 1}).ok());
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(Add("public.users", absl::StrCat("end ", i)).ok());
    store_ = nullptr;
  }
  // What today's code reads out of them.
  void ExpectRead() {
    store_ = Open();
    EXPECT_EQ((std::vector<int64_t>{3, 6, 7, 8, 9, 10}), Numbers(All("public.users")));
    EXPECT_TRUE(Verify("public.users").ok()) << Verify("public.users");
    EXPECT_TRUE(Verify("").ok()) << Verify("");
    const StoredVersion repair = Read(All("public.users"))[1];
    EXPECT_EQ(StateKind::kRepair, repair.version.kind);
    EXPECT_EQ("{\"page\": 1}", repair.version.body);
    EXPECT_EQ(std::string("\x00\xff binary", 9), Read(All(""))[0].version.body);
    EXPECT_EQ("public", Head("public.users").schema);
    EXPECT_EQ("versions 4 and 5 did not verify", (*store_->Audit(5))[0].detail);
    absl::StatusOr<std::optional<StateHolder>> holder = store_->Holder();
    ASSERT_TRUE(holder.ok() && holder->has_value());
    EXPECT_EQ("golden test", (*holder)->holder);
    EXPECT_EQ(1, (*holder)->epoch);
    // And goes on from there.
    EXPECT_EQ(2, Acquire());
    EXPECT_TRUE(Add("public.users", "today").ok());
    EXPECT_TRUE(Verify("public.users").ok()) << Verify("public.users");
  }
};

class GoldenSqliteTest : public GoldenStoreTest {
 protected:
  const std::string golden_ = absl::StrCat(kGolden, "/sqlite_1.sql");
  std::string Path() { return static_cast<SqliteStorePlace&>(*place_).path(); }
};

INSTANTIATE_TEST_SUITE_P(Golden, GoldenSqliteTest,
                         testing::Values(StoreUnderTest{
                             "Sqlite", [] { return std::make_unique<SqliteStorePlace>(); }}),
                         StoreUnderTestName);

TEST_P(GoldenSqliteTest, TheFirstFormatIsRead) {
  sqlite3* db = nullptr;
  ASSERT_EQ(SQLITE_OK, sqlite3_open(Path().c_str(), &db));
  char* error = nullptr;
  EXPECT_EQ(SQLITE_OK, sqlite3_exec(db, Bytes(golden_).c_str(), nullptr, nullptr, &error))
      << (error == nullptr ? "" : error);
  sqlite3_free(error);
  sqlite3_close(db);
  ExpectRead();
}

TEST_P(GoldenSqliteTest, TheFirstFormatIsWritten) {
  Write();
  sqlite3* db = nullptr;
  ASSERT_EQ(SQLITE_OK, sqlite3_open(Path().c_str(), &db));
  sqlite3_exec(db, "UPDATE _tidemark_connections SET boot_id = 'boot', pid = 1, pid_start = 2",
               nullptr, nullptr, nullptr);
  const std::string dump = Dump(db);
  sqlite3_close(db);
  if (dump == Bytes(golden_)) return;
  const std::string actual = testing::TempDir() + "/tidemark_sqlite_1.sql";
  std::ofstream(actual, std::ios::binary) << dump;
  ADD_FAILURE() << "compare " << golden_ << " with " << actual;
}

class GoldenFilesTest : public GoldenStoreTest {
 protected:
  const std::string golden_ = absl::StrCat(kGolden, "/files_1");
  std::string Path() { return static_cast<FileStorePlace&>(*place_).path() + "/c"; }
};

INSTANTIATE_TEST_SUITE_P(Golden, GoldenFilesTest,
                         testing::Values(StoreUnderTest{
                             "Files", [] { return std::make_unique<FileStorePlace>(); }}),
                         StoreUnderTestName);

TEST_P(GoldenFilesTest, TheFirstFormatIsRead) {
  std::filesystem::create_directories(Path());
  std::filesystem::copy(golden_, Path());
  ExpectRead();
}

TEST_P(GoldenFilesTest, TheFirstFormatIsWritten) {
  Write();
  std::string differs;
  size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(Path())) {
    ++files;
    const std::string golden = absl::StrCat(golden_, "/", file.path().filename().string());
    if (WithoutProcess(Bytes(file.path().string())) != WithoutProcess(Bytes(golden))) {
      differs = golden;
    }
  }
  std::error_code missing;
  const std::filesystem::directory_iterator golden(golden_, missing);
  const auto expected = std::distance(begin(golden), end(golden));
  if (differs.empty() && static_cast<size_t>(expected) == files) return;
  const std::string actual = testing::TempDir() + "/tidemark_files_1";
  std::filesystem::remove_all(actual);
  std::filesystem::copy(Path(), actual, std::filesystem::copy_options::recursive);
  ADD_FAILURE() << "compare " << golden_ << " with " << actual << " " << differs;
}

}  // namespace
}  // namespace tidemark
