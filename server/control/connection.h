// A connection: a configured source and destination, as a connection file says it.
#ifndef TIDEMARK_CONTROL_CONNECTION_H_
#define TIDEMARK_CONTROL_CONNECTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "control/config_node.h"
#include "control/references.h"
#include "control/schedule.h"
#include "nlohmann/json.hpp"
#include "pipeline/sync.h"

namespace tidemark {

struct SourceSettings {
  std::string name;                      // for reports
  std::string connector;                 // plugin id, path of a .so, or address
  std::optional<ConfigNode> connection;  // a secret
  ConfigNode config;                     // map: the connector's options
  std::string method;                    // the chosen sync.cdc_method
  // Keys of the chosen method's section that were given: "cdc.timestamp.compare" -> value.
  std::vector<std::pair<std::string, ConfigNode>> method_values;
  bool in_process = false;
  absl::Duration stall_timeout = absl::Minutes(30);
  uint64_t plugin_memory = uint64_t{1} << 30;  // bytes
  bool sandbox = true;                         // of a plugin in a process of its own
  std::vector<std::string> sandbox_paths;      // absolute
  std::vector<std::string> sandbox_write_paths;
};

struct DestinationSettings {
  std::string name;  // for reports
  std::string type = "sqlite";
  std::string path;  // of the database file
};

// state.backup: a backup of the state at the start of a run, when the newest one is older.
struct StateBackupSettings {
  absl::Duration every = absl::Hours(24);  // infinite: never
  int keep = 7;
};

// state.recovery.
struct RecoverySettings {
  bool validate_on_start = true;
  bool auto_repair = true;
  bool reset_on_corruption = false;
  bool full_sync_when_unreadable = false;  // on_unreadable_state: full_sync
  bool resnapshot_on_gap = false;          // cdc.hybrid.on_gap: resnapshot
};

// state.storage: where the state is kept beside the destination.
enum class StorageKind { kDestination, kSqlite, kFile, kPostgres, kRedis };
absl::string_view StorageKindName(StorageKind kind);  // "destination", ...
struct StorageSettings {
  StorageKind kind = StorageKind::kDestination;
  std::string path;     // kSqlite: of the file; kFile: of the folder
  std::string address;  // kPostgres, kRedis; a secret
  std::string schema = "public";
  absl::Duration lease = absl::Seconds(30);
  bool accept_weak_durability = false;
};

// References are resolved: holds secrets, never log it whole.
struct Connection {
  std::string file;    // how messages call it
  std::string folder;  // where relative paths of the file begin
  std::string name;
  SourceSettings source;
  DestinationSettings destination;
  SyncOptions options;  // connection, source_name, destination_name and everything of the file
  StorageSettings storage;
  StateBackupSettings backup;
  RecoverySettings recovery;
  Schedule schedule;                  // used by a server
  std::string timezone = "UTC";       // of the schedule, as written
  absl::Duration jitter;              // of the schedule
  uint32_t priority = 0;              // among a server's connections, larger first
  std::vector<std::string> secrets;   // resolved references, for Redactor::AddSecret
  std::vector<std::string> notices;   // what is accepted and does nothing here, a line each
  std::vector<std::string> warnings;  // what is probably a mistake, a line each
};

// Reads and checks a file, with the .env beside it. Every problem stands in the error's text, a
// line each ("FILE:LINE:COLUMN: KEY: ..."), and IsUsage() holds for it (control/exit_code.h).
absl::StatusOr<Connection> LoadConnection(const std::string& path);

// The same from text. `folder` is where relative paths begin.
absl::StatusOr<Connection> ParseConnection(const std::string& file, const std::string& folder,
                                           absl::string_view text,
                                           const ReferenceSources& references);
absl::StatusOr<Connection> ParseConnection(const std::string& file, const std::string& folder,
                                           absl::string_view text, const Environment& environment);

// The name of a connection whose file gives none: "orders" of ".../orders.yaml"; "_" or "__" where
// it would be "." or "..".
std::string DefaultConnectionName(const std::string& file);
// Letters, digits, "_", "-" and ".", at most 100 of them; neither "." nor "..": names stand in
// paths.
bool IsConnectionName(absl::string_view name);

// What the engine makes of the file, for `check --json` and the tests. Secrets are left out.
nlohmann::ordered_json ConnectionJson(const Connection& connection);

// "DECIMAL(12,2)", "LONG", ... as a declared type; nullopt for anything else.
std::optional<ColumnType> ParseColumnType(absl::string_view text);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_CONNECTION_H_
