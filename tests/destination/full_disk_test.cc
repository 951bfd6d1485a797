// Suite D1: a sync fills a small disk (tmpfs), or finds it full, with its data, with a state store
// beside it, or with backups; later there is space again, and the next sync ends as the source.
// tests/destination/sqlite_fault_test.cc does the same through SQLite's VFS.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/file_system.h"
#include "state/file_state_store.h"
#include "state/outer_store.h"
#include "state/sqlite_state_store.h"
#include "state/state_backup.h"
#include "state/store_comparison.h"
#include "tests/faults/fault_suite.h"
#include "tests/simulation/steady_sync.h"

namespace tidemark {
namespace {

constexpr int kSyncs = 40;  // at most, until the disk is full

// A disk of its own, so many KiB large.
class SmallDisk {
 public:
  explicit SmallDisk(uint64_t kib) {
    std::filesystem::create_directory(folder());
    Mount(0, kib);
  }
  ~SmallDisk() {
    umount2(folder().c_str(), MNT_DETACH);
    std::error_code ignored;
    std::filesystem::remove(folder(), ignored);
  }
  std::string folder() const { return parent_.folder() + "/disk"; }
  void Enlarge(uint64_t kib) { Mount(MS_REMOUNT, kib); }
  // Takes all the space that is left, but for so many KiB.
  void Fill(uint64_t but_kib) {
    const auto space = std::filesystem::space(folder());
    const uint64_t left = but_kib * 1024;
    if (space.available <= left) return;
    std::ofstream(folder() + "/ballast", std::ios::binary)
        << std::string(space.available - left, 'x');
  }
  void Empty() { std::filesystem::remove(folder() + "/ballast"); }

 private:
  void Mount(unsigned long flags, uint64_t kib) {
    const std::string options = absl::StrCat("size=", kib, "k");
    ASSERT_EQ(mount("tidemark", folder().c_str(), "tmpfs", flags, options.c_str()), 0)
        << std::strerror(errno);
  }
  const Warehouse parent_;
};

enum class Filled { kData, kSqliteStore, kFileStore, kBackups };
constexpr const char* kFilledNames[] = {"data", "SQLite store", "file store", "backups"};

class FullDisk {
 public:
  FullDisk(uint64_t seed, uint64_t kib, Filled filled, test::FaultSuite& suite)
      : suite_(suite),
        filled_(filled),
        disk_(kib),
        warehouse_(filled == Filled::kData ? disk_.folder() : ""),
        source_(seed),
        steady_(seed, source_, warehouse_) {}

  // Syncs until the disk is full; true when it became so.
  bool RunUntilFull() {
    for (int sync = 0; sync < kSyncs; ++sync) {
      source_.Grow(filled_ == Filled::kData ? 200 : 40);
      if (absl::Status status = RunOne(); !status.ok()) {
        EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
        return true;
      }
    }
    return false;
  }
  SmallDisk& disk() { return disk_; }

  void Resume() {
    const uint64_t position = warehouse_.Position(steady_.connection(), "");
    if (position < steady_.acknowledged()) ++suite_.lost;
    EXPECT_GE(position, steady_.acknowledged());
    Count(steady_.Compare(position));
    const absl::Status status = RunOne();
    EXPECT_TRUE(status.ok()) << status;
    Count(steady_.Compare(source_.database().head()));
    EXPECT_EQ(warehouse_.CheckState(steady_.connection()), "");
    EXPECT_EQ(warehouse_.Query("PRAGMA integrity_check")[0][0], "ok");
    EXPECT_TRUE(source_.database().violations.empty()) << source_.database().violations[0];
    if (filled_ == Filled::kBackups) CheckBackups();
    if (has_store()) CheckStore();
    warehouse_.Forget();
  }

 private:
  bool has_store() const {
    return filled_ == Filled::kSqliteStore || filled_ == Filled::kFileStore;
  }
  std::unique_ptr<StateStore> OpenAuthority() {
    SqliteStateStoreOptions options;
    options.clock = &steady_.clock();
    return *OpenSqliteStateStore(warehouse_.path(), steady_.connection(), options);
  }
  std::unique_ptr<StateStore> OpenStore() {
    if (filled_ == Filled::kSqliteStore) {
      SqliteStateStoreOptions options;
      options.clock = &steady_.clock();
      options.create = true;
      return *OpenSqliteStateStore(disk_.folder() + "/state.db", steady_.connection(), options);
    }
    FileStateStoreOptions options;
    options.clock = &steady_.clock();
    options.create = true;
    return *OpenFileStateStore(disk_.folder() + "/state", steady_.connection(), options);
  }

  // A sync, and a backup behind it; the first error of either. A report that could not be stored is
  // one too.
  absl::Status RunOne() {
    SyncOutcome outcome;
    if (has_store()) {
      std::unique_ptr<StateStore> store = OpenStore();
      std::unique_ptr<StateStore> authority = OpenAuthority();
      OuterStore outer(*store, *authority, steady_.clock(), {});
      steady_.outer = &outer;
      outcome = steady_.Run();
      steady_.outer = nullptr;
    } else {
      outcome = steady_.Run();
    }
    if (outcome.status == SyncStatus::kPartial && outcome.error.ok()) {
      return absl::ResourceExhaustedError(outcome.warnings.empty() ? "" : outcome.warnings[0]);
    }
    if (outcome.status != SyncStatus::kCompleted) return outcome.error;
    return filled_ == Filled::kBackups ? Backup() : absl::OkStatus();
  }
  absl::Status Backup() {
    BackupOptions options;
    options.folder = disk_.folder() + "/backups";
    options.connection = steady_.connection();
    options.engine = "tidemark test";
    steady_.clock().Advance(absl::Seconds(1));
    options.now_us = absl::ToUnixMicros(steady_.clock().Now());
    return WriteBackup(*OpenAuthority(), FileSystem::Real(), options).status();
  }
  // Every one that is there is whole, also those of the time when the disk was full.
  void CheckBackups() {
    auto backups =
        ListBackups(FileSystem::Real(), disk_.folder() + "/backups", steady_.connection());
    ASSERT_TRUE(backups.ok()) << backups.status();
    EXPECT_GE(backups->size(), 1U);
    for (const BackupFile& file : *backups) {
      auto backup = ReadBackup(FileSystem::Real(), file.path);
      if (!backup.ok()) ++suite_.lost;
      EXPECT_TRUE(backup.ok()) << backup.status();
    }
  }
  void CheckStore() {
    auto positions = CompareStores(*OpenAuthority(), *OpenStore());
    ASSERT_TRUE(positions.ok()) << positions.status();
    for (const EntryPosition& entry : *positions) {
      if (entry.position != StorePosition::kEqual) ++suite_.stale;
      EXPECT_EQ(static_cast<int>(entry.position), static_cast<int>(StorePosition::kEqual));
    }
  }
  void Count(const Difference& difference) {
    suite_.lost += difference.lost;
    suite_.duplicated += difference.duplicated;
    suite_.stale += difference.stale;
    EXPECT_EQ(difference.sum(), 0U) << difference.first;
  }

  test::FaultSuite& suite_;
  const Filled filled_;
  SmallDisk disk_;
  Warehouse warehouse_;
  SteadySource source_;
  SteadySync steady_;
};

// Root mounts; others do in a user namespace of their own. REQUIRES: no other thread runs.
bool MayMount() {
  if (geteuid() == 0) return true;
  const std::string user = absl::StrCat("0 ", geteuid(), " 1\n");
  const std::string group = absl::StrCat("0 ", getegid(), " 1\n");
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  const auto write = [](const char* path, const std::string& text) {
    return static_cast<bool>(std::ofstream(path) << text << std::flush);
  };
  return write("/proc/self/setgroups", "deny") && write("/proc/self/uid_map", user) &&
         write("/proc/self/gid_map", group);
}

TEST(FullDiskTest, ASyncThatFillsTheDiskIsResumed) {
  if (!MayMount()) {
    std::puts("D1 needs root, or a kernel that lets everybody have a user namespace");
    return;
  }
  test::FaultSuite suite("D1", 40);
  suite.want = suite.cases() / 2;
  for (uint64_t seed = suite.seed(); suite.tried < suite.cases(); ++seed) {
    const uint64_t kind = seed % 2 == 0 ? 0 : 1 + seed / 2 % 3;
    const auto filled = static_cast<Filled>(kind);
    SCOPED_TRACE(absl::StrCat(kFilledNames[kind], ": repeat with TIDEMARK_FAULT_SEED=", seed,
                              " TIDEMARK_FAULT_CASES=1 build/release/tests/full_disk_test"));
    Dice dice(seed);
    FullDisk full(seed, 100 + dice.Pick(500), filled, suite);
    ++suite.tried;
    // By what is written, or by somebody else's files.
    if (filled != Filled::kData || dice.Pick(2) == 0) full.disk().Fill(dice.Pick(200));
    if (full.RunUntilFull()) ++suite.hit;
    full.disk().Enlarge(64 * 1024);
    full.Resume();
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_TRUE(suite.Clean());
}

}  // namespace
}  // namespace tidemark
