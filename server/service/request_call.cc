#include "service/request_call.h"

#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "service/call_error.h"
#include "service/control_work.h"

namespace tidemark {

// Two steps and not one, so that no thread waits for a request that comes slowly.
void RequestCall::Begin() {
  if (CallGate::KnowsAtOnce(*parts_.context)) return Admit();
  if (parts_.gate_pool->Run([this] { Admit(); })) return;
  Refuse(*parts_.stopping ? ServerStops() : ServerIsBusy());
}

void RequestCall::Admit() {
  if (*parts_.stopping) return Refuse(ServerStops());
  if (parts_.context->IsCancelled()) return Refuse(absl::CancelledError("the caller has gone"));
  absl::StatusOr<AdmittedCall> admitted =
      parts_.control->gate->Admit(*parts_.context, parts_.method);
  if (!admitted.ok()) return Refuse(admitted.status());
  admitted_ = *std::move(admitted);
  StartRead(&bytes_);
}

void RequestCall::OnReadDone(bool ok) {
  if (!ok) return Refuse(absl::InvalidArgumentError("the call has no request"));
  if (parts_.pool->Run([this] { Take(); })) return;
  Refuse(*parts_.stopping ? ServerStops() : ServerIsBusy());
}

void RequestCall::Take() {
  if (*parts_.stopping) return Refuse(ServerStops());
  if (parts_.context->IsCancelled()) return Refuse(absl::CancelledError("the caller has gone"));
  std::unique_ptr<google::protobuf::Message> request(parts_.request->New());
  absl::Status status = Parse(request.get());
  bytes_.Clear();
  if (status.ok()) status = parts_.control->gate->CheckRequest(admitted_, *request);
  if (!status.ok()) return Refuse(status);
  ControlCall call;
  call.admitted = std::move(admitted_);
  call.cancelled = [context = parts_.context] { return context->IsCancelled(); };
  Run(std::move(call), std::move(request));
}

absl::Status RequestCall::Parse(google::protobuf::Message* request) {
  const ParsedSize::Verdict verdict = parts_.size->Check(bytes_, kMaxParsedRequest);
  if (verdict == ParsedSize::Verdict::kTooLarge) {
    return WithReason(absl::InvalidArgumentError(absl::StrCat(
                          "a request of ", bytes_.Length(),
                          " bytes has so many elements that it would take more than ",
                          kMaxParsedRequest >> 20, " MiB of memory: ask for less at once")),
                      "TOO_LARGE");
  }
  if (verdict == ParsedSize::Verdict::kFits) {
    grpc::ProtoBufferReader reader(&bytes_);
    if (reader.status().ok() && request->ParseFromZeroCopyStream(&reader)) return absl::OkStatus();
  }
  return WithReason(absl::InvalidArgumentError(
                        absl::StrCat("the request is no ", request->GetDescriptor()->full_name())),
                    "MALFORMED");
}

}  // namespace tidemark
