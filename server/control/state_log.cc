#include "control/state_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/exit_code.h"

namespace tidemark {
namespace {

// Follows one entry from its head to older versions.
class LinkCheck {
 public:
  explicit LinkCheck(const StateHead& head) : entry_(head.entry), next_chain_(head.chain) {}

  // The next older version; `version.connection` and entry are set.
  void Add(const StateVersion& version) {
    if (!status_.ok()) return;
    if (version.chain != next_chain_) return Broken(version, "its chain value is not the next one");
    if (ComputeChain(version) != version.chain) return Broken(version, "it does not fit its hash");
    next_chain_ = version.prev_chain;
    last_ = version.version;
  }
  // After the oldest version that is kept.
  void End(const StateHead& head) {
    if (status_.ok() && next_chain_ != head.anchor) {
      status_ = absl::DataLossError(absl::StrCat(
          "state of ", EntryLabel(entry_), ": what came before version ", last_, " is missing"));
    }
  }
  void Fail(const absl::Status& status) { status_.Update(status); }
  const absl::Status& status() const { return status_; }

 private:
  void Broken(const StateVersion& version, absl::string_view what) {
    status_ = absl::DataLossError(
        absl::StrCat("state of ", EntryLabel(entry_), ", version ", version.version, ": ", what));
  }

  const std::string entry_;
  std::string next_chain_;
  int64_t last_ = 0;
  absl::Status status_;
};

// Versions of one entry, newest first. `chain` keeps the first thing that does not fit.
absl::Status ReadLines(StateStore& store, const StateLocation& location, const StateHead& head,
                       int64_t limit, absl::Status* chain,
                       const std::function<void(StateLogLine&)>& each) {
  LinkCheck links(head);
  VersionQuery query;
  query.entry = head.entry;
  query.limit = limit;
  query.newest_first = true;
  query.bodies = false;
  int64_t read = 0;
  absl::Status status = store.ReadVersions(query, [&](StoredVersion& stored) {
    StateLogLine line{std::move(stored.version), stored.body_bytes};
    line.version.connection = location.connection;
    line.version.entry = head.entry;
    links.Fail(stored.readable);
    links.Add(line.version);
    ++read;
    each(line);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  if (read < limit) links.End(head);
  chain->Update(links.status());
  return absl::OkStatus();
}

absl::StatusOr<StateVersion> ReadOne(StateStore& store, const StateLocation& location,
                                     const StateHead& head, int64_t version) {
  VersionQuery query;
  query.entry = head.entry;
  query.first = version;
  query.limit = 1;
  StateVersion found;
  absl::Status status = store.ReadVersions(query, [&found](StoredVersion& stored) {
    found = std::move(stored.version);
    return stored.readable;
  });
  if (!status.ok()) return status;
  found.connection = location.connection;
  found.entry = head.entry;
  if (found.version == version) return found;
  return absl::DataLossError(absl::StrCat("the state of ", EntryLabel(head.entry),
                                          " has no version ", version,
                                          "; `tidemark state validate` says more"));
}

struct ReadState {
  StateHead head;
  StateVersion version;
};

absl::StatusOr<std::vector<ReadState>> ReadAt(const StateLocation& location,
                                              const std::optional<HistoryPoint>& point,
                                              const std::optional<std::string>& entry) {
  absl::StatusOr<std::unique_ptr<StoredState>> state = StoredState::OpenForReading(location);
  if (!state.ok()) return state.status();
  StateStore& store = (*state)->store();
  absl::StatusOr<std::vector<EntryHistory>> histories = ReadHistories(store, entry);
  if (!histories.ok()) return histories.status();
  std::vector<const StateVersion*> found;
  if (point.has_value()) {
    auto at = FindPoint(*histories, *point);
    if (!at.ok()) return at.status();
    found = *std::move(at);
  }
  std::vector<ReadState> states;
  for (size_t i = 0; i < histories->size(); ++i) {
    const StateHead& head = (*histories)[i].head;
    if (point.has_value() && found[i] == nullptr) continue;
    const int64_t version = point.has_value() ? found[i]->version : head.version;
    absl::StatusOr<StateVersion> read = ReadOne(store, location, head, version);
    if (!read.ok()) return read.status();
    states.push_back({head, *std::move(read)});
  }
  return states;
}

}  // namespace

absl::Status ReadStateLog(const StateLocation& location, const StateLogQuery& query,
                          const std::function<void(const StateLogLine&)>& each) {
  absl::StatusOr<std::unique_ptr<StoredState>> state = StoredState::OpenForReading(location);
  if (!state.ok()) return state.status();
  StateStore& store = (*state)->store();
  absl::StatusOr<std::vector<StateHead>> heads = store.Heads();
  if (!heads.ok()) return AsLocal(heads.status());
  if (query.entry.has_value()) {
    std::erase_if(*heads, [&query](const StateHead& head) { return head.entry != *query.entry; });
    if (heads->empty()) {
      return absl::NotFoundError(absl::StrCat("there is no state of ", EntryLabel(*query.entry),
                                              " in ", store.Describe()));
    }
  }
  absl::Status chain;
  if (heads->size() == 1) {  // listed as it is read, however long it is
    absl::Status status = ReadLines(store, location, heads->front(), query.limit, &chain,
                                    [&each](StateLogLine& line) { each(line); });
    return AsLocal(status.ok() ? chain : status);
  }
  std::vector<StateLogLine> lines;
  for (const StateHead& head : *heads) {
    absl::Status status =
        ReadLines(store, location, head, query.limit, &chain,
                  [&lines](StateLogLine& line) { lines.push_back(std::move(line)); });
    if (!status.ok()) return AsLocal(status);
  }
  std::stable_sort(lines.begin(), lines.end(), [](const StateLogLine& a, const StateLogLine& b) {
    return a.version.created_at_us > b.version.created_at_us;
  });
  const size_t shown = std::min(lines.size(), static_cast<size_t>(query.limit));
  for (size_t i = 0; i < shown; ++i) each(lines[i]);
  return AsLocal(chain);
}

absl::StatusOr<std::vector<StateVersion>> ReadStates(const StateLocation& location,
                                                     const std::optional<HistoryPoint>& point,
                                                     const std::optional<std::string>& entry) {
  absl::StatusOr<std::vector<ReadState>> states = ReadAt(location, point, entry);
  if (!states.ok()) return AsLocal(states.status());
  std::vector<StateVersion> versions;
  versions.reserve(states->size());
  for (ReadState& state : *states) versions.push_back(std::move(state.version));
  return versions;
}

absl::StatusOr<std::vector<StateEntry>> ExportStates(const StateLocation& location,
                                                     const std::optional<HistoryPoint>& point,
                                                     const std::optional<std::string>& entry) {
  absl::StatusOr<std::vector<ReadState>> states = ReadAt(location, point, entry);
  if (!states.ok()) return AsLocal(states.status());
  std::vector<StateEntry> entries;
  for (ReadState& state : *states) {
    StateEntry& one = entries.emplace_back();
    one.schema = state.head.schema;
    one.table = state.head.table;
    one.body = std::move(state.version.body);
    one.cursor = state.version.cursor;
    one.format = state.version.format;
    one.watermark_us = state.version.watermark_us;
  }
  return entries;
}

}  // namespace tidemark
