#include "source/push_source.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "source/push_message.h"
#include "source/push_state.h"
#include "source/readable_rows.h"
#include "source/stream_message.h"
#include "wire/change_messages.h"
#include "wire/schema_messages.h"

namespace tidemark {
namespace {

// Where every message may be a commit's end, one checkpoint stands for several: it carries the
// client's state along.
constexpr uint64_t kCoverRows = 2'000;
constexpr size_t kCoverBytes = size_t{1} << 20;
constexpr uint64_t kCoverMessages = 256;
// Rows that wait here for their checkpoint, before the destination sees the first of them.
constexpr size_t kHeldBytes = size_t{4} << 20;
constexpr size_t kHeldMessages = 10'000;

PushVerdict Invalid(absl::string_view reason, absl::string_view text) {
  PushVerdict verdict;
  verdict.status = absl::InvalidArgumentError(text);
  verdict.reason = std::string(reason);
  return verdict;
}

}  // namespace

// One attempt.
class PushSource final : public ChangeSource {
 public:
  explicit PushSource(PushSession* session) : session_(*session), readable_(&session->tables_) {
    session_.errors_.clear();
    session_.origin_ = {};
  }

  absl::StatusOr<ConnectorDescription> Describe() override;
  absl::Status Check() override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<TableSchema>> Schema() override;
  absl::Status ValidateState(absl::Span<const StateEntry> states) override;
  absl::Status Start(const UpdateStart& start) override;
  absl::StatusOr<std::optional<SourceEvent>> Next(absl::Time deadline) override;
  void Acknowledge(const Acknowledgement& acknowledgement) override;
  absl::Status Close() override { return absl::OkStatus(); }
  void Cancel() override { session_.stream_.Cancel(); }

 private:
  using Outcome = PushStream::Outcome;
  using MessagePtr = std::unique_ptr<PushMessage>;

  bool by_checkpoint() const { return session_.options_.explicit_checkpoints; }
  bool uncovered() const { return received_ > covered_; }
  bool MustCover() const;
  Checkpoint Cover();
  SourceEvent Pop();

  Outcome Take(absl::Time deadline, MessagePtr* message);
  absl::Status OnQuiet();
  absl::Status OnOver(Outcome outcome);
  absl::Status Accept(MessagePtr message);
  absl::Status CheckOrder(const PushMessage& message);
  absl::Status Define(const PushMessage& message);
  absl::Status AddRowBatch(MessagePtr message);
  absl::Status AddCheckpoint(MessagePtr message);
  absl::Status CheckSelected(const TableSchema& table);
  absl::Status AdvanceRows();
  void CountReceived(uint64_t sequence, size_t bytes);

  PushSession& session_;
  ReadableRows readable_;
  std::deque<SourceEvent> events_;
  uint64_t message_ = 0;       // number of the message whose rows are at hand
  uint32_t message_rows_ = 0;  // of them, given to the pipeline

  uint64_t last_ = 0;        // number of the last message in order; 0: none in this attempt
  uint64_t received_ = 0;    // number of the last message whose rows were given to the pipeline
  uint64_t covered_ = 0;     // ... and of the last one a checkpoint was given for
  uint64_t rows_since_ = 0;  // the last checkpoint
  size_t bytes_since_ = 0;
  uint64_t messages_since_ = 0;
  bool checkpoint_due_ = false;  // the client gave one
  std::string state_;            // the client's
  uint64_t checkpoints_ = 0;     // id of the last one given
  struct Covered {
    uint64_t id = 0;
    uint64_t sequence = 0;
  };
  std::deque<Covered> unacknowledged_;

  // Where commits end at checkpoints only: what waits for the next one.
  std::deque<MessagePtr> held_;
  size_t held_bytes_ = 0;
  size_t held_checkpoints_ = 0;
  bool open_ = false;  // the pipeline has rows that no checkpoint covers
  std::optional<Outcome> over_;

  absl::Duration quiet_;             // listened to without a message
  std::optional<absl::Status> end_;  // what Next ends with, once what came before it is covered
  bool finished_ = false;
};

// ---- before the stream -------------------------------------------------------------------------

absl::StatusOr<ConnectorDescription> PushSource::Describe() {
  ConnectorDescription description = session_.options_.description;
  // Rows between two checkpoints of the client appear together or not at all.
  if (by_checkpoint()) description.capabilities |= kSourceTransactions;
  return description;
}

absl::StatusOr<std::vector<TableSchema>> PushSource::Schema() {
  std::vector<TableSchema> tables;
  tables.reserve(session_.tables_.size());
  for (uint32_t i = 0; i < session_.tables_.size(); ++i) tables.push_back(session_.tables_.at(i));
  return tables;
}

absl::Status PushSource::ValidateState(absl::Span<const StateEntry> states) {
  for (const StateEntry& state : states) {
    if (!state.connection_wide()) continue;
    if (auto parsed = ParsePushState(state.body, state.format); !parsed.ok()) {
      return parsed.status();
    }
  }
  return absl::OkStatus();
}

absl::Status PushSource::Start(const UpdateStart& start) {
  PushState known;
  uint64_t version = 0;
  for (const StateEntry& state : start.states) {
    if (!state.connection_wide()) continue;
    absl::StatusOr<PushState> parsed = ParsePushState(state.body, state.format);
    if (!parsed.ok()) return parsed.status();
    known = *std::move(parsed);
    version = state.version;
  }
  received_ = covered_ = known.sequence;
  state_ = known.state;
  if (session_.started_) {
    // What a commit of unknown outcome made durable after all.
    if (known.sequence > session_.durable_) session_.Acknowledge(known.sequence, version);
    if (session_.stream_.Rewind()) return absl::OkStatus();
    PushVerdict verdict;
    verdict.status = absl::UnavailableError(
        "the destination failed, and what was pushed since the last commit is too much to be kept "
        "here: connect again and go on from the last acknowledged message");
    verdict.reason = "RESUME";
    return session_.End(std::move(verdict));
  }
  const std::optional<uint64_t>& expected = session_.options_.expected_sequence;
  if (expected.has_value() && *expected != known.sequence) {
    PushVerdict verdict;
    verdict.status = absl::FailedPreconditionError(
        absl::StrCat("the last durable message of this producer has the number ", known.sequence,
                     ", expected_sequence is ", *expected));
    verdict.reason = "SEQUENCE_MISMATCH";
    verdict.fact = "durable";
    verdict.value = absl::StrCat(known.sequence);
    return session_.End(std::move(verdict));
  }
  session_.started_ = true;
  session_.durable_ = known.sequence;
  session_.version_ = version;
  session_.stream_.Start(
      {known.sequence, std::move(known.state), version, start.sync_id, start.epoch});
  return absl::OkStatus();
}

// ---- the stream --------------------------------------------------------------------------------

absl::StatusOr<std::optional<SourceEvent>> PushSource::Next(absl::Time deadline) {
  while (true) {
    if (!events_.empty()) return Pop();
    absl::Status status;
    if (readable_.pending()) {
      status = AdvanceRows();
    } else if (MustCover()) {
      return SourceEvent(Cover());
    } else if (end_.has_value()) {
      if (finished_) return SourceEvent(Finished{*end_, {}});
      if (session_.cut_) session_.interrupt_();
      return *end_;
    } else {
      MessagePtr message;
      // One checkpoint for all that is there already.
      const bool cover = uncovered() && !by_checkpoint();
      const Outcome outcome = Take(cover ? absl::InfinitePast() : deadline, &message);
      if (outcome == Outcome::kMessage) {
        status = Accept(std::move(message));
      } else if (outcome == Outcome::kNothingYet) {
        if (cover) return SourceEvent(Cover());
        status = OnQuiet();
        if (status.ok()) return std::nullopt;
      } else if (outcome == Outcome::kCancelled) {
        return absl::CancelledError("the stream was ended here");
      } else {
        if (cover) {
          over_ = outcome;  // comes again
          return SourceEvent(Cover());
        }
        status = OnOver(outcome);
      }
    }
    if (!status.ok()) end_ = std::move(status);
  }
}

bool PushSource::MustCover() const {
  if (by_checkpoint()) return checkpoint_due_;
  if (!uncovered()) return false;
  return end_.has_value() || rows_since_ >= kCoverRows || bytes_since_ >= kCoverBytes ||
         messages_since_ >= kCoverMessages;
}

Checkpoint PushSource::Cover() {
  Checkpoint checkpoint;
  checkpoint.id = ++checkpoints_;
  StateEntry& entry = checkpoint.states.emplace_back();
  entry.format = kPushStateFormat;
  entry.body = PushStateBody(received_, state_);
  unacknowledged_.push_back({checkpoints_, received_});
  covered_ = received_;
  rows_since_ = messages_since_ = 0;
  bytes_since_ = 0;
  checkpoint_due_ = open_ = false;
  return checkpoint;
}

SourceEvent PushSource::Pop() {
  SourceEvent event = std::move(events_.front());
  events_.pop_front();
  if (const auto* batch = std::get_if<ChangeBatch>(&event)) {
    session_.origin_ = {message_, message_rows_};
    message_rows_ += batch->row_count;
    rows_since_ += batch->row_count;
    open_ = true;
  }
  return event;
}

PushStream::Outcome PushSource::Take(absl::Time deadline, MessagePtr* message) {
  while (true) {
    const bool deliver = !by_checkpoint() || open_ || held_checkpoints_ > 0 ||
                         held_bytes_ >= kHeldBytes || held_.size() >= kHeldMessages ||
                         over_.has_value();
    if (deliver && !held_.empty()) {
      *message = std::move(held_.front());
      held_.pop_front();
      held_bytes_ -= (*message)->bytes;
      if ((*message)->kind == PushMessage::Kind::kCheckpoint) --held_checkpoints_;
      return Outcome::kMessage;
    }
    if (over_.has_value()) return *over_;
    Clock& clock = *session_.options_.clock;
    const absl::Duration began = clock.Monotonic();
    const Outcome outcome = session_.stream_.Read(deadline, message);
    // A client is silent while it is listened to, not while the destination takes its time.
    quiet_ += clock.Monotonic() - began;
    if (outcome == Outcome::kMessage) {
      quiet_ = absl::ZeroDuration();
      if (deliver) return outcome;
      held_bytes_ += (*message)->bytes;
      if ((*message)->kind == PushMessage::Kind::kCheckpoint) ++held_checkpoints_;
      held_.push_back(std::move(*message));
    } else if (outcome == Outcome::kHalfClosed || outcome == Outcome::kCut) {
      over_ = outcome;
    } else {
      return outcome;
    }
  }
}

absl::Status PushSource::OnQuiet() {
  const bool open = by_checkpoint() && open_;
  if (quiet_ < (open ? session_.options_.open_idle : session_.options_.idle)) {
    return absl::OkStatus();
  }
  PushVerdict verdict;
  verdict.status = absl::DeadlineExceededError(absl::StrCat(
      "nothing was pushed for ", absl::FormatDuration(absl::Trunc(quiet_, absl::Milliseconds(1))),
      open ? " although rows wait for their checkpoint, which keeps the destination from others: "
             "they are not kept"
           : "; what was acknowledged is kept: connect again to push more"));
  verdict.reason = "IDLE";
  session_.interrupt_();  // no failure: what is committed stays
  return session_.End(std::move(verdict));
}

absl::Status PushSource::OnOver(Outcome outcome) {
  session_.TellSkipped();
  if (outcome == Outcome::kHalfClosed) {
    finished_ = true;
    end_ = absl::OkStatus();
    return absl::OkStatus();
  }
  session_.cut_ = true;
  return absl::CancelledError("the client is gone; what was acknowledged is kept");
}

absl::Status PushSource::Accept(MessagePtr message) {
  switch (message->kind) {
    case PushMessage::Kind::kMalformed:
      return session_.End(Invalid(
          "MALFORMED", absl::StrCat("a message of ", message->bytes, " bytes behind number ",
                                    std::max(last_, session_.durable_), " is no PushRequest")));
    case PushMessage::Kind::kTooLarge:
      return session_.End(
          Invalid("TOO_LARGE", absl::StrCat("behind number ", std::max(last_, session_.durable_),
                                            ": ", message->problem)));
    case PushMessage::Kind::kUnknown:
      return session_.End(Invalid(
          "UNKNOWN_FIELD", absl::StrCat("message ", message->sequence, ": ", message->problem)));
    case PushMessage::Kind::kStart:
      return session_.End(
          Invalid("START_AGAIN", "a second PushStart: it is the first message of a stream only"));
    default:
      break;
  }
  const bool table = message->kind == PushMessage::Kind::kTable;
  if (message->sequence != 0 || !table) {
    if (absl::Status status = CheckOrder(*message); !status.ok()) return status;
  }
  const uint64_t sequence = message->sequence;
  if (table) {
    // Definitions live as long as the stream: also one whose number is durable counts.
    if (absl::Status status = Define(*message); !status.ok()) return status;
  }
  if (sequence == 0) return absl::OkStatus();
  if (sequence <= covered_) {
    if (!table) ++session_.skipped_;
    return absl::OkStatus();
  }
  session_.TellSkipped();
  message_ = sequence;
  message_rows_ = 0;
  const size_t bytes = message->bytes;
  absl::Status status;
  switch (message->kind) {
    case PushMessage::Kind::kRows:
      readable_.Begin(std::move(message->rows));
      break;
    case PushMessage::Kind::kRowBatch:
      status = AddRowBatch(std::move(message));
      break;
    case PushMessage::Kind::kCheckpoint:
      status = AddCheckpoint(std::move(message));
      break;
    default:
      break;
  }
  if (status.ok()) CountReceived(sequence, bytes);
  return status;
}

// The message counts as received before its rows are given out; a checkpoint comes after them all.
void PushSource::CountReceived(uint64_t sequence, size_t bytes) {
  received_ = sequence;
  bytes_since_ += bytes;
  ++messages_since_;
}

absl::Status PushSource::CheckOrder(const PushMessage& message) {
  if (message.sequence == 0) {
    return session_.End(Invalid(
        "NO_SEQUENCE", "a message without its number: only definitions of tables may be without"));
  }
  const uint64_t due = last_ == 0 ? session_.durable_ + 1 : last_ + 1;
  // A client that begins anew may begin with anything that it is not sure of.
  const bool in_order = last_ == 0 ? message.sequence <= due : message.sequence == due;
  if (in_order) {
    last_ = message.sequence;
    return absl::OkStatus();
  }
  PushVerdict verdict;
  verdict.status = absl::FailedPreconditionError(
      absl::StrCat("a message has the number ", message.sequence, ", ", due,
                   " is due: numbers are 1, 2, 3, ... "
                   "over the life of the producer, and each message has its own"));
  verdict.reason = "SEQUENCE_GAP";
  verdict.fact = "expected";
  verdict.value = absl::StrCat(due);
  return session_.End(std::move(verdict));
}

absl::Status PushSource::CheckSelected(const TableSchema& table) {
  if (session_.options_.selects == nullptr || session_.options_.selects(table)) {
    return absl::OkStatus();
  }
  return session_.End(Invalid(
      "TABLE_NOT_SELECTED", absl::StrCat("table ", QualifiedName(table),
                                         " is not one of sync.source.tables of this connection")));
}

absl::Status PushSource::Define(const PushMessage& message) {
  if (message.ordinal <= session_.defined_) return absl::OkStatus();  // in an earlier attempt
  absl::StatusOr<TableSchema> table = TableFromMessage(message.table.table());
  absl::Status status = table.status();
  if (status.ok()) {
    if (absl::Status selected = CheckSelected(*table); !selected.ok()) return selected;
    status = session_.tables_.Define(message.table.index(), *table);
  }
  if (!status.ok()) {
    return session_.End(
        Invalid("BAD_TABLE", absl::StrCat("a definition of table number ", message.table.index(),
                                          ": ", status.message())));
  }
  session_.defined_ = message.ordinal;
  events_.push_back(TableDefinition{message.table.index(), *std::move(table)});
  return absl::OkStatus();
}

absl::Status PushSource::AddRowBatch(MessagePtr message) {
  const KnownTables& tables = session_.tables_;
  const v1::RowBatch& packed = message->rows->row_batch;
  if (!tables.Knows(packed.table())) {
    return session_.End(
        Invalid("UNKNOWN_TABLE",
                absl::StrCat("message ", message->sequence, " holds rows of table number ",
                             packed.table(), ", and this stream has defined ", tables.size(),
                             " tables: define the tables of packed rows after every Started")));
  }
  const std::string name = tables.Name(packed.table());
  const size_t columns = tables.at(packed.table()).columns.size();
  ChangeBatch batch;
  absl::Status status =
      packed.column_count() <= columns
          ? RowBatchFromMessage(packed, &batch)
          : absl::DataLossError(absl::StrCat("a row has ", packed.column_count(),
                                             " columns, the table has ", columns));
  if (!status.ok()) {
    return session_.End(Invalid("MALFORMED", absl::StrCat("message ", message->sequence, ", ", name,
                                                          ": ", status.message())));
  }
  batch.encoded_bytes = message->bytes;
  batch.bytes.push_back(
      std::make_unique<MessageBytes>(std::move(message->rows), session_.stream_.pool()));
  events_.push_back(std::move(batch));
  return absl::OkStatus();
}

absl::Status PushSource::AddCheckpoint(MessagePtr message) {
  if (message->state.size() > kMaxPushStateBytes) {
    return session_.End(Invalid(
        "STATE_TOO_LARGE", absl::StrCat("the state of a PushCheckpoint has ", message->state.size(),
                                        " bytes, at most ", kMaxPushStateBytes, " are taken")));
  }
  state_ = std::move(message->state);
  checkpoint_due_ = true;
  return absl::OkStatus();
}

absl::Status PushSource::AdvanceRows() {
  const size_t begin = events_.size();
  absl::Status status = readable_.Advance(&events_);
  if (!status.ok()) {
    readable_.Drop();
    status = session_.End(
        Invalid("MALFORMED", absl::StrCat("message ", message_, ", ", status.message())));
  }
  for (size_t i = begin; i < events_.size() && status.ok(); ++i) {
    const auto* definition = std::get_if<TableDefinition>(&events_[i]);
    if (definition != nullptr) status = CheckSelected(definition->table);
  }
  if (status.ok()) return status;
  events_.clear();
  // Rows of this message may be in the open group already: it must not be covered.
  received_ = covered_;
  return status;
}

void PushSource::Acknowledge(const Acknowledgement& acknowledgement) {
  std::optional<uint64_t> sequence;
  while (!unacknowledged_.empty() && unacknowledged_.front().id <= acknowledgement.durable) {
    sequence = unacknowledged_.front().sequence;
    unacknowledged_.pop_front();
  }
  if (sequence.has_value()) session_.Acknowledge(*sequence, acknowledgement.version);
}

ChangeSourceFactory PushedSource(PushSession* session) {
  return [session]() -> absl::StatusOr<std::unique_ptr<ChangeSource>> {
    return std::make_unique<PushSource>(session);
  };
}

}  // namespace tidemark
