// The commands that only a server has: connections, sync, token, secret, audit. What they do stands
// in remote_*_commands.cc; here are their command lines.
#include <string>

#include "CLI/CLI.hpp"
#include "commands.h"

namespace tidemark {
namespace {

// A command line whose values are read by name (remote_commands.h).
CLI::App* Add(CLI::App* group, const std::string& name, const std::string& help, Action* action) {
  CLI::App* command = group->add_subcommand(name, help);
  command->callback([action, path = group->get_name() + " " + name] {
    *action = [path](Session& session) {
      return session.Fail(AsUsage(absl::InvalidArgumentError(
          "`tidemark " + path + "` needs a server: give --server ADDR, or set TIDEMARK_SERVER")));
    };
  });
  return command;
}

CLI::App* Group(CLI::App& app, const char* name, const char* help) {
  CLI::App* group = app.add_subcommand(name, help);
  group->require_subcommand(1);
  return group;
}

void AddConnections(CLI::App& app, Action* action) {
  CLI::App* group = Group(app, "connections", "The connections of a server");
  Add(group, "list", "List them with their health", action);
  Add(group, "show", "Show one, without its secrets", action)
      ->add_option("NAME", "The connection")
      ->required();
  CLI::App* apply = Add(group, "apply", "Create or replace one from a connection file", action);
  apply->add_option("FILE", "The connection file")->required();
  apply->add_flag("--dry-run")->description("Show what would change");
  apply->add_option("--expected-version", "Only if this is the version now");
  CLI::App* remove = Add(group, "delete", "Forget one; its destination stays", action);
  remove->add_option("NAME", "The connection")->required();
  remove->add_option("--expected-version", "Only if this is the version now");
  Add(group, "pause", "No sync begins by itself until it is resumed", action)
      ->add_option("NAME", "The connection")
      ->required();
  Add(group, "resume", "Sync by schedule again", action)
      ->add_option("NAME", "The connection")
      ->required();
}

void AddSyncs(CLI::App& app, Action* action) {
  CLI::App* group = Group(app, "sync", "The syncs of a server");
  CLI::App* start = Add(group, "start", "Start a sync and do not wait for it", action);
  start->add_option("CONNECTION", "The connection")->required();
  start->add_flag("--full")->description("Read every table from its beginning");
  start->add_option("--table", "Only this table (may be repeated)")->take_all();
  start->add_option("--since", "Only changes since this time (2024-01-15)");
  start->add_option("--idempotency-key", "Start it once, however often this is called");
  CLI::App* stop = Add(group, "stop", "End a sync after its commit group", action);
  stop->add_option("SYNC", "The sync's id")->required();
  stop->add_flag("--now")->description("End it at once");
  CLI::App* list = Add(group, "list", "List syncs, newest first", action);
  list->add_option("CONNECTION", "Only those of this connection");
  list->add_option("--limit", "How many")->check(CLI::Range(1, 1'000'000));
  Add(group, "show", "Show a sync", action)->add_option("SYNC", "The sync's id")->required();
  Add(group, "watch", "Follow a sync to its end, then show its report", action)
      ->add_option("SYNC", "The sync's id")
      ->required();
}

void AddAccess(CLI::App& app, Action* action) {
  CLI::App* token = Group(app, "token", "Who may call a server");
  CLI::App* create = Add(token, "create", "Make a token; its text is shown once", action);
  create->add_option("--role", "viewer, operator, editor or admin")->required();
  create->add_option("--connection", "Only for connections of this name or glob (repeatable)")
      ->take_all();
  create->add_option("--note", "What it is for");
  create->add_option("--expires", "After so long (\"90 days\"), or at a time");
  Add(token, "list", "List the tokens", action);
  Add(token, "revoke", "Refuse a token from now on", action)
      ->add_option("ID", "Its id: the part behind tm_")
      ->required();
  CLI::App* secret = Group(app, "secret", "Secrets that a server's connections refer to");
  Add(secret, "set", "Store the value that stands on standard input", action)
      ->add_option("NAME", "Its name")
      ->required();
  Add(secret, "list", "List the names; values are never shown", action);
  Add(secret, "delete", "Delete one", action)->add_option("NAME", "Its name")->required();
  Add(secret, "rotate", "Seal all of them with a new master key: secrets.next_key, or a fresh one",
      action);
  CLI::App* audit = Group(app, "audit", "Who did what to a server");
  Add(audit, "list", "List the entries, newest first", action)
      ->add_option("--limit", "How many")
      ->check(CLI::Range(1, 1'000'000));
  Add(audit, "verify", "Check that nothing was changed or removed", action);
  Add(audit, "accept", "Go on behind a damaged end; an entry says so for good", action)
      ->add_option("--reason", "Why the loss is accepted")
      ->required();
}

}  // namespace

void AddServerCommands(CLI::App& app, Action* action) {
  AddConnections(app, action);
  AddSyncs(app, action);
  AddAccess(app, action);
}

}  // namespace tidemark
