#include "plugin_host/response_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tidemark/v1/connector.pb.h"
#include "wire/call_status.h"

namespace tidemark {
namespace {

constexpr size_t kMaxWaitingBytes = size_t{256} * 1024;
constexpr int32_t kWarningLevel = 2;

}  // namespace

ResponseStream::ResponseStream(WriteFunction write) : write_(std::move(write)) {}

ResponseStream::~ResponseStream() = default;

bool ResponseStream::Send(const v1::UpdateResponse& response) { return Transmit(&response, false); }

bool ResponseStream::Finish(const v1::UpdateResponse& finished) {
  return Transmit(&finished, true);
}

bool ResponseStream::Transmit(const v1::UpdateResponse* response, bool last) {
  {
    MutexLock lock(mutex_);
    while (writing_) idle_.Wait(mutex_);
    if (gone_ || finished_) return false;
    writing_ = true;
    // From here on log lines go elsewhere, so that the message stays the last one.
    finished_ = last;
  }
  WriteWaiting();
  const bool written = write_(*response);
  if (!last) WriteWaiting();
  MutexLock lock(mutex_);
  gone_ |= !written;
  writing_ = false;
  idle_.SignalAll();
  return !gone_;
}

bool ResponseStream::Log(int32_t level, absl::string_view text) {
  {
    MutexLock lock(mutex_);
    if (finished_ || gone_) return false;
    LogLine line{level, StatusText(text)};
    if (line_bytes_ + line.text.size() > kMaxWaitingBytes) {
      ++dropped_;
      return true;
    }
    line_bytes_ += line.text.size();
    lines_.push_back(std::move(line));
  }
  WriteOrLeave();
  return true;
}

bool ResponseStream::Progress(const v1::Progress& progress) {
  {
    MutexLock lock(mutex_);
    if (finished_ || gone_) return false;
    progress_ = std::make_unique<v1::Progress>(progress);
  }
  WriteOrLeave();
  return true;
}

void ResponseStream::WriteOrLeave() {
  {
    MutexLock lock(mutex_);
    if (writing_ || gone_ || finished_) return;
    writing_ = true;
  }
  WriteWaiting();
  MutexLock lock(mutex_);
  writing_ = false;
  idle_.SignalAll();
}

void ResponseStream::WriteWaiting() {
  for (;;) {
    v1::UpdateResponse response;
    {
      MutexLock lock(mutex_);
      if (gone_) return;
      if (!lines_.empty()) {
        line_bytes_ -= lines_.front().text.size();
        response.mutable_log()->set_level(lines_.front().level);
        response.mutable_log()->set_text(std::move(lines_.front().text));
        lines_.pop_front();
      } else if (dropped_ > 0) {
        response.mutable_log()->set_level(kWarningLevel);
        response.mutable_log()->set_text(
            absl::StrCat(dropped_, " log lines were dropped: the receiver is behind"));
        dropped_ = 0;
      } else if (progress_ != nullptr) {
        *response.mutable_progress() = std::move(*progress_);
        progress_ = nullptr;
      } else {
        return;
      }
    }
    if (!write_(response)) {
      MutexLock lock(mutex_);
      gone_ = true;
      return;
    }
  }
}

}  // namespace tidemark
