// The packed row form: no input reads out of bounds, and what is accepted is canonical.
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_targets.h"
#include "tests/fuzz/require.h"
#include "wire/row_codec.h"

namespace tidemark::fuzz {
namespace {

uint32_t TakeByte(absl::string_view* input) {
  if (input->empty()) return 0;
  const auto byte = static_cast<uint8_t>(input->front());
  input->remove_prefix(1);
  return byte;
}

}  // namespace

void Rows(absl::string_view input) {
  const uint32_t low = TakeByte(&input);
  const uint32_t row_count = TakeByte(&input) << 8 | low;
  const uint32_t column_count = TakeByte(&input);
  std::vector<Value> values;
  if (!DecodeRows(input, row_count, column_count, &values).ok()) return;
  Require(values.size() == size_t{row_count} * column_count, "as many values as were asked for");
  std::string exact, bounded(EncodedRowBound(values), '\0');
  size_t size = 0;
  for (const Value& value : values) {
    EncodeValue(value, &exact);
    size += EncodedSize(value);
  }
  bounded.resize(static_cast<size_t>(EncodeRow(values, bounded.data()) - bounded.data()));
  Require(exact == input, "there is one encoding of each row");
  Require(bounded == exact && size == exact.size(), "the writers agree");
}

void Meta(absl::string_view input) {
  const uint32_t low = TakeByte(&input);
  const uint32_t row_count = TakeByte(&input) << 8 | low;
  std::vector<RowMeta> meta;
  if (!DecodeMeta(input, row_count, &meta).ok()) return;
  std::string encoded;
  EncodeMeta(meta, &encoded);
  Require(encoded == input, "stamps come back");
}

}  // namespace tidemark::fuzz
