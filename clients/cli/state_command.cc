// `tidemark state log` and `state show`: the versions of a connection's state.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "commands.h"
#include "core/digest.h"
#include "core/text.h"
#include "core/time_text.h"
#include "stored_destination.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct StateOptions {
  StoredChoice stored;
  std::optional<std::string> entry;
  int64_t version = 0;
  int limit = 20;
};

std::string Body(const StateVersion& version) {
  return IsUtf8(version.body) ? version.body : absl::StrCat("0x", Hex(version.body));
}

Json VersionJson(const StateVersion& version, bool body) {
  Json json = {{"entry", version.entry},
               {"version", version.version},
               {"parent", version.parent},
               {"kind", std::string(StateKindName(version.kind))},
               {"created_at", FormatReportTime(absl::FromUnixMicros(version.created_at_us))},
               {"epoch", version.epoch},
               {"cursor", version.cursor},
               {"records_processed", version.counts.Sum()},
               {"records_inserted", version.counts.inserted},
               {"records_updated", version.counts.updated},
               {"records_deleted", version.counts.deleted},
               {"records_unchanged", version.counts.unchanged},
               {"sync", version.sync_id},
               {"body_hash", Hex(version.body_hash)},
               {"chain", Hex(version.chain)},
               {"engine", version.engine}};
  if (body) json["body"] = Body(version);
  return json;
}

ExitCode ShowLog(Session& session, const StateOptions& options) {
  absl::StatusOr<StoredDestination> stored = OpenStored(options.stored, true);
  if (!stored.ok()) return session.Fail(stored.status());
  absl::StatusOr<std::vector<StateVersion>> versions =
      stored->reader->StateLog(stored->connection, options.entry, false, options.limit);
  if (!versions.ok()) return session.Fail(AsLocal(versions.status()));
  const absl::Status chain = stored->reader->VerifyState(stored->connection);
  if (session.json()) {
    Json json = {{"connection", stored->connection},
                 {"chain", chain.ok() ? "valid" : std::string(chain.message())},
                 {"versions", Json::array()}};
    for (const StateVersion& version : *versions) {
      json["versions"].push_back(VersionJson(version, false));
    }
    session.PrintJson(json);
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const StateVersion& version : *versions) {
      rows.push_back({version.entry.empty() ? "(connection)" : version.entry,
                      absl::StrCat(version.version), std::string(StateKindName(version.kind)),
                      FormatReportTime(absl::FromUnixMicros(version.created_at_us)),
                      Grouped(version.counts.Sum()), version.cursor,
                      Hex(version.chain).substr(0, 12)});
    }
    session.Print(
        TextTable({"entry", "version", "kind", "created", "records", "cursor", "chain"}, rows));
    session.Print(chain.ok() ? "chain: valid\n" : "");
  }
  return chain.ok() ? ExitCode::kDone : session.Fail(AsLocal(chain));
}

ExitCode ShowState(Session& session, const StateOptions& options) {
  absl::StatusOr<StoredDestination> stored = OpenStored(options.stored, true);
  if (!stored.ok()) return session.Fail(stored.status());
  absl::StatusOr<std::vector<StateVersion>> versions =
      stored->reader->StateLog(stored->connection, options.entry, true, 1'000'000);
  if (!versions.ok()) return session.Fail(AsLocal(versions.status()));
  // Newest first: the first of each entry is the current one.
  std::vector<const StateVersion*> chosen;
  for (const StateVersion& version : *versions) {
    bool newer = false;
    for (const StateVersion* seen : chosen) newer = newer || seen->entry == version.entry;
    if (options.version > 0 ? version.version == options.version : !newer) {
      chosen.push_back(&version);
    }
  }
  if (chosen.empty()) {
    return session.Fail(absl::NotFoundError(
        absl::StrCat(stored->path, ": connection ", stored->connection, " has no such state")));
  }
  if (session.json()) {
    Json list = Json::array();
    for (const StateVersion* version : chosen) list.push_back(VersionJson(*version, true));
    session.PrintJson(list);
    return ExitCode::kDone;
  }
  for (const StateVersion* version : chosen) {
    session.Note(session.Heading(
        absl::StrCat(version->entry.empty() ? "(connection)" : version->entry, " version ",
                     version->version, ", ", StateKindName(version->kind), ", ",
                     FormatReportTime(absl::FromUnixMicros(version->created_at_us)))));
    session.Print(Body(*version) + "\n");
  }
  return ExitCode::kDone;
}

}  // namespace

void AddStateCommands(CLI::App& app, Action* action) {
  CLI::App* state = app.add_subcommand("state", "Show the versions of a connection's state");
  state->require_subcommand(1);
  auto options = std::make_shared<StateOptions>();
  const auto add = [&](const char* name, const char* help, auto show) {
    CLI::App* command = state->add_subcommand(name, help);
    AddStoredOptions(*command, &options->stored);
    command->add_option("--entry", options->entry, "Only this entry (a table; \"\": connection)");
    command->callback([options, action, show] {
      *action = [options, show](Session& session) { return show(session, *options); };
    });
    return command;
  };
  add("log", "List the versions, newest first, and verify their chain", ShowLog)
      ->add_option("--limit", options->limit, "How many")
      ->check(CLI::Range(1, 1'000'000));
  add("show", "Print a state", ShowState)
      ->add_option("--version", options->version, "This version; default: the current one");
}

}  // namespace tidemark
