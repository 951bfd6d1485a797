// One table in one run: where it is read from, where its rows go, what is remembered.
#ifndef TIDEMARK_SQLITE_TABLE_RUN_H_
#define TIDEMARK_SQLITE_TABLE_RUN_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "sqlite/database.h"
#include "sqlite/sqlite_options.h"
#include "sqlite/table_definition.h"
#include "tidemark/sink.h"
#include "tidemark/update_request.h"

namespace tidemark::sqlite {

// The format number of every state body.
inline constexpr uint32_t kStateFormat = 1;

// A state body of a table: {"format": 1, "method": "timestamp", "application": 0, ..}; null: none
// yet. DATA_LOSS if it is damaged, FAILED_PRECONDITION if it is of a newer format, of another
// method (one of method full may be followed by any), or of another database.
absl::StatusOr<nlohmann::json> ReadState(absl::string_view table, absl::string_view body,
                                         Method method, Database& database);

// A member of a state that is a text; empty if there is none.
std::string TextIn(const nlohmann::json& object, absl::string_view name);

// Confined to the thread of Update(); borrows what it was given.
struct TableRun {
  Database& database;
  const TableDefinition& table;
  const SqliteOptions& options;
  const UpdateRequest& request;
  Sink& sink;
  TableRef target;
  Method method;         // of this table: full where the configured one cannot be used
  nlohmann::json state;  // of earlier runs, null: none
  bool full = false;     // from the start, whatever the state says
  absl::Time now;        // when the run of this table began

  // Commits what was emitted for this table together with `body`, which gets format, method and
  // application.
  absl::Status Checkpoint(nlohmann::json body, absl::string_view cursor = {},
                          absl::Time watermark = absl::InfinitePast());
  absl::Status Warn(absl::string_view text) { return sink.Warn(text, table.name); }
  uint64_t page_rows() const { return request.page_rows(); }

  // DATA_LOSS: the state of this table cannot be used because ..
  absl::Status Damaged(absl::string_view why) const;
};

// The values of `columns` as one JSON list, for digests, dead letters and compare's memory.
std::string KeyText(const TableDefinition& table, const std::vector<Value>& row);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_TABLE_RUN_H_
