#include "service/ingest_answers.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "control/connector_target.h"
#include "core/status_context.h"
#include "service/call_error.h"
#include "service/sync_runner.h"
#include "tidemark/v1/ingest.pb.h"

namespace tidemark {
namespace {

constexpr size_t kMaxProducerBytes = 64;

bool IsProducerName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxProducerBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' ||
                  c == '.';
         });
}

// The destination refused; the client tries again where that may help.
absl::Status AnswerOfDestination(const absl::Status& error) {
  if (IsHeldElsewhere(error)) {
    return WithReason(absl::UnavailableError(error.message()), "HELD_ELSEWHERE");
  }
  if (absl::StrContains(error.message(), "FENCED")) {
    return WithReason(absl::AbortedError(error.message()), "FENCED");
  }
  if (IsTransient(error)) {
    return WithReason(absl::UnavailableError(absl::StrCat(
                          error.message(), "; what was acknowledged is kept, go on from there")),
                      "DESTINATION_UNAVAILABLE");
  }
  if (absl::StrContains(error.message(), "max_dead_letters")) {
    return WithReason(error, "TOO_MANY_DEAD_LETTERS");
  }
  return EngineError(error);
}

}  // namespace

absl::Status CheckFirst(const PushMessage& first) {
  switch (first.kind) {
    case PushMessage::Kind::kStart:
      break;
    case PushMessage::Kind::kMalformed:
      return WithReason(absl::InvalidArgumentError(absl::StrCat("the first message, ", first.bytes,
                                                                " bytes, is no PushRequest")),
                        "MALFORMED");
    case PushMessage::Kind::kTooLarge:
      return WithReason(absl::InvalidArgumentError(first.problem), "TOO_LARGE");
    case PushMessage::Kind::kUnknown:
      return WithReason(absl::InvalidArgumentError(first.problem), "UNKNOWN_FIELD");
    default:
      return WithReason(absl::InvalidArgumentError("the first message of a stream is a PushStart"),
                        "START_EXPECTED");
  }
  if (first.start.connection.empty()) return BadField("start.connection", "names no connection");
  if (!IsProducerName(first.start.producer)) {
    return WithReason(BadField("start.producer",
                               "a producer's name has 1 to 64 of the characters "
                               "A-Z a-z 0-9 _ - ."),
                      "BAD_PRODUCER");
  }
  if (!v1::CheckpointMode_IsValid(first.start.checkpoints)) {
    return WithReason(
        BadField("start.checkpoints", absl::StrCat(first.start.checkpoints,
                                                   " is no CheckpointMode that this server knows")),
        "UNKNOWN_VALUE");
  }
  return absl::OkStatus();
}

absl::Status CheckPushed(const ConnectionEntry& connection) {
  const std::string name = absl::StrCat("connection \"", connection.name, "\"");
  if (!connection.usable) {
    return WithReason(
        absl::FailedPreconditionError(absl::StrCat(name, " is not valid: ", connection.problem)),
        "INVALID_CONNECTION");
  }
  if (connection.connector != kPushedConnector) {
    return WithReason(
        absl::FailedPreconditionError(absl::StrCat(
            name, " is read by the connector ", connection.connector,
            "; programs push into connections whose sync.source.connector is ", kPushedConnector)),
        "NOT_INGEST");
  }
  if (connection.paused) {
    return WithReason(absl::FailedPreconditionError(
                          absl::StrCat(name, " is paused; what was acknowledged is kept")),
                      "CONNECTION_PAUSED");
  }
  return absl::OkStatus();
}

absl::Status Fenced() {
  return WithReason(absl::AbortedError("another stream of this producer has begun; what was "
                                       "acknowledged here is kept"),
                    "FENCED");
}

absl::Status ShuttingDown() {
  return WithReason(absl::UnavailableError("the server stops; what was acknowledged is kept, go on "
                                           "from there when it is back"),
                    "SHUTTING_DOWN");
}

absl::Status StreamStopped() {
  return WithReason(absl::AbortedError("the stream was stopped on the server; what was "
                                       "acknowledged is kept"),
                    "STOPPED");
}

absl::Status AnswerOf(const IngestEnd& end, const PushSession* session) {
  if (session != nullptr && !session->verdict().status.ok()) {
    const PushVerdict& verdict = session->verdict();
    ErrorFacts facts;
    if (!verdict.fact.empty()) facts.emplace_back(verdict.fact, verdict.value);
    return WithReason(verdict.status, verdict.reason, facts);
  }
  // A client that is gone is not told.
  if (session != nullptr && session->cut()) return absl::CancelledError("the client is gone");
  if (!end.error.ok() && !end.interrupted) {
    return end.of_destination ? AnswerOfDestination(end.error) : EngineError(end.error);
  }
  if (!end.ended_by.ok()) return end.ended_by;
  if (end.interrupted) return StreamStopped();
  if (!end.begun.ok()) return AnswerOfDestination(end.begun);
  if (IsHeldElsewhere(end.refused)) return AnswerOfDestination(end.refused);
  if (BusySync(end.refused).has_value()) return WithReason(end.refused, "CONNECTION_BUSY");
  return end.refused;
}

}  // namespace tidemark
