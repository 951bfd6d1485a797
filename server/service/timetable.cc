#include "service/timetable.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace tidemark {
namespace {

constexpr absl::Duration kFirstPause = absl::Seconds(10);
constexpr absl::Duration kLongestPause = absl::Minutes(10);
constexpr absl::Duration kLongestVainPause = absl::Hours(1);
constexpr absl::Duration kRealtimePause = absl::Seconds(5);
constexpr absl::Duration kLongestRealtimePause = absl::Minutes(1);
constexpr absl::Duration kPutBackPause = absl::Seconds(5);
constexpr absl::Duration kClockIsSet = absl::Seconds(1);  // more than clocks drift between looks

absl::Duration Doubled(absl::Duration first, int times, absl::Duration longest) {
  absl::Duration pause = first;
  for (int i = 0; i < times && pause < longest; ++i) pause *= 2;
  return std::min(pause, longest);
}

bool IsRealtime(const Schedule& schedule) { return schedule.kind() == Schedule::Kind::kRealtime; }

}  // namespace

void Timetable::Set(const std::string& connection, const Plan& plan, absl::Time since, Moment now) {
  const auto [place, fresh] = lines_.try_emplace(connection);
  Line& line = place->second;
  const bool changed = fresh || line.plan.version != plan.version;
  const bool wakes = !fresh && line.plan.rests && !plan.rests;
  const bool rescheduled = fresh || line.plan.schedule.text() != plan.schedule.text();
  const bool failed = line.failures > 0;
  line.plan = plan;
  // A start before `since` was made. What passed while it was paused is not made up for.
  if (rescheduled || wakes || changed) line.next = plan.schedule.Next(fresh ? since : now.wall);
  if (!changed && !wakes) return;
  line.failures = line.quiet = 0;
  line.again = absl::InfiniteDuration();
  if (IsRealtime(plan.schedule) || (failed && plan.schedule.kind() != Schedule::Kind::kManual)) {
    line.again = now.steady;
    line.again_as = failed ? SyncTrigger::kRetry : SyncTrigger::kSchedule;
  }
}

void Timetable::Remove(absl::string_view connection) {
  const auto found = lines_.find(connection);
  if (found != lines_.end()) lines_.erase(found);
}

void Timetable::BeginSoon(absl::string_view connection, Moment now) {
  const auto found = lines_.find(connection);
  if (found == lines_.end()) return;
  found->second.again = now.steady;
  found->second.again_as = SyncTrigger::kRetry;
}

void Timetable::Restore(absl::string_view connection, int failures, absl::Duration pause,
                        Moment now) {
  const auto found = lines_.find(connection);
  if (found == lines_.end()) return;
  Line& line = found->second;
  line.failures = failures;
  line.again = absl::InfiniteDuration();
  if (line.plan.schedule.kind() == Schedule::Kind::kManual) return;
  // However the clock was set since: no longer than the longest there is.
  const absl::Time planned = line.plan.schedule.Next(now.wall + kLongestVainPause);
  const absl::Duration longest =
      planned < absl::InfiniteFuture() ? planned - now.wall : kLongestVainPause;
  line.again = now.steady + std::clamp(pause, absl::ZeroDuration(), longest);
  line.again_as = SyncTrigger::kRetry;
}

void Timetable::Resume(absl::string_view connection, Moment now) {
  const auto found = lines_.find(connection);
  if (found == lines_.end() || found->second.failures == 0) return;
  Line& line = found->second;
  line.failures = 0;
  line.next = line.plan.schedule.Next(now.wall);
  if (line.plan.schedule.kind() == Schedule::Kind::kManual) return;
  line.again = now.steady;
  line.again_as = SyncTrigger::kRetry;
}

bool Timetable::Due(const Line& line, Moment now) {
  if (line.plan.rests || line.taken || !line.sync_id.empty()) return false;
  return line.again <= now.steady || (line.failures == 0 && line.next <= now.wall);
}

void Timetable::Replan(Line& line, Moment now) const {
  line.next = line.plan.schedule.Next(now.wall);
  // Three usual distances are what counts as standing still.
  const absl::Duration apart = line.plan.schedule.StaleAfter() / 6;
  if (apart == absl::InfiniteDuration()) return;
  for (int i = 0; i < 1000 && line.next < absl::InfiniteFuture(); ++i) {
    if ((line.next - now.wall) + (now.steady - line.started) >= apart) return;
    line.next = line.plan.schedule.Next(line.next);
  }
}

std::vector<Timetable::Start> Timetable::TakeDue(Moment now) {
  clock_step_ = absl::ZeroDuration();
  if (last_.wall != absl::InfinitePast()) {
    const absl::Duration step = (now.wall - last_.wall) - (now.steady - last_.steady);
    if (absl::AbsDuration(step) > kClockIsSet) clock_step_ = step;
  }
  last_ = now;
  std::vector<Start> due;
  for (auto& [name, line] : lines_) {
    if (clock_step_ < absl::ZeroDuration() && line.next < absl::InfiniteFuture()) {
      Replan(line, now);
    }
    if (!Due(line, now)) continue;
    Start& start = due.emplace_back();
    start.connection = name;
    start.trigger = line.again <= now.steady ? line.again_as : SyncTrigger::kSchedule;
    start.continuous = IsRealtime(line.plan.schedule);
    line.taken = true;
    line.again = absl::InfiniteDuration();
    if (line.next <= now.wall) line.next = line.plan.schedule.Next(now.wall);
  }
  return due;
}

void Timetable::PutBack(absl::string_view connection, Moment now) {
  const auto found = lines_.find(connection);
  if (found == lines_.end()) return;
  found->second.taken = false;
  found->second.again = now.steady + kPutBackPause;
  found->second.again_as = SyncTrigger::kSchedule;
}

void Timetable::OnStarted(absl::string_view connection, absl::string_view sync_id, Moment now) {
  const auto found = lines_.find(connection);
  if (found == lines_.end()) return;
  Line& line = found->second;
  line.taken = false;
  line.sync_id = std::string(sync_id);
  line.started = now.steady;
}

void Timetable::OnEnded(absl::string_view connection, absl::string_view sync_id, Ending ending,
                        Moment now) {
  const auto found = lines_.find(connection);
  if (found == lines_.end()) return;
  Line& line = found->second;
  if (line.sync_id == sync_id) line.sync_id.clear();
  line.taken = false;  // it may have ended while it waited
  const Schedule& schedule = line.plan.schedule;
  const bool realtime = IsRealtime(schedule);
  line.again_as = realtime ? SyncTrigger::kSchedule : SyncTrigger::kRetry;
  switch (ending) {
    case Ending::kDone:
    case Ending::kNothingCame:
      // What passed while it failed is made up for.
      if (line.failures > 0) line.next = schedule.Next(now.wall);
      line.failures = 0;
      line.quiet = ending == Ending::kNothingCame ? line.quiet + 1 : 0;
      line.again = absl::InfiniteDuration();
      if (realtime) {
        line.again = now.steady +
                     Doubled(kRealtimePause, std::max(0, line.quiet - 1), kLongestRealtimePause);
      }
      return;
    case Ending::kStopped:
    case Ending::kHeldElsewhere:
      // It may have been stopped to begin again with a new definition.
      if (realtime) line.again = std::min(line.again, now.steady + kRealtimePause);
      if (line.failures > 0) line.again = std::min(line.again, now.steady + PauseAfter(line));
      return;
    case Ending::kMayPass:
    case Ending::kNeedsSomebody:
      break;
  }
  ++line.failures;
  line.again = absl::InfiniteDuration();
  if (schedule.kind() == Schedule::Kind::kManual) return;
  line.again_as = SyncTrigger::kRetry;
  if (ending == Ending::kMayPass) {
    line.again = now.steady + PauseAfter(line);
    return;
  }
  const absl::Duration pause = Doubled(kFirstPause, line.failures - 1, kLongestVainPause);
  line.again = now.steady + (realtime ? std::max(pause, kLongestPause)
                                      : schedule.Next(now.wall + pause) - now.wall);
  line.again_as = SyncTrigger::kSchedule;
}

absl::Duration Timetable::PauseAfter(const Line& line) {
  const absl::Duration pause = Doubled(kFirstPause, line.failures - 1, kLongestPause);
  return pause * (0.75 + 0.25 * random_->Unit());
}

absl::Duration Timetable::Patience(Moment now) const {
  absl::Duration patience = absl::InfiniteDuration();
  for (const auto& [name, line] : lines_) {
    if (line.plan.rests || line.taken || !line.sync_id.empty()) continue;
    patience = std::min(patience, line.again - now.steady);
    if (line.failures == 0) patience = std::min(patience, line.next - now.wall);
  }
  return std::max(patience, absl::ZeroDuration());
}

ConnectionStanding Timetable::StandingOf(absl::string_view connection, Moment now) const {
  ConnectionStanding standing;
  const auto found = lines_.find(connection);
  if (found == lines_.end()) return standing;
  const Line& line = found->second;
  standing.failures_in_a_row = static_cast<uint32_t>(line.failures);
  standing.breaker_open = line.open();
  if (line.plan.rests) return standing;
  if (line.failures == 0) standing.next_sync_at = line.next;
  if (line.again < absl::InfiniteDuration()) {
    standing.next_sync_at = std::min(
        standing.next_sync_at, now.wall + std::max(absl::ZeroDuration(), line.again - now.steady));
  }
  return standing;
}

std::vector<std::string> Timetable::connections() const {
  std::vector<std::string> names;
  names.reserve(lines_.size());
  for (const auto& [name, line] : lines_) names.push_back(name);
  return names;
}

}  // namespace tidemark
