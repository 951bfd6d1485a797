// A source in front of another one.
#ifndef TIDEMARK_PIPELINE_FORWARDING_SOURCE_H_
#define TIDEMARK_PIPELINE_FORWARDING_SOURCE_H_

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "pipeline/change_source.h"

namespace tidemark {

// Passes every call on to the source that it owns; a derived class answers those itself that it is
// there for. Threads, order of calls and errors are those of ChangeSource.
class ForwardingSource : public ChangeSource {
 public:
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

 protected:
  explicit ForwardingSource(std::unique_ptr<ChangeSource> source) : source_(std::move(source)) {}

  ChangeSource& source() { return *source_; }

 private:
  const std::unique_ptr<ChangeSource> source_;
};

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_FORWARDING_SOURCE_H_
