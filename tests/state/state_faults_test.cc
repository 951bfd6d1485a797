// C1: flipped bits in every column of the state and in the pages it stands on. C2: pages and files
// that are cut, zeroed, swapped, deleted, restored or of another history. Whatever is not noticed
// must not have mattered: the rows are those of the source afterwards.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/faults/fault_suite.h"
#include "tests/state/damaged_warehouse.h"

namespace tidemark::test {
namespace {

constexpr size_t kPage = 4096;

struct KeyedTable {
  const char* name;
  std::vector<const char*> key;
};
const KeyedTable kTables[] = {
    {"_tidemark_state_history", {"connection", "entry", "version"}},
    {"_tidemark_state_bodies", {"connection", "entry", "body_hash"}},
    {"_tidemark_state", {"connection", "entry"}},
    {"_tidemark_connections", {"connection"}},
    {"_tidemark_meta", {}},
};

class StateFaultsTest : public ::testing::Test {
 protected:
  using Random = std::mt19937_64;

  StateFaultsTest() {
    for (uint64_t i = 1; i <= 3; ++i) {
      source_.Change(12, i);
      EXPECT_TRUE(warehouse_.Run(source_).status.ok());
      if (i == 2) older_ = Whole();
    }
    base_ = Whole();
    pages_ = StatePages();
    source_.Change(10, 4);
  }

  std::string Whole() {
    warehouse_.Settle();
    return warehouse_.Bytes();
  }
  void Restore(const std::string& bytes) {
    std::filesystem::remove_all(warehouse_.path() + ".state-backups");
    warehouse_.SetBytes(bytes);
  }

  // Pages of the state's tables and their indexes, from 0.
  std::vector<size_t> StatePages() {
    std::vector<size_t> pages;
    for (const auto& row : warehouse_.Query(
             "SELECT CAST(pageno AS TEXT) FROM dbstat WHERE name LIKE '%_tidemark_state%' OR name "
             "LIKE '%_tidemark_connections%' OR name LIKE '%_tidemark_meta%'")) {
      pages.push_back(std::stoul(row[0]) - 1);
    }
    EXPECT_FALSE(pages.empty());
    return pages;
  }

  // Two runs after the damage, and what became of the rows. Whether anything was said.
  bool Judge(FaultSuite* suite, const std::string& what) {
    ++suite->tried;
    ++suite->hit;
    LoggedSource source = source_;
    Play play = source.MakePlay(5);
    const Started first = warehouse_.Run(play);
    bool noticed = !first.status.ok() || !first.warnings.empty();
    if (first.status.ok()) {
      source.Change(5, 5);
      Play again = source.MakePlay(5);
      const Started second = warehouse_.Run(again);
      noticed = noticed || !second.status.ok() || !second.warnings.empty();
      if (!second.status.ok()) return true;
      const RowDifference difference = warehouse_.Compare(source);
      suite->lost += difference.lost;
      suite->duplicated += difference.extra;
      suite->stale += difference.stale;
      if (difference.total() > 0) {
        if (!noticed) ++suite->silent;
        ADD_FAILURE() << what << ": " << difference.lost << " rows lost, " << difference.extra
                      << " too many, " << difference.stale << " stale, "
                      << (noticed ? first.warnings.front() : std::string("without a word"));
      }
    }
    noticed_ += noticed ? 1 : 0;
    return noticed;
  }

  bool FlipValue(Random& random, std::string* what);
  void FlipByte(Random& random, std::string* what);

  DamagedWarehouse warehouse_;
  LoggedSource source_{"crm"};
  std::string base_;
  std::string older_;
  std::vector<size_t> pages_;
  uint64_t noticed_ = 0;
};

std::string Literal(const std::string& bytes, bool text) {
  std::string hex = "x'";
  for (const char c : bytes)
    absl::StrAppend(&hex, absl::Hex(static_cast<uint8_t>(c), absl::kZeroPad2));
  return text ? absl::StrCat("CAST(", hex, "' AS TEXT)") : hex + "'";
}

// One bit of one value of one row; false: the row took it back (a key that is taken).
bool StateFaultsTest::FlipValue(Random& random, std::string* what) {
  const KeyedTable& table = kTables[random() % std::size(kTables)];
  const auto columns =
      warehouse_.Query(absl::StrCat("SELECT name FROM pragma_table_info('", table.name, "')"));
  const std::string column = columns[random() % columns.size()][0];
  const uint64_t rows =
      std::stoull(warehouse_.Number(absl::StrCat("SELECT count(*) FROM ", table.name)));
  std::string key = "SELECT typeof(";
  absl::StrAppend(&key, column, "), CAST(", column, " AS BLOB)");
  for (const char* name : table.key) absl::StrAppend(&key, ", quote(", name, ")");
  const auto row = warehouse_.Query(
      absl::StrCat(key, " FROM ", table.name, " LIMIT 1 OFFSET ", random() % rows));
  const std::string& type = row[0][0];
  std::string value;
  if (type == "integer") {
    const int64_t number = std::stoll(row[0][1]);
    value = absl::StrCat(
        static_cast<int64_t>(static_cast<uint64_t>(number) ^ (uint64_t{1} << random() % 64)));
  } else if (type == "null") {
    value = absl::StrCat(random() % 1000);
  } else {
    std::string bytes = row[0][1];
    if (bytes.empty()) bytes.push_back('\0');
    bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    value = Literal(bytes, type == "text");
  }
  std::string where = " WHERE 1";
  for (size_t i = 0; i < table.key.size(); ++i) {
    absl::StrAppend(&where, " AND ", table.key[i], " = ", row[0][2 + i]);
  }
  *what = absl::StrCat(table.name, ".", column, " := ", value, where);
  warehouse_.Sql(
      absl::StrCat("UPDATE OR IGNORE ", table.name, " SET ", column, " = ", value, where));
  return Whole() != base_;
}

// One bit of a page of the state.
void StateFaultsTest::FlipByte(Random& random, std::string* what) {
  std::string bytes = base_;
  const size_t at = pages_[random() % pages_.size()] * kPage + random() % kPage;
  bytes[at] ^= static_cast<char>(1 << random() % 8);
  *what = absl::StrCat("byte ", at);
  warehouse_.SetBytes(bytes);
}

TEST_F(StateFaultsTest, C1EveryFlippedBitIsNoticedOrDoesNotMatter) {
  FaultSuite suite("C1", 60);
  suite.want = suite.cases() / 2;
  for (uint64_t i = 0; i < suite.cases(); ++i) {
    Random random(suite.seed() * 1'000'003 + i);
    Restore(base_);
    warehouse_.settings.reset_on_corruption = random() % 2 == 0;
    std::string what;
    const bool byte = random() % 3 == 0;
    if (byte) {
      FlipByte(random, &what);
    } else if (!FlipValue(random, &what)) {
      ++suite.tried;
      continue;
    }
    const bool noticed = Judge(&suite, absl::StrCat("case ", i, ", ", what));
    // Not a value of a version, its body or its head may change unseen. Of the holder's row nothing
    // is read back but the epoch, which only has to differ.
    const bool harmless = byte || absl::StartsWith(what, "_tidemark_connections.");
    EXPECT_TRUE(noticed || harmless) << what;
  }
  EXPECT_TRUE(suite.Clean());
  EXPECT_GT(noticed_, suite.hit / 3) << "most of it matters";
  std::printf("noticed %llu of %llu\n", static_cast<unsigned long long>(noticed_),
              static_cast<unsigned long long>(suite.hit));
}

// The same history up to the older backup, then another one: its state tables alone are put in.
void PutForkedState(DamagedWarehouse& warehouse, const std::string& branch) {
  warehouse.Sql(absl::StrCat("ATTACH '", branch, R"(' AS branch;
    DELETE FROM main._tidemark_state;
    DELETE FROM main._tidemark_state_history;
    DELETE FROM main._tidemark_state_bodies;
    INSERT INTO main._tidemark_state SELECT * FROM branch._tidemark_state;
    INSERT INTO main._tidemark_state_history SELECT * FROM branch._tidemark_state_history;
    INSERT INTO main._tidemark_state_bodies SELECT * FROM branch._tidemark_state_bodies;)"));
}

TEST_F(StateFaultsTest, C2NoCutZeroedSwappedStaleOrForkedFileStartsSilentlyWrong) {
  FaultSuite suite("C2", 28);
  suite.want = suite.cases();
  for (uint64_t i = 0; i < suite.cases(); ++i) {
    Random random(suite.seed() * 1'000'003 + i);
    Restore(base_);
    warehouse_.settings.reset_on_corruption = random() % 2 == 0;
    std::string bytes = base_;
    const size_t page = pages_[random() % pages_.size()];
    std::string what;
    switch (i % 7) {
      case 0:
        bytes.resize(random() % bytes.size());
        what = absl::StrCat("cut to ", bytes.size());
        break;
      case 1:
        bytes.replace(page * kPage, kPage, kPage, '\0');
        what = absl::StrCat("page ", page + 1, " zeroed");
        break;
      case 2: {
        const size_t other = pages_[random() % pages_.size()];
        for (size_t at = 0; at < kPage; ++at) {
          std::swap(bytes[page * kPage + at], bytes[other * kPage + at]);
        }
        what = absl::StrCat("pages ", page + 1, " and ", other + 1, " swapped");
        break;
      }
      case 3: {  // what is in the log only is gone with it
        sqlite3* reader = nullptr;
        ASSERT_EQ(SQLITE_OK, sqlite3_open(warehouse_.path().c_str(), &reader));
        sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM item", nullptr, nullptr, nullptr);
        LoggedSource source = source_;
        Play play = source.MakePlay(5);
        EXPECT_TRUE(warehouse_.Run(play).status.ok());
        bytes = warehouse_.Bytes();
        sqlite3_close(reader);
        what = "log deleted";
        break;
      }
      case 4:
        bytes = older_;
        what = "older file restored";
        break;
      default:
        what = "state of another history";
        break;
    }
    if (i % 7 < 5) {
      warehouse_.SetBytes(bytes);
    } else {  // the branch goes on from the older file, further than this one
      const std::string branch = warehouse_.path() + ".branch";
      Restore(older_);
      LoggedSource source = source_;
      Play play = source.MakePlay(i % 7 == 5 ? 1 : 4);
      EXPECT_TRUE(warehouse_.Run(play).status.ok());
      warehouse_.Settle();
      std::filesystem::rename(warehouse_.path(), branch);
      Restore(base_);
      PutForkedState(warehouse_, branch);
      std::filesystem::remove(branch);
    }
    const bool noticed = Judge(&suite, absl::StrCat("case ", i, ", ", what));
    const bool must = i % 7 >= 5;  // a page may belong to a table that nobody reads
    EXPECT_TRUE(noticed || !must) << "case " << i << ", " << what;
  }
  EXPECT_TRUE(suite.Clean());
}

}  // namespace
}  // namespace tidemark::test
