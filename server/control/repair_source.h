// A connector's rows of the keys that differ, as a source for one sync.
#ifndef TIDEMARK_CONTROL_REPAIR_SOURCE_H_
#define TIDEMARK_CONTROL_REPAIR_SOURCE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "control/record_spool.h"
#include "pipeline/forwarding_source.h"

namespace tidemark {

// What is to be done for one table.
struct TableRepair {
  uint32_t number = 0;          // in Schema()
  std::string name;             // qualified
  RecordSpool* keys = nullptr;  // TableDifferences::keys; borrowed
  bool by_keys = false;         // rows are asked for by key; otherwise the whole table comes again
  ReadMode whole = kReadWhole;
  bool upserts = false;                  // there are missing or different rows
  bool deletes = false;                  // extra rows shall go
  std::vector<std::string> key_columns;  // source names, in the order of the encoded keys
  // The stored row of an encoded key, by the source's column names: what a delete in a table
  // without a key has to say. Views live until the next call. Null for a table with a key.
  using StoredRow = std::vector<std::pair<std::string, Value>>;
  std::function<absl::StatusOr<StoredRow>(absl::string_view key)> stored_row;
};

// Upserts what is missing or different, deletes what is extra, and checkpoints with the states it
// was started with: the position of the connection stays where it is. Threads and order of calls
// are those of ChangeSource.
class RepairSource final : public ForwardingSource {
 public:
  RepairSource(std::unique_ptr<ChangeSource> source, std::vector<TableRepair> repairs)
      : ForwardingSource(std::move(source)), repairs_(std::move(repairs)) {}

  absl::StatusOr<ConnectorDescription> Describe() override;
  absl::StatusOr<std::vector<TableSchema>> Schema() override;
  absl::Status Start(const UpdateStart& start) override;
  absl::StatusOr<std::optional<SourceEvent>> Next(absl::Time deadline) override;
  void Acknowledge(const Acknowledgement&) override {}

 private:
  enum class Step { kBegin, kUpserts, kReading, kDeletes, kDone };

  // The next event, if this step has one; otherwise goes on to another step.
  absl::StatusOr<std::optional<SourceEvent>> Advance(absl::Time deadline);
  absl::Status BeginRead(TableRepair& repair);
  absl::StatusOr<std::optional<SourceEvent>> OnRead(SourceEvent event);
  absl::StatusOr<std::optional<SourceEvent>> NextDeletes(TableRepair& repair);
  absl::Status AddDelete(const TableRepair& repair, absl::string_view key, ChangeBatch* batch);
  // The next keys of these differences, at most a thousand.
  absl::StatusOr<std::vector<std::string>> TakeKeys(TableRepair& repair, bool extra);
  std::optional<SourceEvent> MakeCheckpoint(const TableRepair& repair);
  absl::Status Define(const TableDefinition& definition);

  std::vector<TableRepair> repairs_;
  std::vector<TableSchema> tables_;
  std::vector<StateEntry> states_;
  size_t repair_ = 0;  // the one at hand
  Step step_ = Step::kBegin;
  uint64_t checkpoints_ = 0;
  std::map<uint32_t, uint64_t> sent_;
  uint64_t since_last_ = 0;  // rows of the table at hand
  bool waits_for_more_ = false;
};

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_REPAIR_SOURCE_H_
