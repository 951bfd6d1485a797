#include "plugin_host/acknowledged_checkpoint.h"

#include "core/clock.h"

namespace tidemark {

void AcknowledgedCheckpoint::Advance(uint64_t durable) {
  MutexLock lock(mutex_);
  if (durable <= durable_.load(std::memory_order_relaxed)) return;
  durable_.store(durable, std::memory_order_release);
  changed_.SignalAll();
}

void AcknowledgedCheckpoint::Cancel() {
  MutexLock lock(mutex_);
  cancelled_.store(true, std::memory_order_release);
  changed_.SignalAll();
}

AcknowledgedCheckpoint::Outcome AcknowledgedCheckpoint::Wait(uint64_t id, absl::Duration timeout) {
  Clock& clock = Clock::Real();
  const absl::Duration deadline = clock.Monotonic() + timeout;
  MutexLock lock(mutex_);
  for (;;) {
    if (id != 0 && durable_.load(std::memory_order_relaxed) >= id) return Outcome::kReached;
    if (cancelled_.load(std::memory_order_relaxed)) return Outcome::kCancelled;
    const absl::Duration left = deadline - clock.Monotonic();
    if (left <= absl::ZeroDuration()) return Outcome::kTimeout;
    changed_.WaitFor(mutex_, left);
  }
}

}  // namespace tidemark
