// `tidemark --server ... check`, `plan`, `tables`, `preview`, `plugins` and `connections`.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/plan.h"
#include "remote_commands.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;
using Stub = v1::Control::Stub;

Json Parsed(const std::string& json) { return Json::parse(json, nullptr, false); }

// The status that `check` found, with the exit code that it would have had here.
absl::Status CheckFailure(const v1::CheckConnectionResponse& response) {
  switch (static_cast<ExitCode>(response.exit_code())) {
    case ExitCode::kUsage:
      return AsUsage(absl::InvalidArgumentError(response.problem()));
    case ExitCode::kAuthentication:
      return absl::UnauthenticatedError(response.problem());
    default:
      return AsLocal(absl::FailedPreconditionError(response.problem()));
  }
}

ExitCode CheckConnection(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection(true);
  if (!name.ok()) return call.session.Fail(name.status());
  v1::CheckConnectionRequest request;
  request.set_name(*name);
  v1::CheckConnectionResponse response;
  if (absl::Status status = call.server.Call(&Stub::CheckConnection, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  if (!response.ok()) return call.session.Fail(CheckFailure(response));
  if (call.session.json()) {
    call.session.PrintJson(Parsed(response.json()));
    return ExitCode::kDone;
  }
  call.session.Note(absl::StrCat("configuration  ok (connection ", *name, ")"));
  for (const std::string& line : response.notices()) {
    call.session.Note(absl::StrCat("notice         ", line));
  }
  for (const std::string& line : response.warnings()) {
    call.session.Note(absl::StrCat("warning        ", line));
  }
  call.session.Note(
      absl::StrCat("connector      ", response.connector(), " ", response.connector_version()));
  call.session.Note("source         ok");
  call.session.Note(absl::StrCat(
      "destination    ", response.destination_exists() ? "ok" : "will be created by the first sync",
      " (", response.destination(), ")"));
  return ExitCode::kDone;
}

ExitCode PlanConnection(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection(true);
  if (!name.ok()) return call.session.Fail(name.status());
  v1::PlanConnectionRequest request;
  request.set_name(*name);
  v1::PlanConnectionResponse response;
  if (absl::Status status = call.server.Call(&Stub::PlanConnection, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  if (call.session.json()) {
    call.session.PrintJson(Parsed(response.json()));
    return ExitCode::kDone;
  }
  SyncPlan plan;
  plan.connection = *name;
  plan.destination = response.destination();
  plan.destination_exists = response.destination_exists();
  plan.notices.assign(response.notices().begin(), response.notices().end());
  for (const auto& table : response.tables()) {
    plan.tables.push_back({table.table(),
                           table.destination_table(),
                           table.selected(),
                           {table.changes().begin(), table.changes().end()},
                           table.sync_type(),
                           table.from()});
  }
  call.session.Print(PlanText(plan));
  return ExitCode::kDone;
}

ExitCode ListTables(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::ListTablesRequest request;
  request.set_connection(*name);
  v1::ListTablesResponse response;
  if (absl::Status status = call.server.Call(&Stub::ListTables, request, &response); !status.ok()) {
    return call.session.Fail(status);
  }
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const v1::SourceTable& table : response.tables()) {
    Json columns = Json::object();
    std::vector<std::string> key;
    std::vector<std::string> names;
    for (const v1::SourceColumn& column : table.columns()) {
      // The type's name alone, as the local command writes it.
      columns[column.name()] = column.type().empty()
                                   ? std::string(DataTypeName(DataType::kUndeclared))
                                   : column.type().substr(0, column.type().find('('));
      if (column.key()) key.push_back(column.name());
      names.push_back(column.name());
    }
    json.push_back({{"table", table.name()}, {"primary_key", key}, {"columns", columns}});
    rows.push_back({table.name(), absl::StrJoin(key, ", "), absl::StrJoin(names, ", ")});
  }
  if (call.session.json()) {
    call.session.PrintJson(json);
  } else if (rows.empty()) {
    call.session.Note("The connector declares no tables; they appear with their first rows.");
  } else {
    call.session.Print(TextTable({"table", "primary key", "columns"}, rows));
  }
  return ExitCode::kDone;
}

ExitCode ShowPreview(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::PreviewTableRequest request;
  request.set_connection(*name);
  request.set_table(call.Text("--table"));
  request.set_rows(static_cast<uint32_t>(call.Number("--rows", 5)));
  v1::PreviewTableResponse response;
  if (absl::Status status = call.server.Call(&Stub::PreviewTable, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  Json json = Json::array();
  for (const auto& table : response.tables()) {
    const std::vector<std::string> columns(table.columns().begin(), table.columns().end());
    Json list = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const auto& row : table.rows()) {
      Json object = Json::object();
      std::vector<std::string>& texts = rows.emplace_back();
      for (int i = 0; i < row.cells_size() && i < table.columns_size(); ++i) {
        const auto& cell = row.cells(i);
        object[table.columns(i)] = cell.has_text() ? Json(cell.text()) : Json(nullptr);
        texts.push_back(cell.has_text() ? cell.text() : "NULL");
      }
      list.push_back(std::move(object));
    }
    json.push_back({{"table", table.name()}, {"rows", std::move(list)}});
    if (!call.session.json()) {
      call.session.Print(
          absl::StrCat(call.session.Heading(table.name()), "\n", TextTable(columns, rows)));
    }
  }
  if (call.session.json()) call.session.PrintJson(json);
  return ExitCode::kDone;
}

ExitCode ListPlugins(RemoteCommand& call) {
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  v1::ListPluginsRequest request;
  do {
    v1::ListPluginsResponse response;
    if (absl::Status status = call.server.Call(&Stub::ListPlugins, request, &response);
        !status.ok()) {
      return call.session.Fail(status);
    }
    for (const v1::Plugin& plugin : response.plugins()) {
      json.push_back(MessageJson(plugin));
      rows.push_back(plugin.problem().empty()
                         ? std::vector<std::string>{plugin.id(), plugin.version(),
                                                    plugin.description(), plugin.path()}
                         : std::vector<std::string>{"-", "-", plugin.problem(), plugin.path()});
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  if (call.session.json()) {
    call.session.PrintJson(json);
  } else if (rows.empty()) {
    call.session.Note("The server has no plugins.");
  } else {
    call.session.Print(TextTable({"id", "version", "description", "file"}, rows));
  }
  return ExitCode::kDone;
}

ExitCode ShowPlugin(RemoteCommand& call) {
  v1::DescribePluginRequest request;
  request.set_id(call.Text("TARGET"));
  v1::Plugin plugin;
  if (absl::Status status = call.server.Call(&Stub::DescribePlugin, request, &plugin);
      !status.ok()) {
    return call.session.Fail(status);
  }
  if (call.session.json()) {
    call.session.PrintJson(MessageJson(plugin));
    return ExitCode::kDone;
  }
  call.session.Print(
      absl::StrCat(call.session.Heading(absl::StrCat(plugin.id(), " ", plugin.version())), "\n",
                   plugin.description(), "\n", plugin.path(), "\n"));
  if (!plugin.capabilities().empty()) {
    call.session.Print(
        absl::StrCat("capabilities: ", absl::StrJoin(plugin.capabilities(), ", "), "\n"));
  }
  call.session.Print(plugin.options().empty() ? "\nNo options.\n" : "\n");
  for (const v1::PluginOption& option : plugin.options()) {
    std::vector<std::string> facts = {option.type()};
    if (option.required()) facts.emplace_back("required");
    if (!option.default_value().empty()) {
      facts.push_back(absl::StrCat("default ", option.default_value()));
    }
    if (option.secret()) facts.emplace_back("secret");
    if (!option.choices().empty()) {
      facts.push_back(absl::StrCat("one of ", absl::StrJoin(option.choices(), ", ")));
    }
    call.session.Print(absl::StrCat("  ", option.name(), " (", absl::StrJoin(facts, "; "),
                                    ")\n      ", option.help(), "\n"));
  }
  return ExitCode::kDone;
}

std::string HealthCell(const v1::ConnectionRecord& record) {
  if (record.paused()) return "paused";
  switch (record.health()) {
    case v1::CONNECTION_HEALTH_OK:
      return "ok";
    case v1::CONNECTION_HEALTH_DEGRADED:
      return "degraded";
    case v1::CONNECTION_HEALTH_BROKEN:
      return "broken";
    case v1::CONNECTION_HEALTH_STALE:
      return "stale";
    default:
      return "";
  }
}

ExitCode ListConnections(RemoteCommand& call) {
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  v1::ListConnectionsRequest request;
  request.set_page_size(1'000);
  do {
    v1::ListConnectionsResponse response;
    if (absl::Status status = call.server.Call(&Stub::ListConnections, request, &response);
        !status.ok()) {
      return call.session.Fail(status);
    }
    for (const v1::ConnectionRecord& record : response.connections()) {
      json.push_back(MessageJson(record));
      rows.push_back({record.name(), HealthCell(record), record.schedule(),
                      TimeCell(record.has_next_sync_at(), record.next_sync_at()),
                      record.connector(), record.problem()});
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  if (call.session.json()) {
    call.session.PrintJson(json);
  } else if (rows.empty()) {
    call.session.Note("The server has no connections; `connections apply FILE` makes one.");
  } else {
    call.session.Print(
        TextTable({"name", "health", "schedule", "next sync", "connector", "problem"}, rows));
  }
  return ExitCode::kDone;
}

ExitCode ShowRecord(Session& session, const v1::ConnectionRecord& record) {
  if (session.json()) {
    session.PrintJson(MessageJson(record));
    return ExitCode::kDone;
  }
  session.Note(absl::StrCat(session.Heading(record.name()), ": version ", record.version(), ", ",
                            HealthCell(record), ", ", record.schedule(),
                            record.problem().empty() ? "" : "\n", record.problem()));
  session.Print(record.yaml());
  return ExitCode::kDone;
}

ExitCode ShowConnection(RemoteCommand& call) {
  v1::GetConnectionRequest request;
  request.set_name(call.Text("NAME"));
  v1::ConnectionRecord record;
  if (absl::Status status = call.server.Call(&Stub::GetConnection, request, &record);
      !status.ok()) {
    return call.session.Fail(status);
  }
  return ShowRecord(call.session, record);
}

ExitCode ApplyConnection(RemoteCommand& call) {
  absl::StatusOr<std::string> text = ReadTextFile(call.Text("FILE"), 1024 * 1024);
  if (!text.ok()) return call.session.Fail(AsUsage(text.status()));
  v1::ApplyConnectionRequest request;
  request.set_yaml(*text);
  request.set_dry_run(call.Flag("--dry-run"));
  request.set_expected_version(static_cast<uint64_t>(call.Number("--expected-version", 0)));
  v1::ApplyConnectionResponse response;
  if (absl::Status status = call.server.Call(&Stub::ApplyConnection, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  if (call.session.json()) {
    call.session.PrintJson(MessageJson(response));
    return ExitCode::kDone;
  }
  for (const std::string& warning : response.warnings()) {
    call.session.Note(absl::StrCat("warning: ", warning));
  }
  for (const std::string& change : response.changes()) call.session.Print(change + "\n");
  const std::string& name = response.connection().name();
  call.session.Note(!response.changed() ? absl::StrCat("Connection ", name, " is the same already.")
                    : request.dry_run() ? absl::StrCat("Connection ", name, " would be ",
                                                       response.created() ? "created." : "changed.")
                    : response.created() ? absl::StrCat("Connection ", name, " was created.")
                                         : absl::StrCat("Connection ", name, " is now version ",
                                                        response.connection().version(), "."));
  return ExitCode::kDone;
}

ExitCode DeleteConnection(RemoteCommand& call) {
  v1::DeleteConnectionRequest request;
  request.set_name(call.Text("NAME"));
  request.set_expected_version(static_cast<uint64_t>(call.Number("--expected-version", 0)));
  v1::DeleteConnectionResponse response;
  if (absl::Status status = call.server.Call(&Stub::DeleteConnection, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  call.session.Note(absl::StrCat("Connection ", request.name(),
                                 " was deleted; its destination, state and reports stay."));
  if (call.session.json()) call.session.PrintJson({{"deleted", request.name()}});
  return ExitCode::kDone;
}

template <typename Request>
ExitCode SetPaused(RemoteCommand& call,
                   grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                v1::ConnectionRecord*)) {
  Request request;
  request.set_name(call.Text("NAME"));
  v1::ConnectionRecord record;
  if (absl::Status status = call.server.Call(method, request, &record); !status.ok()) {
    return call.session.Fail(status);
  }
  call.session.Note(
      absl::StrCat("Connection ", record.name(), record.paused() ? " is paused." : " is resumed."));
  if (call.session.json()) call.session.PrintJson(MessageJson(record));
  return ExitCode::kDone;
}

}  // namespace

void AddRemoteConnectionActions(RemoteActions* actions) {
  *actions = {{"check", CheckConnection},
              {"plan", PlanConnection},
              {"tables", ListTables},
              {"preview", ShowPreview},
              {"plugins list", ListPlugins},
              {"plugins show", ShowPlugin},
              {"connections list", ListConnections},
              {"connections show", ShowConnection},
              {"connections apply", ApplyConnection},
              {"connections delete", DeleteConnection},
              {"connections pause",
               [](RemoteCommand& call) { return SetPaused(call, &Stub::PauseConnection); }},
              {"connections resume",
               [](RemoteCommand& call) { return SetPaused(call, &Stub::ResumeConnection); }}};
}

}  // namespace tidemark
