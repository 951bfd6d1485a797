#include "service/sync_runner.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "control/write_turns.h"
#include "core/mutex.h"
#include "service/connection_rates.h"
#include "service/plugin_budget.h"
#include "service/sync_ending.h"

namespace tidemark {
namespace {

constexpr char kBusyPayload[] = "tidemark/busy_sync";
constexpr absl::Duration kFeedProgressEvery = absl::Seconds(1);
constexpr char kStopped[] = "the server stopped";

absl::Status Busy(const std::string& name, const std::string& sync_id) {
  absl::Status status = absl::FailedPreconditionError(
      absl::StrCat("a sync of connection \"", name, "\" runs or waits already: ", sync_id,
                   "; wait for its end or stop it"));
  status.SetPayload(kBusyPayload, absl::Cord(sync_id));
  return status;
}

absl::Status Stopping() {
  return absl::UnavailableError("the server stops; try again when it is back");
}

}  // namespace

struct SyncRunner::Work {
  // One sync from its queueing to its end. Fields change under mutex_ only, except what says
  // otherwise.
  struct Job {
    std::string name;  // of the connection, or "<connection>/<producer>"
    SyncEntry entry;
    SyncRequest request;
    uint32_t priority = 0;
    bool queued = false;
    bool counted = false;  // in running_syncs_
    Interrupt interrupt;   // of itself thread-safe
    std::thread thread;
    std::unique_ptr<PluginBudget::Share> share;
    // [the sync's thread]
    absl::Duration shown = -absl::InfiniteDuration();
  };

  Work(Parts parts_in, RunnerLimits limits_in)
      : parts(std::move(parts_in)),
        limits(limits_in),
        budget(limits_in.max_plugins, limits_in.memory_bytes),
        visits(&budget, limits_in.visit_wait) {}

  absl::StatusOr<std::shared_ptr<Job>> Reserve(const SyncRequest& request,
                                               const std::string& producer);
  absl::Status AddToBook(const std::shared_ptr<Job>& job);
  void Forget(const std::shared_ptr<Job>& job);
  void Dispatch();
  void RunJob(const std::shared_ptr<Job>& job);
  absl::StatusOr<SyncOutcome> RunEngine(const std::shared_ptr<Job>& job, std::string* report);
  absl::StatusOr<std::unique_ptr<Engine>> MakeEngine(Connection connection, const std::string& name,
                                                     Cancellation* cancellation = nullptr);
  absl::StatusOr<Connection> Load(const std::string& connection, const std::string& name);
  absl::Status Begin(const std::shared_ptr<Job>& job);
  SyncEntry End(const std::shared_ptr<Job>& job, const absl::StatusOr<SyncOutcome>& outcome,
                const std::string& report);
  void Show(const std::shared_ptr<Job>& job, const SyncProgress& progress);
  void JoinEnded();

  const Parts parts;
  const RunnerLimits limits;
  PluginBudget budget;
  PluginVisits visits;
  WriteTurns turns;
  ConnectionRates rates;
  std::vector<SyncListener*> listeners;  // complete before the first sync

  Mutex mutex;
  CondVar changed;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  int running_syncs ABSL_GUARDED_BY(mutex) = 0;
  int ingest_streams ABSL_GUARDED_BY(mutex) = 0;
  std::map<std::string, std::shared_ptr<Job>, std::less<>> jobs ABSL_GUARDED_BY(mutex);
  int threads ABSL_GUARDED_BY(mutex) = 0;                         // that run
  int endings ABSL_GUARDED_BY(mutex) = 0;                         // of jobs that are gone already
  std::vector<std::thread> ended_threads ABSL_GUARDED_BY(mutex);  // to be joined
};

// ---- queueing ----

absl::StatusOr<std::shared_ptr<SyncRunner::Work::Job>> SyncRunner::Work::Reserve(
    const SyncRequest& request, const std::string& producer) {
  absl::StatusOr<ConnectionEntry> connection = parts.connections->Get(request.connection);
  if (!connection.ok()) return connection.status();
  if (!connection->usable) {
    return absl::FailedPreconditionError(absl::StrCat("connection \"", request.connection,
                                                      "\" is not valid: ", connection->problem));
  }
  auto job = std::make_shared<Job>();
  job->name =
      producer.empty() ? request.connection : absl::StrCat(request.connection, "/", producer);
  job->request = request;
  job->priority = connection->priority;
  job->entry.connection = request.connection;
  job->entry.producer = producer;
  job->entry.trigger = request.trigger;
  job->entry.full = request.full;
  job->entry.narrowed = !request.tables.empty() || request.since_us.has_value();
  job->entry.started_by = request.started_by;
  MutexLock lock(mutex);
  if (stopping) return Stopping();
  const auto [place, fresh] = jobs.emplace(job->name, job);
  if (!fresh) return Busy(job->name, place->second->entry.sync_id);
  if (request.trigger != SyncTrigger::kIngest) return job;
  if (ingest_streams >= limits.max_ingest_streams) {
    jobs.erase(place);
    return absl::ResourceExhaustedError(
        absl::StrCat("the server has ", ingest_streams,
                     " Ingest streams already (limits.ingest_streams); try again later"));
  }
  ++ingest_streams;
  return job;
}

// The name is ours; the id becomes known. On an error the name is free again.
absl::Status SyncRunner::Work::AddToBook(const std::shared_ptr<Job>& job) {
  absl::StatusOr<SyncEntry> added = parts.syncs->Add(job->entry);
  if (!added.ok()) {
    Forget(job);
    return added.status();
  }
  MutexLock lock(mutex);
  job->entry = *std::move(added);
  return absl::OkStatus();
}

void SyncRunner::Work::Forget(const std::shared_ptr<Job>& job) {
  job->share = nullptr;
  MutexLock lock(mutex);
  if (job->counted) --running_syncs;
  if (job->request.trigger == SyncTrigger::kIngest) --ingest_streams;
  jobs.erase(job->name);
  changed.SignalAll();
}

void SyncRunner::Work::Dispatch() {
  MutexLock lock(mutex);
  while (!stopping) {
    std::shared_ptr<Job> next;
    for (const auto& [name, job] : jobs) {
      if (!job->queued) continue;
      if (!job->request.continuous && running_syncs >= limits.max_syncs) continue;
      const bool before =
          next == nullptr || job->priority > next->priority ||
          (job->priority == next->priority && job->entry.sync_id < next->entry.sync_id);
      if (before) next = job;
    }
    if (next == nullptr) return;
    next->queued = false;
    next->counted = !next->request.continuous;
    if (next->counted) ++running_syncs;
    try {
      next->thread = std::thread([this, next] {
        pthread_setname_np(pthread_self(), "sync");
        RunJob(next);
        MutexLock done(mutex);  // nothing follows but the end of the thread
        ended_threads.push_back(std::move(next->thread));
        --threads;
        changed.SignalAll();
      });
      ++threads;
    } catch (const std::exception&) {  // no thread to be had now: it waits for the next end
      next->queued = true;
      if (std::exchange(next->counted, false)) --running_syncs;
      return;
    }
  }
}

void SyncRunner::Work::JoinEnded() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex);
    threads.swap(ended_threads);
  }
  for (std::thread& thread : threads) thread.join();
}

// ---- one sync ----

absl::StatusOr<Connection> SyncRunner::Work::Load(const std::string& connection,
                                                  const std::string& name) {
  absl::StatusOr<Connection> loaded = parts.connections->Load(connection);
  if (!loaded.ok()) return loaded;
  // A plugin's bug must not take the server with it.
  loaded->source.in_process = false;
  if (name == connection) return loaded;
  loaded->name = name;
  loaded->options.connection = name;
  return loaded;
}

absl::StatusOr<std::unique_ptr<Engine>> SyncRunner::Work::MakeEngine(Connection connection,
                                                                     const std::string& name,
                                                                     Cancellation* cancellation) {
  Engine::Parts engine;
  engine.search = parts.search;
  engine.redactor = parts.redactor;
  engine.log = parts.log;
  engine.turns = &turns;
  engine.cancellation = cancellation;
  engine.rate = rates.Of(name, connection.options.rate, parts.clock->Monotonic());
  return Engine::Create(std::move(connection), std::move(engine));
}

absl::Status SyncRunner::Work::Begin(const std::shared_ptr<Job>& job) {
  absl::StatusOr<SyncEntry> started = parts.syncs->Start(job->entry.sync_id);
  if (!started.ok()) return started.status();
  {
    MutexLock lock(mutex);
    job->entry = *started;
  }
  for (SyncListener* listener : listeners) listener->OnSyncStarted(*started);
  return absl::OkStatus();
}

void SyncRunner::Work::Show(const std::shared_ptr<Job>& job, const SyncProgress& progress) {
  for (SyncListener* listener : listeners) listener->OnSyncProgress(job->entry, progress);
  const absl::Duration now = parts.clock->Monotonic();
  if (now - job->shown < kFeedProgressEvery) return;
  job->shown = now;
  SyncFeedEvent event;
  event.kind = SyncFeedEvent::Kind::kProgress;
  event.table = progress.table;
  event.rows = progress.rows;
  event.elapsed_seconds = absl::ToDoubleSeconds(progress.elapsed);
  if (event.elapsed_seconds > 0) {
    event.rows_per_second = static_cast<double>(progress.rows) / event.elapsed_seconds;
  }
  event.phase = progress.phase;
  if (progress.lag.has_value()) event.lag_seconds = absl::ToDoubleSeconds(*progress.lag);
  parts.syncs->Publish(job->entry.sync_id, std::move(event));
}

absl::StatusOr<SyncOutcome> SyncRunner::Work::RunEngine(const std::shared_ptr<Job>& job,
                                                        std::string* report) {
  absl::StatusOr<Connection> connection = Load(job->request.connection, job->name);
  const uint64_t memory = connection.ok() ? connection->source.plugin_memory : 0;
  job->share = budget.Take(memory, job->interrupt);
  if (absl::Status begun = Begin(job); !begun.ok()) return begun;
  if (job->share == nullptr) return absl::CancelledError("stopped before it began");
  if (!connection.ok()) return connection.status();
  absl::StatusOr<std::unique_ptr<Engine>> engine =
      MakeEngine(*std::move(connection), job->request.connection);
  if (!engine.ok()) return engine.status();
  RunRequest run;
  run.full = job->request.full;
  run.tables = job->request.tables;
  run.since_us = job->request.since_us;
  run.sync_id = job->entry.sync_id;
  run.continuous = job->request.continuous;
  absl::StatusOr<SyncOutcome> outcome = (*engine)->Run(
      run, [this, &job](const SyncProgress& progress) { Show(job, progress); }, &job->interrupt);
  if (outcome.ok()) *report = (*engine)->Report(*outcome, run.full);
  return outcome;
}

void SyncRunner::Work::RunJob(const std::shared_ptr<Job>& job) {
  std::string report;
  absl::StatusOr<SyncOutcome> outcome = absl::UnknownError("");
  try {
    outcome = RunEngine(job, &report);
  } catch (const std::exception& error) {
    outcome = absl::InternalError(absl::StrCat("the sync ended unexpectedly: ", error.what()));
  }
  End(job, outcome, report);
  Dispatch();
}

SyncEntry SyncRunner::Work::End(const std::shared_ptr<Job>& job,
                                const absl::StatusOr<SyncOutcome>& outcome,
                                const std::string& report) {
  SyncEntry entry;
  bool stopped;
  {
    MutexLock lock(mutex);
    entry = job->entry;
    stopped = stopping;
  }
  entry.phase = SyncPhase::kFailed;
  const bool interrupted = job->interrupt.count() > 0;
  if (outcome.ok()) {
    SetOutcome(*outcome, *parts.redactor, &entry);
  } else if (interrupted) {
    entry.phase = SyncPhase::kPartial;
    entry.interrupted = true;
  } else {
    SetError(outcome.status(), false, *parts.redactor, &entry);
  }
  if (stopped && entry.interrupted) {
    // The next start goes on with it.
    entry.error = kStopped;
    entry.error_code = absl::StatusCode::kAborted;
  }
  entry.ended_at_us = absl::ToUnixMicros(parts.clock->Now());
  const LogFields fields{job->name, entry.sync_id, ""};
  parts.log->Write(entry.phase == SyncPhase::kFailed && !entry.held_elsewhere ? LogLevel::kError
                                                                              : LogLevel::kInfo,
                   fields, EndLine(entry));
  {
    MutexLock lock(mutex);
    ++endings;
  }
  // Before anybody can see the end: whoever does may begin the next one.
  Forget(job);
  if (absl::Status stored = parts.syncs->End(entry, report); !stored.ok()) {
    parts.log->Write(LogLevel::kError, fields,
                     absl::StrCat("the end of the sync could not be stored: ", stored.message()));
  }
  for (SyncListener* listener : listeners) {
    listener->OnSyncEnded(entry, outcome.ok() ? &*outcome : nullptr);
  }
  MutexLock lock(mutex);
  --endings;
  changed.SignalAll();
  return entry;
}

// ---- what others call ----

SyncRunner::SyncRunner(Parts parts, RunnerLimits limits)
    : work_(std::make_unique<Work>(std::move(parts), limits)) {}

SyncRunner::~SyncRunner() { Stop(); }

void SyncRunner::AddListener(SyncListener* listener) { work_->listeners.push_back(listener); }

absl::StatusOr<SyncEntry> SyncRunner::Start(const SyncRequest& request) {
  work_->JoinEnded();
  absl::StatusOr<std::shared_ptr<Work::Job>> job = work_->Reserve(request, "");
  if (!job.ok()) return job.status();
  if (absl::Status added = work_->AddToBook(*job); !added.ok()) return added;
  SyncEntry entry;
  bool stopped = true;
  {
    MutexLock lock(work_->mutex);
    (*job)->queued = !work_->stopping;
    entry = (*job)->entry;
    if ((*job)->queued) stopped = false;
  }
  if (stopped) return work_->End(*job, absl::CancelledError(""), "");
  work_->Dispatch();
  return entry;
}

absl::StatusOr<SyncEntry> SyncRunner::StopSync(absl::string_view sync_id, bool now) {
  std::shared_ptr<Work::Job> waiting;
  {
    MutexLock lock(work_->mutex);
    for (const auto& [name, job] : work_->jobs) {
      if (job->entry.sync_id != sync_id || sync_id.empty()) continue;
      job->interrupt.Request();
      while (now && job->interrupt.count() < 2) job->interrupt.Request();
      if (!std::exchange(job->queued, false)) break;
      waiting = job;  // it will not be begun any more
      break;
    }
  }
  if (waiting != nullptr) return work_->End(waiting, absl::CancelledError(""), "");
  return work_->parts.syncs->Get(sync_id);
}

absl::StatusOr<SyncEntry> SyncRunner::RunOwn(
    const SyncRequest& request, const std::string& producer,
    const std::function<absl::StatusOr<SyncOutcome>(const OwnSync&)>& work) {
  absl::StatusOr<std::shared_ptr<Work::Job>> reserved = work_->Reserve(request, producer);
  if (!reserved.ok()) return reserved.status();
  const std::shared_ptr<Work::Job>& job = *reserved;
  if (absl::Status added = work_->AddToBook(job); !added.ok()) return added;
  std::string report;
  const auto run = [this, &job, &work, &report]() -> absl::StatusOr<SyncOutcome> {
    absl::StatusOr<Connection> connection = work_->Load(job->request.connection, job->name);
    if (absl::Status begun = work_->Begin(job); !begun.ok()) return begun;
    if (!connection.ok()) return connection.status();
    absl::StatusOr<std::unique_ptr<Engine>> engine =
        work_->MakeEngine(*std::move(connection), job->request.connection);
    if (!engine.ok()) return engine.status();
    OwnSync own;
    own.record = job->entry;
    own.engine = engine->get();
    own.interrupt = &job->interrupt;
    own.progress = [this, &job](const SyncProgress& progress) { work_->Show(job, progress); };
    absl::StatusOr<SyncOutcome> outcome = work(own);
    if (outcome.ok()) report = (*engine)->Report(*outcome, job->request.full);
    return outcome;
  };
  absl::StatusOr<SyncOutcome> outcome = absl::UnknownError("");
  try {
    outcome = run();
  } catch (const std::exception& error) {
    outcome = absl::InternalError(absl::StrCat("the sync ended unexpectedly: ", error.what()));
  }
  return work_->End(job, outcome, report);
}

absl::StatusOr<std::unique_ptr<PluginVisit>> SyncRunner::Visit(absl::string_view connection) {
  const std::string name(connection);
  absl::StatusOr<Connection> loaded = work_->Load(name, name);
  if (!loaded.ok()) return loaded.status();
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit =
      work_->visits.Begin(loaded->source.plugin_memory);
  if (!visit.ok()) return visit;
  absl::StatusOr<std::unique_ptr<Engine>> engine =
      work_->MakeEngine(*std::move(loaded), name, (*visit)->cancellation());
  if (!engine.ok()) return (*visit)->Explain(engine.status());
  (*visit)->SetEngine(*std::move(engine));
  return visit;
}

PluginVisits& SyncRunner::visits() { return work_->visits; }

void SyncRunner::StopConnection(absl::string_view connection) {
  std::vector<std::string> syncs;
  {
    MutexLock lock(work_->mutex);
    for (const auto& [name, job] : work_->jobs) {
      if (job->request.connection == connection) syncs.push_back(job->entry.sync_id);
    }
  }
  for (const std::string& sync : syncs) StopSync(sync, false).IgnoreError();
}

std::optional<std::string> SyncRunner::BusyWith(absl::string_view connection) const {
  MutexLock lock(work_->mutex);
  const auto found = work_->jobs.find(connection);
  if (found == work_->jobs.end()) return std::nullopt;
  return found->second->entry.sync_id;
}

void SyncRunner::Stop() {
  work_->visits.Stop();
  std::vector<std::shared_ptr<Work::Job>> waiting;
  {
    MutexLock lock(work_->mutex);
    work_->stopping = true;
    for (const auto& [name, job] : work_->jobs) {
      if (job->interrupt.count() == 0) job->interrupt.Request();
      if (std::exchange(job->queued, false)) waiting.push_back(job);
    }
  }
  for (const std::shared_ptr<Work::Job>& job : waiting) {
    work_->End(job, absl::CancelledError(""), "");
  }
  const absl::Duration until = work_->parts.clock->Monotonic() + work_->limits.stop;
  {
    MutexLock lock(work_->mutex);
    while (!work_->jobs.empty()) {
      const absl::Duration left = until - work_->parts.clock->Monotonic();
      if (left <= absl::ZeroDuration()) break;
      work_->changed.WaitFor(work_->mutex, std::min(left, absl::Milliseconds(100)));
    }
    for (const auto& [name, job] : work_->jobs) {
      while (job->interrupt.count() < 2) job->interrupt.Request();
    }
    while (!work_->jobs.empty() || work_->threads > 0 || work_->endings > 0) {
      work_->changed.Wait(work_->mutex);
    }
  }
  work_->JoinEnded();
}

void SyncRunner::CutNow() {
  MutexLock lock(work_->mutex);
  for (const auto& [name, job] : work_->jobs) {
    while (job->interrupt.count() < 2) job->interrupt.Request();
  }
}

std::optional<std::string> BusySync(const absl::Status& status) {
  const auto payload = status.GetPayload(kBusyPayload);
  if (!payload.has_value()) return std::nullopt;
  return std::string(*payload);
}

}  // namespace tidemark
