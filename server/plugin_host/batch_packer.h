// Checks the batches of a plugin and packs them into RowBatch messages of about 1 MiB.
#ifndef TIDEMARK_PLUGIN_HOST_BATCH_PACKER_H_
#define TIDEMARK_PLUGIN_HOST_BATCH_PACKER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/value.h"
#include "plugin_host/plugin_error.h"
#include "tidemark/plugin_abi.h"

namespace tidemark {
namespace v1 {
class RowBatch;
class UpdateResponse;
}  // namespace v1

// Thread-compatible. Keeps its message and buffers from call to call, so that a row allocates
// nothing.
class BatchPacker {
 public:
  BatchPacker();
  ~BatchPacker();
  BatchPacker(const BatchPacker&) = delete;
  BatchPacker& operator=(const BatchPacker&) = delete;

  using Write = absl::FunctionRef<bool(const v1::UpdateResponse&)>;

  // The structure of the struct itself: sizes, pointers, counts, ascending before_rows.
  // `table_columns`: how many columns each known table has. INTERNAL.
  static absl::Status CheckStructure(const tidemark_batch* batch, uint32_t table_count,
                                     absl::FunctionRef<uint32_t(uint32_t)> table_columns);

  // Checks each row (operation, kinds of values, UNCHANGED only where it may stand, size) and
  // writes the rows in one or more messages. What was written before a bad row stays written: the
  // stream ends anyway. INTERNAL, INVALID_ARGUMENT with the place, CANCELLED where `write` says
  // that the receiver is gone.
  // REQUIRES: CheckStructure(batch) was OK.
  absl::Status Pack(const tidemark_batch& batch, Write write, ErrorPlace* place);

 private:
  // Checks row `row` at `from` and copies it into `values`; `bound`: bytes it takes at most.
  absl::Status LoadRow(const tidemark_value* from, uint32_t row, bool full, size_t* bound,
                       std::vector<Value>* values, ErrorPlace* place);
  absl::Status AddRow(const tidemark_batch& batch, uint32_t row, uint32_t* next_before, Write write,
                      ErrorPlace* place);
  void Append(const tidemark_batch& batch, uint32_t row, bool has_before, size_t bound,
              size_t before_bound);
  absl::Status Flush(const tidemark_batch& batch, Write write);

  const std::unique_ptr<v1::UpdateResponse> message_;
  v1::RowBatch* const rows_;  // of message_
  std::vector<Value> row_;
  std::vector<Value> before_;
  // Of the message being filled; its strings are longer than what is used, until Flush.
  uint32_t row_count_ = 0;
  size_t rows_used_ = 0;
  size_t before_used_ = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_BATCH_PACKER_H_
