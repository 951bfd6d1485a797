#include "control/state_operations.h"

#include <unistd.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "control/exit_code.h"
#include "control/state_backups.h"
#include "core/digest.h"
#include "state/state_migration.h"

namespace tidemark {
namespace {

constexpr size_t kShownHash = 12;

std::string ShortHash(absl::string_view body) {
  return Hex(Blake2b256(body)).substr(0, kShownHash);
}

// "table users: version 7 (kind rollback) with the state of version 3; body 12ab.. -> 34cd..".
AuditRecord Audit(const std::string& action, const StateMove& move, const MoveStamp& stamp) {
  AuditRecord record;
  record.at_us = stamp.now_us;
  record.action = action;
  record.entry = move.head.entry;
  record.by = HolderText(absl::StrCat("tidemark state ", action));
  std::string what;
  if (move.kind == StateKind::kRollback) {
    what = absl::StrCat("with the state of version ", move.to.version);
  } else if (move.kind == StateKind::kReset) {
    what = "with the empty state";
  } else if (move.kind == StateKind::kMigrate) {
    what = absl::StrCat("of format ", move.to.format, ", before ", move.from.format);
  } else {
    what = "with a state from a file";
  }
  record.detail = absl::StrCat(EntryLabel(move.head.entry), ": version ", move.head.version + 1,
                               " follows version ", move.head.version, ", kind ",
                               StateKindName(move.kind), ", ", what, "; body ",
                               ShortHash(move.from.body), " -> ", ShortHash(move.to.body));
  return record;
}

using Moves = absl::StatusOr<std::vector<StateMove>>;

Moves Planned(Moves moves) {
  if (!moves.ok()) return AsLocal(moves.status());
  return moves;
}

StateMove ImportMove(const StateEntry& entry) {
  StateMove move;
  move.head.entry = EntryName(entry);
  move.head.schema = entry.schema;
  move.head.table = entry.table;
  move.kind = StateKind::kImport;
  move.to.entry = move.head.entry;
  move.to.body = entry.body;
  move.to.cursor = entry.cursor;
  move.to.format = entry.format;
  move.to.watermark_us = entry.watermark_us;
  return move;
}

}  // namespace

absl::StatusOr<SourceAnswer> AskSource(Engine& engine, absl::Span<const StateMove> moves) {
  SourceAnswer answer;
  answer.connector = engine.description().id;
  answer.can_rewind = (engine.description().capabilities & kCanRewind) != 0;
  std::vector<StateEntry> states;
  for (const StateMove& move : moves) {
    StateEntry target = move.Target();
    // The pipeline gives the source no empty states either.
    if (!target.body.empty() || !target.cursor.empty()) states.push_back(std::move(target));
  }
  if (states.empty()) return answer;
  absl::StatusOr<std::unique_ptr<ChangeSource>> source = engine.OpenSource();
  if (!source.ok()) return source.status();
  answer.resumes = (*source)->ValidateState(states);
  if (IsTransportFailure(answer.resumes)) return answer.resumes;
  if (absl::IsUnimplemented(answer.resumes)) answer.resumes = absl::OkStatus();
  return answer;
}

absl::Status CheckAnswer(const SourceAnswer& answer) {
  if (!answer.can_rewind) {
    return absl::FailedPreconditionError(
        absl::StrCat("connector ", answer.connector,
                     " cannot go back: it does not say that its source can be read again from an "
                     "earlier state (CAN_REWIND); nothing was changed. `tidemark state reset` "
                     "reads everything from the beginning"));
  }
  if (answer.resumes.ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("connector ", answer.connector,
                   " cannot resume there: ", answer.resumes.message(), "; nothing was changed"));
}

Moves PlanStateRollback(const StateLocation& location, const HistoryPoint& to,
                        const std::optional<std::string>& entry) {
  auto state = StoredState::OpenForReading(location);
  if (!state.ok()) return state.status();
  return Planned(PlanRollback((*state)->store(), to, entry, absl::ToUnixMicros(Clock::Real().Now()),
                              RollbackHorizon()));
}

Moves PlanStateReset(const StateLocation& location, const std::optional<std::string>& entry) {
  auto state = StoredState::OpenForReading(location);
  if (!state.ok()) return state.status();
  return Planned(PlanReset((*state)->store(), entry));
}

Moves PlanStateImport(const StateLocation& location, const std::vector<StateEntry>& entries) {
  std::vector<StateMove> current;
  if (access(location.path.c_str(), F_OK) == 0) {
    auto state = StoredState::OpenForReading(location);
    if (!state.ok()) return state.status();
    Moves all = PlanReset((*state)->store(), std::nullopt);
    if (!all.ok() && !absl::IsNotFound(all.status())) return AsLocal(all.status());
    if (all.ok()) current = *std::move(all);
  }
  std::vector<StateMove> moves;
  for (const StateEntry& entry : entries) {
    StateMove move = ImportMove(entry);
    for (StateMove& known : current) {
      if (known.head.entry != move.head.entry) continue;
      move.head = known.head;
      move.from = known.from;
      move.moves = move.from.body != move.to.body || move.from.cursor != move.to.cursor ||
                   move.from.format != move.to.format;
    }
    moves.push_back(std::move(move));
  }
  return moves;
}

Moves PlanStateMigration(const StateLocation& location, const ConnectorDescription& connector) {
  auto state = StoredState::OpenForReading(location);
  if (!state.ok()) return state.status();
  return Planned(PlanMigration((*state)->store(), StateMigrations::Released(), connector.id,
                               connector.state_format));
}

absl::StatusOr<StateWritten> ApplyMoves(const StateLocation& location, const std::string& action,
                                        absl::Span<const StateMove> moves) {
  if (action == "migrate") {
    absl::StatusOr<std::string> backup = BackUpState(location, BackupFolderOf(location));
    if (!backup.ok()) return backup.status();
  }
  StateWriteOptions options;
  options.action = action;
  options.create = action == "import";
  auto state = StoredState::OpenForWriting(location, options);
  if (!state.ok()) return state.status();
  MoveStamp stamp = (*state)->stamp();
  stamp.sync_id = absl::StrCat(action, "_", stamp.group_id.substr(0, 16));
  StateChangeSet change;
  change.appends = MakeMoves(moves, stamp);
  StateWritten written;
  for (const StateMove& move : moves) {
    written.entries.push_back({move.head.entry, move.head.version + (move.moves ? 1 : 0)});
    if (move.moves) change.audit.push_back(Audit(action, move, stamp));
  }
  absl::StatusOr<std::string> warning = (*state)->Append(change);
  if (!warning.ok()) return warning.status();
  written.warning = *std::move(warning);
  return written;
}

}  // namespace tidemark
