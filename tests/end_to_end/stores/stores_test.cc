// The same sync, killed again and again, with its state in each of the stores: the rows are those
// of an unkilled run, and the store holds the destination's versions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "state/chain_verifier.h"
#include "state/file_state_store.h"
#include "state/postgres_state_store.h"
#include "state/redis_state_store.h"
#include "state/sqlite_state_store.h"
#include "state/store_comparison.h"
#include "tests/end_to_end/stores/ledger.h"
#include "tests/end_to_end/stores/tidemark_run.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/redis_server.h"

namespace tidemark::test {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kRows = 6000;
constexpr int64_t kCheckpointRows = 100;

int64_t Number(const std::string& variable, int64_t otherwise) {
  const char* const text = std::getenv(variable.c_str());
  int64_t number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : otherwise;
}

class StoresTest : public testing::TestWithParam<std::string> {
 protected:
  StoresTest() : type_(GetParam()) {
    folder_ = absl::StrCat(testing::TempDir(), "tidemark_stores_XXXXXX");
    if (mkdtemp(folder_.data()) == nullptr) ADD_FAILURE() << "no temporary folder " << folder_;
    static int count = 0;
    name_ = absl::StrCat(type_, "-", ++count);
    database_ = folder_ + "/warehouse.db";
    if (type_ == "postgres") address_ = PostgresServer::Shared().Uri("unused-s3cret");
    if (type_ == "redis") address_ = RedisServer::Shared().Address();
    if (type_ == "sqlite" || type_ == "file") address_ = folder_ + "/state";
  }
  ~StoresTest() override {
    std::error_code ignored;
    if (!HasFailure()) std::filesystem::remove_all(folder_, ignored);
  }

  std::string Write(const std::string& database, bool stored, int64_t pause_us,
                    const std::string& more = "") {
    ledger_path_ = absl::StrCat(folder_, "/", ++runs_, ".ledger");
    const std::string file = absl::StrCat(folder_, "/connection.yaml");
    std::ofstream out(file);
    out << "name: " << name_
        << "\nsync:\n  source:\n    connector: generator\n    config: {count: " << kRows
        << ", seed: 7, checkpoint_interval: " << kCheckpointRows << ", pause_us: " << pause_us
        << ", ledger_file: " << ledger_path_ << "}\n  destination: {connection: \"" << database
        << "\"}\n";
    if (stored && type_ != "destination") {
      out << "state:\n  storage: {type: " << type_ << ", connection: \"" << address_
          << "\", lease: 5 seconds}\n"
          << more;
    }
    return file;
  }
  std::unique_ptr<TidemarkRun> Start(const std::string& file,
                                     const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"run", file, "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return std::make_unique<TidemarkRun>(words, log());
  }
  std::string log() const { return folder_ + "/log"; }
  std::string Log() const {
    std::ifstream file(log());
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::unique_ptr<StateStore> Authority() {
    SqliteStateStoreOptions options;
    options.read_only = true;
    return *OpenSqliteStateStore(database_, name_, options);
  }
  std::unique_ptr<StateStore> Store() {
    if (type_ == "postgres") return *OpenPostgresStateStore(address_, name_, {});
    if (type_ == "redis") return *OpenRedisStateStore(address_, name_, {});
    if (type_ == "file") {
      FileStateStoreOptions options;
      options.read_only = true;
      return *OpenFileStateStore(address_, name_, options);
    }
    SqliteStateStoreOptions options;
    options.read_only = true;
    return *OpenSqliteStateStore(address_, name_, options);
  }

  // The cursor of the newest version, 0: none. The chain is verified on the way.
  static int64_t CursorOf(StateStore& store) {
    const auto heads = store.Heads();
    if (!heads.ok() || heads->empty()) return 0;
    ChainVerifier verifier(heads->front().anchor);
    int64_t cursor = 0;
    VersionQuery query;
    query.entry = heads->front().entry;
    const absl::Status read = store.ReadVersions(query, [&](StoredVersion& stored) {
      EXPECT_TRUE(absl::SimpleAtoi(stored.version.cursor, &cursor));
      return verifier.Add(stored.version);
    });
    EXPECT_TRUE(read.ok()) << read;
    return cursor;
  }

  // The store is the destination's equal, or one group behind it, never anything else.
  void ExpectTogether(bool equal) {
    if (type_ == "destination") return;
    auto authority = Authority();
    auto store = Store();
    const auto positions = CompareStores(*authority, *store);
    ASSERT_TRUE(positions.ok()) << positions.status();
    for (const EntryPosition& at : *positions) {
      const bool behind = !equal && at.position == StorePosition::kBehind &&
                          at.authority.version == at.store.version + 1;
      EXPECT_TRUE(behind || at.position == StorePosition::kEqual)
          << DescribePositions(*positions, *authority, *store) << " " << at.authority.version
          << " and " << at.store.version;
    }
  }

  std::string Rows(const std::string& database, const std::string& what) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(database.c_str(), &db), SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    std::string text;
    sqlite3_prepare_v2(db, absl::StrCat("SELECT ", what, " FROM rows").c_str(), -1, &statement,
                       nullptr);
    if (sqlite3_step(statement) == SQLITE_ROW) {
      text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return text;
  }
  void ExpectRowsOfAnUnkilledRun() {
    const std::string reference = folder_ + "/reference.db";
    auto run = Start(Write(reference, false, 0));
    ASSERT_EQ(run->Wait().code, 0) << Log();
    const std::string all = absl::StrCat("group_concat(concat_row, char(10)) FROM (SELECT ",
                                         "quote(id) || quote(account) || quote(amount) || ",
                                         "quote(price) || quote(active) || quote(code) || ",
                                         "quote(name) || quote(updated_at) || quote(day) || ",
                                         "quote(payload) AS concat_row FROM rows ORDER BY id) --");
    EXPECT_EQ(Rows(database_, "count(*)"), absl::StrCat(kRows));
    EXPECT_TRUE(Rows(database_, all) == Rows(reference, all)) << "rows differ";
  }

  const std::string type_;
  std::string folder_;
  std::string name_;
  std::string database_;
  std::string address_;
  std::string ledger_path_;
  int runs_ = 0;
};

// With a store beside the destination.
class SecondStoreTest : public StoresTest {};
// With a store that is a server.
class StoreServerTest : public StoresTest {};

std::string NameOf(const testing::TestParamInfo<std::string>& info) { return info.param; }

INSTANTIATE_TEST_SUITE_P(Storage, StoresTest,
                         testing::Values("destination", "sqlite", "file", "postgres", "redis"),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Storage, SecondStoreTest,
                         testing::Values("sqlite", "file", "postgres", "redis"), NameOf);
INSTANTIATE_TEST_SUITE_P(Storage, StoreServerTest, testing::Values("postgres", "redis"), NameOf);

TEST_P(StoresTest, KilledRunsEndAsAnUnkilledOne) {
  const int64_t kills = Number("TIDEMARK_STORE_KILLS", 5);
  const auto seed = static_cast<uint64_t>(Number("TIDEMARK_SEED", std::random_device{}()));
  SCOPED_TRACE(absl::StrCat("TIDEMARK_SEED=", seed, " folder ", folder_));
  std::mt19937_64 random(seed);
  int64_t reached = 0;
  for (int64_t kill = 0; kill < kills; ++kill) {
    const std::string file = Write(database_, true, 3000);
    Ledger ledger(ledger_path_);
    auto run = Start(file);
    // Killed a moment after the source has sent some further checkpoints.
    const int64_t until = reached + kCheckpointRows * static_cast<int64_t>(random() % 10 + 1);
    const auto moment = std::chrono::microseconds(random() % 3000);
    while (run->Running() && ledger.sent() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ledger.Refresh();
    }
    std::this_thread::sleep_for(moment);
    run->Kill(SIGKILL);
    run->Wait();
    ledger.Refresh();
    ExpectTogether(false);
    // Invariant I2: what was acknowledged is durable, also in the store.
    reached = CursorOf(*Authority());
    const int64_t stored = type_ == "destination" ? reached : CursorOf(*Store());
    EXPECT_GE(reached, ledger.durable());
    EXPECT_GE(stored, ledger.durable()) << "acknowledged ahead of the store";
    EXPECT_GE(reached, stored) << "Invariant I1";
    if (HasFailure()) FAIL() << Log();
  }
  auto run = Start(Write(database_, true, 0));
  ASSERT_EQ(run->Wait().code, 0) << Log();
  ExpectTogether(true);
  EXPECT_EQ(CursorOf(*Authority()), kRows);
  ExpectRowsOfAnUnkilledRun();
  EXPECT_EQ(Log().find("s3cret"), std::string::npos);
}

// The destination is put back from an older copy: state and rows go back together, and the source
// sends the rest again.
TEST_P(SecondStoreTest, AnOlderCopyOfTheDestinationIsCaughtUp) {
  {
    const std::string file = Write(database_, true, 3000);
    Ledger ledger(ledger_path_);
    auto run = Start(file);
    while (run->Running() && ledger.durable() < kRows / 4) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ledger.Refresh();
    }
    run->Kill(SIGTERM);
    run->Wait();
  }
  std::filesystem::copy_file(database_, folder_ + "/copy.db");
  ASSERT_EQ(Start(Write(database_, true, 0))->Wait().code, 0) << Log();
  for (const char* side : {"", "-wal", "-shm"}) std::filesystem::remove(database_ + side);
  std::filesystem::rename(folder_ + "/copy.db", database_);
  ASSERT_EQ(Start(Write(database_, true, 0))->Wait().code, 0) << Log();
  ExpectTogether(true);
  ExpectRowsOfAnUnkilledRun();
  auto store = Store();
  const auto audit = store->Audit(10);
  ASSERT_TRUE(audit.ok()) << audit.status();
  ASSERT_FALSE(audit->empty());
  EXPECT_EQ(audit->front().action, "repair");
}

// The destination loses its state tables: they are made again from the store.
TEST_P(SecondStoreTest, LostStateTablesAreRebuiltFromTheStore) {
  ASSERT_EQ(Start(Write(database_, true, 0))->Wait().code, 0) << Log();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(database_.c_str(), &db), SQLITE_OK);
  for (const char* table : {"state", "state_history", "state_bodies"}) {
    sqlite3_exec(db, absl::StrCat("DROP TABLE _tidemark_", table).c_str(), nullptr, nullptr,
                 nullptr);
  }
  sqlite3_close(db);
  // Only the store has a copy.
  std::filesystem::remove_all(database_ + ".state-backups");
  const std::string before = Rows(database_, "sum(_tidemark_synced) || ' ' || count(*)");
  ASSERT_EQ(Start(Write(database_, true, 0))->Wait().code, 0) << Log();
  EXPECT_THAT(Log(), HasSubstr(Store()->Describe()));
  EXPECT_EQ(CursorOf(*Authority()), kRows);
  EXPECT_EQ(Rows(database_, "sum(_tidemark_synced) || ' ' || count(*)"), before) << "read again";
  ExpectTogether(true);
}

TEST_P(StoreServerTest, AServerThatIsAwayWarnsWhereThatIsConfigured) {
  const std::string there = address_;
  address_ = type_ == "redis" ? absl::StrCat("unix:", folder_, "/nobody.sock")
                              : absl::StrCat("postgresql:///postgres?host=", folder_);
  const std::string warn = "  recovery: {on_checkpoint_failure: warn}\n";
  auto run = Start(Write(database_, true, 0, warn));
  EXPECT_EQ(run->Wait().code, 3) << Log();  // partial
  EXPECT_THAT(Log(), HasSubstr("the source is not told"));
  Ledger ledger(ledger_path_);
  ledger.Refresh();
  EXPECT_EQ(ledger.durable(), -1) << "Invariant I2";
  address_ = there;
  ASSERT_EQ(Start(Write(database_, true, 0))->Wait().code, 0) << Log();
  ExpectTogether(true);
  ExpectRowsOfAnUnkilledRun();
}

// K5 with whole programs: a stopped run, a second one that takes over, the first one wakes up.
TEST_P(StoreServerTest, AStoppedRunThatWakesUpCommitsNothing) {
  const std::string file = Write(database_, true, 200'000);
  Ledger ledger(ledger_path_);
  auto zombie = Start(file);
  while (zombie->Running() && ledger.durable() < kCheckpointRows) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ledger.Refresh();
  }
  zombie->Kill(SIGSTOP);
  const std::string second = Write(database_, true, 0);
  auto refused = Start(second);
  EXPECT_NE(refused->Wait().code, 0) << "somebody works on it";
  auto taken = Start(second, {"--take-over", "--yes"});
  ASSERT_EQ(taken->Wait().code, 0) << Log();
  const std::string before = Rows(database_, "sum(_tidemark_synced) || ' ' || count(*)");
  zombie->Kill(SIGCONT);
  EXPECT_EQ(zombie->Wait().code, 1) << Log();
  EXPECT_THAT(Log(), HasSubstr("FENCED"));
  EXPECT_EQ(Rows(database_, "sum(_tidemark_synced) || ' ' || count(*)"), before);
  ExpectTogether(true);
  ExpectRowsOfAnUnkilledRun();
}

}  // namespace
}  // namespace tidemark::test
