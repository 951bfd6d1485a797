// Keys in bytes that sort like the keys, and the spool that holds them.
#include "control/row_image.h"

#include <gtest/gtest.h>

#include <deque>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/record_spool.h"

namespace tidemark {
namespace {

using Limits = std::numeric_limits<int64_t>;

std::string Key(const std::vector<Value>& values) { return EncodeKey(values); }

TEST(RowImage, BytesOfKeysSortLikeTheKeys) {
  const std::string nul("a\0", 2);
  const std::string nul_b("a\0b", 3);
  const std::vector<std::vector<Value>> ascending[] = {
      {{Value::Int64(Limits::min())},
       {Value::Int64(-256)},
       {Value::Int64(-1)},
       {Value::Int64(0)},
       {Value::Int64(1)},
       {Value::Int64(255)},
       {Value::Int64(256)},
       {Value::Int64(Limits::max())}},
      {{Value::Bool(false)}, {Value::Bool(true)}},
      {{Value::Double(-1e300)},
       {Value::Double(-1.5)},
       {Value::Double(0)},
       {Value::Double(1e-300)},
       {Value::Double(2)}},
      {{Value::String("")},
       {Value::String("A")},
       {Value::String("a")},
       {Value::String(nul)},
       {Value::String(nul_b)},
       {Value::String("a\x01")},
       {Value::String("aa")},
       {Value::String("\xc3\xa4")}},
      {{Value::String("a"), Value::Int64(2)},
       {Value::String("a"), Value::Int64(10)},
       {Value::String("ab"), Value::Int64(1)}},
      {{Value::Int(ValueKind::kDate, -5)}, {Value::Int(ValueKind::kDate, 5)}},
  };
  for (const auto& keys : ascending) {
    for (size_t i = 1; i < keys.size(); ++i) EXPECT_LT(Key(keys[i - 1]), Key(keys[i])) << i;
  }
}

TEST(RowImage, KeysComeBackFromTheirBytes) {
  const std::string nul("a\0\xff", 3);
  const std::vector<Value> key = {Value::Int64(-7),
                                  Value::Double(-2.5),
                                  Value::String(nul),
                                  Value::Bool(true),
                                  Value::Int(ValueKind::kTimestamp, 1'700'000'000'000'000),
                                  Value::Text(ValueKind::kBytes, nul)};
  std::deque<std::string> texts;
  const absl::StatusOr<std::vector<Value>> decoded = DecodeKey(EncodeKey(key), &texts);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ASSERT_EQ(decoded->size(), key.size());
  for (size_t i = 0; i < key.size(); ++i) EXPECT_TRUE(SameValue(key[i], (*decoded)[i])) << i;
}

TEST(RowImage, DamagedBytesAreRefused) {
  const std::string good = EncodeKey(std::vector<Value>{Value::Int64(7), Value::String("abc")});
  std::deque<std::string> texts;
  for (size_t size = 1; size < good.size(); ++size) {
    if (size == 9) continue;  // the number alone
    EXPECT_FALSE(DecodeKey(good.substr(0, size), &texts).ok()) << size;
  }
  EXPECT_FALSE(DecodeKey("\x63", &texts).ok());
}

TEST(RowImage, DigestsTellKindAndContentApart) {
  RowDigest digest;
  const std::vector<uint32_t> columns = {0, 1};
  const auto of = [&](Value a, Value b) { return digest.Of(std::vector<Value>{a, b}, columns); };
  EXPECT_EQ(of(Value::Int64(1), Value::Null()), of(Value::Int64(1), Value::Null()));
  EXPECT_EQ(of(Value::Double(0.0), Value::Null()), of(Value::Double(-0.0), Value::Null()));
  EXPECT_NE(of(Value::Int64(1), Value::Null()), of(Value::Null(), Value::Int64(1)));
  EXPECT_NE(of(Value::Int64(1), Value::Null()), of(Value::String("1"), Value::Null()));
  EXPECT_NE(of(Value::String("ab"), Value::String("c")),
            of(Value::String("a"), Value::String("bc")));
}

TEST(RecordSpool, GivesBackWhatWasAppendedFromMemoryAndFile) {
  for (const size_t memory : {size_t{0}, size_t{100}, size_t{1} << 20}) {
    RecordSpool spool(memory);
    std::mt19937 random(7);
    std::vector<std::string> records;
    for (int i = 0; i < 500; ++i) {
      records.push_back(std::string(random() % 40, static_cast<char>(random())));
      ASSERT_EQ(spool.Append(records.back()), absl::OkStatus());
    }
    for (int pass = 0; pass < 2; ++pass) {
      ASSERT_EQ(spool.Rewind(), absl::OkStatus());
      std::string record;
      for (const std::string& wanted : records) {
        ASSERT_EQ(*spool.Next(&record), true) << memory;
        ASSERT_EQ(record, wanted);
      }
      EXPECT_EQ(*spool.Next(&record), false);
    }
  }
}

}  // namespace
}  // namespace tidemark
