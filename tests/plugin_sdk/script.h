// A connector whose Update() is a function of the test.
#ifndef TIDEMARK_TESTS_PLUGIN_SDK_SCRIPT_H_
#define TIDEMARK_TESTS_PLUGIN_SDK_SCRIPT_H_

#include <functional>
#include <memory>
#include <string>

#include "tidemark/connector.h"
#include "tidemark/testing.h"

// What the one connector of this program does. Set before an instance is created.
struct Script {
  using Body = std::function<absl::Status(const tidemark::UpdateRequest&, tidemark::Sink&)>;

  std::function<absl::Status(const tidemark::Config&)> create;
  tidemark::Schema schema;
  Body update;
  std::function<absl::Status()> check;
  std::function<void(const tidemark::Acknowledgement&)> acknowledged;
  std::function<absl::Status(absl::Span<const tidemark::StateEntry>)> validate_state;
  std::function<void()> interrupt;

  static Script& Get();
};

// A run of `update` over tables users (id LONG key, name STRING, age LONG) and log (line STRING).
class ScriptRun {
 public:
  explicit ScriptRun(Script::Body update, tidemark_testing::Settings settings = {});

  tidemark_testing::PluginRun& run() { return run_; }
  tidemark_testing::RecordingSink& sink() { return run_.sink(); }
  // Opens the instance on the first call.
  absl::Status Update(const std::vector<tidemark_testing::RecordedState>& states = {});

 private:
  tidemark_testing::PluginRun run_;
};

#endif  // TIDEMARK_TESTS_PLUGIN_SDK_SCRIPT_H_
