#include "tests/plugins/rest_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace tidemark_testing {

const tidemark_plugin& RestPlugin() {
  static const tidemark_plugin* const plugin = [] {
    auto loaded = LoadPlugin(TIDEMARK_PLUGIN_FOLDER "/rest.so");
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return *loaded;
  }();
  return *plugin;
}

absl::Status RestRun::Open() {
  run_ = std::make_unique<PluginRun>(RestPlugin(), settings_);
  run_->sink().SetNowMicros(absl::ToUnixMicros(now_));
  last_ = run_->Open();
  return last_;
}

absl::Status RestRun::Sync() {
  if (absl::Status s = Open(); !s.ok()) return s;
  last_ = run_->Update(state_);
  const RecordingSink& sink = run_->sink();
  EXPECT_TRUE(sink.violations().empty()) << absl::StrJoin(sink.violations(), "\n");
  const auto& checkpoints = sink.checkpoints();
  const size_t committed = checkpoints.empty() ? 0 : checkpoints.back().changes;
  sink.ApplyTo(&image_, last_.ok() ? SIZE_MAX : committed);
  state_ = sink.StatesAfter(checkpoints.size(), state_);
  return last_;
}

size_t RestRun::upserts() const {
  const auto& changes = sink().changes();
  return static_cast<size_t>(std::count_if(changes.begin(), changes.end(),
                                           [](const auto& c) { return c.op == TIDEMARK_UPSERT; }));
}

size_t RestRun::deletes() const {
  const auto& changes = sink().changes();
  return static_cast<size_t>(std::count_if(changes.begin(), changes.end(),
                                           [](const auto& c) { return c.op == TIDEMARK_DELETE; }));
}

std::string RestRun::AllTexts() const {
  std::string all(last_.ToString());
  for (const std::string& text : sink().warnings()) absl::StrAppend(&all, "\n", text);
  for (const std::string& text : sink().log()) absl::StrAppend(&all, "\n", text);
  for (const RecordedDeadLetter& d : sink().dead_letters()) {
    absl::StrAppend(&all, "\n", d.record_json, d.key_json, d.reason, d.context_json);
  }
  for (const auto& [table, status] : sink().done()) absl::StrAppend(&all, "\n", status.ToString());
  for (const RecordedState& s : state_) absl::StrAppend(&all, "\n", s.body, s.cursor);
  return all;
}

}  // namespace tidemark_testing
