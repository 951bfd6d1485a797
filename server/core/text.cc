#include "core/text.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace tidemark {

bool IsUtf8(absl::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

bool HasNul(absl::string_view text) {
  return !text.empty() && std::memchr(text.data(), 0, text.size()) != nullptr;
}

absl::string_view CutUtf8(absl::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

bool IsDecimal(absl::string_view text) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return true;
  size_t i = !text.empty() && text[0] == '-' ? 1 : 0;
  const size_t digits = i;
  while (i < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[i]))) ++i;
  if (i == digits) return false;
  if (i == text.size()) return true;
  if (text[i] != '.') return false;
  const size_t fraction = ++i;
  while (i < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[i]))) ++i;
  return i == text.size() && i > fraction;
}

std::string CanonicalDecimal(absl::string_view text) {
  if (!text.empty() && (text[0] == 'N' || text[0] == 'I' || text.substr(0, 2) == "-I")) {
    return std::string(text);
  }
  const bool negative = text[0] == '-';
  if (negative) text.remove_prefix(1);
  while (text.size() > 1 && text[0] == '0' && text[1] != '.') text.remove_prefix(1);
  if (text.find('.') != absl::string_view::npos) {
    while (text.back() == '0') text.remove_suffix(1);
    if (text.back() == '.') text.remove_suffix(1);
  }
  return absl::StrCat(negative && text != "0" ? "-" : "", text);
}

bool DecimalFits(absl::string_view text, int32_t precision, int32_t scale) {
  if (precision <= 0) return true;
  const std::string canonical = CanonicalDecimal(text);
  absl::string_view rest = canonical;
  if (rest[0] == '-') rest.remove_prefix(1);
  if (!absl::ascii_isdigit(static_cast<unsigned char>(rest[0]))) return true;  // NaN, Infinity
  const size_t point = rest.find('.');
  const size_t whole = point == absl::string_view::npos ? rest.size() : point;
  const size_t fraction = point == absl::string_view::npos ? 0 : rest.size() - point - 1;
  const size_t whole_digits = rest[0] == '0' && whole == 1 ? 0 : whole;
  return fraction <= static_cast<size_t>(scale) &&
         whole_digits <= static_cast<size_t>(precision - scale);
}

size_t DoubleTextTo(double value, char* out) {
  absl::string_view special;
  if (std::isnan(value)) special = "NaN";
  if (std::isinf(value)) special = value > 0 ? "Infinity" : "-Infinity";
  if (!special.empty()) {
    std::memcpy(out, special.data(), special.size());
    return special.size();
  }
  return static_cast<size_t>(std::to_chars(out, out + 32, value).ptr - out);
}

std::string DoubleText(double value) {
  char text[32];
  return std::string(text, DoubleTextTo(value, text));
}

std::string DoubleDecimal(double value) {
  char text[512];
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::fixed).ptr;
  return CanonicalDecimal(absl::string_view(text, static_cast<size_t>(end - text)));
}

namespace {

size_t SkipDigits(absl::string_view text, size_t at) {
  while (at < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[at]))) ++at;
  return at;
}

// The end of the number that starts at `at` (RFC 8259 section 6), or `at` where none does.
size_t NumberEnd(absl::string_view text, size_t at) {
  size_t end = at;
  if (text[end] == '-') ++end;
  const size_t whole = end;
  end = SkipDigits(text, end);
  if (end == whole) return at;
  if (text[whole] == '0') end = whole + 1;
  if (end + 1 < text.size() && text[end] == '.' && SkipDigits(text, end + 1) > end + 1) {
    end = SkipDigits(text, end + 1);
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    size_t exponent = end + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    if (SkipDigits(text, exponent) > exponent) end = SkipDigits(text, exponent);
  }
  return end;
}

// The document with a 0 for each number outside strings.
std::string WithNumbersZeroed(absl::string_view text) {
  std::string out;
  bool in_string = false;
  for (size_t i = 0; i < text.size();) {
    const size_t end = in_string ? i : NumberEnd(text, i);
    if (end > i) {
      out.push_back('0');
      i = end;
      continue;
    }
    if (in_string && text[i] == '\\' && i + 1 < text.size())
      out.push_back(text[i++]);
    else if (text[i] == '"')
      in_string = !in_string;
    out.push_back(text[i++]);
  }
  return out;
}

}  // namespace

struct JsonChecker::Parser {
  simdjson::dom::parser parser;
};

JsonChecker::JsonChecker() : parser_(new Parser) {}
JsonChecker::~JsonChecker() { delete parser_; }

absl::Status JsonChecker::Check(absl::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError("not JSON: it is empty");
  auto error = parser_->parser.parse(text.data(), text.size()).error();
  if (error == simdjson::NUMBER_ERROR) {
    // simdjson refuses numbers that its own types cannot hold; they are valid JSON all the same.
    const std::string zeroed = WithNumbersZeroed(text);
    error = parser_->parser.parse(zeroed).error();
  }
  if (error == simdjson::SUCCESS) return absl::OkStatus();
  // No fault of the text: the row must not become a dead letter.
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  return absl::InvalidArgumentError(absl::StrCat("not JSON: ", simdjson::error_message(error)));
}

void AppendJsonString(absl::string_view text, std::string* out) {
  absl::StrAppend(out, nlohmann::json(std::string(text))
                           .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace tidemark
