#include "service/raw_service.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

constexpr int kBlockBytes = 1 << 20;

}  // namespace

// What protoc writes for a bidirectional method of bytes (WithRawCallbackMethod_..).
RawService::RawService(const google::protobuf::ServiceDescriptor& service, Opener open)
    : open_(std::move(open)) {
  names_.reserve(static_cast<size_t>(service.method_count()));
  for (int i = 0; i < service.method_count(); ++i) {
    const google::protobuf::MethodDescriptor* method = service.method(i);
    names_.push_back(absl::StrCat("/", service.full_name(), "/", method->name()));
    AddMethod(new grpc::internal::RpcServiceMethod(
        names_.back().c_str(), grpc::internal::RpcMethod::BIDI_STREAMING, nullptr));
    MarkMethodRawCallback(
        i, new grpc::internal::CallbackBidiHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
               [this, method](grpc::CallbackServerContext* context) {
                 return open_(context, *method);
               }));
  }
}

grpc::ByteBuffer BytesOf(const google::protobuf::Message& message) {
  grpc::ByteBuffer bytes;
  grpc::ProtoBufferWriter writer(&bytes, kBlockBytes, static_cast<int>(message.ByteSizeLong()));
  message.SerializeToZeroCopyStream(&writer);  // fails for messages over 2 GiB only
  return bytes;
}

}  // namespace tidemark
