// Takes notices out of the store and gives them to their channels, in order, until they are taken.
#ifndef TIDEMARK_WEB_ALERT_DELIVERY_H_
#define TIDEMARK_WEB_ALERT_DELIVERY_H_

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "control/log.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "web/alert_notice.h"
#include "web/alert_store.h"

namespace tidemark {

// Thread-safe. A channel that does not answer holds up its own notices only.
class AlertDelivery {
 public:
  using Channels = std::map<std::string, std::unique_ptr<AlertChannel>>;
  struct Parts {
    AlertStore* store = nullptr;  // all borrowed
    Log* log = nullptr;
    Clock* clock = nullptr;
  };

  // Pauses between attempts double from the first to the longest; a notice that could not be given
  // away for so long goes with an error in the log.
  static constexpr absl::Duration kFirstPause = absl::Seconds(2);
  static constexpr absl::Duration kLongestPause = absl::Minutes(10);
  static constexpr absl::Duration kGiveUp = absl::Hours(24);

  AlertDelivery(Channels channels, Parts parts);
  ~AlertDelivery();  // Stop()s
  AlertDelivery(const AlertDelivery&) = delete;
  AlertDelivery& operator=(const AlertDelivery&) = delete;

  // Gives away what is due for one channel. Returns when to look again: InfiniteFuture, nothing
  // waits. Not while its thread runs.
  absl::Time DeliverDue(const std::string& channel);

  // One thread for each channel; once.
  void Start();
  // There may be something new.
  void Wake();
  // Returns when what is on its way has arrived or failed.
  void Stop();

 private:
  void Run(const std::string& channel);
  bool stopping();
  // What became of an attempt; returns the status of the store.
  absl::Status Settle(const std::string& channel, PendingNotice notice, const absl::Status& sent);

  const Channels channels_;
  const Parts parts_;
  std::vector<std::thread> threads_;
  Mutex mutex_;
  CondVar wake_;
  uint64_t wakes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark

#endif  // TIDEMARK_WEB_ALERT_DELIVERY_H_
