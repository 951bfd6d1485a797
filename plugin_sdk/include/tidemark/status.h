// absl::Status on one side, codes and tidemark_error of the C ABI on the other.
#ifndef TIDEMARK_STATUS_H_
#define TIDEMARK_STATUS_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tidemark/plugin_abi.h"

namespace tidemark {
inline namespace sdk_v1 {

inline constexpr char kRetryAfterPayload[] = "tidemark/retry_after_us";

// Asks that the host waits this long before it starts update() again; for retryable codes.
inline absl::Status WithRetryAfter(absl::Status status, absl::Duration after) {
  status.SetPayload(kRetryAfterPayload, absl::Cord(absl::StrCat(absl::ToInt64Microseconds(after))));
  return status;
}

// What WithRetryAfter attached, or zero.
inline absl::Duration RetryAfter(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryAfterPayload);
  int64_t us = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &us)) return absl::ZeroDuration();
  return absl::Microseconds(us);
}

namespace internal {

inline constexpr size_t kErrorCapacity = 8000;  // bytes of a message, as the host cuts it

// Cuts `text` to at most `size` bytes without splitting a UTF-8 character.
inline absl::string_view CutUtf8(absl::string_view text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

// Writes `status` into the caller's `error` (may be null) and returns its code.
inline tidemark_code WriteStatus(const absl::Status& status, tidemark_error* error) {
  if (status.ok() || error == nullptr) return static_cast<tidemark_code>(status.code());
  if (TIDEMARK_HAS(tidemark_error, error, length) && error->message != nullptr) {
    const absl::string_view text = CutUtf8(status.message(), error->capacity);
    if (!text.empty()) std::memcpy(error->message, text.data(), text.size());
    error->length = static_cast<uint32_t>(text.size());
  }
  if (TIDEMARK_HAS(tidemark_error, error, retry_after_us)) {
    error->retry_after_us = absl::ToInt64Microseconds(RetryAfter(status));
  }
  return static_cast<tidemark_code>(status.code());
}

// A buffer for an error that the other side fills.
class ErrorBuffer {
 public:
  ErrorBuffer() {
    error_ = {sizeof(tidemark_error), sizeof(text_),      text_, 0, TIDEMARK_NO_TABLE,
              TIDEMARK_NO_ROW,        TIDEMARK_NO_COLUMN, 0,     0};
  }
  ErrorBuffer(const ErrorBuffer&) = delete;
  ErrorBuffer& operator=(const ErrorBuffer&) = delete;

  tidemark_error* get() { return &error_; }

  absl::Status ToStatus(tidemark_code code) const {
    if (code == TIDEMARK_OK) return absl::OkStatus();
    const absl::string_view text(text_, std::min(error_.length, error_.capacity));
    absl::Status status(static_cast<absl::StatusCode>(code), text);
    if (error_.retry_after_us > 0) {
      status = WithRetryAfter(std::move(status), absl::Microseconds(error_.retry_after_us));
    }
    return status;
  }

 private:
  tidemark_error error_;
  char text_[kErrorCapacity];
};

// The one place where exceptions of an author's code end: runs `body`, which returns absl::Status.
template <typename Body>
tidemark_code Guard(tidemark_error* error, Body&& body) noexcept {
  try {
    try {
      return WriteStatus(std::forward<Body>(body)(), error);
    } catch (const std::exception& e) {
      return WriteStatus(absl::InternalError(absl::StrCat("exception: ", e.what())), error);
    } catch (...) {
      return WriteStatus(absl::InternalError("exception of an unknown type"), error);
    }
  } catch (...) {  // No memory left for the text.
    return TIDEMARK_INTERNAL;
  }
}

}  // namespace internal
}  // namespace sdk_v1
}  // namespace tidemark

#endif  // TIDEMARK_STATUS_H_
