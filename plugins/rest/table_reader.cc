#include "rest/table_reader.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "http/retrying_client.h"
#include "nlohmann/json.hpp"

namespace tidemark::rest {
namespace {

// Attempts at a size that is not the last one.
constexpr int kRetriesBeforeLess = 1;

// Whether a smaller request may help: the API was reached and could not answer.
bool IsTooMuch(const absl::Status& status) {
  return http::FailedStatus(status) >= 500 || absl::IsDeadlineExceeded(status);
}

absl::Status CheckContentType(const http::HttpRequest& request,
                              const http::HttpResponse& response) {
  const size_t first = response.body.find_first_not_of(" \t\r\n");
  if (first == std::string::npos && response.status != 204) {  // only 204 says: nothing, on purpose
    return absl::FailedPreconditionError(
        absl::StrCat(request.method, " ", request.url.Shown(), ": answered ", response.status,
                     " with an empty body instead of JSON: the page may be lost, so nothing of it "
                     "counts as read"));
  }
  const bool markup = first != std::string::npos && response.body[first] == '<';
  if (!markup && !absl::StrContains(response.content_type, "html")) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      request.method, " ", request.url.Shown(), ": answered ",
      response.content_type.empty() ? "markup" : response.content_type, " instead of JSON (",
      response.body.size(), " bytes): check the address, and whether a login is needed"));
}

absl::Status InContext(const absl::Status& status, const http::HttpRequest& request) {
  return absl::Status(status.code(), absl::StrCat(request.method, " ", request.url.Shown(), ": ",
                                                  status.message()));
}

std::string ContextJson(const http::HttpRequest& request, absl::string_view error) {
  nlohmann::json context = {{"method", request.method}, {"url", request.url.Shown()}};
  if (!request.body.empty()) context["body"] = request.body;
  if (!error.empty()) context["error"] = std::string(error);
  return context.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

TableReader::TableReader(const EndpointOptions& endpoint, const Target& target, ApiSession* session,
                         TableCursor* cursor, Sink* sink)
    : endpoint_(endpoint),
      target_(target),
      session_(*session),
      cursor_(*cursor),
      sink_(*sink),
      pager_(endpoint, target.page_rows),
      conversion_(endpoint.columns, endpoint.key, endpoint.incremental.zone) {}

absl::Status TableReader::Read(const Checkpoint& checkpoint) {
  sink_.Log(LogLevel::kInfo, session_.secrets().Redact(absl::StrCat(
                                 "table ", target_.table,
                                 target_.deletes ? ", deleted rows: " : ": ", cursor_.Describe())));
  while (cursor_.NextRange()) {
    if (absl::Status s = ReadRange(checkpoint); !s.ok()) return s;
    cursor_.RangeRead();
    if (absl::Status s = checkpoint(); !s.ok()) return s;
  }
  const std::string odd = cursor_.Oddities();
  return odd.empty() ? absl::OkStatus() : sink_.Warn(odd, target_.table);
}

absl::Status TableReader::ReadRange(const Checkpoint& checkpoint) {
  pager_.Begin(cursor_.After());
  while (!pager_.done()) {
    absl::StatusOr<JsonPage> page = FetchPage();
    if (!page.ok()) return page.status();
    if (absl::Status s = ReportSuspect(); !s.ok()) return s;
    const absl::StatusOr<http::HttpRequest> request = NextRequest();
    if (!request.ok()) return request.status();
    auto records = page->Records(endpoint_.records);
    if (!records.ok()) return InContext(records.status(), *request);
    context_json_ = session_.secrets().Redact(ContextJson(*request, ""));
    std::optional<std::string> last_key;
    if (absl::Status s = Deliver(*records, &last_key); !s.ok()) return s;
    absl::Status s = pager_.Advance(*page, records->size(), absl::HashOf(*records), last_key);
    if (!s.ok()) return InContext(s, *request);
    if (!pager_.done() && !records->empty() && cursor_.ResumesWithinRange()) {
      if (s = checkpoint(); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<http::HttpRequest> TableReader::NextRequest() const {
  Variables variables;
  Parameters parameters;
  variables["now"] = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", sink_.Now(), absl::UTCTimeZone());
  if (!pager_.token_only()) cursor_.AddTo(&variables, &parameters);
  pager_.AddTo(&variables, &parameters);
  absl::StatusOr<http::HttpRequest> request = endpoint_.request.Build(variables);
  if (!request.ok()) return request.status();
  for (const auto& [name, value] : parameters) request->url.AddQuery(name, value);
  if (!pager_.link()) return request;
  absl::StatusOr<http::Url> link = request->url.Resolve(*pager_.link());
  if (!link.ok()) return link.status();
  // Credentials go with every request, so it stays where they belong.
  if (!link->SameOrigin(request->url)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the link to the next page leads to another place, which is not followed: ",
                     link->Shown()));
  }
  request->url = *std::move(link);
  return request;
}

absl::StatusOr<JsonPage> TableReader::FetchPage() {
  const auto sleep = [this](absl::Duration delay) { return sink_.Sleep(delay); };
  while (true) {
    const absl::StatusOr<http::HttpRequest> request = NextRequest();
    if (!request.ok()) return request.status();
    const bool can_be_less = pager_.shrinkable() || cursor_.shrinkable();
    absl::StatusOr<http::HttpResponse> response = session_.Fetch(
        *request, sleep, can_be_less ? std::optional(kRetriesBeforeLess) : std::nullopt);
    if (!response.ok()) {
      if (IsTooMuch(response.status()) && AskForLess(*request, response.status())) continue;
      return response.status();
    }
    if (absl::Status s = CheckContentType(*request, *response); !s.ok()) return s;
    return JsonPage(std::move(response->body));
  }
}

bool TableReader::AskForLess(const http::HttpRequest& request, const absl::Status& failure) {
  if (pager_.Shrink()) return true;
  if (cursor_.Shrink()) {
    pager_.Begin(cursor_.After());
    return true;
  }
  // One record that fails between others that do not is a bad record. If the next one fails as
  // well, the API is down: an outage never fills the dead letters.
  if (!pager_.skippable() || suspect_) return false;
  suspect_ = Suspect{absl::StrCat("the API cannot answer for the record at ", pager_.Position()),
                     ContextJson(request, failure.message())};
  pager_.Skip();
  return true;
}

absl::Status TableReader::ReportSuspect() {
  if (!suspect_) return absl::OkStatus();
  const Suspect suspect = *std::exchange(suspect_, std::nullopt);
  return sink_.DeadLetter({.table = target_.table,
                           .record_json = "{}",
                           .reason = suspect.reason,
                           .context_json = session_.secrets().Redact(suspect.context_json),
                           .code = absl::StatusCode::kUnavailable});
}

absl::Status TableReader::Deliver(const std::vector<absl::string_view>& records,
                                  std::optional<std::string>* last_key) {
  const std::string& field = endpoint_.pagination.field;
  for (const absl::string_view text : records) {
    if (absl::Status s = DeliverRecord(text); !s.ok()) return s;
    if (field.empty()) continue;
    const JsonValue* key = record_.Find(field);
    last_key->reset();
    if (key != nullptr && key->kind != JsonValue::Kind::kNull) *last_key = std::string(key->text);
  }
  return absl::OkStatus();
}

absl::Status TableReader::DeliverRecord(absl::string_view text) {
  if (absl::Status s = record_.Read(text); !s.ok()) return Reject(text, s);
  const absl::StatusOr<TableCursor::Verdict> verdict = cursor_.Observe(record_, text);
  if (!verdict.ok()) return verdict.status();
  if (*verdict == TableCursor::Verdict::kSkip) return absl::OkStatus();
  const absl::Status converted = target_.deletes ? conversion_.ConvertKey(record_, &row_)
                                                 : conversion_.Convert(record_, &row_);
  if (!converted.ok()) return Reject(text, converted);
  return target_.deletes ? sink_.Delete(target_.table, row_) : sink_.Upsert(target_.table, row_);
}

absl::Status TableReader::Reject(absl::string_view text, const absl::Status& why) {
  const std::string record = session_.secrets().Redact(text);
  const std::string key = session_.secrets().Redact(conversion_.KeyJson(record_));
  const std::string reason = session_.secrets().Redact(why.message());
  return sink_.DeadLetter({.table = target_.table,
                           .record_json = record,
                           .reason = reason,
                           .key_json = key,
                           .context_json = context_json_});
}

}  // namespace tidemark::rest
