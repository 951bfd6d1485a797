#include "state/state_check.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/canary.h"
#include "core/checkpoint.h"
#include "core/digest.h"
#include "core/text.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

constexpr size_t kFindingsOfAnEntry = 10;
constexpr int kReadings = 5;

// Collects the findings of one entry.
class EntryFindings {
 public:
  EntryFindings(std::string entry, std::vector<StateFinding>* findings)
      : entry_(std::move(entry)), findings_(*findings) {}

  void Add(CorruptionClass corruption, StateLevel level, int64_t version, absl::string_view what,
           bool harmless = false) {
    if (++count_ > kFindingsOfAnEntry) return;
    StateFinding& finding = findings_.emplace_back();
    finding.corruption = corruption;
    finding.level = level;
    finding.entry = entry_;
    finding.version = version;
    finding.harmless = harmless;
    finding.sentence = absl::StrCat(
        DescribeEntry(entry_), version == 0 ? "" : absl::StrCat(", version ", version), ": ", what);
    // Names and values may be damaged themselves.
    if (!IsUtf8(finding.sentence)) finding.sentence = absl::CHexEscape(finding.sentence);
  }
  size_t count() const { return count_; }

 private:
  const std::string entry_;
  std::vector<StateFinding>& findings_;
  size_t count_ = 0;
};

// Why one version does not verify by itself; empty: it does.
std::string Damage(const StoredVersion& stored, absl::string_view entry) {
  const StateVersion& version = stored.version;
  if (!stored.readable.ok()) return std::string(stored.readable.message());
  if (version.entry != entry) return absl::StrCat("it says it is of entry \"", version.entry, "\"");
  if (version.version < 1) return "versions count from 1";
  if (version.parent < 0 || version.parent >= version.version) {
    return absl::StrCat("version ", version.parent, " cannot be its parent");
  }
  if (Canary("skip_the_chain_verification")) return "";
  if (Blake2b256(version.body) != version.body_hash) return "the body does not match its hash";
  if (ComputeChain(version) != version.chain) return "the row does not match its chain value";
  return "";
}

VersionMark MarkOf(const StateVersion& version, bool intact) {
  VersionMark mark;
  mark.version = version.version;
  mark.parent = version.parent;
  mark.epoch = version.epoch;
  mark.kind = version.kind;
  mark.prev_chain = version.prev_chain;
  mark.chain = version.chain;
  mark.cursor = version.cursor;
  mark.sync_id = version.sync_id;
  mark.watermark_us = version.watermark_us;
  mark.created_at_us = version.created_at_us;
  mark.empty = version.body.empty() && version.cursor.empty();
  mark.intact = intact;
  return mark;
}

bool IsNormal(StateKind kind) { return kind == StateKind::kNormal || kind == StateKind::kSnapshot; }

// Whether `next` may stand right behind `before`: by number, or as a repair that set versions in
// between aside.
bool Follows(const VersionMark& before, const VersionMark& next) {
  if (Canary("skip_the_chain_verification")) return true;
  if (!before.intact || !next.intact || next.prev_chain != before.chain) return false;
  if (IsNormal(next.kind) && next.parent != before.version) return false;
  if (next.version == before.version + 1) return true;
  return next.kind == StateKind::kRepair && next.version > before.version &&
         next.parent == before.version;
}

bool BeginsHistory(const VersionMark& first, const std::string& anchor) {
  if (first.prev_chain != anchor) return false;
  if (!anchor.empty()) return first.version != 1;
  return first.version == 1 || (first.kind == StateKind::kRepair && first.parent == 0);
}

// The run that a repair keeps: it ends at the version that the head names, else at the newest one
// that is intact (Invariant I1: older is safe, newer is not).
void FindRun(EntryCheck* check) {
  const std::vector<VersionMark>& versions = check->versions;
  size_t last = versions.size();
  for (size_t i = versions.size(); i > 0; --i) {
    const VersionMark& mark = versions[i - 1];
    if (!mark.intact) continue;
    if (last == versions.size()) last = i - 1;
    if (mark.version == check->head.version && mark.chain == check->head.chain) {
      last = i - 1;
      break;
    }
  }
  check->usable = last < versions.size();
  if (!check->usable) return;
  check->last = check->first = last;
  while (check->first > 0 && Follows(versions[check->first - 1], versions[check->first])) {
    --check->first;
  }
}

// What the head's schema and table make up.
std::string NameOf(const StateHead& head) {
  StateEntry entry;
  entry.schema = head.schema;
  entry.table = head.table;
  return EntryName(entry);
}

void AddL0(EntryCheck* check, EntryFindings* findings) {
  const StateHead& head = check->head;
  const std::vector<VersionMark>& versions = check->versions;
  if (versions.empty()) {
    findings->Add(CorruptionClass::kStateLost, StateLevel::kL0, head.version,
                  "its history is gone");
    return;
  }
  if (head.version == 0) {
    findings->Add(CorruptionClass::kUnreadableVersion, StateLevel::kL0, 0,
                  "it has a history but no current version");
  } else if (NameOf(head) != head.entry) {
    findings->Add(CorruptionClass::kUnreadableVersion, StateLevel::kL0, head.version,
                  absl::StrCat("it names table \"", NameOf(head), "\""));
  }
  if (versions.front().intact && !BeginsHistory(versions.front(), head.anchor)) {
    const bool gone = head.anchor.empty() && head.version != 0;
    findings->Add(gone ? CorruptionClass::kGapOrFork : CorruptionClass::kUnreadableVersion,
                  StateLevel::kL0, versions.front().version,
                  gone ? "older versions are gone and no anchor is kept"
                       : "its anchor is not that of the oldest version");
  }
  for (size_t i = 1; i < versions.size(); ++i) {
    const VersionMark& before = versions[i - 1];
    const VersionMark& mark = versions[i];
    if (!mark.intact || !before.intact) continue;
    if (Follows(before, mark)) continue;
    std::string what = absl::StrCat("version ", before.version + 1, " is gone");
    if (mark.version == before.version + 1) {
      what = mark.prev_chain != before.chain
                 ? "it is not chained to the version before it"
                 : absl::StrCat("it was made from version ", mark.parent, ", not from ",
                                before.version);
    }
    findings->Add(CorruptionClass::kGapOrFork, StateLevel::kL0, mark.version, what);
  }
  const VersionMark& newest = versions.back();
  if (head.version != 0 && newest.intact &&
      (newest.version != head.version || newest.chain != head.chain)) {
    findings->Add(newest.version < head.version ? CorruptionClass::kGapOrFork
                                                : CorruptionClass::kUnreadableVersion,
                  StateLevel::kL0, head.version,
                  newest.version == head.version
                      ? std::string("its chain value is not the history's")
                      : absl::StrCat("its history ends at version ", newest.version));
  }
}

// Both as numbers or both as times; false where they cannot be compared.
bool CursorBefore(absl::string_view cursor, absl::string_view parent) {
  int64_t now = 0;
  int64_t then = 0;
  if (absl::SimpleAtoi(cursor, &now) && absl::SimpleAtoi(parent, &then)) return now < then;
  const absl::StatusOr<ParsedTime> time = ParseTime(cursor);
  const absl::StatusOr<ParsedTime> before = ParseTime(parent);
  return time.ok() && before.ok() && time->us < before->us;
}

// Of the current version only: no other has any effect.
void AddL1(const EntryCheck& check, const StateCheckOptions& options, EntryFindings* findings) {
  if (!check.usable) return;
  const VersionMark& current = check.versions[check.last];
  const int64_t limit = options.now_us + options.skew_us;
  const auto future = [&](absl::string_view what) {
    findings->Add(CorruptionClass::kFuturePosition, StateLevel::kL1, current.version,
                  absl::StrCat(what, ", and it is ", FormatReportTime(options.now_us), " now"));
  };
  if (CursorAfter(current.cursor, limit)) {
    future(absl::StrCat("its position is ", current.cursor));
  } else if (current.watermark_us > limit) {
    future(absl::StrCat("its watermark is ", FormatReportTime(current.watermark_us)));
  } else if (current.created_at_us > limit) {
    future(absl::StrCat("it was made at ", FormatReportTime(current.created_at_us)));
  }
  if (check.last == check.first || !IsNormal(current.kind)) return;
  const VersionMark& parent = check.versions[check.last - 1];
  // A full sync begins again, and a repair may have gone back: only within one sync is it odd.
  if (parent.version != current.parent || parent.sync_id != current.sync_id) return;
  const bool watermark = current.watermark_us != kNoTime && parent.watermark_us != kNoTime &&
                         current.watermark_us < parent.watermark_us;
  if (watermark || CursorBefore(current.cursor, parent.cursor)) {
    findings->Add(
        CorruptionClass::kFuturePosition, StateLevel::kL1, current.version,
        absl::StrCat("its position ", current.cursor, " lies before that of version ",
                     parent.version, " (", parent.cursor, "), so changes will be read again"),
        true);
  }
}

void AddEvidence(const StateCheckOptions& options, StateCheck* check) {
  const StateEvidence& evidence = options.evidence;
  if (check->entries.empty() && evidence.synced && evidence.entries.empty()) {
    StateFinding& finding = check->findings.emplace_back();
    finding.corruption = CorruptionClass::kStateLost;
    finding.level = StateLevel::kL3;
    finding.sentence = "rows were synced, and no state of them is there";
    return;
  }
  for (const StateEvidence::Entry& expected : evidence.entries) {
    if (expected.version <= 0) continue;
    EntryFindings findings(expected.entry, &check->findings);
    const EntryCheck* found = nullptr;
    for (const EntryCheck& entry : check->entries) {
      if (entry.head.entry == expected.entry) found = &entry;
    }
    if (found == nullptr) {
      findings.Add(CorruptionClass::kStateLost, StateLevel::kL3, 0,
                   absl::StrCat("its state is gone; sync ", evidence.sync_id,
                                " left it at version ", expected.version));
    } else if (found->sound && found->head.version < expected.version &&
               IsNormal(found->versions.back().kind)) {
      findings.Add(
          CorruptionClass::kStoreBehind, StateLevel::kL3, found->head.version,
          absl::StrCat("sync ", evidence.sync_id, " left it at version ", expected.version));
    }
  }
}

// Of the current version: the sync that wrote it must have been one into this destination.
void AddSync(const EntryCheck& check, const StateEvidence& evidence, EntryFindings* findings) {
  if (!check.usable) return;
  const VersionMark& current = check.versions[check.last];
  if (!IsNormal(current.kind) || evidence.KnowsSync(current.sync_id)) return;
  if (Canary("believe_another_history")) return;
  findings->Add(CorruptionClass::kGapOrFork, StateLevel::kL3, current.version,
                absl::StrCat("sync ", current.sync_id, ", which made it, never wrote here"));
}

// What an error of the store says about the state; false: nothing (locked, no permission).
bool AddStoreFinding(const absl::Status& status, const StateCheckOptions& options,
                     std::vector<StateFinding>* findings) {
  StateFinding finding;
  finding.sentence = std::string(status.message());
  finding.level = StateLevel::kL0;
  if (absl::IsDataLoss(status)) {
    finding.corruption = CorruptionClass::kStoreMalformed;
  } else if (absl::IsNotFound(status)) {
    if (!options.evidence.synced && options.evidence.entries.empty()) return false;
    finding.corruption = CorruptionClass::kStateLost;
  } else if (absl::IsFailedPrecondition(status)) {
    finding.corruption = CorruptionClass::kNewerFormat;
  } else {
    return false;
  }
  if (const auto known = CorruptionOf(status); known.has_value()) finding.corruption = *known;
  findings->push_back(std::move(finding));
  return true;
}

StateCheck CheckHeads(StateStore& store, std::vector<StateHead> heads,
                      const StateCheckOptions& options) {
  StateCheck result;
  for (StateHead& head : heads) {
    EntryFindings findings(head.entry, &result.findings);
    EntryCheck check;
    check.head = std::move(head);
    VersionQuery query;
    query.entry = check.head.entry;
    query.first = std::numeric_limits<int64_t>::min();  // a damaged number may be negative
    result.store = store.ReadVersions(query, [&](StoredVersion& stored) {
      const std::string damage = Damage(stored, check.head.entry);
      if (!damage.empty()) {
        findings.Add(CorruptionClass::kUnreadableVersion, StateLevel::kL0, stored.version.version,
                     damage);
      }
      check.versions.push_back(MarkOf(stored.version, damage.empty()));
      return absl::OkStatus();
    });
    if (!result.store.ok()) {
      AddStoreFinding(result.store, options, &result.findings);
      return result;
    }
    AddL0(&check, &findings);
    FindRun(&check);
    check.sound = findings.count() == 0;
    AddL1(check, options, &findings);
    AddSync(check, options.evidence, &findings);
    result.entries.push_back(std::move(check));
  }
  AddEvidence(options, &result);
  return result;
}

bool SameHeads(const std::vector<StateHead>& heads, const std::vector<EntryCheck>& entries) {
  return std::equal(heads.begin(), heads.end(), entries.begin(), entries.end(),
                    [](const StateHead& head, const EntryCheck& entry) {
                      return head.entry == entry.head.entry && head.version == entry.head.version &&
                             head.chain == entry.head.chain;
                    });
}

}  // namespace

bool StateEvidence::KnowsSync(const std::string& id) const {
  return syncs.empty() || std::find(syncs.begin(), syncs.end(), id) != syncs.end();
}

const StateFinding* StateCheck::Worst() const {
  const auto worst = std::find_if(findings.begin(), findings.end(),
                                  [](const StateFinding& finding) { return !finding.harmless; });
  return worst == findings.end() ? nullptr : &*worst;
}

bool CursorAfter(absl::string_view cursor, int64_t limit_us) {
  int64_t number = 0;
  if (cursor.empty() || absl::SimpleAtoi(cursor, &number)) return false;
  const absl::StatusOr<ParsedTime> time = ParseTime(cursor);
  return time.ok() && time->us > limit_us;
}

std::string DescribeEntry(absl::string_view entry) {
  return entry.empty() ? "connection-wide entry" : absl::StrCat("entry \"", entry, "\"");
}

StateCheck CheckState(StateStore& store, const StateCheckOptions& options) {
  StateCheck result;
  // A sync may commit between the reading of the heads and that of the versions.
  for (int again = 0; again < kReadings; ++again) {
    absl::StatusOr<std::vector<StateHead>> heads = store.Heads();
    if (!heads.ok()) {
      result = StateCheck();
      result.store = heads.status();
      AddStoreFinding(result.store, options, &result.findings);
      return result;
    }
    if (again > 0 && SameHeads(*heads, result.entries)) break;
    result = CheckHeads(store, *std::move(heads), options);
    if (result.ok()) break;
  }
  return result;
}

}  // namespace tidemark
