#include "tests/pipeline/sync_fixture.h"

#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "destination/sqlite_destination.h"

namespace tidemark {
namespace {

class Listener final : public SyncObserver {
 public:
  Listener(std::vector<LogLine>& log, std::vector<SyncProgress>& progress,
           std::vector<uint32_t>& bad_rows)
      : log_(log), progress_(progress), bad_rows_(bad_rows) {}
  void OnProgress(const SyncProgress& progress) override { progress_.push_back(progress); }
  void OnLog(int level, absl::string_view table, absl::string_view text) override {
    log_.push_back({level, std::string(table), std::string(text)});
  }
  void OnDeadLetter(const DeadLetter&, uint32_t row) override { bad_rows_.push_back(row); }

 private:
  std::vector<LogLine>& log_;
  std::vector<SyncProgress>& progress_;
  std::vector<uint32_t>& bad_rows_;
};

}  // namespace

SyncFixture::SyncFixture() {
  std::string pattern = absl::StrCat(::testing::TempDir(), "/tidemark_sync_XXXXXX");
  folder_ = mkdtemp(pattern.data());
  options_.connection = "shop";
  options_.source_name = "shop_db";
  options_.destination_name = "warehouse";
  options_.holder = "a test";
}

SyncFixture::~SyncFixture() { std::filesystem::remove_all(folder_); }

SyncOutcome SyncFixture::Run(Play& play) { return Run(play, options_); }

SyncOutcome SyncFixture::Run(Play& play, const SyncOptions& options) {
  SqliteOptions sqlite;
  sqlite.path = absl::StrCat(folder_, "/warehouse.db");
  sqlite.engine = "tidemark test";
  sqlite.clock = &clock_;
  auto opened = OpenSqliteDestination(sqlite);
  if (!opened.ok()) {
    ADD_FAILURE() << opened.status();
    return {};
  }
  WatchedDestination destination(*std::move(opened), watch_);
  Listener listener(log_, progress_, bad_rows_);
  SyncParts parts;
  parts.source = [&]() -> absl::StatusOr<std::unique_ptr<ChangeSource>> {
    return std::unique_ptr<ChangeSource>(std::make_unique<ScriptedSource>(play, clock_));
  };
  parts.destination = &destination;
  parts.outer = outer_;
  parts.clock = &clock_;
  parts.observer = &listener;
  parts.interrupt = &interrupt_;
  parts.random = random_.get();
  parts.report = [](const SyncOutcome& outcome) {
    return absl::StrCat("{\"status\":\"", std::string(SyncStatusName(outcome.status)), "\"}");
  };
  return RunSync(options, parts);
}

std::vector<std::vector<std::string>> SyncFixture::Query(const std::string& sql) {
  sqlite3* db = nullptr;
  EXPECT_EQ(SQLITE_OK, sqlite3_open(absl::StrCat(folder_, "/warehouse.db").c_str(), &db));
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(SQLITE_OK, sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr))
      << sqlite3_errmsg(db) << " in " << sql;
  std::vector<std::vector<std::string>> rows;
  while (statement != nullptr && sqlite3_step(statement) == SQLITE_ROW) {
    std::vector<std::string>& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* text = sqlite3_column_text(statement, i);
      row.push_back(text == nullptr
                        ? "NULL"
                        : std::string(reinterpret_cast<const char*>(text),
                                      static_cast<size_t>(sqlite3_column_bytes(statement, i))));
    }
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return rows;
}

std::vector<std::string> SyncFixture::Live(const std::string& table, const std::string& columns) {
  std::vector<std::string> lines;
  for (const auto& row : Query(absl::StrCat("SELECT ", columns, " FROM \"", table,
                                            "\" WHERE _tidemark_deleted IS NOT 1 ORDER BY 1"))) {
    lines.push_back(absl::StrJoin(row, "|"));
  }
  return lines;
}

bool SyncFixture::Logged(const std::string& table, const std::string& text) const {
  for (const LogLine& line : log_) {
    if (line.table == table && absl::StrContains(line.text, text)) return true;
  }
  return false;
}

bool SyncFixture::Warned(const SyncOutcome& outcome, const std::string& part) const {
  for (const std::string& warning : outcome.warnings) {
    if (absl::StrContains(warning, part)) return true;
  }
  return false;
}

}  // namespace tidemark
