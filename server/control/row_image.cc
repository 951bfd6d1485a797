#include "control/row_image.h"

#include <bit>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

constexpr uint64_t kSign = uint64_t{1} << 63;

void AppendBigEndian(uint64_t number, std::string* out) {
  for (int shift = 56; shift >= 0; shift -= 8) out->push_back(static_cast<char>(number >> shift));
}

// Ascending like the doubles themselves: negative ones backwards, below the others.
uint64_t OrderedBits(double value) {
  const auto bits = std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

// 00 becomes 00 FF, and 00 00 ends the text, so that a prefix sorts first.
void AppendText(absl::string_view text, std::string* out) {
  for (const char c : text) {
    out->push_back(c);
    if (c == '\0') out->push_back('\xff');
  }
  out->append(2, '\0');
}

// Reads an encoded key from its front.
class KeyReader {
 public:
  explicit KeyReader(absl::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  bool TakeByte(uint8_t* byte) {
    if (rest_.empty()) return false;
    *byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return true;
  }
  bool TakeNumber(uint64_t* number) {
    *number = 0;
    for (int i = 0; i < 8; ++i) {
      uint8_t byte = 0;
      if (!TakeByte(&byte)) return false;
      *number = *number << 8 | byte;
    }
    return true;
  }
  bool TakeText(std::string* text) {
    uint8_t byte = 0;
    while (TakeByte(&byte)) {
      if (byte != 0) {
        text->push_back(static_cast<char>(byte));
        continue;
      }
      if (!TakeByte(&byte)) return false;
      if (byte == 0) return true;
      text->push_back('\0');
    }
    return false;
  }

 private:
  absl::string_view rest_;
};

bool TakeValue(KeyReader* reader, std::deque<std::string>* texts, Value* value) {
  uint8_t kind = 0;
  if (!reader->TakeByte(&kind) || kind > kMaxValueKind) return false;
  *value = Value::Int(static_cast<ValueKind>(kind), 0);
  if (value->is_null() || value->is_unchanged()) return true;
  if (value->is_text()) {
    std::string& text = texts->emplace_back();
    if (!reader->TakeText(&text)) return false;
    *value = Value::Text(value->kind, text);
    return true;
  }
  uint64_t number = 0;
  if (!reader->TakeNumber(&number)) return false;
  if (value->kind == ValueKind::kDouble) {
    *value =
        Value::Double(std::bit_cast<double>((number & kSign) != 0 ? number & ~kSign : ~number));
  } else {
    value->i64 = static_cast<int64_t>(number ^ kSign);
  }
  return true;
}

}  // namespace

std::string EncodeKey(absl::Span<const Value> key) {
  std::string bytes;
  for (const Value& value : key) {
    bytes.push_back(static_cast<char>(value.kind));
    if (value.is_null() || value.is_unchanged()) continue;
    if (value.is_text()) {
      AppendText(value.view(), &bytes);
    } else if (value.kind == ValueKind::kDouble) {
      AppendBigEndian(OrderedBits(value.f64), &bytes);
    } else {
      AppendBigEndian(static_cast<uint64_t>(value.i64) ^ kSign, &bytes);
    }
  }
  return bytes;
}

absl::StatusOr<std::vector<Value>> DecodeKey(absl::string_view bytes,
                                             std::deque<std::string>* texts) {
  std::vector<Value> key;
  KeyReader reader(bytes);
  texts->clear();
  while (!reader.empty()) {
    Value& value = key.emplace_back();
    if (!TakeValue(&reader, texts, &value)) {
      return absl::DataLossError("the bytes of a key do not make sense");
    }
  }
  return key;
}

std::string RowDigest::Of(absl::Span<const Value> row, absl::Span<const uint32_t> columns) {
  packed_.clear();
  for (const uint32_t column : columns) {
    const Value& value = row[column];
    packed_.push_back(static_cast<char>(value.kind));
    if (value.is_null()) continue;
    if (value.is_text()) {
      AppendBigEndian(value.length, &packed_);
      packed_.append(value.text, value.length);
    } else if (value.kind == ValueKind::kDouble) {
      AppendBigEndian(std::bit_cast<uint64_t>(value.f64 == 0 ? 0.0 : value.f64), &packed_);
    } else {
      AppendBigEndian(static_cast<uint64_t>(value.i64), &packed_);
    }
  }
  digest_.Add(packed_);
  return digest_.Finish();
}

}  // namespace tidemark
