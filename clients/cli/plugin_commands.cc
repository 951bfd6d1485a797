// `tidemark plugins list`, `show` and `test`.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "commands.h"
#include "control/conformance.h"
#include "control/connector_target.h"
#include "control/plugin_documents.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct PluginOptions {
  std::string target;
  std::string configuration;
};

ExitCode ListPlugins(Session& session, const PluginOptions&) {
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const std::string& path : ListPluginFiles(session.search())) {
    absl::StatusOr<ConnectorTarget> target = ResolveConnector(path, ".", false, session.search());
    absl::StatusOr<ConnectorDescription> description =
        target.ok() ? DescribeConnector(*target) : target.status();
    if (description.ok()) {
      json.push_back(PluginJson(*description, path));
      rows.push_back({description->id, description->version, description->description, path});
    } else {
      json.push_back({{"path", path}, {"error", std::string(description.status().message())}});
      rows.push_back({"-", "-", std::string(description.status().message()), path});
    }
  }
  if (session.json()) {
    session.PrintJson(json);
  } else if (rows.empty()) {
    session.Note(absl::StrCat("No plugins in ", absl::StrJoin(session.search().folders, ", ")));
  } else {
    session.Print(TextTable({"id", "version", "description", "file"}, rows));
  }
  return ExitCode::kDone;
}

std::string OptionDefault(const ConnectorDescription::Option& option) {
  if (option.required) return "required";
  return option.default_value;
}

// The members that an option's JSON Schema names, a line each, two levels deep.
std::string Members(const Json& schema, const std::string& indent, int depth) {
  std::string text;
  if (!schema.is_object()) return text;
  if (schema.contains("items")) return Members(schema["items"], indent, depth);
  if (!schema.contains("properties") || depth == 0) return text;
  for (const auto& member : schema["properties"].items()) {
    const Json& value = member.value();
    std::vector<std::string> facts;
    for (const char* name : {"type", "enum"}) {
      if (!value.is_object() || !value.contains(name)) continue;
      const Json& list = value[name];
      std::vector<std::string> texts;
      for (const Json& item : list.is_array() ? list : Json::array({list})) {
        texts.push_back(item.is_string() ? item.get<std::string>() : DumpJson(item, -1));
      }
      facts.push_back(absl::StrJoin(texts, " | "));
    }
    if (value.is_object() && value.contains("x-secret")) facts.emplace_back("secret");
    absl::StrAppend(&text, indent, member.key(),
                    facts.empty() ? "" : absl::StrCat(" (", absl::StrJoin(facts, "; "), ")"), "\n",
                    Members(value, absl::StrCat(indent, "  "), depth - 1));
  }
  return text;
}

ExitCode ShowPlugin(Session& session, const PluginOptions& options) {
  absl::StatusOr<ConnectorTarget> target =
      ResolveConnector(options.target, ".", false, session.search());
  if (!target.ok()) return session.Fail(target.status());
  absl::StatusOr<ConnectorDescription> description = DescribeConnector(*target);
  if (!description.ok()) return session.Fail(description.status());
  if (session.json()) {
    session.PrintJson(PluginJson(*description, target->path));
    return ExitCode::kDone;
  }
  session.Print(
      absl::StrCat(session.Heading(absl::StrCat(description->id, " ", description->version)), "\n",
                   description->description, "\n", target->path, "\n"));
  const std::vector<std::string> capabilities = CapabilityNames(description->capabilities);
  if (!capabilities.empty()) {
    session.Print(absl::StrCat("capabilities: ", absl::StrJoin(capabilities, ", "), "\n"));
  }
  if (!description->extensions.empty()) {
    session.Print(absl::StrCat("extensions: ", absl::StrJoin(description->extensions, ", "), "\n"));
  }
  session.Print(description->options.empty() ? "\nNo options.\n" : "\n");
  for (const ConnectorDescription::Option& option : description->options) {
    std::vector<std::string> facts = {std::string(DataTypeName(option.type))};
    if (!OptionDefault(option).empty()) {
      facts.push_back(option.required ? "required"
                                      : absl::StrCat("default ", option.default_value));
    }
    if (option.secret) facts.emplace_back("secret");
    if (option.writes_path) {
      facts.emplace_back("writes there");
    } else if (option.reads_path) {
      facts.emplace_back("reads there");
    }
    if (!option.choices.empty()) {
      facts.push_back(absl::StrCat("one of ", absl::StrJoin(option.choices, ", ")));
    }
    session.Print(absl::StrCat(
        "  ", option.name, " (", absl::StrJoin(facts, "; "), ")\n      ", option.help, "\n",
        Members(Json::parse(option.json_schema, nullptr, false), "        ", 2)));
  }
  return ExitCode::kDone;
}

ExitCode TestPlugin(Session& session, const PluginOptions& options) {
  Connection connection;
  connection.file = options.configuration.empty() ? "configuration" : options.configuration;
  connection.folder = ".";
  connection.name = "conformance";
  connection.source.connector = options.target;
  connection.source.method = "auto";
  connection.source.config.kind = ConfigNode::Kind::kMap;
  if (!options.configuration.empty()) {
    absl::StatusOr<std::string> text = ReadTextFile(options.configuration, 4 * 1024 * 1024);
    if (!text.ok()) return session.Fail(AsUsage(text.status()));
    absl::StatusOr<ConfigNode> config = ParseJsonText(options.configuration, *text);
    if (!config.ok()) return session.Fail(AsUsage(config.status()));
    connection.source.config = *std::move(config);
  }
  absl::StatusOr<std::unique_ptr<Engine>> engine = session.OpenEngine(std::move(connection));
  if (!engine.ok()) return session.Fail(engine.status());
  const std::vector<ConformanceResult> results = CheckConformance(**engine);
  Json json = Json::array();
  bool passed = true;
  for (const ConformanceResult& result : results) {
    passed = passed && result.problem.empty();
    json.push_back({{"rule", result.rule},
                    {"passed", result.problem.empty()},
                    {"detail", result.problem.empty() ? result.detail : result.problem}});
    if (!session.json()) {
      session.Print(absl::StrCat(result.problem.empty() ? "ok    " : "FAIL  ", result.rule, ": ",
                                 result.problem.empty() ? result.detail : result.problem, "\n"));
    }
  }
  if (session.json()) session.PrintJson(json);
  return passed ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace

void AddPluginCommands(CLI::App& app, Action* action) {
  CLI::App* group = app.add_subcommand("plugins", "Find, describe and test plugins");
  group->require_subcommand(1);
  auto options = std::make_shared<PluginOptions>();
  const auto add = [&](const char* name, const char* help, bool target, auto run) {
    CLI::App* command = group->add_subcommand(name, help);
    if (target) {
      command->add_option("TARGET", options->target, "Plugin id, path of a .so, or address")
          ->required();
    }
    command->callback([options, action, run] {
      *action = [options, run](Session& session) { return run(session, *options); };
    });
    return command;
  };
  add("list", "List the plugins that are found", false, ListPlugins);
  add("show", "Describe a plugin and its options", true, ShowPlugin);
  add("test", "Try whether a connector keeps the rules", true, TestPlugin)
      ->add_option("--configuration", options->configuration,
                   "JSON file with the connector's options");
}

}  // namespace tidemark
