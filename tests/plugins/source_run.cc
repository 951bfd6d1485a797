#include "tests/plugins/source_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tidemark_testing {
namespace {

tidemark_bytes Bytes(const std::string& s) { return {s.data(), s.size()}; }

std::vector<tidemark_state> Raw(const std::vector<RecordedState>& states) {
  std::vector<tidemark_state> raw;
  raw.reserve(states.size());
  for (const RecordedState& s : states) {
    raw.push_back({Bytes(s.schema), Bytes(s.table), Bytes(s.body), Bytes(s.cursor), s.format,
                   TIDEMARK_STATE_NORMAL, 1, 0, s.watermark_us});
  }
  return raw;
}

}  // namespace

const tidemark_plugin& BuiltPlugin(const std::string& id) {
  static std::map<std::string, const tidemark_plugin*> loaded;
  const tidemark_plugin*& plugin = loaded[id];
  if (plugin == nullptr) {
    auto found = LoadPlugin(absl::StrCat(TIDEMARK_PLUGIN_FOLDER "/", id, ".so"));
    EXPECT_TRUE(found.ok()) << found.status();
    plugin = *found;
  }
  return *plugin;
}

absl::Status SourceRun::Sync(bool full) {
  run_ = std::make_unique<PluginRun>(plugin_, settings_);
  run_->sink().SetNowMicros(absl::ToUnixMicros(now_));
  if (absl::Status s = run_->Open(); !s.ok()) return s;
  if (break_at_ > 0) {
    run_->sink().RefuseEmit(break_at_, TIDEMARK_UNAVAILABLE, "broken off by the test");
  }
  if (plugin_.acknowledged != nullptr && !releasable_.empty()) {
    const std::vector<tidemark_state> raw = Raw(releasable_);
    tidemark_acknowledgement a = {};
    a.struct_size = sizeof(a);
    a.state_size = sizeof(tidemark_state);
    a.releasable_count = static_cast<uint32_t>(raw.size());
    a.releasable = raw.data();
    plugin_.acknowledged(run_->connector(), &a);
  }
  const std::vector<tidemark_state> raw = Raw(state_);
  const std::vector<tidemark_selection> selections(
      run_->sink().tables().size(),
      {full ? uint32_t{TIDEMARK_SELECT_FULL} : uint32_t{TIDEMARK_SELECT_INCREMENTAL}, 0, nullptr});
  tidemark_update_request request = {};
  request.struct_size = sizeof(request);
  request.state_size = sizeof(tidemark_state);
  request.state_count = static_cast<uint32_t>(raw.size());
  request.states = raw.data();
  request.selection_size = sizeof(tidemark_selection);
  request.selections = selections.data();
  request.selection_count = static_cast<uint32_t>(selections.size());
  request.new_tables = TIDEMARK_SELECT_INCREMENTAL;
  request.connection = {"test", 4};
  const std::string sync_id = absl::StrCat("sync-", same_sync_ ? syncs_ : ++syncs_);
  request.sync_id = Bytes(sync_id);
  request.epoch = 1;
  request.attempt = 1;
  request.page_rows = page_rows_;
  request.from_us = TIDEMARK_NO_TIME;
  request.until_us = INT64_MAX;
  const absl::Status status = run_->Update(request);
  EXPECT_TRUE(sink().violations().empty()) << absl::StrJoin(sink().violations(), "\n");
  const auto& checkpoints = sink().checkpoints();
  const size_t committed = checkpoints.empty() ? 0 : checkpoints.back().changes;
  sink().ApplyTo(&image_, status.ok() ? SIZE_MAX : committed);
  state_ = sink().StatesAfter(checkpoints.size(), state_);
  return status;
}

absl::Status SourceRun::Validate() {
  PluginRun run(plugin_, settings_);
  if (absl::Status s = run.Open(); !s.ok()) return s;
  return run.ValidateState(state_);
}

size_t SourceRun::count(uint8_t op) const {
  const auto& changes = sink().changes();
  return static_cast<size_t>(
      std::count_if(changes.begin(), changes.end(), [op](const auto& c) { return c.op == op; }));
}

std::vector<std::string> SourceRun::Keys() const {
  std::vector<std::string> keys;
  for (const RecordedChange& change : sink().changes()) {
    if (change.op == TIDEMARK_UPSERT) keys.push_back(change.row.at(0).ToString());
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::string SourceRun::Warnings() const { return absl::StrJoin(sink().warnings(), "\n"); }

}  // namespace tidemark_testing
