// Reads what triggers wrote down.
#ifndef TIDEMARK_SQLITE_TRIGGER_READER_H_
#define TIDEMARK_SQLITE_TRIGGER_READER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "sqlite/change_capture.h"
#include "sqlite/table_run.h"

namespace tidemark::sqlite {

// A place in the changes. Numbers of other triggers (capture) say nothing of these.
struct ChangePlace {
  std::string capture;
  int64_t seq = 0;
};

// What trigger mode needs beside the run of a table.
struct TriggerRun {
  TableRun& run;
  // A connection that may write; opened when it is first needed.
  std::function<absl::StatusOr<Database*>()> writer;
  // The place of the newest releasable state, if there is one: what lies before it may go.
  std::optional<ChangePlace> releasable;
};

// All rows once, then every change in the order of commits, from the change table of
// change_capture.h. The rows of the first read may be newer than where the changes begin: changes
// that are in them already are applied again, and the last one wins. State: {"capture": id of the
// triggers, "seq": the last change read, "mark": digest of that change}; while all rows are read
// also "pass": position.
absl::Status ReadChanges(const TriggerRun& trigger);

// Whether `state` can be gone on from. DATA_LOSS names the changes that are missing: they were
// taken out of the change table, or the database is an older copy.
absl::Status CheckChanges(Database& database, const TableDefinition& table,
                          const nlohmann::json& state, const ChangeCapture::Place& place);

// The place in the body of a state, nothing if it is not one of trigger mode.
std::optional<ChangePlace> PlaceOf(absl::string_view body);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_TRIGGER_READER_H_
