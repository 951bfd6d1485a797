#include "tests/end_to_end/kill/kill_bench.h"

#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "destination/sqlite_destination.h"

namespace tidemark::test {
namespace {

// The cursor of the generator's state is the number of rows before it.
constexpr char kCommittedCursor[] =
    "SELECT h.cursor_max FROM _tidemark_state s JOIN _tidemark_state_history h "
    "USING (connection, entry, version) WHERE s.connection = 'killed' AND s.entry = ''";
constexpr char kTable[] = "rows";
constexpr char kColumns[] =
    "id, account, amount, price, active, code, name, updated_at, day, payload";

}  // namespace

DestinationProbe::~DestinationProbe() {
  sqlite3_finalize(committed_);
  sqlite3_close(db_);
}

bool DestinationProbe::Open() {
  if (db_ != nullptr) return true;
  if (sqlite3_open_v2(path_.c_str(), &db_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK) {
    sqlite3_close(db_);
    db_ = nullptr;
    return false;
  }
  sqlite3_busy_timeout(db_, 5000);
  return true;
}

std::optional<int64_t> DestinationProbe::Committed() {
  if (!Open()) return std::nullopt;
  if (committed_ == nullptr &&
      sqlite3_prepare_v2(db_, kCommittedCursor, -1, &committed_, nullptr) != SQLITE_OK) {
    return std::nullopt;
  }
  std::optional<int64_t> rows;
  if (sqlite3_step(committed_) == SQLITE_ROW) {
    const char* body = reinterpret_cast<const char*>(sqlite3_column_text(committed_, 0));
    int64_t value = 0;
    if (body != nullptr && absl::SimpleAtoi(body, &value)) rows = value;
  }
  sqlite3_reset(committed_);
  return rows;
}

std::optional<int64_t> DestinationProbe::Number(const std::string& sql) {
  if (!Open()) return std::nullopt;
  sqlite3_stmt* statement = nullptr;
  std::optional<int64_t> number;
  if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    number = sqlite3_column_int64(statement, 0);
  }
  sqlite3_finalize(statement);
  return number;
}

KillBench::KillBench(const Options& options) : options_(options) {
  folder_ = absl::StrCat(testing::TempDir(), "tidemark_kill_XXXXXX");
  if (mkdtemp(folder_.data()) == nullptr) ADD_FAILURE() << "no temporary folder " << folder_;
  connection_file_ = absl::StrCat(folder_, "/connection.yaml");
  log_ = absl::StrCat(folder_, "/log");
  reference_ = absl::StrCat(folder_, "/reference.db");
  const std::string file = absl::StrCat(folder_, "/reference.yaml");
  WriteConnection(file, reference_, absl::StrCat(folder_, "/reference.ledger"), 0);
  TidemarkRun run({"run", file, "--quiet"}, log_);
  EXPECT_EQ(run.Wait().code, 0) << "the unkilled run failed; see " << log_;
  StartOver();
}

void KillBench::StartOver() {
  database_ = absl::StrCat(folder_, "/", ++files_, ".db");
  probe_ = std::make_unique<DestinationProbe>(database_);
}

std::unique_ptr<TidemarkRun> KillBench::Run() {
  const std::string path = absl::StrCat(folder_, "/", ++runs_, ".ledger");
  WriteConnection(connection_file_, database_, path, options_.pause_us);
  ledger_ = std::make_unique<Ledger>(path);
  return std::make_unique<TidemarkRun>(std::vector<std::string>{"run", connection_file_, "--quiet"},
                                       log_);
}

void KillBench::WriteConnection(const std::string& file, const std::string& database,
                                const std::string& ledger, int64_t pause_us) {
  std::ofstream out(file);
  out << "name: killed\n"
      << "sync:\n"
      << "  source:\n"
      << "    connector: generator\n"
      << "    config:\n"
      << "      count: " << options_.rows << "\n"
      << "      seed: 7\n"
      << "      checkpoint_interval: " << options_.checkpoint_rows << "\n"
      << "      pause_us: " << pause_us << "\n"
      << "      ledger_file: " << ledger << "\n"
      << "  destination: { type: sqlite, connection: \"" << database << "\" }\n";
}

std::string KillBench::CompareWithReference(int64_t rows) {
  sqlite3* db = nullptr;
  if (sqlite3_open(database_.c_str(), &db) != SQLITE_OK) return "the destination does not open";
  const auto number = [db](const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
      value = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return value;
  };
  sqlite3_exec(db, absl::StrCat("ATTACH '", reference_, "' AS reference").c_str(), nullptr, nullptr,
               nullptr);
  const int64_t have = number(absl::StrCat("SELECT count(*) FROM main.", kTable));
  const int64_t extra =
      number(absl::StrCat("SELECT count(*) FROM (SELECT ", kColumns, " FROM main.", kTable,
                          " EXCEPT SELECT ", kColumns, " FROM reference.", kTable, ")"));
  const int64_t integrity = number("SELECT integrity_check = 'ok' FROM pragma_integrity_check");
  sqlite3_close(db);
  if (rows == 0 && have == -1) return "";  // killed before the table was made
  if (have != rows) return absl::StrCat("rows: ", have, ", the committed state says ", rows);
  if (extra != 0) return absl::StrCat(extra, " rows differ from the unkilled run");
  if (integrity != 1) return "integrity_check does not say ok";
  return "";
}

std::string KillBench::Verify(int64_t rows) {
  if (std::string wrong = CompareWithReference(rows); !wrong.empty()) return wrong;
  if (rows == 0) return "";
  const auto reader = OpenSqliteReader(database_);
  if (!reader.ok()) return std::string(reader.status().message());
  if (absl::Status s = (*reader)->VerifyState("killed"); !s.ok()) return std::string(s.message());
  const auto log = (*reader)->StateLog("killed", std::nullopt, false, 100'000);
  if (!log.ok()) return std::string(log.status().message());
  ChangeCounts sum;
  for (const StateVersion& version : *log) sum += version.counts;
  if (static_cast<int64_t>(sum.inserted) != rows) {
    return absl::StrCat("the state versions count ", sum.inserted, " inserted rows, not ", rows);
  }
  return "";
}

}  // namespace tidemark::test
