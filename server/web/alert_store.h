// The open incidents of a server and the notices that have not left it yet, in its catalog.
#ifndef TIDEMARK_WEB_ALERT_STORE_H_
#define TIDEMARK_WEB_ALERT_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/catalog.h"
#include "web/alert_notice.h"

namespace tidemark {

// A condition that holds: of one rule and one connection (empty: of the server).
struct Incident {
  std::string rule;
  std::string connection;
  int64_t since_us = 0;    // when the condition began to hold
  int64_t noticed_us = 0;  // when it was said last; 0: AlertRule::hold has not passed yet
  std::string text;
};

// A notice on its way to one channel.
struct PendingNotice {
  int64_t number = 0;  // in order
  int64_t attempts = 0;
  int64_t next_us = 0;  // not before
  AlertNotice notice;
};

// Thread-safe.
class AlertStore {
 public:
  // Of one channel; the oldest go first.
  static constexpr int64_t kPending = 1'000;

  struct Change {
    Incident incident;
    bool over = false;  // the incident is gone
    // What is to be said, to whom.
    std::optional<AlertNotice> notice;
    std::vector<std::string> channels;
  };

  // `catalog` is borrowed.
  static absl::StatusOr<std::unique_ptr<AlertStore>> Open(Catalog* catalog);

  absl::StatusOr<std::vector<Incident>> Incidents();
  // All of them, or none.
  absl::Status Apply(const std::vector<Change>& changes);

  // The oldest notice for the channel, if any.
  absl::StatusOr<std::optional<PendingNotice>> First(const std::string& channel);
  absl::Status Postpone(const PendingNotice& notice);
  absl::Status Remove(int64_t number);
  // Notices for channels that are not among these will never leave: they go.
  absl::StatusOr<int64_t> KeepOnly(const std::vector<std::string>& channels);

 private:
  explicit AlertStore(Catalog* catalog) : catalog_(*catalog) {}

  Catalog& catalog_;
};

}  // namespace tidemark

#endif  // TIDEMARK_WEB_ALERT_STORE_H_
