// `tidemark state diff`: what differs between two states of a connection.
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "commands.h"
#include "control/state_log.h"
#include "core/time_text.h"
#include "state_choice.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct DiffOptions : StateOptions {
  std::vector<std::string> words;  // [FILE] FROM TO
};

// One entry at both points; null: it did not exist then.
struct Pair {
  std::string entry;
  const StateVersion* from = nullptr;
  const StateVersion* to = nullptr;
};

std::vector<Pair> PairUp(const std::vector<StateVersion>& from,
                         const std::vector<StateVersion>& to) {
  std::vector<Pair> pairs;
  pairs.reserve(from.size());
  for (const StateVersion& version : from) pairs.push_back({version.entry, &version, nullptr});
  for (const StateVersion& version : to) {
    Pair* known = nullptr;
    for (Pair& pair : pairs) {
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

std::string Named(const StateVersion* version) {
  if (version == nullptr) return "nothing";
  return absl::StrCat("version ", version->version, " (",
                      FormatReportTime(absl::FromUnixMicros(version->created_at_us)), ")");
}

void PrintPair(Session& session, const Pair& pair, const std::vector<StateChange>& changes) {
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

Json PairJson(const Pair& pair, const std::vector<StateChange>& changes) {
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
  for (const Pair& pair : PairUp(*from, *to)) {
    const StateVersion empty;
    const std::vector<StateChange> changes = DiffVersions(pair.from == nullptr ? empty : *pair.from,
                                                          pair.to == nullptr ? empty : *pair.to);
    if (session.json()) {
      json.push_back(PairJson(pair, changes));
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
