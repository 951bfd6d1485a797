// The way back to the server during Update: the plugin's own messages in order, and beside them
// logs and progress from any thread.
#ifndef TIDEMARK_PLUGIN_HOST_RESPONSE_STREAM_H_
#define TIDEMARK_PLUGIN_HOST_RESPONSE_STREAM_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "core/mutex.h"

namespace tidemark {
namespace v1 {
class Progress;
class UpdateResponse;
}  // namespace v1

// Thread-safe: one thread writes at a time. The only queue holds log lines, at most 256 KiB; what
// does not fit is dropped and counted in a line of its own.
class ResponseStream {
 public:
  // `write` blocks while the receiver is behind; false: the receiver is gone.
  using WriteFunction = std::function<bool(const v1::UpdateResponse&)>;
  explicit ResponseStream(WriteFunction write);
  ~ResponseStream();
  ResponseStream(const ResponseStream&) = delete;
  ResponseStream& operator=(const ResponseStream&) = delete;

  // Blocks as `write` does: the backpressure. False: the receiver is gone.
  bool Send(const v1::UpdateResponse& response);
  // Sends what still waits, then `finished`; nothing goes out after it.
  bool Finish(const v1::UpdateResponse& finished);

  // Sent at once, unless another thread is writing just then: then after its message. False after
  // Finish.
  bool Log(int32_t level, absl::string_view text);
  // Only the newest is kept while another thread is writing.
  bool Progress(const v1::Progress& progress);

 private:
  struct LogLine {
    int32_t level;
    std::string text;
  };

  bool Transmit(const v1::UpdateResponse* response, bool last);
  // Writes what waits beside the stream. REQUIRES: this thread set writing_.
  void WriteWaiting();
  // After something was queued: writes it unless a writer is there, who will.
  void WriteOrLeave();

  const WriteFunction write_;
  Mutex mutex_;
  CondVar idle_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<LogLine> lines_ ABSL_GUARDED_BY(mutex_);
  size_t line_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<v1::Progress> progress_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_RESPONSE_STREAM_H_
