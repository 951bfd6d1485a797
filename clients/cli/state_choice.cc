#include "state_choice.h"

#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "control/state_documents.h"

namespace tidemark {

void AddEntryOption(CLI::App& command, StateOptions* options) {
  command.add_option("--table,--entry", options->entry,
                     "Only the state of this table (\"\": the one of the whole connection)");
}

void AddYesOption(CLI::App& command, StateOptions* options) {
  command.add_flag("-y,--yes", options->yes, "Do it without asking");
}

absl::StatusOr<ChosenState> ChooseState(const StateOptions& options) {
  ChosenState chosen;
  const std::string& file = options.stored.file;
  if (options.stored.db.empty() &&
      (absl::EndsWith(file, ".yaml") || absl::EndsWith(file, ".yml"))) {
    absl::StatusOr<Connection> connection = LoadConnection(file);
    if (!connection.ok()) return connection.status();
    chosen.connection = std::make_unique<Connection>(*std::move(connection));
    chosen.location = {chosen.connection->destination.path, chosen.connection->name,
                       chosen.connection.get()};
    if (!options.stored.connection.empty()) chosen.location.connection = options.stored.connection;
    return chosen;
  }
  absl::StatusOr<StoredDestination> stored = OpenStored(options.stored, true);
  if (!stored.ok()) return stored.status();
  chosen.location = {stored->path, stored->connection, nullptr};
  return chosen;
}

absl::StatusOr<std::unique_ptr<Engine>> EngineOf(Session& session, const ChosenState& chosen,
                                                 absl::string_view why) {
  if (chosen.connection == nullptr) {
    return AsUsage(absl::InvalidArgumentError(
        absl::StrCat("name the connection file, not the database: ", why)));
  }
  return session.OpenEngine(*chosen.connection);
}

absl::Status Agreed(const StateOptions& options, absl::string_view question) {
  if (options.yes || Confirm(question)) return absl::OkStatus();
  return AsUsage(absl::FailedPreconditionError("nothing was changed; answer y, or give --yes"));
}

std::string EntryCell(absl::string_view entry) {
  return entry.empty() ? "(connection)" : std::string(entry);
}

ExitCode ShowWritten(Session& session, const StateWritten& written, nlohmann::ordered_json json) {
  for (const StateWritten::Entry& entry : written.entries) {
    session.Note(
        absl::StrCat(EntryCell(entry.entry), " now stands at version ", entry.version, "."));
  }
  AddWritten(written, &json);
  if (!written.warning.empty()) session.log().Write(LogLevel::kWarning, {}, written.warning);
  if (session.json()) session.PrintJson(json);
  return ExitCode::kDone;
}

}  // namespace tidemark
