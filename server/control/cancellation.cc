#include "control/cancellation.h"

#include <optional>
#include <utility>
#include <vector>

namespace tidemark {

class Cancellation::Covered final : public ChangeSource {
 public:
  Covered(std::unique_ptr<ChangeSource> source, Cancellation* cancellation)
      : cancellation_(cancellation), source_(std::move(source)) {
    cancellation_->Add(source_.get());
  }
  ~Covered() override { cancellation_->Remove(source_.get()); }

  absl::StatusOr<ConnectorDescription> Describe() override { return source_->Describe(); }
  absl::Status Check() override { return source_->Check(); }
  absl::StatusOr<std::vector<TableSchema>> Schema() override { return source_->Schema(); }
  absl::Status ValidateState(absl::Span<const StateEntry> states) override {
    return source_->ValidateState(states);
  }
  absl::Status Start(const UpdateStart& start) override { return source_->Start(start); }
  absl::Status StartRead(const ReadStart& start) override { return source_->StartRead(start); }
  absl::StatusOr<std::optional<SourceEvent>> Next(absl::Time deadline) override {
    return source_->Next(deadline);
  }
  void Acknowledge(const Acknowledgement& acknowledgement) override {
    source_->Acknowledge(acknowledgement);
  }
  absl::Status Close() override { return source_->Close(); }
  void Cancel() override { source_->Cancel(); }

 private:
  Cancellation* const cancellation_;
  const std::unique_ptr<ChangeSource> source_;
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
