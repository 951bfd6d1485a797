#include "state/rollback.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "state/next_version.h"

namespace tidemark {
namespace {

// The version with its body, checked against its hash.
absl::StatusOr<StateVersion> ReadBody(StateStore& store, const std::string& entry,
                                      int64_t version) {
  VersionQuery query;
  query.entry = entry;
  query.first = version;
  query.limit = 1;
  StateVersion found;
  absl::Status status = store.ReadVersions(query, [&found](StoredVersion& stored) {
    if (stored.readable.ok()) found = std::move(stored.version);
    return stored.readable;
  });
  if (!status.ok()) return status;
  if (found.version != version || Blake2b256(found.body) != found.body_hash) {
    return absl::DataLossError(
        absl::StrCat("version ", version, " of ", EntryLabel(entry), " in ", store.Describe(),
                     " is damaged: its body does not fit its hash; `tidemark state validate` says "
                     "more, `tidemark state repair` mends"));
  }
  return found;
}

bool SameState(const StateVersion& a, const StateVersion& b) {
  return a.body == b.body && a.cursor == b.cursor && a.format == b.format &&
         a.watermark_us == b.watermark_us;
}

absl::Status CheckHead(const EntryHistory& history) {
  const bool whole = !history.versions.empty() && history.head.version > 0 &&
                     history.versions.back().version == history.head.version;
  if (whole) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the state of ", EntryLabel(history.head.entry), " is damaged: it stands at version ",
      history.head.version, " and its history ends at ",
      history.versions.empty() ? 0 : history.versions.back().version,
      "; `tidemark state repair` mends"));
}

absl::StatusOr<StateMove> PlanMove(StateStore& store, const EntryHistory& history,
                                   const StateVersion* to) {
  if (absl::Status status = CheckHead(history); !status.ok()) return status;
  StateMove move;
  move.head = history.head;
  absl::StatusOr<StateVersion> from = ReadBody(store, history.head.entry, history.head.version);
  if (!from.ok()) return from.status();
  move.from = *std::move(from);
  if (to == nullptr) {
    move.kind = StateKind::kReset;
    move.to.connection = move.from.connection;
    move.to.entry = move.from.entry;
  } else {
    absl::StatusOr<StateVersion> target = ReadBody(store, history.head.entry, to->version);
    if (!target.ok()) return target.status();
    move.to = *std::move(target);
  }
  move.moves = !SameState(move.from, move.to);
  for (const StateVersion& version : history.versions) {
    if (version.version <= move.to.version) continue;
    ++move.versions_back;
    move.changes += version.counts.Sum();
  }
  return move;
}

}  // namespace

StateEntry StateMove::Target() const {
  StateEntry entry;
  entry.schema = head.schema;
  entry.table = head.table;
  entry.body = to.body;
  entry.cursor = to.cursor;
  entry.format = to.format;
  entry.kind = static_cast<uint32_t>(kind);
  entry.version = static_cast<uint64_t>(head.version) + 1;
  entry.watermark_us = to.watermark_us;
  return entry;
}

absl::StatusOr<std::vector<StateMove>> PlanRollback(StateStore& store, const HistoryPoint& to,
                                                    const std::optional<std::string>& entry,
                                                    int64_t now_us,
                                                    const RollbackHorizon& horizon) {
  absl::StatusOr<std::vector<EntryHistory>> histories = ReadHistories(store, entry);
  if (!histories.ok()) return histories.status();
  absl::StatusOr<std::vector<const StateVersion*>> targets = FindPoint(*histories, to);
  if (!targets.ok()) return targets.status();
  std::vector<StateMove> moves;
  for (size_t i = 0; i < histories->size(); ++i) {
    const EntryHistory& history = (*histories)[i];
    absl::StatusOr<StateMove> move = PlanMove(store, history, (*targets)[i]);
    if (!move.ok()) return move.status();
    // Invariant I2: the source was told at most the newest version outside the horizon.
    move->releasable = NewestReleasable(history.versions, now_us, horizon);
    move->inside_horizon = !move->moves || move->to.version >= move->releasable;
    moves.push_back(*std::move(move));
  }
  return moves;
}

absl::StatusOr<std::vector<StateMove>> PlanReset(StateStore& store,
                                                 const std::optional<std::string>& entry) {
  absl::StatusOr<std::vector<EntryHistory>> histories = ReadHistories(store, entry);
  if (!histories.ok()) return histories.status();
  std::vector<StateMove> moves;
  for (const EntryHistory& history : *histories) {
    absl::StatusOr<StateMove> move = PlanMove(store, history, nullptr);
    if (!move.ok()) return move.status();
    moves.push_back(*std::move(move));
  }
  return moves;
}

absl::Status CheckHorizon(absl::Span<const StateMove> moves) {
  std::string beyond;
  for (const StateMove& move : moves) {
    if (move.inside_horizon) continue;
    absl::StrAppend(
        &beyond, beyond.empty() ? "" : "; ", EntryLabel(move.head.entry), " to ",
        move.to.version == 0 ? "its beginning" : absl::StrCat("version ", move.to.version),
        ", the oldest one allowed is ", move.releasable);
  }
  if (beyond.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "beyond the rollback horizon (", beyond,
      "): the source was told that it may forget what lies before that version (its log, its "
      "change table), so the next sync could miss changes without noticing. Nothing was changed. "
      "`tidemark state reset` reads everything again; where the source keeps all its rows, "
      "`tidemark state export --version` and `tidemark state import` set an older state"));
}

std::vector<VersionAppend> MakeMoves(absl::Span<const StateMove> moves, const MoveStamp& stamp) {
  std::vector<VersionAppend> appends;
  for (const StateMove& move : moves) {
    if (!move.moves) continue;
    NextVersion next;
    next.kind = move.kind;
    next.state = move.Target();
    next.parent = move.to.version;
    next.epoch = stamp.epoch;
    next.now_us = stamp.now_us;
    next.sync_id = stamp.sync_id;
    next.group_id = stamp.group_id;
    next.engine = stamp.engine;
    appends.push_back(AppendAfter(stamp.connection, move.head, next));
  }
  return appends;
}

}  // namespace tidemark
