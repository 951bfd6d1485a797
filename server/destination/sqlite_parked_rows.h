// Rows that stood in the way of a key change and wait under a temporary key for the change of the
// same batch that moves them on (swaps, shifted keys; semantics.md section 1).
#ifndef TIDEMARK_DESTINATION_SQLITE_PARKED_ROWS_H_
#define TIDEMARK_DESTINATION_SQLITE_PARKED_ROWS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/value.h"

namespace tidemark {

struct SqliteParkedRows {
  struct Row {
    std::vector<Value> key;  // the temporary key, in the layout of a row
    std::string text;        // what it views
  };
  // By the bytes of the key under which the source knows the row. Shared with the copy that a
  // refused key change goes back to.
  std::unordered_map<std::string, std::shared_ptr<const Row>> rows;
  // By old key: the rows of the batch whose changes move it, ascending.
  std::unordered_map<std::string, std::vector<size_t>> movers;
  int64_t next = 0;  // number of the next temporary key
};

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_PARKED_ROWS_H_
