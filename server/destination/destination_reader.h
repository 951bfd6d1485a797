// Read-only views of a destination's bookkeeping, for reports and the state commands. Never locks
// out a running sync.
#ifndef TIDEMARK_DESTINATION_DESTINATION_READER_H_
#define TIDEMARK_DESTINATION_DESTINATION_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "destination/destination.h"
#include "destination/stored_rows.h"

namespace tidemark {

struct StoredDeadLetter {
  int64_t id = 0;
  std::string connection;
  std::string sync_id;
  DeadLetter letter;
  int64_t first_seen_us = 0;  // Unix microseconds UTC
  int64_t last_seen_us = 0;   // Unix microseconds UTC
  int64_t attempts = 0;
  std::string status;  // new, replayed, discarded
};

// Stored rows as text, for `preview` and `rows`.
struct RowPage {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;  // nullopt: NULL
};

// Confined to one thread. NOT_FOUND where the thing asked for is not there; FAILED_PRECONDITION
// where the file is no destination of ours.
class DestinationReader {
 public:
  virtual ~DestinationReader() = default;

  virtual absl::StatusOr<std::vector<std::string>> Connections() = 0;
  // Newest first, at most `limit`; an empty connection means all. Report JSON included.
  virtual absl::StatusOr<std::vector<SyncRecord>> Syncs(const std::string& connection,
                                                        int64_t limit) = 0;
  virtual absl::StatusOr<SyncRecord> Sync(const std::string& sync_id) = 0;
  // Newest first; an empty entry filter (nullopt) means all entries. Bodies included only when
  // asked for.
  virtual absl::StatusOr<std::vector<StateVersion>> StateLog(
      const std::string& connection, const std::optional<std::string>& entry, bool bodies,
      int64_t limit) = 0;
  // Chain check (L0) of every entry; OK or DATA_LOSS.
  virtual absl::Status VerifyState(const std::string& connection) = 0;
  virtual absl::StatusOr<std::vector<StoredTable>> Tables(const std::string& connection) = 0;
  virtual absl::StatusOr<RowPage> Rows(const std::string& table, int64_t limit) = 0;
  // The rows of a table of Tables(), for comparing; the result must not outlive this. `key`:
  // indices of the key columns in table.columns, in the order that ranges shall have.
  virtual absl::StatusOr<std::unique_ptr<StoredRows>> OpenRows(const TargetTable& table,
                                                               const std::vector<size_t>& key) = 0;
  virtual absl::StatusOr<std::vector<StoredDeadLetter>> DeadLetters(const std::string& connection,
                                                                    int64_t limit) = 0;
  virtual absl::StatusOr<StoredDeadLetter> DeadLetterById(int64_t id) = 0;
  // The writing calls: "new", "replayed" or "discarded"; and another change in place of the stored
  // one, with its key, which makes the letter new again. ALREADY_EXISTS: another letter of the
  // connection holds the same change.
  virtual absl::Status MarkDeadLetter(int64_t id, const std::string& status) = 0;
  virtual absl::Status EditDeadLetter(int64_t id, const std::string& key_json,
                                      const std::string& change_json) = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_DESTINATION_READER_H_
