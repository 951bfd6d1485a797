// Time and sleep, so that tests drive them.
#ifndef TIDEMARK_CORE_CLOCK_H_
#define TIDEMARK_CORE_CLOCK_H_

#include "absl/time/time.h"

namespace tidemark {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() = 0;
  // Time that never steps back; only differences mean something.
  virtual absl::Duration Monotonic() = 0;
  // Returns early (false) only where a test's clock says so; callers that must be interruptible
  // sleep in short steps or wait on their own CondVar.
  virtual void Sleep(absl::Duration duration) = 0;

  // The machine's clock; lives for the whole process.
  static Clock& Real();
};

}  // namespace tidemark

#endif  // TIDEMARK_CORE_CLOCK_H_
