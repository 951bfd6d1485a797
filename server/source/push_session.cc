#include "source/push_session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status_context.h"

namespace tidemark {

void PushSession::OnDeadLetter(const DeadLetter& letter, uint32_t row) {
  PushRowError& error = errors_.emplace_back();
  error.sequence = origin_.sequence;
  error.index = origin_.first + row;
  error.table = letter.table;
  error.code = letter.code;
  error.reason = letter.reason;
}

absl::Status PushSession::End(PushVerdict verdict) {
  // The pipeline tries nothing again: that is the client's to do.
  absl::Status status = IsTransient(verdict.status)
                            ? absl::FailedPreconditionError(verdict.status.message())
                            : verdict.status;
  if (verdict_.status.ok()) verdict_ = std::move(verdict);
  return status;
}

// A client that begins at 1 each time loses what it pushes: it shall hear of it.
void PushSession::TellSkipped() {
  if (skipped_ == 0) return;
  stream_.SendWarning("",
                      absl::StrCat(std::exchange(skipped_, 0),
                                   " messages had the numbers of durable ones and are skipped"));
}

void PushSession::Acknowledge(uint64_t sequence, uint64_t version) {
  durable_ = sequence;
  version_ = version;
  while (!errors_.empty() && errors_.front().sequence <= sequence) {
    stream_.SendRowError(errors_.front());
    errors_.pop_front();
  }
  stream_.Acknowledge(sequence, version);
}

}  // namespace tidemark
