// The Sync Status Report for people.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/config_node.h"
#include "control/report.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

const Json& Member(const Json& json, const char* name) {
  static const Json* const kNull = new Json(nullptr);
  if (!json.is_object()) return *kNull;
  const auto found = json.find(name);
  return found == json.end() ? *kNull : *found;
}

std::string Text(const Json& json) {
  if (json.is_null()) return "-";
  const std::string* text = json.get_ptr<const std::string*>();
  return text == nullptr ? DumpJson(json, -1) : *text;
}

bool Positive(const Json& json) { return json.is_number_integer() && json.get<int64_t>() > 0; }

void AppendTables(const Json& report, std::string* out) {
  const Json& tables = Member(report, "tables");
  if (!tables.is_array() || tables.empty()) return;
  size_t width = 5;
  for (const Json& table : tables) width = std::max(width, Text(Member(table, "table")).size());
  const int columns = static_cast<int>(width);
  absl::StrAppendFormat(out, "\n%-*s %10s %10s %10s %10s %10s %10s  %s\n", columns, "table",
                        "processed", "inserted", "updated", "deleted", "unchanged", "other",
                        "status");
  for (const Json& table : tables) {
    const auto number = [&table](const char* name) {
      const Json& member = Member(table, name);
      return member.is_number_integer() ? member.get<int64_t>() : 0;
    };
    const int64_t other =
        number("records_superseded") + number("records_missing") + number("records_dead_lettered");
    absl::StrAppendFormat(out, "%-*s %10d %10d %10d %10d %10d %10d  %s\n", columns,
                          Text(Member(table, "table")), number("records_processed"),
                          number("records_inserted"), number("records_updated"),
                          number("records_deleted"), number("records_unchanged"), other,
                          Text(Member(table, "status")));
  }
}

void AppendCounts(const Json& report, std::string* out) {
  const Json& statistics = Member(report, "statistics");
  static constexpr const char* kOnlyWhenThere[][2] = {
      {"records_superseded", "superseded"},      {"records_missing", "missing"},
      {"records_dead_lettered", "dead letters"}, {"records_late", "late"},
      {"duplicates_collapsed", "duplicates"},    {"retries", "retries"},
      {"conflicts_detected", "conflicts"}};
  for (const auto& [name, label] : kOnlyWhenThere) {
    const Json& count = Member(statistics, name);
    if (Positive(count)) absl::StrAppendFormat(out, "%-12s %s\n", label, Text(count));
  }
}

}  // namespace

std::string ReportText(const Json& report) {
  const Json& metadata = Member(report, "metadata");
  const Json& statistics = Member(report, "statistics");
  const Json& checkpoint = Member(report, "checkpoint");
  std::string out;
  const auto line = [&out](const char* label, const std::string& text) {
    absl::StrAppendFormat(&out, "%-12s %s\n", label, text);
  };
  line("sync", Text(Member(metadata, "sync_id")));
  line("connection",
       absl::StrCat(Text(Member(metadata, "connection")), " (", Text(Member(metadata, "source")),
                    " -> ", Text(Member(metadata, "destination")), ")"));
  line("status", absl::StrCat(Text(Member(metadata, "status")),
                              Member(metadata, "interrupted") == true ? " (interrupted)" : ""));
  line("type", Text(Member(metadata, "sync_type")));
  line("started", Text(Member(metadata, "started_at")));
  line("duration", absl::StrCat(Text(Member(metadata, "duration_seconds")), " s"));
  line("records", absl::StrCat(Text(Member(statistics, "records_processed")), " processed, ",
                               Text(Member(statistics, "records_inserted")), " inserted, ",
                               Text(Member(statistics, "records_updated")), " updated, ",
                               Text(Member(statistics, "records_deleted")), " deleted, ",
                               Text(Member(statistics, "records_unchanged")), " unchanged"));
  AppendCounts(report, &out);
  line("state", absl::StrCat("version ", Text(Member(checkpoint, "version"))));
  if (!Member(checkpoint, "high_water_mark").is_null()) {
    line("high water", Text(Member(checkpoint, "high_water_mark")));
  }
  AppendTables(report, &out);
  for (const Json& change : Member(report, "schema_changes")) {
    absl::StrAppend(
        &out, "schema: ", Text(Member(change, "table")),
        Member(change, "column").is_null() ? "" : absl::StrCat(".", Text(Member(change, "column"))),
        " ", Text(Member(change, "change")), "\n");
  }
  for (const Json& warning : Member(report, "warnings")) {
    absl::StrAppend(&out, "warning: ", Text(warning), "\n");
  }
  for (const Json& error : Member(report, "errors")) {
    absl::StrAppend(&out, "error: ", Text(Member(error, "message")), "\n");
  }
  return out;
}

}  // namespace tidemark
