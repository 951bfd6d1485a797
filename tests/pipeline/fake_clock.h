// Virtual time: moves only when somebody sleeps or a scripted source makes the pipeline wait.
#ifndef TIDEMARK_TESTS_PIPELINE_FAKE_CLOCK_H_
#define TIDEMARK_TESTS_PIPELINE_FAKE_CLOCK_H_

#include <functional>

#include "absl/time/time.h"
#include "core/clock.h"

namespace tidemark {

class FakeClock final : public Clock {
 public:
  absl::Time Now() override { return start_ + passed_ - back_; }
  absl::Duration Monotonic() override { return passed_; }
  void Sleep(absl::Duration duration) override {
    Advance(duration);
    slept_ += duration;
    if (on_sleep) on_sleep();
  }
  void Advance(absl::Duration duration) { passed_ += duration; }
  // The wall clock goes back; time passes on.
  void StepBack(absl::Duration by) { back_ += by; }
  absl::Duration slept() const { return slept_; }

  std::function<void()> on_sleep;

 private:
  const absl::Time start_ = absl::FromUnixSeconds(1'767'225'600);  // 2026-01-01T00:00:00Z
  absl::Duration passed_;
  absl::Duration back_;
  absl::Duration slept_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_PIPELINE_FAKE_CLOCK_H_
