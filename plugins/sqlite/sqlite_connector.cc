#include "sqlite/sqlite_connector.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "sqlite/change_capture.h"
#include "sqlite/compare_reader.h"
#include "sqlite/full_reader.h"
#include "sqlite/query_reader.h"
#include "sqlite/query_text.h"
#include "sqlite/row_reading.h"
#include "sqlite/timestamp_reader.h"
#include "sqlite/trigger_reader.h"
#include "sqlite/version_reader.h"

namespace tidemark::sqlite {
namespace {

// The column that a method needs in a table; empty: none.
absl::string_view NeededColumn(const SqliteOptions& options) {
  switch (options.method) {
    case Method::kTimestamp:
      return options.timestamp.updated_at;
    case Method::kVersion:
    case Method::kKeyset:
      return options.version_field;
    default:
      return "";
  }
}

// The method for one table: a table without the column is read as a whole.
Method MethodOf(const SqliteOptions& options, const TableDefinition& table) {
  const absl::string_view column = NeededColumn(options);
  return column.empty() || table.FindColumn(column) ? options.method : Method::kFull;
}

bool IsTransient(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status) || absl::IsAborted(status);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteConnector>> SqliteConnector::Create(const Config& config) {
  absl::StatusOr<SqliteOptions> options = SqliteOptions::Read(config);
  if (!options.ok()) return options.status();
  return absl::WrapUnique(new SqliteConnector(*std::move(options)));
}

absl::StatusOr<std::shared_ptr<Database>> SqliteConnector::Open(Database::Access access) {
  absl::StatusOr<std::unique_ptr<Database>> opened =
      Database::Open(options_.path, access, options_.busy_timeout);
  if (!opened.ok()) return opened.status();
  // Shared only while Interrupt() looks at it from another thread.
  std::shared_ptr<Database> database = *std::move(opened);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (interrupted_) return absl::CancelledError("interrupted");
  databases_.push_back(database);
  return database;
}

void SqliteConnector::Interrupt() {
  const std::lock_guard<std::mutex> lock(mutex_);
  interrupted_ = true;
  for (const std::weak_ptr<Database>& weak : databases_) {
    if (const std::shared_ptr<Database> database = weak.lock()) database->Interrupt();
  }
}

absl::StatusOr<tidemark::Schema> SqliteConnector::Schema() {
  absl::StatusOr<std::shared_ptr<Database>> database = Open(Database::Access::kRead);
  if (!database.ok()) return database.status();
  absl::StatusOr<std::vector<TableDefinition>> tables = ReadTables(**database);
  if (!tables.ok()) return tables.status();
  tables_ = *std::move(tables);
  tidemark::Schema schema;
  for (const TableDefinition& table : tables_) schema.Add(Declared(table));
  return schema;
}

absl::Status SqliteConnector::Check() {
  absl::StatusOr<tidemark::Schema> schema = Schema();
  if (!schema.ok()) return schema.status();
  const absl::string_view column = NeededColumn(options_);
  if (column.empty() || tables_.empty()) return absl::OkStatus();
  if (std::none_of(tables_.begin(), tables_.end(),
                   [&](const TableDefinition& t) { return t.FindColumn(column).has_value(); })) {
    return absl::FailedPreconditionError(absl::StrCat("no table has a column ", column));
  }
  return absl::OkStatus();
}

absl::Status SqliteConnector::ValidateState(absl::Span<const StateEntry> entries) {
  absl::StatusOr<std::shared_ptr<Database>> database = Open(Database::Access::kRead);
  if (!database.ok()) return database.status();
  absl::StatusOr<std::vector<TableDefinition>> tables = ReadTables(**database);
  if (!tables.ok()) return tables.status();
  for (const StateEntry& entry : entries) {
    const auto table = std::find_if(tables->begin(), tables->end(), [&](const TableDefinition& t) {
      return t.name == entry.table;
    });
    if (table == tables->end()) {
      return absl::FailedPreconditionError(
          absl::StrCat("table ", entry.table,
                       " is not in the database any more: take it out of the tables, or "
                       "check that the connection names the right file"));
    }
    const auto state = ReadState(entry.table, entry.body, MethodOf(options_, *table), **database);
    if (!state.ok()) return state.status();
    if (options_.method != Method::kTrigger) continue;
    const auto place = ChangeCapture(&*table, "").Look(**database);
    if (!place.ok()) return place.status();
    if (absl::Status s = CheckChanges(**database, *table, *state, *place); !s.ok()) return s;
  }
  return absl::OkStatus();
}

void SqliteConnector::Acknowledged(const Acknowledgement& acknowledgement) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const StateEntry& entry : acknowledgement.releasable) {
    std::optional<ChangePlace> place = PlaceOf(entry.body);
    if (!place) continue;
    ChangePlace& released = releasable_[std::string(entry.table)];
    if (released.capture != place->capture || released.seq < place->seq) {
      released = *std::move(place);
    }
  }
}

absl::Status SqliteConnector::Update(const UpdateRequest& request, Sink& sink) {
  absl::StatusOr<std::shared_ptr<Database>> database = Open(Database::Access::kRead);
  if (!database.ok()) return database.status();
  const absl::Status status = UpdateTables(request, sink, **database);
  writer_.reset();
  return status;
}

absl::Status SqliteConnector::UpdateTables(const UpdateRequest& request, Sink& sink,
                                           Database& database) {
  // The schema may have changed since Schema(): what is emitted has the columns of then, so a
  // column that is gone is an error of its table, and a new one waits for the next sync.
  absl::Status transient;
  int64_t selected = 0;
  for (const TableDefinition& table : tables_) selected += request.Selected(table.name) ? 1 : 0;
  if (options_.method == Method::kQuery && selected > 1) {
    const absl::StatusOr<QueryText> query = ReadQuery(options_.query.text, "main.t");
    if (!query.ok()) return query.status();
    if (!query->names_table) {
      return absl::InvalidArgumentError(absl::StrCat(
          "cdc.polling.query: it does not say {table}, so it can fill one table only, and ",
          selected, " are selected: name one in sync.source.tables"));
    }
  }
  for (const TableDefinition& table : tables_) {
    if (!request.Selected(table.name)) continue;
    absl::Status status = UpdateTable(table, request, sink, database);
    if (!sink.status().ok()) return sink.status();
    const bool ends_all =
        absl::IsCancelled(status) || absl::IsPermissionDenied(status) || absl::IsDataLoss(status);
    if (!status.ok() && (ends_all || selected == 1)) return status;
    if (IsTransient(status)) {  // The other tables go on first, then the host tries again.
      transient.Update(status);
      continue;
    }
    if (absl::Status s = sink.TableDone(table.name, status); !s.ok()) return s;
  }
  return transient;
}

absl::Status SqliteConnector::UpdateTable(const TableDefinition& table,
                                          const UpdateRequest& request, Sink& sink,
                                          Database& database) {
  absl::StatusOr<TableRef> target = sink.Find(table.name);
  if (!target.ok()) return target.status();
  const Method method = MethodOf(options_, table);
  absl::StatusOr<nlohmann::json> state =
      ReadState(table.name, request.State(table.name), method, database);
  const bool full = request.ModeOf(table.name) == Mode::kFull;
  // A full read needs no state, and is what mends one.
  if (!state.ok() && full) state = nlohmann::json();
  if (!state.ok()) return state.status();
  TableRun run = {.database = database,
                  .table = table,
                  .options = options_,
                  .request = request,
                  .sink = sink,
                  .target = *target,
                  .method = method,
                  .state = *std::move(state),
                  .full = full,
                  .now = sink.Now()};
  if (method != options_.method) {
    absl::Status s = run.Warn(absl::StrCat("the table has no column ", NeededColumn(options_),
                                           ": it is read as a whole in every sync"));
    if (!s.ok()) return s;
  }
  return ReadTable(run);
}

const TableDefinition* SqliteConnector::FindTable(absl::string_view name) const {
  const auto found = std::find_if(tables_.begin(), tables_.end(),
                                  [name](const TableDefinition& t) { return t.name == name; });
  return found == tables_.end() ? nullptr : &*found;
}

uint32_t SqliteConnector::ReadModes(const Table& table) {
  const TableDefinition* definition = FindTable(table.name());
  // What a query gives is not what stands in the table.
  if (definition == nullptr || options_.method == Method::kQuery) return 0;
  return ModesOf(*definition);
}

absl::Status SqliteConnector::ReadRows(const ReadRequest& request, Sink& sink) {
  const TableDefinition* table = FindTable(request.table().name());
  if (table == nullptr) return absl::NotFoundError("the table is not in the database");
  absl::StatusOr<std::shared_ptr<Database>> database = Open(Database::Access::kRead);
  if (!database.ok()) return database.status();
  return ReadRowsNow(**database, *table, request, sink);
}

absl::Status SqliteConnector::ReadTable(TableRun& run) {
  switch (run.method) {
    case Method::kTimestamp:
      return ReadTimestamp(run);
    case Method::kVersion:
    case Method::kKeyset:
      return ReadVersions(run);
    case Method::kTrigger:
      return ReadTriggers(run);
    case Method::kQuery:
      return ReadQueryRows(run);
    case Method::kCompare:
      return ReadByComparing(run);
    case Method::kFull:
      break;
  }
  return ReadFull(run);
}

absl::Status SqliteConnector::ReadTriggers(TableRun& run) {
  TriggerRun trigger = {.run = run, .writer = {}, .releasable = std::nullopt};
  trigger.writer = [this]() -> absl::StatusOr<Database*> {
    if (writer_ == nullptr) {
      absl::StatusOr<std::shared_ptr<Database>> opened = Open(Database::Access::kWrite);
      if (!opened.ok()) return opened.status();
      writer_ = *std::move(opened);
    }
    return writer_.get();
  };
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto released = releasable_.find(run.table.name);
    if (released != releasable_.end()) trigger.releasable = released->second;
  }
  return ReadChanges(trigger);
}

}  // namespace tidemark::sqlite
