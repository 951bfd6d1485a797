#include "tests/bench/wire.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/clock.h"
#include "core/setting.h"
#include "pipeline/sync.h"
#include "source/connector_launch.h"
#include "tests/bench/discarding_destination.h"

namespace tidemark {
namespace {

class SilentObserver final : public SyncObserver {
 public:
  void OnLog(int, absl::string_view, absl::string_view) override {}
};

Setting Number(const char* name, uint64_t value) {
  return {.name = name, .kind = ValueKind::kInt64, .i64 = static_cast<int64_t>(value), .text = {}};
}
Setting Text(const char* name, const char* value) {
  return {.name = name, .kind = ValueKind::kString, .text = value};
}
Setting Share(const char* name) {
  return {.name = name, .kind = ValueKind::kDouble, .f64 = 0, .text = {}};
}

}  // namespace

absl::StatusOr<WireResult> RunWire(const std::string& host_binary, const std::string& plugin,
                                   uint64_t rows) {
  ConnectorLaunch launch;
  launch.label = "plugin generator";
  launch.settings = {Number("count", rows),
                     Number("seed", 1),
                     Text("key_order", "ascending"),
                     Number("checkpoint_interval", 10'000),
                     Share("update_share"),
                     Share("delete_share"),
                     Text("table", "rows"),
                     Number("tables", 1),
                     Text("state_as", "connection"),
                     Number("variant", 0),
                     Number("pass", 0),
                     Number("pause_us", 0)};
  const ChildPlacement placement{.host_binary = host_binary, .plugin_path = plugin};

  DiscardingDestination destination;
  SilentObserver observer;
  SyncOptions options;
  options.connection = "wire";
  SyncParts parts;
  parts.source = [&] { return LaunchChild(launch, placement); };
  parts.destination = &destination;
  parts.clock = &Clock::Real();
  parts.observer = &observer;
  parts.report = [](const SyncOutcome&) { return std::string("{}"); };

  const absl::Duration begin = Clock::Real().Monotonic();
  const SyncOutcome outcome = RunSync(options, parts);
  if (!outcome.error.ok()) return outcome.error;
  return WireResult{.rows = destination.rows(), .elapsed = Clock::Real().Monotonic() - begin};
}

}  // namespace tidemark
