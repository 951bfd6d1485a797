#include "tidemark/connector.h"

// Says hello to as many worlds as configured. The state is the number of the next world.
class Hello final : public tidemark::Connector {
 public:
  explicit Hello(const tidemark::Config& config) : worlds_(config.GetInt64("worlds")) {}

  absl::StatusOr<tidemark::Schema> Schema() override {
    return tidemark::Schema{tidemark::Table("hello")
                                .Key("world", tidemark::kLong)
                                .Column("greeting", tidemark::kString)};
  }

  absl::Status Update(const tidemark::UpdateRequest& request, tidemark::Sink& sink) override {
    int64_t world = 1;
    if (!request.State().empty() && !absl::SimpleAtoi(request.State(), &world)) {
      return absl::DataLossError("the state is not the number of a world");
    }
    for (; world <= worlds_; ++world) {
      const std::string greeting = absl::StrCat("Hello, world ", world, "!");
      absl::Status s = sink.Upsert("hello", {{"world", world}, {"greeting", greeting}});
      if (!s.ok()) return s;
    }
    return sink.Checkpoint(absl::StrCat(world));
  }

 private:
  const int64_t worlds_;
};

TIDEMARK_EXPORT_CONNECTOR(Hello, .id = "hello", .version = "1.0.0",
                          .options = {{"worlds", tidemark::kLong, tidemark::Default("3"),
                                       "how many worlds to greet"}});
