#include "service/control_letters.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/dead_letters.h"
#include "control/exit_code.h"
#include "service/call_error.h"
#include "service/chosen_state.h"
#include "service/control_messages.h"
#include "service/control_syncs.h"
#include "service/page_token.h"
#include "wire/call_status.h"

namespace tidemark {
namespace {

constexpr int64_t kMaxLetters = 1'000'000;

void ToMessage(const StoredDeadLetter& letter, v1::StoredLetter* message) {
  message->set_id(letter.id);
  message->set_table(MessageText(letter.letter.table));
  message->set_key_json(MessageText(letter.letter.key_json));
  message->set_change_json(MessageText(letter.letter.change_json));
  message->set_reason(MessageText(letter.letter.reason));
  message->set_code(absl::StatusCodeToString(letter.letter.code));
  message->set_context_json(MessageText(letter.letter.context_json));
  SetTime(letter.first_seen_us, message->mutable_first_seen());
  SetTime(letter.last_seen_us, message->mutable_last_seen());
  message->set_attempts(letter.attempts);
  message->set_status(letter.status);
  message->set_sync_id(MessageText(letter.sync_id));
}

// The destination of a connection, opened for reading.
absl::StatusOr<std::unique_ptr<DestinationReader>> Open(const ControlParts& parts,
                                                        const std::string& connection) {
  absl::StatusOr<ChosenState> chosen = ChooseState(parts, connection);
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<std::unique_ptr<DestinationReader>> reader = OpenReader(chosen->location.path);
  if (!reader.ok()) return EngineError(reader.status());
  return reader;
}

absl::StatusOr<StoredDeadLetter> Find(DestinationReader& reader, const std::string& connection,
                                      int64_t id) {
  absl::StatusOr<StoredDeadLetter> letter = reader.DeadLetterById(id);
  if (!letter.ok() && !absl::IsNotFound(letter.status())) {
    return EngineError(AsLocal(letter.status()));
  }
  if (letter.ok() && letter->connection == connection) return letter;
  return absl::NotFoundError(absl::StrCat("connection ", connection, " has no dead letter ", id));
}

}  // namespace

absl::Status ControlLetters::List(ControlCall& /*call*/, const v1::ListDeadLettersRequest& request,
                                  v1::ListDeadLettersResponse* response) {
  absl::StatusOr<PageRequest> page = ReadPage(request);
  if (!page.ok()) return page.status();
  absl::StatusOr<int64_t> after = NumberOf(*page);
  if (!after.ok()) return after.status();
  absl::StatusOr<std::unique_ptr<DestinationReader>> reader = Open(parts_, request.connection());
  if (absl::IsNotFound(reader.status()) && parts_.connections->Get(request.connection()).ok()) {
    return absl::OkStatus();  // nothing was synced yet, so that there is no database
  }
  if (!reader.ok()) return reader.status();
  absl::StatusOr<std::vector<StoredDeadLetter>> letters =
      (*reader)->DeadLetters(request.connection(), kMaxLetters);
  if (!letters.ok()) return EngineError(AsLocal(letters.status()));
  std::sort(letters->begin(), letters->end(),
            [](const StoredDeadLetter& a, const StoredDeadLetter& b) { return a.id < b.id; });
  for (const StoredDeadLetter& letter : *letters) {
    if (letter.id <= *after) continue;
    if (!request.table().empty() && letter.letter.table != request.table()) continue;
    if (!request.status().empty() && letter.status != request.status()) continue;
    if (static_cast<size_t>(response->letters_size()) == page->size) {
      const int64_t last = response->letters(response->letters_size() - 1).id();
      response->set_next_page_token(PageToken(request, absl::StrCat(last)));
      break;
    }
    ToMessage(letter, response->add_letters());
  }
  return absl::OkStatus();
}

absl::Status ControlLetters::Get(ControlCall& /*call*/, const v1::GetDeadLetterRequest& request,
                                 v1::StoredLetter* response) {
  absl::StatusOr<std::unique_ptr<DestinationReader>> reader = Open(parts_, request.connection());
  if (!reader.ok()) return reader.status();
  absl::StatusOr<StoredDeadLetter> letter = Find(**reader, request.connection(), request.id());
  if (!letter.ok()) return letter.status();
  ToMessage(*letter, response);
  return absl::OkStatus();
}

absl::Status ControlLetters::Edit(ControlCall& /*call*/, const v1::EditDeadLetterRequest& request,
                                  v1::StoredLetter* response) {
  absl::StatusOr<std::unique_ptr<DestinationReader>> reader = Open(parts_, request.connection());
  if (!reader.ok()) return reader.status();
  absl::StatusOr<StoredDeadLetter> letter = Find(**reader, request.connection(), request.id());
  if (!letter.ok()) return letter.status();
  if (absl::Status edited = EditLetter(**reader, request.id(), request.change_json());
      !edited.ok()) {
    return IsUsage(edited) ? WithField(absl::InvalidArgumentError(edited.message()), "change_json")
                           : EngineError(AsLocal(edited));
  }
  letter = Find(**reader, request.connection(), request.id());
  if (!letter.ok()) return letter.status();
  ToMessage(*letter, response);
  return absl::OkStatus();
}

absl::Status ControlLetters::Discard(ControlCall& /*call*/,
                                     const v1::DiscardDeadLettersRequest& request,
                                     v1::DiscardDeadLettersResponse* response) {
  if (request.ids().empty()) return BadField("ids", "name at least one dead letter");
  absl::StatusOr<std::unique_ptr<DestinationReader>> reader = Open(parts_, request.connection());
  if (!reader.ok()) return reader.status();
  // All are looked at before the first is changed.
  for (const int64_t id : request.ids()) {
    if (absl::StatusOr<StoredDeadLetter> letter = Find(**reader, request.connection(), id);
        !letter.ok()) {
      return letter.status();
    }
  }
  for (const int64_t id : request.ids()) {
    if (absl::Status marked = (*reader)->MarkDeadLetter(id, "discarded"); !marked.ok()) {
      return EngineError(AsLocal(marked));
    }
    response->set_discarded(response->discarded() + 1);
  }
  return absl::OkStatus();
}

absl::Status ControlLetters::Replay(ControlCall& call, const v1::ReplayDeadLettersRequest& request,
                                    v1::ReplayDeadLettersResponse* response) {
  const std::vector<int64_t> ids(request.ids().begin(), request.ids().end());
  if (!ids.empty()) {
    absl::StatusOr<std::unique_ptr<DestinationReader>> reader = Open(parts_, request.connection());
    if (!reader.ok()) return reader.status();
    for (const int64_t id : ids) {
      if (absl::StatusOr<StoredDeadLetter> letter = Find(**reader, request.connection(), id);
          !letter.ok()) {
        return letter.status();
      }
    }
  }
  SyncRequest start;
  start.connection = request.connection();
  start.trigger = SyncTrigger::kReplay;
  start.started_by = call.admitted.principal.name;
  absl::Status failed;
  absl::StatusOr<SyncEntry> sync = parts_.runner->RunOwn(
      start, "", [&](const SyncRunner::OwnSync& own) -> absl::StatusOr<SyncOutcome> {
        absl::StatusOr<ReplayedLetters> result =
            ReplayLetters(*own.engine, ids, own.progress, own.interrupt);
        if (!result.ok()) {
          failed = result.status();
          return result.status();
        }
        for (const int64_t id : result->replayed) response->add_replayed(id);
        for (const int64_t id : result->failed) response->add_failed(id);
        for (const ReplayedLetters::Refused& refused : result->refused) {
          v1::ReplayDeadLettersResponse::Refused* out = response->add_refused();
          out->set_id(refused.id);
          out->set_reason(StatusText(parts_.redactor->Apply(refused.reason)));
        }
        return std::move(result->outcome);
      });
  if (!failed.ok()) return EngineError(failed);
  if (!sync.ok()) return SyncError(sync.status());
  ToMessage(*sync, response->mutable_sync());
  if (absl::StatusOr<std::string> report = parts_.syncs->Report(sync->sync_id); report.ok()) {
    response->set_report_json(*std::move(report));
  }
  return absl::OkStatus();
}

absl::Status ControlLetters::ListConflicts(ControlCall& /*call*/,
                                           const v1::ListConflictsRequest& request,
                                           v1::ListConflictsResponse* response) {
  if (absl::StatusOr<PageRequest> page = ReadPage(request); !page.ok()) return page.status();
  if (absl::StatusOr<ConnectionEntry> entry = parts_.connections->Get(request.connection());
      !entry.ok()) {
    return entry.status();
  }
  response->set_detection("off");
  return absl::OkStatus();
}

}  // namespace tidemark
