#include "tests/simulation/simulated_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status_context.h"
#include "tests/simulation/replay.h"

namespace tidemark {
namespace {

// Rows read beside the log need tombstones: soft deletes.
bool KeepsTombstones(uint32_t table) { return table == kItem || table == kSeen; }

}  // namespace

absl::StatusOr<ConnectorDescription> SimulatedSource::Describe() {
  ConnectorDescription description;
  description.id = "simulated";
  if (habits_.table_states) description.capabilities |= kCanTableState;
  if (habits_.transactions) description.capabilities |= kSourceTransactions;
  return description;
}

absl::StatusOr<std::vector<TableSchema>> SimulatedSource::Schema() {
  if (world_.dice.Chance(habits_.no_start)) {
    ++world_.database.faults;
    return absl::UnavailableError("the source does not answer");
  }
  return SimulatedTables();
}

std::string SimulatedSource::EntryOf(uint32_t table) const {
  return habits_.table_states ? world_.database.model().tables()[table].name : "";
}

absl::Status SimulatedSource::Start(const UpdateStart& start) {
  std::map<std::string, uint64_t> positions;
  for (const StateEntry& state : start.states) {
    positions[EntryName(state)] = DurableBook::PositionOf(state.body);
  }
  for (uint32_t table = 0; table < kSimulatedTables; ++table) {
    Reading& reading = readings_[table];
    const std::string entry = EntryOf(table);
    const auto known = positions.find(entry);
    const bool fresh = known == positions.end();
    reading.at = reading.claimed = fresh ? 0 : known->second;
    world_.trace.Add(absl::StrCat("start ", table, " at ", reading.at, fresh ? " fresh" : ""));
    const bool reaches = world_.database.Reaches(entry, reading.at);
    if (!reaches && !fresh) {
      world_.database.violations.push_back(absl::StrCat("Invariant I2: \"", entry,
                                                        "\" is to go on from ", reading.at,
                                                        ", which the source was told to forget"));
    }
    // From its beginning once more: the rows as they are, not the log.
    const std::set<uint32_t>& loading = world_.database.loading;
    const bool again = (fresh && world_.durable.Position(entry) > 0) ||
                       (habits_.table_states ? loading.count(table) != 0 : !loading.empty());
    if (!reaches || again) {
      loads_.push_back(table);
      continue;
    }
    auto& unsettled = world_.database.unsettled[table];
    if (reading.at > unsettled.to) unsettled = {};
    reading.at = std::min(reading.at, unsettled.from);
  }
  if (!loads_.empty()) ++world_.database.full_loads;
  load_head_ = world_.database.head();
  if (loads_.empty() && world_.dice.Chance(10 * habits_.reread)) GoBack();
  return absl::OkStatus();
}

absl::StatusOr<std::optional<SourceEvent>> SimulatedSource::Next(absl::Time deadline) {
  while (true) {
    if (!breaks_with_.ok()) return breaks_with_;
    if (waits_ > absl::ZeroDuration()) {
      const absl::Duration left = deadline - world_.clock.Now();
      if (left < waits_) {
        if (left > absl::ZeroDuration()) {
          world_.clock.Advance(left);
          waits_ -= left;
        }
        return std::nullopt;
      }
      world_.clock.Advance(std::exchange(waits_, absl::ZeroDuration()));
    }
    if (!queue_.empty()) {
      std::optional<SourceEvent> next = std::move(queue_.front());
      queue_.pop_front();
      return next;
    }
    if (std::optional<SourceEvent> fault = Fault(); fault.has_value()) return fault;
    if (!breaks_with_.ok()) continue;
    if (std::optional<SourceEvent> beside = Beside(); beside.has_value()) return beside;
    if (waits_ > absl::ZeroDuration()) continue;
    if (!loads_.empty()) return std::optional<SourceEvent>(FullLoad());
    if (world_.dice.Chance(habits_.checkpoint)) {
      if (auto checkpoint = MakeCheckpoint(false); checkpoint.has_value()) return checkpoint;
    }
    if (const auto table = TableToRead(); table.has_value()) {
      return std::optional<SourceEvent>(NextBatch(*table));
    }
    QueueEnd();
  }
}

void SimulatedSource::Break(absl::Status status) {
  ++world_.database.faults;
  world_.trace.Add(absl::StrCat("source breaks: ", status.message()));
  breaks_with_ = AsTransportFailure(std::move(status));
}

SourceEvent SimulatedSource::FailWith(absl::Status status) {
  ++world_.database.faults;
  world_.trace.Add(absl::StrCat("source fails: ", status.message()));
  breaks_with_ = absl::InternalError("asked for more after its end");
  return SourceEvent(Finished{std::move(status), {}});
}

std::optional<SourceEvent> SimulatedSource::Fault() {
  Dice& dice = world_.dice;
  if (dice.Chance(habits_.transient)) return FailWith(absl::UnavailableError("the source is busy"));
  if (dice.Chance(habits_.asked_wait)) {
    const auto wait = absl::Seconds(dice.PickInt(100));
    return FailWith(WithRetryAfter(absl::ResourceExhaustedError("too many requests"), wait));
  }
  if (dice.Chance(habits_.crash)) {
    Break(absl::AbortedError("the connector's process died"));
  } else if (dice.Chance(habits_.stall)) {
    world_.clock.Advance(absl::Minutes(5));
    Break(absl::DeadlineExceededError("the connector says nothing"));
  } else if (dice.Chance(habits_.broken)) {
    Break(absl::DataLossError("the connector's message is malformed"));
  }
  return std::nullopt;
}

std::optional<SourceEvent> SimulatedSource::Beside() {
  Dice& dice = world_.dice;
  if (dice.Chance(habits_.small_wait)) waits_ = absl::Milliseconds(1 + dice.PickInt(300));
  if (dice.Chance(habits_.long_wait)) waits_ = absl::Seconds(61 + dice.PickInt(20));
  if (dice.Chance(habits_.jump)) world_.clock.Advance(absl::Hours(1 + dice.PickInt(7 * 24)));
  if (dice.Chance(habits_.grow)) world_.database.Grow(1 + dice.Pick(5));
  if (loads_.empty() && dice.Chance(habits_.reread)) GoBack();
  if (dice.Chance(habits_.flush)) return SourceEvent(FlushRequest());
  if (dice.Chance(habits_.talk)) return Talk();
  if (dice.Chance(habits_.snapshot)) return SnapshotRow();
  if (dice.Chance(habits_.own_letter)) {
    SourceDeadLetter letter;
    const auto table = static_cast<uint32_t>(dice.Pick(kSimulatedTables));
    letter.table = readings_[table].done ? kNoTable : table;
    letter.letter.change_json = absl::StrCat("{\"page\":", ++world_.database.own_letters, "}");
    letter.letter.reason = "the page cannot be read";
    return SourceEvent(std::move(letter));
  }
  return std::nullopt;
}

std::optional<SourceEvent> SimulatedSource::Talk() {
  switch (world_.dice.Pick(3)) {
    case 0:
      return SourceEvent(SourceLog{1, "a line"});
    case 1:
      return SourceEvent(SourceWarning{kNoTable, "a warning"});
    default: {
      SourceProgress progress;
      progress.phase = "reading";
      return SourceEvent(progress);
    }
  }
}

// Takes a row as it is now, or sends one that it took before. Not a row that changed its key since,
// of which the destination keeps no tombstone; nor one whose key another row still has to leave in
// the log, which would then take its values along.
std::optional<SourceEvent> SimulatedSource::SnapshotRow() {
  Dice& dice = world_.dice;
  ReferenceModel& model = world_.database.model();
  if (snapshots_.empty() || dice.Chance(500)) {
    const uint32_t table = dice.Chance(500) ? kItem : kSeen;
    const ModelRows& rows = model.Newest(table);
    if (rows.empty()) return std::nullopt;
    const auto row = std::next(rows.begin(), static_cast<std::ptrdiff_t>(dice.Pick(rows.size())));
    const auto& log = model.changes(table);
    for (auto i = log.upper_bound(readings_[table].at); i != log.end(); ++i) {
      const auto& before = i->second.before;
      if (before.has_value() && model.KeyOf(table, *before) == row->first) return std::nullopt;
    }
    snapshots_.push_back({table, row->first, row->second.cells});
    uint64_t& sent = world_.database.sent[table];
    sent = std::max(sent, world_.database.head());
    return std::nullopt;
  }
  const size_t index = dice.Pick(snapshots_.size());
  const Snapshot snapshot = snapshots_[index];
  snapshots_.erase(snapshots_.begin() + static_cast<std::ptrdiff_t>(index));
  Reading& reading = readings_[snapshot.table];
  if (reading.done) return std::nullopt;
  world_.trace.Add(absl::StrCat("snapshot of ", snapshot.table, " ", snapshot.key));
  Rows rows(snapshot.table, static_cast<uint32_t>(snapshot.row.size()));
  rows.Add(ChangeKind::kSnapshot, snapshot.row);
  ++reading.rows;
  ++reading.since;
  return SourceEvent(std::move(rows).Take());
}

void SimulatedSource::NoteSent(const SourceChange& change) {
  Reading& reading = readings_[change.table];
  reading.at = change.stamp;
  reading.claimed = std::max(reading.claimed, reading.at);
  ++reading.rows;
  ++reading.since;
  uint64_t& sent = world_.database.sent[change.table];
  sent = std::max(sent, change.stamp);
  const bool moves = change.before.has_value() || change.kind == ChangeKind::kTruncate;
  if (!moves || !KeepsTombstones(change.table)) return;
  const std::vector<std::string> keys = world_.database.model().KeysOf(change);
  std::erase_if(snapshots_, [&](const Snapshot& snapshot) {
    if (snapshot.table != change.table) return false;
    return keys.empty() || std::find(keys.begin(), keys.end(), snapshot.key) != keys.end();
  });
}

SourceEvent SimulatedSource::NextBatch(uint32_t table) {
  ReferenceModel& model = world_.database.model();
  Rows rows(table, static_cast<uint32_t>(model.tables()[table].columns.size()));
  const uint64_t most = 1 + world_.dice.Pick(habits_.batch_rows);
  std::string line = absl::StrCat("batch of ", table, ":");
  for (uint64_t n = 0; n < most && TableToRead() == table; ++n) {
    const SourceChange& change = *NextChange(table);
    rows.Add(change.kind, change.row);
    if (change.before.has_value()) rows.Before(*change.before);
    if (habits_.stamps) rows.Stamp(change.stamp);
    NoteSent(change);
    absl::StrAppend(&line, " ", change.stamp, ":", static_cast<int>(change.kind), "(",
                    absl::StrJoin(model.KeysOf(change), "<-"), ")");
  }
  world_.trace.Add(line);
  return SourceEvent(std::move(rows).Take());
}

// The table as it is, beside its log's head: what it may not read from its log any more.
SourceEvent SimulatedSource::FullLoad() {
  const uint32_t table = loads_.front();
  loads_.pop_front();
  ReferenceModel& model = world_.database.model();
  Rows rows(table, static_cast<uint32_t>(model.tables()[table].columns.size()));
  rows.Truncate();
  const ModelRows live = model.At(table, load_head_);
  for (const auto& [key, row] : live) rows.Upsert(row.cells);
  Reading& reading = readings_[table];
  reading.rows += live.size() + 1;
  reading.since += live.size() + 1;
  reading.at = reading.claimed = load_head_;
  reading.back_at = checkpoint_;
  world_.database.loading.insert(table);
  uint64_t& sent = world_.database.sent[table];
  sent = std::max(sent, load_head_);
  world_.trace.Add(absl::StrCat("full load of ", table, ": ", live.size()));
  return SourceEvent(std::move(rows).Take());
}

const SourceChange* SimulatedSource::NextChange(uint32_t table) const {
  const auto& log = world_.database.model().changes(table);
  const auto next = log.upper_bound(readings_[table].at);
  return next == log.end() ? nullptr : &next->second;
}

uint64_t SimulatedSource::Upto(uint32_t table) const {
  const SourceChange* next = NextChange(table);
  return next == nullptr ? world_.database.head() : next->stamp - 1;
}

bool SimulatedSource::Rereads(uint32_t table) const {
  const SourceChange* next = NextChange(table);
  return next != nullptr && next->stamp <= readings_[table].claimed;
}

std::optional<uint32_t> SimulatedSource::TableToRead() const {
  std::optional<uint32_t> first;
  uint64_t stamp = 0;
  for (uint32_t table = 0; table < kSimulatedTables; ++table) {
    const SourceChange* next = NextChange(table);
    if (next == nullptr || readings_[table].done) continue;
    if (habits_.table_by_table) return table;
    if (first.has_value() && stamp < next->stamp) continue;
    first = table;
    stamp = next->stamp;
  }
  return first;
}

void SimulatedSource::GoBack() {
  const auto table = static_cast<uint32_t>(world_.dice.Pick(kSimulatedTables));
  const uint64_t far = 1 + world_.dice.Pick(40);
  const uint64_t at = readings_[table].at;
  const uint64_t from = at > far ? at - far : 0;
  if (habits_.table_states) {
    GoBack(table, from);
    return;
  }
  for (uint32_t each = 0; each < kSimulatedTables; ++each) GoBack(each, from);
}

bool SimulatedSource::GoBack(uint32_t table, uint64_t from) {
  Reading& reading = readings_[table];
  auto& unsettled = world_.database.unsettled[table];
  if (from >= reading.at || reading.done) return false;
  if (!world_.database.Reaches(EntryOf(table), from)) return false;
  // Snapshot rows count with the changes that they are ahead of: see SnapshotRow().
  std::vector<const SourceChange*> piece;
  const auto& log = world_.database.model().changes(table);
  const auto sent = log.upper_bound(std::max(reading.claimed, world_.database.sent[table]));
  for (auto i = log.upper_bound(std::min(from, unsettled.from)); i != sent; ++i) {
    piece.push_back(&i->second);
  }
  std::vector<const SourceChange*> following;
  for (auto i = sent; i != log.end(); ++i) following.push_back(&i->second);
  if (!MayComeAgain(world_.database.model(), piece, following, habits_.stamps)) return false;
  world_.trace.Add(absl::StrCat("back in ", table, " from ", reading.at, " to ", from));
  reading.at = from;
  reading.back_at = checkpoint_;
  unsettled.from = std::min(unsettled.from, from);
  const auto end = log.upper_bound(reading.claimed);
  // A state may say more than what was sent last: that nothing stands behind it.
  unsettled.to = std::max(unsettled.to, end == log.end() ? world_.database.head() : end->first - 1);
  return true;
}

std::optional<SourceEvent> SimulatedSource::MakeCheckpoint(bool all) {
  std::map<std::string, uint64_t> positions;
  for (uint32_t table = 0; table < kSimulatedTables; ++table) {
    // Nothing may be said while something is read again: older values stand there meanwhile.
    if (habits_.table_states && (Rereads(table) || (!all && world_.dice.Chance(400)))) continue;
    if (!habits_.table_states && Rereads(table)) return std::nullopt;
    const auto known = positions.emplace(EntryOf(table), Upto(table)).first;
    known->second = std::min(known->second, Upto(table));
  }
  if (positions.empty()) return std::nullopt;
  Checkpoint checkpoint;
  checkpoint.id = ++checkpoint_;
  std::string line = absl::StrCat("checkpoint ", checkpoint.id, ":");
  for (const auto& [entry, position] : positions) {
    StateEntry& state = checkpoint.states.emplace_back();
    state.table = entry;
    state.body = state.cursor = absl::StrCat(position);
    absl::StrAppend(&line, " ", entry, "=", position);
  }
  said_[checkpoint.id] = std::move(positions);
  for (uint32_t table = 0; table < kSimulatedTables; ++table) {
    const uint64_t rows = std::exchange(readings_[table].since, 0);
    if (habits_.counts) checkpoint.rows_since_last.push_back({table, rows});
  }
  world_.trace.Add(line);
  return SourceEvent(std::move(checkpoint));
}

void SimulatedSource::QueueEnd() {
  if (std::exchange(ending_, true)) {
    queue_.push_back(FailWith(absl::InternalError("asked for more after its end")));
    return;
  }
  if (habits_.last_checkpoint || !world_.database.loading.empty()) {
    if (auto last = MakeCheckpoint(true); last.has_value()) queue_.push_back(*std::move(last));
  }
  Finished finished;
  for (uint32_t table = 0; table < kSimulatedTables; ++table) {
    if (habits_.counts) finished.sent.push_back({table, readings_[table].rows});
    if (readings_[table].done || !world_.dice.Chance(500)) continue;
    readings_[table].done = true;
    queue_.push_back(SourceEvent(TableDone{table, absl::OkStatus()}));
  }
  queue_.push_back(SourceEvent(std::move(finished)));
}

void SimulatedSource::Acknowledge(const Acknowledgement& acknowledgement) {
  SourceDatabase& database = world_.database;
  world_.trace.Add(absl::StrCat("acknowledged ", acknowledgement.durable));
  for (const auto& [id, positions] : said_) {
    if (id > acknowledgement.durable) break;
    for (const auto& [entry, position] : positions) {
      const bool outside = world_.outer == nullptr || position <= world_.outer->Position(entry);
      if (outside && position <= world_.durable.Position(entry)) continue;
      database.violations.push_back(absl::StrCat("Invariant I2: checkpoint ", id,
                                                 " is acknowledged and \"", entry,
                                                 "\" is not durable at ", position));
    }
  }
  for (uint32_t table = 0; table < kSimulatedTables; ++table) {
    const auto said = said_.upper_bound(readings_[table].back_at);
    for (auto i = said; i != said_.end() && i->first <= acknowledgement.durable; ++i) {
      if (i->second.count(EntryOf(table)) == 0) continue;
      database.unsettled[table] = {};
      database.loading.erase(table);
    }
  }
  said_.erase(said_.begin(), said_.upper_bound(acknowledgement.durable));
  const int64_t now_us = absl::ToUnixMicros(world_.clock.Now());
  for (const StateEntry& state : acknowledgement.releasable) {
    const std::string entry = EntryName(state);
    const uint64_t position = DurableBook::PositionOf(state.body);
    world_.trace.Add(absl::StrCat("may forget ", entry, " up to ", position));
    if (position > world_.durable.Releasable(entry, now_us)) {
      database.violations.push_back(absl::StrCat("Invariant I2: \"", entry, "\" is released at ",
                                                 position, ", inside the rollback horizon"));
    }
    database.Forget(entry, position);
  }
}

absl::Status SimulatedSource::Close() {
  world_.trace.Add("source closed");
  if (!world_.dice.Chance(habits_.bad_end)) return absl::OkStatus();
  ++world_.database.faults;
  return absl::AbortedError("the connector died at its end");
}

}  // namespace tidemark
