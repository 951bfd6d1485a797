// `tidemark verify FILE`: compares source and destination, and repairs what differs.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "commands.h"
#include "control/report.h"
#include "control/verify.h"
#include "progress_line.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct VerifyCommandOptions {
  std::string file;
  VerifyOptions verify;
  bool repair = false;
  bool yes = false;
};

absl::Status Verify(Session& session, const VerifyCommandOptions& options, Verifier& verifier) {
  return verifier.Verify(options.verify, [&session](const std::string& table) {
    session.log().Write(LogLevel::kDebug, {"", "", table}, "comparing");
  });
}

// Differences count more than a table that could not be compared: both are said.
ExitCode CodeOf(const Verifier& verifier) {
  if (verifier.differences_found()) return ExitCode::kPartial;
  return verifier.equal() ? ExitCode::kDone : ExitCodeOf(verifier.first_error());
}

// Whether to go on where a large part of a table would be deleted.
absl::Status CheckMassDeletes(const RepairPlan& plan, bool yes) {
  if (plan.mass_deletes.empty() || yes) return absl::OkStatus();
  const std::string tables = absl::StrJoin(plan.mass_deletes, ", ");
  if (Confirm(absl::StrCat("More than 30 % of the rows of ", tables,
                           " are not at the source and would be deleted. Go on?"))) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "more than 30 % of the rows of ", tables,
      " are not at the source and would be deleted; if that is right, repeat it with --yes"));
}

absl::StatusOr<SyncOutcome> Repair(Session& session, const VerifyCommandOptions& options,
                                   Verifier& verifier) {
  const RepairPlan plan = verifier.Plan();
  if (absl::Status status = CheckMassDeletes(plan, options.yes); !status.ok()) return status;
  for (const std::string& line : plan.kept) session.log().Write(LogLevel::kWarning, {}, line);
  session.Note(absl::StrCat("Repairing: ", Grouped(plan.upserts), " rows are read again, ",
                            Grouped(plan.deletes), " are deleted."));
  Interrupt* interrupt = session.WatchInterrupts();
  ProgressLine line(session.quiet());
  return verifier.Repair([&line](const SyncProgress& progress) { line.Show(progress); }, interrupt);
}

ExitCode RepairAndVerify(Session& session, const VerifyCommandOptions& options, Engine& engine,
                         Verifier& verifier) {
  Json json = {{"connection", engine.connection().name}, {"before", VerifyJson(verifier)}};
  if (!session.json()) session.Print(VerifyText(verifier));
  absl::StatusOr<SyncOutcome> outcome = Repair(session, options, verifier);
  if (!outcome.ok()) return session.Fail(outcome.status());
  const std::string report = engine.Report(*outcome, false);
  json["repair"] = Json::parse(report, nullptr, false);
  if (!session.json()) session.Print(ReportText(json["repair"]));
  if (!outcome->error.ok() || outcome->interrupted) {
    if (session.json()) session.PrintJson(json);
    if (!outcome->error.ok()) session.Fail(outcome->error);
    return ExitCodeOf(*outcome);
  }
  if (absl::Status status = Verify(session, options, verifier); !status.ok()) {
    return session.Fail(status);
  }
  json.update(VerifyJson(verifier));
  if (session.json()) {
    session.PrintJson(json);
  } else {
    session.Note("After the repair:");
    session.Print(VerifyText(verifier));
  }
  return CodeOf(verifier);
}

ExitCode Run(Session& session, const VerifyCommandOptions& options) {
  absl::StatusOr<Connection> connection = LoadConnection(options.file);
  if (!connection.ok()) return session.Fail(connection.status());
  session.LogNotices(*connection);
  absl::StatusOr<std::unique_ptr<Engine>> engine = session.OpenEngine(*std::move(connection));
  if (!engine.ok()) return session.Fail(engine.status());
  Verifier verifier(**engine);
  if (absl::Status status = Verify(session, options, verifier); !status.ok()) {
    return session.Fail(status);
  }
  if (options.repair && verifier.differences_found()) {
    return RepairAndVerify(session, options, **engine, verifier);
  }
  if (session.json()) {
    Json json = {{"connection", (*engine)->connection().name}};
    json.update(VerifyJson(verifier));
    session.PrintJson(json);
  } else {
    session.Print(VerifyText(verifier));
    if (verifier.differences_found()) {
      session.Note("`tidemark verify --repair` reads these rows again and puts them right.");
    }
  }
  if (absl::Status error = verifier.first_error(); !error.ok()) session.Fail(error);
  return CodeOf(verifier);
}

}  // namespace

void AddVerifyCommand(CLI::App& app, Action* action) {
  auto options = std::make_shared<VerifyCommandOptions>();
  CLI::App* command =
      app.add_subcommand("verify", "Compare what the source has with what the destination holds");
  command->add_option("FILE", options->file, "The connection file")->required();
  command->add_option("--table", options->verify.tables, "Only this table (may be repeated)");
  command->add_flag("--repair", options->repair,
                    "Read the differing rows again, delete the extra ones, and verify once more");
  command->add_option("--sample", options->verify.listed,
                      "Name at most so many keys of each kind and table (20); counts are exact");
  command->add_flag("--yes", options->yes, "Repair also where most rows of a table would go");
  command->callback([options, action] {
    *action = [options](Session& session) { return Run(session, *options); };
  });
}

}  // namespace tidemark
