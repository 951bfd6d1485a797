#include "service/control_sources.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "control/connector_target.h"
#include "control/exit_code.h"
#include "control/plan.h"
#include "control/plugin_documents.h"
#include "service/call_error.h"
#include "service/page_token.h"
#include "wire/call_status.h"

namespace tidemark {
namespace {

constexpr uint32_t kPreviewRows = 10;
constexpr uint32_t kMaxPreviewRows = 1'000;
constexpr uint64_t kDescribing = uint64_t{1} << 30;  // bytes a plugin may take for that

std::string TypeText(const ColumnType& type) {
  if (type.type == DataType::kUndeclared) return "";
  std::string text(DataTypeName(type.type));
  if (type.precision > 0) absl::StrAppend(&text, "(", type.precision, ",", type.scale, ")");
  return text;
}

void ToMessage(const ConnectorDescription& description, const std::string& path, bool options,
               v1::Plugin* message) {
  message->set_id(MessageText(description.id));
  message->set_path(path);
  message->set_version(MessageText(description.version));
  message->set_description(MessageText(description.description));
  for (const std::string& name : CapabilityNames(description.capabilities)) {
    message->add_capabilities(name);
  }
  for (const std::string& name : description.extensions) {
    message->add_extensions(MessageText(name));
  }
  message->set_state_format(description.state_format);
  if (!options) return;
  for (const ConnectorDescription::Option& option : description.options) {
    v1::PluginOption* out = message->add_options();
    out->set_name(MessageText(option.name));
    out->set_type(std::string(DataTypeName(option.type)));
    out->set_required(option.required);
    out->set_secret(option.secret);
    out->set_default_value(MessageText(option.default_value));
    out->set_help(MessageText(option.help));
    for (const std::string& choice : option.choices) out->add_choices(MessageText(choice));
    out->set_reads_path(option.reads_path);
    out->set_writes_path(option.writes_path);
    out->set_json_schema(MessageText(option.json_schema));
  }
}

}  // namespace

absl::Status ControlSources::Check(ControlCall& /*call*/, const v1::CheckConnectionRequest& request,
                                   v1::CheckConnectionResponse* response) {
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit = parts_.runner->Visit(request.name());
  absl::Status status = visit.status();
  if (absl::IsNotFound(status) && !IsUsage(status)) return status;
  if (!ReasonOf(status).empty()) return status;  // not the connection's fault
  if (visit.ok()) {
    Engine& engine = *(*visit)->engine();
    const Connection& connection = engine.connection();
    for (const std::string& line : connection.notices) response->add_notices(MessageText(line));
    for (const std::string& line : connection.warnings) response->add_warnings(MessageText(line));
    response->set_connector(MessageText(engine.description().id));
    response->set_connector_version(MessageText(engine.description().version));
    response->set_destination(connection.destination.path);
    response->set_destination_exists(access(connection.destination.path.c_str(), F_OK) == 0);
    status = engine.Check();
    if (absl::Status ended = (*visit)->Explain(status); ended != status) return ended;
    if (status.ok() && response->destination_exists()) {
      status = OpenReader(connection.destination.path).status();
    }
  }
  response->set_ok(status.ok());
  response->set_exit_code(static_cast<int32_t>(ExitCodeOf(status)));
  response->set_problem(StatusText(parts_.redactor->Apply(status.message())));
  if (status.ok()) {
    const nlohmann::ordered_json json = {
        {"status", "ok"}, {"connection", ConnectionJson((*visit)->engine()->connection())}};
    response->set_json(parts_.redactor->Apply(DumpJson(json, 2)));
  }
  return absl::OkStatus();
}

absl::Status ControlSources::Plan(ControlCall& /*call*/, const v1::PlanConnectionRequest& request,
                                  v1::PlanConnectionResponse* response) {
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit = parts_.runner->Visit(request.name());
  if (!visit.ok()) return EngineError(visit.status());
  absl::StatusOr<SyncPlan> plan = MakePlan(*(*visit)->engine());
  if (!plan.ok()) return EngineError((*visit)->Explain(plan.status()));
  for (const SyncPlan::Table& table : plan->tables) {
    v1::PlanConnectionResponse::Table* out = response->add_tables();
    out->set_table(MessageText(table.table));
    out->set_destination_table(MessageText(table.destination_table));
    out->set_selected(table.selected);
    for (const std::string& change : table.changes) out->add_changes(MessageText(change));
    out->set_sync_type(table.sync_type);
    out->set_from(MessageText(table.from));
  }
  response->set_destination(plan->destination);
  response->set_destination_exists(plan->destination_exists);
  for (const std::string& line : plan->notices) response->add_notices(MessageText(line));
  response->set_json(parts_.redactor->Apply(DumpJson(PlanJson(*plan), 2)));
  return absl::OkStatus();
}

absl::Status ControlSources::ListTables(ControlCall& /*call*/, const v1::ListTablesRequest& request,
                                        v1::ListTablesResponse* response) {
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit = parts_.runner->Visit(request.connection());
  if (!visit.ok()) return EngineError(visit.status());
  absl::StatusOr<std::vector<TableSchema>> schema = (*visit)->engine()->Schema();
  if (!schema.ok()) return EngineError((*visit)->Explain(schema.status()));
  for (const TableSchema& table : *schema) {
    v1::SourceTable* out = response->add_tables();
    out->set_name(MessageText(QualifiedName(table)));
    for (const Column& column : table.columns) {
      v1::SourceColumn* one = out->add_columns();
      one->set_name(MessageText(column.name));
      one->set_type(TypeText(column.type));
      one->set_key(column.key);
      one->set_cursor(column.cursor);
      one->set_sensitive(column.sensitive);
    }
  }
  return absl::OkStatus();
}

absl::Status ControlSources::Preview(ControlCall& /*call*/, const v1::PreviewTableRequest& request,
                                     v1::PreviewTableResponse* response) {
  if (request.rows() > kMaxPreviewRows) return BadField("rows", "at most 1,000 rows are shown");
  const uint32_t rows = request.rows() == 0 ? kPreviewRows : request.rows();
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit = parts_.runner->Visit(request.connection());
  if (!visit.ok()) return EngineError(visit.status());
  absl::StatusOr<tidemark::Preview> preview =
      (*visit)->engine()->ReadPreview(request.table(), rows);
  if (!preview.ok()) return EngineError((*visit)->Explain(preview.status()));
  for (const tidemark::Preview::Table& table : preview->tables) {
    v1::PreviewTableResponse::PreviewedTable* out = response->add_tables();
    out->set_name(MessageText(table.name));
    for (const std::string& column : table.columns) out->add_columns(MessageText(column));
    for (const auto& row : table.rows) {
      v1::PreviewTableResponse::PreviewRow* cells = out->add_rows();
      for (const std::optional<std::string>& cell : row) {
        v1::PreviewTableResponse::Cell* one = cells->add_cells();
        if (cell.has_value()) one->set_text(MessageText(*cell));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status ControlSources::ListPlugins(ControlCall& call, const v1::ListPluginsRequest& request,
                                         v1::ListPluginsResponse* response) {
  absl::StatusOr<PageRequest> page = ReadPage(request);
  if (!page.ok()) return page.status();
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit = parts_.runner->visits().Begin(kDescribing);
  if (!visit.ok()) return visit.status();
  // By path: a plugin that cannot be used has no id.
  std::vector<std::string> paths = ListPluginFiles(parts_.search);
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    if (path <= page->after) continue;
    if (call.cancelled()) return absl::CancelledError("the caller has gone");
    if (static_cast<size_t>(response->plugins_size()) == page->size) {
      response->set_next_page_token(
          PageToken(request, response->plugins(response->plugins_size() - 1).path()));
      break;
    }
    absl::StatusOr<ConnectorTarget> target = ResolveConnector(path, ".", false, parts_.search);
    absl::StatusOr<ConnectorDescription> description =
        target.ok() ? DescribeConnector(*target, {}, (*visit)->cancellation()) : target.status();
    if (absl::Status s = (*visit)->Explain(description.status()); s != description.status()) {
      return s;
    }
    v1::Plugin* plugin = response->add_plugins();
    plugin->set_path(path);
    if (description.ok()) {
      ToMessage(*description, path, false, plugin);
    } else {
      plugin->set_problem(StatusText(description.status().message()));
    }
  }
  return absl::OkStatus();
}

absl::Status ControlSources::DescribePlugin(ControlCall& /*call*/,
                                            const v1::DescribePluginRequest& request,
                                            v1::Plugin* response) {
  // An id alone: a path would let callers load whatever lies on the server.
  const bool plain = std::all_of(request.id().begin(), request.id().end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-';
  });
  if (!plain || request.id().empty())
    return BadField("id", "name a plugin by its id, as ListPlugins gives it");
  absl::StatusOr<ConnectorTarget> target =
      ResolveConnector(request.id(), "/", false, parts_.search);
  if (!target.ok()) {
    return WithReason(absl::NotFoundError(target.status().message()), "NO_PLUGIN");
  }
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit = parts_.runner->visits().Begin(kDescribing);
  if (!visit.ok()) return visit.status();
  absl::StatusOr<ConnectorDescription> description =
      DescribeConnector(*target, {}, (*visit)->cancellation());
  if (!description.ok()) return EngineError((*visit)->Explain(description.status()));
  ToMessage(*description, target->path, true, response);
  return absl::OkStatus();
}

}  // namespace tidemark
