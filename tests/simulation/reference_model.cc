#include "tests/simulation/reference_model.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/text.h"
#include "pipeline/value_conversion.h"

namespace tidemark {
namespace {

// Undeclared columns widen: 1 is 1.0 in a DOUBLE column and '1' in a STRING.
std::string Comparable(const std::string& text, const Column& column) {
  const bool widens = column.type.type == DataType::kUndeclared;
  return widens && IsDecimal(text) ? CanonicalDecimal(text) : text;
}

}  // namespace

struct ReferenceModel::Seen {
  bool absent = false;
  std::vector<std::set<std::string>> values;  // by column; empty: it was never there

  void Add(const ModelRow* row) {
    if (row == nullptr) {
      absent = true;
      return;
    }
    values.resize(row->texts.size());
    for (size_t i = 0; i < row->texts.size(); ++i) values[i].insert(row->texts[i]);
  }
  bool Holds(const std::vector<std::string>& texts) const {
    for (size_t i = 0; i < texts.size(); ++i) {
      if (i >= values.size() || values[i].count(texts[i]) == 0) return false;
    }
    return true;
  }
};

ReferenceModel::ReferenceModel(std::vector<TableSchema> tables)
    : tables_(std::move(tables)),
      keys_(tables_.size()),
      logs_(tables_.size()),
      newest_(tables_.size()),
      behind_(tables_.size(), false) {
  for (size_t t = 0; t < tables_.size(); ++t) {
    for (size_t c = 0; c < tables_[t].columns.size(); ++c) {
      if (tables_[t].columns[c].key) keys_[t].push_back(c);
    }
    if (!keys_[t].empty()) continue;
    for (size_t c = 0; c < tables_[t].columns.size(); ++c) keys_[t].push_back(c);
  }
}

std::string ReferenceModel::TextOf(uint32_t table, size_t column, const Cells& row) const {
  if (column >= row.size() || row[column].kind == ValueKind::kNull) return "NULL";
  return Comparable(CanonicalText(row[column].View()), tables_[table].columns[column]);
}

ModelRow ReferenceModel::RowOf(uint32_t table, Cells cells) const {
  ModelRow row;
  row.cells = std::move(cells);
  row.cells.resize(tables_[table].columns.size(), Cell(nullptr));
  for (size_t i = 0; i < row.cells.size(); ++i) row.texts.push_back(TextOf(table, i, row.cells));
  return row;
}

std::string ReferenceModel::KeyOf(uint32_t table, const Cells& row) const {
  std::vector<std::string> parts;
  parts.reserve(keys_[table].size());
  for (const size_t column : keys_[table]) parts.push_back(TextOf(table, column, row));
  return absl::StrJoin(parts, "|");
}

std::string ReferenceModel::KeyOfTexts(uint32_t table,
                                       const std::vector<std::string>& texts) const {
  std::vector<std::string> parts;
  parts.reserve(keys_[table].size());
  for (const size_t column : keys_[table]) parts.push_back(texts[column]);
  return absl::StrJoin(parts, "|");
}

std::vector<std::string> ReferenceModel::KeysOf(const SourceChange& change) const {
  std::vector<std::string> keys;
  if (!change.row.empty()) keys.push_back(KeyOf(change.table, change.row));
  if (change.before.has_value()) keys.push_back(KeyOf(change.table, *change.before));
  return keys;
}

bool ReferenceModel::IsWholeKeyChange(const SourceChange& change) {
  return change.kind == ChangeKind::kUpdate && change.before.has_value() &&
         std::none_of(change.row.begin(), change.row.end(),
                      [](const Cell& cell) { return cell.kind == ValueKind::kUnchanged; });
}

void ReferenceModel::Add(const SourceChange& change) {
  auto& log = logs_[change.table];
  const bool newest = log.empty() || log.rbegin()->first < change.stamp;
  if (!log.emplace(change.stamp, change).second) return;
  if (!newest) behind_[change.table] = true;
  if (!behind_[change.table]) Apply(change, &newest_[change.table]);
}

const ModelRows& ReferenceModel::Newest(uint32_t table) {
  if (behind_[table]) newest_[table] = At(table, kNewest);
  behind_[table] = false;
  return newest_[table];
}

ModelRows ReferenceModel::At(uint32_t table, uint64_t stamp) const {
  ModelRows rows;
  for (const auto& [at, change] : logs_[table]) {
    if (at > stamp) break;
    Apply(change, &rows);
  }
  return rows;
}

void ReferenceModel::Apply(const SourceChange& change, ModelRows* rows) const {
  if (change.bad) return;
  const uint32_t table = change.table;
  const std::vector<std::string> keys = KeysOf(change);
  switch (change.kind) {
    case ChangeKind::kTruncate:
      rows->clear();
      return;
    case ChangeKind::kDelete:
      rows->erase(keys[0]);
      return;
    case ChangeKind::kUpdate: {
      const auto found = rows->find(keys.back());  // its old key, where it has one
      const bool there = found != rows->end();
      if (!there && !IsWholeKeyChange(change)) return;
      Cells cells = there ? found->second.cells : Cells(tables_[table].columns.size(), nullptr);
      for (size_t i = 0; i < change.row.size(); ++i) {
        if (change.row[i].kind != ValueKind::kUnchanged) cells[i] = change.row[i];
      }
      if (there) rows->erase(found);
      rows->insert_or_assign(keys[0], RowOf(table, std::move(cells)));
      return;
    }
    default:
      rows->insert_or_assign(keys[0], RowOf(table, change.row));
  }
}

std::map<std::string, ReferenceModel::Seen> ReferenceModel::Within(uint32_t table, uint64_t from,
                                                                   uint64_t to) {
  const auto& log = logs_[table];
  const bool exact = log.empty() || from >= log.rbegin()->first;
  ModelRows rows = exact ? Newest(table) : At(table, from);
  std::map<std::string, Seen> seen;
  for (const auto& [key, row] : rows) seen[key].Add(&row);
  if (exact) return seen;
  for (auto next = log.upper_bound(from); next != log.end() && next->first <= to; ++next) {
    const SourceChange& change = next->second;
    if (change.kind == ChangeKind::kTruncate) {
      for (const auto& [key, row] : rows) seen[key].Add(nullptr);
    }
    const std::vector<std::string> keys = KeysOf(change);
    for (const std::string& key : keys) {  // one that was not there yet was absent until now
      if (rows.count(key) == 0) seen[key].Add(nullptr);
    }
    Apply(change, &rows);
    for (const std::string& key : keys) {
      const auto row = rows.find(key);
      seen[key].Add(row == rows.end() ? nullptr : &row->second);
    }
  }
  return seen;
}

Difference ReferenceModel::Compare(uint32_t table, const std::vector<StoredRow>& stored,
                                   uint64_t from, uint64_t to) {
  std::map<std::string, Seen> seen = Within(table, from, to);
  Difference difference;
  const auto note = [&](uint64_t* count, absl::string_view what, const std::string& row) {
    ++*count;
    if (!difference.first.empty()) return;
    difference.first = absl::StrCat(tables_[table].name, ": ", what, " ", row);
  };
  std::set<std::string> met;
  for (const StoredRow& row : stored) {
    std::vector<std::string> texts;
    texts.reserve(row.values.size());
    for (size_t i = 0; i < row.values.size(); ++i) {
      texts.push_back(Comparable(row.values[i], tables_[table].columns[i]));
    }
    const std::string key = KeyOfTexts(table, texts);
    const std::string shown = absl::StrJoin(texts, "|");
    const auto may = seen.find(key);
    const bool absent_may_be = may == seen.end() || may->second.absent;
    const bool holds = may != seen.end() && may->second.Holds(texts);
    if (row.doomed && absent_may_be && !holds) continue;
    if (!met.insert(key).second) {
      note(&difference.duplicated, "twice", shown);
    } else if (may == seen.end() || may->second.values.empty()) {
      note(&difference.duplicated, "should not be there:", shown);
    } else if (!holds) {
      std::vector<std::string> allowed;
      allowed.reserve(may->second.values.size());
      for (const auto& of : may->second.values) allowed.push_back(absl::StrJoin(of, " or "));
      note(&difference.stale, absl::StrCat("may be ", absl::StrJoin(allowed, "|"), ", is"), shown);
    }
  }
  for (const auto& [key, may] : seen) {
    if (!may.absent && met.count(key) == 0) note(&difference.lost, "is not there:", key);
  }
  return difference;
}

}  // namespace tidemark
