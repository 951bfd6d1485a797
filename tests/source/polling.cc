#include "tests/source/polling.h"

#include <chrono>
#include <thread>

#include "absl/time/clock.h"

namespace tidemark {

bool Eventually(const std::function<bool()>& condition, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

int64_t AwaitStandstill(const std::function<int64_t()>& counter) {
  int64_t last = counter();
  while (Eventually([&] { return counter() != last; }, absl::Milliseconds(100))) last = counter();
  return last;
}

}  // namespace tidemark
