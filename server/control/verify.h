// Compares what a connection's source has with what its destination holds, and repairs it.
#ifndef TIDEMARK_CONTROL_VERIFY_H_
#define TIDEMARK_CONTROL_VERIFY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/engine.h"
#include "control/repair_source.h"
#include "control/table_comparison.h"
#include "destination/destination_reader.h"
#include "nlohmann/json.hpp"

namespace tidemark {

struct VerifyOptions {
  std::vector<std::string> tables;  // source names or globs; empty: every table of the connection
  size_t listed = 20;               // keys of each kind and table that are named
};

// What was found of one table.
struct TableVerdict {
  std::string table;              // qualified source name
  std::string destination_table;  // empty: not known
  absl::Status status;            // not OK: it could not be verified, and why
  bool by_ranges = false;
  TableDifferences differences;      // exact counts; keys for the repair
  std::vector<std::string> missing;  // the first keys of each kind as text
  std::vector<std::string> extra;
  std::vector<std::string> different;

  bool equal() const { return status.ok() && differences.total() == 0; }
};

// What a repair would do.
struct RepairPlan {
  uint64_t upserts = 0;
  uint64_t deletes = 0;
  // Tables of which more than 30 % of the rows would be deleted.
  std::vector<std::string> mass_deletes;
  // Why extra rows of a table stay, a sentence each.
  std::vector<std::string> kept;
};

// How the rows of the last commit group stand against the source (level L4 of validation).
struct SampleVerdict {
  uint64_t sampled = 0;
  uint64_t equal = 0;
  // The source may have moved on since: by themselves these are no error.
  uint64_t changed = 0;              // other values at the source
  uint64_t gone = 0;                 // live here, not at the source
  uint64_t back = 0;                 // deleted here, and at the source
  std::vector<std::string> unlike;   // keys of the three, the first 20: "table: key"
  std::vector<std::string> skipped;  // tables that cannot be read by key, a sentence each
};
// Confined to one thread. Borrows the engine.
class Verifier {
 public:
  explicit Verifier(Engine& engine);
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;
  ~Verifier();

  // An error: nothing could be compared (UNIMPLEMENTED: the connector does not offer
  // tidemark.read/1). Reads beside running syncs; differences are read twice before they count.
  // `progress` is called with each table's name before it is read.
  absl::Status Verify(const VerifyOptions& options,
                      const std::function<void(const std::string&)>& progress);

  // See VerifySample.
  absl::StatusOr<SampleVerdict> Sample(size_t count);

  const std::vector<TableVerdict>& tables() const { return verdicts_; }
  // Tables that stand at the destination and that the source does not have any more: not compared,
  // never deleted. Empty when single tables were asked for.
  const std::vector<std::string>& only_stored() const { return only_stored_; }
  bool equal() const;                // every table was verified and is equal
  bool differences_found() const;    // some table differs
  absl::Status first_error() const;  // of the tables that could not be verified

  // REQUIRES: Verify() was OK.
  RepairPlan Plan() const;
  // One sync of just the differences, with report and versions. Afterwards Verify() may follow.
  absl::StatusOr<SyncOutcome> Repair(const std::function<void(const SyncProgress&)>& progress,
                                     Interrupt* interrupt);

 private:
  struct Work;  // of one table, kept for its repair

  absl::Status SampleTable(Work& work, const std::string& name, size_t count,
                           SampleVerdict* verdict);
  absl::Status Open();
  void FindOnlyStored();
  absl::StatusOr<std::unique_ptr<Work>> OpenTable(uint32_t number, const TableRule& rule);
  void VerifyTable(uint32_t number, const TableRule& rule, size_t listed);
  absl::Status ListKeys(Work& work, TableVerdict* verdict, size_t listed);

  Engine& engine_;
  std::unique_ptr<ChangeSource> source_;
  std::vector<TableSchema> schema_;
  std::unique_ptr<DestinationReader> reader_;
  std::vector<StoredTable> stored_;
  std::vector<TableVerdict> verdicts_;
  std::vector<std::string> only_stored_;
  std::vector<std::unique_ptr<Work>> works_;  // by verdict; null: not verified
};

// Re-reads the `count` rows of each table that were written last. UNIMPLEMENTED: the connector does
// not offer tidemark.read/1.
absl::StatusOr<SampleVerdict> VerifySample(Engine& engine, size_t count);

// Both over tables(): one JSON object, and text for people.
nlohmann::ordered_json VerifyJson(const Verifier& verifier);
std::string VerifyText(const Verifier& verifier);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_VERIFY_H_
