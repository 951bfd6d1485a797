// Runs one connection: finds its connector, checks its options, and syncs into its destination.
#ifndef TIDEMARK_CONTROL_ENGINE_H_
#define TIDEMARK_CONTROL_ENGINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/connection.h"
#include "control/connector_target.h"
#include "control/log.h"
#include "control/plugin_search.h"
#include "control/redaction.h"
#include "core/sandbox_policy.h"
#include "core/schema.h"
#include "core/setting.h"
#include "destination/destination.h"
#include "destination/destination_reader.h"
#include "pipeline/change_source.h"
#include "pipeline/sync.h"

namespace tidemark {

struct LetterBox;
class Cancellation;
class WriteTurns;

// What one sync is asked to do beyond its connection.
struct RunRequest {
  bool full = false;                // read every table from its beginning
  bool take_over = false;           // fence whoever works on the connection
  std::vector<std::string> tables;  // names or globs; empty: those of the connection
  std::optional<int64_t> since_us;  // Unix microseconds UTC
  std::string sync_id;              // SyncOptions::sync_id; empty: made by the sync
  bool continuous = false;          // goes on as changes arrive, until interrupted
  // What the rows come from instead of the connector alone: the sync is a repair, which writes
  // older rows over newer ones too.
  ChangeSourceFactory repair;
  // Programs push the rows, where the connector is `ingest`.
  ChangeSourceFactory push;
  // Hears what the log hears, with secrets hidden, and of dead letters; borrowed, may be null.
  SyncObserver* observer = nullptr;
  // Stored dead letters instead of the connector (control/letter_source.h); borrowed.
  LetterBox* replay = nullptr;
};

// The first rows a connector sends, read without writing anything.
struct Preview {
  struct Table {
    std::string name;
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;  // nullopt: NULL
  };
  std::vector<Table> tables;
};

// Confined to one thread, except what `interrupt` points to.
class Engine {
 public:
  struct Parts {
    PluginSearch search;
    Redactor* redactor = nullptr;  // borrowed
    Log* log = nullptr;            // borrowed
    WriteTurns* turns = nullptr;   // borrowed; null: SQLite's own waiting for the file is all
    // Of the connection, shared by all who work on it; null: each sync has sync.max_rows_per_second
    // and sync.max_bytes_per_second to itself.
    std::shared_ptr<RateLimit> rate = nullptr;
    Cancellation* cancellation = nullptr;  // borrowed, may be null: of every source that is opened
  };

  // Finds the connector, describes it and checks the connection's options against it. IsUsage()
  // holds for errors of the configuration.
  static absl::StatusOr<std::unique_ptr<Engine>> Create(Connection connection, Parts parts);

  const Connection& connection() const { return connection_; }
  const ConnectorDescription& description() const { return description_; }
  // The connector is `ingest`: nothing is read, RunRequest::push is needed.
  bool IsPushed() const { return target_.placement == ConnectorTarget::Placement::kPushed; }

  // A fresh instance of the connector with the connection's settings inside.
  absl::StatusOr<std::unique_ptr<ChangeSource>> OpenSource() const;

  // Tries the configuration against the source.
  absl::Status Check();
  absl::StatusOr<std::vector<TableSchema>> Schema();
  // At most `rows` rows of each table (of one table when `table` is not empty), stopping the
  // connector as soon as they are there.
  absl::StatusOr<Preview> ReadPreview(const std::string& table, size_t rows);

  // One sync. An error: nothing began (the destination cannot be opened, or IsUsage(): a table of
  // the request is not one of the connection's). `progress` is called on
  // this thread.
  absl::StatusOr<SyncOutcome> Run(const RunRequest& request,
                                  const std::function<void(const SyncProgress&)>& progress,
                                  Interrupt* interrupt);

  // Makes `entries` the current states by versions of kind import; entries that are not named are
  // left alone.
  absl::Status ImportStates(const std::vector<StateEntry>& entries);

  // The report's JSON text, redacted, as it is stored.
  std::string Report(const SyncOutcome& outcome, bool full) const;

 private:
  Engine(Connection connection, Parts parts);

  absl::Status Describe();
  ConnectorLaunch Launch() const;
  absl::StatusOr<std::unique_ptr<Destination>> OpenDestination() const;
  absl::StatusOr<SyncOutcome> RunOnce(const SyncOptions& options, const RunRequest& request,
                                      OuterStore* outer,
                                      const std::function<void(const SyncProgress&)>& progress,
                                      Interrupt* interrupt);
  // state.backup: a backup of the state when one is due; a failure is a warning of the log.
  void BackUp() const;
  std::string Holder() const;

  Connection connection_;
  const Parts parts_;
  ConnectorTarget target_;
  ConnectorDescription description_;
  std::vector<Setting> settings_;
  SandboxPolicy sandbox_;  // of a child
  std::vector<std::string> sandbox_warnings_;
  std::string sync_id_;  // of the sync that runs, for the connector's own lines in the log
};

// Describes a connector without any configuration.
absl::StatusOr<ConnectorDescription> DescribeConnector(const ConnectorTarget& target,
                                                       const SandboxPolicy& sandbox = {},
                                                       Cancellation* cancellation = nullptr);

// Opens a destination's file for reading beside a running sync (errors are AsLocal).
absl::StatusOr<std::unique_ptr<DestinationReader>> OpenReader(const std::string& path);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_ENGINE_H_
