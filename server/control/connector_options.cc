#include "control/connector_options.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/configuration_keys.h"
#include "control/exit_code.h"
#include "control/json_schema_check.h"
#include "core/text.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

using Option = ConnectorDescription::Option;
using Json = nlohmann::ordered_json;

class SettingsChecker {
 public:
  SettingsChecker(const ConnectorDescription& description, const SourceSettings& source,
                  const std::string& file)
      : description_(description), source_(source), file_(file) {}

  absl::StatusOr<ConnectorSettings> Run() {
    TakeConfig();
    TakeConnection();
    TakeMethod();
    for (const Option& option : description_.options) Check(option);
    if (problems_.empty()) return std::move(out_);
    return AsUsage(absl::InvalidArgumentError(absl::StrJoin(problems_, "\n")));
  }

 private:
  const Option* FindOption(absl::string_view name) const {
    for (const Option& option : description_.options) {
      if (option.name == name) return &option;
    }
    return nullptr;
  }

  void Problem(const ConfigNode& at, absl::string_view text) {
    problems_.push_back(absl::StrCat(
        file_, at.line > 0 ? absl::StrCat(":", at.line, ":", at.column) : "", ": ", text));
  }

  void TakeConfig() {
    for (const ConfigNode::Entry& entry : source_.config.entries) {
      if (FindOption(entry.key) != nullptr) {
        given_[entry.key] = &entry.value;
        continue;
      }
      ConfigNode at;
      at.line = entry.line;
      at.column = entry.column;
      std::vector<std::string> names;
      names.reserve(description_.options.size());
      for (const Option& option : description_.options) names.push_back(option.name);
      const std::string nearest = NearestName(entry.key, names);
      Problem(at, absl::StrCat(
                      "connector ", description_.id, " has no option \"", entry.key, "\"; ",
                      !nearest.empty() ? absl::StrCat("did you mean \"", nearest, "\"?")
                      : names.empty()  ? "it takes none"
                                       : absl::StrCat("it takes ", absl::StrJoin(names, ", "))));
    }
  }

  void TakeConnection() {
    if (!source_.connection.has_value()) return;
    for (const char* name : {"connection", "base_url"}) {
      if (FindOption(name) == nullptr) continue;
      if (!given_.emplace(name, &*source_.connection).second) {
        Problem(*source_.connection, absl::StrCat("sync.source.connection and option ", name,
                                                  " say the same thing: keep one"));
      }
      return;
    }
    Problem(*source_.connection,
            absl::StrCat("connector ", description_.id, " does not take a connection"));
  }

  void TakeMethod() {
    const std::string& method = source_.method;
    method_.kind = ConfigNode::Kind::kScalar;
    method_.text = method;
    if (FindOption("cdc_method") != nullptr) {
      if (!method.empty() && method != "auto") given_["cdc_method"] = &method_;
    } else if (method == "trigger" || method == "polling") {
      Problem(method_, absl::StrCat("sync.cdc_method: connector ", description_.id,
                                    " does not support ", method));
      return;
    }
    for (const auto& [name, value] : source_.method_values) {
      if (FindOption(name) != nullptr) {
        given_[name] = &value;
      } else {
        Problem(value, absl::StrCat("connector ", description_.id, " does not support ", name));
      }
    }
  }

  void Check(const Option& option) {
    ConfigNode fallback;
    const ConfigNode* node = &fallback;
    if (const auto found = given_.find(option.name);
        found != given_.end() && found->second->kind != ConfigNode::Kind::kNull) {
      node = found->second;
    } else if (!option.default_value.empty()) {
      fallback.kind = ConfigNode::Kind::kScalar;
      fallback.text = option.default_value;
      fallback.quoted = option.type == DataType::kString;
    } else {
      if (option.required) {
        Problem(fallback,
                absl::StrCat("connector ", description_.id, " needs the option ", option.name,
                             option.help.empty() ? "" : absl::StrCat(": ", option.help)));
      }
      return;
    }
    Setting setting;
    setting.name = option.name;
    const std::string problem = Convert(option, *node, &setting);
    if (!problem.empty()) {
      Problem(*node, absl::StrCat("option ", option.name, ": ", problem));
      return;
    }
    if (option.secret || option.name == "connection") out_.secrets.push_back(setting.text);
    out_.settings.push_back(std::move(setting));
  }

  // What is wrong with the value, or nothing. Never quotes the value of a secret option.
  std::string Convert(const Option& option, const ConfigNode& node, Setting* setting) {
    if (option.type == DataType::kJson) return ConvertJson(option, node, setting);
    if (!node.is_scalar()) {
      return absl::StrCat("expected ", DataTypeName(option.type), ", not a ",
                          node.is_list() ? "list" : "map");
    }
    std::string wrong =
        absl::StrCat(option.secret ? "the value" : absl::StrCat("\"", node.text, "\""), " is no ",
                     DataTypeName(option.type));
    switch (option.type) {
      case DataType::kBoolean: {
        bool value = false;
        if (!absl::SimpleAtob(node.text, &value)) return wrong;
        setting->kind = ValueKind::kBool;
        setting->i64 = value ? 1 : 0;
        return "";
      }
      case DataType::kShort:
      case DataType::kInt:
      case DataType::kLong:
        setting->kind = ValueKind::kInt64;
        return absl::SimpleAtoi(node.text, &setting->i64) ? "" : wrong;
      case DataType::kFloat:
      case DataType::kDouble:
        setting->kind = ValueKind::kDouble;
        return absl::SimpleAtod(node.text, &setting->f64) && std::isfinite(setting->f64) ? ""
                                                                                         : wrong;
      case DataType::kUtcDatetime: {
        const absl::StatusOr<ParsedTime> time = ParseTime(node.text);
        if (!time.ok()) return wrong;
        setting->kind = ValueKind::kTimestamp;
        setting->i64 = time->us;
        return "";
      }
      default:
        setting->kind = ValueKind::kString;
        setting->text = node.text;
        return CheckChoice(option, node.text);
    }
  }

  static std::string CheckChoice(const Option& option, const std::string& text) {
    if (option.choices.empty()) return "";
    for (const std::string& choice : option.choices) {
      if (choice == text) return "";
    }
    const std::string nearest = NearestName(text, option.choices);
    return absl::StrCat("\"", text, "\" is not allowed; expected one of ",
                        absl::StrJoin(option.choices, ", "),
                        nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)"));
  }

  std::string ConvertJson(const Option& option, const ConfigNode& node, Setting* setting) {
    Json value = ToJson(node);
    // Where every setting is text (a Fivetran configuration.json), lists and objects are JSON
    // inside it; so are defaults.
    if (node.is_scalar()) {
      Json inside = Json::parse(node.text, nullptr, false);
      if (!inside.is_discarded() && inside.is_structured()) value = std::move(inside);
    }
    if (!option.json_schema.empty()) {
      const Json schema = Json::parse(option.json_schema, nullptr, false);
      std::vector<std::string> problems;
      CheckJsonSchema(schema, value, option.name, &problems);
      if (!problems.empty()) return absl::StrJoin(problems, "; ");
      CollectSecrets(schema, value, &out_.secrets);
    }
    setting->kind = ValueKind::kJson;
    setting->text = DumpJson(value, -1);
    if (option.secret) CollectSecrets(Json{{"x-secret", true}}, value, &out_.secrets);
    return "";
  }

  const ConnectorDescription& description_;
  const SourceSettings& source_;
  const std::string& file_;
  ConfigNode method_;  // of sync.cdc_method
  std::map<std::string, const ConfigNode*> given_;
  ConnectorSettings out_;
  std::vector<std::string> problems_;
};

}  // namespace

absl::StatusOr<ConnectorSettings> CheckConnectorSettings(const ConnectorDescription& description,
                                                         const SourceSettings& source,
                                                         const std::string& file) {
  return SettingsChecker(description, source, file).Run();
}

}  // namespace tidemark
