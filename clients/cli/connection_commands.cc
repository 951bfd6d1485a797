// `tidemark check`, `plan`, `tables` and `preview`: look at a connection without writing.
#include <unistd.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "commands.h"
#include "control/plan.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct ConnectionOptions {
  std::string file;
  std::string table;
  int rows = 5;
};

absl::StatusOr<std::unique_ptr<Engine>> Open(Session& session, const std::string& file) {
  absl::StatusOr<Connection> connection = LoadConnection(file);
  if (!connection.ok()) return connection.status();
  return session.OpenEngine(*std::move(connection));
}

ExitCode Check(Session& session, const ConnectionOptions& options) {
  absl::StatusOr<std::unique_ptr<Engine>> engine = Open(session, options.file);
  if (!engine.ok()) return session.Fail(engine.status());
  const Connection& connection = (*engine)->connection();
  if (absl::Status status = (*engine)->Check(); !status.ok()) return session.Fail(status);
  if (session.json()) {
    Json json = {{"status", "ok"}, {"connection", ConnectionJson(connection)}};
    session.PrintJson(json);
    return ExitCode::kDone;
  }
  session.Note(absl::StrCat("configuration  ok (", connection.file, ")"));
  for (const std::string& notice : connection.notices) {
    session.Note(absl::StrCat("notice         ", notice));
  }
  for (const std::string& warning : connection.warnings) {
    session.Note(absl::StrCat("warning        ", warning));
  }
  session.Note(absl::StrCat("connector      ", (*engine)->description().id, " ",
                            (*engine)->description().version));
  session.Note((*engine)->IsPushed()
                   ? "source         programs push into it, through a server (tidemarkd)"
                   : "source         ok");
  const bool exists = access(connection.destination.path.c_str(), F_OK) == 0;
  if (exists) {
    if (auto reader = OpenReader(connection.destination.path); !reader.ok()) {
      return session.Fail(reader.status());
    }
  }
  session.Note(absl::StrCat("destination    ", exists ? "ok" : "will be created by the first sync",
                            " (", connection.destination.path, ")"));
  return ExitCode::kDone;
}

ExitCode Plan(Session& session, const ConnectionOptions& options) {
  absl::StatusOr<std::unique_ptr<Engine>> engine = Open(session, options.file);
  if (!engine.ok()) return session.Fail(engine.status());
  absl::StatusOr<SyncPlan> plan = MakePlan(**engine);
  if (!plan.ok()) return session.Fail(plan.status());
  if (session.json()) {
    session.PrintJson(PlanJson(*plan));
  } else {
    session.Print(PlanText(*plan));
  }
  return ExitCode::kDone;
}

ExitCode Tables(Session& session, const ConnectionOptions& options) {
  absl::StatusOr<std::unique_ptr<Engine>> engine = Open(session, options.file);
  if (!engine.ok()) return session.Fail(engine.status());
  absl::StatusOr<std::vector<TableSchema>> schema = (*engine)->Schema();
  if (!schema.ok()) return session.Fail(schema.status());
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const TableSchema& table : *schema) {
    Json columns = Json::object();
    std::vector<std::string> key;
    std::vector<std::string> names;
    for (const Column& column : table.columns) {
      columns[column.name] = std::string(DataTypeName(column.type.type));
      if (column.key) key.push_back(column.name);
      names.push_back(column.name);
    }
    json.push_back({{"table", QualifiedName(table)}, {"primary_key", key}, {"columns", columns}});
    rows.push_back({QualifiedName(table), absl::StrJoin(key, ", "), absl::StrJoin(names, ", ")});
  }
  if (session.json()) {
    session.PrintJson(json);
  } else if (rows.empty()) {
    session.Note("The connector declares no tables; they appear with their first rows.");
  } else {
    session.Print(TextTable({"table", "primary key", "columns"}, rows));
  }
  return ExitCode::kDone;
}

ExitCode ShowPreview(Session& session, const ConnectionOptions& options) {
  absl::StatusOr<std::unique_ptr<Engine>> engine = Open(session, options.file);
  if (!engine.ok()) return session.Fail(engine.status());
  absl::StatusOr<Preview> preview =
      (*engine)->ReadPreview(options.table, static_cast<size_t>(options.rows));
  if (!preview.ok()) return session.Fail(preview.status());
  Json json = Json::array();
  for (const Preview::Table& table : preview->tables) {
    Json list = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const auto& row : table.rows) {
      Json object = Json::object();
      std::vector<std::string>& texts = rows.emplace_back();
      for (size_t i = 0; i < row.size(); ++i) {
        object[table.columns[i]] = row[i].has_value() ? Json(*row[i]) : Json(nullptr);
        texts.push_back(row[i].value_or("NULL"));
      }
      list.push_back(std::move(object));
    }
    json.push_back({{"table", table.name}, {"rows", std::move(list)}});
    if (!session.json()) {
      session.Print(
          absl::StrCat(session.Heading(table.name), "\n", TextTable(table.columns, rows)));
    }
  }
  if (session.json()) session.PrintJson(json);
  return ExitCode::kDone;
}

}  // namespace

void AddConnectionCommands(CLI::App& app, Action* action) {
  auto options = std::make_shared<ConnectionOptions>();
  const auto add = [&](const char* name, const char* help, auto run) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_option("FILE", options->file, "The connection file")->required();
    command->callback([options, action, run] {
      *action = [options, run](Session& session) { return run(session, *options); };
    });
    return command;
  };
  add("check", "Validate a connection file and try its source", Check);
  add("plan", "Show what a sync would change at the destination, without writing", Plan);
  add("tables", "List the tables of a connection's source", Tables);
  CLI::App* preview = add("preview", "Show the first rows of a connection's source", ShowPreview);
  preview->add_option("--table", options->table, "Only this table");
  preview->add_option("--rows", options->rows, "Rows per table")->check(CLI::Range(1, 1000));
}

}  // namespace tidemark
