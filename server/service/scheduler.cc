#include "service/scheduler.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

constexpr absl::Duration kLongestWait = absl::Milliseconds(500);
constexpr size_t kPage = 500;
constexpr char kIngest[] = "ingest";  // connections that programs push into

Timetable::Ending EndingOf(const SyncEntry& sync) {
  if (sync.held_elsewhere) return Timetable::Ending::kHeldElsewhere;
  if (sync.interrupted) return Timetable::Ending::kStopped;
  if (sync.phase != SyncPhase::kFailed) {
    return sync.counts.Sum() == 0 ? Timetable::Ending::kNothingCame : Timetable::Ending::kDone;
  }
  return sync.may_pass ? Timetable::Ending::kMayPass : Timetable::Ending::kNeedsSomebody;
}

// A sync of a schedule, a call or a retry that the end of the server cut off.
bool WasCutOff(const SyncEntry& sync) {
  const bool ours = sync.trigger == SyncTrigger::kSchedule || sync.trigger == SyncTrigger::kCall ||
                    sync.trigger == SyncTrigger::kRetry;
  return ours && sync.interrupted && sync.error_code == absl::StatusCode::kAborted &&
         !sync.narrowed;
}

}  // namespace

Scheduler::Scheduler(Parts parts)
    : parts_(parts), timetable_(parts.random == nullptr ? &RandomBits::Real() : parts.random) {}

Scheduler::~Scheduler() { Stop(); }

void Scheduler::TakeOver(const ConnectionEntry& entry) {
  const Timetable::Moment now = Now();
  Timetable::Plan plan;
  plan.schedule = entry.schedule;
  plan.version = entry.version;
  plan.rests = entry.paused || !entry.usable || entry.connector == kIngest;
  const std::optional<SyncEntry> last = parts_.syncs->Last(entry.name);
  int64_t since_us = entry.changed_at_us;
  if (last.has_value()) since_us = std::max(since_us, last->queued_at_us);
  // A time in the future is of a clock that was set since.
  const absl::Time since = std::min(absl::FromUnixMicros(since_us), now.wall);
  MutexLock lock(mutex_);
  timetable_.Set(entry.name, plan, since, now);
  versions_[entry.name] = entry.version;
}

void Scheduler::Restore() {
  if (parts_.catalog == nullptr) return;
  std::vector<FailureRow> rows;
  const absl::Status read = parts_.catalog->With([&rows](SqliteConnection& catalog) {
    absl::StatusOr<std::vector<FailureRow>> stored = ReadFailureRows(catalog);
    if (!stored.ok()) return stored.status();
    rows = *std::move(stored);
    return absl::OkStatus();
  });
  if (!read.ok()) {
    parts_.log->Write(LogLevel::kWarning, {},
                      absl::StrCat("what failed before is not known: ", read.message()));
  }
  for (const FailureRow& row : rows) {
    {
      MutexLock lock(kept_mutex_);
      kept_[row.connection] = row;
    }
    bool same = false;
    {
      MutexLock lock(mutex_);
      const auto known = versions_.find(row.connection);
      same = known != versions_.end() && known->second == row.version;
      const Timetable::Moment now = Now();
      if (same) {
        timetable_.Restore(row.connection, row.failures,
                           absl::FromUnixMicros(row.again_at_us) - now.wall, now);
      }
    }
    if (!same) Keep(row.connection);  // another definition since, or none
  }
}

void Scheduler::Keep(const std::string& connection) {
  if (parts_.catalog == nullptr) return;
  MutexLock keeping(kept_mutex_);
  FailureRow row;
  row.connection = connection;
  {
    MutexLock lock(mutex_);
    const ConnectionStanding standing = timetable_.StandingOf(connection, Now());
    row.failures = static_cast<int>(standing.failures_in_a_row);
    row.again_at_us = standing.next_sync_at == absl::InfiniteFuture()
                          ? 0
                          : absl::ToUnixMicros(standing.next_sync_at);
    const auto version = versions_.find(connection);
    if (version != versions_.end()) row.version = version->second;
  }
  const auto kept = kept_.find(connection);
  if (row.failures == 0 ? kept == kept_.end() : kept != kept_.end() && kept->second == row) return;
  const absl::Status stored = parts_.catalog->Transaction(
      [&row](SqliteConnection& catalog) { return WriteFailureRow(catalog, row); });
  if (!stored.ok()) {
    parts_.log->Write(LogLevel::kWarning, {connection, "", ""},
                      absl::StrCat("failures in a row could not be stored: ", stored.message()));
    return;
  }
  if (row.failures == 0) {
    kept_.erase(kept);
  } else {
    kept_[connection] = std::move(row);
  }
}

void Scheduler::Load() {
  LoadConnections();
  Restore();
}

void Scheduler::LoadConnections() {
  std::string after;
  while (true) {
    const std::vector<ConnectionEntry> page = parts_.connections->List(after, kPage);
    if (page.empty()) return;
    for (const ConnectionEntry& entry : page) {
      TakeOver(entry);
      const std::optional<SyncEntry> last = parts_.syncs->Last(entry.name);
      if (!last.has_value() || !WasCutOff(*last)) continue;
      MutexLock lock(mutex_);
      timetable_.BeginSoon(entry.name, Now());
      if (last->full) full_again_.insert(entry.name);
    }
    after = page.back().name;
  }
}

void Scheduler::Run() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "schedule");
    Loop();
  });
}

void Scheduler::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Scheduler::Loop() {
  while (true) {
    Step();
    MutexLock lock(mutex_);
    if (!woken_ && !stopping_) {
      changed_.WaitFor(mutex_, std::min(kLongestWait, timetable_.Patience(Now())));
    }
    woken_ = false;
    if (stopping_) return;
  }
}

void Scheduler::Step() {
  std::vector<Timetable::Start> due;
  absl::Duration step;
  {
    MutexLock lock(mutex_);
    if (stopping_) return;
    due = timetable_.TakeDue(Now());
    step = timetable_.clock_step();
  }
  if (step != absl::ZeroDuration()) {
    parts_.log->Write(
        LogLevel::kWarning, {},
        absl::StrCat(
            "the clock was set ", step < absl::ZeroDuration() ? "back" : "forward", " by ",
            absl::FormatDuration(absl::Trunc(absl::AbsDuration(step), absl::Milliseconds(1))),
            ", or the machine was asleep: missed syncs are made up for once"));
  }
  for (const Timetable::Start& start : due) Begin(start);
}

void Scheduler::Begin(const Timetable::Start& start) {
  SyncRequest request;
  request.connection = start.connection;
  request.trigger = start.trigger;
  request.continuous = start.continuous;
  request.started_by = "schedule";
  {
    MutexLock lock(mutex_);
    request.full = full_again_.erase(start.connection) > 0;
  }
  const absl::StatusOr<SyncEntry> started = parts_.runner->Start(request);
  if (started.ok()) return;
  // Somebody else's sync of it runs: its end lets us go on.
  const std::optional<std::string> busy = BusySync(started.status());
  if (!busy.has_value()) {
    parts_.log->Write(LogLevel::kWarning, {start.connection, "", ""},
                      absl::StrCat("the sync was not begun: ", started.status().message()));
  }
  {
    MutexLock lock(mutex_);
    if (busy.has_value()) {
      timetable_.OnStarted(start.connection, *busy, Now());
    } else {
      timetable_.PutBack(start.connection, Now());
    }
  }
  if (busy.has_value() && parts_.runner->BusyWith(start.connection) != busy) {
    MutexLock lock(mutex_);  // it ended before we noted it
    timetable_.OnEnded(start.connection, *busy, Timetable::Ending::kStopped, Now());
    timetable_.PutBack(start.connection, Now());
  }
}

void Scheduler::OnConnectionsChanged(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const absl::StatusOr<ConnectionEntry> entry = parts_.connections->Get(name);
    if (!entry.ok()) {
      {
        MutexLock lock(mutex_);
        timetable_.Remove(name);
        versions_.erase(name);
        full_again_.erase(name);
      }
      Keep(name);
      parts_.runner->StopConnection(name);
      continue;
    }
    bool ends = entry->paused;
    if (entry->schedule.kind() == Schedule::Kind::kRealtime) {
      MutexLock lock(mutex_);
      const auto known = versions_.find(name);
      ends = ends || (known != versions_.end() && known->second != entry->version);
    }
    TakeOver(*entry);
    Keep(name);
    if (!ends) continue;
    const std::optional<std::string> running = parts_.runner->BusyWith(name);
    if (running.has_value()) parts_.runner->StopSync(*running, false).IgnoreError();
  }
  MutexLock lock(mutex_);
  woken_ = true;
  changed_.SignalAll();
}

void Scheduler::Resume(absl::string_view connection) {
  {
    MutexLock lock(mutex_);
    timetable_.Resume(connection, Now());
    woken_ = true;
    changed_.SignalAll();
  }
  Keep(std::string(connection));
}

ConnectionStanding Scheduler::StandingOf(absl::string_view connection) {
  MutexLock lock(mutex_);
  return timetable_.StandingOf(connection, Now());
}

void Scheduler::OnSyncStarted(const SyncEntry& sync) {
  if (!sync.producer.empty()) return;
  MutexLock lock(mutex_);
  timetable_.OnStarted(sync.connection, sync.sync_id, Now());
}

void Scheduler::OnSyncEnded(const SyncEntry& sync, const SyncOutcome*) {
  if (!sync.producer.empty()) return;
  bool opened = false;
  {
    MutexLock lock(mutex_);
    const bool open = timetable_.StandingOf(sync.connection, Now()).breaker_open;
    timetable_.OnEnded(sync.connection, sync.sync_id, EndingOf(sync), Now());
    opened = !open && timetable_.StandingOf(sync.connection, Now()).breaker_open;
    woken_ = true;
    changed_.SignalAll();
  }
  Keep(sync.connection);
  if (!opened) return;
  parts_.log->Write(LogLevel::kError, {sync.connection, "", ""},
                    absl::StrCat("failed ", Timetable::kBreakerOpens,
                                 " times in a row: from now on only single trials, longer and "
                                 "longer apart, until one succeeds or it is resumed"));
}

}  // namespace tidemark
