// `tidemark state diff`: what differs between two states of a connection.
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "commands.h"
#include "control/state_documents.h"
#include "control/state_log.h"
#include "core/time_text.h"
#include "state_choice.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct DiffOptions : StateOptions {
  std::vector<std::string> words;  // [FILE] FROM TO
};

std::string Named(const StateVersion* version) {
  if (version == nullptr) return "nothing";
  return absl::StrCat("version ", version->version, " (", FormatReportTime(version->created_at_us),
                      ")");
}

void PrintPair(Session& session, const StatePair& pair, const std::vector<StateChange>& changes) {
  session.Print(session.Heading(absl::StrCat(EntryCell(pair.entry), ": ", Named(pair.from), " -> ",
                                             Named(pair.to))) +
                "\n");
  if (changes.empty()) session.Print("  no difference\n");
  for (const StateChange& change : changes) {
    switch (change.what) {
      case StateChange::What::kAdded:
        session.Print(absl::StrCat("  + ", change.path, ": ", change.after, "\n"));
        break;
      case StateChange::What::kRemoved:
        session.Print(absl::StrCat("  - ", change.path, ": ", change.before, "\n"));
        break;
      case StateChange::What::kChanged:
        session.Print(
            absl::StrCat("  ~ ", change.path, ": ", change.before, " -> ", change.after, "\n"));
        break;
    }
  }
}

ExitCode ShowDiff(Session& session, DiffOptions options) {
  if (options.words.size() < 2 || options.words.size() > 3) {
    return session.Fail(AsUsage(
        absl::InvalidArgumentError("name two versions, syncs or times: state diff FILE FROM TO")));
  }
  if (options.words.size() == 3) options.stored.file = options.words.front();
  std::vector<HistoryPoint> points;
  for (size_t i = options.words.size() - 2; i < options.words.size(); ++i) {
    absl::StatusOr<HistoryPoint> point = ParseHistoryPoint(options.words[i]);
    if (!point.ok()) return session.Fail(AsUsage(point.status()));
    points.push_back(*std::move(point));
  }
  absl::StatusOr<ChosenState> chosen = ChooseState(options);
  if (!chosen.ok()) return session.Fail(chosen.status());
  auto from = ReadStates(chosen->location, points[0], options.entry);
  if (!from.ok()) return session.Fail(from.status());
  auto to = ReadStates(chosen->location, points[1], options.entry);
  if (!to.ok()) return session.Fail(to.status());
  Json json = Json::array();
  for (const StatePair& pair : PairStates(*from, *to)) {
    const std::vector<StateChange> changes = DiffOfPair(pair);
    if (session.json()) {
      json.push_back(StatePairJson(pair, changes));
    } else {
      PrintPair(session, pair, changes);
    }
  }
  if (session.json()) session.PrintJson(json);
  return ExitCode::kDone;
}

}  // namespace

void AddStateDiffCommand(CLI::App& state, Action* action) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App* command = state.add_subcommand("diff", "Show what differs between two states");
  command->add_option("WORDS", options->words,
                      "[FILE] FROM TO: a connection file or database; then two versions, syncs or "
                      "times");
  command->add_option("--db", options->stored.db, "A database file");
  command->add_option("--connection", options->stored.connection, "The connection's name");
  AddEntryOption(*command, options.get());
  command->callback([options, action] {
    *action = [options](Session& session) { return ShowDiff(session, *options); };
  });
}

}  // namespace tidemark
