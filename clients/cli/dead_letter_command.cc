// `tidemark dead-letters edit` and `replay`.
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "commands.h"
#include "control/dead_letters.h"
#include "control/references.h"
#include "control/report.h"
#include "progress_line.h"
#include "stored_destination.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxChange = 64 * 1024 * 1024;

struct LetterOptions {
  StoredChoice stored;
  int64_t id = 0;
  std::string change;
  std::string change_file;
  std::vector<std::string> words;  // ID... FILE
};

absl::StatusOr<std::string> ChangeOf(const LetterOptions& options) {
  if (options.change.empty() == options.change_file.empty()) {
    return AsUsage(absl::InvalidArgumentError(
        "give the change: --change '{\"op\": \"upsert\", \"values\": {..}}', or --change-file PATH "
        "(\"-\": standard input)"));
  }
  if (!options.change.empty()) return options.change;
  if (options.change_file == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  absl::StatusOr<std::string> text = ReadTextFile(options.change_file, kMaxChange);
  if (!text.ok()) return AsUsage(text.status());
  return text;
}

ExitCode Edit(Session& session, const LetterOptions& options) {
  absl::StatusOr<std::string> change = ChangeOf(options);
  if (!change.ok()) return session.Fail(change.status());
  absl::StatusOr<StoredDestination> stored = OpenStored(options.stored, false);
  if (!stored.ok()) return session.Fail(stored.status());
  if (absl::Status status = EditLetter(*stored->reader, options.id, *change); !status.ok()) {
    return session.Fail(status);
  }
  session.Note(absl::StrCat("Dead letter ", options.id,
                            " holds the new change; `tidemark "
                            "dead-letters replay ",
                            options.id, " FILE` sends it."));
  if (session.json()) session.PrintJson({{"edited", options.id}});
  return ExitCode::kDone;
}

// Numbers are ids, the one other word is the connection file.
absl::StatusOr<std::string> SplitWords(const std::vector<std::string>& words,
                                       std::vector<int64_t>* ids) {
  std::string file;
  for (const std::string& word : words) {
    int64_t id = 0;
    if (absl::SimpleAtoi(word, &id)) {
      ids->push_back(id);
    } else if (file.empty()) {
      file = word;
    } else {
      return AsUsage(
          absl::InvalidArgumentError(absl::StrCat("\"", word, "\" is no number of a dead letter")));
    }
  }
  if (!file.empty()) return file;
  return AsUsage(
      absl::InvalidArgumentError("name the connection file: dead-letters replay [ID...] FILE"));
}

Json ResultJson(const ReplayedLetters& result, const std::string& report) {
  Json json = {{"replayed", result.replayed},
               {"failed", result.failed},
               {"refused", Json::array()},
               {"report", Json::parse(report, nullptr, false)}};
  for (const ReplayedLetters::Refused& refused : result.refused) {
    json["refused"].push_back({{"id", refused.id}, {"reason", refused.reason}});
  }
  return json;
}

ExitCode Replay(Session& session, const LetterOptions& options) {
  std::vector<int64_t> ids;
  absl::StatusOr<std::string> file = SplitWords(options.words, &ids);
  if (!file.ok()) return session.Fail(file.status());
  absl::StatusOr<Connection> connection = LoadConnection(*file);
  if (!connection.ok()) return session.Fail(connection.status());
  Interrupt* interrupt = session.WatchInterrupts();
  absl::StatusOr<std::unique_ptr<Engine>> engine = session.OpenEngine(*std::move(connection));
  if (!engine.ok()) return session.Fail(engine.status());
  absl::StatusOr<ReplayedLetters> result = absl::UnknownError("");
  {
    ProgressLine line(session.quiet());
    result = ReplayLetters(
        **engine, ids, [&line](const SyncProgress& progress) { line.Show(progress); }, interrupt);
  }
  if (!result.ok()) return session.Fail(result.status());
  const std::string report = (*engine)->Report(result->outcome, false);
  if (session.json()) {
    session.PrintJson(ResultJson(*result, report));
  } else {
    session.Print(ReportText(Json::parse(report, nullptr, false)));
    session.Note(absl::StrCat("Replayed: ", result->replayed.size(),
                              ", failed again: ", result->failed.size(),
                              ", not replayed: ", result->refused.size(), "."));
    for (const ReplayedLetters::Refused& refused : result->refused) {
      session.Note(absl::StrCat("  dead letter ", refused.id, ": ", refused.reason));
    }
  }
  const SyncOutcome& outcome = result->outcome;
  if (outcome.status == SyncStatus::kFailed && !outcome.error.ok()) {
    return session.Fail(outcome.error);
  }
  const ExitCode code = ExitCodeOf(outcome);
  return code == ExitCode::kDone && !result->refused.empty() ? ExitCode::kPartial : code;
}

}  // namespace

void AddDeadLetterReplayCommands(CLI::App& group, Action* action) {
  auto options = std::make_shared<LetterOptions>();
  CLI::App* edit = group.add_subcommand("edit", "Put another change in place of a dead letter's");
  edit->add_option("ID", options->id, "The dead letter's number")->required();
  AddStoredOptions(*edit, &options->stored);
  edit->add_option("--change", options->change, "The change as JSON: op, values, before");
  edit->add_option("--change-file", options->change_file, "A file with it; \"-\": standard input");
  edit->callback([options, action] {
    *action = [options](Session& session) { return Edit(session, *options); };
  });
  CLI::App* replay = group.add_subcommand("replay", "Send dead letters through the pipeline again");
  replay->add_option("WORDS", options->words,
                     "[ID...] FILE: numbers (default: every new one), and the connection file");
  replay->callback([options, action] {
    *action = [options](Session& session) { return Replay(session, *options); };
  });
}

}  // namespace tidemark
