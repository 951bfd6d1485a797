#include "pipeline/state_book.h"

namespace tidemark {

void StateBook::Load(const Acquired& acquired) {
  for (const StateEntry& state : acquired.states) {
    const std::string name = EntryName(state);
    before_[name] = static_cast<int64_t>(state.version);
    entries_[name] = state;
  }
  for (const StateEntry& state : acquired.releasable) releasable_[EntryName(state)] = state;
}

const StateEntry* StateBook::Find(const std::string& entry) const {
  const auto found = entries_.find(entry);
  return found == entries_.end() ? nullptr : &found->second;
}

int64_t StateBook::VersionOf(const std::string& entry) const {
  const StateEntry* found = Find(entry);
  return found == nullptr ? 0 : static_cast<int64_t>(found->version);
}

std::vector<StateEntry> StateBook::ForSource() const {
  std::vector<StateEntry> states;
  for (const auto& [name, state] : entries_) {
    // An entry that only ever kept counts is no state of the connector.
    if (!state.body.empty() || !state.cursor.empty()) states.push_back(state);
  }
  return states;
}

std::vector<StateEntry> StateBook::Releasable() {
  released_.clear();
  std::vector<StateEntry> states;
  states.reserve(releasable_.size());
  for (const auto& [name, state] : releasable_) states.push_back(state);
  return states;
}

std::vector<StateEntry> StateBook::TakeReleasable() {
  std::vector<StateEntry> states;
  states.reserve(released_.size());
  for (const std::string& name : released_) states.push_back(releasable_[name]);
  released_.clear();
  return states;
}

bool StateBook::Same(const StateEntry& state) const {
  const StateEntry* durable = Find(EntryName(state));
  return durable != nullptr && durable->body == state.body && durable->cursor == state.cursor &&
         durable->format == state.format && durable->kind == state.kind &&
         durable->watermark_us == state.watermark_us;
}

bool StateBook::Committed(const CommitRequest& request, const CommitResult& result) {
  bool moved = false;
  for (const EntryCommit& commit : request.entries) {
    StateEntry& entry = entries_[commit.entry];
    if (commit.state.has_value()) {
      moved = moved || entry.body != commit.state->body || entry.cursor != commit.state->cursor;
      entry = *commit.state;
      moved_.insert(commit.entry);
    } else if (entry.table.empty()) {
      entry.table = commit.entry;
    }
    entry.version = static_cast<uint64_t>(commit.expected_version) + 1;
  }
  for (const StateVersion& version : result.versions) {
    StateEntry& entry = entries_[version.entry];
    entry.version = static_cast<uint64_t>(version.version);
    entry.committed_at_us = version.created_at_us;
  }
  for (const StateEntry& state : result.releasable) {
    releasable_[EntryName(state)] = state;
    released_.insert(EntryName(state));
  }
  return moved;
}

std::vector<SyncOutcome::EntryVersions> StateBook::Versions() const {
  std::vector<SyncOutcome::EntryVersions> versions;
  for (const auto& [name, state] : entries_) {
    const auto before = before_.find(name);
    versions.push_back({name, before == before_.end() ? 0 : before->second,
                        static_cast<int64_t>(state.version), state.cursor, state.body});
  }
  return versions;
}

}  // namespace tidemark
