#include "service/control_service.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/impl/service_type.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "service/call_error.h"
#include "service/control_endpoint.h"
#include "service/control_work.h"

namespace tidemark {
namespace {

// The idempotency key of a request, where it has such a field.
std::string KeyOf(const google::protobuf::Message& request) {
  const auto* field = request.GetDescriptor()->FindFieldByName("idempotency_key");
  return field == nullptr ? "" : request.GetReflection()->GetString(request, field);
}

std::string HashOf(const google::protobuf::Message& request) {
  return Blake2b256(request.SerializeAsString());  // no maps: the bytes are the same each time
}

}  // namespace

absl::Status ServerStops() {
  return WithReason(absl::UnavailableError("the server stops; try again"), "SERVER_STOPS");
}

absl::Status ServerIsBusy() {
  return WithReason(
      absl::ResourceExhaustedError("the server has too many calls at once; try again later"),
      "SERVER_BUSY");
}

std::vector<std::shared_ptr<WatchCall>> ControlService::Work::Watches() {
  std::vector<std::shared_ptr<WatchCall>> all;
  MutexLock lock(mutex);
  for (WatchCall* watch : watches) {
    // Null while it is being destroyed.
    if (std::shared_ptr<WatchCall> one = watch->weak_from_this().lock()) all.push_back(one);
  }
  return all;
}

void ControlService::Work::RecheckWatches() {
  for (const std::shared_ptr<WatchCall>& watch : Watches()) watch->Recheck();
}

absl::Status ControlService::Work::RunOnce(ControlCall& call,
                                           const google::protobuf::Message& request,
                                           google::protobuf::Message* response,
                                           const std::function<absl::Status(ControlCall&)>& work) {
  const std::string key = KeyOf(request);
  if (key.empty()) return work(call);
  const IdempotencyKeys::Key entry = {call.admitted.principal.name, key, call.admitted.rule->method,
                                      HashOf(request)};
  absl::StatusOr<IdempotencyKeys::Begun> begun = keys->Begin(entry);
  if (!begun.ok()) return begun.status();
  if (begun->answered) {
    return response->ParseFromString(begun->answer)
               ? absl::OkStatus()
               : absl::DataLossError("the stored answer of this idempotency_key is damaged");
  }
  call.repeated = begun->repeated;
  const absl::Status status = work(call);
  const absl::Status kept =
      status.ok() ? keys->Succeeded(entry, response->SerializeAsString()) : keys->Failed(entry);
  if (!kept.ok()) {
    parts.log->Write(LogLevel::kError, {},
                     absl::StrCat("an idempotency key was not kept: ", kept.message()));
  }
  return status;
}

absl::StatusOr<std::unique_ptr<ControlService>> ControlService::Create(ControlParts parts) {
  auto work = std::make_unique<Work>(std::move(parts));
  absl::StatusOr<std::unique_ptr<IdempotencyKeys>> keys =
      IdempotencyKeys::Open(work->parts.catalog, work->parts.clock);
  if (!keys.ok()) return keys.status();
  work->keys = *std::move(keys);
  return std::unique_ptr<ControlService>(new ControlService(std::move(work)));
}

ControlService::ControlService(std::unique_ptr<Work> work) : work_(std::move(work)) {}

ControlService::~ControlService() {
  BeginStop();
  work_->short_pool.Stop();
  work_->slow_pool.Stop();
}

std::unique_ptr<grpc::Service> ControlService::NewService() {
  return ControlEndpoint::NewService(work_.get());
}

void ControlService::BeginStop() {
  work_->stopping = true;
  for (const std::shared_ptr<WatchCall>& watch : work_->Watches()) watch->End(ServerStops());
}

}  // namespace tidemark
