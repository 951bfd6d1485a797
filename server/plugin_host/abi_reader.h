// What a plugin hands over, checked and copied into core values. The plugin's output is hostile:
// every pointer, size, stride, flag and name is looked at before it is used.
#ifndef TIDEMARK_PLUGIN_HOST_ABI_READER_H_
#define TIDEMARK_PLUGIN_HOST_ABI_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/checkpoint.h"
#include "core/schema.h"
#include "plugin_host/plugin_error.h"
#include "tidemark/plugin_abi.h"

namespace tidemark {

// Element `i` of an array whose elements may be larger than this host knows.
template <typename T>
const T& ElementAt(const T* base, uint32_t stride, size_t i) {
  return *reinterpret_cast<const T*>(reinterpret_cast<const char*>(base) + i * stride);
}

// An array of `count` elements must be there, 8-aligned, and of at least the size known here.
template <typename T>
absl::Status CheckArray(absl::string_view name, const T* base, uint32_t stride, size_t count) {
  if (count == 0) return absl::OkStatus();
  if (base == nullptr) return Misbehaved(absl::StrCat(name, " is NULL, count is ", count));
  if (stride < sizeof(T) || stride % 8 != 0) {
    return Misbehaved(absl::StrCat(name, " has elements of ", stride, " bytes, must be at least ",
                                   sizeof(T), " and a multiple of 8"));
  }
  if (reinterpret_cast<uintptr_t>(base) % alignof(T) != 0) {
    return Misbehaved(absl::StrCat(name, " is not aligned"));
  }
  return absl::OkStatus();
}

// Bits 16..31 of a word of flags must be known to be accepted, and none is.
absl::Status CheckFlags(absl::string_view name, uint32_t flags);

// The text of borrowed bytes. INTERNAL where data is NULL and size is not 0.
absl::StatusOr<absl::string_view> ReadBytes(absl::string_view name, const tidemark_bytes& bytes);

// INTERNAL for broken structure, INVALID_ARGUMENT (CheckTable) for bad names and types.
absl::StatusOr<TableSchema> ReadTable(const tidemark_table* table);
absl::StatusOr<std::vector<TableSchema>> ReadSchema(const tidemark_schema* schema);

// The entries of a checkpoint: at least one, none twice, each by CheckStateEntry. Versions are the
// host's to give and come out 0.
absl::StatusOr<std::vector<StateEntry>> ReadStates(const tidemark_checkpoint* checkpoint);

// The description in a validated function table. FAILED_PRECONDITION naming the bad option.
absl::StatusOr<ConnectorDescription> ReadDescription(const tidemark_plugin& plugin);

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_ABI_READER_H_
