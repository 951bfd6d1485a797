#include "pipeline/limited_source.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>
#include <variant>

#include "pipeline/forwarding_source.h"

namespace tidemark {
namespace {

constexpr absl::Duration kStep = absl::Milliseconds(100);  // a cancel wakes nobody

class LimitedSource final : public ForwardingSource {
 public:
  LimitedSource(std::unique_ptr<ChangeSource> source, RateLimit* limit, Clock* clock)
      : ForwardingSource(std::move(source)), limit_(limit), clock_(clock) {}

  absl::Status StartRead(const ReadStart& start) override {
    held_.reset();
    return source().StartRead(start);
  }

  absl::StatusOr<std::optional<SourceEvent>> Next(absl::Time deadline) override {
    if (!held_.has_value()) {
      absl::StatusOr<std::optional<SourceEvent>> event = source().Next(deadline);
      if (!event.ok() || !event->has_value()) return event;
      if (!std::holds_alternative<ChangeBatch>(**event)) return event;
      held_ = **std::move(event);
    }
    if (!Await(deadline)) return std::nullopt;
    if (cancelled_) return source().Next(deadline);
    const ChangeBatch& batch = std::get<ChangeBatch>(*held_);
    limit_->Take(batch.row_count, batch.encoded_bytes, clock_->Monotonic());
    return std::exchange(held_, std::nullopt);
  }

  void Cancel() override {
    cancelled_ = true;
    source().Cancel();
  }

 private:
  // True: everything is paid for, or it was cancelled. False: the deadline came first.
  bool Await(absl::Time deadline) {
    while (!cancelled_) {
      const absl::Duration owed = limit_->Owed(clock_->Monotonic());
      if (owed <= absl::ZeroDuration()) return true;
      const absl::Duration left = deadline - clock_->Now();
      if (left <= absl::ZeroDuration()) return false;
      clock_->Sleep(std::min({owed, left, kStep}));
    }
    return true;
  }

  RateLimit* const limit_;
  Clock* const clock_;
  std::optional<SourceEvent> held_;  // a batch that waits
  std::atomic<bool> cancelled_{false};
};

}  // namespace

std::unique_ptr<ChangeSource> LimitRate(std::unique_ptr<ChangeSource> source, RateLimit* limit,
                                        Clock* clock) {
  return std::make_unique<LimitedSource>(std::move(source), limit, clock);
}

}  // namespace tidemark
