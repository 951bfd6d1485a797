// `tidemark completion SHELL`: what a shell needs to complete commands and options, from the
// definitions of the commands themselves.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "command_tree.h"
#include "commands.h"

namespace tidemark {
namespace {

// Within single quotes of a shell.
std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// The line of a shell's `case` that recognises a command, by its words without the program's.
std::string Path(const CommandDescription& command) { return absl::StrJoin(command.path, " "); }

std::string FollowWords(const std::vector<CommandDescription>& commands) {
  std::string paths;
  for (const CommandDescription& command : commands) {
    if (command.path.empty()) continue;
    absl::StrAppend(&paths, paths.empty() ? "" : "|", "\" ", Path(command), "\"");
  }
  return paths;
}

// "--log-level debug info ..." of the options with choices, for completion of their values.
void AppendChoices(const std::vector<CommandDescription>& commands, const char* set,
                   std::string* out) {
  std::vector<std::string> seen;
  for (const CommandDescription& command : commands) {
    for (const OptionDescription& option : command.options) {
      if (option.choices.empty() || option.names.empty()) continue;
      const std::string names = absl::StrJoin(option.names, "|");
      const std::string line = absl::StrCat("    ", names, ") ", set, "=",
                                            Quoted(absl::StrJoin(option.choices, " ")), " ;;\n");
      if (std::find(seen.begin(), seen.end(), line) != seen.end()) continue;
      seen.push_back(line);
      out->append(line);
    }
  }
}

std::vector<std::string> WordsOf(const CommandDescription& command) {
  std::vector<std::string> words = command.subcommands;
  for (const OptionDescription& option : command.options) {
    words.insert(words.end(), option.names.begin(), option.names.end());
  }
  return words;
}

std::string BashCompletion(const std::vector<CommandDescription>& commands) {
  std::string out = absl::StrCat(
      "# bash completion of tidemark; made by `tidemark completion bash`.\n"
      "_tidemark() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
      "  local path='' words='' i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$path ${COMP_WORDS[i]}\" in\n"
      "      ",
      FollowWords(commands),
      ") path=\"$path ${COMP_WORDS[i]}\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n");
  for (const CommandDescription& command : commands) {
    absl::StrAppend(&out, "    ",
                    command.path.empty() ? "''" : Quoted(absl::StrCat(" ", Path(command))),
                    ") words=", Quoted(absl::StrJoin(WordsOf(command), " ")), " ;;\n");
  }
  absl::StrAppend(&out, "  esac\n  case \"$before\" in\n");
  AppendChoices(commands, "words", &out);
  absl::StrAppend(&out,
                  "  esac\n"
                  "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
                  "}\n"
                  "complete -o default -F _tidemark tidemark\n");
  return out;
}

std::string ZshCompletion(const std::vector<CommandDescription>& commands) {
  std::string out = absl::StrCat(
      "#compdef tidemark\n"
      "# zsh completion of tidemark; made by `tidemark completion zsh`.\n"
      "_tidemark() {\n"
      "  local line='' choices='' word\n"
      "  local -a offers\n"
      "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
      "    case \"$line $word\" in\n"
      "      ",
      FollowWords(commands),
      ") line=\"$line $word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"${words[CURRENT-1]}\" in\n");
  AppendChoices(commands, "choices", &out);
  absl::StrAppend(&out,
                  "  esac\n"
                  "  if [[ -n \"$choices\" ]]; then\n"
                  "    compadd -- ${=choices}\n"
                  "    return\n"
                  "  fi\n"
                  "  case \"$line\" in\n");
  const auto offer = [](const std::string& word, const std::string& meaning) {
    return absl::StrCat(
        " ", Quoted(absl::StrCat(word, ":", absl::StrReplaceAll(meaning, {{":", "\\:"}}))));
  };
  for (const CommandDescription& command : commands) {
    absl::StrAppend(&out, "    ",
                    command.path.empty() ? "''" : Quoted(absl::StrCat(" ", Path(command))),
                    ") offers=(");
    for (const std::string& name : command.subcommands) {
      absl::StrAppend(&out, offer(name, MeaningOf(commands, command, name)));
    }
    for (const OptionDescription& option : command.options) {
      for (const std::string& name : option.names) {
        absl::StrAppend(&out, offer(name, option.meaning));
      }
    }
    absl::StrAppend(&out, ") ;;\n");
  }
  absl::StrAppend(&out,
                  "  esac\n"
                  "  _describe 'tidemark' offers\n"
                  "  _files\n"
                  "}\n"
                  "if [[ \"$funcstack[1]\" == '_tidemark' ]]; then _tidemark \"$@\"; else compdef "
                  "_tidemark tidemark; fi\n");
  return out;
}

std::string FishCompletion(const std::vector<CommandDescription>& commands) {
  std::string out =
      "# fish completion of tidemark; made by `tidemark completion fish`.\n"
      "function __tidemark_path\n"
      "  set -l path ''\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    switch \"$path $word\"\n"
      "      case";
  for (const CommandDescription& command : commands) {
    if (!command.path.empty()) absl::StrAppend(&out, " ", Quoted(" " + Path(command)));
  }
  absl::StrAppend(&out,
                  "\n"
                  "        set path \"$path $word\"\n"
                  "    end\n"
                  "  end\n"
                  "  echo -- $path\n"
                  "end\n"
                  "function __tidemark_at\n"
                  "  test (__tidemark_path | string trim) = \"$argv[1]\"\n"
                  "end\n");
  for (const CommandDescription& command : commands) {
    const std::string at = absl::StrCat(
        "complete -c tidemark -n ", Quoted(absl::StrCat("__tidemark_at \"", Path(command), "\"")));
    for (const std::string& name : command.subcommands) {
      absl::StrAppend(&out, at, " -a ", name, " -d ", Quoted(MeaningOf(commands, command, name)),
                      "\n");
    }
    for (const OptionDescription& option : command.options) {
      absl::StrAppend(&out, at);
      for (const std::string& name : option.names) {
        const bool is_long = name.size() > 2;
        absl::StrAppend(&out, is_long ? " -l " : " -s ", name.substr(is_long ? 2 : 1));
      }
      if (!option.choices.empty()) {
        absl::StrAppend(&out, " -x -a ", Quoted(absl::StrJoin(option.choices, " ")));
      } else if (option.takes_value) {
        absl::StrAppend(&out, " -r");
      }
      absl::StrAppend(&out, " -d ", Quoted(option.meaning), "\n");
    }
  }
  return out;
}

}  // namespace

void AddCompletionCommand(CLI::App& app, Action* action) {
  CLI::App* command =
      app.add_subcommand("completion", "Print the completion of commands and options for a shell");
  const auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, action, shell] {
    *action = [&app, shell](Session& session) {
      const std::vector<CommandDescription> commands = DescribeCommands(app);
      session.Print(*shell == "bash"  ? BashCompletion(commands)
                    : *shell == "zsh" ? ZshCompletion(commands)
                                      : FishCompletion(commands));
      return ExitCode::kDone;
    };
  });
}

}  // namespace tidemark
