#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "http/http_client.h"
#include "tests/plugins/local_server.h"
#include "tests/plugins/mock_api.h"
#include "tidemark/testing.h"

namespace tidemark_testing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const tidemark_plugin& Plugin() {
  static const tidemark_plugin* const plugin = [] {
    auto loaded = LoadPlugin(TIDEMARK_PLUGIN_FOLDER "/replay.so");
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return *loaded;
  }();
  return *plugin;
}

Settings Configured(const std::string& url, const std::string& buffer_hours = "2") {
  return {{"base_url", url}, {"buffer_hours", buffer_hours}};
}

// One instance and one update, as the host does it; `state` and `image` go on with it.
absl::Status Sync(const Settings& settings, absl::Time now, std::vector<RecordedState>* state,
                  TableImage* image, RecordingSink** sink_out = nullptr) {
  static std::unique_ptr<PluginRun> run;
  run = std::make_unique<PluginRun>(Plugin(), settings);
  run->sink().SetNowMicros(absl::ToUnixMicros(now));
  if (sink_out != nullptr) *sink_out = &run->sink();
  if (absl::Status s = run->Open(); !s.ok()) return s;
  absl::Status status = run->Update(*state);
  EXPECT_THAT(run->sink().violations(), ElementsAre());
  run->sink().ApplyTo(image);
  *state = run->sink().StatesAfter(run->sink().checkpoints().size(), *state);
  return status;
}

std::string Get(const std::string& url) {
  auto client = tidemark::http::HttpClient::Create({});
  auto response = (*client)->Send({.url = *tidemark::http::Url::Parse(url)});
  EXPECT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(200, response->status);
  return response->body;
}

// A day of a replica of whose changes a third come 30 minutes late, synced every 20 minutes.
// Returns what the destination has in the end, and into `truth` what it should have.
TableImage FollowReplica(const std::string& buffer_hours, TableImage* truth) {
  const absl::Time start = absl::FromCivil(absl::CivilDay(2023, 5, 1), absl::UTCTimeZone());
  const auto server = LocalServer::Script("replica.py", {"--start", "2023-05-01T00:00:00Z"});
  const auto set_clock = [&server](absl::Time now) {
    Get(server->Url(absl::StrCat(
        "/clock?now=", absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone()))));
  };
  const Settings settings = Configured(server->Url("/incremental/replay"), buffer_hours);
  TableImage image;
  std::vector<RecordedState> state;
  absl::Time now = start;
  for (int i = 0; i < 72; ++i, now += absl::Minutes(20)) {
    set_clock(now);
    EXPECT_EQ(absl::OkStatus(), Sync(settings, now, &state, &image));
  }
  std::vector<RecordedState> none;
  EXPECT_EQ(absl::OkStatus(), Sync(settings, now, &none, truth));
  return image;
}

TEST(Replay, BufferFindsRowsThatAReplicaShowsLate) {
  TableImage truth;
  const TableImage image = FollowReplica("2", &truth);
  EXPECT_EQ(40u, truth.RowCount("user"));
  EXPECT_EQ(truth.Lines(), image.Lines());
}

TEST(Replay, WithoutBufferLateRowsAreLost) {  // so the test above can fail
  TableImage truth;
  const TableImage image = FollowReplica("0", &truth);
  EXPECT_NE(truth.Lines(), image.Lines());
}

TEST(Replay, ConformsToTheRules) {
  const auto server = LocalServer::Script("replica.py", {"--start", "2023-05-01T00:00:00Z"});
  Get(server->Url("/clock?now=2023-05-02T00:00:00Z"));
  EXPECT_EQ("", Failures(RunConformance(Plugin(), Configured(server->Url("/incremental/replay")))));
}

TEST(Replay, ReadsTheMockApiAndReplaysItsBuffer) {
  const MockApi api;
  ASSERT_TRUE(api.ready());
  const Settings settings = Configured(api.Url("/incremental/timestamp"));
  std::vector<RecordedState> state;
  TableImage image;
  RecordingSink* sink = nullptr;
  ASSERT_EQ(absl::OkStatus(), Sync(settings, absl::Now(), &state, &image, &sink));
  EXPECT_EQ(200u, image.RowCount("user"));
  ASSERT_EQ(1u, sink->checkpoints().size());
  EXPECT_THAT(sink->checkpoints()[0].states[0].body,
              testing::MatchesRegex(R"re(\{"last_timestamp": "20[-0-9]+T[0-9:]+Z"\})re"));
  EXPECT_EQ("", sink->checkpoints()[0].states[0].table);

  const std::vector<std::string> before = image.Lines();
  ASSERT_EQ(absl::OkStatus(), Sync(settings, absl::Now(), &state, &image, &sink));
  EXPECT_EQ(before, image.Lines());
  EXPECT_GT(sink->changes().size(), 0u) << "the buffer is read again";
  EXPECT_LT(sink->changes().size(), 20u) << "only the buffer is";
}

TEST(Replay, DeclaresTheTableOfTheExample) {
  PluginRun run(Plugin(), Configured("http://127.0.0.1:5001/incremental/replay"));
  ASSERT_EQ(absl::OkStatus(), run.Open());
  ASSERT_EQ(1u, run.sink().tables().size());
  const RecordedTable& table = run.sink().tables()[0];
  EXPECT_EQ("user", table.name);
  std::vector<std::string> columns;
  columns.reserve(table.columns.size());
  for (const RecordedColumn& c : table.columns) {
    columns.push_back(absl::StrCat(c.name, ":", c.type, ":", c.flags));
  }
  EXPECT_THAT(columns, ElementsAre("id:14:1", "name:14:0", "email:14:0", "address:14:0",
                                   "company:14:0", "job:14:0", "updatedAt:11:2", "createdAt:11:0"));
}

TEST(Replay, RefusesWhatItCannotUse) {
  const std::string url = "http://127.0.0.1:1/incremental/replay";
  for (const auto& [settings, text] : std::vector<std::pair<Settings, std::string>>{
           {Configured("ftp://example.com"), "http"},
           {Configured("http://me:secret@example.com/"), "holds a user or a password"},
           {Configured(url, "-1"), "buffer_hours"}}) {
    PluginRun run(Plugin(), settings);
    const absl::Status status = run.Open();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
    EXPECT_FALSE(absl::StrContains(status.message(), "secret"));
  }
}

TEST(Replay, AsksTheHostToComeBackWhenNobodyAnswers) {
  std::vector<RecordedState> state;
  TableImage image;
  RecordingSink* sink = nullptr;
  // Nobody listens on port 1.
  const absl::Status status =
      Sync(Configured("http://127.0.0.1:1/incremental/replay"), absl::Now(), &state, &image, &sink);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(sink->warnings(), ElementsAre(HasSubstr("3 requests were repeated")));
}

}  // namespace
}  // namespace tidemark_testing
