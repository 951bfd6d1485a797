#include "pipeline/sync.h"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/canary.h"
#include "core/failpoint.h"
#include "core/status_context.h"
#include "pipeline/backoff.h"
#include "pipeline/outcome.h"
#include "pipeline/sync_attempt.h"
#include "pipeline/sync_run.h"
#include "state/state_corruption.h"

namespace tidemark {
namespace {

constexpr absl::Duration kSleepStep = absl::Milliseconds(100);

// Retries of one sync: how many failures in a row, and what each kind of failure is worth.
class Retries {
 public:
  explicit Retries(SyncRun& run) : run_(run), backoff_(run.options.retry, run.random) {}

  // True when another attempt is due, after having waited for it.
  bool Again(const AttemptEnd& end) {
    if (end.interrupted || run_.interrupts() > 0) return false;
    if (end.without_table) return true;
    if (end.status.ok()) return false;
    if (end.moved) failures_ = 0;
    if (!Worth(end) || ++failures_ >= run_.options.retry.max_attempts) return false;
    const absl::Duration wait = backoff_.Wait(failures_, end.status);
    ++run_.outcome.retries;
    if (EndedByCrash(end)) ++run_.outcome.restarts;
    run_.Warn("", absl::StrCat("another attempt after: ", end.status.message()));
    run_.Log(1, "", absl::StrCat("the next attempt begins in ", absl::FormatDuration(wait)));
    PassFailpoint("sync.retry");
    return Sleep(wait);
  }

 private:
  bool Worth(const AttemptEnd& end) {
    if (end.side == FailedSide::kEngine) return false;
    if (end.side == FailedSide::kDestination) {
      // A full disk does not become empty by waiting a minute.
      return end.status.code() == absl::StatusCode::kAborted ||
             end.status.code() == absl::StatusCode::kUnavailable;
    }
    if (!IsTransportFailure(end.status)) return IsTransient(end.status);
    // A crash of the connector: once more, then it stops.
    return EndedByCrash(end) && !std::exchange(crashed_, true);
  }

  static bool EndedByCrash(const AttemptEnd& end) {
    return end.side == FailedSide::kConnector && IsTransportFailure(end.status) &&
           end.status.code() == absl::StatusCode::kAborted;
  }

  // In short steps; false when the sync was interrupted.
  bool Sleep(absl::Duration wait) {
    const absl::Duration until = run_.parts.clock->Monotonic() + wait;
    for (;;) {
      if (run_.interrupts() > 0) return false;
      // A lost lease is found again, and said, by the attempt itself.
      if (run_.parts.outer != nullptr) run_.parts.outer->Renew().IgnoreError();
      const absl::Duration left = until - run_.parts.clock->Monotonic();
      if (left <= absl::ZeroDuration()) return true;
      run_.parts.clock->Sleep(std::min(left, kSleepStep));
    }
  }

  SyncRun& run_;
  Backoff backoff_;
  int failures_ = 0;
  bool crashed_ = false;
};

absl::Status Acquire(SyncRun& run) {
  AcquireRequest request;
  request.connection = run.options.connection;
  request.holder = run.options.holder;
  request.take_over = run.options.take_over;
  auto acquired = run.parts.destination->Acquire(request);
  if (!acquired.ok()) return acquired.status();
  run.epoch = acquired->epoch;
  run.last_synced_us = acquired->last_synced_us;
  run.book.Load(*acquired);
  if (run.parts.outer != nullptr) {
    absl::Status outside = run.BeginOutside();
    if (!outside.ok() && request.take_over) {
      return WithContext(absl::StrCat("the destination has changed hands (epoch ", run.epoch,
                                      "), the store of the state has not"),
                         outside);
    }
    if (!outside.ok()) return outside;
  }
  for (StoredTable& stored : acquired->tables) {
    TableRun& table = run.Table(stored.table.source_name);
    table.truncate_before_us = stored.truncate_before_us;
    table.shared = stored.shared;
    table.stored = std::move(stored.table);
    table.known_only = true;
  }
  for (const std::string& sync : acquired->closed_syncs) {
    run.Log(2, "",
            absl::StrCat("the sync ", sync, " was found running without a process; it is ",
                         "closed as failed"));
  }
  if (absl::Status s = Failpoint("sync.begin"); !s.ok()) return s;
  absl::Status begun = run.parts.destination->BeginSync(RunningRecord(run));
  return begun.ok() ? Failpoint("sync.begun") : begun;
}

// Without its text where there is no memory for that either.
absl::Status OutOfMemory() {
  try {
    return absl::ResourceExhaustedError(
        "the engine ran out of memory; nothing is lost, the next sync goes on from the last "
        "commit: give the process more memory, or let the connector send smaller rows");
  } catch (const std::bad_alloc&) {
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }
}

// The failures of an allocation end here and in RunSync: what the attempt did not commit is rolled
// back by its destructor, and the process goes on.
AttemptEnd RunAttempt(SyncRun& run, uint32_t number) {
  try {
    SyncAttempt attempt(run, number);
    return attempt.Run();
  } catch (const std::bad_alloc&) {
    AttemptEnd end;
    if (!Canary("forget_that_memory_ran_out")) end.status = OutOfMemory();
    end.side = FailedSide::kEngine;
    return end;
  }
}

void RunAttempts(SyncRun& run) {
  Retries retries(run);
  AttemptEnd end;
  uint32_t attempt = 0;
  do {
    end = RunAttempt(run, ++attempt);
  } while (retries.Again(end));
  run.outcome.interrupted = end.interrupted || run.interrupts() > 0;
  if (!end.status.ok()) {
    if (end.side == FailedSide::kDestination) end.status = ClassifyCommitError(end.status);
    run.outcome.error = end.status;
    run.outcome.error_of_destination = end.side == FailedSide::kDestination;
    run.AddSyncError(end.status);
  }
}

}  // namespace

absl::string_view SyncStatusName(SyncStatus status) {
  switch (status) {
    case SyncStatus::kCompleted:
      return "completed";
    case SyncStatus::kPartial:
      return "partial";
    case SyncStatus::kFailed:
      return "failed";
  }
  return "failed";
}

namespace {

SyncOutcome RunToItsEnd(const SyncOptions& options, const SyncParts& parts) {
  SyncRun run(options, parts);
  run.outcome.sync_id =
      options.sync_id.empty() ? absl::StrCat("sync_", run.random.Hex(8)) : options.sync_id;
  run.outcome.started_at_us = run.NowUs();
  if (parts.observer != nullptr) parts.observer->OnBegin(run.outcome.sync_id);
  for (const std::string& warning : options.warnings) run.Warn("", warning);
  const absl::Status acquired = Acquire(run);
  if (acquired.ok()) {
    RunAttempts(run);
  } else {
    run.outcome.error = acquired;
    run.outcome.error_of_destination = true;
    run.AddError(acquired, "", "");
  }
  FinishOutcome(run);
  if (acquired.ok()) {
    absl::Status recorded = Failpoint("sync.record");
    if (recorded.ok()) recorded = parts.destination->FinishSync(FinishedRecord(run));
    PassFailpoint("sync.recorded");
    if (!recorded.ok()) {
      // The rows are safe; only their report is not.
      run.Warn("", absl::StrCat("the report could not be stored: ", recorded.message()));
      if (run.outcome.status == SyncStatus::kCompleted) run.outcome.status = SyncStatus::kPartial;
    }
  }
  if (parts.outer != nullptr) parts.outer->End();
  parts.destination->Release();
  PassFailpoint("sync.released");
  return std::move(run.outcome);
}

}  // namespace

SyncOutcome RunSync(const SyncOptions& options, const SyncParts& parts) {
  try {
    return RunToItsEnd(options, parts);
  } catch (const std::bad_alloc&) {
    // Not even a report can be made: the next start closes the sync as ended.
    SyncOutcome outcome;
    outcome.error = OutOfMemory();
    if (parts.outer != nullptr) parts.outer->End();
    parts.destination->Release();
    return outcome;
  }
}

}  // namespace tidemark
