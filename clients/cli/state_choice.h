// Which connection's state a `state` command works on, and how it asks before it writes.
#ifndef TIDEMARK_CLIENTS_CLI_STATE_CHOICE_H_
#define TIDEMARK_CLIENTS_CLI_STATE_CHOICE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "control/state_operations.h"
#include "session.h"
#include "stored_destination.h"

namespace tidemark {

// FILE, --db, --connection, and which part of the state.
struct StateOptions {
  StoredChoice stored;
  std::optional<std::string> entry;  // --table: an entry; "": that of the whole connection
  bool yes = false;
};

struct ChosenState {
  std::unique_ptr<Connection> connection;  // null: only a database is known
  StateLocation location;                  // borrows `connection`
};

void AddEntryOption(CLI::App& command, StateOptions* options);
void AddYesOption(CLI::App& command, StateOptions* options);

// A connection file need not have a destination yet; a database must be there.
absl::StatusOr<ChosenState> ChooseState(const StateOptions& options);

// The engine of the chosen connection, to ask its connector. IsUsage(): only a database was named.
absl::StatusOr<std::unique_ptr<Engine>> EngineOf(Session& session, const ChosenState& chosen,
                                                 absl::string_view why);

// Whether a change that was shown shall be made: --yes, or the answer on a terminal. The error says
// how to say yes.
absl::Status Agreed(const StateOptions& options, absl::string_view question);

// "(connection)" or the table's name, for tables of text.
std::string EntryCell(absl::string_view entry);

// What was written, for people or as the member "done" of `json`, which is printed.
ExitCode ShowWritten(Session& session, const StateWritten& written, nlohmann::ordered_json json);

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_STATE_CHOICE_H_
