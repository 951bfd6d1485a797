// Values of the readable form and of configurations, core <-> proto.
#ifndef TIDEMARK_WIRE_VALUE_MESSAGES_H_
#define TIDEMARK_WIRE_VALUE_MESSAGES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/setting.h"
#include "core/value.h"

namespace tidemark {
namespace v1 {
class Configuration;
class Value;
}  // namespace v1

// The text of the result views `message`. An unset oneof is NULL; the readable form has no
// UNCHANGED. INVALID_ARGUMENT for a text of 4 GiB or more.
absl::StatusOr<Value> ValueFromMessage(const v1::Value& message);
// REQUIRES: not kUnchanged.
void ValueToMessage(const Value& value, v1::Value* message);

// Settings own their text. The errors name the setting, never its value.
absl::StatusOr<std::vector<Setting>> SettingsFromMessage(const v1::Configuration& message);
void SettingsToMessage(absl::Span<const Setting> settings, v1::Configuration* message);

}  // namespace tidemark

#endif  // TIDEMARK_WIRE_VALUE_MESSAGES_H_
