// What messages take in memory is never more than what was told before they were parsed.
#include "wire/parsed_size.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tidemark/v1/control.pb.h"
#include "tidemark/v1/ingest.pb.h"

namespace tidemark {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Verdict = ParsedSize::Verdict;

constexpr size_t kMebi = size_t{1} << 20;

// In several slices, as bytes come from a network.
grpc::ByteBuffer Buffer(const std::string& bytes) {
  std::vector<grpc::Slice> slices;
  constexpr size_t kSlice = 8'191;
  for (size_t at = 0; at < bytes.size(); at += kSlice) {
    slices.emplace_back(bytes.substr(at, kSlice));
  }
  return {slices.data(), slices.size()};
}

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value > 127; value >>= 7) bytes.push_back(static_cast<char>((value & 127) | 128));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

std::string Delimited(int field, const std::string& bytes) {
  return absl::StrCat(Varint(static_cast<uint64_t>(field) << 3 | 2), Varint(bytes.size()), bytes);
}

std::string Times(size_t count, const std::string& bytes) {
  std::string all;
  all.reserve(count * bytes.size());
  for (size_t i = 0; i < count; ++i) all += bytes;
  return all;
}

std::unique_ptr<Message> New(const Descriptor& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->New());
}

// Each type of message that a caller of the server may send, with all that may stand in it.
void AddTypes(const Descriptor& type, std::set<const Descriptor*>* types) {
  if (!types->insert(&type).second) return;
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->message_type() != nullptr) AddTypes(*type.field(i)->message_type(), types);
  }
}

std::set<const Descriptor*> RequestTypes() {
  std::set<const Descriptor*> types;
  for (const google::protobuf::FileDescriptor* file :
       {v1::Sync::descriptor()->file(), v1::PushRequest::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        AddTypes(*file->service(s)->method(m)->input_type(), &types);
      }
    }
  }
  return types;
}

// The message is parsed, and nothing less than what it takes was told to be enough.
void ExpectNotBelow(const Descriptor& type, const std::string& bytes, const std::string& what) {
  const std::unique_ptr<Message> message = New(type);
  ASSERT_TRUE(message->ParseFromString(bytes)) << what;
  const size_t used = message->SpaceUsedLong();
  const ParsedSize sizes(type);
  EXPECT_EQ(sizes.Check(Buffer(bytes), used - 1), Verdict::kTooLarge) << what << ": " << used;
  google::protobuf::Arena arena;
  Message* const in_arena = message->New(&arena);
  ASSERT_TRUE(in_arena->ParseFromString(bytes));
  EXPECT_EQ(sizes.Check(Buffer(bytes), arena.SpaceUsed() - 1), Verdict::kTooLarge)
      << what << " in an arena: " << arena.SpaceUsed();
}

TEST(ParsedSizeTest, IsNeverBelowWhatEmptyElementsTake) {
  for (const Descriptor* type : RequestTypes()) {
    if (type->options().map_entry()) continue;
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor& field = *type->field(i);
      const bool delimited = field.message_type() != nullptr ||
                             field.cpp_type() == FieldDescriptor::CPPTYPE_STRING ||
                             field.is_packable();
      if (!delimited || !field.is_repeated()) continue;
      std::string element = Delimited(field.number(), "");
      if (field.is_packable()) element = Delimited(field.number(), std::string(100, '\1'));
      ExpectNotBelow(*type, Times(20'000, element), field.full_name());
    }
    ExpectNotBelow(*type, Times(20'000, Varint(999 << 3) + '\1'), type->full_name() + " unknown");
    ExpectNotBelow(*type, Times(20'000, Delimited(999, "")), type->full_name() + " unknown text");
    ExpectNotBelow(*type, Times(20'000, Varint(999 << 3 | 3) + Varint(999 << 3 | 4)),
                   type->full_name() + " unknown group");
  }
}

// A row of `columns` short values.
v1::Row RowOf(int columns, int number) {
  v1::Row row;
  row.set_table("orders");
  for (int c = 0; c < columns; ++c) {
    v1::Value& value = (*row.mutable_values())[absl::StrCat("column_", c)];
    c % 2 == 0 ? value.set_int64(number) : value.set_string(absl::StrCat("text ", number));
  }
  return row;
}

TEST(ParsedSizeTest, IsNeverBelowWhatRowsTakeAndNotFarAbove) {
  for (const int columns : {1, 3, 30}) {
    v1::PushRequest request;
    for (int i = 0; request.ByteSizeLong() < kMebi; ++i) {
      for (int more = 0; more < 100; ++more)
        *request.mutable_rows()->add_rows() = RowOf(columns, i);
    }
    const std::string bytes = request.SerializeAsString();
    ExpectNotBelow(*v1::PushRequest::descriptor(), bytes, absl::StrCat(columns, " columns"));
    v1::PushRequest parsed;
    ASSERT_TRUE(parsed.ParseFromString(bytes));
    EXPECT_EQ(
        ParsedSize(*v1::PushRequest::descriptor()).Check(Buffer(bytes), 3 * parsed.SpaceUsedLong()),
        Verdict::kFits)
        << columns;
  }
}

TEST(ParsedSizeTest, PackedRowsAndDocumentsTakeTheirBytes) {
  v1::PushRequest packed;
  packed.mutable_row_batch()->set_rows(std::string(4 * kMebi - 100, 'x'));
  EXPECT_EQ(ParsedSize(*v1::PushRequest::descriptor())
                .Check(Buffer(packed.SerializeAsString()), 4 * kMebi + 4'096),
            Verdict::kFits);
  v1::ApplyConnectionRequest apply;
  apply.set_yaml(std::string(4 * kMebi - 100, 'x'));
  EXPECT_EQ(ParsedSize(*v1::ApplyConnectionRequest::descriptor())
                .Check(Buffer(apply.SerializeAsString()), 4 * kMebi + 4'096),
            Verdict::kFits);
}

TEST(ParsedSizeTest, FourMebibytesOfEmptyElementsDoNotFit) {
  const std::string rows = Delimited(v1::Rows::kRowsFieldNumber, "");
  EXPECT_EQ(ParsedSize(*v1::PushRequest::descriptor())
                .Check(Buffer(Delimited(v1::PushRequest::kRowsFieldNumber, Times(2 * kMebi, rows))),
                       32 * kMebi),
            Verdict::kTooLarge);
  EXPECT_EQ(
      ParsedSize(*v1::CreateTokenRequest::descriptor())
          .Check(Buffer(Times(2 * kMebi,
                              Delimited(v1::CreateTokenRequest::kConnectionsFieldNumber, ""))),
                 16 * kMebi),
      Verdict::kTooLarge);
}

TEST(ParsedSizeTest, BytesThatAreNoMessageAreMalformed) {
  const ParsedSize sizes(*v1::PushRequest::descriptor());
  const std::string fill = Delimited(999, std::string(1'000, 'x'));  // so that a walk is due
  const std::string deep = Times(101, Varint(99 << 3 | 3)) + Times(101, Varint(99 << 3 | 4));
  for (const std::string& bytes :
       {fill + Varint(999 << 3 | 2) + Varint(5) + "four", fill + Varint(7), fill + '\0',
        fill + Varint(5 << 3 | 4), fill + Varint(5 << 3 | 3) + Varint(6 << 3 | 4),
        fill + Varint(5 << 3 | 3), fill + Varint(1 << 3) + '\xff', fill + deep,
        fill + Delimited(v1::PushRequest::kRowsFieldNumber, "\x0a\x05x"),
        fill + Varint(1 << 3 | 1) + "seven..", fill + Varint(1 << 3 | 6)}) {
    v1::PushRequest request;
    EXPECT_FALSE(request.ParseFromString(bytes));
    EXPECT_EQ(sizes.Check(Buffer(bytes), 16'384), Verdict::kMalformed) << bytes.size();
  }
  EXPECT_EQ(sizes.Check(Buffer(fill), 16'384), Verdict::kFits);
}

// Whatever a parser takes is no malformed message here and takes no more than was told.
TEST(ParsedSizeTest, ChangedMessagesAreJudgedAsAParserJudgesThem) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 dice(seed);
  const ParsedSize sizes(*v1::PushRequest::descriptor());
  v1::PushRequest request;
  request.set_sequence(7);
  for (int i = 0; i < 40; ++i) *request.mutable_rows()->add_rows() = RowOf(1 + i % 5, i);
  const std::string whole = request.SerializeAsString();
  int taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = whole;
    for (auto changes = 1 + dice() % 3; changes > 0; --changes) {
      bytes[dice() % bytes.size()] = static_cast<char>(dice());
    }
    if (dice() % 4 == 0) bytes.resize(dice() % bytes.size());
    v1::PushRequest parsed;
    if (!parsed.ParseFromString(bytes)) continue;
    ++taken;
    for (size_t limit = 256; limit < kMebi; limit *= 4) {
      const Verdict verdict = sizes.Check(Buffer(bytes), limit);
      ASSERT_NE(verdict, Verdict::kMalformed) << round;
      if (limit < parsed.SpaceUsedLong()) {
        ASSERT_EQ(verdict, Verdict::kTooLarge) << round;
      }
    }
  }
  EXPECT_GT(taken, 100);
}

}  // namespace
}  // namespace tidemark
