// The generator: deterministic, resumable from everywhere, honest in its ledger.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "generator/rows.h"
#include "tidemark/testing.h"

namespace {

using tidemark_testing::Failures;
using tidemark_testing::PluginRun;
using tidemark_testing::RecordedState;
using tidemark_testing::RunConformance;
using tidemark_testing::Settings;
using tidemark_testing::TableImage;

const tidemark_plugin& Generator() {
  static const tidemark_plugin* const plugin =
      *tidemark_testing::LoadPlugin(TIDEMARK_PLUGINS "/generator.so");
  return *plugin;
}

// The tables after one run from nothing.
TableImage ImageOf(const Settings& settings) {
  PluginRun run(Generator(), settings);
  EXPECT_EQ(absl::OkStatus(), run.Open());
  EXPECT_EQ(absl::OkStatus(), run.Update());
  return run.sink().Image();
}

struct Shape {
  const char* name;
  Settings settings;
};

class GeneratorShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(GeneratorShapes, Conforms) {
  EXPECT_EQ("", Failures(RunConformance(Generator(), GetParam().settings)));
}

INSTANTIATE_TEST_SUITE_P(
    Generator, GeneratorShapes,
    ::testing::Values(
        Shape{"Plain", {{"count", "95"}, {"checkpoint_interval", "10"}}},
        Shape{"Shuffled",
              {{"count", "95"}, {"checkpoint_interval", "7"}, {"key_order", "shuffled"}}},
        Shape{"OneCheckpoint", {{"count", "2500"}, {"checkpoint_interval", "0"}}},
        Shape{"CheckpointForEachRow", {{"count", "40"}, {"checkpoint_interval", "1"}}},
        Shape{"UpdatesAndDeletes",
              {{"count", "300"},
               {"checkpoint_interval", "11"},
               {"update_share", "0.5"},
               {"delete_share", "0.3"},
               {"key_order", "shuffled"}}},
        Shape{"ThreeTables", {{"count", "50"}, {"tables", "3"}, {"checkpoint_interval", "8"}}},
        Shape{"StatePerTable",
              {{"count", "50"},
               {"tables", "3"},
               {"checkpoint_interval", "8"},
               {"delete_share", "0.2"},
               {"state_as", "tables"}}},
        Shape{"Empty", {{"count", "0"}}}),
    [](const auto& tested) { return tested.param.name; });

TEST(Generator, EveryKeyComesOnceInBothOrders) {
  for (const uint64_t count : {1u, 2u, 3u, 100u, 1000u, 4096u, 65537u}) {
    for (const uint64_t seed : {0u, 1u, 99u}) {
      std::set<int64_t> ids;
      uint64_t in_place = 0;
      for (uint64_t p = 0; p < count; ++p) {
        const int64_t id = generator_shuffled_id(seed, p, count);
        EXPECT_GE(id, 1);
        EXPECT_LE(id, static_cast<int64_t>(count));
        in_place += id == static_cast<int64_t>(p) + 1 ? 1 : 0;
        ids.insert(id);
      }
      EXPECT_EQ(ids.size(), count);
      if (count >= 100) {
        EXPECT_LT(in_place, count / 10) << "barely shuffled";
      }
    }
  }
  EXPECT_EQ(ImageOf({{"count", "500"}}), ImageOf({{"count", "500"}, {"key_order", "shuffled"}}));
}

TEST(Generator, SeedAndVariantDecideTheValues) {
  const TableImage plain = ImageOf({{"count", "50"}});
  EXPECT_EQ(plain, ImageOf({{"count", "50"}, {"checkpoint_interval", "3"}}));
  EXPECT_EQ(plain, ImageOf({{"count", "50"}, {"pass", "4"}}));
  const TableImage variant = ImageOf({{"count", "50"}, {"variant", "1"}});
  const TableImage seed = ImageOf({{"count", "50"}, {"seed", "2"}});
  ASSERT_EQ(plain.Lines().size(), 50u);
  for (size_t i = 0; i < 50; ++i) {
    EXPECT_NE(plain.Lines()[i], variant.Lines()[i]);
    EXPECT_NE(plain.Lines()[i], seed.Lines()[i]);
  }
  // Frozen: other machines and versions must make the same rows.
  EXPECT_EQ(plain.Lines()[0],
            "rows (1) account=6288263728220526374 active=true amount=1.56498e+09 "
            "code=\"ijnkjjacondhbniboiah\" day=date:21583 id=1 "
            "name=\"ljinjpomdnokcmdgbcinankdfbhphdbajhjhcnigldheiffegggmehpgfdaj\" "
            "payload={\"note\":\"hnnpnjkddpehbkffhbifnphnffajhaapeboaopofmgic\","
            "\"n\":8544724762,\"ok\":true} price=6093402412.92 "
            "updated_at=timestamp:1700085634157402");
}

TEST(Generator, RowsHaveTheirShape) {
  generator_row row;
  for (int64_t id = 1; id <= 1000; ++id) {
    generator_fill(7, 3, id, &row);
    const std::string payload(row.payload, GENERATOR_PAYLOAD);
    EXPECT_EQ(payload.substr(0, 9), "{\"note\":\"");
    EXPECT_EQ(payload.substr(69), ",\"ok\":true}");
    EXPECT_LE(row.price_size, static_cast<uint32_t>(GENERATOR_PRICE_MAX));
    EXPECT_EQ(row.price[row.price_size - 3], '.');
    EXPECT_LE(row.active, 1u);
  }
}

TEST(Generator, SharesAreKeptRoughly) {
  PluginRun run(Generator(),
                {{"count", "10000"}, {"update_share", "0.2"}, {"delete_share", "0.1"}});
  ASSERT_EQ(absl::OkStatus(), run.Open());
  ASSERT_EQ(absl::OkStatus(), run.Update());
  size_t counts[6] = {};
  for (const auto& change : run.sink().changes()) ++counts[change.op];
  EXPECT_EQ(counts[TIDEMARK_UPSERT], 10000u);
  EXPECT_NEAR(static_cast<double>(counts[TIDEMARK_UPDATE]), 2000, 200);
  EXPECT_NEAR(static_cast<double>(counts[TIDEMARK_DELETE]), 1000, 150);
  EXPECT_EQ(run.sink().Image().RowCount("rows"), 10000 - counts[TIDEMARK_DELETE]);
}

TEST(Generator, AnotherVariantOrPassStartsOver) {
  PluginRun first(Generator(), {{"count", "20"}});
  ASSERT_EQ(absl::OkStatus(), first.Open());
  ASSERT_EQ(absl::OkStatus(), first.Update());
  const std::vector<RecordedState> states = first.sink().StatesAfter(1);
  for (const auto& [settings, changes] :
       std::vector<std::pair<Settings, size_t>>{{{{"count", "20"}}, 0},
                                                {{{"count", "30"}}, 10},
                                                {{{"count", "20"}, {"variant", "1"}}, 20},
                                                {{{"count", "20"}, {"pass", "1"}}, 20}}) {
    PluginRun second(Generator(), settings);
    ASSERT_EQ(absl::OkStatus(), second.Open());
    ASSERT_EQ(absl::OkStatus(), second.Update(states));
    EXPECT_EQ(second.sink().changes().size(), changes);
  }
}

TEST(Generator, SkippedTablesAreNotRead) {
  for (const char* state_as : {"connection", "tables"}) {
    PluginRun run(Generator(), {{"count", "20"}, {"tables", "2"}, {"state_as", state_as}});
    ASSERT_EQ(absl::OkStatus(), run.Open());
    const tidemark_selection selections[] = {{TIDEMARK_SELECT_SKIP, 0, nullptr},
                                             {TIDEMARK_SELECT_FULL, 0, nullptr}};
    tidemark_update_request request = {};
    request.struct_size = sizeof(request);
    request.state_size = sizeof(tidemark_state);
    request.selection_size = sizeof(tidemark_selection);
    request.selection_count = 2;
    request.selections = selections;
    ASSERT_EQ(absl::OkStatus(), run.Update(request));
    EXPECT_EQ(run.sink().Image().RowCount("rows_1"), 0u);
    EXPECT_EQ(run.sink().Image().RowCount("rows_2"), 20u);
  }
}

TEST(Generator, LedgerHoldsWhatWasSentAndAcknowledged) {
  const std::filesystem::path file =
      std::filesystem::path(::testing::TempDir()) / absl::StrCat("ledger_", getpid());
  for (const auto& [state_as, text] :
       {std::pair("connection",
                  "start 1 1 0\nsent 1 10\nsent 2 20\nsent 3 30\nsent 4 40\ndurable 4\n"),
        std::pair("tables",
                  "start 1 1 0\nsent 1 10\nsent 2 20\nsent 3 10\nsent 4 20\ndurable 4\n")}) {
    std::filesystem::remove(file);
    {
      PluginRun run(Generator(), {{"count", "20"},
                                  {"tables", "2"},
                                  {"checkpoint_interval", "10"},
                                  {"state_as", state_as},
                                  {"pause_us", "1000"},
                                  {"ledger_file", file.string()}});
      ASSERT_EQ(absl::OkStatus(), run.Open());
      ASSERT_EQ(absl::OkStatus(), run.Update());
    }
    std::ifstream in(file);
    EXPECT_EQ(text,
              std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()));
  }
  std::filesystem::remove(file);
}

TEST(Generator, WrongOptionsAreRefusedWithTheirName) {
  for (const auto& [name, value] :
       {std::pair("count", "-1"), std::pair("delete_share", "1.5"), std::pair("variant", "10001"),
        std::pair("ledger_file", "/nowhere/at/all")}) {
    PluginRun run(Generator(), {{name, value}});
    const absl::Status status = run.Open();
    EXPECT_NE(status.message().find(name), std::string::npos) << status;
  }
}

}  // namespace
