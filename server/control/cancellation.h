// Ends what a call does at connectors, from another thread.
#ifndef TIDEMARK_CONTROL_CANCELLATION_H_
#define TIDEMARK_CONTROL_CANCELLATION_H_

#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "core/mutex.h"
#include "pipeline/change_source.h"

namespace tidemark {

// Thread-safe; outlives the sources under it.
class Cancellation {
 public:
  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  // Cancels every source that is under it, and those that come under it later.
  void Cancel();
  bool cancelled() const;

  // `source`, under `cancellation` (may be null) until it is destroyed.
  static std::unique_ptr<ChangeSource> Cover(std::unique_ptr<ChangeSource> source,
                                             Cancellation* cancellation);

 private:
  class Covered;
  void Add(ChangeSource* source);
  void Remove(ChangeSource* source);

  mutable Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<ChangeSource*> sources_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_CANCELLATION_H_
