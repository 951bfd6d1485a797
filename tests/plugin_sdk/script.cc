#include "tests/plugin_sdk/script.h"

#include <utility>

namespace {

class ScriptConnector final : public tidemark::Connector,
                              public tidemark::Checkable,
                              public tidemark::Acknowledgeable,
                              public tidemark::Interruptible,
                              public tidemark::StateValidator {
 public:
  static absl::StatusOr<std::unique_ptr<ScriptConnector>> Create(const tidemark::Config& config) {
    if (Script::Get().create) {
      if (absl::Status s = Script::Get().create(config); !s.ok()) return s;
    }
    return std::make_unique<ScriptConnector>();
  }
  absl::StatusOr<tidemark::Schema> Schema() override { return Script::Get().schema; }
  absl::Status Update(const tidemark::UpdateRequest& request, tidemark::Sink& sink) override {
    return Script::Get().update(request, sink);
  }
  absl::Status Check() override {
    return Script::Get().check ? Script::Get().check() : absl::OkStatus();
  }
  void Acknowledged(const tidemark::Acknowledgement& acknowledgement) override {
    if (Script::Get().acknowledged) Script::Get().acknowledged(acknowledgement);
  }
  void Interrupt() override {
    if (Script::Get().interrupt) Script::Get().interrupt();
  }
  absl::Status ValidateState(absl::Span<const tidemark::StateEntry> entries) override {
    return Script::Get().validate_state ? Script::Get().validate_state(entries) : absl::OkStatus();
  }
};

}  // namespace

TIDEMARK_EXPORT_CONNECTOR(
    ScriptConnector, .id = "script", .version = "1.2.3", .description = "what a test says",
    .capabilities = tidemark::kCanRewind | tidemark::kNeedsNetwork, .state_format = 7,
    .options = {
        {"limit", tidemark::kLong, tidemark::Default("10"), "a number"},
        {"ratio", tidemark::kDouble, tidemark::kOptional, "a fraction"},
        {"deep", tidemark::kBoolean, tidemark::Default("true"), "a switch"},
        {"mode", tidemark::kString, tidemark::Default("fast"), "a choice", {"fast", "slow"}},
        {"token", tidemark::kString, tidemark::kOptional | tidemark::kSecret, "a secret"},
        {.name = "paths",
         .type = tidemark::kJson,
         .help = "a list",
         .json_schema = "{\"type\":\"array\"}"}});

Script& Script::Get() {
  static Script script;
  return script;
}

ScriptRun::ScriptRun(Script::Body update, tidemark_testing::Settings settings)
    : run_(*tidemark_plugin_entry_v1(), std::move(settings)) {
  Script::Get() = Script();
  Script::Get().update = std::move(update);
  Script::Get().schema = {tidemark::Table("users")
                              .Key("id", tidemark::kLong)
                              .Column("name", tidemark::kString)
                              .Column("age", tidemark::kLong),
                          tidemark::Table("log").Column("line", tidemark::kString)};
}

absl::Status ScriptRun::Update(const std::vector<tidemark_testing::RecordedState>& states) {
  if (run_.connector() == nullptr) {
    if (absl::Status s = run_.Open(); !s.ok()) return s;
  }
  return run_.Update(states);
}
