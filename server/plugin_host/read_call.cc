#include "plugin_host/read_call.h"

#include <pthread.h>

#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "plugin_host/abi_writer.h"
#include "plugin_host/plugin_sink.h"
#include "tidemark/v1/connector.pb.h"
#include "wire/schema_messages.h"

namespace tidemark {
namespace {

// How often the client is looked after while read() runs.
constexpr absl::Duration kCancellationPoll = absl::Milliseconds(50);

}  // namespace

ReadCall::ReadCall(UpdateTransport transport, PluginInstance* instance)
    : transport_(std::move(transport)),
      stream_(std::make_shared<ResponseStream>(transport_.write)),
      instance_(instance) {}

bool ReadCall::Run(const v1::ReadRequest& request) {
  PluginSink sink(&instance_->tables(), stream_.get(), &cancellation_, request.table());
  instance_->host().Route(stream_);
  std::thread watching([this] { WatchForCancellation(); });
  const PluginInstance::Verdict verdict = Read(request, &sink);
  bool usable = false;
  {
    MutexLock lock(mutex_);
    ended_ = true;
    usable = !interrupted_;
    changed_.SignalAll();
  }
  watching.join();
  instance_->host().Route(nullptr);
  v1::UpdateResponse response;
  FinishedToMessage(verdict, instance_->tables(), sink, response.mutable_finished());
  stream_->Finish(response);
  return usable;
}

PluginInstance::Verdict ReadCall::Read(const v1::ReadRequest& request, PluginSink* sink) {
  if (!instance_->can_read()) {
    return {absl::UnimplementedError("this connector cannot read rows beside a sync (it does not "
                                     "offer tidemark.read/1)"),
            {}};
  }
  AbiRead asked;
  if (absl::Status filled = asked.Fill(request, instance_->tables()); !filled.ok()) {
    return {std::move(filled), {}};
  }
  if (!SendGrownTables()) return {absl::CancelledError("the read was cancelled"), {}};
  sink->Begin();
  PluginInstance::Verdict verdict = instance_->Read(*asked.get(), sink->abi());
  sink->End();
  // What the plugin did wrong counts more than what it says of itself.
  if (absl::Status failure = sink->failure(); !failure.ok()) {
    return {std::move(failure), sink->failure_place()};
  }
  if (cancellation_.cancelled()) return {absl::CancelledError("the read was cancelled"), {}};
  return verdict;
}

bool ReadCall::SendGrownTables() {
  for (const uint32_t index : instance_->tables().GrownSinceSchema()) {
    v1::UpdateResponse response;
    response.mutable_table_definition()->set_index(index);
    TableToMessage(instance_->tables().at(index),
                   response.mutable_table_definition()->mutable_table());
    if (!stream_->Send(response)) return false;
  }
  return true;
}

void ReadCall::WatchForCancellation() {
  pthread_setname_np(pthread_self(), "watch-read");
  for (;;) {
    if (transport_.cancelled()) return Cancel();
    MutexLock lock(mutex_);
    if (ended_) return;
    changed_.WaitFor(mutex_, kCancellationPoll);
  }
}

void ReadCall::Abort() {
  transport_.abort();
  Cancel();
}

void ReadCall::Cancel() {
  // Both under the lock: a read whose wait ends here cannot end its call before it is told.
  MutexLock lock(mutex_);
  cancellation_.Cancel();
  if (ended_ || interrupted_) return;
  interrupted_ = true;
  instance_->Interrupt();
}

}  // namespace tidemark
