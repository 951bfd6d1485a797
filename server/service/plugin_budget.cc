#include "service/plugin_budget.h"

#include <algorithm>

#include "core/clock.h"

namespace tidemark {
namespace {

constexpr absl::Duration kStep = absl::Milliseconds(100);  // an interrupt notifies nobody

}  // namespace

bool PluginBudget::Fits(uint64_t bytes) const {
  if (taken_plugins_ == 0) return true;
  return taken_plugins_ < plugins_ && bytes <= memory_bytes_ &&
         taken_bytes_ <= memory_bytes_ - bytes;
}

std::unique_ptr<PluginBudget::Share> PluginBudget::Take(uint64_t bytes, const Interrupt& interrupt,
                                                        absl::Duration longest) {
  const absl::Duration until = Clock::Real().Monotonic() + longest;
  MutexLock lock(mutex_);
  const uint64_t ticket = ++last_ticket_;
  waiting_.push_back(ticket);
  const auto fits = [&] { return waiting_.front() == ticket && Fits(bytes); };
  while (interrupt.count() == 0 && !fits() && Clock::Real().Monotonic() < until) {
    changed_.WaitFor(mutex_, kStep);
  }
  const bool taken = interrupt.count() == 0 && fits();
  std::erase(waiting_, ticket);
  changed_.SignalAll();  // whoever is first now
  if (!taken) return nullptr;
  ++taken_plugins_;
  taken_bytes_ += bytes;
  return std::unique_ptr<Share>(new Share(this, bytes));
}

void PluginBudget::Return(uint64_t bytes) {
  MutexLock lock(mutex_);
  --taken_plugins_;
  taken_bytes_ -= bytes;
  changed_.SignalAll();
}

}  // namespace tidemark
