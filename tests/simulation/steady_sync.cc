#include "tests/simulation/steady_sync.h"

#include <utility>

namespace tidemark {
namespace {

ChangeHabits Changes() {
  ChangeHabits habits;
  habits.truncates = 10;
  habits.texts = 20;
  return habits;
}

class SilentObserver final : public SyncObserver {
 public:
  void OnLog(int, absl::string_view, absl::string_view) override {}
};

// Tells when it is acknowledged.
class AcknowledgedSource final : public ChangeSource {
 public:
  AcknowledgedSource(const SourceWorld& world, std::function<void()> acknowledged)
      : real_(world), acknowledged_(std::move(acknowledged)) {}
  absl::StatusOr<ConnectorDescription> Describe() override { return real_.Describe(); }
  absl::Status Check() override { return real_.Check(); }
  absl::StatusOr<std::vector<TableSchema>> Schema() override { return real_.Schema(); }
  absl::Status ValidateState(absl::Span<const StateEntry> states) override {
    return real_.ValidateState(states);
  }
  absl::Status Start(const UpdateStart& start) override { return real_.Start(start); }
  absl::StatusOr<std::optional<SourceEvent>> Next(absl::Time deadline) override {
    return real_.Next(deadline);
  }
  void Acknowledge(const Acknowledgement& acknowledgement) override {
    real_.Acknowledge(acknowledgement);
    acknowledged_();
  }
  absl::Status Close() override { return real_.Close(); }
  void Cancel() override { real_.Cancel(); }

 private:
  SimulatedSource real_;
  const std::function<void()> acknowledged_;
};

}  // namespace

SteadySource::SteadySource(uint64_t seed) : dice_(seed), database_(dice_, Changes()) {}

SteadySync::SteadySync(uint64_t seed, SteadySource& source, Warehouse& warehouse)
    : dice_(seed), source_(source), warehouse_(warehouse) {
  habits_.checkpoint = 150;
  habits_.small_wait = 30;
  options_.connection = "steady";
  options_.holder = "a test";
  options_.tables = SimulatedRules();
  options_.group.rows = 20;
}

SyncOutcome SteadySync::Run() {
  auto opened = warehouse_.Open(&clock_);
  if (opened.ok()) return Run(*std::move(opened));
  SyncOutcome failed;
  failed.error = opened.status();
  return failed;
}

SyncOutcome SteadySync::Run(std::unique_ptr<Destination> opened) {
  Interrupt interrupt;
  DestinationNotes notes;
  const DestinationHabits none;
  FaultyDestination destination(
      std::move(opened),
      {dice_, clock_, trace_, warehouse_, durable_, interrupt, options_.connection, none}, notes);
  SilentObserver observer;
  SyncParts parts;
  parts.source = [&]() -> absl::StatusOr<std::unique_ptr<ChangeSource>> {
    return std::unique_ptr<ChangeSource>(std::make_unique<AcknowledgedSource>(
        SourceWorld{dice_, clock_, trace_, source_.database(), durable_, habits_}, [this] {
          acknowledged_ = durable_.Position("");
          if (on_acknowledged) on_acknowledged(acknowledged_);
        }));
  };
  parts.destination = &destination;
  parts.clock = &clock_;
  parts.observer = &observer;
  parts.random = &dice_.bits();
  parts.outer = outer;
  if (before_run) before_run();
  SyncOutcome outcome = RunSync(options_, parts);
  if (after_run) after_run();
  return outcome;
}

Difference SteadySync::Compare(uint64_t stamp) {
  Difference sum;
  ReferenceModel& model = source_.model();
  for (uint32_t table = 0; table < kSimulatedTables; ++table) {
    const Difference found =
        model.Compare(table, warehouse_.Rows(model.tables()[table]), stamp, stamp);
    sum.lost += found.lost;
    sum.duplicated += found.duplicated;
    sum.stale += found.stale;
    if (sum.first.empty()) sum.first = found.first;
  }
  return sum;
}

}  // namespace tidemark
