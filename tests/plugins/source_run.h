// One sync of a connector after another, as the host runs them.
#ifndef TIDEMARK_TESTS_PLUGINS_SOURCE_RUN_H_
#define TIDEMARK_TESTS_PLUGINS_SOURCE_RUN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tidemark/testing.h"

namespace tidemark_testing {

// The plugin of that id out of the build tree, loaded once.
const tidemark_plugin& BuiltPlugin(const std::string& id);

// Keeps state and tables from sync to sync. Confined to the test's thread.
class SourceRun {
 public:
  SourceRun(const std::string& id, Settings settings)
      : plugin_(BuiltPlugin(id)), settings_(std::move(settings)) {}

  SourceRun& Set(std::string name, std::string text) {
    settings_.Set(std::move(name), std::move(text));
    return *this;
  }
  SourceRun& At(absl::Time now) {
    now_ = now;
    return *this;
  }
  SourceRun& PageRows(uint32_t rows) {
    page_rows_ = rows;
    return *this;
  }
  // The n-th emit of the next sync fails; 0: none does.
  SourceRun& BreakAtEmit(size_t n) {
    break_at_ = n;
    return *this;
  }

  // The next runs are attempts of one sync.
  SourceRun& SameSync(bool same) {
    same_sync_ = same;
    return *this;
  }

  // Creates an instance, updates, and applies what came up to the last checkpoint, as the engine
  // does; all of it if the run succeeded.
  absl::Status Sync(bool full = false);
  // validate_state() of a new instance for what is stored.
  absl::Status Validate();
  // Delivers the stored state as releasable to the instance of the last sync, and before the next.
  void Release() { releasable_ = state_; }

  const RecordingSink& sink() const { return run_->sink(); }
  PluginRun& run() { return *run_; }
  const TableImage& image() const { return image_; }
  std::vector<RecordedState>& state() { return state_; }
  const Settings& settings() const { return settings_; }
  const tidemark_plugin& plugin() const { return plugin_; }
  // Changes of the last sync with that operation.
  size_t count(uint8_t op) const;
  size_t upserts() const { return count(TIDEMARK_UPSERT); }
  // The first value of each upsert of the last sync, as text, sorted.
  std::vector<std::string> Keys() const;
  // Warnings of the last sync in one text.
  std::string Warnings() const;

 private:
  const tidemark_plugin& plugin_;
  Settings settings_;
  absl::Time now_ = absl::Now();
  uint32_t page_rows_ = 0;
  size_t break_at_ = 0;
  bool same_sync_ = false;
  int syncs_ = 0;
  std::unique_ptr<PluginRun> run_;
  std::vector<RecordedState> state_;
  std::vector<RecordedState> releasable_;
  TableImage image_;
};

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTS_PLUGINS_SOURCE_RUN_H_
