#include "core/clock.h"

#include <chrono>

#include "absl/time/clock.h"

namespace tidemark {
namespace {

class RealClock final : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }
  absl::Duration Monotonic() override {
    return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
  }
  void Sleep(absl::Duration duration) override { absl::SleepFor(duration); }
};

}  // namespace

Clock& Clock::Real() {
  static RealClock clock;  // trivially destructible
  return clock;
}

}  // namespace tidemark
