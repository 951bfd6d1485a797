// What a connection says about an API, as read from its configuration.
#ifndef TIDEMARK_REST_REST_OPTIONS_H_
#define TIDEMARK_REST_REST_OPTIONS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cursors/calendar_span.h"
#include "cursors/time_text.h"
#include "http/http_client.h"
#include "http/retrying_client.h"
#include "http/secrets.h"
#include "http/url.h"
#include "rest/request_template.h"
#include "rest/row_conversion.h"
#include "tidemark/config.h"

namespace tidemark::rest {

struct AuthOptions {
  enum class Type { kNone, kBearer, kBasic, kApiKey, kHeaders, kSession };
  Type type = Type::kNone;
  std::string token;               // bearer
  std::string username, password;  // basic
  std::string key;                 // api_key
  std::string name;                // of its header or parameter
  bool in_query = false;           // api_key
  std::string prefix;              // before the key or the session's token
  std::vector<std::pair<std::string, std::string>> headers;  // headers
  std::optional<RequestTemplate> login;                      // session
  std::string token_pointer;  // session: where the login's answer has the token
};

struct PaginationOptions {
  enum class Type { kNone, kNextUrl, kPageNumber, kOffset, kKeyset, kScroll };
  Type type = Type::kNone;
  std::string parameter;       // page, offset, after_id, scroll; empty: used in a template
  std::string size_parameter;  // empty: the size is not asked for, or used in a template
  std::optional<int64_t> size;
  std::optional<int64_t> max_size;     // the most the API allows
  int64_t first = 1;                   // number of the first page
  std::string pointer;                 // next_url: the link; scroll: the token
  std::string field;                   // keyset
  std::string total_pointer;           // page_number: number of pages; offset: number of records
  bool first_page_only_query = false;  // scroll: later pages are asked for by the token alone
};

struct IncrementalOptions {
  enum class Type { kFull, kTimestamp, kKeyset, kStep };
  Type type = Type::kFull;
  std::string field;             // the cursor's column
  std::string created_at_field;  // used where field is null
  std::string parameter;         // timestamp: since; keyset: after_id
  std::string until_parameter;   // timestamp
  std::string start_parameter;   // step
  std::string end_parameter;     // step
  std::string format;            // of times in requests
  EpochUnit unit = EpochUnit::kNone;
  cursors::ZoneRule zone;
  cursors::CalendarSpan tolerance;   // buffer
  cursors::CalendarSpan settle;      // newest part that is read again next time
  std::optional<absl::Time> start;   // of the first run
  bool strictly_greater = false;     // compare ">": rows at the edge are not delivered again
  bool exclusive_parameter = false;  // the API leaves out rows at the parameter itself
  bool filters = true;     // the API is asked for what changed; otherwise it sends everything
  bool ascending = false;  // the API sends rows in the order of the field
  std::optional<cursors::CalendarSpan> window;  // at most so much at once
  cursors::CalendarSpan smallest_window;
  int64_t step_start = 1;
  int64_t step_width = 1000;
  int64_t empty_steps = 1;
  std::optional<int64_t> step_limit;
  bool remove_missing = false;  // full: rows that are gone are deleted
};

struct EndpointOptions {
  explicit EndpointOptions(RequestTemplate base) : request(std::move(base)) {}

  std::string table;
  RequestTemplate request;
  std::string records;  // JSON pointer
  std::vector<std::string> key;
  std::vector<ColumnDefinition> columns;
  PaginationOptions pagination;
  IncrementalOptions incremental;
  std::shared_ptr<const EndpointOptions> deleted;  // shared by copies of these options
};

struct RestOptions {
  http::HttpClientOptions client;
  http::RetryOptions retry;
  AuthOptions auth;
  std::vector<EndpointOptions> endpoints;
  http::Secrets secrets;

  // INVALID_ARGUMENT names the option, as "endpoints[0].pagination.type".
  static absl::StatusOr<RestOptions> Read(const Config& config);
};

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_REST_OPTIONS_H_
