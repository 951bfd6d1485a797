#include "service/ingest_sync.h"

#include <utility>

#include "pipeline/table_rules.h"
#include "source/push_source.h"
#include "tidemark/v1/ingest.pb.h"

namespace tidemark {
namespace {

// What the client hears of its sync.
class ClientObserver final : public SyncObserver {
 public:
  explicit ClientObserver(PushSession* session) : session_(*session) {}

  void OnLog(int level, absl::string_view table, absl::string_view text) override {
    if (level >= 2) session_.OnWarning(table, text);
  }
  void OnDeadLetter(const DeadLetter& letter, uint32_t row) override {
    session_.OnDeadLetter(letter, row);
  }

 private:
  PushSession& session_;
};

std::unique_ptr<PushSession> MakeSession(const IngestSync& sync, const SyncRunner::OwnSync& own) {
  PushSession::Options options;
  options.explicit_checkpoints = sync.start.checkpoints == v1::CHECKPOINT_MODE_EXPLICIT;
  options.expected_sequence = sync.start.expected_sequence;
  options.description = own.engine->description();
  options.selects = [&rules = own.engine->connection().options](const TableSchema& table) {
    return RuleOf(rules, table) != nullptr;
  };
  options.idle = sync.idle;
  options.open_idle = sync.open_idle;
  options.clock = sync.clock;
  return std::make_unique<PushSession>(
      sync.stream, [interrupt = own.interrupt] { interrupt->Request(); }, std::move(options));
}

}  // namespace

IngestRun RunIngest(const IngestSync& sync) {
  IngestRun run;
  bool ran = false;
  SyncRequest request;
  request.connection = sync.start.connection;
  request.trigger = SyncTrigger::kIngest;
  request.started_by = sync.started_by;
  const auto work = [&](const SyncRunner::OwnSync& own) -> absl::StatusOr<SyncOutcome> {
    sync.running(own.interrupt);
    run.session = MakeSession(sync, own);
    ClientObserver observer(run.session.get());
    RunRequest asked;
    asked.sync_id = own.record.sync_id;
    asked.push = PushedSource(run.session.get());
    asked.observer = &observer;
    absl::StatusOr<SyncOutcome> outcome = own.engine->Run(asked, own.progress, own.interrupt);
    sync.running(nullptr);
    ran = true;
    run.end.begun = outcome.status();
    if (!outcome.ok()) return outcome;
    run.end.error = outcome->error;
    run.end.of_destination = outcome->error_of_destination;
    run.end.interrupted = outcome->interrupted;
    return outcome;
  };
  const absl::StatusOr<SyncEntry> entry = sync.runner->RunOwn(request, sync.start.producer, work);
  run.end.refused = entry.status();
  if (!ran && entry.ok()) {  // its engine could not be made, or somebody stopped it before
    run.end.refused = entry->error_code == absl::StatusCode::kOk
                          ? StreamStopped()
                          : absl::Status(entry->error_code, entry->error);
  }
  return run;
}

}  // namespace tidemark
