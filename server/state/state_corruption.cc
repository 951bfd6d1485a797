#include "state/state_corruption.h"

#include <array>
#include <cstddef>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace tidemark {
namespace {

constexpr char kClassPayload[] = "tidemark/corruption";
constexpr char kEntriesPayload[] = "tidemark/refused-entries";

struct ClassText {
  absl::string_view name;
  absl::string_view remedy;
};

constexpr std::array<ClassText, 14> kTexts = {{
    {"unreadable state version",
     "`tidemark state repair` goes back to the newest version that verifies"},
    {"state lost",
     "`tidemark state repair` rebuilds it from the newest backup; without one, "
     "`tidemark state repair --reset` reads everything again"},
    {"malformed state store",
     "`tidemark state repair` moves it aside and rebuilds it; where the store is the destination's "
     "own file, restore a backup of that file"},
    {"state behind the destination",
     "`tidemark state repair` rolls the state forward, or goes on from the older version"},
    {"state ahead of the destination",
     "`tidemark state repair` rewinds it to the destination's version"},
    {"gap or fork in the history",
     "`tidemark state repair` keeps the versions that lead to the destination's"},
    {"position not in the source any more",
     "read everything again (`tidemark state reset`), or set state.recovery.reset_on_corruption"},
    {"source replaced or restored",
     "check that the connection names the right source; if it does, read everything again "
     "(`tidemark state reset`): this is never done by itself"},
    {"position in the future",
     "check this machine's clock; `tidemark state repair` goes back to the newest version whose "
     "position can be"},
    {"format of a newer version", "install the engine or connector that wrote it, or a newer one"},
    {"disk full", "free some space; the next run goes on from the last commit"},
    {"diverged workers", "see who else works on it with `tidemark state log`"},
    {"destination table altered or dropped",
     "restore it, or read it again: `tidemark state reset`"},
    {"rows differ from the source", "`tidemark verify --repair` reads them again"},
}};

const ClassText& TextOf(CorruptionClass corruption) {
  return kTexts[static_cast<size_t>(corruption) - 1];
}

}  // namespace

absl::string_view CorruptionName(CorruptionClass corruption) { return TextOf(corruption).name; }

absl::string_view CorruptionRemedy(CorruptionClass corruption) { return TextOf(corruption).remedy; }

absl::string_view StateLevelName(StateLevel level) {
  constexpr std::array<absl::string_view, 5> kNames = {"L0", "L1", "L2", "L3", "L4"};
  return kNames[static_cast<size_t>(level)];
}

absl::string_view StateLevelMeaning(StateLevel level) {
  constexpr std::array<absl::string_view, 5> kMeanings = {
      "versions, hashes and chain", "positions and times make sense",
      "the source can go on from here", "destination and state agree",
      "sampled rows equal the source's"};
  return kMeanings[static_cast<size_t>(level)];
}

std::string DescribeFinding(const StateFinding& finding) {
  return absl::StrCat("class ", static_cast<int>(finding.corruption), " (",
                      CorruptionName(finding.corruption), "): ", finding.sentence);
}

absl::Status CorruptionError(const StateFinding& finding) {
  const absl::string_view remedy =
      finding.remedy.empty() ? CorruptionRemedy(finding.corruption) : finding.remedy;
  return WithCorruption(
      absl::DataLossError(absl::StrCat("state damaged, ", DescribeFinding(finding), "; ", remedy)),
      finding.corruption);
}

absl::Status WithCorruption(absl::Status status, CorruptionClass corruption) {
  if (!status.ok()) {
    status.SetPayload(kClassPayload, absl::Cord(absl::StrCat(static_cast<int>(corruption))));
  }
  return status;
}

std::optional<CorruptionClass> CorruptionOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kClassPayload);
  int number = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &number)) {
    return std::nullopt;
  }
  return static_cast<CorruptionClass>(number);
}

absl::Status ClassifyCommitError(const absl::Status& status) {
  const absl::string_view text = status.message();
  std::optional<CorruptionClass> corruption = CorruptionOf(status);
  if (status.ok() || corruption.has_value()) return status;
  if (absl::IsResourceExhausted(status) && absl::StrContains(text, "disk")) {
    corruption = CorruptionClass::kDiskFull;
  } else if (absl::StrContains(text, "FENCED:") || absl::StrContains(text, "DIVERGED:")) {
    corruption = CorruptionClass::kWorkersDiverged;
  } else {
    return status;
  }
  absl::Status named(status.code(), absl::StrCat("class ", static_cast<int>(*corruption), " (",
                                                 CorruptionName(*corruption), "): ", text));
  status.ForEachPayload([&named](absl::string_view url, const absl::Cord& payload) {
    named.SetPayload(url, payload);
  });
  return WithCorruption(std::move(named), *corruption);
}

absl::Status RefusalError(const absl::Status& verdict, const std::vector<std::string>& entries) {
  StateFinding finding;
  finding.level = StateLevel::kL2;
  switch (verdict.code()) {
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kDataLoss:
      finding.corruption = CorruptionClass::kPositionGone;
      break;
    case absl::StatusCode::kFailedPrecondition:
      finding.corruption = CorruptionClass::kSourceReplaced;
      break;
    case absl::StatusCode::kInvalidArgument:
      finding.corruption = CorruptionClass::kNewerFormat;
      break;
    default:
      return verdict;
  }
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (const std::string& entry : entries) {
    names.push_back(entry.empty() ? std::string("connection-wide entry")
                                  : absl::StrCat("entry \"", entry, "\""));
  }
  finding.sentence = absl::StrCat(absl::StrJoin(names, ", "), ": the source refuses to go on (",
                                  verdict.message(), ")");
  absl::Status status = CorruptionError(finding);
  status.SetPayload(kEntriesPayload, absl::Cord(absl::StrJoin(entries, "\n")));
  return status;
}

std::vector<std::string> RefusedEntries(const absl::Status& status) {
  const auto payload = status.GetPayload(kEntriesPayload);
  if (!payload.has_value()) return {};
  return absl::StrSplit(std::string(*payload), '\n');
}

}  // namespace tidemark
