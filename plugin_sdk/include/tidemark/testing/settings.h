// The configuration a test gives to a plugin.
#ifndef TIDEMARK_TESTING_SETTINGS_H_
#define TIDEMARK_TESTING_SETTINGS_H_

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "tidemark/plugin_abi.h"

namespace tidemark_testing {

// Settings by name, in the types of the plugin's options: Settings({{"limit", "10"}}).For(plugin).
// Thread-compatible.
class Settings {
 public:
  Settings() = default;
  // Values as text, as default values are written.
  Settings(std::initializer_list<std::pair<const std::string, std::string>> texts)
      : texts_(texts) {}

  Settings& Set(std::string name, std::string text) {
    texts_[std::move(name)] = std::move(text);
    return *this;
  }

  // The settings and the defaults of the plugin's other options. Valid until the next call and as
  // long as this and the plugin live. Names that the plugin does not declare are left out.
  const tidemark_config* For(const tidemark_plugin& plugin) {
    settings_.clear();
    const char* p = reinterpret_cast<const char*>(plugin.options);
    for (uint32_t i = 0; i < plugin.option_count; ++i, p += plugin.option_size) {
      const auto& option = *reinterpret_cast<const tidemark_option*>(p);
      const auto text = texts_.find(option.name);
      if (text != texts_.end()) {
        settings_.push_back({option.name, Parse(option.type, text->second)});
      } else if (option.default_value != nullptr) {
        settings_.push_back({option.name, Parse(option.type, option.default_value)});
      }
    }
    config_ = {sizeof(tidemark_config), sizeof(tidemark_setting),
               static_cast<uint32_t>(settings_.size()), 0, settings_.data()};
    return &config_;
  }

  // The texts of the plugin's secret options.
  std::vector<std::string> Secrets(const tidemark_plugin& plugin) const {
    std::vector<std::string> secrets;
    const char* p = reinterpret_cast<const char*>(plugin.options);
    for (uint32_t i = 0; i < plugin.option_count; ++i, p += plugin.option_size) {
      const auto& option = *reinterpret_cast<const tidemark_option*>(p);
      const auto text = texts_.find(option.name);
      if ((option.flags & TIDEMARK_OPTION_SECRET) != 0 && text != texts_.end()) {
        secrets.push_back(text->second);
      }
    }
    return secrets;
  }

 private:
  // A text that is no number is passed on as a string, so that the plugin is seen to refuse it.
  static tidemark_value Parse(uint32_t type, absl::string_view text) {
    tidemark_value v = {TIDEMARK_NULL, 0, {0}};
    bool b = false;
    if (type == TIDEMARK_TYPE_LONG && absl::SimpleAtoi(text, &v.u.i64)) {
      v.type = TIDEMARK_INT64;
    } else if (type == TIDEMARK_TYPE_DOUBLE && absl::SimpleAtod(text, &v.u.f64)) {
      v.type = TIDEMARK_DOUBLE;
    } else if (type == TIDEMARK_TYPE_BOOLEAN && absl::SimpleAtob(text, &b)) {
      v.type = TIDEMARK_BOOL;
      v.u.i64 = b ? 1 : 0;
    } else {
      v.type = type == TIDEMARK_TYPE_JSON ? TIDEMARK_JSON : TIDEMARK_STRING;
      v.length = static_cast<uint32_t>(text.size());
      v.u.data = text.data();
    }
    return v;
  }

  std::map<std::string, std::string> texts_;
  std::vector<tidemark_setting> settings_;
  tidemark_config config_ = {};
};

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTING_SETTINGS_H_
