// One stream of a program that pushes changes, as the source of a sync sees it. Implemented by
// push_call.h over gRPC and by the tests in memory.
#ifndef TIDEMARK_SOURCE_PUSH_STREAM_H_
#define TIDEMARK_SOURCE_PUSH_STREAM_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark {

struct PushMessage;
class MessagePool;

struct PushStarted {
  uint64_t durable_sequence = 0;
  std::string state;
  uint64_t state_version = 0;
  std::string sync_id;
  uint64_t epoch = 0;
};

struct PushRowError {
  uint64_t sequence = 0;  // of the message
  uint32_t index = 0;     // of the row in it
  std::string table;
  absl::StatusCode code = absl::StatusCode::kUnknown;
  std::string reason;
};

// Called from the apply thread, except Cancel. What is sent never blocks.
class PushStream {
 public:
  virtual ~PushStream() = default;

  enum class Outcome {
    kMessage,
    kNothingYet,  // the deadline passed
    kHalfClosed,  // the client has said all
    kCut,         // the client is gone, or its connection
    kCancelled,   // by Cancel
  };
  // The next message in order. At most 4 of them and 4 MiB wait unread; while they do, flow control
  // holds the client back.
  virtual Outcome Read(absl::Time deadline, std::unique_ptr<PushMessage>* message) = 0;
  // What was read and is not acknowledged comes again, before what was not read yet. False: it is
  // too much to have been kept.
  virtual bool Rewind() = 0;
  // Takes back the memory of rows.
  virtual const std::shared_ptr<MessagePool>& pool() const = 0;

  virtual void Start(const PushStarted& started) = 0;
  // Messages up to `sequence` are durable and do not come again.
  virtual void Acknowledge(uint64_t sequence, uint64_t state_version) = 0;
  virtual void SendRowError(const PushRowError& error) = 0;
  virtual void SendWarning(absl::string_view table, absl::string_view text) = 0;

  // Thread-safe. Blocked and later reads return kCancelled.
  virtual void Cancel() = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_PUSH_STREAM_H_
