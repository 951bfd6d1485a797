// Which destination's bookkeeping a command reads: FILE (a connection file or a database) or --db.
#ifndef TIDEMARK_CLIENTS_CLI_STORED_DESTINATION_H_
#define TIDEMARK_CLIENTS_CLI_STORED_DESTINATION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "control/engine.h"

namespace CLI {
class App;
}

namespace tidemark {

struct StoredChoice {
  std::string file;        // positional
  std::string db;          // --db
  std::string connection;  // --connection
};

struct StoredDestination {
  std::string path;
  std::string connection;  // empty: every connection of the file
  std::unique_ptr<DestinationReader> reader;
};

// Adds FILE, --db and --connection. `choice` outlives the parse and the action.
void AddStoredOptions(CLI::App& command, StoredChoice* choice);

// Without FILE and --db: files/warehouse.db of `tidemark debug`. `one_connection`: the connection
// must be known; the file's only one is taken by itself.
absl::StatusOr<StoredDestination> OpenStored(const StoredChoice& choice, bool one_connection);

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_STORED_DESTINATION_H_
