// One answer of an API: records, and what it says about the next page.
#ifndef TIDEMARK_REST_JSON_PAGE_H_
#define TIDEMARK_REST_JSON_PAGE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark::rest {

// Keeps the answer's bytes and views them; nothing is copied but the strings that are asked for.
// Thread-compatible.
class JsonPage {
 public:
  static constexpr size_t kPadding = 64;  // readable bytes behind each record

  explicit JsonPage(std::string body);
  ~JsonPage();
  JsonPage(JsonPage&&) noexcept;
  JsonPage& operator=(JsonPage&&) noexcept;

  // The texts of the elements of the list at `pointer` (RFC 6901), valid as long as this page. An
  // empty pointer: the answer itself if it is a list, else its field "data". An empty answer has no
  // records. FAILED_PRECONDITION if the answer is not JSON or has no list there.
  absl::StatusOr<std::vector<absl::string_view>> Records(const std::string& pointer) const;

  // The text, number or truth value at `pointer`, as text; nothing if it is missing, null or "".
  // FAILED_PRECONDITION if it is something else.
  absl::StatusOr<std::optional<std::string>> Scalar(const std::string& pointer) const;

 private:
  class Document;
  std::unique_ptr<Document> document_;
};

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_JSON_PAGE_H_
