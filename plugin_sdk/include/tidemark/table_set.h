// The tables an instance knows, with their places at the host. Used by Sink.
#ifndef TIDEMARK_TABLE_SET_H_
#define TIDEMARK_TABLE_SET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "tidemark/row_buffer.h"
#include "tidemark/schema.h"

namespace tidemark {
inline namespace sdk_v1 {
namespace internal {

// Lives as long as the instance, because places of tables and columns do. Confined to [update].
class TableSet {
 public:
  explicit TableSet(const Schema& schema) {
    for (const Table& table : schema.tables()) Add(static_cast<uint32_t>(buffers_.size()), table);
  }

  // The table, or null. The address stays valid.
  RowBuffer* Find(absl::string_view name, absl::string_view schema) const {
    const auto it = by_name_.find(name);
    if (it == by_name_.end()) return nullptr;
    for (RowBuffer* buffer : it->second) {
      if (buffer->table().schema() == schema) return buffer;
    }
    return nullptr;
  }
  RowBuffer* Add(uint32_t index, Table table) {
    buffers_.push_back(std::make_unique<RowBuffer>(index, std::move(table)));
    RowBuffer* buffer = buffers_.back().get();
    by_name_[buffer->table().name()].push_back(buffer);
    return buffer;
  }
  const std::vector<std::unique_ptr<RowBuffer>>& buffers() const { return buffers_; }

 private:
  std::vector<std::unique_ptr<RowBuffer>> buffers_;
  absl::flat_hash_map<std::string, std::vector<RowBuffer*>> by_name_;
};

}  // namespace internal
}  // namespace sdk_v1
}  // namespace tidemark

#endif  // TIDEMARK_TABLE_SET_H_
