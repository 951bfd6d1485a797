// A clock that tests move.
#ifndef TIDEMARK_TESTS_SERVICE_TEST_CLOCK_H_
#define TIDEMARK_TESTS_SERVICE_TEST_CLOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "core/clock.h"
#include "core/mutex.h"

namespace tidemark::test {

// Thread-safe. Stands still unless it is moved.
class TestClock final : public Clock {
 public:
  explicit TestClock(absl::Time now) : now_(now) {}

  absl::Time Now() override {
    MutexLock lock(mutex_);
    return now_;
  }
  absl::Duration Monotonic() override {
    MutexLock lock(mutex_);
    return steady_;
  }
  void Sleep(absl::Duration duration) override { Advance(duration); }

  void Advance(absl::Duration duration) {
    MutexLock lock(mutex_);
    now_ += duration;
    steady_ += duration;
  }
  // The wall clock alone: somebody set it, or the machine was asleep.
  void Set(absl::Duration step) {
    MutexLock lock(mutex_);
    now_ += step;
  }

 private:
  Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  absl::Duration steady_ ABSL_GUARDED_BY(mutex_) = absl::Hours(1);
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVICE_TEST_CLOCK_H_
