// Connections of one process that write into the same SQLite file take turns, first come, first
// served. SQLite itself lets whoever asks at the right moment write next: beside a connection that
// begins its next transaction at once, another one waits for ever.
#ifndef TIDEMARK_CONTROL_WRITE_TURNS_H_
#define TIDEMARK_CONTROL_WRITE_TURNS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/mutex.h"
#include "destination/destination.h"

namespace tidemark {

// Thread-safe; outlives its turns.
class WriteTurns {
 public:
  // Longer than a commit group stays open without need, shorter than the leases of outer stores,
  // which are not renewed meanwhile.
  explicit WriteTurns(absl::Duration patience = absl::Seconds(20)) : patience_(patience) {}
  WriteTurns(const WriteTurns&) = delete;
  WriteTurns& operator=(const WriteTurns&) = delete;

  // Ends when it is destroyed.
  class Turn {
   public:
    ~Turn() { turns_->End(path_); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    friend class WriteTurns;
    Turn(WriteTurns* turns, std::string path) : turns_(turns), path_(std::move(path)) {}
    WriteTurns* const turns_;
    const std::string path_;
  };

  // Waits for the turn of `who` to write into `path`. UNAVAILABLE: it did not come in time; names
  // who writes.
  absl::StatusOr<std::unique_ptr<Turn>> Take(const std::string& path, absl::string_view who);
  // How many wait for their turn.
  size_t waiting(const std::string& path) const;

 private:
  struct Line {
    std::string writer;  // who has the turn; empty: nobody
    std::deque<uint64_t> waiting;
  };
  void End(const std::string& path);

  const absl::Duration patience_;
  mutable Mutex mutex_;
  CondVar changed_;
  uint64_t last_ticket_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, Line> lines_ ABSL_GUARDED_BY(mutex_);  // by path; only those in use
};

// A destination that takes a turn for each of its transactions. `path` is of its file; `turns` and
// `inner` are borrowed.
std::unique_ptr<Destination> WriteInTurns(const std::string& path, WriteTurns* turns,
                                          Destination* inner);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_WRITE_TURNS_H_
