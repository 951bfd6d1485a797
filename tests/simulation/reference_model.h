// What a destination must hold, by the simplest means: a map of rows, and changes applied in the
// order of their stamps, each once. Every suite compares with it; nothing of the server is in it
// but the canonical text of values. Confined to one thread.
#ifndef TIDEMARK_TESTS_SIMULATION_REFERENCE_MODEL_H_
#define TIDEMARK_TESTS_SIMULATION_REFERENCE_MODEL_H_

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/pipeline/rows.h"

namespace tidemark {

// One change of a source, with its place in the source's order.
struct SourceChange {
  uint64_t stamp = 0;  // from 1, unique
  uint32_t table = 0;
  ChangeKind kind = ChangeKind::kUpsert;  // never kSnapshot
  Cells row;                              // what stands behind its end is NULL
  std::optional<Cells> before;            // the old key of a key change; a keyless delete's row
  bool bad = false;                       // refused as a dead letter: changes nothing
};

struct ModelRow {
  Cells cells;
  std::vector<std::string> texts;  // comparable, by column
};
using ModelRows = std::map<std::string, ModelRow>;  // by key text

// A live row as the destination shows it.
struct StoredRow {
  std::vector<std::string> values;  // by column of the source, NULL as "NULL"
  bool doomed = false;              // the end of a waiting truncate will delete it
};

// How a destination differs from what it may hold.
struct Difference {
  uint64_t lost = 0;
  uint64_t duplicated = 0;  // twice, or not to be there at all
  uint64_t stale = 0;       // a value that is none of those it may be
  std::string first;        // the first of them, in words
  uint64_t sum() const { return lost + duplicated + stale; }
};

class ReferenceModel {
 public:
  static constexpr uint64_t kNewest = std::numeric_limits<uint64_t>::max();

  // A table without a key column is a set of its rows.
  explicit ReferenceModel(std::vector<TableSchema> tables);

  // Takes note of a change. Neither the order of the calls nor a repeated one matters.
  void Add(const SourceChange& change);

  const std::vector<TableSchema>& tables() const { return tables_; }
  const std::map<uint64_t, SourceChange>& changes(uint32_t table) const { return logs_[table]; }
  // The rows after every change.
  const ModelRows& Newest(uint32_t table);
  // The rows after every change up to `stamp`.
  ModelRows At(uint32_t table, uint64_t stamp) const;
  std::string KeyOf(uint32_t table, const Cells& row) const;
  // The keys that a change touches; a truncate touches all and names none.
  std::vector<std::string> KeysOf(const SourceChange& change) const;
  // A change of a key that carries every value: it needs no old row.
  static bool IsWholeKeyChange(const SourceChange& change);

  // Compares a table with what it may hold after a change between `from` and `to`: each row is
  // there or not, and each of its values is one, as at some stamp in between. One stamp: exactly.
  Difference Compare(uint32_t table, const std::vector<StoredRow>& stored, uint64_t from,
                     uint64_t to);

 private:
  struct Seen;  // what one row was within an interval

  std::string TextOf(uint32_t table, size_t column, const Cells& row) const;
  ModelRow RowOf(uint32_t table, Cells cells) const;
  void Apply(const SourceChange& change, ModelRows* rows) const;
  std::map<std::string, Seen> Within(uint32_t table, uint64_t from, uint64_t to);
  std::string KeyOfTexts(uint32_t table, const std::vector<std::string>& texts) const;

  std::vector<TableSchema> tables_;
  std::vector<std::vector<size_t>> keys_;               // columns, by table
  std::vector<std::map<uint64_t, SourceChange>> logs_;  // in stamp order, by table
  std::vector<ModelRows> newest_;                       // by table
  std::vector<bool> behind_;                            // newest_ must be made again
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_REFERENCE_MODEL_H_
