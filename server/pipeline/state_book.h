// The state entries of a connection as they are durable, while a sync runs. Thread-compatible.
#ifndef TIDEMARK_PIPELINE_STATE_BOOK_H_
#define TIDEMARK_PIPELINE_STATE_BOOK_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/checkpoint.h"
#include "destination/destination.h"
#include "pipeline/sync.h"
#include "state/state_version.h"

namespace tidemark {

class StateBook {
 public:
  void Load(const Acquired& acquired);

  // nullptr: the entry has no version yet.
  const StateEntry* Find(const std::string& entry) const;
  int64_t VersionOf(const std::string& entry) const;
  bool HasConnectionWide() const { return Find("") != nullptr; }

  // What the source is given: entries that hold something.
  std::vector<StateEntry> ForSource() const;
  // The newest body of each entry that left the rollback horizon: a source may forget what lies
  // before. TakeReleasable: those that changed since the last call of either.
  std::vector<StateEntry> Releasable();
  std::vector<StateEntry> TakeReleasable();

  // Equal body, cursor, format, kind and watermark as what is durable.
  bool Same(const StateEntry& state) const;

  // This sync gave the entry a new version with a state of the connector.
  bool Moved(const std::string& entry) const { return moved_.count(entry) != 0; }

  // Takes over a successful commit. Returns true when a body or cursor changed: the sync got on.
  bool Committed(const CommitRequest& request, const CommitResult& result);

  // Every entry that was there before or has a version now.
  std::vector<SyncOutcome::EntryVersions> Versions() const;

 private:
  std::map<std::string, StateEntry> entries_;     // durable
  std::map<std::string, StateEntry> releasable_;  // newest body per entry outside the horizon
  std::set<std::string> released_;                // entries whose releasable body changed
  std::set<std::string> moved_;
  std::map<std::string, int64_t> before_;  // versions when the sync began
};

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_STATE_BOOK_H_
