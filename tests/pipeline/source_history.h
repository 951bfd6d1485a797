// A random, deterministic history of a source with the truth it ends in.
#ifndef TIDEMARK_TESTS_PIPELINE_SOURCE_HISTORY_H_
#define TIDEMARK_TESTS_PIPELINE_SOURCE_HISTORY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/pipeline/rows.h"

namespace tidemark {

// Tables: 0 "item" (id LONG key, n LONG, v undeclared), 1 "log" (line STRING, no key).
struct SourceChange {
  uint32_t table = 0;
  ChangeKind kind = ChangeKind::kUpsert;
  Cells row;
  std::optional<Cells> before;
};

class SourceHistory {
 public:
  using Item = std::pair<int64_t, std::optional<Cell>>;  // n, v (absent: NULL)

  explicit SourceHistory(uint64_t seed) : random_(seed) {}
  // Appends `count` changes.
  void Grow(size_t count);
  const std::vector<SourceChange>& changes() const { return changes_; }
  const std::map<int64_t, Item>& items() const { return items_; }
  const std::set<std::string>& lines() const { return lines_; }
  uint64_t Pick(uint64_t below) { return random_() % below; }

  static std::vector<TableSchema> Tables();

 private:
  Cell RandomValue();
  int64_t LiveItem();
  void AddItemChange();
  void AddLineChange();

  std::mt19937_64 random_;
  std::vector<SourceChange> changes_;
  std::map<int64_t, Item> items_;
  std::set<std::string> lines_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_PIPELINE_SOURCE_HISTORY_H_
