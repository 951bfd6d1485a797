#include "tests/pipeline/source_history.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace tidemark {

std::vector<TableSchema> SourceHistory::Tables() {
  return {Table("item", {{"id", DataType::kLong, true}, {"n", DataType::kLong}, {"v"}}),
          Table("log", {{"line", DataType::kString}})};
}

Cell SourceHistory::RandomValue() {
  const auto n = static_cast<int64_t>(Pick(50));
  switch (Pick(12)) {
    case 0:
      return nullptr;
    case 1:
      return Cell(static_cast<double>(n) + 0.5);
    case 2:
      return Decimal(absl::StrCat(n, ".", Pick(10), "0"));
    case 3:
      // Text late in a history only: before, the column widens from number to number.
      return changes_.size() > 60 ? Cell(absl::StrCat("text ", n)) : Cell(n);
    default:
      return Cell(n);
  }
}

int64_t SourceHistory::LiveItem() {
  return std::next(items_.begin(), static_cast<std::ptrdiff_t>(Pick(items_.size())))->first;
}

void SourceHistory::AddItemChange() {
  const uint64_t dice = Pick(100);
  const auto n = static_cast<int64_t>(Pick(5));
  SourceChange change;
  if (dice == 0) {
    change.kind = ChangeKind::kTruncate;
    items_.clear();
  } else if (dice < 50 || items_.empty()) {
    const auto id = static_cast<int64_t>(Pick(20));
    const Cell v = RandomValue();
    change.row = {id, n, v};
    items_.insert_or_assign(
        id, Item{n, v.kind == ValueKind::kNull ? std::nullopt : std::optional<Cell>(v)});
  } else if (dice < 70) {
    change.kind = ChangeKind::kUpdate;
    const int64_t id = LiveItem();
    change.row = {id, n, Unchanged()};
    items_.at(id).first = n;
  } else if (dice < 85) {
    change.kind = ChangeKind::kDelete;
    change.row = {LiveItem()};
    items_.erase(change.row[0].number);
  } else {
    change.kind = ChangeKind::kUpdate;
    const int64_t from = LiveItem();
    // A source's own key constraint keeps it off live rows, except within one statement.
    auto to = static_cast<int64_t>(Pick(20));
    while (items_.count(to) != 0) ++to;
    change.row = {to, Unchanged(), Unchanged()};
    change.before = Cells{from};
    const Item moved = items_.at(from);
    items_.erase(from);
    items_.insert_or_assign(to, moved);
  }
  changes_.push_back(std::move(change));
}

void SourceHistory::AddLineChange() {
  SourceChange change;
  change.table = 1;
  if (Pick(3) > 0 || lines_.empty()) {
    const std::string line = absl::StrCat("line ", Pick(30));
    change.row = {Cell(line)};
    lines_.insert(line);
  } else {
    const auto line = std::next(lines_.begin(), static_cast<std::ptrdiff_t>(Pick(lines_.size())));
    change.kind = ChangeKind::kDelete;
    change.before = Cells{Cell(*line)};
    lines_.erase(line);
  }
  changes_.push_back(std::move(change));
}

void SourceHistory::Grow(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (Pick(4) == 0) {
      AddLineChange();
    } else {
      AddItemChange();
    }
  }
}

}  // namespace tidemark
