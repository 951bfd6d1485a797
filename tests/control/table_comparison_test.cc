// One table compared: what is found, what is read twice, what happens without order or keys.
#include "control/table_comparison.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/repair_source.h"

namespace tidemark {
namespace {

// key -> value; NULL where the value is empty.
using Rows = std::map<int64_t, std::string>;

Column MakeColumn(const std::string& name, DataType type, bool key) {
  Column column;
  column.name = name;
  column.type.type = type;
  column.type.declared = true;
  column.key = key;
  return column;
}

TableSchema MakeTable(uint32_t reads) {
  TableSchema table;
  table.name = "t";
  table.columns = {MakeColumn("id", DataType::kLong, true),
                   MakeColumn("name", DataType::kString, false)};
  table.reads = reads;
  return table;
}

// A connector whose table is a map. `before_read` is called with the number of the read.
class MapSource final : public ChangeSource {
 public:
  explicit MapSource(Rows rows) : rows(std::move(rows)) {}

  absl::StatusOr<ConnectorDescription> Describe() override {
    ConnectorDescription description;
    description.capabilities = kSourceTransactions | kCanRewind;
    return description;
  }
  absl::Status Check() override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<TableSchema>> Schema() override {
    return std::vector<TableSchema>{MakeTable(kReadKeys | kReadRanges)};
  }
  absl::Status ValidateState(absl::Span<const StateEntry>) override { return absl::OkStatus(); }
  absl::Status Start(const UpdateStart&) override { return absl::OkStatus(); }
  absl::Status StartRead(const ReadStart& start) override {
    if (before_read) before_read(++reads);
    batches_.clear();
    std::vector<int64_t> keys;
    if (start.mode == kReadKeys) {
      for (const Value& key : start.keys) keys.push_back(key.i64);
      keys_asked += keys.size();
    } else {
      for (const auto& [key, name] : rows) keys.push_back(key);
      if (reversed) std::reverse(keys.begin(), keys.end());
    }
    sent_ = 0;
    for (const int64_t key : keys) Add(key);

    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<SourceEvent>> Next(absl::Time) override {
    if (!batches_.empty()) {
      SourceEvent event(std::move(batches_.front()));
      batches_.erase(batches_.begin());
      return event;
    }

    return SourceEvent(Finished{verdict, {{0, sent_ + extra_sent}}});
  }
  void Acknowledge(const Acknowledgement&) override {}
  absl::Status Close() override { return absl::OkStatus(); }
  void Cancel() override {}

  Rows rows;
  std::function<void(int)> before_read;
  bool reversed = false;
  int reads = 0;
  size_t keys_asked = 0;
  absl::Status verdict;
  uint64_t extra_sent = 0;

 private:
  void Add(int64_t key) {
    const auto row = rows.find(key);
    if (row == rows.end()) return;
    if (batches_.empty() || batches_.back().row_count == 1000) {
      batches_.emplace_back();
      batches_.back().column_count = 2;
    }
    ChangeBatch& batch = batches_.back();
    ++batch.row_count;
    ++sent_;
    batch.ops.push_back(static_cast<uint8_t>(ChangeKind::kUpsert));
    batch.values.push_back(Value::Int64(key));
    batch.values.push_back(row->second.empty() ? Value::Null() : Value::String(row->second));
  }

  std::vector<ChangeBatch> batches_;
  uint64_t sent_ = 0;
};

// A destination's table that is a map.
class MapRows final : public StoredRows {
 public:
  explicit MapRows(const Rows& rows) : rows_(rows) {}

  absl::Status ReadRange(absl::Span<const Value> lower, absl::Span<const Value> upper,
                         Row row) override {
    auto next = lower.empty() ? rows_.begin() : rows_.lower_bound(lower[0].i64);
    const auto end = upper.empty() ? rows_.end() : rows_.lower_bound(upper[0].i64);
    for (; next != end; ++next) {
      if (absl::Status status = Call(*next, row); !status.ok()) return status;
    }
    return absl::OkStatus();
  }
  absl::Status ReadKey(absl::Span<const Value> key, Row row) override {
    const auto found = rows_.find(key[0].i64);
    return found == rows_.end() ? absl::OkStatus() : Call(*found, row);
  }
  absl::Status ReadNewest(int64_t,
                          absl::FunctionRef<absl::Status(absl::Span<const Value>, bool)>) override {
    return absl::OkStatus();
  }

 private:
  static absl::Status Call(const Rows::value_type& pair, Row row) {
    const std::vector<Value> values = {
        Value::Int64(pair.first), pair.second.empty() ? Value::Null() : Value::String(pair.second)};
    return row(values);
  }
  const Rows& rows_;
};

TargetTable StoredTarget() {
  TargetTable table;
  table.name = table.source_name = "t";
  for (const Column& column : MakeTable(0).columns) {
    TargetColumn& target = table.columns.emplace_back();
    target.name = target.source_name = column.name;
    target.type = column.type;
    target.key = column.key;
  }
  return table;
}

// The differences as text: "m3" a missing row, "x" extra, "d" different.
absl::StatusOr<std::vector<std::string>> Compare(MapSource& source, const Rows& stored,
                                                 uint32_t reads = kReadKeys | kReadRanges,
                                                 TableDifferences* details = nullptr) {
  const TargetTable target = StoredTarget();
  const TableSchema table = MakeTable(reads);
  auto rows = SourceRows::Create(source, 0, table, ConformSettings(), &target);
  if (!rows.ok()) return rows.status();
  auto images = StoredImages::Open(
      &target, **rows, ConversionOptions(),
      [&](const TargetTable&,
          const std::vector<size_t>&) -> absl::StatusOr<std::unique_ptr<StoredRows>> {
        return std::make_unique<MapRows>(stored);
      });
  if (!images.ok()) return images.status();
  auto found = TableComparison(**rows, **images, WaysToCompare(table, **rows)).Run();
  if (!found.ok()) return found.status();
  std::vector<std::string> texts;
  EXPECT_EQ(found->keys.Rewind(), absl::OkStatus());
  std::string record;
  while (*found->keys.Next(&record)) {
    std::deque<std::string> unused;
    const int64_t key = (*DecodeKey(KeyOf(record), &unused))[0].i64;
    texts.push_back(absl::StrCat(std::string(1, static_cast<char>(DifferenceOf(record))), key));
  }
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(found->total(), texts.size());
  if (details != nullptr) *details = *std::move(found);
  return texts;
}

Rows Many(int64_t count) {
  Rows rows;
  for (int64_t i = 1; i <= count; ++i) rows[i * 3] = absl::StrCat("row ", i);
  return rows;
}

using Texts = std::vector<std::string>;

class Ways : public testing::TestWithParam<uint32_t> {};

TEST_P(Ways, FindExactlyWhatDiffers) {
  MapSource source(Many(20'000));
  Rows stored = source.rows;
  stored[3] = "other";
  stored.erase(30'000);
  stored[30'001] = "extra";
  stored[70'000] = "extra";
  stored[1] = "extra";
  stored[60'000] = "";
  source.rows[9] = "";
  TableDifferences details;
  const auto texts = Compare(source, stored, GetParam(), &details);
  ASSERT_TRUE(texts.ok()) << texts.status();
  EXPECT_EQ(*texts, (Texts{"d3", "d60000", "d9", "m30000", "x1", "x30001", "x70000"}));
  EXPECT_EQ(details.source_rows, 20'000u);
  EXPECT_EQ(details.stored_rows, 20'002u);
}

TEST_P(Ways, EqualTablesAreReadOnce) {
  MapSource source(Many(5'000));
  TableDifferences details;
  const auto texts = Compare(source, source.rows, GetParam(), &details);
  ASSERT_TRUE(texts.ok()) << texts.status();
  EXPECT_EQ(*texts, Texts());
  EXPECT_EQ(details.unequal_ranges, 0u);
  int reads = 0;
  source.before_read = [&reads](int) { ++reads; };
  ASSERT_TRUE(Compare(source, source.rows, GetParam()).ok());
  EXPECT_EQ(reads, 1);
}

TEST_P(Ways, AnEmptySideIsNoError) {
  MapSource source(Many(100));
  EXPECT_EQ(Compare(source, {}, GetParam())->size(), 100u);
  MapSource none({});
  EXPECT_EQ(Compare(none, Many(100), GetParam())->size(), 100u);
  EXPECT_EQ(*Compare(none, {}, GetParam()), Texts());
}

TEST_P(Ways, WhatChangedWhileItWasReadIsNotReported) {
  MapSource source(Many(1'000));
  Rows stored = source.rows;
  stored[300] = "newer";   // arrived at the destination, seen at the source a moment later
  stored.erase(600);       // deleted at the source meanwhile
  stored[900] = "really";  // stays different
  source.before_read = [&source](int read) {
    if (read != 2) return;
    source.rows[300] = "newer";
    source.rows.erase(600);
  };
  const auto texts = Compare(source, stored, GetParam());
  ASSERT_TRUE(texts.ok()) << texts.status();
  EXPECT_EQ(*texts, Texts{"d900"});
  EXPECT_EQ(source.reads, 2);
}

TEST_P(Ways, ALostRowOnTheWayIsAnError) {
  MapSource source(Many(100));
  source.extra_sent = 1;
  EXPECT_EQ(Compare(source, source.rows, GetParam()).status().code(), absl::StatusCode::kDataLoss);
}

TEST_P(Ways, TheVerdictOfTheConnectorIsKept) {
  MapSource source(Many(100));
  source.verdict = absl::PermissionDeniedError("not yours");
  EXPECT_EQ(Compare(source, source.rows, GetParam()).status(), source.verdict);
}

INSTANTIATE_TEST_SUITE_P(All, Ways,
                         testing::Values(uint32_t{kReadKeys | kReadRanges}, uint32_t{kReadRanges},
                                         uint32_t{kReadKeys | kReadWhole}, uint32_t{kReadWhole}));

TEST(TableComparison, AsksForDifferingRowsByKeyOnly) {
  MapSource source(Many(10'000));
  Rows stored = source.rows;
  stored.erase(300);
  stored[301] = "extra";
  ASSERT_TRUE(Compare(source, stored).ok());
  EXPECT_EQ(source.keys_asked, 2u);
}

TEST(TableComparison, OnlyUnequalRangesAreComparedRowByRow) {
  MapSource source(Many(20'000));
  Rows stored = source.rows;
  stored[3] = "other";
  stored[4] = "extra";
  TableDifferences details;
  ASSERT_TRUE(Compare(source, stored, kReadKeys | kReadRanges, &details).ok());
  EXPECT_EQ(details.ranges, 5u);  // of 4,096 rows
  EXPECT_EQ(details.unequal_ranges, 1u);
}

TEST(TableComparison, ASourceOutOfOrderIsReadAsAWhole) {
  MapSource source(Many(10'000));
  source.reversed = true;
  Rows stored = source.rows;
  stored.erase(300);
  TableDifferences details;
  const auto texts = Compare(source, stored, kReadKeys | kReadRanges, &details);
  ASSERT_TRUE(texts.ok()) << texts.status();
  EXPECT_EQ(*texts, Texts{"m300"});
  EXPECT_EQ(details.ranges, 0u);
}

// Everything a RepairSource says, as text.
Texts Play(RepairSource& source, const std::vector<StateEntry>& states) {
  EXPECT_TRUE(source.Schema().ok());
  UpdateStart start;
  start.states = states;
  EXPECT_EQ(source.Start(start), absl::OkStatus());
  Texts said;
  while (true) {
    auto event = source.Next(absl::InfiniteFuture());
    if (!event.ok()) return {std::string(event.status().message())};
    if (!event->has_value()) continue;
    if (const auto* batch = std::get_if<ChangeBatch>(&**event)) {
      for (size_t i = 0; i < batch->row_count; ++i) {
        said.push_back(absl::StrCat(batch->kind(i) == ChangeKind::kDelete ? "delete " : "upsert ",
                                    batch->row(i)[0].i64));
      }
    } else if (const auto* checkpoint = std::get_if<Checkpoint>(&**event)) {
      said.push_back(absl::StrCat("checkpoint ", checkpoint->id, " ",
                                  EntryName(checkpoint->states[0]), "=", checkpoint->states[0].body,
                                  " rows ", checkpoint->rows_since_last[0].rows));
    } else if (std::holds_alternative<TableDone>(**event)) {
      said.push_back("done");
    } else if (const auto* finished = std::get_if<Finished>(&**event)) {
      said.push_back(absl::StrCat("finished ", finished->sent[0].rows));
      return said;
    }
  }
}

TEST(RepairSource, ReadsTheKeysAgainDeletesExtraRowsAndKeepsTheState) {
  auto inner = std::make_unique<MapSource>(Many(100));
  Rows stored = inner->rows;
  stored.erase(30);
  stored[60] = "other";
  stored[61] = "extra";
  TableDifferences details;
  ASSERT_TRUE(Compare(*inner, stored, kReadKeys | kReadRanges, &details).ok());
  TableRepair repair;
  repair.name = "t";
  repair.keys = &details.keys;
  repair.by_keys = repair.upserts = repair.deletes = true;
  repair.key_columns = {"id"};
  RepairSource source(std::move(inner), {repair});
  EXPECT_EQ(source.Describe()->capabilities, uint64_t{kCanRewind});
  StateEntry other, own;
  other.table = "u";
  own.table = "t";
  own.body = "7";
  EXPECT_EQ(Play(source, {other, own}),
            (Texts{"upsert 30", "upsert 60", "checkpoint 1 t=7 rows 2", "delete 61",
                   "checkpoint 2 t=7 rows 1", "done", "finished 3"}));
}

}  // namespace
}  // namespace tidemark
