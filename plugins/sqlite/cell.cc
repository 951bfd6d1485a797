#include "sqlite/cell.h"

#include <sodium.h>

#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "tidemark/utf8.h"

namespace tidemark::sqlite {
namespace {

using nlohmann::json;

absl::Status NotACell(absl::string_view why) { return absl::InvalidArgumentError(why); }

absl::StatusOr<std::string> FromHex(const json& hex) {
  if (!hex.is_string()) return NotACell("a value has no digits");
  const auto& text = hex.get_ref<const std::string&>();
  for (const char c : text) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c)))
      return NotACell("no hexadecimal digit");
  }
  if (text.size() % 2 != 0) return NotACell("a half byte");
  return absl::HexStringToBytes(text);
}

// SQLite's printf writes infinities as Inf.
absl::StatusOr<double> ParseReal(const json& text) {
  double real = 0;
  if (!text.is_string()) return NotACell("a number is not written as text");
  const auto& digits = text.get_ref<const std::string&>();
  if (absl::EqualsIgnoreCase(digits, "inf") || absl::EqualsIgnoreCase(digits, "+inf")) {
    return HUGE_VAL;
  }
  if (absl::EqualsIgnoreCase(digits, "-inf")) return -HUGE_VAL;
  if (!absl::SimpleAtod(digits, &real)) return NotACell("a number cannot be read");
  return real;
}

}  // namespace

Value Cell::ToValue() const {
  switch (kind) {
    case Kind::kNull:
      return Value::Null();
    case Kind::kInteger:
      return integer;
    case Kind::kReal:
      return real;
    case Kind::kText:
      return absl::string_view(bytes);
    case Kind::kBlob:
      break;
  }
  return Value::Bytes(bytes);
}

Cell ToCell(const Value& value) {
  switch (value.kind()) {
    case TIDEMARK_INT64:
      return Cell::Integer(value.raw().u.i64);
    case TIDEMARK_DOUBLE:
      return Cell::Real(value.raw().u.f64);
    case TIDEMARK_STRING:
      return Cell::Text(value.data());
    case TIDEMARK_BYTES:
      return Cell::Blob(value.data());
    default:
      return Cell::Null();
  }
}

json ToJson(const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kNull:
      return nullptr;
    case Cell::Kind::kInteger:
      return cell.integer;
    case Cell::Kind::kReal:
      return {{"$r", std::isinf(cell.real) ? (cell.real > 0 ? "Inf" : "-Inf")
                                           : absl::StrFormat("%.17g", cell.real)}};
    case Cell::Kind::kText:
      if (IsUtf8(cell.bytes)) return cell.bytes;
      return {{"$t", absl::BytesToHexString(cell.bytes)}};
    case Cell::Kind::kBlob:
      break;
  }
  return {{"$b", absl::BytesToHexString(cell.bytes)}};
}

json ToJson(const std::vector<Cell>& cells) {
  json list = json::array();
  for (const Cell& cell : cells) list.push_back(ToJson(cell));
  return list;
}

absl::StatusOr<Cell> CellFromJson(const json& value) {
  if (value.is_null()) return Cell::Null();
  if (value.is_number_integer()) return Cell::Integer(value.get<int64_t>());
  if (value.is_string()) return Cell::Text(value.get_ref<const std::string&>());
  if (!value.is_object() || value.size() != 1) return NotACell("neither number, text nor null");
  const std::string& tag = value.begin().key();
  const json& inside = value.begin().value();
  if (tag == "$r") {
    absl::StatusOr<double> real = ParseReal(inside);
    if (!real.ok()) return real.status();
    return Cell::Real(*real);
  }
  if (tag != "$b" && tag != "$t") return NotACell("an unknown kind of value");
  absl::StatusOr<std::string> bytes = FromHex(inside);
  if (!bytes.ok()) return bytes.status();
  return tag == "$b" ? Cell::Blob(*bytes) : Cell::Text(*bytes);
}

std::optional<std::vector<Cell>> CellsFromJson(const json& list) {
  if (!list.is_array()) return std::nullopt;
  std::vector<Cell> cells;
  for (const json& item : list) {
    absl::StatusOr<Cell> cell = CellFromJson(item);
    if (!cell.ok()) return std::nullopt;
    cells.push_back(*std::move(cell));
  }
  return cells;
}

std::string JsonText(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void RowDigest::Add(const Value& value) {
  const auto kind = static_cast<char>(value.kind());
  buffer_.push_back(kind);
  const auto append = [this](const auto& number) {
    char bytes[sizeof(number)];
    std::memcpy(bytes, &number, sizeof(number));
    buffer_.append(bytes, sizeof(bytes));
  };
  if (value.has_data()) {
    append(uint64_t{value.data().size()});
    buffer_.append(value.data().data(), value.data().size());
  } else if (value.kind() != TIDEMARK_NULL) {
    append(value.raw().u.i64);
  }
}

std::string RowDigest::Finish() {
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest;
  crypto_generichash(digest.data(), digest.size(),
                     reinterpret_cast<const unsigned char*>(buffer_.data()), buffer_.size(),
                     nullptr, 0);
  buffer_.clear();
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest.data()), 8));
}

}  // namespace tidemark::sqlite
