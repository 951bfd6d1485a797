// How many plugin processes run at once, and how much memory they may take together.
#ifndef TIDEMARK_SERVICE_PLUGIN_BUDGET_H_
#define TIDEMARK_SERVICE_PLUGIN_BUDGET_H_

#include <cstdint>
#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "core/mutex.h"
#include "pipeline/sync.h"

namespace tidemark {

// Thread-safe; outlives its shares.
class PluginBudget {
 public:
  PluginBudget(int plugins, uint64_t memory_bytes)
      : plugins_(plugins), memory_bytes_(memory_bytes) {}
  PluginBudget(const PluginBudget&) = delete;
  PluginBudget& operator=(const PluginBudget&) = delete;

  // One process with so much memory, until it is destroyed.
  class Share {
   public:
    ~Share() { budget_->Return(bytes_); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    friend class PluginBudget;
    Share(PluginBudget* budget, uint64_t bytes) : budget_(budget), bytes_(bytes) {}
    PluginBudget* const budget_;
    const uint64_t bytes_;
  };

  // Waits until there is room, first come, first served. What asks for more than there is at all
  // runs alone. Null: `interrupt` was requested meanwhile, or `longest` has passed.
  std::unique_ptr<Share> Take(uint64_t bytes, const Interrupt& interrupt,
                              absl::Duration longest = absl::InfiniteDuration());

 private:
  bool Fits(uint64_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Return(uint64_t bytes);

  const int plugins_;
  const uint64_t memory_bytes_;
  Mutex mutex_;
  CondVar changed_;
  int taken_plugins_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t taken_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_ticket_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<uint64_t> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_PLUGIN_BUDGET_H_
