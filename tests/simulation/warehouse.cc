#include "tests/simulation/warehouse.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/time_text.h"
#include "destination/sqlite_destination.h"

namespace tidemark {
namespace {

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

}  // namespace

Warehouse::Warehouse(std::string folder) : folder_(std::move(folder)) {
  if (!folder_.empty()) return;
  const std::filesystem::path memory = "/dev/shm";
  std::string pattern =
      ((std::filesystem::is_directory(memory) ? memory
                                              : std::filesystem::path(::testing::TempDir())) /
       "tidemark-simulation-XXXXXX")
          .string();
  const char* const made = mkdtemp(pattern.data());
  EXPECT_NE(made, nullptr) << pattern;
  folder_ = pattern;
  own_ = true;
}

Warehouse::~Warehouse() {
  Forget();
  std::error_code ignored;
  if (own_) std::filesystem::remove_all(folder_, ignored);
}

void Warehouse::Forget() {
  sqlite3_close(reader_);
  reader_ = nullptr;
}

void Warehouse::Clear() {
  Forget();
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    std::filesystem::remove_all(file.path(), ignored);
  }
}

absl::StatusOr<std::unique_ptr<Destination>> Warehouse::Open(Clock* clock) const {
  SqliteOptions options;
  options.path = path();
  options.engine = "tidemark test";
  options.clock = clock;
  return OpenSqliteDestination(options);
}

std::vector<std::vector<std::string>> Warehouse::Query(const std::string& sql) {
  if (reader_ == nullptr) {
    EXPECT_EQ(SQLITE_OK, sqlite3_open_v2(path().c_str(), &reader_,
                                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr))
        << path();
  }
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(SQLITE_OK, sqlite3_prepare_v2(reader_, sql.c_str(), -1, &statement, nullptr))
      << sqlite3_errmsg(reader_) << " in " << sql;
  std::vector<std::vector<std::string>> rows;
  int code = SQLITE_DONE;
  while (statement != nullptr && (code = sqlite3_step(statement)) == SQLITE_ROW) {
    std::vector<std::string>& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* text = sqlite3_column_text(statement, i);
      row.push_back(text == nullptr
                        ? "NULL"
                        : std::string(reinterpret_cast<const char*>(text),
                                      static_cast<size_t>(sqlite3_column_bytes(statement, i))));
    }
  }
  EXPECT_EQ(code, SQLITE_DONE) << sqlite3_errmsg(reader_) << " in " << sql;
  sqlite3_finalize(statement);
  return rows;
}

int64_t Warehouse::Number(const std::string& sql) {
  const auto rows = Query(sql);
  int64_t number = 0;
  if (rows.empty() || rows[0].empty()) return 0;
  return absl::SimpleAtoi(rows[0][0], &number) ? number : 0;
}

bool Warehouse::Has(const std::string& table) {
  return Number(absl::StrCat("SELECT count(*) FROM sqlite_schema WHERE name = ", Quoted(table))) !=
         0;
}

std::vector<StoredRow> Warehouse::Rows(const TableSchema& table) {
  if (!Has(table.name)) return {};
  const std::string name = Quoted(table.name);
  std::string columns;
  for (const Column& column : table.columns) {
    // A column that has seen nothing but NULL does not exist yet.
    const bool there = Number(absl::StrCat("SELECT count(*) FROM pragma_table_info(", name,
                                           ") WHERE name = ", Quoted(column.name))) != 0;
    absl::StrAppend(&columns, there ? column.name : "NULL", ", ");
  }
  const int64_t before =
      Number(absl::StrCat("SELECT coalesce(max(truncate_before), 0) FROM _tidemark_tables WHERE "
                          "table_name = ",
                          name));
  const std::string doomed = absl::StrCat("_tidemark_synced < ", Quoted(FormatUtcMicros(before)));
  const bool soft = Number(absl::StrCat("SELECT count(*) FROM pragma_table_info(", name,
                                        ") WHERE name = '_tidemark_deleted'")) != 0;
  std::vector<StoredRow> rows;
  for (auto& values :
       Query(absl::StrCat("SELECT ", columns, before == 0 ? "0" : doomed, " FROM \"", table.name,
                          "\"", soft ? " WHERE _tidemark_deleted IS NOT 1" : ""))) {
    StoredRow& row = rows.emplace_back();
    row.doomed = values.back() == "1";
    values.pop_back();
    row.values = std::move(values);
  }
  return rows;
}

uint64_t Warehouse::Position(const std::string& connection, const std::string& entry) {
  if (!Has("_tidemark_state")) return 0;
  return static_cast<uint64_t>(Number(absl::StrCat(
      "SELECT CAST(b.body AS TEXT) FROM _tidemark_state s JOIN _tidemark_state_history h "
      "USING(connection, entry, version) JOIN _tidemark_state_bodies b "
      "USING(connection, entry, body_hash) WHERE connection = ",
      Quoted(connection), " AND entry = ", Quoted(entry))));
}

std::string Warehouse::CheckState(const std::string& connection) {
  auto reader = OpenSqliteReader(path());
  if (!reader.ok()) return std::string(reader.status().message());
  if (absl::Status state = (*reader)->VerifyState(connection); !state.ok()) {
    return std::string(state.message());
  }
  // Invariant I3: numbers without a gap, and the head is the newest.
  const auto gaps = Query(absl::StrCat(
      "SELECT entry FROM _tidemark_state_history h WHERE connection = ", Quoted(connection),
      " GROUP BY entry HAVING count(*) <> max(version) OR max(version) <> (SELECT s.version FROM "
      "_tidemark_state s WHERE s.connection = h.connection AND s.entry = h.entry)"));
  return gaps.empty() ? "" : absl::StrCat("the versions of \"", gaps[0][0], "\" have a gap");
}

}  // namespace tidemark
