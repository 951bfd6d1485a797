// What a server does beside its work: looks at the folder of connections, forgets old syncs.
#ifndef TIDEMARK_SERVICE_HOUSEKEEPING_H_
#define TIDEMARK_SERVICE_HOUSEKEEPING_H_

#include <cstdint>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "control/log.h"
#include "core/mutex.h"
#include "service/connection_book.h"
#include "service/sync_book.h"

namespace tidemark {

// Thread-safe. One thread, "housekeeping", of its own so that a large folder or a long history
// delays no sync.
class Housekeeping {
 public:
  struct Parts {
    ConnectionBook* connections = nullptr;  // all borrowed
    SyncBook* syncs = nullptr;
    Log* log = nullptr;
    absl::Duration history_age = absl::InfiniteDuration();
    int64_t history_syncs = INT64_MAX;
    absl::Duration look_every = absl::Seconds(2);  // at the folder
    absl::Duration prune_every = absl::Minutes(1);
  };

  explicit Housekeeping(Parts parts) : parts_(parts) {}
  ~Housekeeping() { Stop(); }
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

  void Run();   // once
  void Stop();  // returns when the thread has ended
  // The folder is read at once, whether it looks changed or not.
  void ReloadSoon();

 private:
  void Loop();
  void Reload(bool asked);
  void Prune();

  const Parts parts_;
  std::string folder_problem_;  // said last; of the thread alone
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool reload_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_HOUSEKEEPING_H_
