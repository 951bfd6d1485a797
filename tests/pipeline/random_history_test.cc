// Random histories of a source, read with random batches, checkpoints, pauses, failures and
// refused commits: the destination ends as the source, and every change is accounted for.
// TIDEMARK_SEED and TIDEMARK_HISTORIES choose others.
#include <gmock/gmock.h>

#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "pipeline/value_conversion.h"
#include "tests/pipeline/source_history.h"
#include "tests/pipeline/sync_fixture.h"

namespace tidemark {
namespace {

using ::testing::ElementsAreArray;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  uint64_t value = 0;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

// Equal as numbers where both are numbers: 1 became 1.0 in a DOUBLE column.
std::string Comparable(const std::string& text) {
  return IsDecimal(text) ? CanonicalDecimal(text) : text;
}

class RandomHistoryTest : public SyncFixture {
 protected:
  // Attempts of one sync over `history`: from the position in the state to the end, or to a
  // failure on the way.
  Moves Attempt(SourceHistory& history, const UpdateStart& start) {
    size_t position = 0;
    for (const StateEntry& state : start.states) {
      EXPECT_TRUE(absl::SimpleAtoi(state.body, &position));
    }
    const auto& changes = history.changes();
    Moves moves;
    uint64_t checkpoint = 0;
    std::vector<TableRows> since = {{0, 0}, {1, 0}};
    const size_t fails_at = history.Pick(3) == 0 ? position + history.Pick(40) : changes.size() + 1;
    while (position < changes.size()) {
      if (position >= fails_at) {
        moves.push_back(Done(absl::UnavailableError("the source is busy")));
        return moves;
      }
      const uint32_t table = changes[position].table;
      const uint64_t most = 1 + history.Pick(8);
      Rows rows(table, table == 0 ? 3 : 1);
      for (uint64_t n = 0; n < most && position < changes.size(); ++n, ++position) {
        if (changes[position].table != table) break;
        ++since[table].rows;
        std::move(rows).Add(changes[position].kind, changes[position].row);
        if (changes[position].before) std::move(rows).Before(*changes[position].before);
      }
      moves.push_back(Say(std::move(rows)));
      const uint64_t dice = history.Pick(20);
      if (dice < 8 || position == changes.size()) {
        moves.push_back(Mark(++checkpoint, absl::StrCat(position), since));
        since = {{0, 0}, {1, 0}};
      } else if (dice == 8) {
        moves.push_back(WaitFor(absl::Seconds(61)));
      } else if (dice == 9) {
        moves.push_back(Say(SourceEvent(FlushRequest())));
      } else if (dice < 12) {
        moves.push_back(WaitFor(absl::Milliseconds(1)));
      }
    }
    moves.push_back(Done());
    return moves;
  }

  void ExpectTruth(const SourceHistory& history) {
    std::vector<std::string> items;
    for (const auto& [id, item] : history.items()) {
      items.push_back(
          absl::StrCat(id, "|", item.first, "|",
                       item.second ? Comparable(CanonicalText(item.second->View())) : "NULL"));
    }
    std::vector<std::string> stored;
    for (const auto& row : Query("SELECT id, n, v FROM item WHERE _tidemark_deleted IS NOT 1 "
                                 "ORDER BY id")) {
      stored.push_back(absl::StrCat(row[0], "|", row[1], "|", Comparable(row[2])));
    }
    EXPECT_THAT(stored, ElementsAreArray(items));
    std::vector<std::string> lines(history.lines().begin(), history.lines().end());
    EXPECT_THAT(Live("log", "line"), ElementsAreArray(lines));
  }
};

TEST_F(RandomHistoryTest, DestinationEndsAsTheSource) {
  const uint64_t first = FromEnvironment("TIDEMARK_SEED", 1);
  const uint64_t histories = FromEnvironment("TIDEMARK_HISTORIES", 50);
  for (uint64_t seed = first; seed < first + histories; ++seed) {
    SCOPED_TRACE(absl::StrCat("TIDEMARK_SEED=", seed, " TIDEMARK_HISTORIES=1"));
    for (const char* file : {"", "-wal", "-shm"}) {
      std::remove(absl::StrCat(folder_, "/warehouse.db", file).c_str());
    }
    SourceHistory history(seed);
    options_.connection = absl::StrCat("shop ", seed);
    options_.retry.max_attempts = 1000;
    options_.group.rows = 1 + history.Pick(30);
    options_.group.when_idle = history.Pick(4) != 0;
    uint64_t commits = 0;
    watch_ = Watch();
    watch_.before_commit = [&](const CommitRequest&) {
      return history.Pick(12) == 0 ? absl::AbortedError("not committed") : absl::OkStatus();
    };
    uint64_t stored_sum = 0;
    for (int sync = 0; sync < 3; ++sync) {
      history.Grow(20 + history.Pick(60));
      Play play;
      play.tables = SourceHistory::Tables();
      play.script = [&](const UpdateStart& start) { return Attempt(history, start); };
      const SyncOutcome outcome = Run(play);
      ASSERT_EQ(outcome.status, SyncStatus::kCompleted)
          << outcome.error << " " << ::testing::PrintToString(outcome.warnings);
      ExpectTruth(history);
      // Invariant I5, by table and as stored with the versions.
      uint64_t received = 0;
      for (const TableOutcome& table : outcome.tables) {
        EXPECT_EQ(table.counts.Sum(), table.received) << table.table;
        EXPECT_EQ(table.sent, table.received) << table.table;
        received += table.received;
      }
      EXPECT_EQ(outcome.counts.Sum(), received);
      EXPECT_EQ(outcome.upserts + outcome.updates + outcome.deletes + outcome.truncates, received);
      stored_sum += received;
      commits += outcome.commits;
    }
    EXPECT_EQ(commits, watch_.commits.size());
    const auto sums = Query(
        "SELECT sum(inserted + updated + deleted + unchanged + superseded + missing + conflict + "
        "late_queue + dead_letter), count(*), max(version) FROM _tidemark_state_history");
    EXPECT_EQ(sums[0][0], absl::StrCat(stored_sum));
    EXPECT_EQ(sums[0][1], sums[0][2]) << "Invariant I3: versions without a gap";
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tidemark
