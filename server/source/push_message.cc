#include "source/push_message.h"

#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "tidemark/v1/ingest.pb.h"
#include "wire/parsed_size.h"
#include "wire/unknown_field.h"

namespace tidemark {
namespace {

using google::protobuf::io::CodedInputStream;

constexpr uint32_t VarintTag(int field) { return static_cast<uint32_t>(field) << 3; }
constexpr uint32_t LengthTag(int field) { return (static_cast<uint32_t>(field) << 3) | 2; }

// True when the bytes are a number and then rows, in either form, and nothing else: nearly all of
// the traffic. They are parsed where they stay.
bool ParseRows(grpc::ByteBuffer* buffer, PushMessage* message) {
  grpc::ProtoBufferReader reader(buffer);
  if (!reader.status().ok()) return false;
  CodedInputStream input(&reader);
  uint32_t size = 0;
  if (input.ReadTag() != VarintTag(v1::PushRequest::kSequenceFieldNumber) ||
      !input.ReadVarint64(&message->sequence)) {
    return false;
  }
  const uint32_t tag = input.ReadTag();
  const bool packed = tag == LengthTag(v1::PushRequest::kRowBatchFieldNumber);
  if (!packed && tag != LengthTag(v1::PushRequest::kRowsFieldNumber)) return false;
  if (!input.ReadVarint32(&size)) return false;
  if (static_cast<size_t>(input.CurrentPosition()) + size != buffer->Length()) return false;
  if (packed) {
    message->kind = PushMessage::Kind::kRowBatch;
    return message->rows->row_batch.MergeFromCodedStream(&input) && input.ConsumedEntireMessage();
  }
  message->kind = PushMessage::Kind::kRows;
  return message->rows->AddArenaRows()->MergeFromCodedStream(&input) &&
         input.ConsumedEntireMessage();
}

// Names the first field that this version does not know.
bool HasUnknown(const google::protobuf::Message& message, PushMessage* out) {
  const int field = UnknownField(message);
  if (field == 0) return false;
  out->kind = PushMessage::Kind::kUnknown;
  out->problem = absl::StrCat("field number ", field, " of ", message.GetDescriptor()->name(),
                              " is not known to this server: misspelt, or newer than it");
  return true;
}

bool HasUnknownBelow(const v1::TableDefinition& definition, PushMessage* out) {
  if (HasUnknown(definition, out) || HasUnknown(definition.table(), out)) return true;
  for (const v1::Column& column : definition.table().columns()) {
    if (HasUnknown(column, out)) return true;
  }
  return false;
}

void Take(v1::PushRequest request, PushMessage* message) {
  message->sequence = request.sequence();
  switch (request.request_case()) {
    case v1::PushRequest::kStart:
      message->kind = PushMessage::Kind::kStart;
      if (HasUnknown(request.start(), message)) return;
      message->start.connection = request.start().connection();
      message->start.producer = request.start().producer();
      message->start.checkpoints = request.start().checkpoints();
      if (request.start().has_expected_sequence()) {
        message->start.expected_sequence = request.start().expected_sequence();
      }
      break;
    case v1::PushRequest::kTable:
      message->kind = PushMessage::Kind::kTable;
      if (HasUnknownBelow(request.table(), message)) return;
      message->table = std::move(*request.mutable_table());
      break;
    case v1::PushRequest::kRows:
      message->kind = PushMessage::Kind::kRows;
      message->rows->response.mutable_rows()->Swap(request.mutable_rows());
      break;
    case v1::PushRequest::kRowBatch:
      message->kind = PushMessage::Kind::kRowBatch;
      message->rows->row_batch.Swap(request.mutable_row_batch());
      break;
    case v1::PushRequest::kCheckpoint:
      message->kind = PushMessage::Kind::kCheckpoint;
      if (HasUnknown(request.checkpoint(), message)) return;
      message->state = std::move(*request.mutable_checkpoint()->mutable_state());
      break;
    case v1::PushRequest::REQUEST_NOT_SET:
      message->kind = PushMessage::Kind::kUnknown;
      message->problem = "a PushRequest without a kind of request that this server knows";
      break;
  }
  HasUnknown(request, message);
}

// False: says why in `message`.
bool MayParse(const grpc::ByteBuffer& buffer, PushMessage* message) {
  static const ParsedSize* const sizes = new ParsedSize(*v1::PushRequest::descriptor());
  switch (sizes->Check(buffer, kMaxParsedPush)) {
    case ParsedSize::Verdict::kFits:
      return true;
    case ParsedSize::Verdict::kMalformed:
      message->kind = PushMessage::Kind::kMalformed;
      return false;
    case ParsedSize::Verdict::kTooLarge:
      message->kind = PushMessage::Kind::kTooLarge;
      message->problem = absl::StrCat(
          "a message of ", message->bytes, " bytes has so many rows and values that it would take ",
          "more than ", kMaxParsedPush >> 20, " MiB of memory: send fewer in one message");
      return false;
  }
  return false;
}

}  // namespace

std::unique_ptr<PushMessage> ParsePushMessage(grpc::ByteBuffer* buffer, MessagePool* pool) {
  auto message = std::make_unique<PushMessage>();
  message->bytes = message->memory = buffer->Length();
  if (!MayParse(*buffer, message.get())) return message;
  message->rows = pool->Take();
  message->rows->bytes = buffer->Length();
  message->rows->malformed = false;
  message->rows->is_row_batch = false;
  if (!ParseRows(buffer, message.get())) {
    message->rows->row_batch.Clear();
    message->rows->arena_rows = nullptr;
    message->rows->arena = nullptr;
    message->kind = PushMessage::Kind::kMalformed;
    message->sequence = 0;
    grpc::ProtoBufferReader reader(buffer);
    v1::PushRequest request;
    if (reader.status().ok() && request.ParseFromZeroCopyStream(&reader)) {
      message->memory = request.SpaceUsedLong();
      Take(std::move(request), message.get());
    }
  }
  if (message->kind == PushMessage::Kind::kRows) {
    if (message->rows->arena != nullptr) message->memory = message->rows->arena->SpaceAllocated();
    HasUnknown(message->rows->rows(), message.get());
  } else if (message->kind == PushMessage::Kind::kRowBatch) {
    HasUnknown(message->rows->row_batch, message.get());
  } else {
    pool->Return(std::move(message->rows));
  }
  return message;
}

}  // namespace tidemark
