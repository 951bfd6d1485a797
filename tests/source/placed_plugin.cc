// A connector for the suite of placements: rows (n, payload) in order, checkpoints between them.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tidemark/connector.h"

// The state is the next n. With `log`, that file holds how many rows were emitted, and a last line
// "cancelled" when the host asked to stop.
class Placed final : public tidemark::Connector, public tidemark::RowReader {
 public:
  explicit Placed(const tidemark::Config& config)
      : rows_(config.GetInt64("rows")),
        every_(config.GetInt64("every")),
        payload_(static_cast<size_t>(config.GetInt64("payload")), 'p'),
        wait_(config.GetBool("wait")),
        fail_code_(config.GetInt64("fail_code")),
        log_fd_(open(config.GetString("log").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) {}
  ~Placed() override {
    if (log_fd_ >= 0) close(log_fd_);
  }
  static absl::StatusOr<std::unique_ptr<Placed>> Create(const tidemark::Config& config) {
    if (config.GetInt64("every") < 1) return absl::InvalidArgumentError("every must be positive");
    return std::make_unique<Placed>(config);
  }

  absl::StatusOr<tidemark::Schema> Schema() override {
    using tidemark::Table;
    return tidemark::Schema{
        Table("placed").Key("n", tidemark::kLong).Column("payload", tidemark::kString)};
  }

  absl::Status Update(const tidemark::UpdateRequest& request, tidemark::Sink& sink) override {
    int64_t n = 0;
    if (!request.State().empty() && !absl::SimpleAtoi(request.State(), &n)) {
      return absl::DataLossError("the state is not a number");
    }
    absl::Status status;
    for (; n < rows_ && status.ok(); ++n) status = EmitRow(n, sink);
    if (status.code() == absl::StatusCode::kCancelled) Log("cancelled");
    if (!status.ok() || fail_code_ == 0) return status;
    return tidemark::WithRetryAfter(
        absl::Status(static_cast<absl::StatusCode>(fail_code_), "fails as asked"),
        absl::Seconds(7));
  }

  uint32_t ReadModes(const tidemark::Table&) override {
    return tidemark::kReadKeys | tidemark::kReadRanges;
  }
  absl::Status ReadRows(const tidemark::ReadRequest& request, tidemark::Sink& sink) override {
    absl::Status status;
    const auto number = [](absl::Span<const tidemark::Value> key, int64_t otherwise) {
      return key.empty() ? otherwise : key[0].raw().u.i64;
    };
    for (size_t i = 0; i < request.key_count() && status.ok(); ++i) {
      const int64_t n = number(request.key(i), 0);
      if (n < rows_) status = sink.Upsert("placed", {{"n", n}, {"payload", payload_}});
    }
    int64_t n = number(request.lower(), 0);
    const int64_t end =
        request.mode() == tidemark::kReadKeys ? n : std::min(rows_, number(request.upper(), rows_));
    for (uint64_t left = request.limit(); n < end && status.ok(); ++n) {
      status = sink.Upsert("placed", {{"n", n}, {"payload", payload_}});
      if (request.limit() > 0 && --left == 0) break;
    }
    if (status.code() == absl::StatusCode::kCancelled) Log("cancelled");
    if (!status.ok() || fail_code_ == 0) return status;
    return absl::Status(static_cast<absl::StatusCode>(fail_code_), "fails as asked");
  }

 private:
  absl::Status EmitRow(int64_t n, tidemark::Sink& sink) {
    absl::Status status = sink.Upsert("placed", {{"n", n}, {"payload", payload_}});
    Log(absl::StrCat(n + 1));
    if (!status.ok() || (n + 1) % every_ != 0) return status;
    status = sink.Checkpoint(absl::StrCat(n + 1));
    return status.ok() && wait_ ? sink.Wait(sink.last_checkpoint()) : status;
  }

  // Overwrites in place: a file made anew for each row takes milliseconds on a busy disk.
  void Log(std::string text) {
    if (log_fd_ < 0) return;
    text.resize(20, ' ');
    [[maybe_unused]] const ssize_t written = pwrite(log_fd_, text.data(), text.size(), 0);
  }

  const int64_t rows_;
  const int64_t every_;
  const std::string payload_;
  const bool wait_;
  const int64_t fail_code_;
  const int log_fd_;  // -1: none
};

TIDEMARK_EXPORT_CONNECTOR(
    Placed, .id = "placed", .version = "1.2.3", .description = "Rows for the placements",
    .options = {{"rows", tidemark::kLong, tidemark::Default("10"), "how many"},
                {"every", tidemark::kLong, tidemark::Default("10"), "rows between checkpoints"},
                {"payload", tidemark::kLong, tidemark::Default("1"), "bytes of text in a row"},
                {"wait", tidemark::kBoolean, tidemark::Default("false"), "for each commit"},
                {"fail_code", tidemark::kLong, tidemark::Default("0"), "at the end"},
                {"log", tidemark::kString, tidemark::Default(""), "file of the count"}});
