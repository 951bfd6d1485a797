// The stored state of one connection, for the commands that read and change it beside a sync: the
// state tables of the destination, which are the authority, and where `state.storage` names
// another store, that one too (protocol B of semantics.md section 6).
#ifndef TIDEMARK_CONTROL_STORED_STATE_H_
#define TIDEMARK_CONTROL_STORED_STATE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/connection.h"
#include "core/clock.h"
#include "state/rollback.h"
#include "state/state_store.h"

namespace tidemark {

// Which state. `configuration` is borrowed and null where only a database is known.
struct StateLocation {
  std::string path;        // of the destination's database
  std::string connection;  // its name
  const Connection* configuration = nullptr;
};

// What a command writes in one step, and its lines of the audit record.
struct StateChangeSet {
  std::vector<VersionAppend> appends;
  std::vector<AuditRecord> audit;
};

struct StateWriteOptions {
  std::string action;    // "rollback": of the holder and of the audit record
  bool create = false;   // the store is made when it is not there
  bool rebuild = false;  // also where the connection has synced before
};

// Confined to one thread. Errors are AsLocal.
class StoredState {
 public:
  // For looking only.
  static absl::StatusOr<std::unique_ptr<StoredState>> OpenForReading(const StateLocation& location);
  // Becomes the holder of the connection. FAILED_PRECONDITION: a sync works on it; names it.
  static absl::StatusOr<std::unique_ptr<StoredState>> OpenForWriting(
      const StateLocation& location, const StateWriteOptions& options);
  virtual ~StoredState() = default;

  // The authority.
  virtual StateStore& store() = 0;
  // What the next versions say beside their states. REQUIRES: opened for writing.
  virtual const MoveStamp& stamp() const = 0;
  // Appends to the authority, then to the other store. A line to say where only the latter failed:
  // the next sync brings it up to date; else empty.
  virtual absl::StatusOr<std::string> Append(const StateChangeSet& change) = 0;
};

// "tidemark state rollback on HOST": a holder's text for people.
std::string HolderText(const std::string& command);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_STORED_STATE_H_
