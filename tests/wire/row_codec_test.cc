// The packed row form: golden bytes of each part of the grammar, round trips, and every kind of
// malformed input with the exact error.
#include "wire/row_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

std::string Encoded(const std::vector<Value>& values) {
  std::string bytes(EncodedRowBound(values), '\0');
  bytes.resize(static_cast<size_t>(EncodeRow(values, bytes.data()) - bytes.data()));
  return bytes;
}

// A copy that ends where the readable memory ends: one byte read too far ends the test.
class GuardedCopy {
 public:
  explicit GuardedCopy(absl::string_view bytes) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    size_ = (bytes.size() / page + 2) * page;
    mapped_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char* const guard = static_cast<char*>(mapped_) + size_ - page;
    EXPECT_EQ(mprotect(guard, page, PROT_NONE), 0);
    view_ = absl::string_view(guard - bytes.size(), bytes.size());
    if (!bytes.empty()) std::memcpy(guard - bytes.size(), bytes.data(), bytes.size());
  }
  ~GuardedCopy() { munmap(mapped_, size_); }
  GuardedCopy(const GuardedCopy&) = delete;
  GuardedCopy& operator=(const GuardedCopy&) = delete;

  absl::string_view view() const { return view_; }

 private:
  size_t size_ = 0;
  void* mapped_ = nullptr;
  absl::string_view view_;
};

struct Golden {
  const char* name;
  Value value;
  std::string bytes;
};

std::vector<Golden> GoldenValues() {
  using K = ValueKind;
  using namespace std::string_literals;
  static const std::string* const long_text = new std::string(300, 'x');
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  return {
      {"null", Value::Null(), "\x00"s},
      {"unchanged", Value::Unchanged(), "\x01"s},
      {"false", Value::Bool(false), "\x02\x00"s},
      {"true", Value::Bool(true), "\x02\x01"s},
      {"int64", Value::Int64(0x0102030405060708), "\x03\x08\x07\x06\x05\x04\x03\x02\x01"s},
      {"int64 negative", Value::Int64(-2), "\x03\xfe\xff\xff\xff\xff\xff\xff\xff"s},
      {"int64 smallest", Value::Int64(kMin), "\x03\x00\x00\x00\x00\x00\x00\x00\x80"s},
      {"double", Value::Double(1.5), "\x04\x00\x00\x00\x00\x00\x00\xf8\x3f"s},
      {"double -0", Value::Double(-0.0), "\x04\x00\x00\x00\x00\x00\x00\x00\x80"s},
      {"decimal", Value::Text(K::kDecimal, "-12.50"), "\x05\x06-12.50"s},
      {"string empty", Value::String(""), "\x06\x00"s},
      {"string", Value::String("h\xc3\xa9"), "\x06\x03h\xc3\xa9"s},
      {"string of 300 bytes", Value::String(*long_text), "\x06\xac\x02"s + *long_text},
      {"bytes", Value::Text(K::kBytes, absl::string_view("\0\xff", 2)), "\x07\x02\x00\xff"s},
      {"json", Value::Text(K::kJson, "{}"), "\x08\x02{}"s},
      {"date", Value::Int(K::kDate, -1), "\x09\xff\xff\xff\xff\xff\xff\xff\xff"s},
      {"time", Value::Int(K::kTime, 86'400'000'000), "\x0a\x00\x60\xd7\x1d\x14\x00\x00\x00"s},
      {"timestamp", Value::Int(K::kTimestamp, 1), "\x0b\x01\x00\x00\x00\x00\x00\x00\x00"s},
      {"naive timestamp", Value::Int(K::kNaiveTimestamp, kMin),
       "\x0c\x00\x00\x00\x00\x00\x00\x00\x80"s},
  };
}

TEST(RowCodecTest, WritesTheBytesOfTheGrammar) {
  for (const Golden& golden : GoldenValues()) {
    SCOPED_TRACE(golden.name);
    EXPECT_EQ(absl::BytesToHexString(Encoded({golden.value})),
              absl::BytesToHexString(golden.bytes));
    std::string appended = "before";
    EncodeValue(golden.value, &appended);
    EXPECT_EQ(appended, absl::StrCat("before", golden.bytes));
    EXPECT_EQ(EncodedSize(golden.value), golden.bytes.size());
  }
}

TEST(RowCodecTest, ReadsTheBytesOfTheGrammar) {
  for (const Golden& golden : GoldenValues()) {
    SCOPED_TRACE(golden.name);
    std::vector<Value> values;
    ASSERT_EQ(DecodeRows(golden.bytes, 1, 1, &values), absl::OkStatus());
    ASSERT_EQ(values.size(), 1u);
    EXPECT_TRUE(SameValue(values[0], golden.value));
    if (values[0].is_text() && values[0].length > 0) {
      EXPECT_GE(values[0].text, golden.bytes.data()) << "the text must view the message";
    }
  }
}

// Values of every kind, sizes around the borders of the varint, doubles of any bits.
Value RandomValue(std::mt19937_64& random, std::vector<std::unique_ptr<std::string>>& texts) {
  const auto kind = static_cast<ValueKind>(random() % (kMaxValueKind + 1));
  if (kind == ValueKind::kBool) return Value::Bool(random() % 2 == 1);
  Value value = Value::Int(kind, static_cast<int64_t>(random()));
  if (value.is_null()) return Value::Null();
  if (value.is_unchanged()) return Value::Unchanged();
  if (!value.is_text()) return value;
  constexpr size_t kSizes[] = {0, 1, 20, 127, 128, 129, 16'383, 16'384, 16'385};
  texts.push_back(std::make_unique<std::string>(kSizes[random() % std::size(kSizes)], '\0'));
  for (char& c : *texts.back()) c = static_cast<char>(random());
  return Value::Text(kind, *texts.back());
}

TEST(RowCodecTest, RandomRowsComeBackAsTheyWere) {
  const uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  for (int round = 0; round < 200; ++round) {
    const auto rows = static_cast<uint32_t>(random() % 20);
    const auto columns = static_cast<uint32_t>(random() % 20);
    std::vector<std::unique_ptr<std::string>> texts;
    std::vector<Value> values;
    std::string appended;
    for (size_t i = 0; i < size_t{rows} * columns; ++i) {
      values.push_back(RandomValue(random, texts));
      EncodeValue(values.back(), &appended);
    }
    const std::string bytes = Encoded(values);
    ASSERT_EQ(bytes, appended);
    std::vector<Value> decoded;
    ASSERT_EQ(DecodeRows(bytes, rows, columns, &decoded), absl::OkStatus());
    ASSERT_EQ(decoded.size(), values.size());
    for (size_t i = 0; i < values.size(); ++i) ASSERT_TRUE(SameValue(decoded[i], values[i])) << i;
  }
}

TEST(RowCodecTest, EveryTruncationIsAnError) {
  std::vector<Value> row;
  for (const Golden& golden : GoldenValues()) row.push_back(golden.value);
  const std::string bytes = Encoded(row);
  const auto columns = static_cast<uint32_t>(row.size());
  std::vector<Value> values;
  ASSERT_EQ(DecodeRows(bytes, 1, columns, &values), absl::OkStatus());
  for (size_t size = 0; size < bytes.size(); ++size) {
    const GuardedCopy cut(absl::string_view(bytes).substr(0, size));
    EXPECT_TRUE(absl::IsDataLoss(DecodeRows(cut.view(), 1, columns, &values))) << size;
  }
}

TEST(RowCodecTest, EachMalformedInputHasItsError) {
  using namespace std::string_literals;
  struct Case {
    const char* name;
    std::string bytes;
    uint32_t rows;
    uint32_t columns;
    const char* error;
  };
  const Case cases[] = {
      {"no bytes", ""s, 1, 1, "1 rows of 1 columns do not fit into 0 bytes"},
      {"more values than bytes", "\0\0\0"s, 2, 2, "2 rows of 2 columns do not fit into 3 bytes"},
      {"huge counts", "\0"s, 0xffffffff, 0xffffffff,
       "4294967295 rows of 4294967295 columns do not fit into 1 bytes"},
      {"unknown type", "\0\0\x0d"s, 3, 1, "row 2, column 0, byte 3: unknown value type 13"},
      {"type 255", "\xff"s, 1, 1, "row 0, column 0, byte 1: unknown value type 255"},
      {"bool of 2", "\0\x02\x02"s, 1, 2, "row 0, column 1, byte 2: a BOOL of 2, must be 0 or 1"},
      {"bool without payload", "\x02"s, 1, 1,
       "row 0, column 0, byte 1: the bytes end inside the row"},
      {"int64 of 7 bytes", "\x03\0\0\0\0\0\0\0"s, 1, 1,
       "row 0, column 0, byte 1: the bytes end inside the row"},
      {"text without length", "\x06"s, 1, 1,
       "row 0, column 0, byte 1: the bytes end inside the row"},
      {"length cut", "\x06\x80"s, 1, 1, "row 0, column 0, byte 2: the bytes end inside the row"},
      {"length not shortest", "\x06\x81\x00y"s, 1, 1,
       "row 0, column 0, byte 3: a length that is not in its shortest form"},
      {"length of 6 bytes", "\x06\x80\x80\x80\x80\x80\x01"s, 1, 1,
       "row 0, column 0, byte 6: a length above 4294967295"},
      {"length above 32 bits", "\x06\xff\xff\xff\xff\x1f"s, 1, 1,
       "row 0, column 0, byte 6: a length above 4294967295"},
      {"text longer than what is left",
       "\x06\x05"
       "abcd"s,
       1, 1, "row 0, column 0, byte 2: a text longer than the bytes that are left"},
      {"longest length", "\x06\xff\xff\xff\xff\x0f"s, 1, 1,
       "row 0, column 0, byte 6: a text longer than the bytes that are left"},
      {"bytes behind", "\0\0\0"s, 1, 2, "1 bytes follow the last of 1 rows"},
      {"bytes behind no rows", "\0"s, 0, 5, "1 bytes follow the last of 0 rows"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::vector<Value> values;
    EXPECT_EQ(DecodeRows(c.bytes, c.rows, c.columns, &values), absl::DataLossError(c.error));
  }
}

TEST(RowCodecTest, RowsWithoutColumnsHaveNoBytes) {
  std::vector<Value> values(3);
  EXPECT_EQ(DecodeRows("", 1000, 0, &values), absl::OkStatus());
  EXPECT_TRUE(values.empty());
}

TEST(RowCodecTest, StampsComeBackAsTheyWere) {
  const std::vector<RowMeta> meta = {{1, 2, 3}, {kUnknownEventTime, ~uint64_t{0}, 0}};
  std::string bytes;
  EncodeMeta(meta, &bytes);
  EXPECT_EQ(absl::BytesToHexString(bytes.substr(0, 24)),
            "010000000000000002000000000000000300000000000000");
  std::vector<RowMeta> decoded;
  ASSERT_EQ(DecodeMeta(bytes, 2, &decoded), absl::OkStatus());
  ASSERT_EQ(decoded.size(), 2u);
  EXPECT_EQ(decoded[0].subsequence, 3u);
  EXPECT_EQ(decoded[1].event_time_us, kUnknownEventTime);
  EXPECT_EQ(decoded[1].sequence, ~uint64_t{0});
  EXPECT_EQ(DecodeMeta(bytes, 3, &decoded),
            absl::DataLossError("stamps of 48 bytes for 3 rows, must be 72"));
  EXPECT_EQ(DecodeMeta("", 3, &decoded), absl::OkStatus());
  EXPECT_TRUE(decoded.empty()) << "no stamps";
}

}  // namespace
}  // namespace tidemark
