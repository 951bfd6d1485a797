// A warehouse whose state is damaged by bytes, and a source that can say what its rows are.
#ifndef TIDEMARK_TESTS_STATE_DAMAGED_WAREHOUSE_H_
#define TIDEMARK_TESTS_STATE_DAMAGED_WAREHOUSE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/connection.h"
#include "control/outer_storage.h"
#include "control/state_recovery.h"
#include "pipeline/sync.h"
#include "tests/pipeline/fake_clock.h"
#include "tests/pipeline/scripted_source.h"

namespace tidemark::test {

// A source with one table, item(id, value), and a log of every change of it. Its state is
// "SOURCE POSITION"; without one it sends every row that is there, as a full read does.
class LoggedSource {
 public:
  explicit LoggedSource(std::string id) : id_(std::move(id)) {}

  // Upserts and deletes, drawn from `seed`.
  void Change(int changes, uint64_t seed);
  // Changes before this position cannot be read any more.
  void Prune(size_t position) { pruned_ = position; }
  void Replace(std::string id) { id_ = std::move(id); }
  size_t size() const { return log_.size(); }
  const std::map<int64_t, std::string>& rows() const { return rows_; }

  // Sent again from the start's state, with a checkpoint each `every` changes.
  Play MakePlay(int every);
  // What the next checkpoints say as readable position; empty: the position.
  std::string cursor;

 private:
  struct Change1 {
    int64_t id;
    bool deleted;
    std::string value;
  };
  Moves Send(const UpdateStart& start, int every) const;
  absl::Status Validate(absl::Span<const StateEntry> states) const;
  absl::StatusOr<size_t> Position(const std::string& body) const;

  std::string id_;
  size_t pruned_ = 0;
  std::vector<Change1> log_;
  std::map<int64_t, std::string> rows_;
};

struct RowDifference {
  uint64_t lost = 0;
  uint64_t extra = 0;
  uint64_t stale = 0;
  uint64_t total() const { return lost + extra + stale; }
};

struct Started {
  absl::Status status;  // of the start, or of the sync
  std::vector<std::string> warnings;
  bool began_again = false;  // the source refused, and the state was reset
};

class DamagedWarehouse {
 public:
  DamagedWarehouse();
  ~DamagedWarehouse();

  // One run, as the engine does it: recovery, sync, recovery after a refusal, sync.
  Started Run(LoggedSource& source, int every = 5);
  Started Run(Play& play);

  // From the next run on the state is kept in a SQLite file beside the destination too.
  void KeepOutside();

  // SQL with sqlite3 alone, nothing of ours in between.
  void Sql(const std::string& sql);
  std::vector<std::vector<std::string>> Query(const std::string& sql);
  std::string Number(const std::string& sql);
  // Everything of the log file goes into the database, so that the file stands alone.
  void Settle();
  std::string Bytes() const;
  void SetBytes(const std::string& bytes);

  RowDifference Compare(const LoggedSource& source);
  // Entries, versions and bodies as they are stored, in one text.
  std::string StateText();

  std::string path() const { return folder_ + "/warehouse.db"; }
  StateLocation location() const {
    return {path(), "shop", outside_.has_value() ? &*outside_ : nullptr};
  }
  int64_t NowUs() { return absl::ToUnixMicros(clock.Now()); }

  RecoverySettings settings;
  FakeClock clock;

 private:
  absl::StatusOr<std::vector<std::string>> OpenOutside(Play& play);
  SyncOutcome Sync(Play& play, const std::vector<std::string>& warnings);

  std::string folder_;
  std::optional<Connection> outside_;  // unset: the destination alone keeps the state
  std::unique_ptr<OuterStorage> storage_;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_STATE_DAMAGED_WAREHOUSE_H_
