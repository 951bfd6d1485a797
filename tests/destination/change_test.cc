// What each change does to a table, how it is counted, and that replaying changes nothing.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/destination/destination_conformance.h"

namespace tidemark {
namespace {

class DestinationChangeTest : public DestinationConformanceTest {};

struct Case {
  const char* name;
  std::vector<Change> before;  // committed first
  std::vector<Change> changes;
  std::string counts;  // of `changes`
  std::string rows;    // id|name|amount|deleted; hard deletes: without deleted
  DeleteMode deletes = DeleteMode::kSoft;
};

Change Snapshot(int64_t id, const char* name, int64_t amount) {
  Change change = Upsert(id, name, amount);
  change.kind = ChangeKind::kSnapshot;
  return change;
}

const std::vector<Case> kCases = {
    {"upserts tell inserted, updated and unchanged apart",
     {Upsert(1, "a", 1), Upsert(2, "b", 2)},
     {Upsert(1, "a", 1), Upsert(2, "b", 3), Upsert(3, nullptr, 0)},
     "inserted 1, updated 1, unchanged 1",
     "1|a|1|0\n2|b|3|0\n3|NULL|0|0\n"},
    {"an upsert replaces a value by NULL",
     {Upsert(1, "a", 1)},
     {Upsert(1, nullptr, 1)},
     "updated 1",
     "1|NULL|1|0\n"},
    {"order is kept per key",
     {},
     {Upsert(1, "a", 1), Upsert(1, "b", 2), Delete(1), Upsert(1, "c", 3)},
     "inserted 1, updated 2, deleted 1",
     "1|c|3|0\n"},
    {"an update changes only what it names",
     {Upsert(1, "a", 1)},
     {Update(1, 5)},
     "updated 1",
     "1|a|5|0\n"},
    {"an update with equal values is unchanged",
     {Upsert(1, "a", 1)},
     {Update(1, 1)},
     "unchanged 1",
     "1|a|1|0\n"},
    {"an update of no row is missing, never half a row", {}, {Update(1, 5)}, "missing 1", ""},
    {"an update does not revive a deleted row",
     {Upsert(1, "a", 1), Delete(1)},
     {Update(1, 5)},
     "updated 1",
     "1|a|5|1\n"},
    {"a delete is soft", {Upsert(1, "a", 1)}, {Delete(1)}, "deleted 1", "1|a|1|1\n"},
    {"deleting twice is unchanged",
     {Upsert(1, "a", 1), Delete(1)},
     {Delete(1)},
     "unchanged 1",
     "1|a|1|1\n"},
    {"deleting no row is missing", {}, {Delete(1)}, "missing 1", ""},
    {"an upsert revives a deleted row",
     {Upsert(1, "a", 1), Delete(1)},
     {Upsert(1, "a", 1)},
     "updated 1",
     "1|a|1|0\n"},
    {"a hard delete removes the row",
     {Upsert(1, "a", 1)},
     {Delete(1), Delete(1)},
     "deleted 1, missing 1",
     "",
     DeleteMode::kHard},
    {"a snapshot row of a missing key is inserted",
     {},
     {Snapshot(1, "a", 1)},
     "inserted 1",
     "1|a|1|0\n"},
    {"a snapshot row never overwrites what this sync wrote",
     {Upsert(1, "new", 2)},
     {Snapshot(1, "old", 1)},
     "superseded 1",
     "1|new|2|0\n"},
    {"a snapshot row never resurrects",
     {Upsert(1, "a", 1), Delete(1)},
     {Snapshot(1, "a", 1)},
     "superseded 1",
     "1|a|1|1\n"},
    {"a key change keeps values that were not sent",
     {Upsert(1, "a", 1)},
     {Move(1, 2)},
     "updated 1",
     "2|a|1|0\n"},
    {"a key change sets what was sent",
     {Upsert(1, "a", 1)},
     {Move(1, 2, Value::Int64(9))},
     "updated 1",
     "2|a|9|0\n"},
    {"a key change onto a deleted row removes that first",
     {Upsert(1, "a", 1), Upsert(2, "b", 2), Delete(2)},
     {Move(1, 2)},
     "updated 1",
     "2|a|1|0\n"},
    {"a key change onto a live row replaces it",
     {Upsert(1, "a", 1), Upsert(2, "b", 2)},
     {Move(1, 2)},
     "superseded 1",
     "2|a|1|0\n"},
    {"a key change of no row is missing", {}, {Move(1, 2)}, "missing 1", ""},
    {"a replayed key change finds its row at the new key",
     {Upsert(1, "a", 1), Move(1, 2)},
     {Move(1, 2)},
     "unchanged 1",
     "2|a|1|0\n"},
    {"a deleted row never replaces a live one",
     {Upsert(1, "a", 1), Delete(1), Upsert(2, "b", 2)},
     {Move(1, 2)},
     "unchanged 1",
     "1|a|1|1\n2|b|2|0\n"},
    {"a swap inside a batch keeps both rows",
     {Upsert(1, "a", 1), Upsert(2, "b", 2)},
     {Move(1, 2), Move(2, 1)},
     "updated 2",
     "1|b|2|0\n2|a|1|0\n"},
    {"shifted keys keep every row",
     {Upsert(1, "a", 1), Upsert(2, "b", 2), Upsert(3, "c", 3)},
     {Move(1, 2), Move(2, 3), Move(3, 4)},
     "updated 3",
     "2|a|1|0\n3|b|2|0\n4|c|3|0\n"},
    {"a ring of three",
     {Upsert(1, "a", 1), Upsert(2, "b", 2), Upsert(3, "c", 3)},
     {Move(1, 2), Move(2, 3), Move(3, 1)},
     "updated 3",
     "1|c|3|0\n2|a|1|0\n3|b|2|0\n"},
    {"a key change with every value needs no old row",
     {},
     {MoveWhole(1, 2, "a", 1)},
     "inserted 1",
     "2|a|1|0\n"},
    {"a key change with every value moves its row",
     {Upsert(1, "a", 1)},
     {MoveWhole(1, 2, "b", 2)},
     "updated 1",
     "2|b|2|0\n"},
    {"without its old row it replaces a live one",
     {Upsert(2, "b", 2)},
     {MoveWhole(1, 2, "a", 1), MoveWhole(1, 2, "a", 1)},
     "updated 1, unchanged 1",
     "2|a|1|0\n"},
    {"without its old row it revives a deleted one",
     {Upsert(2, "b", 2), Delete(2)},
     {MoveWhole(1, 2, "a", 1)},
     "updated 1",
     "2|a|1|0\n"},
    {"a deleted old row is no old row",
     {Upsert(1, "a", 1), Delete(1)},
     {MoveWhole(1, 2, "b", 2)},
     "inserted 1",
     "1|a|1|1\n2|b|2|0\n"},
    {"nor does it keep a live row from its new values",
     {Upsert(1, "a", 1), Delete(1), Upsert(2, "b", 2)},
     {MoveWhole(1, 2, "c", 3)},
     "updated 1",
     "1|a|1|1\n2|c|3|0\n"},
    {"with a value left out it is missing, never half a row",
     {},
     {Move(1, 2, Value::Int64(9))},
     "missing 1",
     ""},
    {"hard deletes: a key change with every value needs no old row",
     {},
     {MoveWhole(1, 2, "a", 1)},
     "inserted 1",
     "2|a|1\n",
     DeleteMode::kHard},
    {"a row that moves twice, of which none came",
     {},
     {MoveWhole(1, 2, "a", 1), MoveWhole(2, 3, "b", 2)},
     "inserted 1, updated 1",
     "3|b|2|0\n"},
    {"a row that moves twice, again",
     {Upsert(3, "b", 2)},
     {MoveWhole(1, 2, "a", 1), MoveWhole(2, 3, "b", 2)},
     "inserted 1, superseded 1",
     "3|b|2|0\n"},
    {"a row that took the old key since stays when all comes again",
     {Upsert(2, "a", 1), Upsert(1, "new", 9)},
     {MoveWhole(1, 2, "a", 1), Upsert(1, "new", 9)},
     "inserted 1, superseded 1",
     "1|new|9|0\n2|a|1|0\n"},
    {"a swap with every value",
     {Upsert(1, "a", 1), Upsert(2, "b", 2)},
     {MoveWhole(1, 2, "a", 1), MoveWhole(2, 1, "b", 2)},
     "updated 2",
     "1|b|2|0\n2|a|1|0\n"},
    {"a swap with one sequence",
     {Upsert(1, "a", 1), Upsert(2, "b", 2)},
     {MoveWhole(1, 2, "a", 1, 7), MoveWhole(2, 1, "b", 2, 7)},
     "updated 2",
     "1|b|2|0\n2|a|1|0\n"},
    // Of a first read that met the row at each of its keys.
    {"by its sequences, a row that moves twice is no swap",
     {Upsert(1, "a", 1), Upsert(2, "a", 1), Upsert(3, "a", 1)},
     {MoveWhole(1, 2, "a", 1, 7), MoveWhole(2, 3, "a", 1, 8)},
     "superseded 2",
     "3|a|1|0\n"},
    {"a swap before the row moves on",
     {Upsert(1, "a", 1), Upsert(2, "b", 2)},
     {MoveWhole(1, 2, "a", 1, 7), MoveWhole(2, 1, "b", 2, 7), MoveWhole(2, 3, "a", 1, 8)},
     "updated 3",
     "1|b|2|0\n3|a|1|0\n"},
    {"the smallest key is no sentinel",
     {},
     {Upsert(INT64_MIN, "a", 1), Upsert(INT64_MIN, "a", 1), Upsert(INT64_MIN + 1, "b", 1),
      Upsert(INT64_MAX, "c", 1)},
     "inserted 3, unchanged 1",
     "-9223372036854775808|a|1|0\n-9223372036854775807|b|1|0\n9223372036854775807|c|1|0\n"},
};

TEST_P(DestinationChangeTest, ChangesDoAndCountAsPromised) {
  // Integer keys that are SQLite's rowid, and text keys that are not.
  int number = 0;
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.name);
    TargetTable target = People();
    target.name = target.source_name = absl::StrCat("people", number++);
    target.deletes = one.deletes;
    Write(target, one.before, "before");
    EXPECT_EQ(one.counts, CountsText(Write(target, one.changes, "after")));
    EXPECT_TRUE(refused_.empty());
    EXPECT_EQ(one.rows, Rows(target.name));
  }
}

// The same with a key of two columns, of which one is text.
TEST_P(DestinationChangeTest, ChangesDoTheSameUnderACompositeKey) {
  int number = 0;
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.name);
    TargetTable target = People();
    target.name = target.source_name = absl::StrCat("pairs", number++);
    target.deletes = one.deletes;
    target.columns.insert(target.columns.begin(), KeyColumn("region", Declared(DataType::kString)));
    auto widened = [](std::vector<Change> changes) {
      for (Change& change : changes) {
        change.values.insert(change.values.begin(), Value::String("north"));
        if (change.before.empty()) continue;
        change.before.insert(change.before.begin(), Value::String("north"));
      }
      return changes;
    };
    Write(target, widened(one.before), "before");
    EXPECT_EQ(one.counts, CountsText(Write(target, widened(one.changes), "after")));
    std::string rows = Rows(target.name);
    std::vector<std::string> sorted = absl::StrSplit(rows, '\n', absl::SkipEmpty());
    std::vector<std::string> expected = absl::StrSplit(one.rows, '\n', absl::SkipEmpty());
    for (std::string& row : expected) row = absl::StrCat("north|", row);
    std::sort(sorted.begin(), sorted.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(expected, sorted);
  }
}

// Invariant I4, for whole batches that are applied again.
TEST_P(DestinationChangeTest, ReplayedUpsertsAndDeletesChangeNothing) {
  const std::vector<Change> changes = {Upsert(1, "a", 1), Upsert(2, "b", 2), Delete(2),
                                       Update(1, 7)};
  Write(People(), changes, "1");
  const std::string rows = Rows("people");
  Write(People(), {Upsert(1, "a", 7), Delete(2), Update(1, 7)}, "2");
  EXPECT_EQ(rows, Rows("people"));
}

TEST_P(DestinationChangeTest, LongRunsAreCountedLikeSingleRows) {
  std::vector<Change> changes;
  changes.reserve(2000);
  for (int i = 0; i < 2000; ++i) changes.push_back(Upsert(i, "a", i));
  EXPECT_EQ("inserted 2000", CountsText(Write(People(), changes, "1")));
  for (int i = 0; i < 2000; i += 2)
    changes[static_cast<size_t>(i)].values[2] = Value::Int64(-i - 1);
  for (int i = 2000; i < 2500; ++i) changes.push_back(Upsert(i, "a", i));
  for (int i = 2000; i < 2500; ++i) changes.push_back(Upsert(i, "b", i));
  EXPECT_EQ("inserted 500, updated 1500, unchanged 1000",
            CountsText(Write(People(), changes, "2")));
}

TEST_P(DestinationChangeTest, TimeOfWritingMovesOnlyWhenARowChanges) {
  Write(People(), {Upsert(1, "a", 1), Upsert(2, "b", 2)}, "1", {1'000'000, false});
  Write(People(), {Upsert(1, "a", 1), Upsert(2, "b", 3)}, "2", {2'000'000, false});
  auto synced = [this] {
    auto reader = GetParam().read(folder_.path());
    auto page = (*reader)->Rows("people", 10);
    const size_t column =
        static_cast<size_t>(std::find(page->columns.begin(), page->columns.end(), kSyncedColumn) -
                            page->columns.begin());
    std::string text;
    for (const auto& row : page->rows) absl::StrAppend(&text, *row[column], " ");
    return text;
  };
  EXPECT_EQ("1970-01-01T00:00:01.000000Z 1970-01-01T00:00:02.000000Z ", synced());
  // While a truncate waits, equal rows move it too.
  EXPECT_EQ("unchanged 2",
            CountsText(Write(People(), {Upsert(1, "a", 1), Update(2, 3)}, "3", {3'000'000, true})));
  EXPECT_EQ("1970-01-01T00:00:03.000000Z 1970-01-01T00:00:03.000000Z ", synced());
}

TEST_P(DestinationChangeTest, ASnapshotRowIsRefusedWhereDeletesAreHard) {
  TargetTable target = People();
  target.deletes = DeleteMode::kHard;
  Write(target, {Upsert(1, "a", 1), Delete(1)}, "1");
  auto transaction = destination_->Begin();
  auto handle = (*transaction)->EnsureTable(target, &schema_changes_);
  const ChangeBatch batch = Batch(*handle, {Snapshot(1, "a", 1)});
  ChangeCounts counts;
  std::vector<RefusedRow> refused;
  const absl::Status status = (*transaction)->Apply(batch, {}, &counts, &refused);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ("", Rows(target.name));
}

TEST_P(DestinationChangeTest, ATruncateDeletesWhatWasNotWrittenSince) {
  for (const DeleteMode mode : {DeleteMode::kSoft, DeleteMode::kHard}) {
    TargetTable target = People();
    target.name = target.source_name = mode == DeleteMode::kSoft ? "soft" : "hard";
    target.deletes = mode;
    Write(target, {Upsert(1, "a", 1), Upsert(2, "b", 2), Upsert(3, "c", 3), Delete(3)}, "1",
          {1'000'000, false});
    auto transaction = destination_->Begin();
    auto handle = (*transaction)->EnsureTable(target, &schema_changes_);
    ASSERT_TRUE((*transaction)->SetTruncateBefore(*handle, 2'000'000).ok());
    ASSERT_TRUE((*transaction)->Commit(Request("2", {})).ok());
    ++version_;
    Reopen();
    ASSERT_FALSE(acquired_.tables.empty());
    bool found = false;
    for (const StoredTable& table : acquired_.tables) {
      found = found || (table.table.name == target.name && table.truncate_before_us == 2'000'000);
    }
    EXPECT_TRUE(found);
    Write(target, {Upsert(1, "a", 1)}, "3", {2'000'000, true});
    transaction = destination_->Begin();
    handle = (*transaction)->EnsureTable(target, &schema_changes_);
    auto deleted = (*transaction)->DeleteWrittenBefore(*handle, 2'000'000, 2'000'001);
    ASSERT_TRUE(deleted.ok()) << deleted.status();
    EXPECT_EQ(1u, *deleted);
    ASSERT_TRUE((*transaction)->SetTruncateBefore(*handle, std::nullopt).ok());
    ASSERT_TRUE((*transaction)->Commit(Request("4", {})).ok());
    ++version_;
    EXPECT_EQ(mode == DeleteMode::kSoft ? "1|a|1|0\n2|b|2|1\n3|c|3|1\n" : "1|a|1\n",
              Rows(target.name));
  }
}

TEST_P(DestinationChangeTest, OlderRowsAreSupersededUnderAStaleGuard) {
  TargetTable target = People();
  target.stale_guard = 2;
  Write(target, {Upsert(1, "a", 5), Upsert(2, "b", 5)}, "1");
  Change unknown = Upsert(2, "d", 0);
  unknown.values[2] = Value::Null();
  EXPECT_EQ("updated 2, unchanged 1, superseded 2",
            CountsText(Write(
                target,
                {Upsert(1, "old", 4), Upsert(1, "a", 5), Upsert(1, "b", 5), Update(1, 3), unknown},
                "2")));
  EXPECT_EQ("1|b|5|0\n2|d|NULL|0\n", Rows("people"));
}

// A log that comes again (Invariant I4): its delete meets a newer row than it once deleted.
TEST_P(DestinationChangeTest, UnderAStaleGuardADeletedRowComesBack) {
  TargetTable target = People();
  target.stale_guard = 2;
  Write(target, {Upsert(1, "b", 5)}, "1");
  EXPECT_EQ("updated 2, deleted 1, superseded 1",
            CountsText(Write(
                target, {Upsert(1, "a", 3), Delete(1), Upsert(1, "b", 4), Update(1, 5)}, "2")));
  EXPECT_EQ("1|b|5|0\n", Rows("people"));
}

TEST_P(DestinationChangeTest, ASnapshotRowReplacesWhatATruncateMadeGone) {
  Write(People(), {Upsert(1, "before", 1)}, "1");
  ApplyOptions truncated;
  truncated.touch_unchanged = true;
  truncated.truncate_before_us = ++synced_us_;
  EXPECT_EQ("updated 1, superseded 1",
            CountsText(Write(People(), {Snapshot(1, "after", 2), Snapshot(1, "older", 3)}, "2",
                             truncated)));
  EXPECT_EQ("1|after|2|0\n", Rows("people"));
}

// Invariant I4 beside a truncate: the rows before it are not the source's any more.
TEST_P(DestinationChangeTest, KeyChangesWithEveryValueSurviveATruncate) {
  TargetTable target = People();
  Write(target, {Upsert(1, "stale", 0), Upsert(2, "stale", 0), Upsert(4, "stale", 0)}, "1");
  ApplyOptions truncated;
  truncated.touch_unchanged = true;
  truncated.truncate_before_us = ++synced_us_;
  EXPECT_EQ("inserted 1, updated 2",
            CountsText(Write(target,
                             {MoveWhole(9, 2, "onto a stale row", 1),
                              MoveWhole(1, 3, "from one", 2), MoveWhole(8, 5, "of none", 3)},
                             "2", truncated)));
  auto transaction = destination_->Begin();
  auto handle = (*transaction)->EnsureTable(target, &schema_changes_);
  auto deleted =
      (*transaction)->DeleteWrittenBefore(*handle, truncated.truncate_before_us, ++synced_us_);
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(1u, *deleted);
  ASSERT_TRUE((*transaction)->Commit(Request("3", {})).ok());
  EXPECT_EQ("2|onto a stale row|1|0\n3|from one|2|0\n4|stale|0|1\n5|of none|3|0\n", Rows("people"));
}

TEST_P(DestinationChangeTest, WithoutAnOldRowTheStaleGuardLooksAtAKeyChange) {
  TargetTable target = People();
  target.stale_guard = 2;
  Write(target, {Upsert(2, "newer", 5)}, "1");
  EXPECT_EQ("updated 1, superseded 1",
            CountsText(Write(target, {MoveWhole(1, 2, "older", 4), MoveWhole(1, 2, "b", 6)}, "2")));
  EXPECT_EQ("2|b|6|0\n", Rows("people"));
}

TEST_P(DestinationChangeTest, ARowThatIsRefusedLeavesTheOthers) {
  Change no_key = Upsert(2, "b", 2);
  no_key.values[0] = Value::Null();
  std::vector<Change> changes;
  changes.reserve(30);
  for (int i = 10; i < 40; ++i) changes.push_back(Upsert(i, "a", i));
  changes.insert(changes.begin() + 15, no_key);
  EXPECT_EQ("inserted 30", CountsText(Write(People(), changes, "1")));
  ASSERT_EQ(1u, refused_.size());
  EXPECT_EQ(15u, refused_[0].row);
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, refused_[0].status.code());
}

TEST_P(DestinationChangeTest, RepeatedRowsOfATableWithoutAKeyCollapse) {
  TargetTable target = Table("log", {KeyColumn(kIdColumn, Declared(DataType::kString)),
                                     ValueColumn("text", Declared(DataType::kString))});
  auto line = [](const char* id) {
    return Change{ChangeKind::kUpsert, {Value::String(id), Value::String("x")}};
  };
  EXPECT_EQ("inserted 2, unchanged 1, collapsed 1",
            CountsText(Write(target, {line("h1"), line("h1"), line("h2")}, "1")));
}

// Their updates carry every value: what the old row was does not matter.
TEST_P(DestinationChangeTest, UpdatesWithoutAKeyNeedNoOldRow) {
  TargetTable target = Table("log", {KeyColumn(kIdColumn, Declared(DataType::kString)),
                                     ValueColumn("text", Declared(DataType::kString))});
  const auto changed = [](const char* from, const char* to) {
    Change change = {ChangeKind::kUpdate, {Value::String(to), Value::String(to)}};
    if (from != nullptr) change.before = {Value::String(from), Value::Unchanged()};
    return change;
  };
  EXPECT_EQ("inserted 2, updated 1, unchanged 1, collapsed 1",
            CountsText(Write(target,
                             {changed("h1", "h2"), changed(nullptr, "h3"), changed("h3", "h4"),
                              changed("h1", "h2")},
                             "1")));
  EXPECT_EQ("h2|h2|0\nh4|h4|0\n", Rows("log"));
}

INSTANTIATE_TEST_SUITE_P(All, DestinationChangeTest, DestinationKinds(), KindName);

}  // namespace
}  // namespace tidemark
