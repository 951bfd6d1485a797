#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "state/sqlite_connection.h"
#include "state/sqlite_state_tables.h"

namespace tidemark {
namespace {

class BookkeepingVersionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = ::testing::TempDir() + "tidemark-version-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<SqliteConnection> Open(const std::string& name) {
    absl::StatusOr<std::unique_ptr<SqliteConnection>> connection = SqliteConnection::Open(
        absl::StrCat(folder_, "/", name), SqliteConnection::Mode::kReadWrite);
    EXPECT_TRUE(connection.ok()) << connection.status();
    EXPECT_TRUE((*connection)->Execute("PRAGMA journal_mode = WAL").ok());
    return *std::move(connection);
  }
  static void Create(SqliteConnection& connection) {
    EXPECT_TRUE(connection.Execute("BEGIN IMMEDIATE").ok());
    EXPECT_TRUE(CreateStateTables(connection).ok());
    EXPECT_TRUE(connection.Execute("COMMIT").ok());
  }

  std::string folder_;
};

// What happens after each statement of a connection.
struct AfterStatement {
  int statements = 0;
  std::function<void(int)> then;

  static int Ended(unsigned, void* self, void*, void*) {
    auto* after = static_cast<AfterStatement*>(self);
    after->then(++after->statements);
    return 0;
  }
};

TEST_F(BookkeepingVersionTest, TablesThatAnotherCreatesMeanwhileAreNoDamage) {
  for (int moment = 1; moment <= 3; ++moment) {
    SCOPED_TRACE(absl::StrCat("created after statement ", moment));
    const std::string name = absl::StrCat(moment, ".db");
    const std::unique_ptr<SqliteConnection> reading = Open(name);
    const std::unique_ptr<SqliteConnection> creating = Open(name);
    AfterStatement after;
    after.then = [&](int statement) {
      if (statement == moment) Create(*creating);
    };
    sqlite3_trace_v2(reading->db(), SQLITE_TRACE_PROFILE, &AfterStatement::Ended, &after);
    const absl::StatusOr<int64_t> version = ReadBookkeepingVersion(*reading);
    sqlite3_trace_v2(reading->db(), 0, nullptr, nullptr);
    EXPECT_TRUE(version.ok()) << version.status();
    EXPECT_GE(after.statements, 1);
    if (after.statements < moment) Create(*creating);
    const absl::StatusOr<int64_t> later = ReadBookkeepingVersion(*reading);
    ASSERT_TRUE(later.ok()) << later.status();
    EXPECT_EQ(*later, kBookkeepingVersion);
  }
}

TEST_F(BookkeepingVersionTest, TablesWithoutAVersionAreDamage) {
  const std::unique_ptr<SqliteConnection> connection = Open("w.db");
  Create(*connection);
  ASSERT_TRUE(connection->Execute("DELETE FROM _tidemark_meta").ok());
  EXPECT_TRUE(absl::IsDataLoss(ReadBookkeepingVersion(*connection).status()));
  ASSERT_TRUE(connection->Execute("DROP TABLE _tidemark_meta").ok());
  EXPECT_TRUE(absl::IsDataLoss(ReadBookkeepingVersion(*connection).status()));
}

}  // namespace
}  // namespace tidemark
