// A catalog, connections, a history and a runner, as a server has them, in a fresh folder.
#ifndef TIDEMARK_TESTS_SERVICE_SERVICE_FIXTURE_H_
#define TIDEMARK_TESTS_SERVICE_SERVICE_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "control/log.h"
#include "control/redaction.h"
#include "service/catalog.h"
#include "service/connection_book.h"
#include "service/sync_book.h"
#include "service/sync_runner.h"
#include "state/sqlite_connection.h"

namespace tidemark::test {

class ServiceFixture : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "/tidemark-service-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
    std::filesystem::create_directory(folder_ + "/connections");
  }
  void TearDown() override {
    runner_ = nullptr;
    syncs_ = nullptr;
    connections_ = nullptr;
    catalog_ = nullptr;
    std::filesystem::remove_all(folder_);
  }

  // A file of the folder; `config` is flow YAML of the generator's options.
  void Generator(const std::string& name, const std::string& config, const std::string& more = "",
                 const std::string& database = "warehouse.db") {
    std::ofstream file(absl::StrCat(folder_, "/connections/", name, ".yaml"));
    file << "name: " << name << "\nsync:\n  source: {connector: generator, config: " << config
         << "}\n  destination: {connection: \"" << folder_ << "/" << database << "\"}\n"
         << more;
  }
  void Open(RunnerLimits limits = RunnerLimits()) {
    absl::StatusOr<std::unique_ptr<Catalog>> catalog = Catalog::Open(folder_ + "/data");
    ASSERT_TRUE(catalog.ok()) << catalog.status();
    catalog_ = *std::move(catalog);
    ConnectionBook::Options options;
    options.folder = folder_ + "/connections";
    options.clock = &Clock::Real();
    options.secret = secret_;
    absl::StatusOr<std::unique_ptr<ConnectionBook>> book =
        ConnectionBook::Open(catalog_.get(), options);
    ASSERT_TRUE(book.ok()) << book.status();
    connections_ = *std::move(book);
    absl::StatusOr<std::unique_ptr<SyncBook>> syncs =
        SyncBook::Open(catalog_.get(), &Clock::Real());
    ASSERT_TRUE(syncs.ok()) << syncs.status();
    syncs_ = *std::move(syncs);
    SyncRunner::Parts parts;
    parts.connections = connections_.get();
    parts.syncs = syncs_.get();
    parts.redactor = &redactor_;
    parts.log = &log_;
    parts.clock = &Clock::Real();
    // Beside the folder of the tests.
    const std::string build =
        std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path().string();
    parts.search.folders = {build + "/plugins"};
    parts.search.host_binary = build + "/bin/tidemark-plugin-host";
    runner_ = std::make_unique<SyncRunner>(std::move(parts), limits);
  }

  absl::StatusOr<SyncEntry> TryStart(const std::string& connection, bool continuous = false) {
    SyncRequest request;
    request.connection = connection;
    request.continuous = continuous;
    return runner_->Start(request);
  }
  SyncEntry Start(const std::string& connection, bool continuous = false) {
    absl::StatusOr<SyncEntry> started = TryStart(connection, continuous);
    EXPECT_TRUE(started.ok()) << started.status();
    return started.ok() ? *started : SyncEntry();
  }
  SyncEntry AwaitEnd(const std::string& sync_id) {
    SyncEntry entry;
    Await([&] {
      absl::StatusOr<SyncEntry> found = syncs_->Get(sync_id);
      if (found.ok()) entry = *found;
      return HasEnded(entry.phase);
    });
    return entry;
  }
  void AwaitRunning(const std::string& sync_id) {
    Await([&] { return syncs_->Get(sync_id)->phase == SyncPhase::kRunning; });
  }
  static void Await(const std::function<bool()>& met) {
    const absl::Time until = absl::Now() + absl::Seconds(50);
    while (!met()) {
      ASSERT_LT(absl::Now(), until) << "it does not come";
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  int64_t Count(const std::string& table, const std::string& database = "warehouse.db") {
    auto connection = SqliteConnection::Open(absl::StrCat(folder_, "/", database),
                                             SqliteConnection::Mode::kReadOnly);
    if (!connection.ok()) return -1;
    auto row = (*connection)->Query(absl::StrCat("SELECT count(*) FROM ", table));
    if (!row.ok() || !(*connection)->Next(**row).value_or(false)) return -1;
    return (*row)->Int(0);
  }

  std::string folder_;
  SecretLookup secret_;  // of ${secret:NAME}
  Redactor redactor_;
  Log log_{LogLevel::kOff, false, &redactor_};
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<ConnectionBook> connections_;
  std::unique_ptr<SyncBook> syncs_;
  std::unique_ptr<SyncRunner> runner_;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVICE_SERVICE_FIXTURE_H_
