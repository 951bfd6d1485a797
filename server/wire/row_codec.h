// The packed row form (grammar: proto/tidemark/v1/connector.proto, RowBatch): the one codec, used
// by plugin_host to write and by source to read. Links neither protobuf nor gRPC.
#ifndef TIDEMARK_WIRE_ROW_CODEC_H_
#define TIDEMARK_WIRE_ROW_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/change_batch.h"
#include "core/value.h"

namespace tidemark {

inline constexpr uint32_t kMaxRowsPerBatch = 65'536;
inline constexpr size_t kMaxEncodedRowBytes = size_t{60} * 1024 * 1024;
inline constexpr size_t kMessageBytes = size_t{1} * 1024 * 1024;      // cut here when sending
inline constexpr size_t kMaxMessageBytes = size_t{64} * 1024 * 1024;  // accepted at most

// Appends the value to `out`. REQUIRES: value.kind is a known kind.
void EncodeValue(const Value& value, std::string* out);
// Bytes EncodeValue appends.
size_t EncodedSize(const Value& value);

// At least as many bytes as EncodeRow writes; cheaper than the exact size.
size_t EncodedRowBound(absl::Span<const Value> row);
// Writes the values to `out`, which has room for EncodedRowBound(row) bytes, and returns the end.
// REQUIRES: known kinds; bools are 0 or 1.
char* EncodeRow(absl::Span<const Value> row, char* out);

// Decodes exactly row_count x column_count values from `bytes` into `values` (resized); text values
// view `bytes`. Bounds-checked, allocates only the result vector, whose size is checked against
// bytes.size() first (a value takes at least one byte). Structure only: UTF-8, JSON and decimals
// are checked where types are (pipeline/conform). DATA_LOSS with the row number and what is wrong.
absl::Status DecodeRows(absl::string_view bytes, uint32_t row_count, uint32_t column_count,
                        std::vector<Value>* values);

// The stamps of RowBatch.meta. An empty text decodes to an empty vector: no stamps.
void EncodeMeta(absl::Span<const RowMeta> meta, std::string* out);
absl::Status DecodeMeta(absl::string_view bytes, uint32_t row_count, std::vector<RowMeta>* meta);

}  // namespace tidemark

#endif  // TIDEMARK_WIRE_ROW_CODEC_H_
