#include "stored_destination.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/connection.h"
#include "control/exit_code.h"

namespace tidemark {
namespace {

constexpr char kDebugDatabase[] = "files/warehouse.db";

bool IsConnectionFile(const std::string& path) {
  return absl::EndsWith(path, ".yaml") || absl::EndsWith(path, ".yml");
}

}  // namespace

void AddStoredOptions(CLI::App& command, StoredChoice* choice) {
  command.add_option("FILE", choice->file, "A connection file, or a database file");
  command.add_option("--db", choice->db, "A database file");
  command.add_option("--connection", choice->connection, "The connection's name");
}

absl::StatusOr<StoredDestination> OpenStored(const StoredChoice& choice, bool one_connection) {
  StoredDestination stored;
  stored.connection = choice.connection;
  if (!choice.file.empty() && !choice.db.empty()) {
    return AsUsage(absl::InvalidArgumentError("give FILE or --db, not both"));
  }
  if (IsConnectionFile(choice.file)) {
    absl::StatusOr<Connection> connection = LoadConnection(choice.file);
    if (!connection.ok()) return connection.status();
    stored.path = connection->destination.path;
    if (stored.connection.empty()) stored.connection = connection->name;
  } else if (!choice.file.empty()) {
    stored.path = choice.file;
  } else if (!choice.db.empty()) {
    stored.path = choice.db;
  } else if (access(kDebugDatabase, F_OK) == 0) {
    stored.path = kDebugDatabase;
  } else {
    return AsUsage(absl::InvalidArgumentError(
        "name a connection file or --db PATH (there is no files/warehouse.db here)"));
  }
  absl::StatusOr<std::unique_ptr<DestinationReader>> reader = OpenReader(stored.path);
  if (!reader.ok()) return reader.status();
  stored.reader = *std::move(reader);
  if (!one_connection || !stored.connection.empty()) return stored;
  absl::StatusOr<std::vector<std::string>> names = stored.reader->Connections();
  if (!names.ok()) return AsLocal(names.status());
  if (names->size() != 1) {
    return AsUsage(absl::InvalidArgumentError(
        names->empty() ? absl::StrCat(stored.path, ": no connection has synced into it")
                       : absl::StrCat(stored.path, " holds the connections ",
                                      absl::StrJoin(*names, ", "), ": choose by --connection")));
  }
  stored.connection = names->front();
  return stored;
}

}  // namespace tidemark
