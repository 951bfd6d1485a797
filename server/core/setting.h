// One configured option of a connector, checked and with its references resolved.
#ifndef TIDEMARK_CORE_SETTING_H_
#define TIDEMARK_CORE_SETTING_H_

#include <cstdint>
#include <string>

#include "core/value.h"

namespace tidemark {

// Owns its text. May hold a secret: never log one.
struct Setting {
  std::string name;
  ValueKind kind = ValueKind::kNull;  // kNull, kBool, kInt64, kDouble, kString, kJson, ...
  int64_t i64 = 0;
  double f64 = 0;
  std::string text;
};

}  // namespace tidemark

#endif  // TIDEMARK_CORE_SETTING_H_
