// What a connector can do beside schema() and update(). A connector class that also derives from
// one of these gets the calls; TIDEMARK_EXPORT_CONNECTOR finds out by itself.
#ifndef TIDEMARK_ABILITIES_H_
#define TIDEMARK_ABILITIES_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/update_request.h"

namespace tidemark {
inline namespace sdk_v1 {

// Says before a sync whether the configuration works.
class Checkable {
 public:
  virtual ~Checkable() = default;
  // Reaches the source and may read a little. [instance]
  virtual absl::Status Check() = 0;
};

// How far the host has made things durable. Views are valid during the call.
struct Acknowledgement {
  uint64_t durable = 0;                // every checkpoint id up to here is committed; 0: none yet
  std::vector<StateEntry> releasable;  // what lies before these, the source may forget
};

// Hears of commits, so that the source can forget what is no longer needed.
class Acknowledgeable {
 public:
  virtual ~Acknowledgeable() = default;
  // [ack-thread] One call at a time, before, beside and after Update(). Must neither block nor use
  // the sink.
  virtual void Acknowledged(const Acknowledgement& acknowledgement) = 0;
};

// Wakes up a wait that the SDK does not know of (a blocked socket).
class Interruptible {
 public:
  virtual ~Interruptible() = default;
  // [any-thread] Update() then returns soon. request.Cancelled() is true already.
  virtual void Interrupt() = 0;
};

// Says whether the source can resume from entries of state (the log reaches back far enough, the
// body parses). Asked before each sync that has a state, and by `tidemark state validate` (L2).
class StateValidator {
 public:
  virtual ~StateValidator() = default;
  // [instance] OK, or why not; the code decides what the host does:
  // - OUT_OF_RANGE, NOT_FOUND, DATA_LOSS: what follows the position is gone at the source, or the
  //   body is damaged (class 7). Read again from the beginning where the connection allows it.
  // - FAILED_PRECONDITION: it is the position of another source, or of this one before it was
  //   replaced or restored (class 8). Never read again by itself.
  // - INVALID_ARGUMENT: a format that this connector does not know, of a newer one (class 10).
  //   Stops the sync.
  // - UNIMPLEMENTED: it cannot tell; the sync goes on.
  // - Any other code is no verdict on the state: it ends the sync as it would in Update(), and is
  //   tried again where it is transient.
  // With several entries, each is asked for alone too, so that only those that are refused are
  // begun again.
  virtual absl::Status ValidateState(absl::Span<const StateEntry> entries) = 0;
};

}  // namespace sdk_v1
}  // namespace tidemark

#endif  // TIDEMARK_ABILITIES_H_
