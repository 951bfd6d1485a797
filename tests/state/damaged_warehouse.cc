#include "tests/state/damaged_warehouse.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "control/report.h"
#include "destination/sqlite_destination.h"

namespace tidemark::test {

void LoggedSource::Change(int changes, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < changes; ++i) {
    const auto id = static_cast<int64_t>(random() % 40);
    const bool deleted = random() % 5 == 0 && rows_.count(id) != 0;
    log_.push_back({id, deleted, deleted ? "" : absl::StrCat("v", random() % 100000)});
    if (deleted) {
      rows_.erase(id);
    } else {
      rows_[id] = log_.back().value;
    }
  }
}

absl::StatusOr<size_t> LoggedSource::Position(const std::string& body) const {
  const std::vector<std::string> parts = absl::StrSplit(body, ' ');
  size_t position = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[1], &position)) {
    return absl::InvalidArgumentError("the state is not SOURCE POSITION");
  }
  if (parts[0] != id_) return absl::FailedPreconditionError("the state is of another source");
  if (position < pruned_ || position > log_.size()) {
    return absl::OutOfRangeError(absl::StrCat("the log begins at ", pruned_));
  }
  return position;
}

absl::Status LoggedSource::Validate(absl::Span<const StateEntry> states) const {
  for (const StateEntry& state : states) {
    if (auto position = Position(state.body); !position.ok()) return position.status();
  }
  return absl::OkStatus();
}

Moves LoggedSource::Send(const UpdateStart& start, int every) const {
  Moves moves;
  uint64_t checkpoint = 0;
  uint64_t sent = 0;
  const auto mark = [&](size_t position) {
    Checkpoint point;
    point.id = ++checkpoint;
    StateEntry& state = point.states.emplace_back();
    state.body = absl::StrCat(id_, " ", position);
    state.cursor = cursor.empty() ? absl::StrCat(position) : cursor;
    point.rows_since_last = {{0, std::exchange(sent, 0)}};
    moves.push_back(Say(SourceEvent(std::move(point))));
  };
  if (start.states.empty()) {
    for (const auto& [id, value] : rows_) {
      moves.push_back(Say(Rows(0, 2).Upsert({id, value})));
      ++sent;
    }
    mark(log_.size());
  } else {
    absl::StatusOr<size_t> position = Position(start.states.front().body);
    if (!position.ok()) return Script(Done(position.status()));
    for (size_t i = *position; i < log_.size(); ++i) {
      const Change1& change = log_[i];
      moves.push_back(change.deleted ? Say(Rows(0, 2).Delete({change.id, nullptr}))
                                     : Say(Rows(0, 2).Upsert({change.id, change.value})));
      ++sent;
      if ((i + 1) % static_cast<size_t>(every) == 0) mark(i + 1);
    }
    if (sent > 0) mark(log_.size());
  }
  moves.push_back(Done());
  return moves;
}

Play LoggedSource::MakePlay(int every) {
  Play play;
  play.tables = {Table("item", {{"id", DataType::kLong, true}, {"value", DataType::kString}})};
  play.script = [this, every](const UpdateStart& start) { return Send(start, every); };
  play.validate = [this](absl::Span<const StateEntry> states) { return Validate(states); };
  return play;
}

DamagedWarehouse::DamagedWarehouse() {
  std::string pattern = absl::StrCat(::testing::TempDir(), "/tidemark_damage_XXXXXX");
  folder_ = mkdtemp(pattern.data());
}

DamagedWarehouse::~DamagedWarehouse() { std::filesystem::remove_all(folder_); }

void DamagedWarehouse::KeepOutside() {
  outside_.emplace();
  outside_->name = "shop";
  outside_->destination.path = path();
  outside_->storage.kind = StorageKind::kSqlite;
  outside_->storage.path = folder_ + "/state.db";
}

// What the engine does with a second store before a sync.
absl::StatusOr<std::vector<std::string>> DamagedWarehouse::OpenOutside(Play& play) {
  if (!outside_.has_value()) return std::vector<std::string>();
  outside_->recovery = settings;
  auto opened = OuterStorage::Open(*outside_, "a test", false, clock);
  if (!opened.ok()) return opened.status();
  storage_ = *std::move(opened);
  auto lines = RecoverOuterStore(*outside_, NowUs());
  if (!lines.ok()) return lines;
  auto rewound =
      storage_->RewindIfAhead([&] { return std::make_unique<ScriptedSource>(play, clock); });
  if (!rewound.ok()) return rewound;
  lines->insert(lines->end(), rewound->begin(), rewound->end());
  return lines;
}

SyncOutcome DamagedWarehouse::Sync(Play& play, const std::vector<std::string>& warnings) {
  SqliteOptions sqlite;
  sqlite.path = path();
  sqlite.engine = "tidemark test";
  sqlite.clock = &clock;
  SyncOutcome failed;
  auto opened = OpenSqliteDestination(sqlite);
  if (!opened.ok()) {
    failed.error = opened.status();
    return failed;
  }
  SyncOptions options;
  options.connection = "shop";
  options.holder = "a test";
  options.warnings = warnings;
  options.validate_state = settings.validate_on_start;
  options.group.when_idle = false;
  options.group.rows = 1;
  SyncParts parts;
  parts.source = [&]() -> absl::StatusOr<std::unique_ptr<ChangeSource>> {
    return std::unique_ptr<ChangeSource>(std::make_unique<ScriptedSource>(play, clock));
  };
  parts.destination = opened->get();
  parts.outer = storage_ == nullptr ? nullptr : storage_->store();
  parts.clock = &clock;
  parts.report = [](const SyncOutcome& outcome) {
    return SyncReport({"shop", "shop_db", "warehouse", false}, outcome)
        .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  };
  return RunSync(options, parts);
}

Started DamagedWarehouse::Run(LoggedSource& source, int every) {
  Play play = source.MakePlay(every);
  return Run(play);
}

Started DamagedWarehouse::Run(Play& play) {
  clock.Advance(absl::Minutes(1));
  Started started;
  auto lines = RecoverBeforeSync(location(), settings, "a test", NowUs());
  if (!lines.ok()) {
    started.status = lines.status();
    return started;
  }
  auto outside = OpenOutside(play);
  if (!outside.ok()) {
    started.status = outside.status();
    return started;
  }
  lines->insert(lines->end(), outside->begin(), outside->end());
  SyncOutcome outcome = Sync(play, *lines);
  if (CorruptionOf(outcome.error).has_value()) {
    auto more = RecoverAfterRefusal(location(), settings, outcome.error, "a test", NowUs());
    if (more.ok()) {
      lines->insert(lines->end(), more->begin(), more->end());
      started.began_again = true;
      outcome = Sync(play, *lines);
    }
  }
  started.status = outcome.error;
  started.warnings = outcome.warnings;
  return started;
}

namespace {

using Database = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;

Database Open(const std::string& path) {
  sqlite3* db = nullptr;
  EXPECT_EQ(SQLITE_OK, sqlite3_open(path.c_str(), &db));
  return Database(db, sqlite3_close);
}

}  // namespace

void DamagedWarehouse::Sql(const std::string& sql) {
  Database db = Open(path());
  char* error = nullptr;
  EXPECT_EQ(SQLITE_OK, sqlite3_exec(db.get(), sql.c_str(), nullptr, nullptr, &error))
      << (error == nullptr ? "" : error) << " in " << sql;
  sqlite3_free(error);
}

std::vector<std::vector<std::string>> DamagedWarehouse::Query(const std::string& sql) {
  std::vector<std::vector<std::string>> rows;
  Database db = Open(path());
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(db.get(), sql.c_str(), -1, &statement, nullptr);
  while (statement != nullptr && sqlite3_step(statement) == SQLITE_ROW) {
    std::vector<std::string>& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, i));
      row.emplace_back(bytes == nullptr ? "" : bytes,
                       static_cast<size_t>(sqlite3_column_bytes(statement, i)));
    }
  }
  sqlite3_finalize(statement);
  return rows;
}

std::string DamagedWarehouse::Number(const std::string& sql) {
  const auto rows = Query(absl::StrCat("SELECT CAST((", sql, ") AS TEXT)"));
  return rows.empty() ? "" : rows[0][0];
}

void DamagedWarehouse::Settle() {
  Sql("PRAGMA wal_checkpoint(TRUNCATE)");
  std::filesystem::remove(path() + "-wal");
  std::filesystem::remove(path() + "-shm");
}

std::string DamagedWarehouse::Bytes() const {
  std::ostringstream bytes;
  bytes << std::ifstream(path(), std::ios::binary).rdbuf();
  return bytes.str();
}

void DamagedWarehouse::SetBytes(const std::string& bytes) {
  std::filesystem::remove(path() + "-wal");
  std::filesystem::remove(path() + "-shm");
  std::ofstream(path(), std::ios::binary | std::ios::trunc) << bytes;
}

RowDifference DamagedWarehouse::Compare(const LoggedSource& source) {
  RowDifference difference;
  std::map<int64_t, std::string> live;
  for (const auto& row :
       Query("SELECT CAST(id AS TEXT), value FROM item WHERE _tidemark_deleted IS NOT 1")) {
    int64_t id = 0;
    if (!absl::SimpleAtoi(row[0], &id) || !live.emplace(id, row[1]).second) ++difference.extra;
  }
  for (const auto& [id, value] : source.rows()) {
    const auto found = live.find(id);
    if (found == live.end()) {
      ++difference.lost;
    } else if (found->second != value) {
      ++difference.stale;
    }
  }
  for (const auto& [id, value] : live) difference.extra += source.rows().count(id) == 0 ? 1 : 0;
  return difference;
}

std::string DamagedWarehouse::StateText() {
  std::string text;
  for (const char* sql :
       {"SELECT entry, version, hex(chain), hex(anchor) FROM _tidemark_state ORDER BY 1, 2",
        "SELECT entry, version, kind, hex(body_hash), hex(chain) FROM _tidemark_state_history "
        "ORDER BY 1, 2",
        "SELECT entry, hex(body_hash), hex(body) FROM _tidemark_state_bodies ORDER BY 1, 2"}) {
    for (const auto& row : Query(sql)) absl::StrAppend(&text, absl::StrJoin(row, "|"), "\n");
  }
  return text;
}

}  // namespace tidemark::test
