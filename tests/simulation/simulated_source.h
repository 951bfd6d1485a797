// One instance of a connector over a SourceDatabase: reads its log from the state it is given, in
// the way and with the faults that its habits say, and checks what the engine tells it.
#ifndef TIDEMARK_TESTS_SIMULATION_SIMULATED_SOURCE_H_
#define TIDEMARK_TESTS_SIMULATION_SIMULATED_SOURCE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/change_source.h"
#include "tests/pipeline/fake_clock.h"
#include "tests/simulation/durable_book.h"
#include "tests/simulation/source_database.h"
#include "tests/simulation/trace.h"

namespace tidemark {

// What one instance works with; all borrowed.
struct SourceWorld {
  Dice& dice;
  FakeClock& clock;
  Trace& trace;
  SourceDatabase& database;
  const DurableBook& durable;
  const SourceHabits& habits;
  const DurableBook* outer = nullptr;  // of a store beside the destination
};

class SimulatedSource final : public ChangeSource {
 public:
  explicit SimulatedSource(const SourceWorld& world) : world_(world), habits_(world.habits) {}

  absl::StatusOr<ConnectorDescription> Describe() override;
  absl::Status Check() override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<TableSchema>> Schema() override;
  absl::Status ValidateState(absl::Span<const StateEntry>) override { return absl::OkStatus(); }
  absl::Status Start(const UpdateStart& start) override;
  absl::StatusOr<std::optional<SourceEvent>> Next(absl::Time deadline) override;
  // Invariant I2: nothing but what is durable, nothing inside the rollback horizon.
  void Acknowledge(const Acknowledgement& acknowledgement) override;
  absl::Status Close() override;
  void Cancel() override { world_.trace.Add("source cancelled"); }

 private:
  // One table as this instance reads it.
  struct Reading {
    uint64_t at = 0;       // stamp of the last change sent in this pass
    uint64_t claimed = 0;  // the furthest `at`: behind it, it reads again
    uint64_t rows = 0;     // sent
    uint64_t since = 0;    // of them behind the last checkpoint
    uint64_t back_at = 0;  // id of the last checkpoint before it went back
    bool done = false;
  };
  // A row read beside the log, on its way.
  struct Snapshot {
    uint32_t table;
    std::string key;
    Cells row;
  };

  // An end that is a fault, if one happens now; `breaks_with_` where the stream itself breaks.
  std::optional<SourceEvent> Fault();
  void Break(absl::Status status);
  SourceEvent FailWith(absl::Status status);
  // Waits and talk; nullopt: rows may come.
  std::optional<SourceEvent> Beside();
  std::optional<SourceEvent> Talk();
  std::optional<SourceEvent> SnapshotRow();
  SourceEvent NextBatch(uint32_t table);
  SourceEvent FullLoad();
  void NoteSent(const SourceChange& change);

  // Reads a piece of its log again, where that may be.
  void GoBack();
  bool GoBack(uint32_t table, uint64_t from);
  bool Rereads(uint32_t table) const;
  const SourceChange* NextChange(uint32_t table) const;
  std::optional<uint32_t> TableToRead() const;
  // Everything up to here was sent.
  uint64_t Upto(uint32_t table) const;
  std::string EntryOf(uint32_t table) const;

  std::optional<SourceEvent> MakeCheckpoint(bool all);
  void QueueEnd();

  const SourceWorld world_;
  const SourceHabits habits_;
  std::vector<Reading> readings_ = std::vector<Reading>(kSimulatedTables);
  std::deque<uint32_t> loads_;  // tables to be read from their beginning first
  uint64_t load_head_ = 0;
  std::vector<Snapshot> snapshots_;
  std::deque<SourceEvent> queue_;
  absl::Duration waits_;
  absl::Status breaks_with_;  // not OK: nothing else comes any more
  bool ending_ = false;
  uint64_t checkpoint_ = 0;                                   // id of the last one
  std::map<uint64_t, std::map<std::string, uint64_t>> said_;  // positions by entry, by its id
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_SIMULATED_SOURCE_H_
