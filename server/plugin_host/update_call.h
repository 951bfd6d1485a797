// One Update call: the plugin's update() on the calling thread, acknowledgements on another.
#ifndef TIDEMARK_PLUGIN_HOST_UPDATE_CALL_H_
#define TIDEMARK_PLUGIN_HOST_UPDATE_CALL_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "core/checkpoint.h"
#include "core/mutex.h"
#include "plugin_host/acknowledged_checkpoint.h"
#include "plugin_host/plugin_instance.h"
#include "plugin_host/plugin_sink.h"
#include "plugin_host/response_stream.h"

namespace tidemark {
namespace v1 {
class Finished;
class Start;
class UpdateRequest;
class UpdateResponse;
}  // namespace v1

// The transport of an Update call, so that this file needs no gRPC.
struct UpdateTransport {
  std::function<bool(v1::UpdateRequest*)> read;          // blocks; false: half-closed or gone
  std::function<bool(const v1::UpdateResponse&)> write;  // blocks; false: gone
  std::function<bool()> cancelled;                       // true: the client is gone
  std::function<void()> abort;                           // makes the other three say so
};

// Order: the releasable bodies of Start are delivered -> update() -> Finished -> acknowledgements
// until the client half-closes or is gone -> the instance is destroyed. Used once.
class UpdateCall {
 public:
  UpdateCall(UpdateTransport transport, std::unique_ptr<PluginInstance> instance);
  ~UpdateCall();
  UpdateCall(const UpdateCall&) = delete;
  UpdateCall& operator=(const UpdateCall&) = delete;

  // Returns when the client has nothing further to say. REQUIRES: the instance has its schema.
  void Run(const v1::Start& start);

  // Ends update() soon, as if the client had gone. Thread-safe.
  void Abort();

 private:
  PluginInstance::Verdict Update(const v1::Start& start);
  // The body of the acknowledging thread, named so.
  void ReadAcknowledgements(const v1::Start* start);
  void Acknowledge(Acknowledgement acknowledgement);
  void WatchForCancellation();
  void Cancel();
  void SendFinished(const PluginInstance::Verdict& verdict);

  const UpdateTransport transport_;
  const std::shared_ptr<ResponseStream> stream_;  // also the instance's host callbacks' own
  AcknowledgedCheckpoint acknowledged_;
  std::unique_ptr<PluginInstance> instance_;
  PluginSink sink_;

  Mutex mutex_;
  CondVar changed_;
  bool ready_ ABSL_GUARDED_BY(mutex_) = false;  // the releasable bodies are delivered
  bool update_ended_ ABSL_GUARDED_BY(mutex_) = false;
};

// Finished with the verdict and what the sink counted.
void FinishedToMessage(const PluginInstance::Verdict& verdict, const PluginTables& tables,
                       const PluginSink& sink, v1::Finished* finished);

// Sends Finished as the only message: for what fails before update() or read().
void SendFailure(const UpdateTransport& transport, const absl::Status& status);

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_UPDATE_CALL_H_
