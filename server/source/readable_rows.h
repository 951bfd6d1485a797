// The readable form of rows (connector.proto, Rows): by name, one message for every row.
#ifndef TIDEMARK_SOURCE_READABLE_ROWS_H_
#define TIDEMARK_SOURCE_READABLE_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/change_source.h"
#include "source/known_tables.h"
#include "source/stream_message.h"

namespace tidemark {

// Cuts one message after the other into batches of consecutive rows of one table. A batch holds at
// most kBatchValues values, so that a few bytes cannot become much memory. Thread-compatible.
class ReadableRows {
 public:
  static constexpr size_t kBatchValues = size_t{1} << 18;

  // `tables` outlives the object.
  explicit ReadableRows(KnownTables* tables) : tables_(tables) {}

  // REQUIRES: !pending(). `message` holds readable rows.
  void Begin(std::unique_ptr<StreamMessage> message);
  bool pending() const { return message_ != nullptr; }
  // Forgets the message at hand.
  void Drop() { message_.reset(); }

  // Appends the next batch to `events`; before it the definition of a table or of columns that
  // were not known, undeclared, in the order of their names. DATA_LOSS naming table and row.
  // REQUIRES: pending().
  absl::Status Advance(std::deque<SourceEvent>* events);

 private:
  absl::Status DefineWhatIsNew(size_t end, std::deque<SourceEvent>* events);
  absl::Status AppendRow(const v1::Row& row, uint32_t table, ChangeBatch* batch);
  uint32_t NextColumn(uint32_t table, const std::string& name);

  KnownTables* const tables_;
  std::shared_ptr<StreamMessage> message_;  // owners: this and the batches made of it
  size_t next_ = 0;                         // row of the message
  // Of the values of the rows at hand, one after the other as the maps have them: kNewColumn where
  // a column was not known before.
  std::vector<uint32_t> columns_;
  size_t next_column_ = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_READABLE_ROWS_H_
