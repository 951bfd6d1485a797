// What a command's status means to the shell (product.md section 3 of the design).
#ifndef TIDEMARK_CONTROL_EXIT_CODE_H_
#define TIDEMARK_CONTROL_EXIT_CODE_H_

#include "absl/status/status.h"
#include "pipeline/sync.h"

namespace tidemark {

enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,           // command line or configuration
  kPartial = 3,         // dead letters, open conflicts, failed tables
  kAuthentication = 4,  // the source refused the credentials
  kInterrupted = 130,   // state is safe
};

// Marks an error of the command line or of a configuration; code and text stay.
absl::Status AsUsage(absl::Status status);
bool IsUsage(const absl::Status& status);

// Marks an error of the destination or of this machine, so that PERMISSION_DENIED is not taken for
// refused credentials.
absl::Status AsLocal(absl::Status status);
bool IsLocal(const absl::Status& status);

ExitCode ExitCodeOf(const absl::Status& status);
ExitCode ExitCodeOf(const SyncOutcome& outcome);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_EXIT_CODE_H_
