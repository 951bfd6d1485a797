#include "tidemark/connector.h"

// Emits n and n*n for every n in [cursor, limit). The cursor is the next n to emit.
class Squares final : public tidemark::Connector {
 public:
  explicit Squares(const tidemark::Config& config) : limit_(config.GetInt64("limit")) {}

  absl::StatusOr<tidemark::Schema> Schema() override {
    return tidemark::Schema{
        tidemark::Table("squares").Key("n", tidemark::kLong).Column("square", tidemark::kLong)};
  }

  absl::Status Update(const tidemark::UpdateRequest& request, tidemark::Sink& sink) override {
    int64_t n = 0;
    if (!request.State().empty() && !absl::SimpleAtoi(request.State(), &n)) {
      return absl::DataLossError("state is not a decimal cursor");
    }
    for (; n < limit_; ++n) {
      absl::Status s = sink.Upsert("squares", {{"n", n}, {"square", n * n}});
      if (!s.ok()) return s;
    }
    return sink.Checkpoint(absl::StrCat(n));
  }

 private:
  const int64_t limit_;  // rows
};

TIDEMARK_EXPORT_CONNECTOR(Squares, .id = "io.example.squares", .version = "1.0.0",
                          .options = {
                              {"limit", tidemark::kLong, tidemark::kRequired, "rows to emit"}});
