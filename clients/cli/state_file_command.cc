// `tidemark state export` and `import`: the state as a file that people write.
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "commands.h"
#include "control/references.h"
#include "control/state_documents.h"
#include "control/state_file.h"
#include "control/state_log.h"
#include "control/state_operations.h"
#include "state_choice.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxState = 256 * 1024 * 1024;

struct FileOptions : StateOptions {
  std::string output;
  std::string at;
  std::vector<std::string> words;  // [FILE] STATE
};

ExitCode Export(Session& session, const FileOptions& options) {
  std::optional<HistoryPoint> point;
  if (!options.at.empty()) {
    absl::StatusOr<HistoryPoint> parsed = ParseHistoryPoint(options.at);
    if (!parsed.ok()) return session.Fail(AsUsage(parsed.status()));
    point = *std::move(parsed);
  }
  absl::StatusOr<ChosenState> chosen = ChooseState(options);
  if (!chosen.ok()) return session.Fail(chosen.status());
  absl::StatusOr<std::vector<StateEntry>> entries =
      ExportStates(chosen->location, point, options.entry);
  if (!entries.ok()) return session.Fail(entries.status());
  const std::string text = FormatStateFile(*entries);
  if (options.output.empty()) {
    session.Print(text);
    return ExitCode::kDone;
  }
  if (absl::Status status = WriteTextFile(options.output, text); !status.ok()) {
    return session.Fail(AsLocal(status));
  }
  session.Note(absl::StrCat("Written to ", options.output, "."));
  if (session.json()) session.PrintJson({{"written", options.output}});
  return ExitCode::kDone;
}

void NoteImport(Session& session, const std::vector<StateMove>& moves) {
  for (const StateMove& move : moves) {
    session.Note(absl::StrCat(
        EntryCell(move.head.entry), ": ",
        !move.moves ? "the same already"
                    : absl::StrCat("version ", move.head.version + 1, " of kind import, ",
                                   Grouped(move.to.body.size()), " bytes",
                                   move.to.cursor.empty() ? "" : ", cursor ", move.to.cursor)));
  }
}

// The connector's word on states that somebody wrote. Without a connection file nobody can ask.
absl::Status AskAbout(Session& session, const ChosenState& chosen,
                      const std::vector<StateMove>& moves) {
  if (chosen.connection == nullptr) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<Engine>> engine = EngineOf(session, chosen, "");
  if (!engine.ok()) return engine.status();
  absl::StatusOr<SourceAnswer> answer = AskSource(**engine, moves);
  if (!answer.ok()) return answer.status();
  if (answer->resumes.ok()) return absl::OkStatus();
  return AsLocal(absl::FailedPreconditionError(absl::StrCat(
      "connector ", answer->connector,
      " cannot resume from this state: ", answer->resumes.message(), "; nothing was changed")));
}

ExitCode Import(Session& session, FileOptions options) {
  if (options.words.empty() || options.words.size() > 2) {
    return session.Fail(AsUsage(
        absl::InvalidArgumentError("name the state to take: state import FILE STATE.json")));
  }
  if (options.words.size() == 2) options.stored.file = options.words.front();
  absl::StatusOr<std::string> text = ReadTextFile(options.words.back(), kMaxState);
  if (!text.ok()) return session.Fail(AsUsage(text.status()));
  absl::StatusOr<std::vector<StateEntry>> entries = ParseStateFile(options.words.back(), *text);
  if (!entries.ok()) return session.Fail(AsUsage(entries.status()));
  absl::StatusOr<ChosenState> chosen = ChooseState(options);
  if (!chosen.ok()) return session.Fail(chosen.status());
  auto moves = PlanStateImport(chosen->location, *entries);
  if (!moves.ok()) return session.Fail(moves.status());
  Json json = ImportPlanJson(chosen->location.connection, *moves);
  NoteImport(session, *moves);
  if (NothingMoves(*moves)) {
    json["done"] = Json::array();
    if (session.json()) session.PrintJson(json);
    return ExitCode::kDone;
  }
  if (absl::Status status = AskAbout(session, *chosen, *moves); !status.ok()) {
    return session.Fail(status);
  }
  const std::string question =
      absl::StrCat("Make this the state of connection ", chosen->location.connection, "?");
  if (absl::Status status = Agreed(options, question); !status.ok()) {
    if (session.json()) session.PrintJson(json);
    return session.Fail(status);
  }
  absl::StatusOr<StateWritten> written = ApplyMoves(chosen->location, "import", *moves);
  if (!written.ok()) return session.Fail(written.status());
  return ShowWritten(session, *written, std::move(json));
}

}  // namespace

void AddStateFileCommands(CLI::App& state, Action* action) {
  auto options = std::make_shared<FileOptions>();
  CLI::App* out = state.add_subcommand("export", "Write the state as JSON");
  AddStoredOptions(*out, &options->stored);
  AddEntryOption(*out, options.get());
  out->add_option("-o,--output", options->output, "The file; default: standard output");
  out->add_option("--at,--version", options->at,
                  "As it stood at a version, after a sync, or at a time");
  out->callback([options, action] {
    *action = [options](Session& session) { return Export(session, *options); };
  });
  CLI::App* in = state.add_subcommand(
      "import", "Take a state from JSON: of export, of debug, or a Fivetran state.json");
  in->add_option("WORDS", options->words, "[FILE] STATE.json");
  in->add_option("--db", options->stored.db, "A database file");
  in->add_option("--connection", options->stored.connection, "The connection's name");
  AddYesOption(*in, options.get());
  in->callback([options, action] {
    *action = [options](Session& session) { return Import(session, *options); };
  });
}

}  // namespace tidemark
