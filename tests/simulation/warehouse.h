// A SQLite destination of a simulation: its file in memory where there is some (nothing here may
// wait for a disk; what a loss of power does is shown by tests/destination), and what a second
// reader sees in it.
#ifndef TIDEMARK_TESTS_SIMULATION_WAREHOUSE_H_
#define TIDEMARK_TESTS_SIMULATION_WAREHOUSE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "destination/destination.h"
#include "tests/pipeline/fake_clock.h"
#include "tests/simulation/reference_model.h"

struct sqlite3;

namespace tidemark {

// Confined to one thread.
class Warehouse {
 public:
  // A folder of its own, removed at the end; or the folder given.
  explicit Warehouse(std::string folder = "");
  ~Warehouse();
  Warehouse(const Warehouse&) = delete;
  Warehouse& operator=(const Warehouse&) = delete;

  const std::string& folder() const { return folder_; }
  std::string path() const { return folder_ + "/warehouse.db"; }
  // Removes the database and all beside it.
  void Clear();

  absl::StatusOr<std::unique_ptr<Destination>> Open(Clock* clock) const;

  // Rows of a query as text, NULL as "NULL". Adds a test failure when it cannot be run.
  std::vector<std::vector<std::string>> Query(const std::string& sql);
  int64_t Number(const std::string& sql);
  bool Has(const std::string& table);
  // Changes something beside the engine.
  void Execute(const std::string& sql) { Query(sql); }
  // Closes the reader, so that the file may be replaced.
  void Forget();

  // The live rows of a simulated table; none where it does not exist.
  std::vector<StoredRow> Rows(const TableSchema& table);
  // The position in the state of `entry`, 0 without one. Positions are the bodies of simulations.
  uint64_t Position(const std::string& connection, const std::string& entry);
  // What is not as it must be between data, state and history of `connection`; empty: all is well.
  std::string CheckState(const std::string& connection);

 private:
  std::string folder_;
  bool own_ = false;
  sqlite3* reader_ = nullptr;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_WAREHOUSE_H_
