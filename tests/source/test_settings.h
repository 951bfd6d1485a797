// Settings of a connector, short to write down.
#ifndef TIDEMARK_TESTS_SOURCE_TEST_SETTINGS_H_
#define TIDEMARK_TESTS_SOURCE_TEST_SETTINGS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/setting.h"

namespace tidemark {

using TestValue = std::variant<int64_t, bool, std::string>;
using TestSettings = std::map<std::string, TestValue>;

inline std::vector<Setting> ToSettings(const TestSettings& values) {
  std::vector<Setting> settings;
  for (const auto& [name, value] : values) {
    Setting& setting = settings.emplace_back();
    setting.name = name;
    if (const auto* number = std::get_if<int64_t>(&value)) {
      setting.kind = ValueKind::kInt64;
      setting.i64 = *number;
    } else if (const auto* flag = std::get_if<bool>(&value)) {
      setting.kind = ValueKind::kBool;
      setting.i64 = *flag ? 1 : 0;
    } else {
      setting.kind = ValueKind::kString;
      setting.text = std::get<std::string>(value);
    }
  }
  return settings;
}

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SOURCE_TEST_SETTINGS_H_
