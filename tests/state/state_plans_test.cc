// Rollback, reset, restore, backup and migration over a real store.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "core/file_system.h"
#include "gtest/gtest.h"
#include "state/next_version.h"
#include "state/restore.h"
#include "state/rollback.h"
#include "state/sqlite_state_store.h"
#include "state/state_backup.h"
#include "state/state_migration.h"
#include "state/version_json.h"

namespace tidemark {
namespace {

constexpr int64_t kMinute = 60'000'000;
constexpr int64_t kStart = 1'700'000'000'000'000;

class StatePlansTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "state-plans-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    store_ = Open("a.db");
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }

  std::unique_ptr<StateStore> Open(const std::string& name, bool rebuild = false) {
    SqliteStateStoreOptions options;
    options.engine = "tidemark test";
    options.create = true;
    auto store = OpenSqliteStateStore(Path(name), "c", options);
    EXPECT_TRUE(store.ok()) << store.status();
    OwnershipRequest request;
    request.holder = "test";
    request.rebuild = rebuild;
    const auto epoch = (*store)->Acquire(request);
    EXPECT_TRUE(epoch.ok()) << epoch.status();
    epoch_ = epoch.value_or(0);
    return *std::move(store);
  }

  StateHead Head(const std::string& table) {
    StateHead head;
    head.entry = head.table = table;
    const auto heads = store_->Heads();
    if (heads.ok()) {
      for (const StateHead& known : *heads) {
        if (known.entry == table) head = known;
      }
    }
    return head;
  }

  // Version n of `table` at minute n: n * 10 changes, body {"at":n}.
  void Grow(const std::string& table, int versions) {
    for (int i = 0; i < versions; ++i) {
      const StateHead head = Head(table);
      const int64_t n = head.version + 1;
      NextVersion next;
      next.state.table = table;
      next.state.body = absl::StrCat("{\"at\":", n, "}");
      next.state.cursor = absl::StrCat(n);
      next.epoch = epoch_;
      next.now_us = kStart + n * kMinute;
      next.sync_id = absl::StrCat("sync_", n);
      next.group_id = absl::StrCat(table, n);
      next.engine = "tidemark test";
      VersionAppend append = AppendAfter("c", head, next);
      append.version.counts.inserted = static_cast<uint64_t>(n * 10);
      append.version.chain = ComputeChain(append.version);
      ASSERT_EQ(absl::OkStatus(), store_->Append({append}, {}));
    }
  }

  MoveStamp Stamp() const {
    MoveStamp stamp;
    stamp.connection = "c";
    stamp.epoch = epoch_;
    stamp.now_us = kStart + 100 * kMinute;
    stamp.sync_id = "test_1";
    stamp.group_id = "g";
    stamp.engine = "tidemark test";
    return stamp;
  }

  static HistoryPoint Point(const std::string& text) {
    auto point = ParseHistoryPoint(text);
    EXPECT_TRUE(point.ok()) << point.status();
    return point.value_or(HistoryPoint());
  }

  absl::StatusOr<std::vector<StateMove>> Plan(const std::string& to, int64_t minute,
                                              const std::optional<std::string>& entry = {}) {
    return PlanRollback(*store_, Point(to), entry, kStart + minute * kMinute, RollbackHorizon());
  }

  absl::StatusOr<std::string> BackUp(int64_t minute, int keep = 7) {
    BackupOptions options;
    options.folder = Path("backups");
    options.connection = "c";
    options.engine = "tidemark test";
    options.now_us = kStart + minute * kMinute;
    options.keep = keep;
    return WriteBackup(*store_, FileSystem::Real(), options);
  }

  std::string folder_;
  std::unique_ptr<StateStore> store_;
  int64_t epoch_ = 0;
};

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST_F(StatePlansTest, ARollbackNamesWhatItTakesBack) {
  Grow("", 4);
  for (const char* to : {"2", "sync_2", "2023-11-14T22:15:20Z"}) {  // minute 2
    const auto moves = Plan(to, 5);
    ASSERT_TRUE(moves.ok()) << to << ": " << moves.status();
    ASSERT_EQ(1u, moves->size());
    const StateMove& move = moves->front();
    EXPECT_EQ(4, move.from.version);
    EXPECT_EQ(2, move.to.version) << to;
    EXPECT_EQ("{\"at\":2}", move.to.body);
    EXPECT_EQ(2u, move.versions_back);
    EXPECT_EQ(70u, move.changes);
    EXPECT_TRUE(move.inside_horizon);
    EXPECT_EQ(absl::OkStatus(), CheckHorizon(*moves));
  }
}

TEST_F(StatePlansTest, ARollbackAppendsAVersionWithTheOldState) {
  Grow("", 3);
  const auto moves = Plan("1", 5);
  ASSERT_TRUE(moves.ok()) << moves.status();
  ASSERT_EQ(absl::OkStatus(), store_->Append(MakeMoves(*moves, Stamp()), {}));
  const auto again = Plan("4", 5);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->front().moves);
  const StateVersion& now = again->front().from;
  EXPECT_EQ(4, now.version);
  EXPECT_EQ(1, now.parent);
  EXPECT_EQ(StateKind::kRollback, now.kind);
  EXPECT_EQ("{\"at\":1}", now.body);
  EXPECT_EQ("1", now.cursor);
  // Planned on a head that has moved since: nothing is written.
  EXPECT_EQ(absl::StatusCode::kDataLoss, store_->Append(MakeMoves(*moves, Stamp()), {}).code());
}

TEST_F(StatePlansTest, BeyondTheHorizonIsRefused) {
  Grow("", 14);
  const auto far = Plan("3", 15);  // 10 newer ones exist from version 4 on
  ASSERT_TRUE(far.ok()) << far.status();
  EXPECT_FALSE(far->front().inside_horizon);
  EXPECT_EQ(4, far->front().releasable);
  const absl::Status refused = CheckHorizon(*far);
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, refused.code());
  EXPECT_NE(std::string::npos, refused.message().find("the oldest one allowed is 4")) << refused;
  for (const auto& [to, minute, inside] :
       {std::tuple("4", 15, true), {"5", 15, true}, {"9", 71, false}, {"11", 71, true}}) {
    const auto moves = Plan(to, minute);
    ASSERT_TRUE(moves.ok()) << moves.status();
    EXPECT_EQ(inside, moves->front().inside_horizon) << to << " at minute " << minute;
  }
}

TEST_F(StatePlansTest, PointsOfSeveralEntriesGoTogether) {
  Grow("a", 3);
  Grow("b", 1);
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, Plan("1", 5).status().code());
  EXPECT_EQ(absl::StatusCode::kNotFound, Plan("sync_77", 5).status().code());
  EXPECT_EQ(absl::StatusCode::kNotFound, Plan("1", 5, "c").status().code());
  EXPECT_EQ(absl::StatusCode::kNotFound, Plan("9", 5, "a").status().code());
  const auto moves = Plan("sync_2", 5);
  ASSERT_TRUE(moves.ok()) << moves.status();
  ASSERT_EQ(2u, moves->size());
  EXPECT_EQ(2, (*moves)[0].to.version);
  EXPECT_TRUE((*moves)[0].moves);
  EXPECT_FALSE((*moves)[1].moves);  // b stood at version 1 then and does now
}

TEST_F(StatePlansTest, BeforeAnEntryExistedIsTheEmptyState) {
  Grow("a", 2);
  const auto moves = Plan("2023-01-01", 5);
  ASSERT_TRUE(moves.ok()) << moves.status();
  EXPECT_EQ(StateKind::kReset, moves->front().kind);
  EXPECT_EQ(0, moves->front().to.version);
  EXPECT_EQ(30u, moves->front().changes);
}

TEST_F(StatePlansTest, AResetEmptiesTheState) {
  Grow("a", 2);
  Grow("b", 1);
  const auto moves = PlanReset(*store_, "a");
  ASSERT_TRUE(moves.ok()) << moves.status();
  ASSERT_EQ(1u, moves->size());
  const std::vector<VersionAppend> appends = MakeMoves(*moves, Stamp());
  ASSERT_EQ(1u, appends.size());
  EXPECT_EQ(StateKind::kReset, appends[0].version.kind);
  EXPECT_EQ("", appends[0].version.body);
  EXPECT_EQ("", appends[0].version.cursor);
  ASSERT_EQ(absl::OkStatus(), store_->Append(appends, {}));
  const auto again = PlanReset(*store_, "a");
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->front().moves);
}

TEST_F(StatePlansTest, WhatARollbackTookBackIsNeverReleased) {
  // 1..20, back to 12, then 22 and 23: 13..20 are ahead of the state that is read again.
  std::vector<StateVersion> versions(23);
  for (int i = 0; i < 23; ++i) {
    versions[static_cast<size_t>(i)].version = i + 1;
    versions[static_cast<size_t>(i)].parent = i;
    versions[static_cast<size_t>(i)].created_at_us = kStart;
  }
  const RollbackHorizon horizon;
  EXPECT_EQ(13, NewestReleasable(versions, kStart, horizon));
  versions[20].kind = StateKind::kRollback;
  versions[20].parent = 12;
  EXPECT_EQ(12, NewestReleasable(versions, kStart, horizon));
  versions[20].kind = StateKind::kReset;
  EXPECT_EQ(0, NewestReleasable(versions, kStart, horizon));
  // The reset itself leaves the horizon in its turn.
  EXPECT_EQ(23, NewestReleasable(versions, kStart + 2 * 60 * kMinute, horizon));
}

TEST_F(StatePlansTest, ABackupHoldsEverythingAndIsVerified) {
  Grow("a", 3);
  Grow("b", 1);
  const auto path = BackUp(10);
  ASSERT_TRUE(path.ok()) << path.status();
  const auto backup = ReadBackup(FileSystem::Real(), *path);
  ASSERT_TRUE(backup.ok()) << backup.status();
  EXPECT_EQ("c", backup->connection);
  EXPECT_EQ(kStart + 10 * kMinute, backup->created_at_us);
  ASSERT_EQ(2u, backup->entries.size());
  ASSERT_EQ(3u, backup->entries[0].versions.size());
  EXPECT_EQ("{\"at\":3}", backup->entries[0].versions[2].body);
  EXPECT_EQ(Head("a").chain, backup->entries[0].head.chain);
  // Every byte matters.
  const std::string text = ReadText(*path);
  for (size_t at = 0; at < text.size(); at += 1 + text.size() / 97) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x04);
    WriteText(Path("damaged"), damaged);
    EXPECT_FALSE(ReadBackup(FileSystem::Real(), Path("damaged")).ok()) << "byte " << at;
  }
  for (const size_t length : {text.size() - 1, text.size() / 2, size_t{10}, size_t{0}}) {
    WriteText(Path("damaged"), text.substr(0, length));
    EXPECT_FALSE(ReadBackup(FileSystem::Real(), Path("damaged")).ok()) << length << " bytes";
  }
}

TEST_F(StatePlansTest, BackupsRotateByTime) {
  EXPECT_EQ(absl::StatusCode::kNotFound, BackUp(1).status().code());
  Grow("", 1);
  for (int64_t minute : {1, 2, 3}) ASSERT_TRUE(BackUp(minute, 2).ok());
  ASSERT_TRUE(BackUp(0, 2).ok());  // the clock was set back
  WriteText(Path("backups/c.notes.backup"), "not ours");
  WriteText(Path("backups/cc.20240115T103000.000000Z.backup"), "of another connection");
  const auto backups = ListBackups(FileSystem::Real(), Path("backups"), "c");
  ASSERT_TRUE(backups.ok()) << backups.status();
  ASSERT_EQ(2u, backups->size());
  EXPECT_EQ(kStart + 3 * kMinute, (*backups)[0].created_at_us);
  EXPECT_EQ(kStart + 3 * kMinute + 1, (*backups)[1].created_at_us);
  EXPECT_TRUE(ReadBackup(FileSystem::Real(), backups->back().path).ok());
}

TEST_F(StatePlansTest, ANewerBackupIsRefusedInWords) {
  Grow("", 1);
  const auto path = BackUp(1);
  ASSERT_TRUE(path.ok());
  std::string text = ReadText(*path);
  text.replace(text.find(":1,"), 3, ":2,");
  const size_t last = text.rfind('\n', text.size() - 2) + 1;
  const std::string covered = text.substr(0, last);
  WriteText(Path("newer"), absl::StrCat(covered, "{\"lines\":3,\"blake2b256\":\"",
                                        Hex(Blake2b256(covered)), "\"}\n"));
  const absl::Status status = ReadBackup(FileSystem::Real(), Path("newer")).status();
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, status.code());
  EXPECT_NE(std::string::npos, status.message().find("newer engine")) << status;
}

TEST_F(StatePlansTest, TheFirstReleasedBackupCanBeRead) {
  const std::string path = TIDEMARK_GOLDEN "/backup_1.backup";
  const auto backup = ReadBackup(FileSystem::Real(), path);
  ASSERT_TRUE(backup.ok()) << backup.status();
  ASSERT_EQ(2u, backup->entries.size());
  EXPECT_EQ("shop.orders", backup->entries[1].head.entry);
  EXPECT_EQ(std::string("\0\xff\x10", 3), backup->entries[1].versions[0].body);
  EXPECT_EQ(1705276800000000, backup->entries[1].versions[0].watermark_us);
  EXPECT_EQ(StateKind::kRollback, backup->entries[0].versions[2].kind);
  const std::string text = ReadText(path);
  for (const BackupEntry& entry : backup->entries) {
    EXPECT_NE(std::string::npos, text.find(HeadToLine(entry.head) + "\n"));
    for (const StateVersion& version : entry.versions) {
      EXPECT_NE(std::string::npos, text.find(VersionToLine(version, absl::OkStatus()) + "\n"));
    }
  }
}

TEST_F(StatePlansTest, RestoringALostHistoryMakesItAgain) {
  Grow("a", 3);
  Grow("b", 2);
  const auto path = BackUp(10);
  ASSERT_TRUE(path.ok());
  const StateHead lost = Head("a");
  const auto backup = ReadBackup(FileSystem::Real(), *path);
  ASSERT_TRUE(backup.ok());
  store_ = Open("b.db");
  const auto steps = PlanRestore(*store_, *backup, kStart + 11 * kMinute, RollbackHorizon());
  ASSERT_TRUE(steps.ok()) << steps.status();
  ASSERT_EQ(2u, steps->size());
  EXPECT_EQ(RestoreStep::What::kRecreate, (*steps)[0].what);
  ASSERT_EQ(absl::OkStatus(), store_->Append(MakeRestore(*steps, Stamp()), {}));
  EXPECT_EQ(lost.chain, Head("a").chain);
  EXPECT_EQ(3, Head("a").version);
  const auto nothing = PlanRestore(*store_, *backup, kStart + 11 * kMinute, RollbackHorizon());
  ASSERT_TRUE(nothing.ok());
  EXPECT_EQ(RestoreStep::What::kNothing, (*nothing)[0].what);
}

TEST_F(StatePlansTest, RestoringOntoAHistoryAppendsAnImport) {
  Grow("a", 3);
  const auto path = BackUp(10);
  ASSERT_TRUE(path.ok());
  Grow("a", 12);
  const auto backup = ReadBackup(FileSystem::Real(), *path);
  ASSERT_TRUE(backup.ok());
  const auto steps = PlanRestore(*store_, *backup, kStart + 16 * kMinute, RollbackHorizon());
  ASSERT_TRUE(steps.ok()) << steps.status();
  EXPECT_EQ(RestoreStep::What::kImport, (*steps)[0].what);
  EXPECT_TRUE((*steps)[0].beyond_horizon);
  const std::vector<VersionAppend> appends = MakeRestore(*steps, Stamp());
  ASSERT_EQ(1u, appends.size());
  EXPECT_EQ(StateKind::kImport, appends[0].version.kind);
  EXPECT_EQ(16, appends[0].version.version);
  EXPECT_EQ("{\"at\":3}", appends[0].version.body);
  EXPECT_EQ(absl::OkStatus(), store_->Append(appends, {}));
}

// A format of this test alone: 1 -> 2 wraps the body, 2 -> 3 moves the cursor into it.
StateMigrations TestMigrations() {
  StateMigrations migrations;
  migrations.Add("test", 1, [](const StateEntry& entry) -> absl::StatusOr<StateEntry> {
    StateEntry next = entry;
    next.body = absl::StrCat("{\"v1\":", entry.body, "}");
    return next;
  });
  migrations.Add("test", 2, [](const StateEntry& entry) -> absl::StatusOr<StateEntry> {
    if (entry.body == "{\"v1\":refuse}") return absl::InvalidArgumentError("not this one");
    StateEntry next = entry;
    next.body = absl::StrCat(entry.body.substr(0, entry.body.size() - 1), ",\"cursor\":\"",
                             entry.cursor, "\"}");
    return next;
  });
  return migrations;
}

TEST_F(StatePlansTest, StatesMigrateStepByStep) {
  const StateMigrations migrations = TestMigrations();
  StateEntry entry;
  entry.body = "5";
  entry.cursor = "2024";
  entry.format = 1;
  const auto migrated = migrations.Migrate("test", entry, 3);
  ASSERT_TRUE(migrated.ok()) << migrated.status();
  std::string golden = ReadText(TIDEMARK_GOLDEN "/test_format_3.json");
  ASSERT_FALSE(golden.empty());
  golden.pop_back();  // the line end
  EXPECT_EQ(golden, migrated->body);
  EXPECT_EQ(3u, migrated->format);
  const absl::Status newer = migrations.Migrate("test", *migrated, 2).status();
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, newer.code());
  EXPECT_NE(std::string::npos, newer.message().find("newer connector")) << newer;
  EXPECT_EQ(absl::StatusCode::kUnimplemented, migrations.Migrate("test", entry, 4).status().code());
  EXPECT_EQ(absl::StatusCode::kUnimplemented, migrations.Migrate("none", entry, 2).status().code());
  entry.body = "refuse";
  EXPECT_EQ(absl::StatusCode::kInvalidArgument,
            migrations.Migrate("test", entry, 3).status().code());
}

TEST_F(StatePlansTest, AMigrationIsAVersionOfItsOwn) {
  StateMigrations migrations;
  migrations.Add("test", 0, [](const StateEntry& entry) -> absl::StatusOr<StateEntry> {
    StateEntry next = entry;
    next.body += "!";
    return next;
  });
  Grow("", 2);
  const auto moves = PlanMigration(*store_, migrations, "test", 1);
  ASSERT_TRUE(moves.ok()) << moves.status();
  const std::vector<VersionAppend> appends = MakeMoves(*moves, Stamp());
  ASSERT_EQ(1u, appends.size());
  EXPECT_EQ(StateKind::kMigrate, appends[0].version.kind);
  EXPECT_EQ("{\"at\":2}!", appends[0].version.body);
  EXPECT_EQ(1u, appends[0].version.format);
  EXPECT_EQ("2", appends[0].version.cursor);
  ASSERT_EQ(absl::OkStatus(), store_->Append(appends, {}));
  const auto again = PlanMigration(*store_, migrations, "test", 1);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->front().moves);
  // Its kind does not cut the line of versions: the state stands where it stood.
  EXPECT_EQ(2, again->front().from.parent);
}

}  // namespace
}  // namespace tidemark
