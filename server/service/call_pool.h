// Threads for the work of calls, so that those of gRPC never wait for a disk or a connector.
#ifndef TIDEMARK_SERVICE_CALL_POOL_H_
#define TIDEMARK_SERVICE_CALL_POOL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "core/mutex.h"

namespace tidemark {

// Thread-safe. Threads begin with the first work that needs them, at most `threads`.
class CallPool {
 public:
  // At most `waiting` pieces of work wait for a thread.
  CallPool(size_t threads, size_t waiting) : threads_limit_(threads), waiting_limit_(waiting) {}
  ~CallPool() { Stop(); }
  CallPool(const CallPool&) = delete;
  CallPool& operator=(const CallPool&) = delete;

  // False: too much waits already, or Stop() was called; `work` is not run then. Work is run in the
  // order it came and must not throw.
  [[nodiscard]] bool Run(std::function<void()> work);
  // Takes no more; runs what waits; returns when the last has ended. A second call does nothing.
  void Stop();

 private:
  void Loop();

  const size_t threads_limit_;
  const size_t waiting_limit_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CALL_POOL_H_
