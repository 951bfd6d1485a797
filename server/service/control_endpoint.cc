#include "service/control_endpoint.h"

#include <memory>
#include <utility>

namespace tidemark {

absl::Status ControlEndpoint::Run(Work* work, Context* context, const std::string& method,
                                  const google::protobuf::Message& request,
                                  google::protobuf::Message* response,
                                  const std::function<absl::Status(ControlCall&)>& function) {
  absl::StatusOr<ControlCall> call = work->Admit(context, method.c_str(), request);
  if (!call.ok()) return call.status();
  const absl::Status status = work->RunOnce(*call, request, response, function);
  if (call->admitted.rule->changes) {
    work->parts.gate->Record(call->admitted, status, call->before_hash, call->after_hash);
  }
  return status;
}

grpc::ServerWriteReactor<v1::SyncEvent>* ControlEndpoint::WatchSync(
    Context* context, const v1::WatchSyncRequest* request) {
  Work* const work = work_;
  WatchCall::Parts parts;
  parts.control = &work->parts;
  parts.syncs = &work->syncs;
  parts.pool = &work->short_pool;
  parts.admit = [work, context, request] {
    return work->Admit(context, "/tidemark.v1.Control/WatchSync", *request);
  };
  parts.on_done = [work](WatchCall* watch) {
    MutexLock lock(work->mutex);
    work->watches.erase(watch);
  };
  const std::shared_ptr<WatchCall> watch = WatchCall::Begin(std::move(parts), *request);
  MutexLock lock(work->mutex);
  work->watches.insert(watch.get());
  return watch.get();
}

grpc::ServerWriteReactor<v1::VerifyResponse>* ControlEndpoint::Verify(
    Context* context, const v1::VerifyRequest* request) {
  Work* const work = work_;
  auto* const stream = new VerifyStream;
  const auto task = [=] {
    const char* const method = "/tidemark.v1.Control/Verify";
    stream->End(AnswerStatus(
        Run(work, context, method, *request, nullptr,
            [=](ControlCall& call) { return work->verify.Verify(call, *request, stream); }),
        work->parts.redactor));
  };
  if (!work->slow_pool.Run(task)) {
    stream->End(AnswerStatus(work->stopping ? ServerStops() : ServerIsBusy(), nullptr));
  }
  return stream;
}

}  // namespace tidemark
