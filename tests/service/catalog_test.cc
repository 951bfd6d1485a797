// The catalog's file: who may open it, what is refused, and what a kill leaves.
#include "service/catalog.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/failpoint.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/service/book_fixture.h"

namespace tidemark::test {
namespace {

using ::testing::HasSubstr;

class CatalogTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/tidemark-catalog-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    folder_ = root_ + "/a/data";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::unique_ptr<Catalog> Open() {
    absl::StatusOr<std::unique_ptr<Catalog>> catalog = Catalog::Open(folder_);
    EXPECT_TRUE(catalog.ok()) << catalog.status();
    return catalog.ok() ? *std::move(catalog) : nullptr;
  }
  absl::Status Refused() { return Catalog::Open(folder_).status(); }
  // Runs `sql` on the file as somebody else would.
  void Meddle(const std::string& sql) {
    auto connection =
        SqliteConnection::Open(folder_ + "/catalog.db", SqliteConnection::Mode::kReadWrite);
    ASSERT_TRUE(connection.ok()) << connection.status();
    const absl::Status status = (*connection)->Execute(sql);
    ASSERT_TRUE(status.ok()) << status;
  }
  static int64_t Number(Catalog& catalog, const std::string& sql) {
    int64_t number = -1;
    const absl::Status status = catalog.With([&](SqliteConnection& connection) {
      absl::StatusOr<SqliteStatement*> query = connection.Query(sql);
      if (!query.ok()) return query.status();
      absl::StatusOr<bool> row = connection.Next(**query);
      if (row.ok() && *row) number = (*query)->Int(0);
      (*query)->Reset();
      return row.status();
    });
    EXPECT_TRUE(status.ok()) << status;
    return number;
  }

  std::string root_;
  std::string folder_;
};

mode_t ModeOf(const std::string& path) {
  struct stat status = {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

TEST_F(CatalogTest, FolderAndFilesBelongToThisUserAlone) {
  const mode_t mask = umask(0);
  {
    const std::unique_ptr<Catalog> catalog = Open();
    ASSERT_TRUE(catalog
                    ->Transaction([](SqliteConnection& connection) {
                      return connection.Execute("CREATE TABLE t(a)");
                    })
                    .ok());
    EXPECT_EQ(ModeOf(folder_), 0700u);
    for (const char* file : {"catalog.db", "catalog.db-wal", "catalog.db-shm", "lock"}) {
      EXPECT_EQ(ModeOf(absl::StrCat(folder_, "/", file)), 0600u) << file;
    }
    EXPECT_EQ(catalog->folder(), std::filesystem::canonical(folder_).string());
  }
  umask(mask);
}

TEST_F(CatalogTest, WritesAreSynchronousInWalMode) {
  const std::unique_ptr<Catalog> catalog = Open();
  EXPECT_EQ(Number(*catalog, "PRAGMA synchronous"), 2);
  EXPECT_EQ(Number(*catalog, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
}

TEST_F(CatalogTest, ASecondServerIsRefusedAndToldWhoHasIt) {
  std::unique_ptr<Catalog> first = Open();
  const absl::Status status = Refused();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(absl::StrCat("another server (pid ", getpid(), ", since 20")));
  EXPECT_THAT(std::string(status.message()), HasSubstr("stop it"));
  first = nullptr;
  EXPECT_NE(Open(), nullptr);
}

TEST_F(CatalogTest, TheLockOfAKilledServerIsGone) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const absl::StatusOr<std::unique_ptr<Catalog>> catalog = Catalog::Open(folder_);
    const char byte = catalog.ok() ? '1' : '0';
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    while (true) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, '1');
  EXPECT_THAT(std::string(Refused().message()), HasSubstr(absl::StrCat("(pid ", child, ",")));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  EXPECT_NE(Open(), nullptr);
}

TEST_F(CatalogTest, FoldersAndFilesThatWillNotDoAreRefused) {
  struct Case {
    const char* name;
    std::function<void()> prepare;
    absl::StatusCode code;
    const char* error;
  };
  const std::string file = folder_ + "/catalog.db";
  const absl::StatusCode kState = absl::StatusCode::kFailedPrecondition;
  for (const Case& c : std::vector<Case>{
           {"open to the group", [&] { chmod(folder_.c_str(), 0750); }, kState, "chmod 0700"},
           {"open to all", [&] { chmod(folder_.c_str(), 0701); }, kState, "is open to others"},
           {"newer", [&] { Meddle("PRAGMA user_version = 77"); }, kState, "newer version"},
           {"another program's", [&] { Meddle("PRAGMA application_id = 7"); }, kState,
            "no catalog of Tidemark"},
           {"a link",
            [&] {
              std::filesystem::rename(file, file + "2");
              std::filesystem::create_symlink(file + "2", file);
            },
            kState, "cannot be opened"},
           {"a folder",
            [&] {
              std::filesystem::remove_all(file);
              std::filesystem::create_directory(file);
            },
            kState, "cannot be opened"},
           {"no database", [&] { WriteWhole(file, std::string(8192, 'x')); },
            absl::StatusCode::kDataLoss, "is damaged"},
           {"cut off", [&] { std::filesystem::resize_file(file, 5000); },
            absl::StatusCode::kDataLoss, "is damaged"}}) {
    SCOPED_TRACE(c.name);
    std::filesystem::remove_all(folder_);
    ASSERT_NE(Open(), nullptr);
    c.prepare();
    const std::string before = std::filesystem::is_regular_file(file) ? ReadWhole(file) : "";
    const absl::Status status = Refused();
    EXPECT_EQ(status.code(), c.code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.error));
    if (!before.empty()) {
      EXPECT_EQ(ReadWhole(file), before) << "something was changed";
    }
  }
}

TEST_F(CatalogTest, DamageInsideIsFoundAtTheStart) {
  {
    const std::unique_ptr<Catalog> catalog = Open();
    ASSERT_TRUE(catalog
                    ->Transaction([](SqliteConnection& connection) {
                      return connection.Execute(
                          "CREATE TABLE t(a TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                          "SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT hex(i) FROM n");
                    })
                    .ok());
  }
  const std::string file = folder_ + "/catalog.db";
  std::string bytes = ReadWhole(file);
  ASSERT_GT(bytes.size(), 5 * 4096u);
  // The header of every page behind the schema's.
  for (size_t page = 4096; page + 16 < bytes.size(); page += 4096)
    bytes.replace(page, 16, 16, '\7');
  WriteWhole(file, bytes);
  const absl::Status status = Refused();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("Restore a copy"));
  EXPECT_EQ(ReadWhole(file), bytes);
}

TEST_F(CatalogTest, WhatFailsLeavesNothing) {
  const std::unique_ptr<Catalog> catalog = Open();
  const auto insert = [](SqliteConnection& connection) {
    return connection.Execute("CREATE TABLE IF NOT EXISTS t(a); INSERT INTO t VALUES(1)");
  };
  ASSERT_TRUE(catalog->Transaction(insert).ok());
  EXPECT_EQ(catalog
                ->Transaction([&insert](SqliteConnection& connection) {
                  insert(connection).IgnoreError();
                  return absl::AbortedError("no");
                })
                .code(),
            absl::StatusCode::kAborted);
  // A transaction that is left open is no silent success.
  EXPECT_FALSE(catalog
                   ->With([&insert](SqliteConnection& connection) {
                     connection.Run("BEGIN").IgnoreError();
                     return insert(connection);
                   })
                   .ok());
  EXPECT_EQ(Number(*catalog, "SELECT count(*) FROM t"), 1);
  for (const char* point : {"catalog.begun", "catalog.before_commit"}) {
    ASSERT_TRUE(ArmFailpoints(absl::StrCat(point, "=1*error(RESOURCE_EXHAUSTED)"), "").ok());
    EXPECT_EQ(catalog->Transaction(insert).code(), absl::StatusCode::kResourceExhausted) << point;
  }
  ASSERT_TRUE(ArmFailpoints("", "").ok());
  EXPECT_EQ(Number(*catalog, "SELECT count(*) FROM t"), 1);
  ASSERT_TRUE(catalog->Transaction(insert).ok());
  EXPECT_EQ(Number(*catalog, "SELECT count(*) FROM t"), 2);
}

TEST_F(CatalogTest, ManyThreadsTakeTurns) {
  const std::unique_ptr<Catalog> catalog = Open();
  ASSERT_TRUE(catalog
                  ->Transaction([](SqliteConnection& connection) {
                    return connection.Execute("CREATE TABLE n(i); INSERT INTO n VALUES(0)");
                  })
                  .ok());
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&catalog] {
      for (int k = 0; k < 25; ++k) {
        EXPECT_TRUE(catalog
                        ->Transaction([](SqliteConnection& connection) {
                          return connection.Run("UPDATE n SET i = i + 1");
                        })
                        .ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Number(*catalog, "SELECT i FROM n"), 200);
}

}  // namespace
}  // namespace tidemark::test
