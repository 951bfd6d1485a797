#include "control/cancellation.h"

#include <utility>

#include "pipeline/forwarding_source.h"

namespace tidemark {

class Cancellation::Covered final : public ForwardingSource {
 public:
  Covered(std::unique_ptr<ChangeSource> source, Cancellation* cancellation)
      : ForwardingSource(std::move(source)), cancellation_(cancellation) {
    cancellation_->Add(&this->source());
  }
  ~Covered() override { cancellation_->Remove(&source()); }

 private:
  Cancellation* const cancellation_;
};

void Cancellation::Cancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
  for (ChangeSource* source : sources_) source->Cancel();
}

bool Cancellation::cancelled() const {
  MutexLock lock(mutex_);
  return cancelled_;
}

void Cancellation::Add(ChangeSource* source) {
  MutexLock lock(mutex_);
  sources_.insert(source);
  if (cancelled_) source->Cancel();
}

void Cancellation::Remove(ChangeSource* source) {
  MutexLock lock(mutex_);
  sources_.erase(source);
}

std::unique_ptr<ChangeSource> Cancellation::Cover(std::unique_ptr<ChangeSource> source,
                                                  Cancellation* cancellation) {
  if (cancellation == nullptr) return source;
  return std::make_unique<Covered>(std::move(source), cancellation);
}

}  // namespace tidemark
