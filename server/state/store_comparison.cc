#include "state/store_comparison.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "state/next_version.h"
#include "state/state_corruption.h"

namespace tidemark {
namespace {

// One stored version as far as the comparison needs it.
struct Mark {
  int64_t version = 0;
  StateKind kind = StateKind::kNormal;
  int64_t parent = 0;
  std::string chain;
};

absl::StatusOr<std::vector<StateHead>> HeadsOrNone(StateStore& store) {
  absl::StatusOr<std::vector<StateHead>> heads = store.Heads();
  if (absl::IsNotFound(heads.status())) return std::vector<StateHead>();
  return heads;
}

absl::StatusOr<std::vector<Mark>> ReadMarks(StateStore& store, const std::string& entry,
                                            int64_t first, int64_t limit) {
  VersionQuery query;
  query.entry = entry;
  query.first = first;
  query.limit = limit;
  query.bodies = false;
  std::vector<Mark> marks;
  absl::Status status = store.ReadVersions(query, [&marks](StoredVersion& stored) {
    const StateVersion& version = stored.version;
    marks.push_back({version.version, version.kind, version.parent, version.chain});
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return marks;
}

// Whether `store` has exactly the version that `head` names.
absl::StatusOr<bool> Has(StateStore& store, const StateHead& head) {
  absl::StatusOr<std::vector<Mark>> marks = ReadMarks(store, head.entry, head.version, 1);
  if (!marks.ok()) return marks.status();
  return !marks->empty() && marks->front().version == head.version &&
         marks->front().chain == head.chain;
}

// The versions of `theirs` behind the common one, in ascending order.
std::vector<int64_t> Behind(const std::vector<Mark>& marks, int64_t common) {
  std::vector<int64_t> versions;
  for (const Mark& mark : marks) {
    if (mark.version > common) versions.push_back(mark.version);
  }
  return versions;
}

// Neither head is in the other's history: where they part, and whether a repair explains it.
absl::Status FindCommon(StateStore& authority, StateStore& store, EntryPosition* found) {
  const std::string& entry = found->authority.entry;
  absl::StatusOr<std::vector<Mark>> ours = ReadMarks(authority, entry, 1, -1);
  if (!ours.ok()) return ours.status();
  absl::StatusOr<std::vector<Mark>> theirs = ReadMarks(store, entry, 1, -1);
  if (!theirs.ok()) return theirs.status();
  std::map<int64_t, std::string> chains;
  for (const Mark& mark : *theirs) chains[mark.version] = mark.chain;
  const Mark* next = nullptr;  // the authority's first version behind the common one
  for (auto mark = ours->rbegin(); mark != ours->rend(); ++mark) {
    const auto same = chains.find(mark->version);
    if (same != chains.end() && same->second == mark->chain) {
      found->common = mark->version;
      break;
    }
    next = &*mark;
  }
  found->position = StorePosition::kForked;
  if (next == nullptr) return absl::OkStatus();
  // A repair that knew of the store's versions has a number beyond them.
  const bool repaired = next->kind == StateKind::kRepair && next->version > found->store.version &&
                        next->parent == found->common;
  // So far behind that retention has dropped what the store ends with.
  const bool forgotten = !found->authority.anchor.empty() && found->common == 0 &&
                         found->store.version < next->version;
  if (repaired || forgotten) {
    found->position = StorePosition::kBehind;
    found->replaced = Behind(*theirs, found->common);
  }
  return absl::OkStatus();
}

absl::Status Place(StateStore& authority, StateStore& store, EntryPosition* found) {
  const StateHead& ours = found->authority;
  const StateHead& theirs = found->store;
  if (ours.version == theirs.version && ours.chain == theirs.chain) {
    found->common = ours.version;
    return absl::OkStatus();
  }
  if (theirs.version == 0 || ours.version == 0) {
    found->position = theirs.version == 0 ? StorePosition::kBehind : StorePosition::kAhead;
    return absl::OkStatus();
  }
  if (theirs.version < ours.version) {
    absl::StatusOr<bool> has = Has(authority, theirs);
    if (!has.ok()) return has.status();
    // What the anchor names is the version right before the oldest kept one.
    if (*has || theirs.chain == ours.anchor) {
      found->position = StorePosition::kBehind;
      found->common = theirs.version;
      return absl::OkStatus();
    }
  } else if (theirs.version > ours.version) {
    absl::StatusOr<bool> has = Has(store, ours);
    if (!has.ok()) return has.status();
    if (*has || ours.chain == theirs.anchor) {
      found->position = StorePosition::kAhead;
      found->common = ours.version;
      return absl::OkStatus();
    }
  }
  return FindCommon(authority, store, found);
}

absl::Status CopyEntry(StateStore& from, StateStore& to, const EntryPosition& position,
                       const AuditRecord* audit) {
  int64_t expected = position.store.version;
  std::string expected_chain = position.store.chain;
  bool first = true;
  VersionQuery query;
  query.entry = position.authority.entry;
  query.first = position.common + 1;
  return from.ReadVersions(query, [&](StoredVersion& stored) -> absl::Status {
    if (!stored.readable.ok()) return stored.readable;
    VersionAppend append;
    append.schema = position.authority.schema;
    append.table = position.authority.table;
    append.version = std::move(stored.version);
    append.expected_version = expected;
    append.expected_chain = expected_chain;
    std::vector<AuditRecord> records;
    if (first && (position.common == 0 || !position.replaced.empty())) {
      append.set_aside = position.replaced;
      if (position.common == 0 && !append.version.prev_chain.empty()) {
        append.anchor = append.version.prev_chain;
      }
      if (audit != nullptr) {
        records.push_back(*audit);
        records.back().entry = position.authority.entry;
      }
    }
    first = false;
    expected = append.version.version;
    expected_chain = append.version.chain;
    return to.Append(absl::MakeConstSpan(&append, 1), records);
  });
}

std::string EntryText(const std::string& entry) {
  return entry.empty() ? "the connection-wide entry" : absl::StrCat("entry \"", entry, "\"");
}

}  // namespace

absl::StatusOr<std::vector<EntryPosition>> CompareStores(StateStore& authority, StateStore& store) {
  absl::StatusOr<std::vector<StateHead>> ours = HeadsOrNone(authority);
  if (!ours.ok()) return ours.status();
  absl::StatusOr<std::vector<StateHead>> theirs = HeadsOrNone(store);
  if (!theirs.ok()) return theirs.status();
  std::map<std::string, EntryPosition> entries;
  for (const StateHead& head : *ours) entries[head.entry].authority = head;
  for (const StateHead& head : *theirs) entries[head.entry].store = head;
  std::vector<EntryPosition> positions;
  for (auto& [entry, position] : entries) {
    position.authority.entry = position.store.entry = entry;
    if (absl::Status s = Place(authority, store, &position); !s.ok()) return s;
    positions.push_back(std::move(position));
  }
  return positions;
}

std::string DescribePositions(absl::Span<const EntryPosition> positions,
                              const StateStore& authority, const StateStore& store) {
  for (const EntryPosition& at : positions) {
    if (at.position == StorePosition::kForked) {
      return absl::StrCat(EntryText(at.authority.entry), " has two histories: version ",
                          at.authority.version, " in ", authority.Describe(), " and version ",
                          at.store.version, " in ", store.Describe(), " both go on from version ",
                          at.common);
    }
  }
  for (const EntryPosition& at : positions) {
    if (at.position == StorePosition::kAhead) {
      return absl::StrCat(EntryText(at.authority.entry), " is at version ", at.store.version,
                          " in ", store.Describe(), " and only at version ", at.authority.version,
                          " in ", authority.Describe(),
                          ", so the destination was replaced by an older copy");
    }
  }
  return "";
}

absl::Status RollForward(StateStore& authority, StateStore& store,
                         absl::Span<const EntryPosition> positions, const AuditRecord& audit) {
  for (const EntryPosition& position : positions) {
    if (position.position != StorePosition::kBehind) continue;
    // Plain roll-forward is the normal end of a crash, no repair.
    const bool repair = !position.replaced.empty();
    if (absl::Status s = CopyEntry(authority, store, position, repair ? &audit : nullptr);
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

absl::Status Rewind(StateStore& authority, StateStore& store,
                    absl::Span<const EntryPosition> positions, const RewindRequest& request) {
  for (const EntryPosition& position : positions) {
    if (position.position != StorePosition::kAhead) continue;
    const StateHead& head = position.authority;
    NextVersion next;
    next.kind = StateKind::kRepair;
    next.state.schema = position.store.schema;
    next.state.table = position.store.table;
    next.epoch = request.epoch;
    next.now_us = request.now_us;
    next.engine = request.engine;
    if (head.version > 0) {
      next.state.schema = head.schema;
      next.state.table = head.table;
      VersionQuery query;
      query.entry = head.entry;
      query.first = head.version;
      query.limit = 1;
      absl::Status status =
          authority.ReadVersions(query, [&next](StoredVersion& stored) -> absl::Status {
            if (!stored.readable.ok()) return stored.readable;
            next.state.body = stored.version.body;
            next.state.cursor = stored.version.cursor;
            next.state.format = stored.version.format;
            next.state.watermark_us = stored.version.watermark_us;
            return absl::OkStatus();
          });
      if (!status.ok()) return status;
    }
    VersionAppend append = AppendAfter(request.connection, head, next);
    // Beyond every number that the store has given out (Invariant I3); its parent says why the
    // numbers between are missing.
    append.version.version = position.store.version + 1;
    append.version.chain = ComputeChain(append.version);
    AuditRecord audit;
    audit.at_us = request.now_us;
    audit.action = "repair";
    audit.entry = head.entry;
    audit.by = request.by;
    StateFinding found;
    found.corruption = CorruptionClass::kStoreAhead;
    found.sentence = absl::StrCat("version ", head.version, " in the destination, ",
                                  position.store.version, " in ", store.Describe());
    audit.detail = absl::StrCat(
        DescribeFinding(found),
        ". Rewound to the destination's state; the later versions are set aside. Version ",
        append.version.version, " (", std::string(StateKindName(append.version.kind)), "), chain ",
        Hex(position.store.chain), " -> ", Hex(append.version.chain));
    absl::Status status =
        authority.Append(absl::MakeConstSpan(&append, 1), absl::MakeConstSpan(&audit, 1));
    if (!status.ok()) return status;
  }
  AuditRecord audit;
  audit.at_us = request.now_us;
  audit.action = "repair";
  audit.by = request.by;
  audit.detail =
      "rewound to the destination's state, which is older; the later versions are set "
      "aside.";
  absl::StatusOr<std::vector<EntryPosition>> after = CompareStores(authority, store);
  if (!after.ok()) return after.status();
  return RollForward(authority, store, *after, audit);
}

absl::Status CopyState(StateStore& from, StateStore& to, const AuditRecord& audit) {
  absl::StatusOr<std::vector<StateHead>> there = HeadsOrNone(to);
  if (!there.ok()) return there.status();
  if (!there->empty()) {
    return absl::AlreadyExistsError(absl::StrCat(to.Describe(), " holds a state already"));
  }
  absl::StatusOr<std::vector<StateHead>> heads = from.Heads();
  if (!heads.ok()) return heads.status();
  for (const StateHead& head : *heads) {
    EntryPosition position;
    position.position = StorePosition::kBehind;
    position.authority = head;
    if (absl::Status s = CopyEntry(from, to, position, &audit); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace tidemark
