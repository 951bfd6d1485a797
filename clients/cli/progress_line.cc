#include "progress_line.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "session.h"

namespace tidemark {
namespace {

constexpr absl::Duration kPlainEvery = absl::Seconds(5);

}  // namespace

ProgressLine::ProgressLine(bool quiet)
    : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0), next_(absl::Seconds(2)) {}

ProgressLine::~ProgressLine() { Clear(); }

void ProgressLine::Show(const SyncProgress& progress) {
  if (quiet_) return;
  if (!terminal_ && progress.elapsed < next_) return;
  next_ = progress.elapsed + kPlainEvery;
  const double seconds = absl::ToDoubleSeconds(progress.elapsed);
  const uint64_t rate =
      seconds > 0 ? static_cast<uint64_t>(static_cast<double>(progress.rows) / seconds) : 0;
  std::string text = absl::StrFormat(
      "%s rows, %s rows/s, %.0f s%s%s", Grouped(progress.rows), Grouped(rate), seconds,
      progress.table.empty() ? "" : absl::StrCat(", table ", progress.table),
      progress.phase.empty() ? "" : absl::StrCat(", ", progress.phase));
  if (progress.lag.has_value()) {
    absl::StrAppendFormat(&text, ", lag %.1f s", absl::ToDoubleSeconds(*progress.lag));
  }
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    drawn_ = true;
  } else {
    std::fprintf(stderr, "progress: %s\n", text.c_str());
  }
  std::fflush(stderr);
}

void ProgressLine::Clear() {
  if (!drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace tidemark
