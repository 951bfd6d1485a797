// A data folder with a catalog, a clock that stands, and what the tests of this folder do to them.
#ifndef TIDEMARK_TESTS_ACCESS_ACCESS_FIXTURE_H_
#define TIDEMARK_TESTS_ACCESS_ACCESS_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/mutex.h"
#include "state/sqlite_connection.h"
#include "state/sqlite_file.h"

namespace tidemark {

// Stands until it is moved.
class StandingClock final : public Clock {
 public:
  absl::Time Now() override { return now_; }
  absl::Duration Monotonic() override { return passed_; }
  void Sleep(absl::Duration duration) override { Move(duration); }
  void Move(absl::Duration by) {
    now_ += by;
    passed_ += by;
  }
  void Set(absl::Time now) { now_ = now; }

 private:
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);  // 2027-01-15T08:00:00Z
  absl::Duration passed_;
};

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    const std::filesystem::path memory = "/dev/shm";  // these tests sync their files often
    const std::filesystem::path parent =
        std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "tidemark-access-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    OpenCatalog();
  }
  ~AccessTest() override {
    catalog_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  void OpenCatalog() {
    absl::StatusOr<std::unique_ptr<SqliteConnection>> opened = OpenForWriting(Path("catalog.db"));
    ASSERT_TRUE(opened.ok()) << opened.status();
    catalog_ = *std::move(opened);
  }
  // What somebody does who can write the file.
  void Sql(const std::string& statements) {
    const absl::Status done = catalog_->Execute(statements);
    ASSERT_TRUE(done.ok()) << done << " in " << statements;
  }
  std::string SqlText(const std::string& query) {
    absl::StatusOr<SqliteStatement> row = catalog_->Prepare(query);
    if (!row.ok() || row->Step() != SQLITE_ROW) return "(no row)";
    return std::string(row->Bytes(0));
  }

  static std::string FileText(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // The files of the folder that hold `text`.
  std::string FilesWith(const std::string& text) const {
    std::string found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (FileText(entry.path()).find(text) != std::string::npos) found += entry.path().string();
    }
    return found;
  }

  // Runs `work` in a process of its own, without this one's catalog; the signal that killed it, or
  // minus its exit code.
  int SignalOf(const std::function<void()>& work) {
    catalog_.reset();
    const pid_t child = fork();
    if (child == 0) {
      OpenCatalog();
      work();
      _exit(HasFailure() ? 1 : 0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    OpenCatalog();
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
  }

  StandingClock clock_;
  Mutex mutex_;
  std::string folder_;
  std::unique_ptr<SqliteConnection> catalog_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_ACCESS_ACCESS_FIXTURE_H_
