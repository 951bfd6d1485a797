// What create() is given: logs, time, progress (tidemark_host).
#ifndef TIDEMARK_PLUGIN_HOST_HOST_CALLBACKS_H_
#define TIDEMARK_PLUGIN_HOST_HOST_CALLBACKS_H_

#include <memory>
#include <string>

#include "core/mutex.h"
#include "plugin_host/response_stream.h"
#include "tidemark/plugin_abi.h"

namespace tidemark {

// Thread-safe. Outlives the instance it was given to.
class HostCallbacks {
 public:
  // `label` begins each line on stderr: "plugin rest".
  explicit HostCallbacks(std::string label);
  HostCallbacks(const HostCallbacks&) = delete;
  HostCallbacks& operator=(const HostCallbacks&) = delete;

  const tidemark_host* abi() const { return &host_; }

  // Where logs and progress go: into the stream of an Update call, or (null) logs to stderr and
  // progress nowhere. Two owners: the call, and a callback that runs just then.
  void Route(std::shared_ptr<ResponseStream> stream);

 private:
  std::shared_ptr<ResponseStream> stream();
  void Log(int32_t level, tidemark_bytes text);
  void Progress(const tidemark_progress* progress);

  const std::string label_;
  tidemark_host host_;
  Mutex mutex_;
  std::shared_ptr<ResponseStream> stream_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_HOST_CALLBACKS_H_
