// The stores on this machine's disk, for tests: SQLite beside data, SQLite alone, plain files.
#ifndef TIDEMARK_TESTS_STATE_LOCAL_STORES_H_
#define TIDEMARK_TESTS_STATE_LOCAL_STORES_H_

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "state/file_state_store.h"
#include "state/sqlite_state_store.h"
#include "tests/state/state_store_conformance.h"

namespace tidemark {

// Removed with everything in it at the end.
class StoreFolder {
 public:
  StoreFolder() {
    // Memory where there is some: these tests sync their files thousands of times.
    const std::filesystem::path memory = "/dev/shm";
    const std::filesystem::path parent =
        std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "tidemark-state-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~StoreFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  StoreFolder(const StoreFolder&) = delete;
  StoreFolder& operator=(const StoreFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class SqliteStorePlace final : public StorePlace {
 public:
  absl::StatusOr<std::unique_ptr<StateStore>> Open(const std::string& connection,
                                                   Clock* clock) override {
    SqliteStateStoreOptions options;
    options.clock = clock;
    options.engine = "tidemark test";
    options.create = true;
    return OpenSqliteStateStore(path(), connection, options);
  }
  std::string path() const { return folder_.path() + "/state.db"; }

 private:
  StoreFolder folder_;
};

class FileStorePlace final : public StorePlace {
 public:
  explicit FileStorePlace(FileSystem* files = nullptr) : files_(files) {}
  absl::StatusOr<std::unique_ptr<StateStore>> Open(const std::string& connection,
                                                   Clock* clock) override {
    FileStateStoreOptions options;
    options.files = files_;
    options.clock = clock;
    options.engine = "tidemark test";
    options.create = true;
    return OpenFileStateStore(path(), connection, options);
  }
  std::string path() const { return folder_.path() + "/state"; }

 private:
  StoreFolder folder_;
  FileSystem* const files_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_STATE_LOCAL_STORES_H_
