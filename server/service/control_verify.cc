#include "service/control_verify.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/config_node.h"
#include "control/exit_code.h"
#include "control/verify.h"
#include "service/call_error.h"
#include "service/chosen_state.h"
#include "service/control_messages.h"
#include "service/control_syncs.h"
#include "wire/call_status.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint32_t kListed = 20;

ExitCode ExitOf(const Verifier& verifier) {
  if (verifier.differences_found()) return ExitCode::kPartial;
  return verifier.equal() ? ExitCode::kDone : ExitCodeOf(verifier.first_error());
}

absl::Status CheckMassDeletes(const RepairPlan& plan, bool allowed) {
  if (plan.mass_deletes.empty() || allowed) return absl::OkStatus();
  const std::string tables = absl::StrJoin(plan.mass_deletes, ", ");
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          "more than 30 % of the rows of ", tables,
          " are not at the source and would be deleted; if that is right, call again with "
          "allow_mass_deletes")),
      "MASS_DELETE", {{"tables", tables}});
}

}  // namespace

void VerifyStream::Send(v1::VerifyResponse response) {
  {
    MutexLock lock(mutex_);
    waiting_.push_back(std::move(response));
  }
  Advance();
}

void VerifyStream::Run(ControlCall call, std::unique_ptr<google::protobuf::Message> request) {
  End(work_(call, static_cast<const v1::VerifyRequest&>(*request), this));
}

void VerifyStream::End(const absl::Status& status) {
  grpc::Status answer = AnswerStatus(status, parts().control->redactor);
  {
    MutexLock lock(mutex_);
    ended_ = true;
    status_ = std::move(answer);
  }
  Advance();
}

void VerifyStream::OnWriteDone(bool ok) {
  {
    MutexLock lock(mutex_);
    writing_ = false;
    if (!ok) waiting_.clear();  // the caller has gone
  }
  Advance();
}

void VerifyStream::Advance() {
  bool finish = false;
  grpc::Status status;
  {
    MutexLock lock(mutex_);
    if (writing_ || finished_) return;
    if (!waiting_.empty()) {
      written_ = BytesOf(waiting_.front());
      waiting_.pop_front();
      writing_ = true;
    } else if (ended_) {
      finished_ = true;
      finish = true;
      status = status_;
    } else {
      return;
    }
  }
  // gRPC may call back, and this may be gone, before these return.
  finish ? Finish(std::move(status)) : StartWrite(&written_);
}

absl::Status ControlVerify::Verify(ControlCall& call, const v1::VerifyRequest& request,
                                   VerifyStream* stream) {
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit = parts_.runner->Visit(request.connection());
  if (!visit.ok()) return EngineError(visit.status());
  VerifyOptions options;
  options.tables.assign(request.tables().begin(), request.tables().end());
  options.listed = request.listed() == 0 ? kListed : request.listed();
  const auto progress = [stream](const std::string& table) {
    v1::VerifyResponse line;
    line.set_table_begun(MessageText(table));
    stream->Send(std::move(line));
  };
  auto verifier = std::make_unique<Verifier>(*(*visit)->engine());
  if (absl::Status status = verifier->Verify(options, progress); !status.ok()) {
    return EngineError((*visit)->Explain(status));
  }
  v1::VerifyResponse last;
  v1::VerifyResult* result = last.mutable_result();
  Json json = {{"connection", request.connection()}};
  std::string text;
  if (request.repair() && verifier->differences_found()) {
    json["before"] = VerifyJson(*verifier);
    text = VerifyText(*verifier);
    if (absl::Status may = CheckMassDeletes(verifier->Plan(), request.allow_mass_deletes());
        !may.ok()) {
      return may;
    }
    SyncRequest start;
    start.connection = request.connection();
    start.trigger = SyncTrigger::kRepair;
    start.started_by = call.admitted.principal.name;
    absl::Status failed;
    absl::StatusOr<SyncEntry> sync = parts_.runner->RunOwn(
        start, "", [&](const SyncRunner::OwnSync& own) -> absl::StatusOr<SyncOutcome> {
          absl::StatusOr<SyncOutcome> outcome = verifier->Repair(own.progress, own.interrupt);
          failed = outcome.status();
          return outcome;
        });
    if (!failed.ok()) return EngineError(failed);
    if (!sync.ok()) return SyncError(sync.status());
    ToMessage(*sync, result->mutable_repair());
    if (absl::StatusOr<std::string> report = parts_.syncs->Report(sync->sync_id); report.ok()) {
      json["repair"] = Json::parse(*report, nullptr, false);
    }
    if (absl::Status status = verifier->Verify(options, progress); !status.ok()) {
      return EngineError(status);
    }
    absl::StrAppend(&text, "After the repair:\n");
  }
  json.update(VerifyJson(*verifier));
  absl::StrAppend(&text, VerifyText(*verifier));
  result->set_equal(verifier->equal());
  result->set_differences_found(verifier->differences_found());
  result->set_error(StatusText(parts_.redactor->Apply(verifier->first_error().message())));
  result->set_exit_code(static_cast<int32_t>(ExitOf(*verifier)));
  result->set_json(parts_.redactor->Apply(DumpJson(json, 2)));
  result->set_text(parts_.redactor->Apply(text));
  stream->Send(std::move(last));
  return absl::OkStatus();
}

}  // namespace tidemark
