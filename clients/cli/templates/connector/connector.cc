#include "tidemark/connector.h"

// Emits the numbers 1 to `limit` with their squares. The state is the next number to emit.
class ExampleConnector final : public tidemark::Connector {
 public:
  explicit ExampleConnector(int64_t limit) : limit_(limit) {}

  static absl::StatusOr<std::unique_ptr<ExampleConnector>> Create(const tidemark::Config& config) {
    return std::make_unique<ExampleConnector>(config.GetInt64("limit"));
  }

  absl::StatusOr<tidemark::Schema> Schema() override {
    return tidemark::Schema{tidemark::Table("squares")
                                .Key("number", tidemark::kLong)
                                .Column("square", tidemark::kLong)};
  }

  absl::Status Update(const tidemark::UpdateRequest& request, tidemark::Sink& sink) override {
    int64_t number = 1;
    if (!request.State().empty() && !absl::SimpleAtoi(request.State(), &number)) {
      return absl::DataLossError("the state is no number");
    }
    for (; number <= limit_; ++number) {
      absl::Status status =
          sink.Upsert("squares", {{"number", number}, {"square", number * number}});
      if (!status.ok()) return status;
    }
    return sink.Checkpoint(absl::StrCat(number));
  }

 private:
  const int64_t limit_;  // rows
};

TIDEMARK_EXPORT_CONNECTOR(ExampleConnector, .id = "example", .version = "0.1.0",
                          .description = "Numbers and their squares",
                          .options = {{"limit", tidemark::kLong, tidemark::Default("10"),
                                       "how many numbers to emit"}});
