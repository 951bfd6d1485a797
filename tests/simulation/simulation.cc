#include "tests/simulation/simulation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "state/file_state_store.h"
#include "state/outer_store.h"
#include "state/sqlite_state_store.h"
#include "state/store_comparison.h"

namespace tidemark {
namespace {

constexpr int kStormySyncs = 4;
constexpr int kCalmSyncs = 3;

// Writes what the pipeline says into the trace, and asks it to stop once.
class Observer final : public SyncObserver {
 public:
  Observer(Trace& trace, Interrupt& interrupt, uint64_t interrupts_at)
      : trace_(trace), interrupt_(interrupt), interrupts_at_(interrupts_at) {}
  void OnBegin(absl::string_view sync_id) override { trace_.Add(absl::StrCat("sync ", sync_id)); }
  void OnLog(int level, absl::string_view table, absl::string_view text) override {
    trace_.Add(absl::StrCat("log ", level, " ", table, ": ", text));
    if (++lines_ == interrupts_at_) interrupt_.Request();
  }

 private:
  Trace& trace_;
  Interrupt& interrupt_;
  const uint64_t interrupts_at_;  // lines; 0: never
  uint64_t lines_ = 0;
};

// A weight that is often nothing at all: what never fails lets others fail later (swarm testing).
uint64_t Weight(Dice& dice, uint64_t most) { return dice.Pick(2) == 0 ? 0 : 1 + dice.Pick(most); }

}  // namespace

std::string SimulationResult::text() const {
  std::vector<std::string> lines = violations;
  if (difference.sum() > 0) {
    lines.push_back(absl::StrCat(difference.lost, " lost, ", difference.duplicated, " duplicated, ",
                                 difference.stale, " stale; the first: ", difference.first));
  }
  return absl::StrJoin(lines, "\n");
}

Simulation::Habits Simulation::Draw(Dice& dice) {
  Habits habits;
  habits.changes.truncates = Weight(dice, 20);
  habits.changes.key_changes = Weight(dice, 150);
  habits.changes.bad_rows = Weight(dice, 30);
  habits.changes.texts = Weight(dice, 30);
  habits.changes.deletes = Weight(dice, 300);
  SourceHabits& source = habits.source;
  source.table_states = dice.Pick(2) == 0;
  source.table_by_table = source.table_states && dice.Pick(2) == 0;
  source.transactions = dice.Pick(4) == 0;
  source.counts = dice.Pick(4) != 0;
  source.last_checkpoint = dice.Pick(4) != 0;
  source.batch_rows = 1 + dice.Pick(12);
  source.checkpoint = 20 + dice.Pick(400);
  source.small_wait = Weight(dice, 60);
  source.long_wait = Weight(dice, 30);
  source.jump = Weight(dice, 10);
  source.flush = Weight(dice, 50);
  source.talk = Weight(dice, 30);
  source.reread = Weight(dice, 30);
  source.snapshot = Weight(dice, 100);
  source.grow = Weight(dice, 50);
  source.own_letter = Weight(dice, 5);
  source.transient = Weight(dice, 15);
  source.asked_wait = Weight(dice, 10);
  source.crash = Weight(dice, 10);
  source.stall = Weight(dice, 3);
  source.broken = Weight(dice, 3);
  source.no_start = Weight(dice, 100);
  source.bad_end = Weight(dice, 200);
  DestinationHabits& destination = habits.destination;
  destination.acquire = Weight(dice, 50);
  destination.begin = Weight(dice, 30);
  destination.ensure = Weight(dice, 10);
  destination.apply = Weight(dice, 20);
  destination.full = Weight(dice, 10);
  destination.commit_aborts = Weight(dice, 60);
  destination.commit_lost = Weight(dice, 40);
  destination.commit_locked = Weight(dice, 40);
  destination.process_ends = Weight(dice, 6);
  destination.ends_behind = Weight(dice, 40);
  destination.fenced = Weight(dice, 40);
  destination.report = Weight(dice, 100);
  habits.store_kind = dice.Pick(4);
  habits.store.answers_not = Weight(dice, 30);
  habits.store.full = Weight(dice, 30);
  habits.store.answer_lost = Weight(dice, 50);
  habits.interrupt = Weight(dice, 300);
  habits.full = Weight(dice, 200);
  habits.step_back = Weight(dice, 300);
  source.stamps = dice.Pick(2) == 0;
  return habits;
}

Simulation::Simulation(uint64_t seed)
    : dice_(seed), habits_(Draw(dice_)), database_(dice_, habits_.changes) {
  options_.connection = "simulation";
  options_.source_name = "simulated";
  options_.destination_name = "warehouse";
  options_.holder = "a simulation";
  options_.tables = SimulatedRules();
  trace_.Hide(warehouse_.folder());
}

void Simulation::DrawOptions() {
  options_.group.rows = 1 + dice_.Pick(60);
  options_.group.age = absl::Milliseconds(1 + dice_.PickInt(400));
  options_.group.when_idle = dice_.Pick(3) != 0;
  options_.retry.max_attempts = 1 + static_cast<int>(dice_.Pick(8));
  options_.full = dice_.Chance(habits_.full);
  options_.go_on_behind_store = dice_.Pick(2) == 0;
}

void Simulation::Heal() {
  const SourceHabits stormy = habits_.source;
  SourceHabits calm;
  calm.table_states = stormy.table_states;
  calm.table_by_table = stormy.table_by_table;
  calm.transactions = stormy.transactions;
  calm.counts = stormy.counts;
  calm.batch_rows = stormy.batch_rows;
  calm.checkpoint = stormy.checkpoint;
  calm.small_wait = stormy.small_wait;
  calm.reread = stormy.reread;
  calm.snapshot = stormy.snapshot;
  habits_.source = calm;
  habits_.destination = DestinationHabits();
  habits_.store = StoreHabits();
  habits_.interrupt = habits_.full = habits_.step_back = 0;
}

SimulationResult Simulation::Run() {
  for (int sync = 0; sync < kStormySyncs; ++sync) {
    database_.Grow(10 + dice_.Pick(60));
    RunOne();
    if (!result_.ok()) break;
  }
  Heal();
  for (int sync = 0; sync < kCalmSyncs && result_.ok(); ++sync) {
    if (sync == 0) database_.Grow(dice_.Pick(20));
    RunOne();
    if (caught_up_) break;
  }
  // Liveness: once the faults stop, it gets on.
  if (result_.ok() && !caught_up_) Violated("the faults stopped, and it did not converge");
  result_.faults += database_.faults;
  result_.trace_hash = trace_.hash();
  result_.trace_lines = trace_.lines();
  return result_;
}

void Simulation::Violated(std::string text) {
  trace_.Add(absl::StrCat("VIOLATED: ", text));
  result_.violations.push_back(std::move(text));
}

std::unique_ptr<StateStore> Simulation::OpenAuthority() {
  SqliteStateStoreOptions options;
  options.clock = &clock_;
  options.engine = "tidemark test";
  auto opened = OpenSqliteStateStore(warehouse_.path(), options_.connection, options);
  return opened.ok() ? *std::move(opened) : nullptr;
}

absl::StatusOr<std::unique_ptr<StateStore>> Simulation::OpenStore() {
  if (habits_.store_kind == 2) {
    SqliteStateStoreOptions options;
    options.clock = &clock_;
    options.engine = "tidemark test";
    options.create = true;
    return OpenSqliteStateStore(warehouse_.folder() + "/state.db", options_.connection, options);
  }
  FileStateStoreOptions options;
  options.clock = &clock_;
  options.engine = "tidemark test";
  options.create = true;
  return OpenFileStateStore(warehouse_.folder() + "/state", options_.connection, options);
}

SyncOutcome Simulation::RunPipeline(DestinationNotes& notes) {
  SyncOutcome failed;
  Interrupt interrupt;
  auto opened = warehouse_.Open(&clock_);
  if (!opened.ok()) {
    Violated(absl::StrCat("it does not open: ", opened.status().message()));
    return failed;
  }
  FaultyDestination destination(*std::move(opened),
                                {dice_, clock_, trace_, warehouse_, durable_, interrupt,
                                 options_.connection, habits_.destination},
                                notes);
  auto store = OpenStore();
  std::unique_ptr<StateStore> authority = OpenAuthority();
  if (!store.ok() || authority == nullptr) {
    Violated(absl::StrCat("the store does not open: ", store.status().message()));
    return failed;
  }
  FaultyStore faulty(*std::move(store),
                     {dice_, clock_, trace_, stored_, habits_.store, notes.ended, notes.faults});
  OuterStore::Options outer_options;
  outer_options.ownership.holder = options_.holder;
  OuterStore outer(faulty, *authority, clock_, outer_options);
  const bool interrupts = dice_.Chance(habits_.interrupt);
  Observer observer(trace_, interrupt, interrupts ? 1 + dice_.Pick(12) : 0);
  SyncParts parts;
  parts.source = [&]() -> absl::StatusOr<std::unique_ptr<ChangeSource>> {
    return std::unique_ptr<ChangeSource>(std::make_unique<SimulatedSource>(
        SourceWorld{dice_, clock_, trace_, database_, durable_, habits_.source,
                    has_store() ? &stored_ : nullptr}));
  };
  parts.destination = &destination;
  parts.clock = &clock_;
  parts.observer = &observer;
  parts.interrupt = &interrupt;
  parts.random = &dice_.bits();
  if (has_store()) parts.outer = &outer;
  return RunSync(options_, parts);
}

void Simulation::RunOne() {
  DrawOptions();
  if (dice_.Chance(habits_.step_back)) clock_.StepBack(absl::Minutes(dice_.PickInt(300)));
  DestinationNotes notes;
  const SyncOutcome outcome = RunPipeline(notes);
  trace_.Add(absl::StrCat("ended ", std::string(SyncStatusName(outcome.status)), " ",
                          outcome.error.ToString(), ", ", outcome.counts.Sum(), " changes, ",
                          outcome.commits, " commits"));
  result_.faults += notes.faults;
  result_.commits += outcome.commits;
  for (std::string& violation : notes.violations) Violated(std::move(violation));
  for (std::string& violation : database_.violations) Violated(std::move(violation));
  database_.violations.clear();
  if (!notes.ended) CheckOutcome(outcome, notes);
  // Dead letters alone keep a sync from being completed, and no row from being there.
  caught_up_ = !notes.ended && outcome.error.ok() && !outcome.interrupted &&
               (outcome.status == SyncStatus::kCompleted || habits_.source.last_checkpoint);
  CheckStored(caught_up_ && !notes.fenced && !notes.lost_answer);
  CheckHistory();
  if (has_store() && notes.faults == 0 && outcome.error.ok()) CheckStore();
}

// Protocol B: the store has what the destination has.
void Simulation::CheckStore() {
  auto store = OpenStore();
  std::unique_ptr<StateStore> authority = OpenAuthority();
  if (!store.ok() || authority == nullptr) return Violated("the store does not open");
  auto positions = CompareStores(*authority, **store);
  if (!positions.ok()) return Violated(std::string(positions.status().message()));
  for (const EntryPosition& entry : *positions) {
    if (entry.position == StorePosition::kEqual) continue;
    Violated(absl::StrCat("the store is not where the destination is: \"", entry.authority.entry,
                          "\" ", entry.store.version, " and ", entry.authority.version));
  }
}

void Simulation::CheckOutcome(const SyncOutcome& outcome, const DestinationNotes& notes) {
  bool whole = true;
  for (const TableOutcome& table : outcome.tables) {
    if (table.counts.Sum() != table.received) {
      Violated(absl::StrCat("Invariant I5: ", table.table, " received ", table.received,
                            " and counts ", table.counts.Sum()));
    }
    // Invariant I6: otherwise it would be partial.
    const bool completed = outcome.status == SyncStatus::kCompleted;
    if (habits_.source.counts && completed && table.sent != table.received) {
      Violated(absl::StrCat("Invariant I6: ", table.table, " sent ", table.sent, " and received ",
                            table.received));
    }
    whole = whole && table.counts.dead_letter == 0;
  }
  const uint64_t counted = outcome.counts.Sum();
  if (notes.lost_answer ? counted > notes.committed : counted != notes.committed) {
    Violated(absl::StrCat("Invariant I5: the report counts ", counted, " changes and ",
                          notes.committed, " were committed"));
  }
  const bool completed = outcome.status == SyncStatus::kCompleted;
  if (completed && (!whole || !outcome.error.ok() || outcome.interrupted)) {
    Violated("Invariant I6: completed, and it is not");
  }
}

// Invariant I1: between what the state says and what was ever sent, value by value.
void Simulation::CheckStored(bool exactly) {
  for (uint32_t table = 0; table < kSimulatedTables; ++table) {
    const TableSchema& schema = database_.model().tables()[table];
    const std::string entry = habits_.source.table_states ? schema.name : "";
    const uint64_t position = warehouse_.Position(options_.connection, entry);
    if (position != durable_.Position(entry)) {
      Violated(absl::StrCat("the state of \"", entry, "\" is ", position, " and not ",
                            durable_.Position(entry)));
    }
    const uint64_t to = database_.sent[table];
    const uint64_t from = exactly ? to : std::min(position, database_.unsettled[table].from);
    const Difference found =
        database_.model().Compare(table, warehouse_.Rows(schema), from, std::max(from, to));
    result_.difference.lost += found.lost;
    result_.difference.duplicated += found.duplicated;
    result_.difference.stale += found.stale;
    if (found.sum() == 0) continue;
    trace_.Add(absl::StrCat("DIFFERS between ", from, " and ", to, ": ", found.first));
    if (result_.difference.first.empty()) {
      result_.difference.first = absl::StrCat(found.first, " (stamps ", from, " to ", to, ")");
    }
  }
}

void Simulation::CheckHistory() {
  if (!warehouse_.Has("_tidemark_state_history")) return;
  if (std::string wrong = warehouse_.CheckState(options_.connection); !wrong.empty()) {
    Violated(absl::StrCat("Invariant I3: ", wrong));
  }
  const auto sums = warehouse_.Query(
      "SELECT coalesce(sum(inserted + updated + deleted + unchanged + superseded + missing + "
      "conflict + late_queue + dead_letter), 0), count(*) FROM _tidemark_state_history");
  if (sums.empty() || sums[0][0] != absl::StrCat(durable_.counted()) ||
      sums[0][1] != absl::StrCat(durable_.versions())) {
    Violated(absl::StrCat("Invariant I5: the history counts ", sums.empty() ? "?" : sums[0][0],
                          " changes, and ", durable_.counted(), " were committed"));
  }
}

}  // namespace tidemark
