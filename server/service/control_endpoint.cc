#include "service/control_endpoint.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "service/call_error.h"
#include "tidemark/v1/control.pb.h"

namespace tidemark {

class ControlEndpoint::UnaryCall final : public RequestCall {
 public:
  UnaryCall(const Parts& parts, Work* work, const Method* method)
      : RequestCall(parts), work_(*work), method_(*method) {}

  void OnDone() override { delete this; }

 private:
  void Run(ControlCall call, std::unique_ptr<Message> request) override {
    const std::unique_ptr<Message> response(method_.response->New());
    const absl::Status status = ControlEndpoint::Run(
        &work_, method_, call, *request, response.get(),
        [&](ControlCall& c) { return method_.function(c, *request, response.get()); });
    if (!status.ok()) return Refuse(status);
    answer_ = BytesOf(*response);
    StartWriteAndFinish(&answer_, grpc::WriteOptions(), grpc::Status::OK);
  }

  void Refuse(const absl::Status& status) override {
    Finish(AnswerStatus(status, parts().control->redactor));
  }

  Work& work_;
  const Method& method_;
  grpc::ByteBuffer answer_;
};

ControlEndpoint::ControlEndpoint(Work* work) : work_(work) {
  AddConnections();
  AddSources();
  AddSyncs();
  AddState();
  AddLetters();
  AddAccess();
}

ControlEndpoint::Method* ControlEndpoint::Add(const char* name, const Message& request,
                                              const Message& response) {
  Method& method = methods_[name];
  method.name = absl::StrCat("/tidemark.v1.Control/", name);
  method.rule = FindMethodRule(method.name);
  method.request = &request;
  method.response = &response;
  method.request_size = std::make_unique<const ParsedSize>(*request.GetDescriptor());
  return &method;
}

void ControlEndpoint::AddConnections() {
  ControlConnections* const connections = &work_->connections;
  Unary("GetServer", connections, &ControlConnections::GetServer);
  Unary("ListConnections", connections, &ControlConnections::List);
  Unary("GetConnection", connections, &ControlConnections::Get);
  Unary("ApplyConnection", connections, &ControlConnections::Apply);
  Unary("DeleteConnection", connections, &ControlConnections::Delete);
  Unary("PauseConnection", connections, &ControlConnections::Pause);
  Unary("ResumeConnection", connections, &ControlConnections::Resume);
}

void ControlEndpoint::AddSources() {
  ControlSources* const sources = &work_->sources;
  Unary("CheckConnection", sources, &ControlSources::Check);
  Unary("PlanConnection", sources, &ControlSources::Plan);
  Unary("ListTables", sources, &ControlSources::ListTables);
  Unary("PreviewTable", sources, &ControlSources::Preview);
  Unary("ListPlugins", sources, &ControlSources::ListPlugins);
  Unary("DescribePlugin", sources, &ControlSources::DescribePlugin);
}

void ControlEndpoint::AddSyncs() {
  ControlSyncs* const syncs = &work_->syncs;
  Unary("StartSync", syncs, &ControlSyncs::Start);
  Unary("StopSync", syncs, &ControlSyncs::Stop);
  Unary("ListSyncs", syncs, &ControlSyncs::List);
  Unary("GetSync", syncs, &ControlSyncs::Get);
  Unary("GetReport", syncs, &ControlSyncs::GetReport);
  Add("WatchSync", v1::WatchSyncRequest::default_instance(), v1::SyncEvent::default_instance());
  Add("Verify", v1::VerifyRequest::default_instance(), v1::VerifyResponse::default_instance());
}

void ControlEndpoint::AddState() {
  ControlState* const state = &work_->state;
  Unary("ListStateVersions", state, &ControlState::ListVersions);
  Unary("GetState", state, &ControlState::Get);
  Unary("DiffState", state, &ControlState::Diff);
  Unary("RollbackState", state, &ControlState::Rollback);
  Unary("RepairState", state, &ControlState::Repair);
  Unary("MigrateState", state, &ControlState::Migrate);
  Unary("ResetState", state, &ControlState::Reset);
  Unary("ImportState", state, &ControlState::Import);
  Unary("RestoreState", state, &ControlState::Restore);
  Unary("ValidateState", state, &ControlState::Validate);
  Unary("BackupState", state, &ControlState::Backup);
  Unary("ExportState", state, &ControlState::Export);
}

void ControlEndpoint::AddLetters() {
  ControlLetters* const letters = &work_->letters;
  Unary("ListDeadLetters", letters, &ControlLetters::List);
  Unary("GetDeadLetter", letters, &ControlLetters::Get);
  Unary("EditDeadLetter", letters, &ControlLetters::Edit);
  Unary("ReplayDeadLetters", letters, &ControlLetters::Replay);
  Unary("DiscardDeadLetters", letters, &ControlLetters::Discard);
  Unary("ListConflicts", letters, &ControlLetters::ListConflicts);
}

void ControlEndpoint::AddAccess() {
  ControlAccess* const access = &work_->access;
  Unary("CreateToken", access, &ControlAccess::CreateToken);
  Unary("ListTokens", access, &ControlAccess::ListTokens);
  Unary("RevokeToken", access, &ControlAccess::RevokeToken);
  Unary("SetSecret", access, &ControlAccess::SetSecret);
  Unary("ListSecrets", access, &ControlAccess::ListSecrets);
  Unary("DeleteSecret", access, &ControlAccess::DeleteSecret);
  Unary("RotateMasterKey", access, &ControlAccess::RotateMasterKey);
  Unary("ListAudit", access, &ControlAccess::ListAudit);
  Unary("VerifyAudit", access, &ControlAccess::VerifyAudit);
  Unary("AcceptAudit", access, &ControlAccess::AcceptAudit);
}

absl::Status ControlEndpoint::Run(Work* work, const Method& method, ControlCall& call,
                                  const Message& request, Message* response,
                                  const std::function<absl::Status(ControlCall&)>& function) {
  absl::Status status = work->RunOnce(call, request, response, function);
  if (method.rule->changes) {
    work->parts.gate->Record(call.admitted, status, call.before_hash, call.after_hash);
  }
  return status;
}

RequestCall::Parts ControlEndpoint::PartsOf(const Method& method,
                                            grpc::CallbackServerContext* context) const {
  RequestCall::Parts parts;
  parts.control = &work_->parts;
  parts.stopping = &work_->stopping;
  parts.gate_pool = &work_->short_pool;
  parts.pool = &work_->PoolOf(method.rule);
  parts.context = context;
  parts.method = method.name.c_str();
  parts.request = method.request;
  parts.size = method.request_size.get();
  return parts;
}

ControlEndpoint::Reactor* ControlEndpoint::Open(grpc::CallbackServerContext* context,
                                                const std::string& name) const {
  const auto found = methods_.find(name);
  if (found == methods_.end()) return nullptr;
  const Method& method = found->second;
  const RequestCall::Parts parts = PartsOf(method, context);
  if (name == "WatchSync") return OpenWatch(parts);
  if (name == "Verify") return OpenVerify(parts, method);
  auto* const call = new UnaryCall(parts, work_, &method);
  call->Begin();
  return call;
}

ControlEndpoint::Reactor* ControlEndpoint::OpenWatch(const RequestCall::Parts& parts) const {
  const std::shared_ptr<WatchCall> watch =
      WatchCall::Open(parts, &work_->syncs, [work = work_](WatchCall* done) {
        MutexLock lock(work->mutex);
        work->watches.erase(done);
      });
  {
    MutexLock lock(work_->mutex);
    work_->watches.insert(watch.get());
  }
  watch->Begin();
  return watch.get();
}

ControlEndpoint::Reactor* ControlEndpoint::OpenVerify(const RequestCall::Parts& parts,
                                                      const Method& method) const {
  auto* const stream = new VerifyStream(
      parts, [work = work_, &method](ControlCall& call, const v1::VerifyRequest& request,
                                     VerifyStream* answers) {
        return Run(work, method, call, request, nullptr, [&](ControlCall& admitted) {
          return work->verify.Verify(admitted, request, answers);
        });
      });
  stream->Begin();
  return stream;
}

std::unique_ptr<grpc::Service> ControlEndpoint::NewService(Work* work) {
  return std::make_unique<RawService>(
      *v1::Sync::descriptor()->file()->FindServiceByName("Control"),
      [endpoint = std::make_shared<const ControlEndpoint>(work)](
          grpc::CallbackServerContext* context, const google::protobuf::MethodDescriptor& method) {
        return endpoint->Open(context, method.name());
      });
}

}  // namespace tidemark
