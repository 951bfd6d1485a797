#include "rest/pager.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tidemark::rest {
namespace {

// Equal pages in a row that may be by chance: of records without a key, or of one record.
constexpr int kMaxEqualPages = 10;
constexpr int kMaxEmptyPages = 1000;

int64_t WantedSize(const PaginationOptions& options, int64_t wanted) {
  const int64_t size = options.size.value_or(wanted);
  return std::max<int64_t>(1, options.max_size ? std::min(size, *options.max_size) : size);
}

absl::Status Circles(const std::string& what) {
  return absl::FailedPreconditionError(absl::StrCat("the API goes in circles: it sends ", what,
                                                    "; check the pagination's parameter"));
}

// Whether `b` comes behind `a`; nothing is known of texts.
std::optional<bool> ComesAfter(const std::string& a, const std::string& b) {
  int64_t x = 0;
  int64_t y = 0;
  if (!absl::SimpleAtoi(a, &x) || !absl::SimpleAtoi(b, &y)) return std::nullopt;
  return y > x;
}

}  // namespace

Pager::Pager(const EndpointOptions& endpoint, int64_t wanted)
    : options_(endpoint.pagination),
      keyed_(!endpoint.key.empty()),
      sized_(!endpoint.pagination.size_parameter.empty() || endpoint.request.Uses("page_size")),
      ladder_(cursors::PageSizes(WantedSize(endpoint.pagination, wanted))) {}

void Pager::Begin(std::optional<std::string> after) {
  done_ = false;
  position_ = 0;
  token_.reset();
  link_.reset();
  after_ = std::move(after);
  last_content_.reset();
  same_content_ = 0;
  empty_pages_ = 0;
  contents_ = CycleDetector();
  tokens_ = CycleDetector();
}

bool Pager::token_only() const { return options_.first_page_only_query && token_.has_value(); }

void Pager::AddTo(Variables* variables, Parameters* parameters) const {
  if (link_) return;  // The link says all.
  const auto add = [&](const std::string& variable, const std::string& parameter,
                       const std::string& value) {
    (*variables)[variable] = value;
    if (!parameter.empty()) parameters->emplace_back(parameter, value);
  };
  if (sized_ && !token_only()) {
    add("page_size", options_.size_parameter, absl::StrCat(ladder_.size()));
  }
  switch (options_.type) {
    case Type::kPageNumber:
      add("page", options_.parameter,
          absl::StrCat(options_.first + position_ / (sized_ ? ladder_.size() : 1)));
      break;
    case Type::kOffset:
      add("offset", options_.parameter, absl::StrCat(position_));
      break;
    case Type::kKeyset:
      if (after_) add("after", options_.parameter, *after_);
      break;
    case Type::kScroll:
      if (token_) add("scroll", options_.parameter, *token_);
      break;
    case Type::kNone:
    case Type::kNextUrl:
      break;
  }
}

absl::Status Pager::CheckContent(size_t records, size_t content) {
  if (records == 0) return absl::OkStatus();
  const bool by_chance = !keyed_ || records == 1;
  same_content_ = last_content_ == content ? same_content_ + 1 : 0;
  last_content_ = content;
  if (same_content_ >= (by_chance ? kMaxEqualPages : 1)) {
    return Circles(absl::StrCat("the same page again (", Position(), ")"));
  }
  if (!by_chance && contents_.Repeats(content)) {
    return Circles(absl::StrCat("a page that it sent before (", Position(), ")"));
  }
  return absl::OkStatus();
}

absl::Status Pager::AdvanceNumber(const JsonPage& page, size_t records) {
  const bool offset = options_.type == Type::kOffset;
  const int64_t step = offset ? static_cast<int64_t>(records) : sized_ ? ladder_.size() : 1;
  position_ += step;
  done_ = records == 0;
  if (done_ || options_.total_pointer.empty()) return absl::OkStatus();
  const auto total = page.Scalar(options_.total_pointer);
  if (!total.ok()) return total.status();
  int64_t count = 0;  // of records, or of pages
  if (total->has_value() && !absl::SimpleAtoi(**total, &count)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the answer has no whole number at ", options_.total_pointer));
  }
  if (total->has_value()) done_ = position_ / (offset ? 1 : step) >= count;
  return absl::OkStatus();
}

absl::Status Pager::AdvanceToken(const JsonPage& page, size_t records) {
  auto next = page.Scalar(options_.pointer);
  if (!next.ok()) return next.status();
  done_ = !next->has_value();
  if (done_) return absl::OkStatus();
  empty_pages_ = records == 0 ? empty_pages_ + 1 : 0;
  std::optional<std::string>& current = options_.type == Type::kScroll ? token_ : link_;
  if (current == *next || tokens_.Repeats(absl::HashOf(**next))) {
    return Circles(absl::StrCat("the same ", options_.pointer, " again"));
  }
  if (empty_pages_ > kMaxEmptyPages) return Circles("empty pages only");
  current = *std::move(next);
  return absl::OkStatus();
}

absl::Status Pager::AdvanceKey(size_t records, const std::optional<std::string>& last_key) {
  done_ = records == 0;
  if (done_) return absl::OkStatus();
  if (!last_key) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the last record of a page has no ", options_.field, ", so the next page is not known"));
  }
  if (after_ && ComesAfter(*after_, *last_key) == false) {
    return absl::FailedPreconditionError(
        absl::StrCat("the cursor goes backwards: after ", options_.field, " ", *after_, " came ",
                     *last_key, "; the API has to send records in its order"));
  }
  if (after_ == last_key || tokens_.Repeats(absl::HashOf(*last_key))) {
    return Circles(absl::StrCat("the same ", options_.field, " again"));
  }
  after_ = last_key;
  return absl::OkStatus();
}

absl::Status Pager::Advance(const JsonPage& page, size_t records, size_t content,
                            const std::optional<std::string>& last_key) {
  if (options_.type == Type::kNone) {
    done_ = true;
    return absl::OkStatus();
  }
  if (absl::Status s = CheckContent(records, content); !s.ok()) return s;
  absl::Status status;
  switch (options_.type) {
    case Type::kPageNumber:
    case Type::kOffset:
      status = AdvanceNumber(page, records);
      break;
    case Type::kKeyset:
      status = AdvanceKey(records, last_key);
      break;
    default:
      status = AdvanceToken(page, records);
  }
  ladder_.Answered();
  FitPage();
  return status;
}

// A page number counts pages of one size: only sizes that divide what was passed can be asked for.
void Pager::FitPage() {
  if (options_.type != Type::kPageNumber || !sized_) return;
  ladder_.Settle([this](int64_t size) { return position_ % size == 0; });
}

bool Pager::shrinkable() const { return sized_ && !ladder_.smallest() && !link_ && !token_only(); }

bool Pager::Shrink() {
  if (!shrinkable() || !ladder_.Shrink()) return false;
  FitPage();
  return true;
}

bool Pager::skippable() const {
  return sized_ && ladder_.smallest() &&
         (options_.type == Type::kOffset || options_.type == Type::kPageNumber);
}

void Pager::Skip() { ++position_; }

std::string Pager::Position() const {
  switch (options_.type) {
    case Type::kPageNumber:
      return absl::StrCat("page ", options_.first + position_ / (sized_ ? ladder_.size() : 1));
    case Type::kOffset:
      return absl::StrCat("offset ", position_);
    case Type::kKeyset:
      return absl::StrCat("after ", after_.value_or("the start"));
    default:
      return "the current page";
  }
}

}  // namespace tidemark::rest
