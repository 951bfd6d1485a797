#include "plugin_host/host_callbacks.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/clock.h"
#include "tidemark/v1/connector.pb.h"
#include "wire/call_status.h"

namespace tidemark {
namespace {

absl::string_view LevelName(int32_t level) {
  switch (level) {
    case TIDEMARK_LOG_DEBUG:
      return "debug";
    case TIDEMARK_LOG_INFO:
      return "info";
    case TIDEMARK_LOG_WARNING:
      return "warning";
    default:
      return "error";
  }
}

}  // namespace

HostCallbacks::HostCallbacks(std::string label) : label_(std::move(label)), host_{} {
  host_.struct_size = sizeof(host_);
  host_.abi_version = TIDEMARK_ABI_VERSION;
  host_.ctx = this;
  host_.version = TIDEMARK_VERSION;
  host_.log = [](const tidemark_host* host, int32_t level, tidemark_bytes text) {
    static_cast<HostCallbacks*>(host->ctx)->Log(level, text);
  };
  host_.now_us = [](const tidemark_host*) { return absl::ToUnixMicros(Clock::Real().Now()); };
  host_.progress = [](const tidemark_host* host, const tidemark_progress* progress) {
    static_cast<HostCallbacks*>(host->ctx)->Progress(progress);
  };
  host_.extension = [](const tidemark_host*, const char*) -> const void* { return nullptr; };
}

void HostCallbacks::Route(std::shared_ptr<ResponseStream> stream) {
  MutexLock lock(mutex_);
  stream_ = std::move(stream);
}

std::shared_ptr<ResponseStream> HostCallbacks::stream() {
  MutexLock lock(mutex_);
  return stream_;
}

void HostCallbacks::Log(int32_t level, tidemark_bytes text) {
  if (text.data == nullptr) return;
  const absl::string_view view(text.data, text.size);
  if (const std::shared_ptr<ResponseStream> to = stream(); to != nullptr && to->Log(level, view)) {
    return;
  }
  const std::string line =
      absl::StrCat(label_, ": ", LevelName(level), ": ", StatusText(view), "\n");
  // One write, so that lines of several threads do not mix. Nobody can be told of its failure.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

void HostCallbacks::Progress(const tidemark_progress* progress) {
  if (progress == nullptr || !TIDEMARK_HAS(tidemark_progress, progress, bytes_done)) return;
  const std::shared_ptr<ResponseStream> to = stream();
  if (to == nullptr) return;
  v1::Progress message;
  message.set_table(progress->table);
  message.set_rows_done(progress->rows_done);
  message.set_rows_total(progress->rows_total);
  message.set_bytes_done(progress->bytes_done);
  if (TIDEMARK_HAS(tidemark_progress, progress, phase) && progress->phase != nullptr) {
    message.set_phase(StatusText(progress->phase));
  }
  to->Progress(message);
}

}  // namespace tidemark
