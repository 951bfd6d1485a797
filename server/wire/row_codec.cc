#include "wire/row_codec.h"

#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

// The grammar is little endian; so is every machine this runs on, so that values are copied.
static_assert(std::endian::native == std::endian::little);

constexpr size_t kFixedBytes = 8;  // payload of the fixed kinds but BOOL
constexpr size_t kMaxVarintBytes = 5;
constexpr size_t kMetaBytes = 24;
static_assert(sizeof(RowMeta) == kMetaBytes);

char* WriteVarint(uint32_t v, char* out) {
  while (v >= 0x80) {
    *out++ = static_cast<char>(v | 0x80);
    v >>= 7;
  }
  *out++ = static_cast<char>(v);
  return out;
}

size_t VarintBytes(uint32_t v) {
  size_t n = 1;
  while (v >= 0x80) {
    v >>= 7;
    ++n;
  }
  return n;
}

inline char* WriteValue(const Value& value, char* out) {
  *out++ = static_cast<char>(value.kind);
  switch (value.kind) {
    case ValueKind::kNull:
    case ValueKind::kUnchanged:
      return out;
    case ValueKind::kBool:
      *out++ = value.i64 != 0 ? 1 : 0;
      return out;
    case ValueKind::kDecimal:
    case ValueKind::kString:
    case ValueKind::kBytes:
    case ValueKind::kJson:
      out = WriteVarint(value.length, out);
      if (value.length != 0) std::memcpy(out, value.text, value.length);
      return out + value.length;
    case ValueKind::kInt64:
    case ValueKind::kDouble:
    case ValueKind::kDate:
    case ValueKind::kTime:
    case ValueKind::kTimestamp:
    case ValueKind::kNaiveTimestamp:
      break;
  }
  std::memcpy(out, &value.i64, kFixedBytes);
  return out + kFixedBytes;
}

// What ended the decoding; described only once it happened.
enum class Fault { kNone, kEnd, kUnknownType, kBool, kVarintEnd, kVarintLong, kVarintWide, kText };

// Reads a varint of at most 5 bytes in its shortest form.
Fault ReadVarint(const char*& p, const char* end, uint32_t* out) {
  uint64_t v = 0;
  for (size_t i = 0; i < kMaxVarintBytes; ++i) {
    if (p == end) return Fault::kVarintEnd;
    const auto byte = static_cast<uint8_t>(*p++);
    v |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) {
      if (byte == 0 && i > 0) return Fault::kVarintLong;
      if (v > UINT32_MAX) return Fault::kVarintWide;
      *out = static_cast<uint32_t>(v);
      return Fault::kNone;
    }
  }
  return Fault::kVarintWide;
}

inline Fault ReadText(const char*& p, const char* end, Value* value) {
  uint32_t length = 0;
  if (p != end && (*p & 0x80) == 0) {
    length = static_cast<uint8_t>(*p++);
  } else if (const Fault fault = ReadVarint(p, end, &length); fault != Fault::kNone) {
    return fault;
  }
  if (static_cast<size_t>(end - p) < length) return Fault::kText;
  value->length = length;
  value->text = p;
  p += length;
  return Fault::kNone;
}

inline Fault ReadValue(const char*& p, const char* end, Value* value) {
  if (p == end) return Fault::kEnd;
  const auto kind = static_cast<ValueKind>(static_cast<uint8_t>(*p++));
  value->kind = kind;
  value->length = 0;
  switch (kind) {
    case ValueKind::kNull:
    case ValueKind::kUnchanged:
      value->i64 = 0;
      return Fault::kNone;
    case ValueKind::kBool:
      if (p == end) return Fault::kEnd;
      if (static_cast<uint8_t>(*p) > 1) return Fault::kBool;
      value->i64 = static_cast<uint8_t>(*p++);
      return Fault::kNone;
    case ValueKind::kDecimal:
    case ValueKind::kString:
    case ValueKind::kBytes:
    case ValueKind::kJson:
      return ReadText(p, end, value);
    case ValueKind::kInt64:
    case ValueKind::kDouble:
    case ValueKind::kDate:
    case ValueKind::kTime:
    case ValueKind::kTimestamp:
    case ValueKind::kNaiveTimestamp:
      if (static_cast<size_t>(end - p) < kFixedBytes) return Fault::kEnd;
      std::memcpy(&value->i64, p, kFixedBytes);
      p += kFixedBytes;
      return Fault::kNone;
  }
  return Fault::kUnknownType;
}

absl::Status Describe(Fault fault, size_t value, uint32_t column_count, absl::string_view bytes,
                      const char* p) {
  const size_t offset = static_cast<size_t>(p - bytes.data());
  std::string what;
  switch (fault) {
    case Fault::kUnknownType:
      what = absl::StrCat("unknown value type ", static_cast<uint8_t>(p[-1]));
      break;
    case Fault::kBool:
      what = absl::StrCat("a BOOL of ", static_cast<uint8_t>(*p), ", must be 0 or 1");
      break;
    case Fault::kVarintLong:
      what = "a length that is not in its shortest form";
      break;
    case Fault::kVarintWide:
      what = "a length above 4294967295";
      break;
    case Fault::kText:
      what = "a text longer than the bytes that are left";
      break;
    case Fault::kNone:
    case Fault::kEnd:
    case Fault::kVarintEnd:
      what = "the bytes end inside the row";
      break;
  }
  return absl::DataLossError(absl::StrCat("row ", value / column_count, ", column ",
                                          value % column_count, ", byte ", offset, ": ", what));
}

}  // namespace

void EncodeValue(const Value& value, std::string* out) {
  const size_t before = out->size();
  out->resize(before + EncodedSize(value));
  WriteValue(value, out->data() + before);
}

size_t EncodedSize(const Value& value) {
  switch (value.kind) {
    case ValueKind::kNull:
    case ValueKind::kUnchanged:
      return 1;
    case ValueKind::kBool:
      return 2;
    case ValueKind::kDecimal:
    case ValueKind::kString:
    case ValueKind::kBytes:
    case ValueKind::kJson:
      return 1 + VarintBytes(value.length) + value.length;
    default:
      return 1 + kFixedBytes;
  }
}

size_t EncodedRowBound(absl::Span<const Value> row) {
  size_t text = 0;
  for (const Value& value : row) text += value.is_text() ? value.length : 0;
  return row.size() * (1 + kFixedBytes) + text;
}

char* EncodeRow(absl::Span<const Value> row, char* out) {
  for (const Value& value : row) out = WriteValue(value, out);
  return out;
}

absl::Status DecodeRows(absl::string_view bytes, uint32_t row_count, uint32_t column_count,
                        std::vector<Value>* values) {
  const uint64_t count = uint64_t{row_count} * column_count;
  if (count > bytes.size()) {
    return absl::DataLossError(absl::StrCat(row_count, " rows of ", column_count,
                                            " columns do not fit into ", bytes.size(), " bytes"));
  }
  values->resize(count);
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  Value* const out = values->data();
  for (size_t i = 0; i < count; ++i) {
    const Fault fault = ReadValue(p, end, out + i);
    if (fault != Fault::kNone) return Describe(fault, i, column_count, bytes, p);
  }
  if (p != end) {
    return absl::DataLossError(
        absl::StrCat(end - p, " bytes follow the last of ", row_count, " rows"));
  }
  return absl::OkStatus();
}

void EncodeMeta(absl::Span<const RowMeta> meta, std::string* out) {
  const size_t before = out->size();
  out->resize(before + meta.size() * kMetaBytes);
  if (!meta.empty()) std::memcpy(out->data() + before, meta.data(), meta.size() * kMetaBytes);
}

absl::Status DecodeMeta(absl::string_view bytes, uint32_t row_count, std::vector<RowMeta>* meta) {
  if (bytes.empty()) {
    meta->clear();
    return absl::OkStatus();
  }
  if (bytes.size() != row_count * kMetaBytes) {
    return absl::DataLossError(absl::StrCat("stamps of ", bytes.size(), " bytes for ", row_count,
                                            " rows, must be ", row_count * kMetaBytes));
  }
  meta->resize(row_count);
  std::memcpy(meta->data(), bytes.data(), bytes.size());
  return absl::OkStatus();
}

}  // namespace tidemark
