// One sync of the rest connector after another, as the host runs them.
#ifndef TIDEMARK_TESTS_PLUGINS_REST_RUN_H_
#define TIDEMARK_TESTS_PLUGINS_REST_RUN_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tidemark/testing.h"

namespace tidemark_testing {

const tidemark_plugin& RestPlugin();

// Keeps state and tables from sync to sync. Confined to the test's thread.
class RestRun {
 public:
  explicit RestRun(Settings settings) : settings_(std::move(settings)) {}
  // The usual short configuration: base_url and a JSON list of endpoints.
  RestRun(const std::string& base_url, const std::string& endpoints)
      : settings_({{"base_url", base_url}, {"endpoints", endpoints}}) {}

  RestRun& Set(std::string name, std::string text) {
    settings_.Set(std::move(name), std::move(text));
    return *this;
  }
  RestRun& At(absl::Time now) {
    now_ = now;
    return *this;
  }

  // Creates an instance, updates, and applies what came up to the last checkpoint, as the engine
  // does; all of it if the run succeeded.
  absl::Status Sync();
  // The status of create() and schema() alone.
  absl::Status Open();

  const RecordingSink& sink() const { return run_->sink(); }
  PluginRun& run() { return *run_; }
  const TableImage& image() const { return image_; }
  std::vector<RecordedState>& state() { return state_; }
  const Settings& settings() const { return settings_; }
  size_t upserts() const;
  size_t deletes() const;
  // Everything that left the connector as text: errors, warnings, logs, dead letters, states.
  std::string AllTexts() const;

 private:
  Settings settings_;
  absl::Time now_ = absl::Now();
  std::unique_ptr<PluginRun> run_;
  std::vector<RecordedState> state_;
  TableImage image_;
  absl::Status last_;
};

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTS_PLUGINS_REST_RUN_H_
