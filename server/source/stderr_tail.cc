#include "source/stderr_tail.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "wire/call_status.h"

namespace tidemark {
namespace {

constexpr size_t kLastLineBytes = 1'000;
constexpr int kInfo = 1;
constexpr int kWarning = 2;

}  // namespace

StderrTail::StderrTail(LogLine log, Clock& clock)
    : log_(std::move(log)), clock_(clock), refilled_(clock.Monotonic()) {}

void StderrTail::Refill() {
  const absl::Duration now = clock_.Monotonic();
  const double seconds = absl::ToDoubleSeconds(now - refilled_);
  refilled_ = now;
  lines_left_ = std::min(kLineBurst, lines_left_ + seconds * kLinesPerSecond);
  bytes_left_ = std::min(kFloodBytes, bytes_left_ + seconds * kFloodBytesPerSecond);
}

bool StderrTail::Append(absl::string_view bytes) {
  bool within_bound = false;
  {
    MutexLock lock(mutex_);
    Refill();
    bytes_ += bytes.size();
    bytes_left_ -= static_cast<double>(bytes.size());
    within_bound = bytes_left_ >= 0;
    const absl::string_view newest =
        bytes.substr(bytes.size() - std::min(bytes.size(), kKeptBytes));
    if (kept_.size() + newest.size() > kKeptBytes) {
      kept_.erase(0, kept_.size() + newest.size() - kKeptBytes);
    }
    kept_.append(newest.data(), newest.size());
  }
  if (!log_) return within_bound;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const absl::string_view part = bytes.substr(0, end);
    line_.append(part.data(),
                 std::min(part.size(), kLineBytes - std::min(kLineBytes, line_.size())));
    if (end == absl::string_view::npos) break;
    Log(line_);
    line_.clear();
    bytes.remove_prefix(end + 1);
  }
  return within_bound;
}

void StderrTail::Log(absl::string_view line) {
  line = absl::StripAsciiWhitespace(line);
  if (line.empty()) return;
  uint64_t dropped = 0;
  {
    MutexLock lock(mutex_);
    if (lines_left_ < 1) {
      ++lines_dropped_;
      return;
    }
    lines_left_ -= 1;
    dropped = std::exchange(lines_dropped_, 0);
  }
  if (dropped > 0) log_(kWarning, absl::StrCat(dropped, " lines were left out here"));
  log_(kInfo, StatusText(line));
}

void StderrTail::Finish() {
  if (!log_) return;
  Log(line_);
  line_.clear();
  uint64_t dropped = 0;
  {
    MutexLock lock(mutex_);
    dropped = std::exchange(lines_dropped_, 0);
  }
  if (dropped > 0) log_(kWarning, absl::StrCat(dropped, " lines were left out here"));
}

std::string StderrTail::LastLine() const {
  const std::string text = Text();
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  const size_t newline = rest.rfind('\n');
  if (newline != absl::string_view::npos) rest.remove_prefix(newline + 1);
  return StatusText(rest.substr(0, kLastLineBytes));
}

std::string StderrTail::Text() const {
  MutexLock lock(mutex_);
  return kept_;
}

uint64_t StderrTail::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace tidemark
