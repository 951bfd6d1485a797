#include "state/state_repair.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "core/digest.h"
#include "core/failpoint.h"
#include "core/time_text.h"
#include "state/next_version.h"

namespace tidemark {
namespace {

// A version number further away than this from every number that verifies is damage itself.
constexpr int64_t kPlausibleStep = 1'000'000;
constexpr size_t kNamedVersions = 8;

bool Verifies(const StateVersion& version) {
  return Blake2b256(version.body) == version.body_hash && ComputeChain(version) == version.chain;
}

absl::StatusOr<StateVersion> ReadVersion(StateStore& store, const std::string& entry,
                                         int64_t number) {
  VersionQuery query;
  query.entry = entry;
  query.first = number;
  query.limit = 1;
  std::optional<StateVersion> found;
  absl::Status status = store.ReadVersions(query, [&found](StoredVersion& stored) {
    if (stored.readable.ok()) found = std::move(stored.version);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  if (!found.has_value() || found->version != number || !Verifies(*found)) {
    return absl::DataLossError(absl::StrCat("version ", number, " of ", DescribeEntry(entry),
                                            " cannot be read from ", store.Describe()));
  }
  return *std::move(found);
}

StateEntry EntryOf(const StateVersion& version) {
  StateEntry entry;
  entry.body = version.body;
  entry.cursor = version.cursor;
  entry.format = version.format;
  entry.watermark_us = version.watermark_us;
  return entry;
}

// Schema and table that make up an entry's name; those of the head where they do.
void NameTable(const StateHead& head, const std::string& name, StateEntry* entry) {
  entry->schema = head.schema;
  entry->table = head.table;
  if (EntryName(*entry) == name) return;
  const size_t dot = name.find('.');
  entry->schema = dot == std::string::npos ? "" : name.substr(0, dot);
  entry->table = dot == std::string::npos ? name : name.substr(dot + 1);
}

std::string Numbers(const std::vector<int64_t>& versions) {
  if (versions.size() == 1) return absl::StrCat("version ", versions.front(), " is");
  if (versions.size() > kNamedVersions) {
    return absl::StrCat(versions.size(), " versions (", versions.front(), " to ", versions.back(),
                        ") are");
  }
  return absl::StrCat("versions ", absl::StrJoin(versions, ", "), " are");
}

// Works out the step of one entry.
class EntryPlan {
 public:
  EntryPlan(StateStore& store, const EntryCheck& check, const StateCheckOptions& checked,
            const RepairOptions& options)
      : store_(store), check_(check), checked_(checked), options_(options) {
    step_.head = check.head;
  }

  // nullopt: nothing that the options allow puts it right.
  absl::StatusOr<std::optional<RepairStep>> Make(const StateFinding& found, bool begin_again) {
    step_.found = found;
    Place();
    if (!begin_again && options_.repair) {
      absl::StatusOr<bool> repaired = Repair();
      if (!repaired.ok()) return repaired.status();
      if (*repaired) return Done();
    }
    if (!begin_again && !options_.reset) return std::nullopt;
    step_.action = RepairAction::kBeginAgain;
    step_.sentence = "the state begins again: everything is read from the source once more";
    return Done();
  }

 private:
  const std::string& name() const { return check_.head.entry; }

  // Number, place in the chain, and what must go out of the way for it.
  void Place() {
    int64_t highest = 0;  // among the numbers that can be
    if (check_.usable) {
      const VersionMark& last = check_.versions[check_.last];
      step_.parent = last.version;
      step_.prev_chain = last.chain;
      highest = last.version;
    }
    const auto count = [&](int64_t number) {
      if (number > highest && number - highest <= kPlausibleStep) highest = number;
    };
    for (const VersionMark& mark : check_.versions) count(mark.version);
    count(check_.head.version);
    for (const StateEvidence::Entry& known : checked_.evidence.entries) {
      if (known.entry == name()) count(known.version);
    }
    step_.version = highest + 1;
    for (size_t i = 0; i < check_.versions.size(); ++i) {
      const bool kept = check_.usable && i >= check_.first && i <= check_.last;
      if (!kept) step_.set_aside.push_back(check_.versions[i].version);
    }
    if (check_.usable) {
      const VersionMark& first = check_.versions[check_.first];
      if (first.prev_chain != check_.head.anchor || check_.head.version == 0) {
        step_.anchor = first.prev_chain;
      }
      return;
    }
    // Nothing is kept: the new version begins the history behind an anchor.
    step_.prev_chain = check_.head.chain.size() == 32 ? check_.head.chain : Blake2b256(name());
    step_.parent = std::min(std::max<int64_t>(check_.head.version, 0), step_.version - 1);
    if (step_.version < 2) step_.version = 2;
    step_.anchor = step_.prev_chain;
  }

  absl::StatusOr<bool> Repair() {
    if (const StateCopy* copy = UsefulCopy(); copy != nullptr) {
      TakeCopy(*copy);
      return true;
    }
    if (!check_.usable) {
      if (!Unknown()) return false;
      step_.action = RepairAction::kEmpty;
      step_.sentence = "no sync ever wrote it, so it is empty from now on";
      return true;
    }
    const std::optional<size_t> chosen = Sane();
    if (!chosen.has_value()) return false;
    const VersionMark& mark = check_.versions[*chosen];
    absl::StatusOr<StateVersion> version = ReadVersion(store_, name(), mark.version);
    if (!version.ok()) return version.status();
    step_.state = EntryOf(*version);
    step_.parent = mark.version;
    // The chain goes on from the last version that is kept; where numbers are missing it must be
    // the parent (ChainVerifier).
    const VersionMark& last = check_.versions[check_.last];
    if (*chosen != check_.last && step_.version != last.version + 1) {
      for (size_t i = *chosen + 1; i <= check_.last; ++i) {
        step_.set_aside.push_back(check_.versions[i].version);
      }
      std::sort(step_.set_aside.begin(), step_.set_aside.end());
      step_.prev_chain = mark.chain;
    }
    const bool current = *chosen == check_.last && mark.version >= Newest();
    step_.action = current ? RepairAction::kKeep : RepairAction::kGoBack;
    step_.sentence = current ? absl::StrCat("version ", mark.version, " stays the current one")
                             : absl::StrCat("the state goes back to version ", mark.version, " of ",
                                            FormatReportTime(mark.created_at_us),
                                            "; what came after it is read again");
    return true;
  }

  // The newest version that the head or a number that can be speaks of.
  int64_t Newest() const { return step_.version - 1; }

  // The newest kept version whose position can be, and which was made here.
  std::optional<size_t> Sane() const {
    const int64_t limit = checked_.now_us + checked_.skew_us;
    for (size_t i = check_.last + 1; i > check_.first; --i) {
      const VersionMark& mark = check_.versions[i - 1];
      if (CursorAfter(mark.cursor, limit) || mark.watermark_us > limit ||
          mark.created_at_us > limit) {
        continue;
      }
      if (mark.kind == StateKind::kNormal && !checked_.evidence.KnowsSync(mark.sync_id)) continue;
      return i - 1;
    }
    return std::nullopt;
  }

  // A copy with a newer version than is kept here, which this store has had as well: never one
  // that is ahead of the rows (Invariant I1).
  const StateCopy* UsefulCopy() const {
    for (const StateCopy& copy : options_.copies) {
      const auto found = copy.entries.find(name());
      if (found == copy.entries.end()) continue;
      const StateVersion& version = found->second.version;
      if (!check_.usable && check_.versions.empty() && check_.head.version == 0) return &copy;
      if (check_.usable && version.version <= check_.versions[check_.last].version) continue;
      if (version.chain == check_.head.chain) return &copy;
      for (const VersionMark& mark : check_.versions) {
        if (mark.version == version.version && mark.chain == version.chain) return &copy;
      }
      if (!check_.usable && version.version <= check_.head.version) return &copy;
    }
    return nullptr;
  }

  void TakeCopy(const StateCopy& copy) {
    const StateCopy::Entry& entry = copy.entries.at(name());
    step_.action = RepairAction::kTakeCopy;
    step_.state = EntryOf(entry.version);
    step_.state.schema = entry.schema;
    step_.state.table = entry.table;
    if (!check_.usable) {
      step_.version = std::max(step_.version, entry.version.version + 1);
      step_.parent = entry.version.version;
      step_.prev_chain = entry.version.chain;
      step_.anchor = entry.version.chain;
    }
    step_.sentence =
        absl::StrCat("version ", entry.version.version, " of ",
                     FormatReportTime(entry.version.created_at_us), " is taken from ", copy.where);
  }

  // A name that only damage made: the last sync does not know it.
  bool Unknown() const {
    const auto& known = checked_.evidence.entries;
    return !known.empty() && std::none_of(known.begin(), known.end(), [this](const auto& entry) {
      return entry.entry == name();
    });
  }

  RepairStep Done() {
    NameTable(check_.head, name(), &step_.state);
    if (!step_.set_aside.empty()) {
      absl::StrAppend(&step_.sentence, "; ", Numbers(step_.set_aside), " set aside");
    }
    return step_;
  }

  StateStore& store_;
  const EntryCheck& check_;
  const StateCheckOptions& checked_;
  const RepairOptions& options_;
  RepairStep step_;
};

const StateFinding* FindingOf(const StateCheck& check, const std::string& entry) {
  for (const StateFinding& finding : check.findings) {
    if (!finding.harmless && finding.entry == entry) return &finding;
  }
  return nullptr;
}

// Names of entries of which nothing is stored: those that the last sync left, or that a copy has,
// or, when neither is known, the tables.
std::vector<std::string> LostEntries(const StateCheck& check, const StateCheckOptions& checked,
                                     const RepairOptions& options) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    for (const EntryCheck& entry : check.entries) {
      if (entry.head.entry == name) return;
    }
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const StateEvidence::Entry& entry : checked.evidence.entries) {
    if (entry.version > 0) add(entry.entry);
  }
  if (!names.empty() || !check.entries.empty()) return names;
  for (const StateCopy& copy : options.copies) {
    for (const auto& [name, entry] : copy.entries) add(name);
  }
  if (names.empty() && options.reset) {
    for (const std::string& table : options.tables) add(table);
  }
  return names;
}

}  // namespace

bool AddToCopy(const StateHead& head, const StateVersion& version, StateCopy* copy) {
  StateEntry named;
  named.schema = head.schema;
  named.table = head.table;
  if (version.version != head.version || version.chain != head.chain ||
      version.entry != head.entry || EntryName(named) != head.entry || !Verifies(version)) {
    return false;
  }
  copy->entries[head.entry] = {head.schema, head.table, version};
  return true;
}

absl::StatusOr<StateCopy> CopyOfStore(StateStore& store) {
  absl::StatusOr<std::vector<StateHead>> heads = store.Heads();
  if (!heads.ok()) return heads.status();
  StateCopy copy;
  copy.where = store.Describe();
  for (const StateHead& head : *heads) {
    if (head.version == 0) continue;
    absl::StatusOr<StateVersion> version = ReadVersion(store, head.entry, head.version);
    if (version.ok()) {
      AddToCopy(head, *version, &copy);
    } else if (!absl::IsDataLoss(version.status())) {
      return version.status();
    }
  }
  return copy;
}

absl::StatusOr<StateRepairPlan> PlanRepair(StateStore& store, const StateCheck& check,
                                           const StateCheckOptions& checked,
                                           const RepairOptions& options) {
  StateRepairPlan plan;
  const auto add = [&](const EntryCheck& entry, const StateFinding& found,
                       bool begin_again) -> absl::Status {
    absl::StatusOr<std::optional<RepairStep>> step =
        EntryPlan(store, entry, checked, options).Make(found, begin_again);
    if (!step.ok()) return step.status();
    if (step->has_value()) {
      plan.steps.push_back(**std::move(step));
    } else {
      plan.left.push_back(found);
    }
    return absl::OkStatus();
  };
  for (const EntryCheck& entry : check.entries) {
    const bool begin_again = std::find(options.begin_again.begin(), options.begin_again.end(),
                                       entry.head.entry) != options.begin_again.end();
    const StateFinding* found = FindingOf(check, entry.head.entry);
    StateFinding gone;
    gone.corruption = CorruptionClass::kPositionGone;
    gone.level = StateLevel::kL2;
    gone.entry = entry.head.entry;
    gone.sentence = absl::StrCat(DescribeEntry(entry.head.entry),
                                 ": the source cannot go on from its position");
    if (found == nullptr && begin_again) found = &gone;
    if (found == nullptr) continue;
    if (absl::Status s = add(entry, *found, begin_again); !s.ok()) return s;
  }
  // What concerns the store as a whole, and entries of which nothing is left.
  const StateFinding* lost = nullptr;
  for (const StateFinding& finding : check.findings) {
    if (finding.harmless) continue;
    const bool planned = std::any_of(
        check.entries.begin(), check.entries.end(),
        [&finding](const EntryCheck& entry) { return entry.head.entry == finding.entry; });
    if (planned) continue;
    if (finding.corruption == CorruptionClass::kStateLost) {
      if (lost == nullptr) lost = &finding;
    } else {
      plan.left.push_back(finding);
    }
  }
  if (lost == nullptr) return plan;
  const std::vector<std::string> names = LostEntries(check, checked, options);
  if (names.empty()) plan.left.push_back(*lost);
  for (const std::string& name : names) {
    EntryCheck entry;
    entry.head.entry = name;
    StateFinding found = *lost;
    if (const StateFinding* own = FindingOf(check, name); own != nullptr) found = *own;
    found.entry = name;
    if (absl::Status s = add(entry, found, false); !s.ok()) return s;
  }
  return plan;
}

void MakeRepair(absl::Span<const RepairStep> steps, const RepairStamp& stamp,
                std::vector<VersionAppend>* appends, std::vector<AuditRecord>* audit) {
  for (const RepairStep& step : steps) {
    StateHead before = step.head;  // what the new version follows
    before.version = step.version - 1;
    before.chain = step.prev_chain;
    NextVersion next;
    next.kind = StateKind::kRepair;
    next.state = step.state;
    next.parent = step.parent;
    next.epoch = stamp.epoch;
    next.now_us = stamp.now_us;
    next.sync_id = stamp.sync_id;
    next.engine = stamp.engine;
    const bool resets = step.action == RepairAction::kBeginAgain;
    // A reset follows its head like any version; where something must go out of the way first, a
    // repair does that.
    const bool clean = step.set_aside.empty() && !step.anchor.has_value() &&
                       step.prev_chain == step.head.chain && step.version == step.head.version + 1;
    if (resets && clean) next.kind = StateKind::kReset;
    VersionAppend append = AppendAfter(stamp.connection, before, next);
    append.version.parent = step.parent;  // also 0
    append.version.chain = ComputeChain(append.version);
    append.expected_version = step.head.version;
    append.expected_chain = step.head.chain;
    append.set_aside = step.set_aside;
    append.anchor = step.anchor;
    before.version = append.version.version;
    before.chain = append.version.chain;
    appends->push_back(std::move(append));
    if (resets && !clean) {
      next.kind = StateKind::kReset;
      next.parent = before.version;
      appends->push_back(AppendAfter(stamp.connection, before, next));
    }
    const StateVersion& last = appends->back().version;
    AuditRecord& record = audit->emplace_back();
    record.at_us = stamp.now_us;
    record.action = resets ? "reset" : "repair";
    record.entry = step.head.entry;
    record.by = stamp.by;
    record.detail = absl::StrCat(
        DescribeFinding(step.found), ". ", step.sentence, ". Version ", last.version, " (",
        std::string(StateKindName(last.kind)), "), chain ",
        step.head.chain.empty() ? "none" : Hex(step.head.chain), " -> ", Hex(last.chain));
  }
}

namespace {

// Nothing of what a repair touched may be damaged afterwards.
absl::Status CheckRepaired(StateStore& store, const RepairRequest& request,
                           const StateRepairPlan& plan) {
  const StateCheck after = CheckState(store, request.check);
  for (const StateFinding& finding : after.findings) {
    const bool touched = std::any_of(
        plan.steps.begin(), plan.steps.end(),
        [&finding](const RepairStep& step) { return step.head.entry == finding.entry; });
    if (finding.harmless || finding.level != StateLevel::kL0 || !touched) continue;
    return WithCorruption(
        absl::DataLossError(absl::StrCat("the repaired state does not verify either: ",
                                         DescribeFinding(finding), "; nothing was deleted")),
        finding.corruption);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StateRepairPlan> RepairState(StateStore& store, const RepairRequest& request) {
  const absl::Status before = store.Heads().status();
  absl::StatusOr<int64_t> epoch = store.Acquire(request.owner);
  if (!epoch.ok()) return epoch.status();
  struct Releaser {
    StateStore& store;
    ~Releaser() { store.Release(); }
  } releaser{store};
  const StateCheck check = CheckState(store, request.check);
  absl::StatusOr<StateRepairPlan> plan = PlanRepair(store, check, request.check, request.repair);
  if (!plan.ok()) return plan;
  RepairStamp stamp;
  stamp.connection = request.connection;
  stamp.epoch = *epoch;
  stamp.now_us = request.check.now_us;
  stamp.sync_id = absl::StrCat("repair_", RandomHex(8));
  stamp.engine = request.engine;
  stamp.by = request.owner.holder;
  std::vector<VersionAppend> appends;
  std::vector<AuditRecord> audit;
  if (!before.ok() && check.store.ok()) {
    StateFinding missing;
    missing.corruption =
        absl::IsNotFound(before) ? CorruptionClass::kStateLost : CorruptionClass::kStoreMalformed;
    missing.sentence = std::string(before.message());
    plan->remade = absl::StrCat(DescribeFinding(missing), "; what was missing was made again");
    audit.push_back({stamp.now_us, "repair", "", stamp.by, plan->remade});
  }
  MakeRepair(plan->steps, stamp, &appends, &audit);
  if (appends.empty() && audit.empty()) return plan;
  if (request.before_writing && !appends.empty()) {
    if (absl::Status s = request.before_writing(); !s.ok()) return s;
  }
  if (absl::Status s = Failpoint("state.repair"); !s.ok()) return s;
  if (absl::Status s = store.Append(appends, audit); !s.ok()) return s;
  if (absl::Status s = CheckRepaired(store, request, *plan); !s.ok()) return s;
  return plan;
}

}  // namespace tidemark
