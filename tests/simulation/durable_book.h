// What a destination really committed, as its commits said it: the measure for acknowledgements.
// Confined to one thread.
#ifndef TIDEMARK_TESTS_SIMULATION_DURABLE_BOOK_H_
#define TIDEMARK_TESTS_SIMULATION_DURABLE_BOOK_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "state/state_commit.h"

namespace tidemark {

class DurableBook {
 public:
  // A commit that is in the file, whatever the engine was told.
  void Add(const CommitRequest& request, int64_t now_us) {
    for (const EntryCommit& commit : request.entries) {
      std::vector<Version>& versions = entries_[commit.entry];
      Version version{versions.empty() ? 0 : versions.back().position, now_us};
      if (commit.state.has_value()) version.position = PositionOf(commit.state->body);
      versions.push_back(version);
      counted_ += commit.counts.Sum();
    }
  }
  // A version that another store has.
  void Add(const StateVersion& version, int64_t now_us) {
    entries_[version.entry].push_back({PositionOf(version.body), now_us});
  }
  // What an earlier life of the destination left: one version, long ago.
  void Preload(const std::string& entry, uint64_t position) {
    entries_[entry].push_back({position, std::numeric_limits<int64_t>::min() / 2});
  }
  uint64_t Position(const std::string& entry) const {
    const auto found = entries_.find(entry);
    return found == entries_.end() || found->second.empty() ? 0 : found->second.back().position;
  }
  // The furthest position that has left the rollback horizon: older than an hour, or with ten
  // newer versions (semantics.md section 7).
  uint64_t Releasable(const std::string& entry, int64_t now_us) const {
    const auto found = entries_.find(entry);
    if (found == entries_.end()) return 0;
    uint64_t position = 0;
    const std::vector<Version>& versions = found->second;
    for (size_t i = 0; i < versions.size(); ++i) {
      const bool old = now_us - versions[i].created_us >= int64_t{3'600} * 1'000'000;
      if (old || versions.size() - 1 - i >= 10) position = std::max(position, versions[i].position);
    }
    return position;
  }
  uint64_t counted() const { return counted_; }  // changes, over all commits
  int64_t versions() const {
    size_t count = 0;
    for (const auto& [entry, versions] : entries_) count += versions.size();
    return static_cast<int64_t>(count);
  }

  // The position in a state's body; bodies of simulations are nothing else.
  static uint64_t PositionOf(const std::string& body) {
    uint64_t position = 0;
    return absl::SimpleAtoi(body, &position) ? position : 0;
  }

 private:
  struct Version {
    uint64_t position;
    int64_t created_us;
  };
  std::map<std::string, std::vector<Version>> entries_;
  uint64_t counted_ = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_DURABLE_BOOK_H_
