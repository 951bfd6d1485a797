// The store beside the destination while a sync runs (protocol B of semantics.md section 6): after
// the destination's commit and before the acknowledgement it gets the same versions.
//
// A crash after each step, and what the next Begin() finds:
//   before the destination's commit       both as before                        equal
//   after it, before Append               the store is one group behind         rolled forward
//   inside Append (one atomic step)       the one or the other
//   after Append, before the acknowledgement                                    equal; the source
//                                         sends again what was not acknowledged, invariant I4
#ifndef TIDEMARK_STATE_OUTER_STORE_H_
#define TIDEMARK_STATE_OUTER_STORE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/clock.h"
#include "state/state_store.h"

namespace tidemark {

// Confined to one thread.
class OuterStore {
 public:
  struct Options {
    OwnershipRequest ownership;
    absl::Duration renew_every = absl::Seconds(10);  // at most a third of the store's lease
    // After a failure, the store is left alone for so long.
    absl::Duration pause = absl::Seconds(5);
  };

  // Opens the destination's own tables for reading; no connection to them outlives a comparison,
  // so that the destination can fold its log into its file when it closes.
  using Authority = std::function<absl::StatusOr<std::unique_ptr<StateStore>>()>;

  // `store` and `clock` are borrowed.
  OuterStore(StateStore& store, Authority authority, Clock& clock, Options options)
      : store_(store),
        open_authority_(std::move(authority)),
        clock_(clock),
        options_(std::move(options)) {}
  // The authority stays open; it is borrowed and needs no ownership.
  OuterStore(StateStore& store, StateStore& authority, Clock& clock, Options options)
      : store_(store), authority_(&authority), clock_(clock), options_(std::move(options)) {}
  ~OuterStore() { End(); }

  std::string Describe() const { return store_.Describe(); }

  // Becomes the holder and brings the store up to the authority.
  // REQUIRES: the destination is acquired, so that nobody else writes it.
  //   FAILED_PRECONDITION  somebody else works on it
  //   DATA_LOSS            the store is ahead of the destination, or forked: nothing was written
  absl::Status Begin();

  // The versions of one commit of the destination, bodies included.
  //   FAILED_PRECONDITION  FENCED
  //   DATA_LOSS            DIVERGED
  //   others               not stored; behind() is true until CatchUp() succeeds
  absl::Status Append(absl::Span<const VersionAppend> appends);

  // Invariant I2: while this is true nothing may be acknowledged.
  bool behind() const { return behind_; }
  // Copies what the store lacks; nothing to do when it is not behind.
  absl::Status CatchUp();
  // Whether `pause` has passed since the last failure.
  bool MayTryAgain() const { return clock_.Monotonic() - failed_ >= options_.pause; }

  // Extends the lease when it is time. FAILED_PRECONDITION: FENCED, or the server's settings have
  // become unsafe. A store that does not answer is no error here.
  absl::Status Renew();

  // Gives the connection back.
  void End();

 private:
  absl::Status Failed(absl::Status status);

  StateStore& store_;
  const Authority open_authority_;  // null: authority_ is there
  StateStore* const authority_ = nullptr;
  Clock& clock_;
  const Options options_;
  bool held_ = false;
  bool behind_ = false;
  absl::Duration renewed_;
  absl::Duration failed_ = -absl::InfiniteDuration();
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_OUTER_STORE_H_
