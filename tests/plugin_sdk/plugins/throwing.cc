// Throws where it is told to: the C++ layer must turn every exception into INTERNAL.
#include <stdexcept>

#include "tidemark/connector.h"

class Throwing final : public tidemark::Connector,
                       public tidemark::Checkable,
                       public tidemark::Acknowledgeable,
                       public tidemark::Interruptible,
                       public tidemark::StateValidator {
 public:
  explicit Throwing(std::string where) : where_(std::move(where)) {}
  ~Throwing() override = default;
  static absl::StatusOr<std::unique_ptr<Throwing>> Create(const tidemark::Config& config) {
    auto connector = std::make_unique<Throwing>(config.GetString("where"));
    connector->MaybeThrow("create");
    return connector;
  }
  absl::StatusOr<tidemark::Schema> Schema() override {
    MaybeThrow("schema");
    return tidemark::Schema{tidemark::Table("t").Key("id", tidemark::kLong)};
  }
  absl::Status Update(const tidemark::UpdateRequest&, tidemark::Sink& sink) override {
    if (absl::Status s = sink.Upsert("t", {{"id", 1}}); !s.ok()) return s;
    if (absl::Status s = sink.Checkpoint("1"); !s.ok()) return s;
    if (absl::Status s = sink.Upsert("t", {{"id", 2}}); !s.ok()) return s;
    MaybeThrow("update");
    if (where_ == "update_int") throw 7;
    return sink.Checkpoint("2");
  }
  absl::Status Check() override {
    MaybeThrow("check");
    return absl::OkStatus();
  }
  void Acknowledged(const tidemark::Acknowledgement&) override { MaybeThrow("acknowledged"); }
  void Interrupt() override { MaybeThrow("interrupt"); }
  absl::Status ValidateState(absl::Span<const tidemark::StateEntry>) override {
    MaybeThrow("validate_state");
    return absl::OkStatus();
  }

 private:
  void MaybeThrow(absl::string_view here) const {
    if (where_ == here) throw std::runtime_error(absl::StrCat("thrown in ", here));
  }

  const std::string where_;
};

TIDEMARK_EXPORT_CONNECTOR(Throwing, .id = "throwing", .version = "1.0.0",
                          .options = {{"where", tidemark::kString, tidemark::kOptional,
                                       "the call that throws"}});
