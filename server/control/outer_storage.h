// The store that `state.storage` names beside the destination (protocol B of semantics.md
// section 6): opened, and brought together with the destination before a sync.
#ifndef TIDEMARK_CONTROL_OUTER_STORAGE_H_
#define TIDEMARK_CONTROL_OUTER_STORAGE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/connection.h"
#include "core/clock.h"
#include "pipeline/change_source.h"
#include "state/outer_store.h"
#include "state/state_store.h"

namespace tidemark {

// Null where the destination alone keeps the state. Touches and connects to nothing yet.
absl::StatusOr<std::unique_ptr<StateStore>> OpenOuterStateStore(const Connection& connection,
                                                                bool read_only);

// The address of a store as OpenOuterStateStore would take it: INVALID_ARGUMENT or UNIMPLEMENTED
// says what is wrong without repeating it.
absl::Status CheckStorageAddress(const StorageSettings& storage);

// Lends RunSync the outer store. Confined to one thread.
class OuterStorage {
 public:
  // Null where the destination alone keeps the state.
  static absl::StatusOr<std::unique_ptr<OuterStorage>> Open(const Connection& connection,
                                                            const std::string& holder,
                                                            bool take_over,
                                                            Clock& clock = Clock::Real());

  OuterStore* store() { return outer_.get(); }

  // Where the destination was replaced by an older copy, the store is ahead of it: both are rewound
  // to the destination's state, provided that the connector of `source` says it can go on from
  // there. The lines to be logged and to stand in the report, none when nothing was done. An
  // unreachable store is no error here. DATA_LOSS: the connector cannot, or a fork; nothing was
  // written.
  absl::StatusOr<std::vector<std::string>> RewindIfAhead(const ChangeSourceFactory& source);

 private:
  OuterStorage(const Connection& connection, std::string holder, Clock& clock)
      : connection_(connection), holder_(std::move(holder)), clock_(clock) {}

  absl::Status AskSource(StateStore& authority, const ChangeSourceFactory& source);

  const Connection& connection_;
  const std::string holder_;
  Clock& clock_;
  std::unique_ptr<StateStore> store_;
  std::unique_ptr<OuterStore> outer_;
};

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_OUTER_STORAGE_H_
