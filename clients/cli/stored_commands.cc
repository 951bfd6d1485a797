// `tidemark rows` and `tidemark dead-letters`: what stands in a destination.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "commands.h"
#include "control/state_documents.h"
#include "stored_destination.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct RowsOptions {
  StoredChoice stored;
  std::string table;
  int limit = 20;
};

ExitCode ListTables(Session& session, StoredDestination& stored) {
  std::vector<std::string> connections = {stored.connection};
  if (stored.connection.empty()) {
    absl::StatusOr<std::vector<std::string>> names = stored.reader->Connections();
    if (!names.ok()) return session.Fail(AsLocal(names.status()));
    connections = *std::move(names);
  }
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const std::string& connection : connections) {
    absl::StatusOr<std::vector<StoredTable>> tables = stored.reader->Tables(connection);
    if (!tables.ok()) return session.Fail(AsLocal(tables.status()));
    for (const StoredTable& table : *tables) {
      rows.push_back({table.table.name, connection, table.table.source_name});
      json.push_back({{"table", table.table.name},
                      {"connection", connection},
                      {"source", table.table.source_name}});
    }
  }
  session.json() ? session.PrintJson(json)
                 : session.Print(TextTable({"table", "connection", "source"}, rows));
  return ExitCode::kDone;
}

// Tidemark's own columns behind those of the source; later columns of a table follow them in the
// file.
void OwnColumnsLast(RowPage* page) {
  std::vector<size_t> order;
  for (const bool own : {false, true}) {
    for (size_t i = 0; i < page->columns.size(); ++i) {
      if (absl::StartsWith(page->columns[i], "_tidemark_") == own) order.push_back(i);
    }
  }
  const auto sort = [&order](auto* cells) {
    auto sorted = *cells;
    for (size_t i = 0; i < order.size() && order[i] < cells->size(); ++i) {
      sorted[i] = std::move((*cells)[order[i]]);
    }
    *cells = std::move(sorted);
  };
  sort(&page->columns);
  for (auto& row : page->rows) sort(&row);
}

ExitCode ShowRows(Session& session, const RowsOptions& options) {
  absl::StatusOr<StoredDestination> stored = OpenStored(options.stored, false);
  if (!stored.ok()) return session.Fail(stored.status());
  if (options.table.empty()) return ListTables(session, *stored);
  absl::StatusOr<RowPage> page = stored->reader->Rows(options.table, options.limit);
  if (!page.ok()) return session.Fail(AsLocal(page.status()));
  OwnColumnsLast(&*page);
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : page->rows) {
    Json object = Json::object();
    std::vector<std::string>& texts = rows.emplace_back();
    for (size_t i = 0; i < row.size() && i < page->columns.size(); ++i) {
      object[page->columns[i]] = row[i].has_value() ? Json(*row[i]) : Json(nullptr);
      texts.push_back(row[i].value_or("NULL"));
    }
    json.push_back(std::move(object));
  }
  session.json() ? session.PrintJson(json) : session.Print(TextTable(page->columns, rows));
  return ExitCode::kDone;
}

struct LetterOptions {
  StoredChoice stored;
  int64_t id = 0;
  int limit = 50;
};

ExitCode ListLetters(Session& session, const LetterOptions& options) {
  absl::StatusOr<StoredDestination> stored = OpenStored(options.stored, false);
  if (!stored.ok()) return session.Fail(stored.status());
  auto letters = stored->reader->DeadLetters(stored->connection, options.limit);
  if (!letters.ok()) return session.Fail(AsLocal(letters.status()));
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const StoredDeadLetter& letter : *letters) {
    json.push_back(DeadLetterJson(letter));
    rows.push_back({absl::StrCat(letter.id), letter.letter.table, letter.letter.key_json,
                    letter.letter.reason, letter.status});
  }
  if (session.json()) {
    session.PrintJson(json);
  } else if (rows.empty()) {
    session.Note("No dead letters.");
  } else {
    session.Print(TextTable({"id", "table", "key", "reason", "status"}, rows));
  }
  return ExitCode::kDone;
}

ExitCode ShowLetter(Session& session, const LetterOptions& options) {
  absl::StatusOr<StoredDestination> stored = OpenStored(options.stored, false);
  if (!stored.ok()) return session.Fail(stored.status());
  absl::StatusOr<StoredDeadLetter> letter = stored->reader->DeadLetterById(options.id);
  if (!letter.ok()) return session.Fail(AsLocal(letter.status()));
  session.PrintJson(DeadLetterJson(*letter));
  return ExitCode::kDone;
}

ExitCode DiscardLetter(Session& session, const LetterOptions& options) {
  absl::StatusOr<StoredDestination> stored = OpenStored(options.stored, false);
  if (!stored.ok()) return session.Fail(stored.status());
  if (absl::Status status = stored->reader->MarkDeadLetter(options.id, "discarded"); !status.ok()) {
    return session.Fail(AsLocal(status));
  }
  session.Note(absl::StrCat("Dead letter ", options.id, " is discarded."));
  return ExitCode::kDone;
}

}  // namespace

void AddRowsCommand(CLI::App& app, Action* action) {
  auto options = std::make_shared<RowsOptions>();
  CLI::App* command = app.add_subcommand("rows", "Show rows of a destination");
  command->add_option("TABLE", options->table, "The table; without one, the tables are listed");
  AddStoredOptions(*command, &options->stored);
  command->add_option("--limit", options->limit, "How many rows")->check(CLI::Range(1, 1'000'000));
  command->callback([options, action] {
    *action = [options](Session& session) { return ShowRows(session, *options); };
  });
}

void AddDeadLetterCommands(CLI::App& app, Action* action) {
  CLI::App* group = app.add_subcommand("dead-letters", "Review rows that could not be written");
  group->require_subcommand(1);
  auto options = std::make_shared<LetterOptions>();
  const auto add = [&](const char* name, const char* help, bool one, auto run) {
    CLI::App* command = group->add_subcommand(name, help);
    if (one) command->add_option("ID", options->id, "The dead letter's number")->required();
    AddStoredOptions(*command, &options->stored);
    command->callback([options, action, run] {
      *action = [options, run](Session& session) { return run(session, *options); };
    });
    return command;
  };
  add("list", "List them, newest first", false, ListLetters)
      ->add_option("--limit", options->limit, "How many")
      ->check(CLI::Range(1, 1'000'000));
  add("show", "Show one with its whole context", true, ShowLetter);
  add("discard", "Mark one as discarded", true, DiscardLetter);
  AddDeadLetterReplayCommands(*group, action);
}

}  // namespace tidemark
