#include "service/housekeeping.h"

#include <malloc.h>
#include <pthread.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/clock.h"

namespace tidemark {
namespace {

constexpr size_t kNamesLogged = 20;
constexpr absl::Duration kTrimEvery = absl::Seconds(10);

}  // namespace

void Housekeeping::Run() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "housekeeping");
    Loop();
  });
}

void Housekeeping::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Housekeeping::ReloadSoon() {
  MutexLock lock(mutex_);
  reload_ = true;
  changed_.SignalAll();
}

void Housekeeping::Loop() {
  absl::Duration pruned = Clock::Real().Monotonic();
  absl::Duration trimmed = pruned;
  while (true) {
    bool asked = false;
    {
      MutexLock lock(mutex_);
      if (!stopping_ && !reload_) changed_.WaitFor(mutex_, parts_.look_every);
      if (stopping_) return;
      asked = std::exchange(reload_, false);
    }
    Reload(asked);
    const absl::Duration now = Clock::Real().Monotonic();
    if (now - trimmed >= kTrimEvery) {
      malloc_trim(0);  // what ended syncs have freed goes back to the system
      trimmed = now;
    }
    if (now - pruned < parts_.prune_every) continue;
    Prune();
    pruned = now;
  }
}

void Housekeeping::Reload(bool asked) {
  if (std::string problem = parts_.connections->FolderProblem(); problem != folder_problem_) {
    if (!problem.empty()) parts_.log->Write(LogLevel::kError, {}, problem);
    folder_problem_ = std::move(problem);
  }
  if (!asked && !parts_.connections->Changed()) return;
  absl::StatusOr<std::vector<std::string>> names = parts_.connections->Reload();
  if (!names.ok()) {
    parts_.log->Write(LogLevel::kError, {},
                      absl::StrCat("the connections could not be read again, nothing changed: ",
                                   names.status().message()));
    return;
  }
  if (names->empty()) {
    if (asked) parts_.log->Write(LogLevel::kInfo, {}, "connections read again: none has changed");
    return;
  }
  for (const std::string& name : *names) {
    const absl::StatusOr<ConnectionEntry> entry = parts_.connections->Get(name);
    if (!entry.ok() || entry->problem.empty()) continue;
    parts_.log->Write(LogLevel::kError, {name, "", ""},
                      absl::StrCat("the connection is not valid",
                                   entry->usable ? ", its last valid definition goes on" : "", ": ",
                                   entry->problem));
  }
  const size_t count = names->size();
  if (count > kNamesLogged) names->resize(kNamesLogged);
  parts_.log->Write(LogLevel::kInfo, {},
                    absl::StrCat("connections read again, ", count, " changed: ",
                                 absl::StrJoin(*names, ", "), count > kNamesLogged ? ", ..." : ""));
}

void Housekeeping::Prune() {
  absl::Status pruned = parts_.syncs->Prune(parts_.history_age, parts_.history_syncs);
  if (!pruned.ok()) {
    parts_.log->Write(LogLevel::kError, {},
                      absl::StrCat("old syncs could not be removed: ", pruned.message()));
  }
}

}  // namespace tidemark
