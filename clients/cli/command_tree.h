// The commands of `tidemark` as data: for completion and for the manual.
#ifndef TIDEMARK_CLIENTS_CLI_COMMAND_TREE_H_
#define TIDEMARK_CLIENTS_CLI_COMMAND_TREE_H_

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tidemark {

struct OptionDescription {
  std::vector<std::string> names;  // "--json", "-q"; empty: an argument without a name
  std::string argument;            // what arguments are called, "connection"
  std::string meaning;
  std::vector<std::string> choices;  // empty: any value
  bool takes_value = false;
  bool required = false;
  bool repeats = false;
};

struct CommandDescription {
  std::vector<std::string> path;  // "state", "log"; empty: the program
  std::string meaning;
  std::vector<std::string> subcommands;
  std::vector<OptionDescription> options;  // with --help, without those of the commands above
};

// The program first, then every command, each before those below it.
std::vector<CommandDescription> DescribeCommands(const CLI::App& app);

// What the subcommand `name` of `command` is for.
std::string MeaningOf(const std::vector<CommandDescription>& commands,
                      const CommandDescription& command, const std::string& name);

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_COMMAND_TREE_H_
