#include "plugin_host/plugin_error.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/status_context.h"
#include "core/text.h"
#include "wire/call_status.h"

namespace tidemark {

absl::Status Misbehaved(absl::string_view what) {
  return absl::InternalError(absl::StrCat("plugin misbehaved: ", what));
}

PluginError::PluginError() : error_{} {
  error_.struct_size = sizeof(error_);
  error_.capacity = sizeof(message_);
  error_.message = message_;
  error_.table = TIDEMARK_NO_TABLE;
  error_.row = TIDEMARK_NO_ROW;
  error_.column = TIDEMARK_NO_COLUMN;
}

absl::Status PluginError::ToStatus(tidemark_code code, absl::string_view call) const {
  if (code == TIDEMARK_OK) return absl::OkStatus();
  const size_t length = std::min<size_t>(error_.length, sizeof(message_));
  std::string text = StatusText(absl::string_view(message_, length));
  if (text.empty()) text = absl::StrCat(call, "() failed without a message");
  if (code < 0 || code > TIDEMARK_UNAUTHENTICATED) absl::StrAppend(&text, " (code ", code, ")");
  absl::Status status(CodeFromNumber(code), text);
  if (error_.retry_after_us <= 0) return status;
  return WithRetryAfter(status, absl::Microseconds(error_.retry_after_us));
}

tidemark_code FillError(const absl::Status& status, const ErrorPlace& place,
                        tidemark_error* error) {
  const auto code = static_cast<tidemark_code>(status.code());
  if (status.ok() || error == nullptr || !TIDEMARK_HAS(tidemark_error, error, length)) return code;
  const absl::string_view text = CutUtf8(status.message(), error->capacity);
  error->length = 0;
  if (error->message != nullptr && !text.empty()) {
    std::memcpy(error->message, text.data(), text.size());
    error->length = static_cast<uint32_t>(text.size());
  }
  if (TIDEMARK_HAS(tidemark_error, error, table)) error->table = place.table;
  if (TIDEMARK_HAS(tidemark_error, error, row)) error->row = place.row;
  if (TIDEMARK_HAS(tidemark_error, error, column)) error->column = place.column;
  if (TIDEMARK_HAS(tidemark_error, error, retry_after_us)) {
    const std::optional<absl::Duration> wait = RetryAfter(status);
    error->retry_after_us = wait.has_value() ? absl::ToInt64Microseconds(*wait) : 0;
  }
  return code;
}

}  // namespace tidemark
