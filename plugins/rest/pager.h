// From page to page.
#ifndef TIDEMARK_REST_PAGER_H_
#define TIDEMARK_REST_PAGER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cursors/size_ladder.h"
#include "rest/cycle_detector.h"
#include "rest/json_page.h"
#include "rest/rest_options.h"
#include "rest/text_template.h"

namespace tidemark::rest {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// Where a paged read is, and whether it gets anywhere. Thread-compatible.
class Pager {
 public:
  // `wanted`: rows for each page, where the configuration says none.
  Pager(const EndpointOptions& endpoint, int64_t wanted);

  // From the first page on. `after`: the key that a keyset begins behind.
  void Begin(std::optional<std::string> after);
  bool done() const { return done_; }

  // What the next request asks for.
  void AddTo(Variables* variables, Parameters* parameters) const;
  // The link that replaces the request's address, of next_url.
  const std::optional<std::string>& link() const { return link_; }
  // Whether the page is asked for by its token alone, without the cursor.
  bool token_only() const;

  // Takes an answer. `content`: a hash of its records; `last_key`: the keyset's field of the last
  // one. FAILED_PRECONDITION if the API sends the same page twice, goes backwards or in circles.
  absl::Status Advance(const JsonPage& page, size_t records, size_t content,
                       const std::optional<std::string>& last_key);

  // The API could not answer. Whether a smaller page can be asked for, and the next one is.
  bool Shrink();
  bool shrinkable() const;
  // Whether a single record can be passed over, which Skip() does.
  bool skippable() const;
  void Skip();
  // For messages: "offset 17", "page 3".
  std::string Position() const;

 private:
  using Type = PaginationOptions::Type;

  absl::Status AdvanceNumber(const JsonPage& page, size_t records);
  absl::Status AdvanceToken(const JsonPage& page, size_t records);
  absl::Status AdvanceKey(size_t records, const std::optional<std::string>& last_key);
  void FitPage();
  absl::Status CheckContent(size_t records, size_t content);

  const PaginationOptions& options_;
  const bool keyed_;
  const bool sized_;  // the size is asked for
  cursors::SizeLadder<int64_t> ladder_;
  bool done_ = true;
  int64_t position_ = 0;  // records passed so far
  std::optional<std::string> token_;
  std::optional<std::string> link_;
  std::optional<std::string> after_;
  std::optional<size_t> last_content_;
  int same_content_ = 0;
  int empty_pages_ = 0;
  CycleDetector contents_;
  CycleDetector tokens_;
};

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_PAGER_H_
