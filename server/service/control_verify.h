// Control's Verify: source against destination, table by table, as a stream.
#ifndef TIDEMARK_SERVICE_CONTROL_VERIFY_H_
#define TIDEMARK_SERVICE_CONTROL_VERIFY_H_

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "core/mutex.h"
#include "service/control_call.h"
#include "service/control_parts.h"
#include "service/request_call.h"
#include "tidemark/v1/control.pb.h"

namespace tidemark {

// The answers of one Verify call. Lives until gRPC says OnDone(). Thread-safe.
class VerifyStream final : public RequestCall {
 public:
  // The work of the call, and how it ended.
  using Work =
      std::function<absl::Status(ControlCall&, const v1::VerifyRequest&, VerifyStream* stream)>;

  VerifyStream(const Parts& parts, Work work) : RequestCall(parts), work_(std::move(work)) {}

  // Sends in order; never waits (there is one short answer for each table).
  void Send(v1::VerifyResponse response);
  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  void Run(ControlCall call, std::unique_ptr<google::protobuf::Message> request) override;
  void Refuse(const absl::Status& status) override { End(status); }
  // Ends the call when everything was sent.
  void End(const absl::Status& status);
  void Advance();

  const Work work_;
  Mutex mutex_;
  std::deque<v1::VerifyResponse> waiting_ ABSL_GUARDED_BY(mutex_);
  grpc::ByteBuffer written_;  // gRPC's while writing_
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

// As ControlConnections.
class ControlVerify {
 public:
  explicit ControlVerify(const ControlParts& parts) : parts_(parts) {}

  // Sends a line for each table and the result; the caller ends the stream.
  absl::Status Verify(ControlCall& call, const v1::VerifyRequest& request, VerifyStream* stream);

 private:
  const ControlParts& parts_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_VERIFY_H_
