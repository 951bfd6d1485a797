// The log of syncs in a SQLite destination.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "destination/sqlite_bookkeeping.h"
#include "destination/sqlite_sync_log.h"

namespace tidemark {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kSyncs = 3000;

class SyncLogTest : public ::testing::Test {
 protected:
  SyncLogTest() {
    std::string pattern = absl::StrCat(::testing::TempDir(), "/tidemark_sync_log_XXXXXX");
    folder_ = mkdtemp(pattern.data());
    Open();
    EXPECT_TRUE(EnsureBookkeeping(*connection_).ok());
  }
  ~SyncLogTest() override {
    connection_ = nullptr;
    std::filesystem::remove_all(folder_);
  }
  void Open() {
    connection_ = nullptr;
    absl::StatusOr<std::unique_ptr<SqliteConnection>> opened =
        SqliteConnection::Open(absl::StrCat(folder_, "/w.db"), SqliteConnection::Mode::kReadWrite);
    ASSERT_TRUE(opened.ok()) << opened.status();
    connection_ = *std::move(opened);
  }
  void Write(const std::string& sync, const std::string& connection, const std::string& status,
             int64_t started_us) {
    SyncRecord record;
    record.sync_id = sync;
    record.connection = connection;
    record.started_at_us = started_us;
    record.status = status;
    record.report_json = std::string(3000, 'r');
    const absl::Status written = WriteSync(*connection_, record);
    ASSERT_TRUE(written.ok()) << written;
  }
  std::vector<std::string> Close(const std::string& connection) {
    absl::StatusOr<std::vector<std::string>> closed =
        CloseRunningSyncs(*connection_, connection, 5);
    EXPECT_TRUE(closed.ok()) << closed.status();
    return closed.value_or(std::vector<std::string>());
  }
  int PagesRead() {
    int pages = 0;
    int highest = 0;
    sqlite3_db_status(connection_->db(), SQLITE_DBSTATUS_CACHE_MISS, &pages, &highest, 0);
    return pages;
  }

  std::string folder_;
  std::unique_ptr<SqliteConnection> connection_;
};

TEST_F(SyncLogTest, ClosesWhatRunsWithoutLookingAtAllThatEverRan) {
  ASSERT_TRUE(connection_->Execute("BEGIN").ok());
  for (int i = 0; i < kSyncs; ++i) Write(absl::StrCat("s", i), "shop", "completed", i);
  // The clock was set back before it began.
  Write("killed", "shop", "running", 7);
  Write("other", "crm", "running", 8);
  ASSERT_TRUE(connection_->Execute("COMMIT").ok());
  EXPECT_THAT(Close("shop"), ElementsAre("killed"));
  for (int round = 0; round < 2; ++round) {
    Open();
    const int before = PagesRead();
    EXPECT_THAT(Close("shop"), IsEmpty());
    EXPECT_LT(PagesRead() - before, 50);
  }
  EXPECT_THAT(Close("crm"), ElementsAre("other"));
}

TEST_F(SyncLogTest, FilesOfBeforeGetTheIndex) {
  Write("killed", "shop", "running", 1);
  ASSERT_TRUE(connection_->Execute("DROP INDEX IF EXISTS _tidemark_syncs_running").ok());
  EXPECT_THAT(Close("shop"), ElementsAre("killed"));
  EXPECT_THAT(Close("shop"), IsEmpty());
}

}  // namespace
}  // namespace tidemark
