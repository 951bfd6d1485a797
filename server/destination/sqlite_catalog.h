// What a SQLite file holds of ours: tables, columns, who owns them; and the DDL that brings a
// table to a wanted shape.
#ifndef TIDEMARK_DESTINATION_SQLITE_CATALOG_H_
#define TIDEMARK_DESTINATION_SQLITE_CATALOG_H_

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "destination/destination.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// A table of ours as it stands in the file.
struct SqliteTable {
  std::string connection;  // its owner (table_owner.h)
  StoredTable stored;      // columns in the order in which they came
  // By column of stored.table: the type SQLite declares ("" for none); nullopt: only NULLs came,
  // the column is not there yet.
  std::vector<std::optional<std::string>> storage;
  bool has_deleted_column = false;
  bool gone = false;  // somebody dropped it

  // The single key column is SQLite's rowid.
  bool integer_key() const;
};

// Confined to one thread; borrows the connection.
class SqliteCatalog {
 public:
  explicit SqliteCatalog(SqliteConnection& connection) : connection_(connection) {}

  // Reads every table of every connection. DATA_LOSS when the bookkeeping does not make sense.
  absl::Status Load();

  // Forgets tables of `connection` that somebody dropped, where `begins_again` holds for their
  // source name: the next Ensure makes them anew. DATA_LOSS names one where it does not.
  // REQUIRES: a transaction, after Load().
  absl::Status ForgetGone(absl::string_view connection,
                          const std::function<bool(const std::string&)>& begins_again);

  // nullptr: no table of ours. ASCII case does not count.
  const SqliteTable* Find(absl::string_view name) const;
  std::vector<StoredTable> TablesOf(absl::string_view connection) const;

  // Creates the table or brings it to this shape; see DestinationTransaction::EnsureTable.
  // Returns whether the file's tables were changed (not only their bookkeeping). REQUIRES: a
  // transaction.
  absl::StatusOr<bool> Ensure(const TargetTable& target, absl::string_view owner, int64_t now_us,
                              std::vector<SchemaChange>* changes);
  // False when triggers or unique indexes of somebody else stand on the table.
  absl::StatusOr<bool> IsPlain(const std::string& name);
  // REQUIRES: a transaction.
  absl::Status SetTruncateBefore(absl::string_view name, absl::string_view owner,
                                 std::optional<int64_t> truncate_before);

 private:
  // `guards`: by table key, the name of the column its stale guard compares.
  absl::Status LoadTables(std::unordered_map<std::string, std::string>* guards);
  absl::Status LoadColumns();
  absl::Status Create(const TargetTable& target, absl::string_view owner, int64_t now_us,
                      std::vector<SchemaChange>* changes);
  // Makes `owner`, another producer of the table's connection, one of those that write it.
  absl::Status Share(SqliteTable* table, absl::string_view owner);
  absl::Status TellOthers();
  absl::Status LoadRanges(SqliteTable* table);
  absl::StatusOr<bool> Evolve(SqliteTable* table, const TargetTable& target,
                              std::vector<SchemaChange>* changes);
  // Brings the bookkeeping from `before` to `table`.
  absl::Status WriteChanges(const SqliteTable& before, const SqliteTable& table, int64_t now_us);
  absl::Status WriteTable(const SqliteTable& table, int64_t now_us);
  absl::Status WriteColumn(const SqliteTable& table, size_t position);
  absl::Status RefuseExisting(const TargetTable& target);

  SqliteConnection& connection_;
  std::unordered_map<std::string, SqliteTable> tables_;  // by lower-case name
};

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_CATALOG_H_
