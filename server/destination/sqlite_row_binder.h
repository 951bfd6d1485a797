// Binds core values to SQLite parameters in their storage form (semantics.md section 2 for
// SQLite). Nothing is allocated per row: text is bound where it lies, times are written into a
// scratch buffer that lives as long as the binder.
#ifndef TIDEMARK_DESTINATION_SQLITE_ROW_BINDER_H_
#define TIDEMARK_DESTINATION_SQLITE_ROW_BINDER_H_

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/value.h"
#include "destination/destination.h"

namespace tidemark {

// Confined to one thread.
class SqliteRowBinder {
 public:
  static constexpr size_t kNoSource = static_cast<size_t>(-1);

  // A physical column of the table.
  struct Column {
    std::string name;  // quoted
    size_t source;     // index into a row's values; kNoSource: the column gets NULL
    bool key = false;
    DataType type = DataType::kUndeclared;
  };

  explicit SqliteRowBinder(size_t columns);

  // Binds `value` to parameter `parameter` (from 1). `slot` < columns names the scratch space; it
  // is free again once the statement was reset. Returns SQLite's code; SQLITE_TOOBIG: refused.
  int Bind(sqlite3_stmt* statement, int parameter, const Value& value, size_t slot);

  // The same as the result of a virtual table's column.
  void Show(sqlite3_context* context, const Value& value, size_t slot);

  // The time of writing as text; valid until the next call with another time.
  absl::string_view SyncedText(int64_t synced_us);

 private:
  static constexpr size_t kSlotBytes = 40;

  // Writes the text of a time into the slot. REQUIRES: kDate, kTime, kTimestamp, kNaiveTimestamp.
  absl::string_view TimeText(const Value& value, size_t slot);

  std::unique_ptr<char[]> scratch_;  // kSlotBytes per column
  int64_t synced_us_ = 0;
  std::string synced_text_;
};

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_ROW_BINDER_H_
