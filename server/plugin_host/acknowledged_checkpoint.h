// How far the server has committed, as one Update call knows it, and whether it was cancelled.
#ifndef TIDEMARK_PLUGIN_HOST_ACKNOWLEDGED_CHECKPOINT_H_
#define TIDEMARK_PLUGIN_HOST_ACKNOWLEDGED_CHECKPOINT_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "core/mutex.h"

namespace tidemark {

// Thread-safe.
class AcknowledgedCheckpoint {
 public:
  enum class Outcome { kReached, kCancelled, kTimeout };

  // Never goes back.
  void Advance(uint64_t durable);
  void Cancel();

  uint64_t durable() const { return durable_.load(std::memory_order_acquire); }
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

  // Until durable() >= id. Id 0 is never reached: a cancellable sleep.
  Outcome Wait(uint64_t id, absl::Duration timeout);

 private:
  Mutex mutex_;
  CondVar changed_;
  // Written under mutex_, read anywhere.
  std::atomic<uint64_t> durable_{0};
  std::atomic<bool> cancelled_{false};
};

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_ACKNOWLEDGED_CHECKPOINT_H_
