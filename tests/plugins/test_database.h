// A SQLite database file that a test writes to, as an application does.
#ifndef TIDEMARK_TESTS_PLUGINS_TEST_DATABASE_H_
#define TIDEMARK_TESTS_PLUGINS_TEST_DATABASE_H_

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace tidemark_testing {

// A folder that goes away with the test.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = ::testing::TempDir() + "tidemark_XXXXXX";
    EXPECT_NE(nullptr, mkdtemp(pattern.data()));
    path_ = pattern;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class TestDatabase {
 public:
  explicit TestDatabase(const std::string& sql, bool wal = true) : path_(folder_.File("app.db")) {
    EXPECT_EQ(SQLITE_OK, sqlite3_open(path_.c_str(), &db_));
    sqlite3_busy_timeout(db_, 10'000);
    Run(wal ? "PRAGMA journal_mode = wal" : "PRAGMA journal_mode = delete");
    // Nothing here needs to survive a power loss.
    Run("PRAGMA synchronous = off");
    Run(sql);
  }
  ~TestDatabase() { sqlite3_close(db_); }
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  void Run(const std::string& sql) {
    char* error = nullptr;
    EXPECT_EQ(SQLITE_OK, sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &error))
        << sql << ": " << (error == nullptr ? "" : error);
    sqlite3_free(error);
  }
  int64_t Number(const std::string& sql) {
    int64_t number = 0;
    const auto take = [](void* out, int, char** values, char**) {
      *static_cast<int64_t*>(out) = values[0] == nullptr ? 0 : std::stoll(values[0]);
      return 0;
    };
    EXPECT_EQ(SQLITE_OK, sqlite3_exec(db_, sql.c_str(), take, &number, nullptr)) << sql;
    return number;
  }
  sqlite3* db() { return db_; }
  const std::string& path() const { return path_; }
  const TestFolder& folder() const { return folder_; }

 private:
  TestFolder folder_;
  const std::string path_;
  sqlite3* db_ = nullptr;
};

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTS_PLUGINS_TEST_DATABASE_H_
