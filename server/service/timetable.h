// When which connection syncs next: its schedule, what it missed, retries with growing pauses, and
// a circuit breaker. Decides only; the scheduler acts.
//
// Schedules follow the wall clock, pauses the steady one.
// - A start that passed while the server or the machine slept, while the clock was set forward or
//   while the connection's own sync ran, is made up for once.
// - A clock that was set back: every next start is found anew from the clock, and a start that was
//   made already is not made again (none within half the usual distance of two).
// - After a failure the schedule rests, and pauses grow with each failure in a row: 10 s, 20 s,
//   40 s, .. Where it may pass by itself, the connection is tried again after that (less a random
//   part, at most 10 min), before its schedule or behind it. Where it needs somebody
//   (configuration, credentials), at the first planned start after that (at most an hour).
// - After kBreakerOpens failures in a row that counts as an open circuit breaker. A success, a
//   changed definition or Resume() closes it.
// - Failures and what is left of a pause survive the end of the server (service/failure_rows.h).
// - A realtime connection begins at once, and again 5 s after its end, longer (up to a minute) when
//   nothing came.
#ifndef TIDEMARK_SERVICE_TIMETABLE_H_
#define TIDEMARK_SERVICE_TIMETABLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "control/schedule.h"
#include "core/random_bits.h"
#include "service/connection_standing.h"
#include "service/sync_entry.h"

namespace tidemark {

// Thread-compatible.
class Timetable {
 public:
  static constexpr int kBreakerOpens = 5;

  // Both clocks at one moment.
  struct Moment {
    absl::Time wall;
    absl::Duration steady;
  };
  struct Plan {
    Schedule schedule;
    uint64_t version = 0;  // of the definition
    bool rests = false;    // paused, not valid, or not to be started by us
  };
  struct Start {
    std::string connection;
    SyncTrigger trigger = SyncTrigger::kSchedule;
    bool continuous = false;
  };
  enum class Ending {
    kDone,
    kNothingCame,    // done, without a row
    kStopped,        // somebody stopped it
    kHeldElsewhere,  // another server works on the connection
    kMayPass,        // failed; worth another try
    kNeedsSomebody,  // failed; by itself it fails again
  };

  // `random` is borrowed.
  explicit Timetable(RandomBits* random) : random_(random) {}

  // Adds a connection, or replaces its plan. `since`: its last start or change; starts after it
  // that have passed are missed. Only read for a new one.
  void Set(const std::string& connection, const Plan& plan, absl::Time since, Moment now);
  void Remove(absl::string_view connection);
  // Begins as soon as possible: it was interrupted by the end of the server.
  void BeginSoon(absl::string_view connection, Moment now);
  // It had failed so often in a row when the server ended, and rests for `pause` from now on.
  void Restore(absl::string_view connection, int failures, absl::Duration pause, Moment now);
  // Closes the breaker; what failed is tried at once.
  void Resume(absl::string_view connection, Moment now);

  // What is to be started now; each is taken once.
  std::vector<Start> TakeDue(Moment now);
  // A start was refused (RESOURCE_EXHAUSTED, a race): tried again a little later.
  void PutBack(absl::string_view connection, Moment now);
  void OnStarted(absl::string_view connection, absl::string_view sync_id, Moment now);
  void OnEnded(absl::string_view connection, absl::string_view sync_id, Ending ending, Moment now);

  // How long nothing becomes due, unless the clock is set.
  absl::Duration Patience(Moment now) const;
  ConnectionStanding StandingOf(absl::string_view connection, Moment now) const;
  // How far the clock was set between the last two TakeDue(); zero: it was not.
  absl::Duration clock_step() const { return clock_step_; }
  std::vector<std::string> connections() const;

 private:
  struct Line {
    Plan plan;
    absl::Time next = absl::InfiniteFuture();         // by its schedule
    absl::Duration again = absl::InfiniteDuration();  // steady: a retry, a trial, a realtime start
    SyncTrigger again_as = SyncTrigger::kRetry;
    absl::Duration started = -absl::InfiniteDuration();  // steady
    std::string sync_id;  // of the one that runs or waits; empty: none
    bool taken = false;   // by TakeDue, and not yet started
    int failures = 0;     // in a row
    int quiet = 0;        // realtime: ends in a row without a row
    bool open() const { return failures >= kBreakerOpens; }  // the breaker
  };

  void Replan(Line& line, Moment now) const;
  absl::Duration PauseAfter(const Line& line);
  static bool Due(const Line& line, Moment now);

  RandomBits* const random_;
  std::map<std::string, Line, std::less<>> lines_;
  Moment last_{absl::InfinitePast(), absl::ZeroDuration()};
  absl::Duration clock_step_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_TIMETABLE_H_
