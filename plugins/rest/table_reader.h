// Reads one endpoint into a table.
#ifndef TIDEMARK_REST_TABLE_READER_H_
#define TIDEMARK_REST_TABLE_READER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "http/http_client.h"
#include "rest/api_session.h"
#include "rest/json_page.h"
#include "rest/json_record.h"
#include "rest/pager.h"
#include "rest/rest_options.h"
#include "rest/row_conversion.h"
#include "rest/table_cursor.h"
#include "tidemark/connector.h"

namespace tidemark::rest {

// Page by page: a page's records are in memory, never more. Confined to the thread of Update().
class TableReader {
 public:
  // Commits what was delivered so far with the cursor's state.
  using Checkpoint = std::function<absl::Status()>;

  struct Target {
    std::string table;
    bool deletes = false;  // records are keys of rows to be deleted
    int64_t page_rows = 1000;
  };

  // Everything must outlive this.
  TableReader(const EndpointOptions& endpoint, const Target& target, ApiSession* session,
              TableCursor* cursor, Sink* sink);

  // Delivers what the cursor asks for; `checkpoint` is called where a run could go on from.
  absl::Status Read(const Checkpoint& checkpoint);

 private:
  // A record that the API could not answer for, alone.
  struct Suspect {
    std::string reason;
    std::string context_json;
  };

  absl::Status ReadRange(const Checkpoint& checkpoint);
  absl::StatusOr<http::HttpRequest> NextRequest() const;
  // The next page; what the API cannot answer is asked for in smaller parts.
  absl::StatusOr<JsonPage> FetchPage();
  // Makes the next request smaller, or passes over a record; false if there is nothing left to try.
  bool AskForLess(const http::HttpRequest& request, const absl::Status& failure);
  absl::Status ReportSuspect();
  absl::Status Deliver(const std::vector<absl::string_view>& records,
                       std::optional<std::string>* last_key);
  absl::Status DeliverRecord(absl::string_view text);
  absl::Status Reject(absl::string_view text, const absl::Status& why);

  const EndpointOptions& endpoint_;
  const Target target_;
  ApiSession& session_;
  TableCursor& cursor_;
  Sink& sink_;
  Pager pager_;
  RowConversion conversion_;
  JsonRecord record_;
  std::vector<Field> row_;
  std::string context_json_;  // of the page at hand
  std::optional<Suspect> suspect_;
};

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_TABLE_READER_H_
