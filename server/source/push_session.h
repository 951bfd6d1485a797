// One stream of a program that pushes its changes (proto/tidemark/v1/ingest.proto), over all
// attempts of its sync: the tables as it has numbered them, what is durable, and why it ended.
#ifndef TIDEMARK_SOURCE_PUSH_SESSION_H_
#define TIDEMARK_SOURCE_PUSH_SESSION_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/clock.h"
#include "core/dead_letter.h"
#include "core/schema.h"
#include "source/known_tables.h"
#include "source/push_stream.h"

namespace tidemark {

// Why a stream ends by its own doing. The client's code and text; `reason` and `facts` are for
// programs (ErrorInfo).
struct PushVerdict {
  absl::Status status;
  std::string reason;  // UPPER_SNAKE_CASE
  std::string fact;    // name and value of one fact; may be empty
  std::string value;
};

// Confined to the apply thread. Outlives the sources of its attempts (push_source.h).
class PushSession {
 public:
  struct Options {
    // Commits end at the client's checkpoints only, else at every message.
    bool explicit_checkpoints = false;
    std::optional<uint64_t> expected_sequence;
    ConnectorDescription description;
    // Whether the connection takes a table; null: every one.
    std::function<bool(const TableSchema& table)> selects;
    // How long a client may be silent, and how long while rows wait for its checkpoint: these keep
    // the destination from others.
    absl::Duration idle = absl::Minutes(15);
    absl::Duration open_idle = absl::Seconds(10);
    Clock* clock = &Clock::Real();
  };

  // `stream` is borrowed. `interrupt` ends the sync at its last commit: a client that is gone or
  // idle is no failure.
  PushSession(PushStream* stream, std::function<void()> interrupt, Options options)
      : stream_(*stream), interrupt_(std::move(interrupt)), options_(std::move(options)) {}
  PushSession(const PushSession&) = delete;
  PushSession& operator=(const PushSession&) = delete;

  // Goes to the client.
  void OnWarning(absl::string_view table, absl::string_view text) {
    stream_.SendWarning(table, text);
  }
  // Row `row` of the batch given last is a dead letter of the open group: it becomes a RowError
  // once it is durable.
  void OnDeadLetter(const DeadLetter& letter, uint32_t row);

  // status OK: the stream did not end by its own doing.
  const PushVerdict& verdict() const { return verdict_; }
  bool cut() const { return cut_; }  // the client is gone
  uint64_t durable_sequence() const { return durable_; }
  uint64_t state_version() const { return version_; }

 private:
  friend class PushSource;

  // Where the batch at hand stood in the stream.
  struct Origin {
    uint64_t sequence = 0;
    uint32_t first = 0;  // row of the message
  };

  // The first one counts.
  absl::Status End(PushVerdict verdict);
  void Acknowledge(uint64_t sequence, uint64_t version);
  void TellSkipped();

  PushStream& stream_;
  const std::function<void()> interrupt_;
  const Options options_;
  KnownTables tables_;    // as the stream has numbered them
  uint64_t defined_ = 0;  // ordinal of the last message whose definition is in tables_
  bool started_ = false;  // the client was told where it stands
  uint64_t durable_ = 0;  // number of the last durable message
  uint64_t version_ = 0;  // of the state that says so
  uint64_t skipped_ = 0;  // messages that were durable already
  Origin origin_;
  std::deque<PushRowError> errors_;  // of the open group, by sequence
  PushVerdict verdict_;
  bool cut_ = false;
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_PUSH_SESSION_H_
