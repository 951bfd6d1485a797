#include "tests/simulation/change_maker.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tidemark {

std::vector<TableSchema> SimulatedTables() {
  return {
      Table(
          "item",
          {{"id", DataType::kLong, true}, {"n", DataType::kLong}, {"v"}, {"t", DataType::kString}}),
      Table("pair",
            {{"a", DataType::kLong, true}, {"b", DataType::kString, true}, {"n", DataType::kLong}}),
      Table("seen", {{"id", DataType::kLong, true},
                     {"c", DataType::kLong, false, true},
                     {"n", DataType::kLong}}),
      Table("log", {{"line", DataType::kString}})};
}

std::vector<TableRule> SimulatedRules() {
  std::vector<TableRule> rules;
  for (const TableSchema& table : SimulatedTables()) rules.emplace_back().pattern = table.name;
  rules[kPair].deletes = DeleteMode::kHard;
  return rules;
}

Cell ChangeMaker::RandomValue() {
  const int64_t n = dice_.PickInt(50);
  if (dice_.Chance(habits_.texts)) return Cell(absl::StrCat("text ", n));
  switch (dice_.Pick(10)) {
    case 0:
      return nullptr;
    case 1:
      return Cell(static_cast<double>(n) + 0.5);
    case 2:
      return Decimal(absl::StrCat(n, ".", dice_.Pick(10), "0"));
    default:
      return Cell(n);
  }
}

Cells ChangeMaker::KeyOf(uint32_t table, int64_t id) {
  if (table == kPair) return {Cell(id / 2), Cell(id % 2 == 0 ? "a'b" : "z")};
  return {Cell(id)};
}

Cells ChangeMaker::RowWith(uint32_t table, int64_t id) {
  Cells row = KeyOf(table, id);
  if (table == kSeen) row.push_back(Cell(static_cast<int64_t>(stamp_)));
  row.push_back(Cell(dice_.PickInt(5)));
  if (table != kItem) return row;
  row.push_back(RandomValue());
  row.push_back(dice_.Chance(100) ? Cell(nullptr) : Cell(absl::StrCat("é", dice_.Pick(9))));
  return row;
}

std::optional<int64_t> ChangeMaker::Find(uint32_t table, int64_t base, uint64_t keys, bool there) {
  const ModelRows& rows = model_.Newest(table);
  for (int i = 0; i < 8; ++i) {
    const int64_t id = base + dice_.PickInt(keys);
    if ((rows.count(model_.KeyOf(table, KeyOf(table, id))) != 0) == there) return id;
  }
  return std::nullopt;
}

// A key of NULL, or a text where a number stands.
SourceChange ChangeMaker::BadRow(uint32_t table) {
  SourceChange change;
  change.stamp = stamp_;
  change.table = table;
  change.bad = true;
  // The text makes every bad row another dead letter.
  change.row = {Cell(absl::StrCat("bad ", stamp_))};
  return change;
}

void ChangeMaker::MakeLine(int64_t base, uint64_t keys, SourceChange* change) {
  const Cells line = {Cell(absl::StrCat("line ", base + dice_.PickInt(keys)))};
  const bool there = model_.Newest(kLog).count(model_.KeyOf(kLog, line)) != 0;
  if (there && dice_.Chance(2 * habits_.deletes)) {
    change->kind = ChangeKind::kDelete;
    change->before = line;
  } else {
    change->row = line;
  }
}

void ChangeMaker::MakeKeyed(int64_t base, uint64_t keys, SourceChange* change) {
  const uint32_t table = change->table;
  uint64_t roll = dice_.Pick(1000);
  const std::optional<int64_t> live = Find(table, base, keys, true);
  const auto falls = [&](uint64_t weight) {
    const bool hit = roll < weight;
    roll -= hit ? 0 : weight;
    return hit;
  };
  if (!live.has_value()) {
    change->row = RowWith(table, base + dice_.PickInt(keys));
  } else if (falls(habits_.deletes)) {
    change->kind = ChangeKind::kDelete;
    change->row = KeyOf(table, *live);
  } else if (falls(habits_.updates)) {
    change->kind = ChangeKind::kUpdate;
    change->row = RowWith(table, *live);
    if (table == kItem) {
      change->row[1 + dice_.Pick(3)] = Unchanged();
      change->row[1 + dice_.Pick(3)] = Unchanged();
    }
  } else if (const auto free = Find(table, base, keys, false);
             falls(habits_.key_changes) && free.has_value()) {
    // A source's own key constraint keeps it off live rows.
    change->kind = ChangeKind::kUpdate;
    change->before = KeyOf(table, *live);
    change->row = RowWith(table, *free);
    const size_t first = change->before->size();
    if (table != kSeen && dice_.Chance(500)) {
      for (size_t i = first; i < change->row.size(); ++i) change->row[i] = Unchanged();
    }
  } else {
    change->row = RowWith(table, base + dice_.PickInt(keys));
  }
}

SourceChange ChangeMaker::Next(uint32_t table, int64_t base, uint64_t keys) {
  ++stamp_;
  SourceChange change;
  change.stamp = stamp_;
  change.table = table;
  if (table != kLog && dice_.Chance(habits_.bad_rows)) {
    change = BadRow(table);
  } else if (dice_.Chance(habits_.truncates)) {
    change.kind = ChangeKind::kTruncate;
  } else if (table == kLog) {
    MakeLine(base, keys, &change);
  } else {
    MakeKeyed(base, keys, &change);
  }
  model_.Add(change);
  return change;
}

}  // namespace tidemark
