// `tidemark man`: the manual page tidemark(1), from the definitions of the commands themselves.
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "command_tree.h"
#include "commands.h"
#include "control/version.h"

namespace tidemark {
namespace {

// Text of a line of roff, where a dot or a quote at the beginning would be a request.
std::string Roff(absl::string_view text) {
  const std::string escaped = absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}});
  const bool request = !escaped.empty() && (escaped[0] == '.' || escaped[0] == '\'');
  return absl::StrCat(request ? "\\&" : "", escaped);
}

std::string Bold(absl::string_view text) { return absl::StrCat("\\fB", Roff(text), "\\fR"); }
std::string Italic(absl::string_view text) { return absl::StrCat("\\fI", Roff(text), "\\fR"); }

std::string Value(const OptionDescription& option) {
  if (!option.takes_value) return "";
  return option.choices.empty() ? " " + Italic("VALUE")
                                : " " + Italic(absl::StrJoin(option.choices, "|"));
}

std::string Synopsis(const CommandDescription& command) {
  std::string line = Bold(
      absl::StrCat("tidemark", command.path.empty() ? "" : " ", absl::StrJoin(command.path, " ")));
  bool options = false;
  std::string arguments;
  for (const OptionDescription& option : command.options) {
    if (option.argument.empty()) {
      options = true;
      continue;
    }
    const std::string name = Italic(absl::AsciiStrToUpper(option.argument));
    absl::StrAppend(&arguments, " ", option.required ? name : absl::StrCat("[", name, "]"),
                    option.repeats ? "..." : "");
  }
  return absl::StrCat(line, options ? " [" + Italic("OPTION") + "...]" : "", arguments,
                      command.subcommands.empty() ? "" : " " + Italic("COMMAND"));
}

void AppendOptions(const CommandDescription& command, std::string* out) {
  for (const OptionDescription& option : command.options) {
    std::vector<std::string> names;
    names.reserve(option.names.size() + 1);
    for (const std::string& name : option.names) names.push_back(Bold(name));
    if (names.empty()) names.push_back(Italic(absl::AsciiStrToUpper(option.argument)));
    absl::StrAppend(out, ".TP\n", absl::StrJoin(names, ", "),
                    option.names.empty() ? "" : Value(option), "\n", Roff(option.meaning), "\n");
  }
}

std::string ManualPage(const std::vector<CommandDescription>& commands) {
  const CommandDescription& program = commands.front();
  std::string out =
      absl::StrCat(".TH TIDEMARK 1 \"\" \"", Roff(EngineVersion()), "\" \"Tidemark\"\n",
                   ".SH NAME\ntidemark \\- incremental syncs from connectors into destinations\n",
                   ".SH SYNOPSIS\n", Synopsis(program), "\n.SH DESCRIPTION\n",
                   Roff(program.meaning), "\nEvery command prints its options with ",
                   Bold("--help"), ".\n.SH OPTIONS\n", "They go with every command.\n");
  AppendOptions(program, &out);
  absl::StrAppend(&out, ".SH COMMANDS\n");
  for (const CommandDescription& command : commands) {
    if (command.path.empty()) continue;
    absl::StrAppend(&out, ".SS ", Synopsis(command), "\n", Roff(command.meaning), "\n");
    for (const std::string& name : command.subcommands) {
      absl::StrAppend(&out, ".TP\n", Bold(name), "\n", Roff(MeaningOf(commands, command, name)),
                      "\n");
    }
    AppendOptions(command, &out);
  }
  absl::StrAppend(&out, ".SH EXIT STATUS\n");
  const std::pair<const char*, const char*> kCodes[] = {
      {"0", "done"},
      {"1", "failed"},
      {"2", "wrong command line or configuration"},
      {"3", "partial: dead letters, open conflicts or failed tables"},
      {"4", "the source refused the credentials"},
      {"130", "interrupted; the state is safe"}};
  for (const auto& [code, meaning] : kCodes) {
    absl::StrAppend(&out, ".TP\n", Bold(code), "\n", Roff(meaning), "\n");
  }
  absl::StrAppend(&out, ".SH SEE ALSO\n", Bold("tidemarkd"), "(8); ", Bold("tidemark explain"),
                  " documents every key of a connection file\n");
  return out;
}

}  // namespace

void AddManCommand(CLI::App& app, Action* action) {
  app.add_subcommand("man", "Print the manual page tidemark(1), in roff")->callback([&app, action] {
    *action = [&app](Session& session) {
      session.Print(ManualPage(DescribeCommands(app)));
      return ExitCode::kDone;
    };
  });
}

}  // namespace tidemark
