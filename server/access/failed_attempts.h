// How often a peer may fail to prove who it is before it has to wait.
#ifndef TIDEMARK_ACCESS_FAILED_ATTEMPTS_H_
#define TIDEMARK_ACCESS_FAILED_ATTEMPTS_H_

#include <array>
#include <cstddef>
#include <list>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/clock.h"
#include "core/mutex.h"

namespace tidemark {

// The address a peer is counted under, from gRPC's or our own spelling ("ipv4:10.1.2.3:5000",
// "ipv6:%5B2001:db8::1%5D:5000", "unix:/run/x", "10.1.2.3:5000"): without the port; of IPv6 the
// first 64 bits, for a single host has the others to choose from; IPv4 inside of IPv6 as IPv4.
std::string PeerAddress(absl::string_view peer);

// After kFailures failures within kWindow a peer is refused for kFirstPause; each failure behind
// that pause doubles the next one, up to kLongestPause, until the peer has not failed for
// kForgetAfter. What is refused is no failure: who only repeats gets in again after the pause. A
// success forgets nothing, or one valid token would let its holder try others without end.
// The memory is bounded: of more than kPeers the one whose last failure is the oldest is forgotten.
// Thread-safe.
class FailedAttempts {
 public:
  static constexpr size_t kFailures = 10;
  static constexpr absl::Duration kWindow = absl::Minutes(1);
  static constexpr absl::Duration kFirstPause = absl::Seconds(5);
  static constexpr absl::Duration kLongestPause = absl::Minutes(5);
  static constexpr absl::Duration kForgetAfter = absl::Minutes(15);
  static constexpr size_t kPeers = 10'000;

  // The clock must outlive it.
  explicit FailedAttempts(Clock& clock) : clock_(clock) {}

  // Before the peer's proof is looked at: OK, or RESOURCE_EXHAUSTED with the wait that is left,
  // also as RetryAfter() (core/status_context.h). `peer` as PeerAddress() gives it.
  absl::Status Check(absl::string_view peer);
  // The proof was wrong.
  void AddFailure(absl::string_view peer);

  size_t size() const;  // peers remembered

 private:
  struct Peer {
    std::string address;
    std::array<absl::Duration, kFailures> times;  // of the last failures, a ring
    size_t failures = 0;                          // since the peer is remembered
    absl::Duration pause;                         // the last one; zero: none yet
    absl::Duration paused_until;
  };

  Clock& clock_;
  mutable Mutex mutex_;
  std::list<Peer> peers_ ABSL_GUARDED_BY(mutex_);  // the most recent failure first
  absl::flat_hash_map<std::string, std::list<Peer>::iterator> by_address_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_FAILED_ATTEMPTS_H_
