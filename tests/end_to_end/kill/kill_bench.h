// A connection from the generator into a SQLite file, run and killed by the kill tests.
#ifndef TIDEMARK_TESTS_END_TO_END_KILL_KILL_BENCH_H_
#define TIDEMARK_TESTS_END_TO_END_KILL_KILL_BENCH_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tests/end_to_end/kill/ledger.h"
#include "tests/end_to_end/kill/tidemark_run.h"

namespace tidemark::test {

// What the destination holds, read beside a running sync without locking it.
class DestinationProbe {
 public:
  explicit DestinationProbe(std::string path) : path_(std::move(path)) {}
  ~DestinationProbe();

  // The committed state as the number of rows before the cursor; nullopt: no state yet.
  std::optional<int64_t> Committed();
  // One number of a query, or nullopt when it cannot be answered.
  std::optional<int64_t> Number(const std::string& sql);

 private:
  bool Open();

  std::string path_;
  sqlite3* db_ = nullptr;
  sqlite3_stmt* committed_ = nullptr;
};

// Confined to one thread; everything lives in one temporary folder.
class KillBench {
 public:
  struct Options {
    int64_t rows = 20'000;
    int64_t checkpoint_rows = 500;
    int64_t pause_us = 0;  // of the source, at each checkpoint
  };
  explicit KillBench(const Options& options);

  // A new destination file; the old one is left for inspection.
  void StartOver();
  // Starts one run with a fresh ledger.
  std::unique_ptr<TidemarkRun> Run();
  Ledger& ledger() { return *ledger_; }
  DestinationProbe& probe() { return *probe_; }
  const std::string& log() const { return log_; }
  const std::string& connection_file() const { return connection_file_; }
  const std::string& database() const { return database_; }
  const Options& options() const { return options_; }

  // The oracle: "" when the destination holds exactly the first `rows` rows that an unkilled run
  // with the same seed writes (system columns aside), each once, the state chain verifies and the
  // counts of its versions add up to what was committed; else what is wrong.
  std::string Verify(int64_t rows);

 private:
  void WriteConnection(const std::string& file, const std::string& database,
                       const std::string& ledger, int64_t pause_us);
  std::string CompareWithReference(int64_t rows);

  Options options_;
  std::string folder_;
  std::string reference_;  // the unkilled run's database
  std::string connection_file_;
  std::string database_;
  std::string log_;
  int files_ = 0;
  int runs_ = 0;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<DestinationProbe> probe_;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_END_TO_END_KILL_KILL_BENCH_H_
