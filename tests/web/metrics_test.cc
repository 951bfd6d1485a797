#include "web/metrics.h"

#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/web/exposition.h"
#include "tests/web/web_fixture.h"

namespace tidemark {
namespace {

using test::Exposition;
using testing::Contains;
using testing::IsEmpty;

class MetricsTest : public test::WebFixture {
 protected:
  void SetUp() override {
    WebFixture::SetUp();
    MakeMetrics();
  }
  void MakeMetrics() {
    metrics_ = std::make_unique<Metrics>(Metrics::Parts{connections_.get(), syncs_.get(), &clock_});
  }
  Exposition Scrape() {
    const Exposition exposition(metrics_->Exposition());
    EXPECT_THAT(exposition.problems(), IsEmpty());
    return exposition;
  }
  static SyncOutcome Outcome() {
    SyncOutcome outcome;
    outcome.counts.inserted = 7;
    outcome.counts.dead_letter = 2;
    outcome.counts.conflict = 1;
    outcome.bytes = 700;
    outcome.commits = 2;
    outcome.checkpoints = 3;
    outcome.retries = 1;
    outcome.restarts = 1;
    outcome.commit_latency.Add(absl::Milliseconds(4));
    outcome.commit_latency.Add(absl::Seconds(9));
    outcome.tables.emplace_back().late = 5;
    outcome.state.push_back({"", 1, 3, "", "0123456789"});
    return outcome;
  }
  // Everything a server can show at once.
  void RunEverything() {
    AddConnection("shop", "every 10 minutes");
    const SyncOutcome outcome = Outcome();
    EndSync("shop", SyncPhase::kPartial, metrics_.get(), &outcome);
  }

  std::unique_ptr<Metrics> metrics_;
};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST_F(MetricsTest, AServerWithoutConnectionsIsWellFormed) {
  const Exposition exposition = Scrape();
  EXPECT_EQ(exposition.Value("tidemark_connections"), 0);
  EXPECT_EQ(exposition.Value("tidemark_queue_length"), 0);
  EXPECT_GT(exposition.Value("process_resident_memory_bytes").value_or(0), 1e6);
  EXPECT_GT(exposition.Value("process_open_fds").value_or(0), 2);
  EXPECT_GT(exposition.Value("process_start_time_seconds").value_or(0), 1.5e9);
}

TEST_F(MetricsTest, ASyncIsCounted) {
  RunEverything();
  clock_.Advance(absl::Seconds(59));
  const Exposition exposition = Scrape();
  const auto value = [&](const std::string& name, const std::string& more = "") {
    return exposition.Value(absl::StrCat("tidemark_", name, "{connection=\"shop\"", more, "}"));
  };
  EXPECT_EQ(value("rows_total", ",kind=\"inserted\""), 7);
  EXPECT_EQ(value("rows_total", ",kind=\"deleted\""), 0);
  EXPECT_EQ(value("syncs_total", ",status=\"partial\""), 1);
  EXPECT_EQ(value("syncs_total", ",status=\"failed\""), 0);
  EXPECT_EQ(value("bytes_total"), 700);
  EXPECT_EQ(value("commits_total"), 2);
  EXPECT_EQ(value("checkpoints_total"), 3);
  EXPECT_EQ(value("retries_total"), 1);
  EXPECT_EQ(value("plugin_restarts_total"), 1);
  EXPECT_EQ(value("dead_letters_total"), 2);
  EXPECT_EQ(value("conflicts_total"), 1);
  EXPECT_EQ(value("late_rows_total"), 5);
  EXPECT_EQ(value("state_versions_total"), 2);
  EXPECT_EQ(value("state_bytes"), 10);
  EXPECT_EQ(value("syncs_running"), 0);
  EXPECT_EQ(value("last_sync_failed"), 0);
  EXPECT_EQ(value("last_sync_duration_seconds"), 1);
  EXPECT_EQ(value("lag_seconds"), 60);
  EXPECT_EQ(value("commit_latency_seconds_bucket", ",le=\"0.005\""), 1);
  EXPECT_EQ(value("commit_latency_seconds_bucket", ",le=\"5\""), 1);
  EXPECT_EQ(value("commit_latency_seconds_count"), 2);
  EXPECT_EQ(value("connection_paused"), 0);
  EXPECT_EQ(value("connection_valid"), 1);
}

TEST_F(MetricsTest, RunningSyncsAreCountedAsTheyCommit) {
  AddConnection("shop");
  SyncEntry queued;
  queued.connection = "shop";
  auto entry = syncs_->Add(queued);
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(Scrape().Value("tidemark_queue_length"), 1);
  entry = syncs_->Start(entry->sync_id);
  ASSERT_TRUE(entry.ok());
  metrics_->OnSyncStarted(*entry);
  SyncProgress progress;
  progress.counts.updated = 3;
  metrics_->OnSyncProgress(*entry, progress);
  const Exposition exposition = Scrape();
  EXPECT_EQ(exposition.Value("tidemark_queue_length"), 0);
  EXPECT_EQ(exposition.Value("tidemark_syncs_running{connection=\"shop\"}"), 1);
  EXPECT_EQ(exposition.Value("tidemark_rows_total{connection=\"shop\",kind=\"updated\"}"), 3);
}

TEST_F(MetricsTest, ARestartKeepsTimesAndBeginsCounters) {
  RunEverything();
  EndSync("shop", SyncPhase::kFailed, metrics_.get());
  const auto up_to_date = metrics_->UpToDate("shop");
  ASSERT_TRUE(up_to_date.has_value());
  metrics_.reset();
  Reopen();
  MakeMetrics();
  EXPECT_EQ(metrics_->UpToDate("shop"), up_to_date);
  const Exposition exposition = Scrape();
  EXPECT_EQ(exposition.Value("tidemark_last_sync_failed{connection=\"shop\"}"), 1);
  EXPECT_EQ(exposition.Value("tidemark_syncs_total{connection=\"shop\",status=\"failed\"}"), 0);
}

TEST_F(MetricsTest, SeriesOfAConnectionThatIsGoneEnd) {
  RunEverything();
  ASSERT_TRUE(Scrape().Value("tidemark_bytes_total{connection=\"shop\"}").has_value());
  ASSERT_TRUE(connections_->Delete("shop", 0).ok());
  EXPECT_FALSE(Scrape().Value("tidemark_bytes_total{connection=\"shop\"}").has_value());
}

TEST_F(MetricsTest, TheNumberOfSeriesIsBounded) {
  for (size_t i = 0; i < Metrics::kConnections + 3; ++i) {
    AddConnection(absl::StrCat("c", 10'000 + i));
  }
  const SyncOutcome outcome = Outcome();
  for (size_t i = Metrics::kConnections; i < Metrics::kConnections + 3; ++i) {
    SyncEntry entry;
    entry.sync_id = absl::StrCat("s", i);
    entry.connection = absl::StrCat("c", 10'000 + i);
    entry.phase = SyncPhase::kCompleted;
    metrics_->OnSyncEnded(entry, &outcome);
  }
  const Exposition exposition = Scrape();
  EXPECT_EQ(exposition.families().at("tidemark_bytes_total").series.size(),
            Metrics::kConnections + 1);
  EXPECT_EQ(exposition.Value("tidemark_bytes_total{connection=\"(others)\"}"), 2100);
}

// Whatever is written down about metrics is true.
TEST_F(MetricsTest, TheReadmeListsWhatIsThere) {
  RunEverything();
  const Exposition exposition = Scrape();
  std::set<std::string> listed;
  for (absl::string_view line :
       absl::StrSplit(ReadAll(TIDEMARK_WEB "/README.md"), '\n', absl::SkipEmpty())) {
    std::vector<std::string> cells = absl::StrSplit(line, '|');
    if (cells.size() < 6) continue;
    for (std::string& cell : cells) absl::StripAsciiWhitespace(&cell);
    if (cells[1] == "name" || cells[1] == "---") continue;
    listed.insert(cells[1]);
    const auto family = exposition.families().find(cells[1]);
    if (family == exposition.families().end()) {
      ADD_FAILURE() << "the README lists " << cells[1] << ", which is not exposed";
      continue;
    }
    EXPECT_EQ(family->second.type, cells[2]) << cells[1];
    EXPECT_EQ(absl::StrJoin(family->second.labels, ", "), cells[3]) << cells[1];
  }
  for (const auto& [name, family] : exposition.families()) EXPECT_THAT(listed, Contains(name));
}

// Names of metrics in a text; the sample names of histograms count as the family's.
std::set<std::string> Names(const std::string& text) {
  static const std::regex kName("\\b(?:tidemark|process)_[a-z0-9_]+");
  std::set<std::string> names;
  for (auto match = std::sregex_iterator(text.begin(), text.end(), kName);
       match != std::sregex_iterator(); ++match) {
    names.insert(std::regex_replace(match->str(), std::regex("_(bucket|sum|count)$"), ""));
  }
  return names;
}

TEST_F(MetricsTest, TheBoardAndTheRulesUseWhatIsThere) {
  RunEverything();
  const Exposition exposition = Scrape();
  std::set<std::string> known;
  for (const auto& [name, family] : exposition.families()) known.insert(name);
  for (const char* file : {"/grafana/tidemark.json", "/prometheus/tidemark.rules.yaml"}) {
    const std::set<std::string> used = Names(ReadAll(absl::StrCat(TIDEMARK_WEB, file)));
    EXPECT_GT(used.size(), 8U) << file;
    for (const std::string& name : used) EXPECT_THAT(known, Contains(name)) << file;
  }
}

TEST_F(MetricsTest, TheBoardIsWhole) {
  const nlohmann::json board =
      nlohmann::json::parse(ReadAll(TIDEMARK_WEB "/grafana/tidemark.json"));
  std::set<int> ids;
  for (const nlohmann::json& panel : board.at("panels")) {
    EXPECT_TRUE(ids.insert(panel.at("id").get<int>()).second) << panel.at("title");
    EXPECT_FALSE(panel.at("targets").empty()) << panel.at("title");
    EXPECT_LE(panel.at("gridPos").at("x").get<int>() + panel.at("gridPos").at("w").get<int>(), 24);
    for (const nlohmann::json& target : panel.at("targets")) {
      const std::string expression = target.at("expr");
      for (const auto& [open, close] : {std::pair('(', ')'), std::pair('{', '}')}) {
        EXPECT_EQ(std::count(expression.begin(), expression.end(), open),
                  std::count(expression.begin(), expression.end(), close))
            << expression;
      }
    }
  }
  EXPECT_GE(ids.size(), 12U);
}

}  // namespace
}  // namespace tidemark
