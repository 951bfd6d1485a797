// One warehouse in a temporary folder, and syncs into it.
#ifndef TIDEMARK_TESTS_PIPELINE_SYNC_FIXTURE_H_
#define TIDEMARK_TESTS_PIPELINE_SYNC_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "pipeline/sync.h"
#include "tests/pipeline/fake_clock.h"
#include "tests/pipeline/scripted_source.h"
#include "tests/pipeline/watched_destination.h"

namespace tidemark {

struct LogLine {
  int level;
  std::string table;
  std::string text;
};

class SyncFixture : public ::testing::Test {
 protected:
  SyncFixture();
  ~SyncFixture() override;

  // Runs `play` with `options` into the warehouse.
  SyncOutcome Run(Play& play);
  SyncOutcome Run(Play& play, const SyncOptions& options);

  // Rows of a query, values as text, NULL as "NULL".
  std::vector<std::vector<std::string>> Query(const std::string& sql);
  // Live rows "a|b|c" of a table ordered by its first column, without system columns.
  std::vector<std::string> Live(const std::string& table, const std::string& columns);
  bool Logged(const std::string& table, const std::string& text) const;
  bool Warned(const SyncOutcome& outcome, const std::string& part) const;

  std::string folder_;
  FakeClock clock_;
  Watch watch_;
  Interrupt interrupt_;
  std::unique_ptr<RandomBits> random_ = SeededBits(1);
  SyncOptions options_;
  OuterStore* outer_ = nullptr;  // borrowed
  std::vector<LogLine> log_;
  std::vector<uint32_t> bad_rows_;      // their places in the batches of the source
  std::vector<SyncProgress> progress_;  // of every sync, in order
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_PIPELINE_SYNC_FIXTURE_H_
