// The program that runs the plugin: its log and its clock.
#ifndef TIDEMARK_HOST_H_
#define TIDEMARK_HOST_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tidemark/plugin_abi.h"

namespace tidemark {
inline namespace sdk_v1 {

enum class LogLevel : int32_t {
  kDebug = TIDEMARK_LOG_DEBUG,
  kInfo = TIDEMARK_LOG_INFO,
  kWarning = TIDEMARK_LOG_WARNING,
  kError = TIDEMARK_LOG_ERROR,
};

namespace internal {

inline tidemark_bytes ToBytes(absl::string_view s) { return {s.data(), s.size()}; }
inline absl::string_view FromBytes(const tidemark_bytes& b) {
  return b.data == nullptr ? absl::string_view() : absl::string_view(b.data, b.size);
}

}  // namespace internal

// A handle that may be copied; valid until the connector is destroyed. Thread-safe.
class Host {
 public:
  explicit Host(const tidemark_host* host) : host_(host) {}

  // Never log a secret, and never a line for each row.
  void Log(LogLevel level, absl::string_view text) const {
    if (host_ != nullptr && host_->log != nullptr) {
      host_->log(host_, static_cast<int32_t>(level), internal::ToBytes(text));
    }
  }
  // The host's clock; tests may run it at their own pace.
  absl::Time Now() const {
    if (host_ == nullptr || host_->now_us == nullptr) return absl::Now();
    return absl::FromUnixMicros(host_->now_us(host_));
  }
  const tidemark_host* raw() const { return host_; }

 private:
  const tidemark_host* host_;
};

}  // namespace sdk_v1
}  // namespace tidemark

#endif  // TIDEMARK_HOST_H_
