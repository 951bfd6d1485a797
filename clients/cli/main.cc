// `tidemark`: runs connectors and connections locally. Command line -> action -> exit code.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "CLI/CLI.hpp"
#include "commands.h"
#include "control/configuration_keys.h"
#include "control/version.h"
#include "core/failpoint.h"
#include "remote_commands.h"

namespace tidemark {
namespace {

void AddGlobalOptions(CLI::App& app, GlobalOptions* options) {
  app.add_option("--plugin-path", options->plugin_path,
                 "Folders with plugins, separated by ':', searched first");
  app.add_option("--log-level", options->log_level, "debug, info, warning, error or off")
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}));
  app.add_option("--log-format", options->log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_flag("--json", options->json, "Print results as JSON");
  app.add_flag("-q,--quiet", options->quiet, "Print results and errors only");
}

void AddServerOptions(CLI::App& app, ServerOptions* options) {
  app.add_option("--server", options->address,
                 "Work against the server there: unix:PATH or HOST:PORT")
      ->envname("TIDEMARK_SERVER");
  app.add_option("--token-file", options->token_file,
                 "File with the token for it; else the variable TIDEMARK_TOKEN");
  app.add_option("--ca", options->ca, "PEM file of who signed its certificate");
  app.add_option("--client-certificate", options->certificate, "PEM file to show it");
  app.add_option("--client-key", options->key, "PEM file of that certificate's key");
  app.add_flag("--plaintext", options->plaintext, "No TLS although it is another machine");
}

void AddVersionCommand(CLI::App& app, Action* action) {
  app.add_subcommand("version", "Print the version")->callback([action] {
    *action = [](Session& session) {
      if (session.json()) {
        session.PrintJson({{"version", EngineVersion()}});
      } else {
        session.Print(EngineVersion() + "\n");
      }
      return ExitCode::kDone;
    };
  });
}

// An unknown command is answered with the nearest known one.
std::string UnknownCommand(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  for (const std::string& name : names) {
    if (name == argv[1]) return "";
  }
  const std::string nearest = NearestName(argv[1], names);
  return std::string("tidemark: unknown command \"") + argv[1] + "\"" +
         (nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?") +
         "\n`tidemark --help` lists the commands.\n";
}

int Run(int argc, char** argv) {
  CLI::App app("Incremental syncs from connectors into destinations.", "tidemark");
  GlobalOptions options;
  ServerOptions server;
  Action action;
  app.fallthrough();
  app.require_subcommand(0, 1);
  AddGlobalOptions(app, &options);
  AddServerOptions(app, &server);
  AddInitCommand(app, &action);
  AddDebugCommand(app, &action);
  AddRunCommand(app, &action);
  AddVerifyCommand(app, &action);
  AddConnectionCommands(app, &action);
  AddReportCommand(app, &action);
  AddStateCommands(app, &action);
  AddDeadLetterCommands(app, &action);
  AddRowsCommand(app, &action);
  AddPluginCommands(app, &action);
  AddConfigurationCommands(app, &action);
  AddResetCommand(app, &action);
  AddServerCommands(app, &action);
  AddProtoCommand(app, &action);
  AddVersionCommand(app, &action);
  AddCompletionCommand(app, &action);
  AddManCommand(app, &action);
  if (const std::string unknown = UnknownCommand(app, argc, argv); !unknown.empty()) {
    std::fputs(unknown.c_str(), stderr);
    return static_cast<int>(ExitCode::kUsage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "tidemark: %s\n`tidemark%s --help` shows the options.\n", error.what(),
                 app.get_subcommands().empty()
                     ? ""
                     : (" " + app.get_subcommands().front()->get_name()).c_str());
    return static_cast<int>(ExitCode::kUsage);
  }
  if (!action) {
    std::fputs(app.help().c_str(), argc < 2 ? stdout : stderr);
    return static_cast<int>(argc < 2 ? ExitCode::kDone : ExitCode::kUsage);
  }
  Session session(options);
  return static_cast<int>(server.address.empty() ? action(session)
                                                 : RunRemote(session, server, app, action));
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  if (const absl::Status armed = tidemark::ArmFailpointsFromEnvironment(); !armed.ok()) {
    std::fprintf(stderr, "tidemark: %s\n", std::string(armed.message()).c_str());
    return static_cast<int>(tidemark::ExitCode::kUsage);
  }
  return tidemark::Run(argc, argv);
}
