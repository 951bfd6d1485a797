// A gRPC service whose calls nothing is read of, and nothing parsed, until somebody asks for it.
#ifndef TIDEMARK_SERVICE_RAW_SERVICE_H_
#define TIDEMARK_SERVICE_RAW_SERVICE_H_

#include <grpcpp/impl/service_type.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <string>
#include <vector>

namespace google::protobuf {
class Message;
class MethodDescriptor;
class ServiceDescriptor;
}  // namespace google::protobuf
namespace grpc {
class CallbackServerContext;
}

namespace tidemark {

// Services made by protoc read and parse the request of a call before anything of the program runs,
// also before interceptors: for everybody who reaches the port. Here each method of a service,
// whatever its kind, is a stream of bytes in both directions (they are the same on the wire), and
// its reactor reads once it knows who calls. Until then flow control holds the caller's bytes back.
class RawService final : public grpc::Service {
 public:
  using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
  // The reactor of a call; null: UNIMPLEMENTED. Called on gRPC's threads; must not block.
  using Opener = std::function<Reactor*(grpc::CallbackServerContext* context,
                                        const google::protobuf::MethodDescriptor& method)>;

  RawService(const google::protobuf::ServiceDescriptor& service, Opener open);

 private:
  const Opener open_;
  std::vector<std::string> names_;  // of the methods; gRPC keeps pointers to them
};

// A message for a reactor to write.
grpc::ByteBuffer BytesOf(const google::protobuf::Message& message);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_RAW_SERVICE_H_
