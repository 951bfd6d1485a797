#include "wire/parsed_size.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/message.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <string>
#include <utility>

namespace tidemark {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

namespace {

constexpr int kDepth = 100;  // as protobuf's parser
// Of an element: its pointer, more than once while the list grows, and what malloc() keeps beside.
constexpr size_t kElement = 48;
constexpr size_t kText = sizeof(std::string) + kElement;
constexpr size_t kInPlace = 15;    // bytes of a text that need no memory of their own
constexpr size_t kTextBytes = 32;  // beside the bytes of those that do
constexpr size_t kNumber = 4 * sizeof(uint64_t);  // of a list that grows in an arena
constexpr size_t kMapNode = 128;                  // with two texts and its share of the table
constexpr size_t kUnknown = 128;  // with its text, and the set that a first one makes

size_t EmptySize(const Descriptor& type) {
  return google::protobuf::MessageFactory::generated_factory()
      ->GetPrototype(&type)
      ->SpaceUsedLong();
}

// What a message costs before its fields are counted.
size_t MessageCost(const Descriptor& type) {
  if (!type.options().map_entry()) return EmptySize(type) + kElement;
  const FieldDescriptor& value = *type.FindFieldByNumber(2);
  return kMapNode + (value.message_type() == nullptr ? 0 : EmptySize(*value.message_type()));
}

size_t TextCost(size_t size) { return size <= kInPlace ? 0 : size + kTextBytes; }

size_t TagBytes(int number) { return WireFormatLite::TagSize(number, WireFormatLite::TYPE_INT32); }

}  // namespace

ParsedSize::ParsedSize(const Descriptor& type) : empty_(EmptySize(type)), worst_(kUnknown / 2) {
  std::map<const Descriptor*, size_t> added;
  Add(type, &added);
}

size_t ParsedSize::Add(const Descriptor& type, std::map<const Descriptor*, size_t>* added) {
  const auto [found, fresh] = added->emplace(&type, types_.size());
  const size_t index = found->second;
  if (!fresh) return index;
  types_.emplace_back();
  Type fields;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& descriptor = *type.field(i);
    Field field;
    field.wire_type = static_cast<uint8_t>(WireFormatLite::WireTypeForFieldType(
        static_cast<WireFormatLite::FieldType>(descriptor.type())));
    size_t bytes = TagBytes(descriptor.number()) + 1;
    if (descriptor.message_type() != nullptr) {
      field.kind = Field::Kind::kMessage;
      field.cost = MessageCost(*descriptor.message_type());
      field.type = Add(*descriptor.message_type(), added);
    } else if (descriptor.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      field.kind = Field::Kind::kText;
      field.cost = kText;
    } else {
      field.kind = Field::Kind::kNumber;
      field.cost = descriptor.is_repeated() ? kNumber : 0;
      if (descriptor.is_packable()) field.packed_cost = kNumber;
    }
    if (type.options().map_entry()) field.cost = 0;  // a part of the node
    worst_ = std::max(worst_, field.cost / bytes + 1);
    const auto number = static_cast<size_t>(descriptor.number());
    if (fields.size() <= number) fields.resize(number + 1);
    fields[number] = field;
  }
  types_[index] = std::move(fields);
  return index;
}

// One walk over the bytes of a message.
class ParsedSizeWalk {
 public:
  ParsedSizeWalk(const ParsedSize& sizes, CodedInputStream* input, size_t limit)
      : sizes_(sizes), input_(*input), left_(limit) {}

  ParsedSize::Verdict Walk(int bytes) {
    if (Take(sizes_.empty_) && Message(sizes_.types_[0], bytes, 0)) {
      return ParsedSize::Verdict::kFits;
    }
    return too_large_ ? ParsedSize::Verdict::kTooLarge : ParsedSize::Verdict::kMalformed;
  }

 private:
  using Field = ParsedSize::Field;
  using Type = ParsedSize::Type;

  bool Take(size_t cost) {
    too_large_ = cost > left_;
    if (too_large_) return false;
    left_ -= cost;
    return true;
  }

  // All of these: false ends the walk.

  bool Message(const Type& type, int end, int depth) {
    if (depth > kDepth) return false;
    while (input_.CurrentPosition() < end) {
      const uint32_t tag = input_.ReadTag();
      if (!Element(&type, tag, end, depth)) return false;
    }
    return input_.CurrentPosition() == end;
  }

  // What follows `tag` in a message that ends at `end`; null: a type that is not known.
  bool Element(const Type* type, uint32_t tag, int end, int depth) {
    const uint32_t number = tag >> 3;
    const uint32_t wire_type = tag & 7;
    if (number == 0) return false;
    const Field& field = type != nullptr && number < type->size() ? (*type)[number] : kNoField;
    switch (wire_type) {
      case WireFormatLite::WIRETYPE_VARINT: {
        uint64_t value = 0;
        return input_.ReadVarint64(&value) && Number(field, wire_type);
      }
      case WireFormatLite::WIRETYPE_FIXED64:
        return input_.Skip(8) && Number(field, wire_type);
      case WireFormatLite::WIRETYPE_FIXED32:
        return input_.Skip(4) && Number(field, wire_type);
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        return Delimited(field, end, depth);
      case WireFormatLite::WIRETYPE_START_GROUP:  // our protos have none
        return Take(kUnknown) && Group(number, end, depth + 1);
      default:
        return false;
    }
  }

  bool Number(const Field& field, uint32_t wire_type) {
    const bool known = field.kind == Field::Kind::kNumber && field.wire_type == wire_type;
    return Take(known ? field.cost : kUnknown);
  }

  bool Delimited(const Field& field, int end, int depth) {
    uint32_t size = 0;
    if (!input_.ReadVarint32(&size)) return false;
    const int begin = input_.CurrentPosition();
    if (begin > end || size > static_cast<uint32_t>(end - begin)) return false;
    switch (field.kind) {
      case Field::Kind::kMessage:
        return Take(field.cost) &&
               Message(sizes_.types_[field.type], begin + static_cast<int>(size), depth + 1);
      case Field::Kind::kText:
        return Take(field.cost + TextCost(size)) && input_.Skip(static_cast<int>(size));
      case Field::Kind::kNumber:
        if (field.packed_cost == 0) break;
        return Take(size_t{size} * field.packed_cost) && input_.Skip(static_cast<int>(size));
      case Field::Kind::kUnknown:
        break;
    }
    return Take(kUnknown + TextCost(size)) && input_.Skip(static_cast<int>(size));
  }

  bool Group(uint32_t number, int end, int depth) {
    if (depth > kDepth) return false;
    while (input_.CurrentPosition() < end) {
      const uint32_t tag = input_.ReadTag();
      if ((tag & 7) == WireFormatLite::WIRETYPE_END_GROUP) return tag >> 3 == number;
      if (!Element(nullptr, tag, end, depth)) return false;
    }
    return false;
  }

  static constexpr Field kNoField{};

  const ParsedSize& sizes_;
  CodedInputStream& input_;
  size_t left_;
  bool too_large_ = false;
};

ParsedSize::Verdict ParsedSize::Check(const grpc::ByteBuffer& bytes, size_t limit) const {
  const size_t length = bytes.Length();
  if (length <= (limit - std::min(limit, empty_)) / worst_) return Verdict::kFits;
  grpc::ByteBuffer same = bytes;  // the same slices: a reader takes no constant
  grpc::ProtoBufferReader reader(&same);
  if (!reader.status().ok()) return Verdict::kMalformed;
  CodedInputStream input(&reader);
  return ParsedSizeWalk(*this, &input, limit).Walk(static_cast<int>(length));
}

}  // namespace tidemark
