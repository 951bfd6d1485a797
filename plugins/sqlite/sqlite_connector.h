// Reads the tables of a SQLite database.
#ifndef TIDEMARK_SQLITE_SQLITE_CONNECTOR_H_
#define TIDEMARK_SQLITE_SQLITE_CONNECTOR_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sqlite/database.h"
#include "sqlite/sqlite_options.h"
#include "sqlite/table_definition.h"
#include "sqlite/table_run.h"
#include "sqlite/trigger_reader.h"
#include "tidemark/abilities.h"
#include "tidemark/connector.h"
#include "tidemark/row_reader.h"

namespace tidemark::sqlite {

// The connector of sqlite.so. Threads: as abilities.h says for each call.
class SqliteConnector final : public Connector,
                              public Checkable,
                              public Acknowledgeable,
                              public Interruptible,
                              public StateValidator,
                              public RowReader {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteConnector>> Create(const Config& config);

  absl::StatusOr<tidemark::Schema> Schema() override;
  absl::Status Check() override;
  absl::Status Update(const UpdateRequest& request, Sink& sink) override;
  void Acknowledged(const Acknowledgement& acknowledgement) override;
  void Interrupt() override;
  absl::Status ValidateState(absl::Span<const StateEntry> entries) override;
  uint32_t ReadModes(const Table& table) override;
  absl::Status ReadRows(const ReadRequest& request, Sink& sink) override;

 private:
  explicit SqliteConnector(SqliteOptions options) : options_(std::move(options)) {}

  // Opens the database of this run, or a second connection to it, and lets Interrupt() reach it.
  absl::StatusOr<std::shared_ptr<Database>> Open(Database::Access access);
  absl::Status UpdateTables(const UpdateRequest& request, Sink& sink, Database& database);
  absl::Status UpdateTable(const TableDefinition& table, const UpdateRequest& request, Sink& sink,
                           Database& database);
  const TableDefinition* FindTable(absl::string_view name) const;
  absl::Status ReadTable(TableRun& run);
  absl::Status ReadTriggers(TableRun& run);

  const SqliteOptions options_;
  std::vector<TableDefinition> tables_;  // as Schema() last saw them
  std::shared_ptr<Database> writer_;     // of trigger mode, while Update() runs
  std::mutex mutex_;
  bool interrupted_ = false;                        // guarded by mutex_
  std::map<std::string, ChangePlace> releasable_;   // by table, guarded by mutex_
  std::vector<std::weak_ptr<Database>> databases_;  // guarded by mutex_; owned by whoever opened
};

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_SQLITE_CONNECTOR_H_
