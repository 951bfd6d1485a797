// What the configuration asks of the connector.
#ifndef TIDEMARK_SQLITE_SQLITE_OPTIONS_H_
#define TIDEMARK_SQLITE_SQLITE_OPTIONS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cursors/calendar_span.h"
#include "cursors/time_text.h"
#include "tidemark/config.h"

namespace tidemark::sqlite {

enum class Method { kFull, kTimestamp, kVersion, kKeyset, kTrigger, kQuery, kCompare };

// The word that states and messages use: "full", "timestamp", ..
absl::string_view MethodName(Method method);

struct TimestampOptions {
  std::string updated_at;
  std::string created_at;  // empty: none
  cursors::ZoneRule zone;
  cursors::CalendarSpan tolerance;
  cursors::CalendarSpan settle;
  bool strictly_greater = false;
  std::optional<absl::Time> start;
};

// How :last_sync and :now are written for the query.
enum class QueryTime { kSqlite, kIso, kUnix, kUnixMillis };

struct QueryOptions {
  std::string text;
  std::string cursor_field;  // empty: times of polls are the cursor
  QueryTime time = QueryTime::kSqlite;
};

struct SqliteOptions {
  std::string path;
  Method method = Method::kFull;
  TimestampOptions timestamp;
  std::string version_field;   // of version and keyset
  std::string sequence_field;  // orders equal versions; empty: none
  QueryOptions query;
  bool install_triggers = false;
  double max_delete_share = 0.3;
  absl::Duration busy_timeout;

  // INVALID_ARGUMENT names the option.
  static absl::StatusOr<SqliteOptions> Read(const Config& config);
};

// "/data/app.db" for a path, sqlite:PATH, sqlite:///PATH or file:PATH.
std::string PathOfConnection(absl::string_view connection);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_SQLITE_OPTIONS_H_
