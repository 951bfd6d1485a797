#include "tests/bench/upsert_loop.h"

#include <sqlite3.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/digest.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using DatabasePtr = std::unique_ptr<sqlite3, CloseDatabase>;
using StatementPtr = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

constexpr char kColumns[] =
    "id, account, amount, price, active, code, name, updated_at, day, payload";

absl::Status Failure(sqlite3* database, absl::string_view what) {
  return absl::InternalError(absl::StrCat(what, ": ", sqlite3_errmsg(database)));
}

absl::StatusOr<DatabasePtr> OpenDatabase(const std::string& path) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open(path.c_str(), &opened);
  DatabasePtr database(opened);
  if (code != SQLITE_OK) return Failure(opened, path);
  return database;
}

absl::Status Execute(sqlite3* database, const std::string& sql) {
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return Failure(database, sql);
}

absl::StatusOr<StatementPtr> Prepare(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    return Failure(database, sql);
  }
  return StatementPtr(statement);
}

// The table as Tidemark's SQLite destination makes it (semantics.md section 2: storage classes).
std::string CreateTableSql(bool system_columns) {
  return absl::StrCat(
      "CREATE TABLE IF NOT EXISTS rows (id INTEGER, account INTEGER, amount REAL, price TEXT, "
      "active INTEGER, code TEXT, name TEXT, updated_at TEXT, day TEXT, payload TEXT",
      system_columns ? ", _tidemark_synced TEXT, _tidemark_deleted INTEGER" : "",
      ", PRIMARY KEY (id))");
}

std::string UpsertSql(bool system_columns) {
  std::string sql = absl::StrCat(
      "INSERT INTO rows (", kColumns, system_columns ? ", _tidemark_synced, _tidemark_deleted" : "",
      ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?", system_columns ? ", ?, ?" : "",
      ") ON CONFLICT (id) DO UPDATE SET account = excluded.account, amount = excluded.amount, "
      "price = excluded.price, active = excluded.active, code = excluded.code, "
      "name = excluded.name, updated_at = excluded.updated_at, day = excluded.day, "
      "payload = excluded.payload");
  if (system_columns) {
    absl::StrAppend(&sql,
                    ", _tidemark_synced = excluded._tidemark_synced, "
                    "_tidemark_deleted = excluded._tidemark_deleted");
  }
  return sql;
}

void BindText(sqlite3_stmt* statement, int index, absl::string_view text) {
  sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

// Binds the ten source columns. `times` (64 bytes) holds the formatted ones until the step.
void BindRow(sqlite3_stmt* statement, const generator_row& row, char* times) {
  char* const day = times + 32;
  sqlite3_bind_int64(statement, 1, row.id);
  sqlite3_bind_int64(statement, 2, row.account);
  sqlite3_bind_double(statement, 3, row.amount);
  BindText(statement, 4, {row.price, row.price_size});
  sqlite3_bind_int64(statement, 5, row.active);
  BindText(statement, 6, {row.code, GENERATOR_CODE});
  BindText(statement, 7, {row.name, GENERATOR_NAME});
  BindText(statement, 8, {times, FormatUtcMicrosTo(row.updated_at_us, times)});
  BindText(statement, 9, {day, FormatDateTo(row.day, day)});
  BindText(statement, 10, {row.payload, GENERATOR_PAYLOAD});
}

absl::Status WriteRows(sqlite3* database, const UpsertLoopOptions& options) {
  auto upsert = Prepare(database, UpsertSql(options.system_columns));
  if (!upsert.ok()) return upsert.status();
  RowStream stream(options.rows);
  char times[64];
  std::string synced;
  uint64_t written = 0;
  for (const std::vector<generator_row>* block = &stream.Next(); !block->empty();
       block = &stream.Next()) {
    for (const generator_row& row : *block) {
      if (written % options.commit_rows == 0) {
        absl::Status turned = Execute(database, written == 0 ? "BEGIN" : "COMMIT; BEGIN");
        if (!turned.ok()) return turned;
        synced = FormatUtcMicros(absl::ToUnixMicros(absl::Now()));
      }
      BindRow(upsert->get(), row, times);
      if (options.system_columns) {
        BindText(upsert->get(), 11, synced);
        sqlite3_bind_int64(upsert->get(), 12, 0);
      }
      if (sqlite3_step(upsert->get()) != SQLITE_DONE) return Failure(database, "upsert");
      sqlite3_reset(upsert->get());
      ++written;
    }
  }
  return written == 0 ? absl::OkStatus() : Execute(database, "COMMIT");
}

}  // namespace

absl::Status RunUpsertLoop(const UpsertLoopOptions& options) {
  auto database = OpenDatabase(options.database);
  if (!database.ok()) return database.status();
  for (const std::string& sql :
       {std::string("PRAGMA journal_mode = WAL"), std::string("PRAGMA synchronous = FULL"),
        CreateTableSql(options.system_columns)}) {
    if (absl::Status done = Execute(database->get(), sql); !done.ok()) return done;
  }
  if (absl::Status done = WriteRows(database->get(), options); !done.ok()) return done;
  return Execute(database->get(), "PRAGMA wal_checkpoint(TRUNCATE)");
}

absl::StatusOr<TableDigest> DigestTable(const std::string& path) {
  auto database = OpenDatabase(path);
  if (!database.ok()) return database.status();
  auto select =
      Prepare(database->get(), absl::StrCat("SELECT ", kColumns, " FROM rows ORDER BY id"));
  if (!select.ok()) return select.status();
  Digest digest(32);
  TableDigest result;
  int code = SQLITE_DONE;
  while ((code = sqlite3_step(select->get())) == SQLITE_ROW) {
    for (int column = 0; column < sqlite3_column_count(select->get()); ++column) {
      const void* text = sqlite3_column_blob(select->get(), column);
      const int bytes = sqlite3_column_bytes(select->get(), column);
      digest.AddInt(sqlite3_column_type(select->get(), column));
      digest.Add({static_cast<const char*>(text), static_cast<size_t>(bytes)});
    }
    ++result.rows;
  }
  if (code != SQLITE_DONE) return Failure(database->get(), path);
  result.digest = Hex(digest.Finish());
  return result;
}

}  // namespace tidemark
