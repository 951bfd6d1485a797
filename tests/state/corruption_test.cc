// The 14 classes of damage (reliability_cdc 2.5), each with auto_repair on and off and
// reset_on_corruption on and off; the state is damaged with sqlite3 alone, never through our API.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/file_system.h"
#include "state/sqlite_connection.h"
#include "state/sqlite_state_store.h"
#include "state/state_backup.h"
#include "tests/state/damaged_warehouse.h"

namespace tidemark::test {
namespace {

using ::testing::HasSubstr;

enum class Ends { kRepaired, kReset, kStops };

std::string Name(Ends ends) {
  return ends == Ends::kRepaired ? "repaired" : ends == Ends::kReset ? "reset" : "stops";
}

struct Case {
  const char* name;
  int corruption;
  std::function<void(DamagedWarehouse&, LoggedSource&)> damage;
  Ends repair;        // auto_repair
  Ends repair_reset;  // auto_repair and reset_on_corruption
  Ends reset;         // reset_on_corruption alone
  // Neither always stops.
};

void Sql(DamagedWarehouse& warehouse, const char* sql) { warehouse.Sql(sql); }

// A backup as `tidemark state backup` makes it, taken now.
void BackUp(DamagedWarehouse& warehouse) {
  SqliteStateStoreOptions options;
  options.read_only = true;
  auto store = OpenSqliteStateStore(warehouse.path(), "shop", options);
  ASSERT_TRUE(store.ok());
  BackupOptions backup;
  backup.folder = BackupFolder(warehouse.path());
  backup.connection = "shop";
  backup.engine = "tidemark test";
  backup.now_us = warehouse.NowUs();
  ASSERT_TRUE(WriteBackup(**store, FileSystem::Real(), backup).ok());
}

constexpr char kNewest[] = "(SELECT max(version) FROM _tidemark_state_history)";

std::vector<Case> VersionCases() {
  return {
      {"BodyChanged", 1,
       [](auto& w, auto&) {
         w.Sql(
             absl::StrCat("UPDATE _tidemark_state_bodies SET body = CAST('crm 1' AS BLOB) WHERE "
                          "body_hash = (SELECT body_hash FROM _tidemark_state_history WHERE "
                          "version = ",
                          kNewest, ")"));
       },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"RowChanged", 1,
       [](auto& w, auto&) {
         w.Sql(
             absl::StrCat("UPDATE _tidemark_state_history SET inserted = inserted + 1 WHERE "
                          "version = ",
                          kNewest));
       },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"ColumnOfAnotherType", 1,
       [](auto& w, auto&) {
         w.Sql(absl::StrCat("UPDATE _tidemark_state_history SET kind = x'00ff' WHERE version = ",
                            kNewest));
       },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"OldVersionChanged", 1,
       [](auto& w, auto&) {
         Sql(w, "UPDATE _tidemark_state_history SET engine = '' WHERE version = 3");
       },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"HeadChanged", 1, [](auto& w, auto&) { Sql(w, "UPDATE _tidemark_state SET chain = x'00'"); },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"HeadGone", 1, [](auto& w, auto&) { Sql(w, "DELETE FROM _tidemark_state"); },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"EveryVersionChangedWithBackup", 1,
       [](auto& w, auto&) {
         BackUp(w);
         Sql(w, "UPDATE _tidemark_state_history SET engine = 'x'");
       },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"EveryVersionChanged", 1,
       [](auto& w, auto&) { Sql(w, "UPDATE _tidemark_state_history SET engine = 'x'"); },
       Ends::kStops, Ends::kReset, Ends::kReset},
  };
}

std::vector<Case> StoreCases() {
  return {
      {"RowsDeletedWithBackup", 2,
       [](auto& w, auto&) {
         BackUp(w);
         Sql(w,
             "DELETE FROM _tidemark_state; DELETE FROM _tidemark_state_history; "
             "DELETE FROM _tidemark_state_bodies");
       },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"TablesDroppedWithBackup", 2,
       [](auto& w, auto&) {
         BackUp(w);
         Sql(w,
             "DROP TABLE _tidemark_state; DROP TABLE _tidemark_state_history; "
             "DROP TABLE _tidemark_state_bodies; DROP TABLE _tidemark_connections");
       },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"TablesDropped", 2,
       [](auto& w, auto&) {
         Sql(w,
             "DROP TABLE _tidemark_state; DROP TABLE _tidemark_state_history; "
             "DROP TABLE _tidemark_state_bodies");
       },
       Ends::kStops, Ends::kReset, Ends::kReset},
      {"HeadsDropped", 2, [](auto& w, auto&) { Sql(w, "DROP TABLE _tidemark_state"); },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"FileMalformed", 3,
       [](auto& w, auto&) {
         const int64_t page = std::stoll(
             w.Number("SELECT rootpage FROM sqlite_schema WHERE name = '_tidemark_state_history'"));
         w.Settle();
         std::string bytes = w.Bytes();
         bytes.replace(static_cast<size_t>(page - 1) * 4096, 4096, 4096, '\x5a');
         w.SetBytes(bytes);
       },
       Ends::kStops, Ends::kStops, Ends::kStops},
      {"StaleState", 4,
       [](auto& w, auto&) {
         Sql(w,
             "DELETE FROM _tidemark_state_history WHERE version > 4; UPDATE _tidemark_state SET "
             "version = 4, chain = (SELECT chain FROM _tidemark_state_history WHERE version = 4)");
       },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"VersionGone", 6,
       [](auto& w, auto&) { Sql(w, "DELETE FROM _tidemark_state_history WHERE version = 3"); },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"NewestVersionGone", 6,
       [](auto& w, auto&) {
         w.Sql(absl::StrCat("DELETE FROM _tidemark_state_history WHERE version = ", kNewest));
       },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
  };
}

// The destination is put back from a copy that is one sync older than the second store.
void TakeOlderCopy(DamagedWarehouse& warehouse, LoggedSource& source) {
  warehouse.KeepOutside();
  source.Change(5, 21);
  ASSERT_TRUE(warehouse.Run(source).status.ok());
  warehouse.Settle();
  const std::string older = warehouse.Bytes();
  source.Change(6, 22);
  ASSERT_TRUE(warehouse.Run(source).status.ok());
  warehouse.SetBytes(older);
}

std::vector<Case> OutsideCases() {
  return {
      {"OlderDestination", 5, TakeOlderCopy, Ends::kRepaired, Ends::kRepaired, Ends::kStops},
      {"OlderDestinationWhosePositionIsGone", 5,
       [](auto& w, auto& source) {
         TakeOlderCopy(w, source);
         source.Prune(source.size());
       },
       Ends::kStops, Ends::kStops, Ends::kStops},
      {"PositionPruned", 7, [](auto&, auto& source) { source.Prune(source.size() + 5); },
       Ends::kStops, Ends::kReset, Ends::kReset},
      {"SourceReplaced", 8, [](auto&, auto& source) { source.Replace("other"); }, Ends::kStops,
       Ends::kStops, Ends::kStops},
      {"PositionInTheFuture", 9,
       [](auto& w, auto& source) {
         source.cursor = "2099-01-01T00:00:00Z";
         source.Change(4, 77);
         Started run = w.Run(source);
         EXPECT_TRUE(run.status.ok()) << run.status;
         source.cursor.clear();
       },
       Ends::kRepaired, Ends::kRepaired, Ends::kReset},
      {"NewerEngine", 10,
       [](auto& w, auto&) { Sql(w, "UPDATE _tidemark_meta SET schema_version = 99"); },
       Ends::kStops, Ends::kStops, Ends::kStops},
      {"ColumnDropped", 13, [](auto& w, auto&) { Sql(w, "ALTER TABLE item DROP COLUMN value"); },
       Ends::kRepaired, Ends::kRepaired, Ends::kStops},
      {"TableDropped", 13, [](auto& w, auto&) { Sql(w, "DROP TABLE item"); }, Ends::kStops,
       Ends::kStops, Ends::kStops},
  };
}

std::vector<Case> Cases() {
  std::vector<Case> cases = VersionCases();
  for (auto more : {StoreCases(), OutsideCases()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  return cases;
}

class CorruptionTest : public ::testing::TestWithParam<Case> {
 protected:
  // Three syncs, then the damage, then more changes at the source.
  void Prepare() {
    for (uint64_t i = 1; i <= 3; ++i) {
      source_.Change(12, i);
      const Started run = warehouse_.Run(source_);
      ASSERT_TRUE(run.status.ok()) << run.status;
      ASSERT_TRUE(run.warnings.empty()) << run.warnings.front();
    }
    ASSERT_EQ(warehouse_.Compare(source_).total(), 0u);
    GetParam().damage(warehouse_, source_);
  }

  bool Says(const std::vector<std::string>& lines, const std::string& part) {
    for (const std::string& line : lines) {
      if (absl::StrContains(line, part)) return true;
    }
    return false;
  }

  void ExpectStop(const Started& run) {
    ASSERT_FALSE(run.status.ok());
    EXPECT_THAT(std::string(run.status.message()),
                HasSubstr(absl::StrCat("class ", GetParam().corruption, " (")));
    EXPECT_THAT(std::string(run.status.message()), HasSubstr("; "));
  }

  // Said, appended, written into the audit record, and the next runs are as if nothing was.
  void ExpectGoesOn(const Started& run, const std::string& kind) {
    ASSERT_TRUE(run.status.ok()) << run.status;
    EXPECT_TRUE(Says(run.warnings, absl::StrCat("class ", GetParam().corruption, " (")))
        << (run.warnings.empty() ? "no warning" : run.warnings.front());
    if (GetParam().corruption != 13) {
      EXPECT_NE(warehouse_.Number(absl::StrCat(
                    "SELECT count(*) FROM _tidemark_state_history WHERE kind = '", kind, "'")),
                "0");
      EXPECT_NE(
          warehouse_.Number(absl::StrCat("SELECT count(*) FROM _tidemark_audit WHERE action = '",
                                         kind, "' AND detail LIKE 'class %->%'")),
          "0");
    }
    for (uint64_t again = 0; again < 2; ++again) {
      source_.Change(7, 50 + again);
      const Started next = warehouse_.Run(source_);
      ASSERT_TRUE(next.status.ok()) << next.status;
      EXPECT_TRUE(next.warnings.empty()) << next.warnings.front();
    }
    const RowDifference difference = warehouse_.Compare(source_);
    if (GetParam().corruption == 13) return;  // old values of the column are read by a full sync
    EXPECT_EQ(difference.lost, 0u);
    EXPECT_EQ(difference.extra, 0u);
    EXPECT_EQ(difference.stale, 0u);
    auto validation = ValidateStored(warehouse_.location(), warehouse_.NowUs());
    ASSERT_TRUE(validation.ok());
    EXPECT_EQ(validation->Worst(), nullptr);
  }

  void Try(bool repair, bool reset, Ends wanted) {
    SCOPED_TRACE(absl::StrCat("auto_repair ", repair, ", reset_on_corruption ", reset,
                              ", wanted: ", Name(wanted)));
    Prepare();
    if (HasFatalFailure()) return;
    warehouse_.settings.auto_repair = repair;
    warehouse_.settings.reset_on_corruption = reset;
    source_.Change(9, 9);
    const std::string before = warehouse_.StateText();
    const Started run = warehouse_.Run(source_);
    if (wanted == Ends::kStops) {
      ExpectStop(run);
      EXPECT_EQ(warehouse_.StateText(), before) << "a stop changes nothing";
      return;
    }
    ExpectGoesOn(run, wanted == Ends::kReset ? "reset" : "repair");
  }

  DamagedWarehouse warehouse_;
  LoggedSource source_{"crm"};
};

TEST_P(CorruptionTest, RepairsWhereItMay) { Try(true, false, GetParam().repair); }
TEST_P(CorruptionTest, RepairsBeforeItResets) { Try(true, true, GetParam().repair_reset); }
TEST_P(CorruptionTest, ResetsWhereOnlyThatIsAllowed) { Try(false, true, GetParam().reset); }
TEST_P(CorruptionTest, StopsWhereNothingIsAllowed) { Try(false, false, Ends::kStops); }

// Both settings of both.
std::vector<RecoverySettings> AllSettings() {
  std::vector<RecoverySettings> all;
  for (const bool repair : {false, true}) {
    for (const bool reset : {false, true}) {
      RecoverySettings& settings = all.emplace_back();
      settings.auto_repair = repair;
      settings.reset_on_corruption = reset;
    }
  }
  return all;
}

// Class 11: what SQLite says of a full disk, with its class, and the code as it was.
TEST(CommitErrorTest, NamesTheClassOfAFullDiskAndOfNothingElse) {
  const absl::Status full = ClassifyCommitError(SqliteError(SQLITE_FULL, "full", "w.db", 0));
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CorruptionOf(full), CorruptionClass::kDiskFull);
  EXPECT_THAT(std::string(full.message()), HasSubstr("class 11 (disk full): the disk of w.db"));
  const absl::Status memory = SqliteError(SQLITE_NOMEM, "", "w.db", 0);
  EXPECT_EQ(ClassifyCommitError(memory), memory);
  EXPECT_TRUE(ClassifyCommitError(absl::OkStatus()).ok());
}

TEST(CommitErrorTest, AFullDiskNeitherRepairsNorResetsTheState) {
  DamagedWarehouse warehouse;
  LoggedSource source("crm");
  source.Change(12, 1);
  ASSERT_TRUE(warehouse.Run(source).status.ok());
  const std::string before = warehouse.StateText();
  const absl::Status full = ClassifyCommitError(SqliteError(SQLITE_FULL, "full", "w.db", 0));
  for (const RecoverySettings& settings : AllSettings()) {
    EXPECT_EQ(RecoverAfterRefusal(warehouse.location(), settings, full, "a test", warehouse.NowUs())
                  .status(),
              full);
    EXPECT_EQ(warehouse.StateText(), before);
  }
}

void ExpectLoserStops(const RecoverySettings& settings, const char* meanwhile) {
  DamagedWarehouse warehouse;
  warehouse.settings = settings;
  LoggedSource source("crm");
  source.Change(12, 1);
  ASSERT_TRUE(warehouse.Run(source).status.ok());
  source.Change(12, 2);
  Play play = source.MakePlay(5);
  auto send = std::move(play.script);
  std::string left;
  play.script = [&](const UpdateStart& start) {
    Moves moves = send(start);
    moves.push_front(Do([&] {
      warehouse.Sql(meanwhile);
      left = warehouse.StateText();
    }));
    return moves;
  };
  const auto rows = warehouse.Query("SELECT id, value, _tidemark_synced FROM item ORDER BY id");
  const Started run = warehouse.Run(play);
  EXPECT_THAT(std::string(run.status.message()), HasSubstr("class 12 (diverged workers): "));
  EXPECT_EQ(warehouse.StateText(), left);
  EXPECT_EQ(warehouse.Query("SELECT id, value, _tidemark_synced FROM item ORDER BY id"), rows);
}

// Class 12: somebody else takes the connection, or writes its state, while a sync runs.
TEST(DivergedWorkersTest, TheLoserStopsAndCommitsNothing) {
  for (const RecoverySettings& settings : AllSettings()) {
    SCOPED_TRACE(absl::StrCat("auto_repair ", settings.auto_repair, ", reset_on_corruption ",
                              settings.reset_on_corruption));
    ExpectLoserStops(settings, "UPDATE _tidemark_connections SET epoch = epoch + 1");
    ExpectLoserStops(settings, "UPDATE _tidemark_state SET version = version + 1, chain = x'00'");
  }
}

INSTANTIATE_TEST_SUITE_P(Classes, CorruptionTest, ::testing::ValuesIn(Cases()),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace tidemark::test
