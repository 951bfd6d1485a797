// A row as verification sees it: its key in bytes that sort like the key, and a digest of the rest.
#ifndef TIDEMARK_CONTROL_ROW_IMAGE_H_
#define TIDEMARK_CONTROL_ROW_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/digest.h"
#include "core/value.h"

namespace tidemark {

struct RowImage {
  std::string key;     // EncodeKey
  std::string digest;  // kDigestBytes; empty: not known, equals any
};
inline constexpr size_t kDigestBytes = 16;

inline bool SameContent(const RowImage& a, const RowImage& b) {
  return a.digest.empty() || b.digest.empty() || a.digest == b.digest;
}

// The key's values, one after the other, so that the order of the bytes (memcmp) is that of the
// keys: numbers and times by size, false before true, text and bytes by their bytes, a prefix
// first. REQUIRES: neither NULL nor UNCHANGED among them; NULL is encoded, though, where another
// program wrote it into a destination.
std::string EncodeKey(absl::Span<const Value> key);
// The values of an encoded key; text is kept in `texts`, which must outlive them. DATA_LOSS when
// the bytes are none.
absl::StatusOr<std::vector<Value>> DecodeKey(absl::string_view bytes,
                                             std::deque<std::string>* texts);

// BLAKE2b-128 over chosen values of a row, kind and content. -0.0 is 0.0. Thread-compatible.
class RowDigest {
 public:
  RowDigest() : digest_(kDigestBytes) {}
  std::string Of(absl::Span<const Value> row, absl::Span<const uint32_t> columns);

 private:
  Digest digest_;
  std::string packed_;
};

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_ROW_IMAGE_H_
