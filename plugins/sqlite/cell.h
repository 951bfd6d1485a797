// One value as SQLite stores it.
#ifndef TIDEMARK_SQLITE_CELL_H_
#define TIDEMARK_SQLITE_CELL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "tidemark/value.h"

namespace tidemark::sqlite {

// Owns its text. The five storage classes of SQLite ("Datatypes In SQLite", section 2). A value;
// thread-compatible.
struct Cell {
  enum class Kind { kNull, kInteger, kReal, kText, kBlob };
  Kind kind = Kind::kNull;
  int64_t integer = 0;
  double real = 0;
  std::string bytes = {};  // of a text or a blob

  static Cell Null() { return {}; }
  static Cell Integer(int64_t i) { return {.kind = Kind::kInteger, .integer = i}; }
  static Cell Real(double r) { return {.kind = Kind::kReal, .real = r}; }
  static Cell Text(absl::string_view text) {
    return {.kind = Kind::kText, .bytes = std::string(text)};
  }
  static Cell Blob(absl::string_view bytes) {
    return {.kind = Kind::kBlob, .bytes = std::string(bytes)};
  }

  bool null() const { return kind == Kind::kNull; }
  // Borrows this cell's text.
  Value ToValue() const;

  friend bool operator==(const Cell&, const Cell&) = default;
};

// Copies the text of `value`; what no storage class holds becomes NULL.
Cell ToCell(const Value& value);

// JSON that keeps the storage class: null, 7, "text", {"$r": "0.5"}, {"$b": "00FF"}; text that is
// not UTF-8 is {"$t": "FF"}. States and the change table of capture_schema.h hold it.
nlohmann::json ToJson(const Cell& cell);
nlohmann::json ToJson(const std::vector<Cell>& cells);
// INVALID_ARGUMENT if it is not of that form.
absl::StatusOr<Cell> CellFromJson(const nlohmann::json& json);
std::optional<std::vector<Cell>> CellsFromJson(const nlohmann::json& json);

// For errors and dead letters: one JSON text, whatever the bytes.
std::string JsonText(const nlohmann::json& json);

// A digest of 16 hexadecimal digits over typed cells: the same row makes the same digest in every
// run. BLAKE2b; add the cells in order, then Finish(). Thread-compatible.
class RowDigest {
 public:
  void Add(const Value& value);
  std::string Finish();

 private:
  std::string buffer_;
};

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_CELL_H_
