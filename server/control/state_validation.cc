#include "control/state_validation.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/outer_storage.h"
#include "control/verify.h"
#include "pipeline/change_source.h"
#include "state/sqlite_state_store.h"
#include "state/store_comparison.h"

namespace tidemark {
namespace {

using Result = LevelVerdict::Result;

constexpr size_t kSampledRows = 100;  // of each table

LevelVerdict VerdictOf(const StateValidation& validation, StateLevel level) {
  LevelVerdict verdict;
  verdict.level = level;
  if (validation.fresh) verdict.note = "nothing was ever synced";
  for (const StateFinding& finding : validation.check.findings) {
    if (finding.level == level && !finding.harmless) verdict.result = Result::kFailed;
  }
  const bool unread = !validation.check.store.ok() && !validation.fresh;
  if (unread && verdict.result == Result::kOk && level != StateLevel::kL0) {
    verdict.result = Result::kNotPossible;
    verdict.note = "the state cannot be read";
  }
  return verdict;
}

// The current states as the connector would be given them.
absl::StatusOr<std::vector<StateEntry>> CurrentStates(const StateLocation& location) {
  SqliteStateStoreOptions options;
  options.read_only = true;
  absl::StatusOr<std::unique_ptr<StateStore>> store =
      OpenSqliteStateStore(location.path, location.connection, options);
  if (!store.ok()) return store.status();
  absl::StatusOr<StateCopy> copy = CopyOfStore(**store);
  if (!copy.ok()) return copy.status();
  std::vector<StateEntry> states;
  for (auto& [name, entry] : copy->entries) {
    const StateVersion& version = entry.version;
    if (version.body.empty() && version.cursor.empty()) continue;
    StateEntry& state = states.emplace_back();
    state.schema = entry.schema;
    state.table = entry.table;
    state.body = version.body;
    state.cursor = version.cursor;
    state.format = version.format;
    state.kind = static_cast<uint32_t>(version.kind);
    state.version = static_cast<uint64_t>(version.version);
    state.committed_at_us = version.created_at_us;
    state.watermark_us = version.watermark_us;
  }
  return states;
}

LevelVerdict AskSource(const StateLocation& location, Engine& engine,
                       std::vector<StateFinding>* findings) {
  LevelVerdict verdict;
  verdict.level = StateLevel::kL2;
  const auto not_possible = [&verdict](const absl::Status& why) {
    verdict.result = Result::kNotPossible;
    verdict.note = std::string(why.message());
    return verdict;
  };
  absl::StatusOr<std::vector<StateEntry>> states = CurrentStates(location);
  if (!states.ok()) return not_possible(states.status());
  if (states->empty()) {
    verdict.note = "no state to go on from";
    return verdict;
  }
  absl::StatusOr<std::unique_ptr<ChangeSource>> source = engine.OpenSource();
  if (!source.ok()) return not_possible(source.status());
  const absl::Status answer = (*source)->ValidateState(*states);
  if (answer.ok()) {
    verdict.note = absl::StrCat("asked ", engine.description().id);
    return verdict;
  }
  if (absl::IsUnimplemented(answer)) {
    return not_possible(absl::UnimplementedError("the connector cannot tell"));
  }
  std::vector<std::string> names;
  names.reserve(states->size());
  for (const StateEntry& state : *states) names.push_back(EntryName(state));
  const absl::Status refusal = RefusalError(answer, names);
  const auto corruption = CorruptionOf(refusal);
  if (!corruption.has_value() || IsTransportFailure(answer)) return not_possible(answer);
  verdict.result = Result::kFailed;
  StateFinding& finding = findings->emplace_back();
  finding.corruption = *corruption;
  finding.level = StateLevel::kL2;
  finding.sentence = absl::StrCat("the source refuses to go on (", answer.message(), ")");
  return verdict;
}

// L3 with another store beside the destination: one that is behind is rolled forward by the next
// sync, one that is ahead or forked is damage.
void CompareOuter(const StateLocation& location, LevelVerdict* verdict,
                  std::vector<StateFinding>* findings) {
  if (location.configuration == nullptr) return;
  absl::StatusOr<std::unique_ptr<StateStore>> outer =
      OpenOuterStateStore(*location.configuration, true);
  if (!outer.ok() || *outer == nullptr) return;
  SqliteStateStoreOptions options;
  options.read_only = true;
  absl::StatusOr<std::unique_ptr<StateStore>> store =
      OpenSqliteStateStore(location.path, location.connection, options);
  if (!store.ok()) return;
  absl::StatusOr<std::vector<EntryPosition>> positions = CompareStores(**store, **outer);
  if (!positions.ok()) {
    if (verdict->result == Result::kOk) verdict->result = Result::kNotPossible;
    verdict->note = std::string(positions.status().message());
    return;
  }
  for (const EntryPosition& at : *positions) {
    if (at.position == StorePosition::kEqual) continue;
    StateFinding& finding = findings->emplace_back();
    finding.level = StateLevel::kL3;
    const bool named = at.authority.version != 0;
    finding.entry = named ? at.authority.entry : at.store.entry;
    finding.version = at.authority.version;
    finding.sentence =
        absl::StrCat(DescribeEntry(finding.entry), ": version ", at.authority.version,
                     " in the destination, ", at.store.version, " in ", (*outer)->Describe());
    finding.harmless = at.position == StorePosition::kBehind;
    finding.corruption = at.position == StorePosition::kBehind  ? CorruptionClass::kStoreBehind
                         : at.position == StorePosition::kAhead ? CorruptionClass::kStoreAhead
                                                                : CorruptionClass::kGapOrFork;
    finding.remedy = finding.harmless ? "the next sync rolls it forward"
                                      : "the next sync rewinds it where the source can go on from "
                                        "the destination's state; else it says what to do";
    if (!finding.harmless) verdict->result = Result::kFailed;
  }
}

// Rows of the last commit group, read again at the source.
LevelVerdict CompareRows(Engine& engine, std::vector<StateFinding>* findings) {
  LevelVerdict verdict;
  verdict.level = StateLevel::kL4;
  absl::StatusOr<SampleVerdict> sample = VerifySample(engine, kSampledRows);
  if (!sample.ok()) {
    verdict.result = Result::kNotPossible;
    verdict.note = absl::IsUnimplemented(sample.status()) ? "the connector cannot read keys"
                                                          : std::string(sample.status().message());
    return verdict;
  }
  const uint64_t unlike = sample->changed + sample->gone + sample->back;
  verdict.note = absl::StrCat(sample->equal, " of ", sample->sampled, " sampled rows equal");
  if (sample->sampled == 0 && !sample->skipped.empty()) {
    verdict.result = Result::kNotPossible;
    verdict.note = sample->skipped.front();
  }
  if (unlike == 0) return verdict;
  verdict.result = Result::kFailed;
  StateFinding& finding = findings->emplace_back();
  finding.corruption = CorruptionClass::kRowsDiffer;
  finding.level = StateLevel::kL4;
  finding.sentence = absl::StrCat(
      unlike, " of ", sample->sampled,
      " sampled rows are not those of the source: ", absl::StrJoin(sample->unlike, ", "));
  finding.remedy =
      "where the source has changed since, run the sync first; `tidemark verify --repair` reads "
      "the rows again";
  return verdict;
}

}  // namespace

absl::StatusOr<FullValidation> ValidateFully(const StateLocation& location, int64_t now_us,
                                             Engine* engine, const absl::Status& no_engine) {
  absl::StatusOr<StateValidation> validation = ValidateStored(location, now_us);
  if (!validation.ok()) return validation.status();
  FullValidation full;
  full.findings = validation->check.findings;
  full.verdicts.push_back(VerdictOf(*validation, StateLevel::kL0));
  full.verdicts.push_back(VerdictOf(*validation, StateLevel::kL1));
  LevelVerdict source;
  source.level = StateLevel::kL2;
  if (validation->fresh) {
    source.note = "nothing was ever synced";
  } else if (engine == nullptr) {
    source.result = Result::kNotPossible;
    source.note = std::string(no_engine.message());
  } else {
    source = AskSource(location, *engine, &full.findings);
  }
  full.verdicts.push_back(std::move(source));
  full.verdicts.push_back(VerdictOf(*validation, StateLevel::kL3));
  CompareOuter(location, &full.verdicts.back(), &full.findings);
  LevelVerdict rows;
  rows.level = StateLevel::kL4;
  if (validation->fresh) {
    rows.note = "nothing was ever synced";
  } else if (engine == nullptr) {
    rows.result = Result::kNotPossible;
    rows.note = std::string(no_engine.message());
  } else {
    rows = CompareRows(*engine, &full.findings);
  }
  full.verdicts.push_back(std::move(rows));
  return full;
}

}  // namespace tidemark
