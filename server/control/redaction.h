// Keeps secrets out of everything that is printed, logged or stored in reports.
#ifndef TIDEMARK_CONTROL_REDACTION_H_
#define TIDEMARK_CONTROL_REDACTION_H_

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "core/mutex.h"

namespace tidemark {

// Thread-safe.
class Redactor {
 public:
  // Secrets of fewer than 4 bytes are not searched for: they would hide half of every text.
  void AddSecret(absl::string_view secret);

  // `text` with every known secret (also percent-encoded, JSON-escaped and as base64) and every
  // password of a URL ("//user:password@") replaced by "***".
  std::string Apply(absl::string_view text) const;

 private:
  mutable Mutex mutex_;
  std::vector<std::string> secrets_ ABSL_GUARDED_BY(mutex_);  // longest first, all spellings
};

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_REDACTION_H_
