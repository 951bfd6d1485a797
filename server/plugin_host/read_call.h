// One Read call: the plugin's read() on the calling thread, watched from another.
#ifndef TIDEMARK_PLUGIN_HOST_READ_CALL_H_
#define TIDEMARK_PLUGIN_HOST_READ_CALL_H_

#include <memory>

#include "core/mutex.h"
#include "plugin_host/acknowledged_checkpoint.h"
#include "plugin_host/plugin_instance.h"
#include "plugin_host/response_stream.h"
#include "plugin_host/update_call.h"

namespace tidemark {
namespace v1 {
class ReadRequest;
}  // namespace v1

// Used once. Borrows the instance.
class ReadCall {
 public:
  // `transport.read` is not used.
  ReadCall(UpdateTransport transport, PluginInstance* instance);
  ReadCall(const ReadCall&) = delete;
  ReadCall& operator=(const ReadCall&) = delete;

  // Reads, and sends Finished. False: the instance was interrupted and must not be used again.
  // REQUIRES: the instance has its schema.
  bool Run(const v1::ReadRequest& request);

  // Ends read() soon, as if the client had gone. Thread-safe.
  void Abort();

 private:
  PluginInstance::Verdict Read(const v1::ReadRequest& request, PluginSink* sink);
  // Tells the reader of tables that are not as schema() gave them: each call stands alone.
  bool SendGrownTables();
  // The body of the watching thread.
  void WatchForCancellation();
  void Cancel();

  const UpdateTransport transport_;
  const std::shared_ptr<ResponseStream> stream_;  // also the instance's host callbacks' own
  AcknowledgedCheckpoint cancellation_;           // nothing is ever acknowledged
  PluginInstance* const instance_;

  Mutex mutex_;
  CondVar changed_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;  // read() has returned
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_READ_CALL_H_
