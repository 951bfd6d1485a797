// The same connector behaves the same wherever it runs.
#include <grpcpp/server.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/status_context.h"
#include "plugin_host/connector_service.h"
#include "plugin_host/in_process.h"
#include "plugin_host/plugin_library.h"
#include "source/connector_launch.h"
#include "tests/source/event_text.h"
#include "tests/source/polling.h"
#include "tests/source/scripted_connector.h"
#include "tests/source/test_settings.h"

namespace tidemark {
namespace {

const std::string kPlugin = TIDEMARK_TEST_PLUGINS "/placed.so";

class PlacementTest : public testing::TestWithParam<const char*> {
 protected:
  PlacementTest() {
    std::string name = (std::filesystem::temp_directory_path() / "tidemark_XXXXXX").string();
    folder_ = mkdtemp(name.data());
    settings_ = {{"rows", int64_t{10}}, {"every", int64_t{10}},    {"payload", int64_t{1}},
                 {"wait", false},       {"fail_code", int64_t{0}}, {"log", folder_ + "/log"}};
  }
  ~PlacementTest() override {
    source_ = nullptr;
    server_ = nullptr;
    std::filesystem::remove_all(folder_);
  }

  void Connect() {
    ConnectorLaunch launch;
    launch.label = "plugin placed";
    launch.settings = ToSettings(settings_);
    launch.limits.interrupt = absl::Seconds(10);
    launch.sandbox.write_paths = {folder_};
    absl::StatusOr<std::unique_ptr<ChangeSource>> source = Launch(launch);
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
  }

  void Start(const UpdateStart& start = UpdateStart()) {
    Connect();
    absl::StatusOr<std::vector<TableSchema>> tables = source_->Schema();
    ASSERT_TRUE(tables.ok()) << tables.status();
    UpdateStart all = start;
    all.selections.resize(tables->size());
    ASSERT_TRUE(source_->Start(all).ok());
  }

  // How many rows the connector has emitted; once it was cancelled: -1.
  int64_t Emitted() {
    int64_t count = 0;
    const bool written = Eventually([this, &count] {
      std::ifstream file(folder_ + "/log");
      std::string text;
      file >> text;
      if (text == "cancelled") count = -1;
      return count == -1 || absl::SimpleAtoi(text, &count);
    });
    EXPECT_TRUE(written);
    return count;
  }

  TestSettings settings_;
  std::string folder_;
  std::unique_ptr<ConnectorService> service_;
  std::unique_ptr<ScriptedServer> server_;
  std::unique_ptr<ChangeSource> source_;

 private:
  absl::StatusOr<std::unique_ptr<ChangeSource>> Launch(const ConnectorLaunch& launch) {
    const std::string placement = GetParam();
    if (placement == "child") return LaunchChild(launch, {TIDEMARK_PLUGIN_HOST, kPlugin});
    if (placement == "in_process") {
      absl::StatusOr<InProcessHost> host = ServeInProcess(kPlugin);
      if (!host.ok()) return host.status();
      return ConnectChannel(launch, host->channel, host->owner);
    }
    service_ = std::make_unique<ConnectorService>(PluginLibrary::Open(kPlugin));
    const std::string path = absl::StrCat("unix:", folder_, "/socket");
    const bool tcp = placement == "tcp";
    server_ = std::make_unique<ScriptedServer>(service_->service(), tcp ? "127.0.0.1:0" : path);
    return ConnectAddress(launch, tcp ? absl::StrCat("grpc://127.0.0.1:", server_->port()) : path);
  }
};

TEST_P(PlacementTest, DescribesItself) {
  Connect();
  absl::StatusOr<ConnectorDescription> description = source_->Describe();
  ASSERT_TRUE(description.ok()) << description.status();
  EXPECT_EQ(description->id, "placed");
  EXPECT_EQ(description->version, "1.2.3");
  EXPECT_EQ(description->options.size(), 6u);
  EXPECT_TRUE(source_->Check().ok());
  EXPECT_TRUE(source_->ValidateState({}).ok());
  EXPECT_TRUE(source_->Close().ok());
}

TEST_P(PlacementTest, SchemaRowsAndCheckpointsArriveInOrder) {
  settings_["rows"] = int64_t{2'500};
  settings_["every"] = int64_t{1'000};
  Connect();
  absl::StatusOr<std::vector<TableSchema>> tables = source_->Schema();
  ASSERT_TRUE(tables.ok()) << tables.status();
  ASSERT_EQ(tables->size(), 1u);
  EXPECT_EQ((*tables)[0].name, "placed");
  UpdateStart start;
  start.selections.resize(1);
  ASSERT_TRUE(source_->Start(start).ok());
  int64_t next = 0;
  uint64_t checkpoints = 0;
  while (true) {
    absl::StatusOr<std::optional<SourceEvent>> event = source_->Next(absl::InfiniteFuture());
    ASSERT_TRUE(event.ok()) << event.status();
    if (!event->has_value()) continue;
    if (const auto* batch = std::get_if<ChangeBatch>(&**event)) {
      ASSERT_EQ(batch->column_count, 2u);
      for (uint32_t i = 0; i < batch->row_count; ++i) {
        ASSERT_EQ(batch->kind(i), ChangeKind::kUpsert);
        ASSERT_EQ(batch->row(i)[0].i64, next++);
        ASSERT_EQ(batch->row(i)[1].view(), "p");
      }
    } else if (const auto* checkpoint = std::get_if<Checkpoint>(&**event)) {
      EXPECT_EQ(checkpoint->id, ++checkpoints);
      EXPECT_EQ(checkpoint->states.at(0).body, absl::StrCat(next));
      ASSERT_EQ(checkpoint->rows_since_last.size(), 1u);
      EXPECT_EQ(checkpoint->rows_since_last[0].rows, 1'000u);
      source_->Acknowledge({checkpoint->id, {}});
    } else if (const auto* finished = std::get_if<Finished>(&**event)) {
      EXPECT_TRUE(finished->status.ok()) << finished->status;
      ASSERT_EQ(finished->sent.size(), 1u);
      EXPECT_EQ(finished->sent[0].rows, 2'500u);
      break;
    }
  }
  EXPECT_EQ(next, 2'500);
  EXPECT_EQ(checkpoints, 2u);
  EXPECT_TRUE(source_->Close().ok());
}

TEST_P(PlacementTest, ResumesFromTheState) {
  UpdateStart start;
  start.states.resize(1);
  start.states[0].body = "7";
  start.states[0].version = 1;
  Start(start);
  EXPECT_EQ(DrainEvents(*source_).events,
            (std::vector<std::string>{"0: upsert(7 'p') upsert(8 'p') upsert(9 'p')",
                                      "checkpoint 1 '10' 0=3", "finished OK"}));
  source_->Acknowledge({1, {}});
  EXPECT_TRUE(source_->Close().ok());
}

// wait() returns only when the checkpoint is acknowledged.
TEST_P(PlacementTest, AcknowledgementsReachTheConnector) {
  settings_["rows"] = int64_t{50};
  settings_["wait"] = true;
  Start();
  uint64_t checkpoints = 0;
  while (true) {
    absl::StatusOr<std::optional<SourceEvent>> event = source_->Next(absl::InfiniteFuture());
    ASSERT_TRUE(event.ok()) << event.status();
    if (!event->has_value()) continue;
    if (std::holds_alternative<Finished>(**event)) break;
    const auto* checkpoint = std::get_if<Checkpoint>(&**event);
    if (checkpoint == nullptr) continue;
    ++checkpoints;
    // It stands still until it hears of the commit.
    absl::StatusOr<std::optional<SourceEvent>> more =
        source_->Next(absl::Now() + absl::Milliseconds(20));
    ASSERT_TRUE(more.ok() && !more->has_value());
    EXPECT_EQ(Emitted(), static_cast<int64_t>(10 * checkpoints));
    source_->Acknowledge({checkpoint->id, {}});
  }
  EXPECT_EQ(checkpoints, 5u);
  EXPECT_TRUE(source_->Close().ok());
}

TEST_P(PlacementTest, SlowConsumerHoldsTheConnectorBack) {
  settings_["rows"] = int64_t{1'000'000'000};
  settings_["every"] = int64_t{1'000'000'000};
  settings_["payload"] = int64_t{10'000};
  Start();
  const int64_t last = AwaitStandstill([this] { return Emitted(); });
  EXPECT_LE(last * 10'000, 12'000'000) << "bytes ahead of a consumer that takes nothing";
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(source_->Next(absl::InfiniteFuture()).ok());
  source_->Cancel();
}

TEST_P(PlacementTest, FinishedCarriesCodeAndRetryAfter) {
  settings_["fail_code"] = int64_t{14};
  Start();
  std::optional<Finished> finished;
  while (!finished.has_value()) {
    absl::StatusOr<std::optional<SourceEvent>> event = source_->Next(absl::InfiniteFuture());
    ASSERT_TRUE(event.ok()) << event.status();
    if (auto* last = std::get_if<Finished>(&**event)) finished = std::move(*last);
  }
  EXPECT_EQ(finished->status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(finished->status.message(), "plugin placed: fails as asked");
  EXPECT_EQ(RetryAfter(finished->status), absl::Seconds(7));
  EXPECT_FALSE(IsTransportFailure(finished->status));
  EXPECT_TRUE(source_->Close().ok());
}

TEST_P(PlacementTest, WrongConfigurationIsTheConnectorsVerdict) {
  settings_["every"] = int64_t{0};
  Connect();
  for (const absl::Status& status : {source_->Check(), source_->Schema().status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "plugin placed: ")) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "every must be positive")) << status;
    EXPECT_FALSE(IsTransportFailure(status)) << status;
  }
}

TEST_P(PlacementTest, CancelIsObeyed) {
  settings_["rows"] = int64_t{1'000'000'000};
  settings_["wait"] = true;
  Start();
  while (true) {  // until it waits for an acknowledgement
    absl::StatusOr<std::optional<SourceEvent>> event = source_->Next(absl::InfiniteFuture());
    ASSERT_TRUE(event.ok()) << event.status();
    if (event->has_value() && std::holds_alternative<Checkpoint>(**event)) break;
  }
  source_->Cancel();
  const absl::Status status = source_->Next(absl::InfiniteFuture()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "plugin placed")) << status;
  const absl::Time begin = absl::Now();
  source_ = nullptr;
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
  // Behind an address nobody waited for it.
  EXPECT_TRUE(Eventually([this] { return Emitted() == -1; }, absl::Seconds(5)));
}

// What a read says, the rows put together.
std::string Read(ChangeSource& source, const ReadStart& start) {
  const absl::Status begun = source.StartRead(start);
  if (!begun.ok()) return begun.ToString();
  std::string text;
  while (true) {
    absl::StatusOr<std::optional<SourceEvent>> event = source.Next(absl::InfiniteFuture());
    if (!event.ok()) return event.status().ToString();
    if (!event->has_value()) continue;
    if (const auto* batch = std::get_if<ChangeBatch>(&**event)) {
      for (uint32_t i = 0; i < batch->row_count; ++i) {
        absl::StrAppend(&text, batch->row(i)[0].i64, " ");
      }
    } else if (const auto* finished = std::get_if<Finished>(&**event)) {
      return absl::StrCat(text, finished->status.message());
    } else {
      return absl::StrCat("out of place: ", EventText(**event));
    }
  }
}

TEST_P(PlacementTest, RowsAreReadByKeysAndRanges) {
  Connect();
  absl::StatusOr<ConnectorDescription> description = source_->Describe();
  ASSERT_TRUE(description.ok()) << description.status();
  EXPECT_EQ(description->extensions, std::vector<std::string>{kReadExtension});
  absl::StatusOr<std::vector<TableSchema>> tables = source_->Schema();
  ASSERT_TRUE(tables.ok()) << tables.status();
  EXPECT_EQ((*tables)[0].reads, kReadKeys | kReadRanges);
  ReadStart keys;
  keys.mode = kReadKeys;
  keys.keys = {Value::Int64(7), Value::Int64(3), Value::Int64(99)};
  keys.key_count = 3;
  ReadStart range;
  range.mode = kReadRanges;
  range.lower = {Value::Int64(4)};
  EXPECT_EQ(Read(*source_, keys), "7 3 ");
  EXPECT_EQ(Read(*source_, range), "4 5 6 7 8 9 ");
  range.upper = {Value::Int64(8)};
  EXPECT_EQ(Read(*source_, range), "4 5 6 7 ");
  range.limit = 2;
  EXPECT_EQ(Read(*source_, range), "4 5 ");
  range.lower.clear();
  EXPECT_EQ(Read(*source_, range), "0 1 ");
  ReadStart whole;
  EXPECT_EQ(Read(*source_, whole),
            "plugin placed: this connector cannot read table placed as a whole");
  keys.keys.pop_back();
  EXPECT_TRUE(absl::StrContains(Read(*source_, keys), "keys to read")) << "two values, three keys";
  whole.table = 7;
  EXPECT_TRUE(absl::StrContains(Read(*source_, whole), "no table number 7"));
  EXPECT_EQ(Read(*source_, range), "0 1 ") << "what was refused harms nothing";
  EXPECT_TRUE(source_->Close().ok());
}

TEST_P(PlacementTest, AReadThatFailsIsTheConnectorsVerdict) {
  settings_["fail_code"] = int64_t{7};
  Connect();
  ASSERT_TRUE(source_->Schema().ok());
  ReadStart range;
  range.mode = kReadRanges;
  range.limit = 2;
  EXPECT_EQ(Read(*source_, range), "plugin placed: fails as asked");
  EXPECT_EQ(Read(*source_, range), "plugin placed: fails as asked") << "and the next is heard";
}

TEST_P(PlacementTest, ANewReadEndsTheOneBefore) {
  settings_["rows"] = int64_t{1'000'000'000};
  Connect();
  ASSERT_TRUE(source_->Schema().ok());
  ReadStart range;
  range.mode = kReadRanges;
  ASSERT_EQ(source_->StartRead(range), absl::OkStatus());
  ASSERT_TRUE(source_->Next(absl::InfiniteFuture()).ok());
  range.limit = 3;
  EXPECT_EQ(Read(*source_, range), "0 1 2 ");
  EXPECT_TRUE(Eventually([this] { return Emitted() == -1; }, absl::Seconds(10)));
  EXPECT_EQ(Read(*source_, range), "0 1 2 ") << "by another instance";
}

TEST_P(PlacementTest, AReadHasADeadline) {
  settings_["rows"] = int64_t{1'000'000'000};
  Connect();
  ASSERT_TRUE(source_->Schema().ok());
  ReadStart range;
  range.mode = kReadRanges;
  range.timeout = absl::Milliseconds(300);
  const std::string text = Read(*source_, range);
  EXPECT_TRUE(absl::StrContains(text, "DEADLINE_EXCEEDED: plugin placed did not end Read within"))
      << text.substr(0, 300);
}

TEST_P(PlacementTest, CancelEndsARead) {
  settings_["rows"] = int64_t{1'000'000'000};
  Connect();
  ASSERT_TRUE(source_->Schema().ok());
  ReadStart range;
  range.mode = kReadRanges;
  ASSERT_EQ(source_->StartRead(range), absl::OkStatus());
  ASSERT_TRUE(source_->Next(absl::InfiniteFuture()).ok());
  source_->Cancel();
  const absl::Status status = source_->Next(absl::InfiniteFuture()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
  source_ = nullptr;
  EXPECT_TRUE(Eventually([this] { return Emitted() == -1; }, absl::Seconds(10)));
}

INSTANTIATE_TEST_SUITE_P(Placements, PlacementTest,
                         testing::Values("child", "in_process", "unix", "tcp"),
                         [](const auto& placement) { return std::string(placement.param); });

}  // namespace
}  // namespace tidemark
