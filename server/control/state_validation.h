// `tidemark state validate`: every level with its verdict.
#ifndef TIDEMARK_CONTROL_STATE_VALIDATION_H_
#define TIDEMARK_CONTROL_STATE_VALIDATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/engine.h"
#include "control/state_recovery.h"

namespace tidemark {

struct LevelVerdict {
  enum class Result { kOk, kFailed, kNotPossible };
  StateLevel level = StateLevel::kL0;
  Result result = Result::kOk;
  std::string note;  // why it is not possible, or how much was looked at
};

struct FullValidation {
  std::vector<LevelVerdict> verdicts;  // L0 to L4
  std::vector<StateFinding> findings;
};

// Never writes. `engine` is null where the connector cannot be asked; `no_engine` says why.
absl::StatusOr<FullValidation> ValidateFully(const StateLocation& location, int64_t now_us,
                                             Engine* engine, const absl::Status& no_engine);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_STATE_VALIDATION_H_
