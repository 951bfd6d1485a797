// Errors across the plugin ABI: tidemark_error <-> absl::Status.
#ifndef TIDEMARK_PLUGIN_HOST_PLUGIN_ERROR_H_
#define TIDEMARK_PLUGIN_HOST_PLUGIN_ERROR_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tidemark/plugin_abi.h"

namespace tidemark {

// Where an error lies, as far as it is known.
struct ErrorPlace {
  uint32_t table = TIDEMARK_NO_TABLE;
  int64_t row = TIDEMARK_NO_ROW;
  uint32_t column = TIDEMARK_NO_COLUMN;
};

// INTERNAL "plugin misbehaved: ...": the plugin broke a rule of plugin_abi.h.
absl::Status Misbehaved(absl::string_view what);

// The buffer of one call into a plugin. Not movable: the ABI struct points into it.
class PluginError {
 public:
  PluginError();
  PluginError(const PluginError&) = delete;
  PluginError& operator=(const PluginError&) = delete;

  tidemark_error* abi() { return &error_; }

  // The status of a call that returned `code`; `call` ("update") stands in for a missing text. A
  // number that is no code is UNKNOWN. Carries RetryAfter (core/status_context.h).
  absl::Status ToStatus(tidemark_code code, absl::string_view call) const;
  ErrorPlace place() const { return {error_.table, error_.row, error_.column}; }

 private:
  char message_[8'192];
  tidemark_error error_;
};

// Fills the plugin's error, as far as its struct_size and capacity reach, and returns the code.
// `error` may be null.
tidemark_code FillError(const absl::Status& status, const ErrorPlace& place, tidemark_error* error);

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_PLUGIN_ERROR_H_
