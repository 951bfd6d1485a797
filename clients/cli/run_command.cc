// `tidemark run FILE`: one sync of a connection, without a server.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "commands.h"
#include "control/report.h"
#include "core/clock.h"
#include "core/time_text.h"
#include "progress_line.h"

namespace tidemark {
namespace {

constexpr absl::Duration kFollowPause = absl::Seconds(5);

struct RunOptions {
  std::string file;
  bool full = false;
  std::vector<std::string> tables;
  std::string since;
  bool dry_run = false;
  bool follow = false;
  bool take_over = false;
  bool yes = false;
  std::string source;
  std::string destination;
};

absl::Status NotBuilt(const std::string& what) {
  return AsUsage(absl::UnimplementedError(absl::StrCat(what, " is not built yet")));
}

absl::StatusOr<RunRequest> Request(const RunOptions& options) {
  if (options.dry_run) {
    return NotBuilt(
        "run --dry-run (`tidemark plan` shows what would change, `tidemark preview` "
        "the first rows)");
  }
  if (!options.source.empty() || !options.destination.empty()) {
    return NotBuilt(
        "run --source URI --destination URI (write a connection file: "
        "`tidemark init connection`)");
  }
  if (options.file.empty()) {
    return AsUsage(absl::InvalidArgumentError(
        "name a connection file; `tidemark init connection` writes one"));
  }
  RunRequest request;
  request.full = options.full;
  request.tables = options.tables;
  request.take_over = options.take_over;
  request.continuous = options.follow;
  if (!options.since.empty()) {
    absl::StatusOr<ParsedTime> since = ParseTime(options.since);
    if (!since.ok()) return AsUsage(since.status());
    request.since_us = since->us;
  }
  return request;
}

absl::Status AskToTakeOver(const RunOptions& options, const std::string& connection) {
  if (!options.take_over || options.yes) return absl::OkStatus();
  if (Confirm(absl::StrCat("Take connection ", connection,
                           " over from whoever works on it? What they have not committed yet will "
                           "be refused."))) {
    return absl::OkStatus();
  }
  return AsUsage(absl::FailedPreconditionError("nothing was taken over; answer y, or give --yes"));
}

// Whether a sync that was to go on for ever and ended by itself is begun again; waits until then.
bool GoesOn(const absl::StatusOr<SyncOutcome>& outcome, Interrupt* interrupt) {
  if (!outcome.ok() || outcome->interrupted || outcome->status == SyncStatus::kFailed) return false;
  Clock& clock = Clock::Real();
  const absl::Duration begin = clock.Monotonic() + kFollowPause;
  while (interrupt->count() == 0 && clock.Monotonic() < begin) clock.Sleep(absl::Milliseconds(100));
  return interrupt->count() == 0;
}

ExitCode Run(Session& session, const RunOptions& options) {
  absl::StatusOr<RunRequest> request = Request(options);
  if (!request.ok()) return session.Fail(request.status());
  absl::StatusOr<Connection> connection = LoadConnection(options.file);
  if (!connection.ok()) return session.Fail(connection.status());
  session.LogNotices(*connection);
  if (absl::Status asked = AskToTakeOver(options, connection->name); !asked.ok()) {
    return session.Fail(asked);
  }
  Interrupt* interrupt = session.WatchInterrupts();
  absl::StatusOr<std::unique_ptr<Engine>> engine = session.OpenEngine(*std::move(connection));
  if (!engine.ok()) return session.Fail(engine.status());
  absl::StatusOr<SyncOutcome> outcome = absl::UnknownError("");
  {
    ProgressLine line(session.quiet());
    do {
      outcome = (*engine)->Run(
          *request, [&line](const SyncProgress& progress) { line.Show(progress); }, interrupt);
    } while (options.follow && GoesOn(outcome, interrupt));
  }
  if (!outcome.ok()) return session.Fail(outcome.status());
  const std::string report = (*engine)->Report(*outcome, request->full);
  // A sync that could not begin has nothing to report to people.
  const bool began = outcome->error.ok() || !outcome->tables.empty() || outcome->commits > 0;
  if (session.json()) {
    session.Print(report + "\n");
  } else if (began) {
    session.Print(ReportText(nlohmann::ordered_json::parse(report, nullptr, false)));
  }
  if (outcome->interrupted) {
    session.Note("Interrupted. Everything up to the last commit is kept; run again to go on.");
  }
  if (outcome->status == SyncStatus::kFailed && !outcome->error.ok()) {
    session.Fail(outcome->error);
  }
  return ExitCodeOf(*outcome);
}

}  // namespace

void AddRunCommand(CLI::App& app, Action* action) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Sync a connection once");
  command->add_option("FILE", options->file, "The connection file");
  command->add_flag("--full", options->full, "Read every table from its beginning");
  command->add_option("--table", options->tables, "Only this table (may be repeated)");
  command->add_option("--since", options->since, "Only changes since this time (2024-01-15)");
  command->add_flag("--dry-run", options->dry_run, "Write nothing");
  command->add_flag("--follow", options->follow, "Go on as changes arrive");
  command->add_flag("--take-over", options->take_over,
                    "Take the connection from whoever works on it, alive or not");
  command->add_flag("-y,--yes", options->yes, "Do not ask before taking over");
  command->add_option("--source", options->source, "URI of the source, instead of a file");
  command->add_option("--destination", options->destination, "URI of the destination");
  command->callback([options, action] {
    *action = [options](Session& session) { return Run(session, *options); };
  });
}

}  // namespace tidemark
