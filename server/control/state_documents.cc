#include "control/state_documents.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/digest.h"
#include "core/text.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

std::string Time(int64_t us) { return FormatReportTime(us); }

// With thousands separated: "1,234,567".
std::string Grouped(uint64_t number) {
  std::string digits = absl::StrCat(number);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

Json MoveJson(const StateMove& move) {
  return {{"entry", move.head.entry},
          {"kind", std::string(StateKindName(move.kind))},
          {"from_version", move.head.version},
          {"to_version", move.to.version},
          {"from_cursor", move.from.cursor},
          {"to_cursor", move.to.cursor},
          {"from_format", move.from.format},
          {"to_format", move.to.format},
          {"moves", move.moves},
          {"next_sync", NextSyncText(move)},
          {"versions_back", move.versions_back},
          {"changes_read_again", move.changes},
          {"oldest_allowed_version", move.releasable},
          {"inside_horizon", move.inside_horizon},
          // The only write mode there is: a change that comes again changes nothing.
          {"write_mode", "merge"}};
}

const char* StepName(const RestoreStep& step) {
  switch (step.what) {
    case RestoreStep::What::kNothing:
      return "nothing";
    case RestoreStep::What::kRecreate:
      return "recreate";
    case RestoreStep::What::kImport:
      break;
  }
  return "import";
}

// JSON as it is, anything else as a text.
Json Document(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json(text) : json;
}

}  // namespace

Json StateVersionJson(const StateVersion& version) {
  return {{"entry", version.entry},
          {"version", version.version},
          {"parent", version.parent},
          {"kind", std::string(StateKindName(version.kind))},
          {"created_at", Time(version.created_at_us)},
          {"epoch", version.epoch},
          {"cursor", version.cursor},
          {"records_processed", version.counts.Sum()},
          {"records_inserted", version.counts.inserted},
          {"records_updated", version.counts.updated},
          {"records_deleted", version.counts.deleted},
          {"records_unchanged", version.counts.unchanged},
          {"sync", version.sync_id},
          {"body_hash", Hex(version.body_hash)},
          {"chain", Hex(version.chain)},
          {"engine", version.engine}};
}

std::string StateBodyText(const StateVersion& version) {
  return IsUtf8(version.body) ? version.body : absl::StrCat("0x", Hex(version.body));
}

std::vector<StatePair> PairStates(absl::Span<const StateVersion> from,
                                  absl::Span<const StateVersion> to) {
  std::vector<StatePair> pairs;
  pairs.reserve(from.size());
  for (const StateVersion& version : from) pairs.push_back({version.entry, &version, nullptr});
  for (const StateVersion& version : to) {
    StatePair* known = nullptr;
    for (StatePair& pair : pairs) {
      if (pair.entry == version.entry) known = &pair;
    }
    if (known == nullptr) {
      pairs.push_back({version.entry, nullptr, &version});
    } else {
      known->to = &version;
    }
  }
  return pairs;
}

std::vector<StateChange> DiffOfPair(const StatePair& pair) {
  const StateVersion empty;
  return DiffVersions(pair.from == nullptr ? empty : *pair.from,
                      pair.to == nullptr ? empty : *pair.to);
}

Json StatePairJson(const StatePair& pair, const std::vector<StateChange>& changes) {
  Json json = {{"entry", pair.entry},
               {"from", pair.from == nullptr ? Json() : Json(pair.from->version)},
               {"to", pair.to == nullptr ? Json() : Json(pair.to->version)},
               {"changes", Json::array()}};
  for (const StateChange& change : changes) {
    Json one = {{"what", std::string(ChangeName(change.what))}, {"path", change.path}};
    if (change.what != StateChange::What::kAdded) one["before"] = change.before;
    if (change.what != StateChange::What::kRemoved) one["after"] = change.after;
    json["changes"].push_back(std::move(one));
  }
  return json;
}

std::string NextSyncText(const StateMove& move) {
  if (move.kind == StateKind::kMigrate || !move.moves) return "goes on where it is";
  if (move.to.version == 0 || (move.to.body.empty() && move.to.cursor.empty())) {
    return "reads everything from the beginning; what does not come again is deleted";
  }
  return absl::StrCat(
      "reads again ", move.to.cursor.empty() ? "" : absl::StrCat("from ", move.to.cursor, ", "),
      "what ", move.versions_back, " versions counted: ", Grouped(move.changes), " changes");
}

Json MovesJson(const std::string& connection, absl::Span<const StateMove> moves) {
  Json json = {{"connection", connection}, {"plan", Json::array()}};
  for (const StateMove& move : moves) json["plan"].push_back(MoveJson(move));
  return json;
}

Json ImportPlanJson(const std::string& connection, absl::Span<const StateMove> moves) {
  Json json = {{"connection", connection}, {"plan", Json::array()}};
  for (const StateMove& move : moves) {
    json["plan"].push_back({{"entry", move.head.entry},
                            {"kind", "import"},
                            {"from_version", move.head.version},
                            {"from_cursor", move.from.cursor},
                            {"to_cursor", move.to.cursor},
                            {"moves", move.moves}});
  }
  return json;
}

Json RestorePlanJson(const StateBackup& backup, const std::vector<RestoreStep>& steps) {
  Json json = {{"connection", backup.connection},
               {"backup_of", Time(backup.created_at_us)},
               {"plan", Json::array()}};
  for (const RestoreStep& step : steps) {
    json["plan"].push_back({{"entry", step.entry->head.entry},
                            {"step", StepName(step)},
                            {"from_version", step.current.version},
                            {"backup_version", step.entry->head.version},
                            {"from_cursor", step.cursor_now},
                            {"to_cursor", step.entry->versions.back().cursor},
                            {"beyond_horizon", step.beyond_horizon}});
  }
  return json;
}

bool NothingMoves(absl::Span<const StateMove> moves) {
  for (const StateMove& move : moves) {
    if (move.moves) return false;
  }
  return true;
}

Json SourceAnswerJson(const SourceAnswer& answer) {
  return {{"connector", answer.connector},
          {"can_rewind", answer.can_rewind},
          {"can_resume", answer.resumes.ok()},
          {"message", std::string(answer.resumes.message())}};
}

void AddWritten(const StateWritten& written, Json* json) {
  Json list = Json::array();
  for (const StateWritten::Entry& entry : written.entries) {
    list.push_back({{"entry", entry.entry}, {"version", entry.version}});
  }
  (*json)["done"] = std::move(list);
  if (!written.warning.empty()) (*json)["warning"] = written.warning;
}

std::string VerdictWord(LevelVerdict::Result result) {
  switch (result) {
    case LevelVerdict::Result::kOk:
      return "ok";
    case LevelVerdict::Result::kFailed:
      return "FAILED";
    case LevelVerdict::Result::kNotPossible:
      return "not possible";
  }
  return "";
}

bool IsValid(const FullValidation& validation) {
  for (const LevelVerdict& verdict : validation.verdicts) {
    if (verdict.result == LevelVerdict::Result::kFailed) return false;
  }
  return true;
}

Json ValidationJson(const std::string& connection, const FullValidation& validation) {
  Json json = {{"connection", connection},
               {"valid", IsValid(validation)},
               {"levels", Json::array()},
               {"findings", Json::array()}};
  for (const LevelVerdict& verdict : validation.verdicts) {
    json["levels"].push_back({{"level", std::string(StateLevelName(verdict.level))},
                              {"meaning", std::string(StateLevelMeaning(verdict.level))},
                              {"verdict", VerdictWord(verdict.result)},
                              {"note", verdict.note}});
  }
  for (const StateFinding& finding : validation.findings) {
    json["findings"].push_back(FindingJson(finding));
  }
  return json;
}

Json FindingJson(const StateFinding& finding) {
  return {{"class", static_cast<int>(finding.corruption)},
          {"name", std::string(CorruptionName(finding.corruption))},
          {"level", std::string(StateLevelName(finding.level))},
          {"entry", finding.entry},
          {"version", finding.version},
          {"what", finding.sentence},
          {"remedy", finding.remedy.empty() ? std::string(CorruptionRemedy(finding.corruption))
                                            : finding.remedy},
          {"harmless", finding.harmless}};
}

Json RepairStepJson(const RepairStep& step) {
  return {{"entry", step.head.entry},
          {"class", static_cast<int>(step.found.corruption)},
          {"found", step.found.sentence},
          {"action", step.sentence},
          {"kind", step.action == RepairAction::kBeginAgain ? "reset" : "repair"},
          {"version", step.version},
          {"parent", step.parent},
          {"set_aside", step.set_aside}};
}

Json DeadLetterJson(const StoredDeadLetter& letter) {
  return {{"id", letter.id},
          {"connection", letter.connection},
          {"table", letter.letter.table},
          {"key", Document(letter.letter.key_json)},
          {"code", absl::StatusCodeToString(letter.letter.code)},
          {"reason", letter.letter.reason},
          {"change", Document(letter.letter.change_json)},
          {"context", Document(letter.letter.context_json)},
          {"sync", letter.sync_id},
          {"first_seen", Time(letter.first_seen_us)},
          {"last_seen", Time(letter.last_seen_us)},
          {"attempts", letter.attempts},
          {"status", letter.status}};
}

}  // namespace tidemark
