// `tidemark state rollback`, `reset`, `migrate`: plan first, then a new version.
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "commands.h"
#include "control/state_documents.h"
#include "control/state_operations.h"
#include "core/time_text.h"
#include "state_choice.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct MoveOptions : StateOptions {
  std::string to;
};

std::string Shown(const std::string& cursor) { return cursor.empty() ? "(none)" : cursor; }

std::string Target(const StateMove& move) {
  if (move.to.version == 0) return "the beginning";
  return absl::StrCat("version ", move.to.version, " of ", FormatReportTime(move.to.created_at_us));
}

void NoteMoves(Session& session, absl::Span<const StateMove> moves) {
  for (const StateMove& move : moves) {
    session.Note(session.Heading(absl::StrCat(EntryCell(move.head.entry), ": version ",
                                              move.head.version, " -> ", Target(move))));
    if (move.kind == StateKind::kMigrate) {
      session.Note(absl::StrCat("  format       ", move.from.format, " -> ", move.to.format));
    } else {
      session.Note(
          absl::StrCat("  cursor       ", Shown(move.from.cursor), " -> ", Shown(move.to.cursor)));
    }
    session.Note(absl::StrCat("  next sync    ", NextSyncText(move)));
    if (move.kind != StateKind::kRollback) continue;
    session.Note(absl::StrCat(
        "  horizon      ", move.inside_horizon ? "inside" : "beyond",
        move.releasable == 0 ? std::string()
                             : absl::StrCat("; the oldest version allowed is ", move.releasable)));
    session.Note("  write mode   merge: rows that come again and are equal stay as they are");
  }
}

void NoteAnswer(Session& session, const SourceAnswer& answer) {
  const std::string what = !answer.can_rewind    ? "cannot go back to an earlier state"
                           : answer.resumes.ok() ? "can resume there"
                                                 : std::string(answer.resumes.message());
  session.Note(absl::StrCat("source ", answer.connector, ": ", what));
}

// The plan was shown: asks, then writes.
ExitCode Apply(Session& session, const MoveOptions& options, const ChosenState& chosen,
               const std::string& action, const std::vector<StateMove>& moves, Json json) {
  if (NothingMoves(moves)) {
    session.Note("Nothing to do: the state is the same already.");
    json["done"] = Json::array();
    if (session.json()) session.PrintJson(json);
    return ExitCode::kDone;
  }
  const std::string question =
      absl::StrCat(action, " the state of connection ", chosen.location.connection, "?");
  if (absl::Status status = Agreed(options, question); !status.ok()) {
    if (session.json()) session.PrintJson(json);
    return session.Fail(status);
  }
  absl::StatusOr<StateWritten> written = ApplyMoves(chosen.location, action, moves);
  if (!written.ok()) return session.Fail(written.status());
  return ShowWritten(session, *written, std::move(json));
}

ExitCode Rollback(Session& session, const MoveOptions& options) {
  absl::StatusOr<HistoryPoint> point = ParseHistoryPoint(options.to);
  if (!point.ok()) return session.Fail(AsUsage(point.status()));
  absl::StatusOr<ChosenState> chosen = ChooseState(options);
  if (!chosen.ok()) return session.Fail(chosen.status());
  auto moves = PlanStateRollback(chosen->location, *point, options.entry);
  if (!moves.ok()) return session.Fail(moves.status());
  Json json = MovesJson(chosen->location.connection, *moves);
  NoteMoves(session, *moves);
  absl::Status allowed = CheckHorizon(*moves);
  if (allowed.ok() && !NothingMoves(*moves)) {
    absl::StatusOr<std::unique_ptr<Engine>> engine =
        EngineOf(session, *chosen, "its connector must say whether it can go back");
    if (!engine.ok()) return session.Fail(engine.status());
    absl::StatusOr<SourceAnswer> answer = AskSource(**engine, *moves);
    if (!answer.ok()) return session.Fail(answer.status());
    NoteAnswer(session, *answer);
    json["source"] = SourceAnswerJson(*answer);
    allowed = CheckAnswer(*answer);
  }
  if (!allowed.ok()) {
    if (session.json()) {
      json["refused"] = std::string(allowed.message());
      session.PrintJson(json);
    }
    return session.Fail(AsLocal(allowed));
  }
  return Apply(session, options, *chosen, "rollback", *moves, std::move(json));
}

ExitCode Reset(Session& session, const MoveOptions& options) {
  absl::StatusOr<ChosenState> chosen = ChooseState(options);
  if (!chosen.ok()) return session.Fail(chosen.status());
  auto moves = PlanStateReset(chosen->location, options.entry);
  if (!moves.ok()) return session.Fail(moves.status());
  NoteMoves(session, *moves);
  return Apply(session, options, *chosen, "reset", *moves,
               MovesJson(chosen->location.connection, *moves));
}

ExitCode Migrate(Session& session, const MoveOptions& options) {
  absl::StatusOr<ChosenState> chosen = ChooseState(options);
  if (!chosen.ok()) return session.Fail(chosen.status());
  absl::StatusOr<std::unique_ptr<Engine>> engine =
      EngineOf(session, *chosen, "its connector says which format it writes");
  if (!engine.ok()) return session.Fail(engine.status());
  auto moves = PlanStateMigration(chosen->location, (*engine)->description());
  if (!moves.ok()) return session.Fail(moves.status());
  NoteMoves(session, *moves);
  return Apply(session, options, *chosen, "migrate", *moves,
               MovesJson(chosen->location.connection, *moves));
}

}  // namespace

void AddStateMoveCommands(CLI::App& state, Action* action) {
  auto options = std::make_shared<MoveOptions>();
  const auto add = [&](const char* name, const char* help, auto run) {
    CLI::App* command = state.add_subcommand(name, help);
    AddStoredOptions(*command, &options->stored);
    AddYesOption(*command, options.get());
    command->callback([options, action, run] {
      *action = [options, run](Session& session) { return run(session, *options); };
    });
    return command;
  };
  CLI::App* rollback =
      add("rollback", "Go back to an earlier state; shows the plan first", Rollback);
  rollback->add_option("--to", options->to, "A version, the id of a sync, or a time")->required();
  AddEntryOption(*rollback, options.get());
  AddEntryOption(*add("reset", "Let the next sync start from the beginning; asks", Reset),
                 options.get());
  add("migrate", "Bring states to the format that the connector writes today", Migrate);
}

}  // namespace tidemark
