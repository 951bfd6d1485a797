#include "rest/endpoint_options.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cursors/calendar_span.h"
#include "cursors/time_text.h"
#include "http/url.h"
#include "nlohmann/json.hpp"
#include "rest/request_time.h"

namespace tidemark::rest {
namespace {

using nlohmann::json;

constexpr absl::Duration kReplayBuffer = absl::Hours(2);

const std::vector<std::pair<std::string, Type>>& TypeNames() {
  static const auto* const names =
      new std::vector<std::pair<std::string, Type>>{{"UNDECLARED", kUndeclared},
                                                    {"BOOLEAN", kBoolean},
                                                    {"SHORT", kShort},
                                                    {"INT", kInt},
                                                    {"LONG", kLong},
                                                    {"DECIMAL", kDecimal},
                                                    {"FLOAT", kFloat},
                                                    {"DOUBLE", kDouble},
                                                    {"NAIVE_DATE", kNaiveDate},
                                                    {"NAIVE_TIME", kNaiveTime},
                                                    {"STRING", kString},
                                                    {"NAIVE_DATETIME", kNaiveDatetime},
                                                    {"BINARY", kBinary},
                                                    {"UTC_DATETIME", kUtcDatetime},
                                                    {"XML", kXml},
                                                    {"JSON", kJson}};
  return *names;
}

TextTemplate ReadTemplate(OptionReader& reader, const std::string& name, const std::string& text,
                          const std::vector<std::string>& known) {
  auto parsed = TextTemplate::Parse(text, known);
  if (!parsed.ok()) reader.Fail(name, parsed.status().message());
  return parsed.ok() ? *std::move(parsed) : TextTemplate();
}

std::optional<cursors::CalendarSpan> ReadSpan(OptionReader& reader, const std::string& name,
                                              const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto span = cursors::CalendarSpan::Parse(text);
  if (!span.ok()) reader.Fail(name, span.status().message());
  return span.ok() ? std::optional(*span) : std::nullopt;
}

std::optional<absl::Time> ReadStart(OptionReader& reader, const std::string& name,
                                    const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto time = cursors::ParseTime(text);
  if (!time.ok()) reader.Fail(name, time.status().message());
  return time.ok() ? std::optional(time->time) : std::nullopt;
}

bool IsPointer(const std::string& text) { return text.empty() || text[0] == '/'; }

// {"id": "LONG", "price": {"type": "DECIMAL", "precision": 12, "scale": 2}}
std::vector<ColumnDefinition> ReadColumns(OptionReader& endpoint) {
  std::vector<ColumnDefinition> columns;
  const json given = endpoint.Any("columns");
  OptionReader reader = endpoint.Child("columns");
  if (!given.is_object()) return columns;
  for (const auto& item : given.items()) {
    ColumnDefinition column{.name = item.key()};
    if (!item.value().is_object()) {
      column.type = reader.OneOf<Type>(item.key(), TypeNames());
    } else {
      OptionReader details = reader.Child(item.key());
      column.type = details.OneOf<Type>("type", TypeNames());
      column.precision = static_cast<int32_t>(details.Whole("precision", 0).value_or(0));
      column.scale = static_cast<int32_t>(details.Whole("scale", 0).value_or(0));
      column.unit =
          details.OneOf<EpochUnit>("format", {{"text", EpochUnit::kNone},
                                              {"epoch_seconds", EpochUnit::kSeconds},
                                              {"epoch_milliseconds", EpochUnit::kMilliseconds}});
      details.Finish();
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

PaginationOptions ReadPagination(OptionReader reader) {
  using Kind = PaginationOptions::Type;
  PaginationOptions out;
  out.type = reader.OneOf<Kind>("type", {{"none", Kind::kNone},
                                         {"next_url", Kind::kNextUrl},
                                         {"page_number", Kind::kPageNumber},
                                         {"offset", Kind::kOffset},
                                         {"keyset", Kind::kKeyset},
                                         {"scroll", Kind::kScroll}});
  out.parameter = reader.Text("parameter");
  out.size_parameter = reader.Text("size_parameter");
  out.size = reader.Whole("size", 1);
  out.max_size = reader.Whole("max_size", 1);
  out.first = reader.Whole("first", 0).value_or(1);
  out.pointer = reader.Text("pointer");
  out.field = reader.Text("field");
  out.total_pointer = reader.Text("total");
  out.first_page_only_query = reader.Truth("token_only");
  const bool needs_pointer = out.type == Kind::kNextUrl || out.type == Kind::kScroll;
  if (needs_pointer && out.pointer.empty()) reader.Fail("pointer", "it is missing");
  if (out.type == Kind::kKeyset && out.field.empty()) reader.Fail("field", "it is missing");
  if (!IsPointer(out.pointer)) reader.Fail("pointer", "a JSON pointer begins with /");
  if (!IsPointer(out.total_pointer)) reader.Fail("total", "a JSON pointer begins with /");
  reader.Finish();
  return out;
}

void ReadCompare(OptionReader& reader, const std::string& name, const std::string& text,
                 IncrementalOptions* out) {
  if (text == ">") out->strictly_greater = true;
  if (text == ">=" || text == "auto") out->strictly_greater = false;
  if (!text.empty() && text != ">" && text != ">=" && text != "auto") {
    reader.Fail(name, "it has to be auto, >= or >");
  }
}

void ReadTimestamp(OptionReader& reader, bool replay, bool has_tolerance, IncrementalOptions* out) {
  out->created_at_field = reader.Text("created_at_field", out->created_at_field);
  out->until_parameter = reader.Text("until_parameter");
  out->format = reader.Text("format");
  if (absl::Status s = CheckTimeFormat(out->format); !s.ok()) reader.Fail("format", s.message());
  out->unit = UnitOfFormat(out->format);
  if (auto span = ReadSpan(reader, "buffer", reader.Text("buffer"))) {
    out->tolerance = *span;
  } else if (replay && !has_tolerance) {
    out->tolerance = cursors::CalendarSpan(0, kReplayBuffer);
  }
  if (auto span = ReadSpan(reader, "settle", reader.Text("settle"))) out->settle = *span;
  if (auto start = ReadStart(reader, "start", reader.Text("start"))) out->start = start;
  ReadCompare(reader, "compare", reader.Text("compare"), out);
  out->exclusive_parameter = reader.Truth("exclusive");
  out->ascending = reader.Truth("ascending");
  out->window = ReadSpan(reader, "window", reader.Text("window"));
  out->smallest_window = ReadSpan(reader, "smallest_window", reader.Text("smallest_window"))
                             .value_or(cursors::CalendarSpan(0, absl::Hours(24 * 14)));
  if (out->window && out->window->zero()) reader.Fail("window", "it has to be more than 0");
  if (out->window && !out->start) reader.Fail("start", "a window needs a start");
}

IncrementalOptions ReadIncremental(OptionReader reader, const EndpointDefaults& defaults) {
  using Kind = IncrementalOptions::Type;
  IncrementalOptions out = defaults.incremental;
  const bool replay = reader.Text("type") == "replay";
  out.field = reader.Text("field", out.field);
  const Kind implied = out.field.empty() ? Kind::kFull : Kind::kTimestamp;
  if (reader.Has("type")) {
    out.type = reader.OneOf<Kind>("type", {{"full", Kind::kFull},
                                           {"timestamp", Kind::kTimestamp},
                                           {"replay", Kind::kTimestamp},
                                           {"keyset", Kind::kKeyset},
                                           {"step", Kind::kStep}});
  } else {
    out.type = implied;
  }
  out.parameter = reader.Text("parameter");
  switch (out.type) {
    case Kind::kFull:
      out.remove_missing = reader.Truth("remove_missing");
      break;
    case Kind::kTimestamp:
      ReadTimestamp(reader, replay, defaults.has_tolerance, &out);
      break;
    case Kind::kKeyset:
      break;
    case Kind::kStep:
      out.start_parameter = reader.Text("start_parameter");
      out.end_parameter = reader.Text("end_parameter");
      out.step_start = reader.Whole("start", 0).value_or(1);
      out.step_width = reader.Whole("width", 1).value_or(1000);
      out.empty_steps = reader.Whole("empty_steps", 1).value_or(1);
      out.step_limit = reader.Whole("limit", out.step_start);
      break;
  }
  if (out.type != Kind::kFull && out.field.empty()) reader.Fail("field", "it is missing");
  reader.Finish();
  return out;
}

// Whether the request says what has to be asked for, in a parameter or in a template.
void CheckRequest(OptionReader& reader, const EndpointOptions& endpoint) {
  using Page = PaginationOptions::Type;
  const PaginationOptions& page = endpoint.pagination;
  static const auto* const variables = new std::map<Page, std::string>{{Page::kPageNumber, "page"},
                                                                       {Page::kOffset, "offset"},
                                                                       {Page::kKeyset, "after"},
                                                                       {Page::kScroll, "scroll"}};
  const auto variable = variables->find(page.type);
  if (variable != variables->end() && page.parameter.empty() &&
      !endpoint.request.Uses(variable->second)) {
    reader.Fail("pagination.parameter",
                absl::StrCat("it is missing, and no text uses {", variable->second, "}"));
  }
  const IncrementalOptions& incremental = endpoint.incremental;
  if (incremental.type == IncrementalOptions::Type::kStep) {
    if (incremental.start_parameter.empty() && !endpoint.request.Uses("start")) {
      reader.Fail("incremental.start_parameter", "it is missing, and no text uses {start}");
    }
    if (incremental.end_parameter.empty() && !endpoint.request.Uses("end")) {
      reader.Fail("incremental.end_parameter", "it is missing, and no text uses {end}");
    }
  }
  if (incremental.window && incremental.until_parameter.empty() &&
      !endpoint.request.Uses("until")) {
    reader.Fail("incremental.until_parameter", "a window needs it, or a text that uses {until}");
  }
}

// A keyset cursor pages by itself.
void CompleteKeyset(OptionReader& reader, EndpointOptions* endpoint) {
  if (endpoint->incremental.type != IncrementalOptions::Type::kKeyset) return;
  PaginationOptions& page = endpoint->pagination;
  if (page.type != PaginationOptions::Type::kNone &&
      page.type != PaginationOptions::Type::kKeyset) {
    reader.Fail("pagination.type", "with incremental.type keyset it has to be keyset");
  }
  page.type = PaginationOptions::Type::kKeyset;
  page.field = endpoint->incremental.field;
  if (page.parameter.empty()) page.parameter = endpoint->incremental.parameter;
}

// The cursor's column has to have the type that the destination can compare.
void DeclareCursor(EndpointOptions* endpoint) {
  const IncrementalOptions& incremental = endpoint->incremental;
  if (incremental.type != IncrementalOptions::Type::kTimestamp) return;
  const auto has_name = [&incremental](const ColumnDefinition& column) {
    return column.name == incremental.field;
  };
  const auto column = std::find_if(endpoint->columns.begin(), endpoint->columns.end(), has_name);
  if (column == endpoint->columns.end()) {
    endpoint->columns.push_back(
        {.name = incremental.field, .type = kUtcDatetime, .unit = incremental.unit});
  } else if (column->unit == EpochUnit::kNone) {
    column->unit = incremental.unit;
  }
}

}  // namespace

EndpointDefaults ReadDefaults(const Config& config, OptionReader& reader) {
  EndpointDefaults out;
  out.pagination = reader.Any("pagination");
  IncrementalOptions& incremental = out.incremental;
  incremental.field = config.GetString("cdc.timestamp.updated_at_field");
  incremental.created_at_field = config.GetString("cdc.timestamp.created_at_field");
  const std::string tolerance = config.GetString("cdc.timestamp.tolerance_window");
  if (auto span = ReadSpan(reader, "cdc.timestamp.tolerance_window", tolerance)) {
    incremental.tolerance = *span;
    out.has_tolerance = true;
  }
  if (config.Has("buffer_hours")) {
    const double hours = config.GetDouble("buffer_hours");
    if (out.has_tolerance) {
      reader.Fail("buffer_hours", "cdc.timestamp.tolerance_window says the same thing: keep one");
    } else if (hours < 0 || hours >= 1e6) {
      reader.Fail("buffer_hours", "it has to be at least 0");
    } else {
      incremental.tolerance = cursors::CalendarSpan(0, hours * absl::Hours(1));
      out.has_tolerance = true;
    }
  }
  if (const std::string zone = config.GetString("cdc.timestamp.timezone"); !zone.empty()) {
    auto loaded = cursors::ParseZone(zone);
    if (!loaded.ok()) reader.Fail("cdc.timestamp.timezone", loaded.status().message());
    if (loaded.ok()) incremental.zone.zone = *loaded;
  }
  incremental.zone.fold_later = config.GetString("cdc.timestamp.fold") == "later";
  ReadCompare(reader, "cdc.timestamp.compare", config.GetString("cdc.timestamp.compare"),
              &incremental);
  if (auto span =
          ReadSpan(reader, "cdc.timestamp.settle", config.GetString("cdc.timestamp.settle"))) {
    incremental.settle = *span;
  }
  incremental.start =
      ReadStart(reader, "cdc.timestamp.start", config.GetString("cdc.timestamp.start"));
  return out;
}

void AddRequestParts(OptionReader& reader, const std::vector<std::string>& known,
                     RequestTemplate* request, http::Secrets* secrets) {
  for (auto& [name, text] : reader.Pairs("headers")) {
    if (absl::c_any_of(absl::StrCat(name, text), absl::ascii_iscntrl)) {
      reader.Fail("headers", absl::StrCat(name, " has control characters"));
    }
    if (http::SpeaksOfSecrets(name)) secrets->Add(text);
    request->AddHeader(name, ReadTemplate(reader, "headers", text, known));
  }
  for (auto& [name, text] : reader.Pairs("query")) {
    if (http::SpeaksOfSecrets(name)) secrets->Add(text);
    request->AddQuery(name, ReadTemplate(reader, "query", text, known));
  }
}

EndpointOptions ReadEndpoint(OptionReader& reader, const RequestTemplate& base,
                             const std::vector<std::string>& known,
                             const EndpointDefaults& defaults, http::Secrets* secrets) {
  EndpointOptions out(base);
  const std::string path = reader.RequiredText("path");
  out.table = reader.Text("table");
  out.request.SetMethod(absl::AsciiStrToUpper(reader.Text("method", "GET")));
  out.request.SetPath(ReadTemplate(reader, "path", path, known));
  AddRequestParts(reader, known, &out.request, secrets);
  if (absl::Status s = out.request.SetBody(reader.Any("body"), known); !s.ok()) {
    reader.Fail("body", s.message());
  }
  out.records = reader.Text("records");
  if (!IsPointer(out.records)) reader.Fail("records", "a JSON pointer begins with /");
  out.key = reader.Texts("primary_key");
  out.columns = ReadColumns(reader);
  if (reader.Has("pagination")) {
    out.pagination = ReadPagination(reader.Child("pagination"));
  } else {
    absl::Status error;
    out.pagination = ReadPagination(OptionReader(defaults.pagination, "pagination", &error));
    if (!error.ok()) reader.Fail("", error.message());
  }
  out.incremental = ReadIncremental(reader.Child("incremental"), defaults);
  out.incremental.filters = !out.incremental.parameter.empty() || out.request.Uses("cursor");
  CompleteKeyset(reader, &out);
  CheckRequest(reader, out);
  DeclareCursor(&out);
  if (reader.Has("deleted")) {
    OptionReader child = reader.Child("deleted");
    EndpointOptions deleted = ReadEndpoint(child, base, known, defaults, secrets);
    if (deleted.key.empty()) deleted.key = out.key;
    if (deleted.key.empty()) reader.Fail("deleted", "the table has no primary_key");
    if (deleted.deleted != nullptr) child.Fail("deleted", "it cannot have one itself");
    out.deleted = std::make_shared<const EndpointOptions>(std::move(deleted));
  } else if (out.table.empty() && !absl::EndsWith(reader.Place(""), ".deleted")) {
    reader.Fail("table", "it is missing");
  }
  reader.Finish();
  return out;
}

}  // namespace tidemark::rest
