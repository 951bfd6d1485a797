// One call with one request, until its work begins: who calls first, then what he asks for.
#ifndef TIDEMARK_SERVICE_REQUEST_CALL_H_
#define TIDEMARK_SERVICE_REQUEST_CALL_H_

#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "service/call_pool.h"
#include "service/control_call.h"
#include "service/control_parts.h"
#include "service/raw_service.h"
#include "wire/parsed_size.h"

namespace google::protobuf {
class Message;
}

namespace tidemark {

// Of memory, that a request may take once it is parsed. Its documents take their bytes, at most
// 4 MiB; lists of more than 10,000 elements are refused anyway (service/message_check.h).
inline constexpr size_t kMaxParsedRequest = size_t{16} << 20;

// The caller is asked for, then the request is read, measured, parsed and checked, then its work
// runs: Run(). Whatever fails on the way ends the call: Refuse(). Nothing of a request is read, let
// alone parsed, for somebody who may not call the method.
//
// Lives at least until gRPC says OnDone(), which comes after Run() or Refuse() were called. Its
// steps come one after the other, on threads of the pools.
class RequestCall : public RawService::Reactor {
 public:
  struct Parts {  // all borrowed
    const ControlParts* control = nullptr;
    const std::atomic<bool>* stopping = nullptr;
    CallPool* gate_pool = nullptr;  // where callers are asked for
    CallPool* pool = nullptr;       // of Run()
    grpc::CallbackServerContext* context = nullptr;
    const char* method = nullptr;                        // the whole name
    const google::protobuf::Message* request = nullptr;  // an empty one
    const ParsedSize* size = nullptr;                    // of `request`
  };

  // Once, by who made it.
  void Begin();

 protected:
  explicit RequestCall(const Parts& parts) : parts_(parts) {}

  // One of these is called, once. `request` is of the type of Parts::request.
  virtual void Run(ControlCall call, std::unique_ptr<google::protobuf::Message> request) = 0;
  virtual void Refuse(const absl::Status& status) = 0;

  const Parts& parts() const { return parts_; }

 private:
  void OnReadDone(bool ok) final;
  void Admit();
  void Take();
  absl::Status Parse(google::protobuf::Message* request);

  const Parts parts_;
  grpc::ByteBuffer bytes_;
  AdmittedCall admitted_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_REQUEST_CALL_H_
