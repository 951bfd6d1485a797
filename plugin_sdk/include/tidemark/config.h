// The options a connector declares, and the settings it gets.
#ifndef TIDEMARK_CONFIG_H_
#define TIDEMARK_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tidemark/host.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/schema.h"

namespace tidemark {
inline namespace sdk_v1 {

// Whether an option must be given, what it is otherwise, and whether it is a secret or names files
// that the sandbox has to open: kRequired, kOptional, Default("10"), kRequired | kSecret,
// kRequired | kReadsPath.
struct Presence {
  uint32_t flags = 0;
  const char* default_value = nullptr;
};
inline constexpr Presence kOptional = {};
inline constexpr Presence kRequired = {TIDEMARK_OPTION_REQUIRED, nullptr};
inline constexpr Presence kSecret = {TIDEMARK_OPTION_SECRET, nullptr};
inline constexpr Presence kReadsPath = {TIDEMARK_OPTION_READS_PATH, nullptr};
inline constexpr Presence kWritesPath = {TIDEMARK_OPTION_WRITES_PATH, nullptr};
constexpr Presence Default(const char* text) { return {0, text}; }
constexpr Presence operator|(Presence a, Presence b) {
  return {a.flags | b.flags, a.default_value != nullptr ? a.default_value : b.default_value};
}

// One declared option. type: kBoolean, kLong, kDouble, kString, or kJson for lists and objects,
// which the host checks against json_schema ("x-secret": true marks a secret inside).
struct Option {
  const char* name;
  Type type;
  Presence presence = kOptional;
  const char* help = "";
  std::vector<const char*> choices = {};  // of a kString; empty: any text
  const char* label = nullptr;            // for forms
  const char* json_schema = nullptr;
};

// The settings of one instance, checked by the host against the declared options, defaults filled
// in. Valid inside Create() only. Asking for something that was not declared with that type
// returns an empty value and makes Create() fail with INTERNAL afterwards. Thread-compatible.
class Config {
 public:
  Config(const tidemark_host* host, const tidemark_config* config) : host_(host), config_(config) {}

  // Whether the option has a value.
  bool Has(absl::string_view name) const { return Find(name) != nullptr; }

  // The value, or `otherwise` for an option without value and default.
  int64_t GetInt64(absl::string_view name, int64_t otherwise = 0) const {
    const tidemark_value* v = Get(name, TIDEMARK_INT64);
    return v == nullptr ? otherwise : v->u.i64;
  }
  double GetDouble(absl::string_view name, double otherwise = 0) const {
    const tidemark_value* v = Find(name);
    if (v != nullptr && v->type == TIDEMARK_INT64) return static_cast<double>(v->u.i64);
    v = Get(name, TIDEMARK_DOUBLE);
    return v == nullptr ? otherwise : v->u.f64;
  }
  bool GetBool(absl::string_view name, bool otherwise = false) const {
    const tidemark_value* v = Get(name, TIDEMARK_BOOL);
    return v == nullptr ? otherwise : v->u.i64 != 0;
  }
  std::string GetString(absl::string_view name, absl::string_view otherwise = "") const {
    return Text(Get(name, TIDEMARK_STRING), otherwise);
  }
  // The JSON text of a list or an object.
  std::string GetJson(absl::string_view name, absl::string_view otherwise = "") const {
    return Text(Get(name, TIDEMARK_JSON), otherwise);
  }

  Host host() const { return Host(host_); }
  // The first wrong question, or OK.
  const absl::Status& error() const { return error_; }

 private:
  const tidemark_value* Find(absl::string_view name) const {
    const char* p = reinterpret_cast<const char*>(config_->settings);
    for (uint32_t i = 0; i < config_->setting_count; ++i, p += config_->setting_size) {
      const auto* setting = reinterpret_cast<const tidemark_setting*>(p);
      if (name == setting->name) return &setting->value;
    }
    return nullptr;
  }
  const tidemark_value* Get(absl::string_view name, uint32_t type) const {
    const tidemark_value* v = Find(name);
    if (v == nullptr || v->type == TIDEMARK_NULL) return nullptr;
    if (v->type == type) return v;
    if (error_.ok()) {
      error_ = absl::InternalError(
          absl::StrCat("option ", name, " is read as another type than it is declared with"));
    }
    return nullptr;
  }
  static std::string Text(const tidemark_value* v, absl::string_view otherwise) {
    return std::string(v == nullptr ? otherwise : absl::string_view(v->u.data, v->length));
  }

  const tidemark_host* host_;
  const tidemark_config* config_;
  mutable absl::Status error_;
};

}  // namespace sdk_v1
}  // namespace tidemark

#endif  // TIDEMARK_CONFIG_H_
