// The gRPC service of Control: each method is a line that names its work.
#ifndef TIDEMARK_SERVICE_CONTROL_ENDPOINT_H_
#define TIDEMARK_SERVICE_CONTROL_ENDPOINT_H_

#include <grpcpp/server_context.h>

#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "service/call_error.h"
#include "service/control_work.h"
#include "tidemark/v1/control.grpc.pb.h"

namespace tidemark {

// One per gRPC server; everything it has stands in ControlService::Work.
class ControlEndpoint final : public v1::Control::CallbackService {
 public:
  using Context = grpc::CallbackServerContext;
  using Unary = grpc::ServerUnaryReactor;
  using Work = ControlService::Work;
  explicit ControlEndpoint(Work* work) : work_(work) {}

  Unary* GetServer(Context* context, const v1::GetServerRequest* request,
                   v1::Server* response) override {
    return Answer(context, "GetServer", request, response, &work_->connections,
                  &ControlConnections::GetServer);
  }
  Unary* ListConnections(Context* context, const v1::ListConnectionsRequest* request,
                         v1::ListConnectionsResponse* response) override {
    return Answer(context, "ListConnections", request, response, &work_->connections,
                  &ControlConnections::List);
  }
  Unary* GetConnection(Context* context, const v1::GetConnectionRequest* request,
                       v1::ConnectionRecord* response) override {
    return Answer(context, "GetConnection", request, response, &work_->connections,
                  &ControlConnections::Get);
  }
  Unary* ApplyConnection(Context* context, const v1::ApplyConnectionRequest* request,
                         v1::ApplyConnectionResponse* response) override {
    return Answer(context, "ApplyConnection", request, response, &work_->connections,
                  &ControlConnections::Apply);
  }
  Unary* DeleteConnection(Context* context, const v1::DeleteConnectionRequest* request,
                          v1::DeleteConnectionResponse* response) override {
    return Answer(context, "DeleteConnection", request, response, &work_->connections,
                  &ControlConnections::Delete);
  }
  Unary* PauseConnection(Context* context, const v1::PauseConnectionRequest* request,
                         v1::ConnectionRecord* response) override {
    return Answer(context, "PauseConnection", request, response, &work_->connections,
                  &ControlConnections::Pause);
  }
  Unary* ResumeConnection(Context* context, const v1::ResumeConnectionRequest* request,
                          v1::ConnectionRecord* response) override {
    return Answer(context, "ResumeConnection", request, response, &work_->connections,
                  &ControlConnections::Resume);
  }
  Unary* CheckConnection(Context* context, const v1::CheckConnectionRequest* request,
                         v1::CheckConnectionResponse* response) override {
    return Answer(context, "CheckConnection", request, response, &work_->sources,
                  &ControlSources::Check);
  }
  Unary* PlanConnection(Context* context, const v1::PlanConnectionRequest* request,
                        v1::PlanConnectionResponse* response) override {
    return Answer(context, "PlanConnection", request, response, &work_->sources,
                  &ControlSources::Plan);
  }
  Unary* ListTables(Context* context, const v1::ListTablesRequest* request,
                    v1::ListTablesResponse* response) override {
    return Answer(context, "ListTables", request, response, &work_->sources,
                  &ControlSources::ListTables);
  }
  Unary* PreviewTable(Context* context, const v1::PreviewTableRequest* request,
                      v1::PreviewTableResponse* response) override {
    return Answer(context, "PreviewTable", request, response, &work_->sources,
                  &ControlSources::Preview);
  }
  Unary* ListPlugins(Context* context, const v1::ListPluginsRequest* request,
                     v1::ListPluginsResponse* response) override {
    return Answer(context, "ListPlugins", request, response, &work_->sources,
                  &ControlSources::ListPlugins);
  }
  Unary* DescribePlugin(Context* context, const v1::DescribePluginRequest* request,
                        v1::Plugin* response) override {
    return Answer(context, "DescribePlugin", request, response, &work_->sources,
                  &ControlSources::DescribePlugin);
  }
  Unary* StartSync(Context* context, const v1::StartSyncRequest* request,
                   v1::Sync* response) override {
    return Answer(context, "StartSync", request, response, &work_->syncs, &ControlSyncs::Start);
  }
  Unary* StopSync(Context* context, const v1::StopSyncRequest* request,
                  v1::Sync* response) override {
    return Answer(context, "StopSync", request, response, &work_->syncs, &ControlSyncs::Stop);
  }
  Unary* ListSyncs(Context* context, const v1::ListSyncsRequest* request,
                   v1::ListSyncsResponse* response) override {
    return Answer(context, "ListSyncs", request, response, &work_->syncs, &ControlSyncs::List);
  }
  Unary* GetSync(Context* context, const v1::GetSyncRequest* request, v1::Sync* response) override {
    return Answer(context, "GetSync", request, response, &work_->syncs, &ControlSyncs::Get);
  }
  Unary* GetReport(Context* context, const v1::GetReportRequest* request,
                   v1::GetReportResponse* response) override {
    return Answer(context, "GetReport", request, response, &work_->syncs, &ControlSyncs::GetReport);
  }
  Unary* ListStateVersions(Context* context, const v1::ListStateVersionsRequest* request,
                           v1::ListStateVersionsResponse* response) override {
    return Answer(context, "ListStateVersions", request, response, &work_->state,
                  &ControlState::ListVersions);
  }
  Unary* GetState(Context* context, const v1::GetStateRequest* request,
                  v1::GetStateResponse* response) override {
    return Answer(context, "GetState", request, response, &work_->state, &ControlState::Get);
  }
  Unary* DiffState(Context* context, const v1::DiffStateRequest* request,
                   v1::DiffStateResponse* response) override {
    return Answer(context, "DiffState", request, response, &work_->state, &ControlState::Diff);
  }
  Unary* RollbackState(Context* context, const v1::RollbackStateRequest* request,
                       v1::StateChange* response) override {
    return Answer(context, "RollbackState", request, response, &work_->state,
                  &ControlState::Rollback);
  }
  Unary* RepairState(Context* context, const v1::RepairStateRequest* request,
                     v1::StateChange* response) override {
    return Answer(context, "RepairState", request, response, &work_->state, &ControlState::Repair);
  }
  Unary* MigrateState(Context* context, const v1::MigrateStateRequest* request,
                      v1::StateChange* response) override {
    return Answer(context, "MigrateState", request, response, &work_->state,
                  &ControlState::Migrate);
  }
  Unary* ResetState(Context* context, const v1::ResetStateRequest* request,
                    v1::StateChange* response) override {
    return Answer(context, "ResetState", request, response, &work_->state, &ControlState::Reset);
  }
  Unary* ImportState(Context* context, const v1::ImportStateRequest* request,
                     v1::StateChange* response) override {
    return Answer(context, "ImportState", request, response, &work_->state, &ControlState::Import);
  }
  Unary* RestoreState(Context* context, const v1::RestoreStateRequest* request,
                      v1::StateChange* response) override {
    return Answer(context, "RestoreState", request, response, &work_->state,
                  &ControlState::Restore);
  }
  Unary* ValidateState(Context* context, const v1::ValidateStoredStateRequest* request,
                       v1::ValidateStoredStateResponse* response) override {
    return Answer(context, "ValidateState", request, response, &work_->state,
                  &ControlState::Validate);
  }
  Unary* BackupState(Context* context, const v1::BackupStateRequest* request,
                     v1::BackupStateResponse* response) override {
    return Answer(context, "BackupState", request, response, &work_->state, &ControlState::Backup);
  }
  Unary* ExportState(Context* context, const v1::ExportStateRequest* request,
                     v1::ExportStateResponse* response) override {
    return Answer(context, "ExportState", request, response, &work_->state, &ControlState::Export);
  }
  Unary* ListDeadLetters(Context* context, const v1::ListDeadLettersRequest* request,
                         v1::ListDeadLettersResponse* response) override {
    return Answer(context, "ListDeadLetters", request, response, &work_->letters,
                  &ControlLetters::List);
  }
  Unary* GetDeadLetter(Context* context, const v1::GetDeadLetterRequest* request,
                       v1::StoredLetter* response) override {
    return Answer(context, "GetDeadLetter", request, response, &work_->letters,
                  &ControlLetters::Get);
  }
  Unary* EditDeadLetter(Context* context, const v1::EditDeadLetterRequest* request,
                        v1::StoredLetter* response) override {
    return Answer(context, "EditDeadLetter", request, response, &work_->letters,
                  &ControlLetters::Edit);
  }
  Unary* ReplayDeadLetters(Context* context, const v1::ReplayDeadLettersRequest* request,
                           v1::ReplayDeadLettersResponse* response) override {
    return Answer(context, "ReplayDeadLetters", request, response, &work_->letters,
                  &ControlLetters::Replay);
  }
  Unary* DiscardDeadLetters(Context* context, const v1::DiscardDeadLettersRequest* request,
                            v1::DiscardDeadLettersResponse* response) override {
    return Answer(context, "DiscardDeadLetters", request, response, &work_->letters,
                  &ControlLetters::Discard);
  }
  Unary* ListConflicts(Context* context, const v1::ListConflictsRequest* request,
                       v1::ListConflictsResponse* response) override {
    return Answer(context, "ListConflicts", request, response, &work_->letters,
                  &ControlLetters::ListConflicts);
  }
  Unary* CreateToken(Context* context, const v1::CreateTokenRequest* request,
                     v1::CreateTokenResponse* response) override {
    return Answer(context, "CreateToken", request, response, &work_->access,
                  &ControlAccess::CreateToken);
  }
  Unary* ListTokens(Context* context, const v1::ListTokensRequest* request,
                    v1::ListTokensResponse* response) override {
    return Answer(context, "ListTokens", request, response, &work_->access,
                  &ControlAccess::ListTokens);
  }
  Unary* RevokeToken(Context* context, const v1::RevokeTokenRequest* request,
                     v1::Token* response) override {
    return Answer(context, "RevokeToken", request, response, &work_->access,
                  &ControlAccess::RevokeToken);
  }
  Unary* SetSecret(Context* context, const v1::SetSecretRequest* request,
                   v1::Secret* response) override {
    return Answer(context, "SetSecret", request, response, &work_->access,
                  &ControlAccess::SetSecret);
  }
  Unary* ListSecrets(Context* context, const v1::ListSecretsRequest* request,
                     v1::ListSecretsResponse* response) override {
    return Answer(context, "ListSecrets", request, response, &work_->access,
                  &ControlAccess::ListSecrets);
  }
  Unary* DeleteSecret(Context* context, const v1::DeleteSecretRequest* request,
                      v1::DeleteSecretResponse* response) override {
    return Answer(context, "DeleteSecret", request, response, &work_->access,
                  &ControlAccess::DeleteSecret);
  }
  Unary* ListAudit(Context* context, const v1::ListAuditRequest* request,
                   v1::ListAuditResponse* response) override {
    return Answer(context, "ListAudit", request, response, &work_->access,
                  &ControlAccess::ListAudit);
  }
  Unary* VerifyAudit(Context* context, const v1::VerifyAuditRequest* request,
                     v1::VerifyAuditResponse* response) override {
    return Answer(context, "VerifyAudit", request, response, &work_->access,
                  &ControlAccess::VerifyAudit);
  }
  grpc::ServerWriteReactor<v1::SyncEvent>* WatchSync(Context* context,
                                                     const v1::WatchSyncRequest* request) override;
  grpc::ServerWriteReactor<v1::VerifyResponse>* Verify(Context* context,
                                                       const v1::VerifyRequest* request) override;

 private:
  // The whole of a unary call: gate, idempotency key, work on a thread of a pool, audit, answer.
  template <typename Request, typename Response, typename Theme>
  Unary* Answer(Context* context, const char* name, const Request* request, Response* response,
                Theme* theme,
                absl::Status (Theme::*function)(ControlCall&, const Request&, Response*)) {
    Unary* reactor = context->DefaultReactor();
    const std::string method = absl::StrCat("/tidemark.v1.Control/", name);
    const auto task = [=, work = work_] {
      reactor->Finish(AnswerStatus(
          Run(work, context, method, *request, response,
              [=](ControlCall& call) { return (theme->*function)(call, *request, response); }),
          work->parts.redactor));
    };
    if (!work_->PoolOf(FindMethodRule(method)).Run(task)) {
      reactor->Finish(AnswerStatus(work_->stopping ? ServerStops() : ServerIsBusy(), nullptr));
    }
    return reactor;
  }

  // All of it but the answer, on the thread of a pool.
  static absl::Status Run(Work* work, Context* context, const std::string& method,
                          const google::protobuf::Message& request,
                          google::protobuf::Message* response,
                          const std::function<absl::Status(ControlCall&)>& function);

  Work* const work_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_ENDPOINT_H_
