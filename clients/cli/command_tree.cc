#include "command_tree.h"

#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace tidemark {
namespace {

// CLI::IsMember writes its choices into the type's name: "TEXT:{debug,info}".
std::vector<std::string> ChoicesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return absl::StrSplit(type.substr(open + 1, close - open - 1), ',');
}

OptionDescription Describe(const CLI::Option& option) {
  OptionDescription out;
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  if (option.get_positional()) out.argument = option.get_name(true);
  out.meaning = option.get_description();
  out.choices = ChoicesOf(option);
  out.takes_value = option.get_items_expected_max() > 0;
  out.required = option.get_required();
  out.repeats = option.get_items_expected_max() > 1;
  return out;
}

void Describe(const CLI::App& app, const std::vector<std::string>& path,
              std::vector<CommandDescription>* out) {
  CommandDescription command;
  command.path = path;
  command.meaning = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) command.options.push_back(Describe(*option));
  }
  const std::vector<const CLI::App*> below = app.get_subcommands([](const CLI::App* subcommand) {
    return !subcommand->get_name().empty() && !subcommand->get_group().empty();
  });
  for (const CLI::App* subcommand : below) command.subcommands.push_back(subcommand->get_name());
  out->push_back(std::move(command));
  for (const CLI::App* subcommand : below) {
    std::vector<std::string> longer = path;
    longer.push_back(subcommand->get_name());
    Describe(*subcommand, longer, out);
  }
}

}  // namespace

std::vector<CommandDescription> DescribeCommands(const CLI::App& app) {
  std::vector<CommandDescription> commands;
  Describe(app, {}, &commands);
  return commands;
}

std::string MeaningOf(const std::vector<CommandDescription>& commands,
                      const CommandDescription& command, const std::string& name) {
  std::vector<std::string> path = command.path;
  path.push_back(name);
  for (const CommandDescription& other : commands) {
    if (other.path == path) return other.meaning;
  }
  return "";
}

}  // namespace tidemark
