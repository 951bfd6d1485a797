// The worked example: incremental sync by replaying a buffer. An API answers `?since=` with the
// users changed since then; it may be a replica that shows changes late, with their old time. So
// each run asks for a little more than what is new, and the destination sorts out the rest.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cursors/calendar_span.h"
#include "cursors/high_water_mark.h"
#include "cursors/time_text.h"
#include "http/http_client.h"
#include "http/retrying_client.h"
#include "simdjson.h"
#include "tidemark/connector.h"

namespace {
namespace cursors = tidemark::cursors;
namespace http = tidemark::http;
using simdjson::minify, simdjson::dom::element;
using tidemark::kString, tidemark::kUtcDatetime, tidemark::Value;

absl::string_view View(std::string_view s) { return {s.data(), s.size()}; }

// Users as the API answers: {"data": [{"id": .., "updatedAt": "2024-01-15T10:30:00Z", ..}]}.
class Replay final : public tidemark::Connector, public tidemark::Interruptible {
 public:
  Replay(http::Url url, cursors::CalendarSpan buffer, std::unique_ptr<http::HttpClient> client)
      : url_(std::move(url)), buffer_(buffer), client_(std::move(client)) {}

  static absl::StatusOr<std::unique_ptr<Replay>> Create(const tidemark::Config& config) {
    const double hours = config.GetDouble("buffer_hours");
    if (hours < 0 || hours > 1e6) return absl::InvalidArgumentError("buffer_hours is not >= 0");
    auto url = http::Url::Parse(config.GetString("base_url"));
    auto client = http::HttpClient::Create({});
    if (!url.ok() || !client.ok()) return url.ok() ? client.status() : url.status();
    return std::make_unique<Replay>(*url, cursors::CalendarSpan(0, hours * absl::Hours(1)),
                                    *std::move(client));
  }

  absl::StatusOr<tidemark::Schema> Schema() override {
    tidemark::Table user("user");
    user.Key("id", kString);
    for (const char* c : {"name", "email", "address", "company", "job"}) user.Column(c, kString);
    user.Column("updatedAt", kUtcDatetime, {.cursor = true}).Column("createdAt", kUtcDatetime);
    return tidemark::Schema{user};
  }

  absl::Status Update(const tidemark::UpdateRequest& request, tidemark::Sink& sink) override {
    cursors::HighWaterMark mark;
    if (!request.Selected("user")) return absl::OkStatus();
    if (request.ModeOf("user") == tidemark::Mode::kIncremental) {
      if (absl::Status s = ReadState(request.State(), &mark); !s.ok()) return s;
    }
    http::HttpRequest ask{.url = url_};
    if (const auto edge = mark.LowerEdge(buffer_)) {
      ask.url.AddQuery("since", cursors::FormatTime(*edge, mark.precision()));
    }
    http::RetryingClient client(client_.get(), {});
    auto answer = client.Fetch(ask, [&sink](absl::Duration delay) { return sink.Sleep(delay); });
    const std::string repeated = client.DescribeRetries();
    if (!repeated.empty()) sink.Warn(repeated, "user").IgnoreError();  // The sink keeps its error.
    if (!answer.ok()) return answer.status();
    if (absl::Status s = EmitUsers(answer->body, &mark, sink); !s.ok()) return s;
    const std::string time = mark.ToString();
    return sink.Checkpoint(
        time.empty() ? "{}" : absl::StrCat("{\"last_timestamp\": \"", time, "\"}"), time);
  }

  void Interrupt() override { client_->Interrupt(); }

 private:
  // {"last_timestamp": "2024-01-15T10:30:00Z"}; {} or nothing before the first run.
  static absl::Status ReadState(absl::string_view state, cursors::HighWaterMark* mark) {
    if (state.empty()) return absl::OkStatus();
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    std::string_view text;
    const bool readable = !parser.parse(state.data(), state.size()).get(object);
    if (readable && object.size() == 0) return absl::OkStatus();
    const bool found = readable && !object["last_timestamp"].get(text);
    const auto time = cursors::ParseTime(View(text));
    if (!found || !time.ok()) {
      return absl::DataLossError("the state is not a JSON object with a time last_timestamp");
    }
    *mark = cursors::HighWaterMark(time->time, time->precision);
    return absl::OkStatus();
  }

  static absl::Status EmitUsers(const std::string& body, cursors::HighWaterMark* mark,
                                tidemark::Sink& sink) {
    simdjson::dom::parser parser;
    simdjson::dom::array users;
    if (parser.parse(body)["data"].get(users) != simdjson::SUCCESS) {
      return absl::FailedPreconditionError("the answer is not JSON with a list named data");
    }
    for (const element user : users) {
      if (absl::Status s = EmitUser(user, mark, sink); !s.ok()) return s;
    }
    const std::string odd = mark->oddities().Describe("updatedAt");
    return odd.empty() ? absl::OkStatus() : sink.Warn(odd, "user");
  }

  static absl::Status EmitUser(element user, cursors::HighWaterMark* mark, tidemark::Sink& sink) {
    if (!user.is_object()) return sink.DeadLetter({"user", minify(user), "it is not an object"});
    const simdjson::dom::object fields = user.get_object().value_unsafe();
    std::vector<tidemark::Field> row;
    std::vector<std::string> texts;  // of nested values; reserved, because the row views them
    texts.reserve(fields.size());
    bool has_id = false, has_time = false;
    for (const auto [key, value] : fields) {
      std::string_view text;
      const bool is_time = key == "updatedAt" || key == "createdAt";
      const auto time = cursors::ParseTime(is_time && !value.get(text) ? View(text) : "");
      row.push_back({View(key), time.ok() ? Value::Timestamp(time->time) : ToValue(value, texts)});
      if (value.is_null()) continue;
      has_id |= key == "id";
      if (key != "updatedAt") continue;
      has_time = true;
      mark->Observe(time, sink.Now());
    }
    if (!has_time) mark->ObserveMissing();
    return has_id ? sink.Upsert("user", row)
                  : sink.DeadLetter({"user", minify(user), "the user has no id"});
  }

  static Value ToValue(const element& value, std::vector<std::string>& texts) {
    if (value.is_null()) return Value::Null();
    if (value.is_string()) return View(value.get_string().value_unsafe());
    if (value.is_bool()) return value.get_bool().value_unsafe();
    if (value.is_int64()) return value.get_int64().value_unsafe();
    texts.push_back(minify(value));
    if (value.is_uint64()) return Value::Decimal(texts.back());
    return value.is_double() ? value.get_double().value_unsafe() : Value::Json(texts.back());
  }

  const http::Url url_;
  const cursors::CalendarSpan buffer_;
  const std::unique_ptr<http::HttpClient> client_;
};

}  // namespace

TIDEMARK_EXPORT_CONNECTOR(
    Replay, .id = "replay", .version = "1.0.0",
    .description = "Users of an HTTP API that answers ?since=, with a buffer for lagging replicas",
    .capabilities = tidemark::kNeedsNetwork | tidemark::kCanRewind,
    .options = {{"base_url", kString, tidemark::kRequired, "address that takes ?since="},
                {"buffer_hours", tidemark::kDouble, tidemark::Default("2"),
                 "how far to look back behind the last timestamp"}});
