#include "plugin_host/update_call.h"

#include <pthread.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "core/failpoint.h"
#include "plugin_host/abi_writer.h"
#include "tidemark/v1/connector.pb.h"
#include "wire/change_messages.h"
#include "wire/state_messages.h"

namespace tidemark {
namespace {

// How often a client that half-closed early is looked after while update() runs.
constexpr absl::Duration kCancellationPoll = absl::Milliseconds(50);

}  // namespace

UpdateCall::UpdateCall(UpdateTransport transport, std::unique_ptr<PluginInstance> instance)
    : transport_(std::move(transport)),
      stream_(std::make_shared<ResponseStream>(transport_.write)),
      instance_(std::move(instance)),
      sink_(&instance_->tables(), stream_.get(), &acknowledged_) {}

UpdateCall::~UpdateCall() = default;

void UpdateCall::Run(const v1::Start& start) {
  instance_->host().Route(stream_);
  std::thread acknowledging([this, &start] { ReadAcknowledgements(&start); });
  const PluginInstance::Verdict verdict = Update(start);
  {
    MutexLock lock(mutex_);
    update_ended_ = true;
    changed_.SignalAll();
  }
  SendFinished(verdict);
  acknowledging.join();
  instance_->host().Route(nullptr);
  // Only now, after the final acknowledgement (plugin_abi.h, "LIFECYCLE"). The sink outlives it.
  instance_ = nullptr;
}

PluginInstance::Verdict UpdateCall::Update(const v1::Start& start) {
  absl::StatusOr<std::vector<StateEntry>> states = StateEntriesFromMessages(start.states());
  {
    MutexLock lock(mutex_);
    while (!ready_) changed_.Wait(mutex_);
  }
  if (!states.ok()) return {states.status(), {}};
  if (acknowledged_.cancelled()) return {absl::CancelledError("the sync was cancelled"), {}};
  const AbiRequest request(start, *states);
  sink_.Begin();
  PluginInstance::Verdict verdict = instance_->Update(*request.get(), sink_.abi());
  sink_.End();
  // What the plugin did wrong counts more than what it says of itself.
  if (absl::Status failure = sink_.failure(); !failure.ok()) {
    return {std::move(failure), sink_.failure_place()};
  }
  if (acknowledged_.cancelled()) return {absl::CancelledError("the sync was cancelled"), {}};
  return verdict;
}

void UpdateCall::SendFinished(const PluginInstance::Verdict& verdict) {
  v1::UpdateResponse response;
  FinishedToMessage(verdict, instance_->tables(), sink_, response.mutable_finished());
  PassFailpoint("plugin.finish");
  stream_->Finish(response);
}

void UpdateCall::ReadAcknowledgements(const v1::Start* start) {
  pthread_setname_np(pthread_self(), "acknowledge");
  absl::StatusOr<std::vector<StateEntry>> releasable =
      StateEntriesFromMessages(start->releasable());
  if (releasable.ok() && !releasable->empty()) {
    Acknowledge({.releasable = *std::move(releasable)});
  }
  {
    MutexLock lock(mutex_);
    ready_ = true;
    changed_.SignalAll();
  }
  v1::UpdateRequest request;
  while (transport_.read(&request)) {
    if (!request.has_acknowledgement()) continue;  // of a newer server
    absl::StatusOr<Acknowledgement> acknowledgement =
        AcknowledgementFromMessage(request.acknowledgement());
    if (acknowledgement.ok()) {
      Acknowledge(*std::move(acknowledgement));
    } else {
      stream_->Log(TIDEMARK_LOG_ERROR, acknowledgement.status().message());
    }
  }
  WatchForCancellation();
}

void UpdateCall::Acknowledge(Acknowledgement acknowledgement) {
  // A checkpoint that was never given cannot be durable.
  acknowledgement.durable = std::min(acknowledgement.durable, sink_.last_checkpoint());
  // Cumulative for the plugin too, whatever arrived.
  acknowledgement.durable = std::max(acknowledgement.durable, acknowledged_.durable());
  PassFailpoint("plugin.acknowledged");
  // First the plugin hears of it, then its wait() ends: one order, whichever thread is quicker.
  instance_->Acknowledged(acknowledgement);
  acknowledged_.Advance(acknowledgement.durable);
}

void UpdateCall::WatchForCancellation() {
  for (;;) {
    if (transport_.cancelled()) return Cancel();
    MutexLock lock(mutex_);
    if (update_ended_) return;
    changed_.WaitFor(mutex_, kCancellationPoll);
  }
}

void UpdateCall::Abort() {
  transport_.abort();
  Cancel();
}

void UpdateCall::Cancel() {
  // Both under the lock: an update() whose wait ends here cannot end its run before it is told, and
  // the instance is still there.
  MutexLock lock(mutex_);
  acknowledged_.Cancel();
  if (!update_ended_ && ready_) instance_->Interrupt();
}

void FinishedToMessage(const PluginInstance::Verdict& verdict, const PluginTables& tables,
                       const PluginSink& sink, v1::Finished* finished) {
  VerdictToMessage(verdict.status, finished);
  TableRowsToMessages(sink.sent(), finished->mutable_sent());
  finished->set_error_table(TIDEMARK_NO_TABLE);
  const ErrorPlace& place = verdict.place;
  if (verdict.status.ok() || place.table >= tables.size()) return;
  const TableSchema& table = tables.at(place.table);
  finished->set_error_table(place.table);
  if (place.column < table.columns.size()) {
    finished->set_error_column(table.columns[place.column].name);
  }
}

void SendFailure(const UpdateTransport& transport, const absl::Status& status) {
  v1::UpdateResponse response;
  VerdictToMessage(status, response.mutable_finished());
  response.mutable_finished()->set_error_table(TIDEMARK_NO_TABLE);
  transport.write(response);
}

}  // namespace tidemark
