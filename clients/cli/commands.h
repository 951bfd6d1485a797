// The commands. Each Add function adds one (or a group) to the application and sets `action` when
// it is chosen; nothing runs while the command line is parsed.
#ifndef TIDEMARK_CLIENTS_CLI_COMMANDS_H_
#define TIDEMARK_CLIENTS_CLI_COMMANDS_H_

#include "session.h"

namespace CLI {
class App;
}

namespace tidemark {

void AddInitCommand(CLI::App& app, Action* action);
void AddDebugCommand(CLI::App& app, Action* action);
void AddRunCommand(CLI::App& app, Action* action);
void AddVerifyCommand(CLI::App& app, Action* action);
void AddConnectionCommands(CLI::App& app, Action* action);  // check, plan, tables, preview
void AddReportCommand(CLI::App& app, Action* action);
void AddStateCommands(CLI::App& app, Action* action);          // state ..., from the following
void AddStateLogCommands(CLI::App& state, Action* action);     // log, show
void AddStateDiffCommand(CLI::App& state, Action* action);     // diff
void AddStateMoveCommands(CLI::App& state, Action* action);    // rollback, reset, migrate
void AddStateFileCommands(CLI::App& state, Action* action);    // export, import
void AddStateBackupCommands(CLI::App& state, Action* action);  // backup, restore
void AddStateRepairCommands(CLI::App& state, Action* action);  // validate, repair
void AddDeadLetterCommands(CLI::App& app, Action* action);     // list, show, discard, edit, replay
void AddDeadLetterReplayCommands(CLI::App& group, Action* action);
void AddRowsCommand(CLI::App& app, Action* action);
void AddPluginCommands(CLI::App& app, Action* action);         // plugins list, show, test
void AddConfigurationCommands(CLI::App& app, Action* action);  // explain, schema
void AddResetCommand(CLI::App& app, Action* action);
void AddServerCommands(CLI::App& app, Action* action);  // connections, sync, token, secret, audit
void AddProtoCommand(CLI::App& app, Action* action);
void AddCompletionCommand(CLI::App& app, Action* action);
void AddManCommand(CLI::App& app, Action* action);

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_COMMANDS_H_
