// A tidemark_error with room for its text, for whoever calls a plugin.
#ifndef TIDEMARK_TESTING_ERROR_TEXT_H_
#define TIDEMARK_TESTING_ERROR_TEXT_H_

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tidemark/plugin_abi.h"

namespace tidemark_testing {

class ErrorText {
 public:
  ErrorText() {
    error_ = {sizeof(tidemark_error), sizeof(text_),      text_, 0, TIDEMARK_NO_TABLE,
              TIDEMARK_NO_ROW,        TIDEMARK_NO_COLUMN, 0,     0};
  }
  ErrorText(const ErrorText&) = delete;
  ErrorText& operator=(const ErrorText&) = delete;

  tidemark_error* get() { return &error_; }
  const tidemark_error& raw() const { return error_; }
  absl::Status ToStatus(tidemark_code code) const {
    if (code == TIDEMARK_OK) return absl::OkStatus();
    return absl::Status(static_cast<absl::StatusCode>(code),
                        absl::string_view(text_, std::min(error_.length, error_.capacity)));
  }

 private:
  tidemark_error error_;
  char text_[8000];
};

// Fills `error`, which may be null, and returns the code.
inline tidemark_code FillError(tidemark_error* error, tidemark_code code, absl::string_view text) {
  if (error != nullptr) {
    error->length = std::min(static_cast<uint32_t>(text.size()), error->capacity);
    std::copy_n(text.data(), error->length, error->message);
  }
  return code;
}

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTING_ERROR_TEXT_H_
