#include "sqlite/sqlite_options.h"

#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tidemark::sqlite {
namespace {

constexpr absl::string_view kUpdatedAt = "cdc.timestamp.updated_at_field";

absl::Status Wrong(absl::string_view option, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("option ", option, ": ", why));
}

absl::StatusOr<cursors::CalendarSpan> Span(const Config& config, absl::string_view name,
                                           absl::string_view otherwise) {
  auto span = cursors::CalendarSpan::Parse(config.GetString(name, otherwise));
  if (!span.ok()) return Wrong(name, span.status().message());
  return span;
}

absl::Status ReadTimestamp(const Config& config, TimestampOptions* out) {
  out->updated_at = config.GetString(kUpdatedAt);
  out->created_at = config.GetString("cdc.timestamp.created_at_field");
  auto zone = cursors::ParseZone(config.GetString("cdc.timestamp.timezone", "UTC"));
  if (!zone.ok()) return Wrong("cdc.timestamp.timezone", zone.status().message());
  out->zone = {*zone, config.GetString("cdc.timestamp.fold") == "later"};
  auto tolerance = Span(config, "cdc.timestamp.tolerance_window", "0s");
  if (!tolerance.ok()) return tolerance.status();
  out->tolerance = *tolerance;
  auto settle = Span(config, "cdc.timestamp.settle", "5 seconds");
  if (!settle.ok()) return settle.status();
  out->settle = *settle;
  out->strictly_greater = config.GetString("cdc.timestamp.compare") == ">";
  if (const std::string start = config.GetString("cdc.timestamp.start"); !start.empty()) {
    auto time = cursors::ParseTime(start, out->zone);
    if (!time.ok()) return Wrong("cdc.timestamp.start", time.status().message());
    out->start = time->time;
  }
  return absl::OkStatus();
}

absl::StatusOr<Method> ReadMethod(const Config& config) {
  const std::string name = config.GetString("cdc_method", "auto");
  const bool keyset = config.Has("keyset_field");
  if (keyset && name != "auto") {
    return Wrong("keyset_field", absl::StrCat("cdc_method is ", name, ": keep one of the two"));
  }
  if (name == "timestamp") return Method::kTimestamp;
  if (name == "version") return Method::kVersion;
  if (name == "trigger") return Method::kTrigger;
  if (name == "polling") return config.Has("cdc.polling.query") ? Method::kQuery : Method::kCompare;
  if (name == "full") return Method::kFull;
  if (name != "auto") return Wrong("cdc_method", absl::StrCat("this connector has no ", name));
  if (keyset) return Method::kKeyset;
  // Where no host resolves `auto`, as in debug runs.
  if (config.Has(kUpdatedAt)) return Method::kTimestamp;
  if (config.Has("cdc.version.version_field") || config.Has("cdc.version.sequence_field")) {
    return Method::kVersion;
  }
  return config.Has("cdc.polling.query") ? Method::kQuery : Method::kFull;
}

void ReadQuery(const Config& config, QueryOptions* out) {
  out->text = config.GetString("cdc.polling.query");
  out->cursor_field = config.GetString("query_cursor_field");
  const std::string time = config.GetString("query_time_format", "sqlite");
  out->time = time == "iso"       ? QueryTime::kIso
              : time == "unix"    ? QueryTime::kUnix
              : time == "unix_ms" ? QueryTime::kUnixMillis
                                  : QueryTime::kSqlite;
}

absl::Status Check(const SqliteOptions& options) {
  switch (options.method) {
    case Method::kTimestamp:
      if (options.timestamp.updated_at.empty()) {
        return Wrong(kUpdatedAt,
                     "cdc_method timestamp needs the column that says when a row changed");
      }
      break;
    case Method::kVersion:
      if (options.version_field.empty()) {
        return Wrong("cdc.version.version_field",
                     "cdc_method version needs the column that grows with every change");
      }
      break;
    default:
      break;
  }
  if (std::isnan(options.max_delete_share) || options.max_delete_share <= 0 ||
      options.max_delete_share > 1) {
    return Wrong("max_delete_share", "it is above 0 and at most 1");
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view MethodName(Method method) {
  switch (method) {
    case Method::kFull:
      return "full";
    case Method::kTimestamp:
      return "timestamp";
    case Method::kVersion:
      return "version";
    case Method::kKeyset:
      return "keyset";
    case Method::kTrigger:
      return "trigger";
    case Method::kQuery:
      return "query";
    case Method::kCompare:
      break;
  }
  return "compare";
}

std::string PathOfConnection(absl::string_view connection) {
  if (absl::ConsumePrefix(&connection, "sqlite:") || absl::ConsumePrefix(&connection, "file:")) {
    if (absl::StartsWith(connection, "///")) connection.remove_prefix(2);
  }
  return std::string(connection);
}

absl::StatusOr<SqliteOptions> SqliteOptions::Read(const Config& config) {
  SqliteOptions out;
  out.path = PathOfConnection(config.GetString("connection"));
  if (out.path.empty()) return Wrong("connection", "it names no database file");
  auto method = ReadMethod(config);
  if (!method.ok()) return method.status();
  out.method = *method;
  if (absl::Status s = ReadTimestamp(config, &out.timestamp); !s.ok()) return s;
  out.version_field = config.GetString("cdc.version.version_field");
  out.sequence_field = config.GetString("cdc.version.sequence_field");
  if (out.version_field.empty()) out.version_field.swap(out.sequence_field);
  if (out.method == Method::kKeyset) out.version_field = config.GetString("keyset_field");
  ReadQuery(config, &out.query);
  out.install_triggers = config.GetBool("install_triggers");
  out.max_delete_share = config.GetDouble("max_delete_share", 0.3);
  auto busy = Span(config, "busy_timeout", "10 seconds");
  if (!busy.ok()) return busy.status();
  out.busy_timeout = busy->rest();
  if (absl::Status s = Check(out); !s.ok()) return s;
  return out;
}

}  // namespace tidemark::sqlite
