#include "state/history_point.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

absl::StatusOr<EntryHistory> ReadEntry(StateStore& store, const StateHead& head) {
  EntryHistory history;
  history.head = head;
  VersionQuery query;
  query.entry = head.entry;
  query.bodies = false;
  absl::Status status = store.ReadVersions(query, [&history](StoredVersion& stored) {
    if (stored.readable.ok()) history.versions.push_back(std::move(stored.version));
    return stored.readable;
  });
  if (!status.ok()) return status;
  return history;
}

// The newest version that is not newer than `time_us`.
const StateVersion* StandingAt(const EntryHistory& history, int64_t time_us) {
  const StateVersion* found = nullptr;
  for (const StateVersion& version : history.versions) {
    if (version.created_at_us <= time_us) found = &version;
  }
  return found;
}

absl::Status Forgotten(const EntryHistory& history, const HistoryPoint& point) {
  return absl::NotFoundError(absl::StrCat(
      "the history of ", EntryLabel(history.head.entry), " does not reach back to ", point.text,
      "; its oldest version is ", history.versions.empty() ? 0 : history.versions.front().version));
}

// `time_us` lies before everything that is kept: before the first version, or forgotten?
absl::StatusOr<const StateVersion*> AtTime(const EntryHistory& history, const HistoryPoint& point,
                                           int64_t time_us) {
  const StateVersion* found = StandingAt(history, time_us);
  if (found == nullptr && !history.head.anchor.empty()) return Forgotten(history, point);
  return found;
}

absl::StatusOr<std::vector<const StateVersion*>> AtVersion(absl::Span<const EntryHistory> histories,
                                                           const HistoryPoint& point) {
  if (histories.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("version ", point.text, " could be of ", histories.size(),
                     " entries, which count their versions on their own: add --table, or name a "
                     "sync or a time"));
  }
  for (const StateVersion& version : histories[0].versions) {
    if (version.version == *point.version) return std::vector<const StateVersion*>{&version};
  }
  if (!histories[0].versions.empty() && *point.version < histories[0].versions.front().version) {
    return Forgotten(histories[0], point);
  }
  return absl::NotFoundError(absl::StrCat(EntryLabel(histories[0].head.entry), " has no version ",
                                          point.text, "; it stands at version ",
                                          histories[0].head.version));
}

absl::StatusOr<std::vector<const StateVersion*>> AtSync(absl::Span<const EntryHistory> histories,
                                                        const HistoryPoint& point) {
  std::vector<const StateVersion*> found(histories.size(), nullptr);
  int64_t end_us = kNoTime;
  for (size_t i = 0; i < histories.size(); ++i) {
    for (const StateVersion& version : histories[i].versions) {
      if (version.sync_id != point.sync_id) continue;
      found[i] = &version;
      end_us = std::max(end_us, version.created_at_us);
    }
  }
  if (end_us == kNoTime) {
    return absl::NotFoundError(
        absl::StrCat("no version of the state was made by a sync \"", point.sync_id,
                     "\"; `tidemark state log` lists versions with their syncs"));
  }
  for (size_t i = 0; i < histories.size(); ++i) {
    if (found[i] != nullptr) continue;
    absl::StatusOr<const StateVersion*> beside = AtTime(histories[i], point, end_us);
    if (!beside.ok()) return beside.status();
    found[i] = *beside;
  }
  return found;
}

}  // namespace

std::string EntryLabel(absl::string_view entry) {
  return entry.empty() ? "the connection" : absl::StrCat("table ", entry);
}

absl::StatusOr<HistoryPoint> ParseHistoryPoint(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  HistoryPoint point;
  point.text = std::string(text);
  int64_t version = 0;
  if (absl::SimpleAtoi(text, &version)) {
    if (version < 1) {
      return absl::InvalidArgumentError(absl::StrCat("versions count from 1, not ", text));
    }
    point.version = version;
    return point;
  }
  if (absl::StatusOr<ParsedTime> time = ParseTime(text); time.ok()) {
    point.time_us = time->us;
    return point;
  }
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-') continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text, "\" is no version (3), no time (2024-01-15T10:30:00Z) and no id of a sync"));
  }
  if (text.empty()) return absl::InvalidArgumentError("name a version, a sync or a time");
  point.sync_id = point.text;
  return point;
}

absl::StatusOr<std::vector<EntryHistory>> ReadHistories(StateStore& store,
                                                        const std::optional<std::string>& entry) {
  absl::StatusOr<std::vector<StateHead>> heads = store.Heads();
  if (!heads.ok()) return heads.status();
  std::vector<EntryHistory> histories;
  for (const StateHead& head : *heads) {
    if (entry.has_value() && head.entry != *entry) continue;
    absl::StatusOr<EntryHistory> history = ReadEntry(store, head);
    if (!history.ok()) return history.status();
    histories.push_back(*std::move(history));
  }
  if (!histories.empty()) return histories;
  if (!entry.has_value() || heads->empty()) {
    return absl::NotFoundError(absl::StrCat(store.Describe(), " holds no state of the connection"));
  }
  std::string known;
  for (const StateHead& head : *heads) {
    absl::StrAppend(&known, known.empty() ? "" : ", ",
                    head.entry.empty() ? "\"\" (the connection)" : head.entry);
  }
  return absl::NotFoundError(
      absl::StrCat("there is no state of ", EntryLabel(*entry), "; there is one of ", known));
}

absl::StatusOr<std::vector<const StateVersion*>> FindPoint(absl::Span<const EntryHistory> histories,
                                                           const HistoryPoint& point) {
  if (point.version.has_value()) return AtVersion(histories, point);
  if (!point.sync_id.empty()) return AtSync(histories, point);
  std::vector<const StateVersion*> found;
  for (const EntryHistory& history : histories) {
    absl::StatusOr<const StateVersion*> version = AtTime(history, point, *point.time_us);
    if (!version.ok()) return version.status();
    found.push_back(*version);
  }
  return found;
}

}  // namespace tidemark
