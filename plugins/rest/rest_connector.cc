#include "rest/rest_connector.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "rest/json_page.h"
#include "rest/pager.h"
#include "rest/table_cursor.h"
#include "rest/table_reader.h"

namespace tidemark::rest {
namespace {

using nlohmann::json;

// The state of a table: {"type": .., "cursor": .., "deleted": {"type": .., ..}}.
struct TableState {
  json rows;     // null: none
  json deleted;  // null: none
};

absl::StatusOr<TableState> ReadState(absl::string_view table, absl::string_view body) {
  TableState state;
  if (body.empty()) return state;
  state.rows = json::parse(body.begin(), body.end(), nullptr, false);
  if (!state.rows.is_object()) {
    return absl::DataLossError(absl::StrCat("the state of table ", table, " is not a JSON object"));
  }
  if (const auto deleted = state.rows.find("deleted"); deleted != state.rows.end()) {
    state.deleted = *deleted;
    state.rows.erase(deleted);
  }
  if (state.rows.empty() && state.deleted.is_null()) return TableState();
  return state;
}

absl::Status AboutState(absl::string_view table, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat("the state of table ", table, ": ", status.message()));
}

// The two cursors of a table, made from its state.
struct TableCursors {
  std::unique_ptr<TableCursor> rows;
  std::unique_ptr<TableCursor> deleted;  // null: the endpoint lists none
};

absl::StatusOr<TableCursors> MakeCursors(const EndpointOptions& endpoint, absl::string_view body,
                                         CursorRun run) {
  absl::StatusOr<TableState> state = ReadState(endpoint.table, body);
  if (!state.ok()) return state.status();
  TableCursors cursors;
  run.state = state->rows;
  auto rows = MakeCursor(endpoint.incremental, run);
  if (!rows.ok()) return AboutState(endpoint.table, rows.status());
  cursors.rows = *std::move(rows);
  if (endpoint.deleted == nullptr) return cursors;
  run.state = state->deleted;
  run.deletes = true;
  auto deleted = MakeCursor(endpoint.deleted->incremental, run);
  if (!deleted.ok()) return AboutState(endpoint.table, deleted.status());
  cursors.deleted = *std::move(deleted);
  return cursors;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RestConnector>> RestConnector::Create(const Config& config) {
  absl::StatusOr<RestOptions> options = RestOptions::Read(config);
  if (!options.ok()) return options.status();
  auto client = http::HttpClient::Create(options->client);
  if (!client.ok()) return client.status();
  return absl::WrapUnique(
      new RestConnector(*std::move(options), *std::move(client), config.host()));
}

absl::StatusOr<tidemark::Schema> RestConnector::Schema() {
  tidemark::Schema schema;
  for (const EndpointOptions& endpoint : options_.endpoints) {
    Table table(endpoint.table);
    const bool timestamp = endpoint.incremental.type == IncrementalOptions::Type::kTimestamp;
    const auto find = [&endpoint](const std::string& name) {
      const auto& columns = endpoint.columns;
      const auto at = std::find_if(columns.begin(), columns.end(),
                                   [&name](const ColumnDefinition& c) { return c.name == name; });
      return at == columns.end() ? ColumnDefinition{.name = name} : *at;
    };
    for (const std::string& name : endpoint.key) {
      const ColumnDefinition c = find(name);
      table.Key(name, c.type, {.precision = c.precision, .scale = c.scale});
    }
    for (const ColumnDefinition& c : endpoint.columns) {
      if (std::count(endpoint.key.begin(), endpoint.key.end(), c.name) > 0) continue;
      table.Column(c.name, c.type,
                   {.precision = c.precision,
                    .scale = c.scale,
                    .cursor = timestamp && c.name == endpoint.incremental.field});
    }
    schema.Add(std::move(table));
  }
  return schema;
}

absl::Status RestConnector::Check() {
  ApiSession session(options_, client_.get());
  const auto check = [&]() -> absl::Status {
    const EndpointOptions& endpoint = options_.endpoints.front();
    auto cursors = MakeCursors(endpoint, "", {.state = {}, .now = host_.Now()});
    if (!cursors.ok()) return cursors.status();
    Variables variables;
    Parameters parameters;
    Pager pager(endpoint, 1);
    pager.Begin(cursors->rows->After());
    cursors->rows->NextRange();
    cursors->rows->AddTo(&variables, &parameters);
    pager.AddTo(&variables, &parameters);
    auto request = endpoint.request.Build(variables);
    if (!request.ok()) return request.status();
    for (const auto& [name, value] : parameters) request->url.AddQuery(name, value);
    // A check does not wait.
    auto response = session.Fetch(*request, [](absl::Duration) { return absl::OkStatus(); }, 0);
    if (!response.ok()) return response.status();
    const JsonPage page(std::move(response->body));
    return page.Records(endpoint.records).status();
  };
  return session.secrets().Redact(check());
}

absl::Status RestConnector::ValidateState(absl::Span<const StateEntry> entries) {
  for (const StateEntry& entry : entries) {
    for (const EndpointOptions& endpoint : options_.endpoints) {
      if (entry.table != endpoint.table) continue;
      const auto cursors = MakeCursors(endpoint, entry.body, {.state = {}, .now = host_.Now()});
      if (!cursors.ok()) return options_.secrets.Redact(cursors.status());
    }
  }
  return absl::OkStatus();
}

absl::Status RestConnector::ReadRows(const ReadRequest& request, Sink& sink) {
  ApiSession session(options_, client_.get());
  const auto read = [&]() -> absl::Status {
    for (const EndpointOptions& endpoint : options_.endpoints) {
      if (endpoint.table != request.table().name()) continue;
      auto cursors = MakeCursors(endpoint, "", {.state = {}, .now = sink.Now()});
      if (!cursors.ok()) return cursors.status();
      TableReader reader(endpoint, {.table = endpoint.table}, &session, cursors->rows.get(), &sink);
      return reader.Read([] { return absl::OkStatus(); });
    }
    return absl::NotFoundError(absl::StrCat("no endpoint has the table ", request.table().name()));
  };
  const absl::Status status = read();
  const std::string repeated = session.DescribeRetries();
  // The sink keeps its error, and returns it for the whole read.
  if (!repeated.empty()) sink.Warn(repeated).IgnoreError();
  return session.secrets().Redact(status);
}

absl::Status RestConnector::Update(const UpdateRequest& request, Sink& sink) {
  ApiSession session(options_, client_.get());
  const absl::Status status = UpdateTables(request, session, sink);
  const std::string repeated = session.DescribeRetries();
  // The sink keeps its error, and returns it for the whole run.
  if (!repeated.empty()) sink.Warn(repeated).IgnoreError();
  return session.secrets().Redact(status);
}

absl::Status RestConnector::UpdateTables(const UpdateRequest& request, ApiSession& session,
                                         Sink& sink) {
  int64_t selected = 0;
  for (const EndpointOptions& endpoint : options_.endpoints) {
    if (request.Selected(endpoint.table)) ++selected;
  }
  absl::Status transient;
  for (const EndpointOptions& endpoint : options_.endpoints) {
    if (!request.Selected(endpoint.table)) continue;
    absl::Status status = UpdateTable(endpoint, request, session, sink);
    if (!sink.status().ok()) return sink.status();
    // Credentials are those of all tables, and so is the wish to stop.
    const bool ends_all = absl::IsUnauthenticated(status) || absl::IsCancelled(status) ||
                          absl::IsPermissionDenied(status);
    if (!status.ok() && (ends_all || selected == 1)) return status;
    const bool transient_failure = absl::IsUnavailable(status) ||
                                   absl::IsDeadlineExceeded(status) ||
                                   absl::IsResourceExhausted(status) || absl::IsAborted(status);
    if (transient_failure) {  // The other tables go on first, then the host tries again.
      transient.Update(status);
      continue;
    }
    if (absl::Status s = sink.TableDone(endpoint.table, session.secrets().Redact(status));
        !s.ok()) {
      return s;
    }
  }
  return transient;
}

absl::Status RestConnector::UpdateTable(const EndpointOptions& endpoint,
                                        const UpdateRequest& request, ApiSession& session,
                                        Sink& sink) {
  const bool full = request.ModeOf(endpoint.table) == Mode::kFull;
  auto cursors = MakeCursors(
      endpoint, full ? "" : request.State(endpoint.table),
      {.state = {}, .now = sink.Now(), .from = request.from(), .until = request.until()});
  if (!cursors.ok()) return cursors.status();
  const auto checkpoint = [&]() -> absl::Status {
    json state = cursors->rows->State();
    if (cursors->deleted != nullptr) state["deleted"] = cursors->deleted->State();
    const std::string body = state.dump(-1, ' ', false, json::error_handler_t::replace);
    const std::string cursor = cursors->rows->HighWater();
    const NewState entry = {.table = endpoint.table,
                            .body = body,
                            .cursor = cursor,
                            .watermark = cursors->rows->Watermark()};
    return sink.CheckpointStates({&entry, 1});
  };
  TableReader::Target target = {.table = endpoint.table, .page_rows = request.page_rows()};
  // Deletions first: a row that was deleted and came back since is there in the end.
  if (endpoint.deleted != nullptr) {
    target.deletes = true;
    TableReader reader(*endpoint.deleted, target, &session, cursors->deleted.get(), &sink);
    if (absl::Status s = reader.Read([] { return absl::OkStatus(); }); !s.ok()) return s;
  }
  target.deletes = false;
  if (endpoint.incremental.remove_missing) {
    if (absl::Status s = sink.Truncate(endpoint.table); !s.ok()) return s;
  }
  TableReader reader(endpoint, target, &session, cursors->rows.get(), &sink);
  return reader.Read(checkpoint);
}

}  // namespace tidemark::rest
