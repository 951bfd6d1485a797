// The sink of the C++ layer: when batches go, what a checkpoint holds, how errors stay.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/plugin_sdk/script.h"

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tidemark::Sink;
using tidemark::TableRef;
using tidemark::UpdateRequest;
using tidemark_testing::RecordingSink;

TEST(Batches, GoAtAThousandRows) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    const TableRef users = *sink.Find("users");
    for (int i = 0; i < 2500; ++i) {
      if (absl::Status s = sink.Upsert(users, {i}); !s.ok()) return s;
    }
    return absl::OkStatus();
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  EXPECT_EQ(run.sink().emit_calls(), 3u);
  EXPECT_EQ(run.sink().changes().size(), 2500u);
}

TEST(Batches, GoAtTheirSizeAndALargeRowGoesAlone) {
  const std::string tenth(26'000, 'x');
  const std::string large(1'000'000, 'y');
  ScriptRun run([&](const UpdateRequest&, Sink& sink) {
    for (int i = 0; i < 25; ++i) {
      if (absl::Status s = sink.Upsert("log", {{"line", tenth}}); !s.ok()) return s;
    }
    for (const std::string* text : {&large, &large, &tenth}) {
      if (absl::Status s = sink.Upsert("log", {{"line", *text}}); !s.ok()) return s;
    }
    return absl::OkStatus();
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  EXPECT_EQ(run.sink().emit_calls(), 6u);  // 10, 10, 5, large, large, 1
  const auto& changes = run.sink().changes();
  ASSERT_EQ(changes.size(), 28u);
  EXPECT_EQ(changes[0].row[0].data, tenth);
  EXPECT_EQ(changes[26].row[0].data, large);
  EXPECT_EQ(changes[27].row[0].data, tenth);
}

TEST(Batches, OfWideTablesHaveFewerRows) {
  ScriptRun run([&](const UpdateRequest&, Sink& sink) {
    tidemark::Table wide("wide");
    for (int i = 0; i < 1500; ++i) wide.Column(absl::StrCat("c", i), tidemark::kLong);
    const TableRef table = *sink.Define(wide);
    const std::vector<tidemark::Value> row(1500, tidemark::Value(7));
    for (int i = 0; i < 100; ++i) {
      if (absl::Status s = sink.Upsert(table, row); !s.ok()) return s;
    }
    return absl::OkStatus();
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  EXPECT_EQ(run.sink().emit_calls(), 5u);
  EXPECT_EQ(run.sink().changes().size(), 100u);
}

TEST(Batches, OfManyTablesGoTogetherWhenTheyAreTooMuch) {
  RecordingSink* recording = nullptr;
  ScriptRun run([&](const UpdateRequest&, Sink& sink) {
    const std::string text(100'000, 'x');
    for (int i = 0; i < 11; ++i) {
      EXPECT_EQ(recording->emit_calls(), 0u);
      absl::Status s = sink.Upsert(absl::StrCat("table", i), {{"text", text}});
      if (!s.ok()) return s;
    }
    EXPECT_EQ(recording->emit_calls(), 11u);
    return absl::OkStatus();
  });
  recording = &run.sink();
  ASSERT_EQ(absl::OkStatus(), run.Update());
}

struct Call {
  const char* name;
  absl::Status (*call)(Sink&);
};

class CallsThatEmit : public ::testing::TestWithParam<Call> {};

TEST_P(CallsThatEmit, HandOverWhatIsGathered) {
  RecordingSink* recording = nullptr;
  ScriptRun run([&](const UpdateRequest&, Sink& sink) {
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("log", {{"line", "1"}}));
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("users", {{"id", 1}}));
    EXPECT_EQ(recording->changes().size(), 0u);
    EXPECT_EQ(absl::OkStatus(), GetParam().call(sink));
    EXPECT_EQ(recording->changes().size(), 2u);
    return absl::OkStatus();
  });
  recording = &run.sink();
  ASSERT_EQ(absl::OkStatus(), run.Update());
}

INSTANTIATE_TEST_SUITE_P(
    Batches, CallsThatEmit,
    ::testing::Values(Call{"Checkpoint", [](Sink& s) { return s.Checkpoint("x"); }},
                      Call{"Flush", [](Sink& s) { return s.Flush(); }},
                      Call{"Sleep", [](Sink& s) { return s.Sleep(absl::Hours(1)); }},
                      Call{"Progress", [](Sink& s) { return s.Progress(1, 2, "reading"); }},
                      Call{"Emit", [](Sink& s) { return s.Emit(); }}),
    [](const auto& tested) { return tested.param.name; });

TEST(Batches, GoWithTheNextRowWhenTheyAreOld) {
  RecordingSink* recording = nullptr;
  ScriptRun run([&](const UpdateRequest&, Sink& sink) {
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("log", {{"line", "1"}}));
    // Time has to pass on the real clock: the age of a batch is the subject.
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(70);
    while (std::chrono::steady_clock::now() < end) {
    }
    EXPECT_EQ(recording->changes().size(), 0u);
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("users", {{"id", 1}}));
    EXPECT_EQ(recording->changes().size(), 2u);
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("users", {{"id", 2}}));
    EXPECT_EQ(recording->changes().size(), 2u);
    return absl::OkStatus();
  });
  recording = &run.sink();
  ASSERT_EQ(absl::OkStatus(), run.Update());
}

TEST(Batches, KeepTheOrderOfTablesInsideSourceTransactions) {
  RecordingSink recording;
  recording.BeginUpdate();
  tidemark::internal::TableSet tables{tidemark::Schema()};
  Sink sink(recording.sink(), tidemark::Host(recording.host()), &tables, 1, true);
  for (const char* table : {"a", "b", "b", "a"}) {
    ASSERT_EQ(absl::OkStatus(), sink.Upsert(table, {{"n", 1}}));
  }
  ASSERT_EQ(absl::OkStatus(), sink.Emit());
  std::vector<uint32_t> order;
  for (const auto& change : recording.changes()) order.push_back(change.table);
  EXPECT_THAT(order, ElementsAre(0, 1, 1, 0));
}

TEST(Batches, OfManyTablesOneAfterTheOtherHoldLittleMemory) {
  RecordingSink recording;
  recording.BeginUpdate();
  tidemark::internal::TableSet tables{tidemark::Schema()};
  Sink sink(recording.sink(), tidemark::Host(recording.host()), &tables, 1, false);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(absl::OkStatus(), sink.Upsert(absl::StrCat("table", i), {{"n", i}}));
    ASSERT_EQ(absl::OkStatus(), sink.Emit());
  }
  size_t holders = 0;
  for (const auto& buffer : tables.buffers()) holders += buffer->holds_memory() ? 1 : 0;
  EXPECT_EQ(holders, 32u);
  // A table whose memory was taken works on.
  ASSERT_EQ(absl::OkStatus(), sink.Upsert("table0", {{"n", 1000}}));
  ASSERT_EQ(absl::OkStatus(), sink.Emit());
  EXPECT_EQ(recording.changes().back().row[0].i64, 1000);
}

TEST(Checkpoints, HoldTheStatesGiven) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    EXPECT_EQ(sink.last_checkpoint(), 0u);
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("users", {{"id", 1}}));
    EXPECT_EQ(absl::OkStatus(), sink.Checkpoint("body", "cursor", absl::FromUnixMicros(9)));
    EXPECT_EQ(sink.last_checkpoint(), 1u);
    EXPECT_EQ(sink.durable(), 1u);
    EXPECT_EQ(absl::OkStatus(),
              sink.CheckpointStates({{"users", "u", "c"}, {.table = "log", .body = "l"}}));
    EXPECT_EQ(sink.last_checkpoint(), 2u);
    return absl::OkStatus();
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  const auto& checkpoints = run.sink().checkpoints();
  ASSERT_EQ(checkpoints.size(), 2u);
  EXPECT_EQ(checkpoints[0].changes, 1u);
  EXPECT_EQ(checkpoints[0].states[0].table, "");
  EXPECT_EQ(checkpoints[0].states[0].body, "body");
  EXPECT_EQ(checkpoints[0].states[0].cursor, "cursor");
  EXPECT_EQ(checkpoints[0].states[0].watermark_us, 9);
  EXPECT_EQ(checkpoints[0].states[0].format, 7u);
  ASSERT_EQ(checkpoints[1].states.size(), 2u);
  EXPECT_EQ(checkpoints[1].states[1].table, "log");
  EXPECT_EQ(checkpoints[1].states[1].watermark_us, TIDEMARK_NO_TIME);
}

TEST(Waits, DeadlineIsNoLastingErrorCancellationIs) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    EXPECT_EQ(absl::OkStatus(), sink.Checkpoint("1"));
    const absl::Time start = sink.Now();
    EXPECT_TRUE(absl::IsDeadlineExceeded(sink.Wait(1, absl::Seconds(3))));
    EXPECT_EQ(sink.Now() - start, absl::Seconds(3));
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("users", {{"id", 1}}));
    EXPECT_TRUE(absl::IsCancelled(sink.Wait(1)));
    EXPECT_TRUE(absl::IsCancelled(sink.Upsert("users", {{"id", 2}})));
    return absl::OkStatus();
  });
  run.sink().SetDurable(0);
  EXPECT_TRUE(absl::IsCancelled(run.Update()));
  EXPECT_EQ(run.sink().changes().size(), 1u);
}

TEST(Errors, OfTheSinkStayAndCountEvenIfTheAuthorLooksAway) {
  int accepted = 0;
  ScriptRun run([&](const UpdateRequest&, Sink& sink) {
    for (int i = 0; i < 5; ++i) {
      sink.Upsert("users", {{"id", i}}).IgnoreError();
      accepted += sink.Checkpoint(absl::StrCat(i)).ok() ? 1 : 0;
    }
    EXPECT_THAT(std::string(sink.Flush().message()), HasSubstr("disk full"));
    EXPECT_FALSE(sink.Warn("w").ok());
    EXPECT_FALSE(sink.DeadLetter({"users", "{}", "bad"}).ok());
    EXPECT_FALSE(sink.Define(tidemark::Table("t")).ok());
    return absl::OkStatus();
  });
  run.sink().RefuseEmit(3, TIDEMARK_RESOURCE_EXHAUSTED, "disk full");
  const absl::Status status = run.Update();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(status.message(), "disk full");
  EXPECT_EQ(accepted, 2);
}

TEST(Errors, CarryRetryAfter) {
  ScriptRun run([](const UpdateRequest&, Sink&) {
    return tidemark::WithRetryAfter(absl::UnavailableError("later"), absl::Seconds(7));
  });
  ASSERT_EQ(absl::OkStatus(), run.run().Open());
  tidemark_testing::ErrorText error;
  const tidemark_plugin* plugin = tidemark_plugin_entry_v1();
  tidemark_update_request request = {};
  request.struct_size = sizeof(request);
  EXPECT_EQ(plugin->update(run.run().connector(), &request, run.sink().sink(), error.get()),
            TIDEMARK_UNAVAILABLE);
  EXPECT_EQ(error.raw().retry_after_us, 7'000'000);
  EXPECT_EQ(tidemark::RetryAfter(absl::OkStatus()), absl::ZeroDuration());
}

TEST(Errors, AreCutAtACharacter) {
  char text[5];
  tidemark_error error = {sizeof(error), 5, text, 0, 0, 0, 0, 0, 0};
  tidemark::internal::WriteStatus(absl::InternalError("abc\xe2\x82\xac"),
                                  &error);  // abc and a euro
  EXPECT_EQ(std::string(text, error.length), "abc");
  EXPECT_EQ(tidemark::internal::WriteStatus(absl::InternalError("x"), nullptr), TIDEMARK_INTERNAL);
}

TEST(BesideRows, DeadLettersTableDoneAndWarningsArrive) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    EXPECT_EQ(absl::OkStatus(), sink.DeadLetter({.table = "users",
                                                 .record_json = "{\"id\":null}",
                                                 .reason = "no key",
                                                 .context_json = "{\"url\":\"http://x\"}"}));
    EXPECT_EQ(absl::OkStatus(), sink.DeadLetter({"other", "1", "not an object"}));
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("log", {{"line", "x"}}));
    EXPECT_EQ(absl::OkStatus(), sink.TableDone("log"));
    EXPECT_EQ(absl::OkStatus(), sink.TableDone("users", absl::NotFoundError("no such table")));
    EXPECT_TRUE(absl::IsNotFound(sink.TableDone("nobody")));
    EXPECT_EQ(absl::OkStatus(), sink.Warn("slow today"));
    EXPECT_EQ(absl::OkStatus(), sink.Warn("odd row", "users"));
    sink.Log(tidemark::LogLevel::kInfo, "a line");
    return absl::OkStatus();
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  ASSERT_EQ(run.sink().dead_letters().size(), 2u);
  EXPECT_EQ(run.sink().dead_letters()[0].reason, "no key");
  EXPECT_EQ(run.sink().dead_letters()[0].context_json, "{\"url\":\"http://x\"}");
  EXPECT_EQ(run.sink().dead_letters()[0].code, TIDEMARK_INVALID_ARGUMENT);
  EXPECT_EQ(run.sink().tables()[run.sink().dead_letters()[1].table].name, "other");
  EXPECT_TRUE(run.sink().done().at("log").ok());
  EXPECT_EQ(run.sink().done().at("users"), absl::NotFoundError("no such table"));
  EXPECT_THAT(run.sink().warnings(), ElementsAre("slow today", "odd row"));
  EXPECT_THAT(run.sink().log(), ElementsAre("a line"));
}

// What a destination would hold, as the engine applies it.
TEST(Images, AKeyChangeWithoutItsOldRowIsWrittenWhenItCarriesEveryValue) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    const TableRef users = *sink.Find("users");
    const size_t width = users.table().columns().size();
    const std::vector<tidemark::Field> old_key = {{"id", 1}};
    tidemark::RowOptions<tidemark::Field> by_name;
    by_name.before = old_key;
    EXPECT_EQ(absl::OkStatus(), sink.Update("users", {{"id", 2}}, by_name)) << "half a row";
    std::vector<tidemark::Value> whole(width, tidemark::Value::Null());
    whole[0] = 3;
    std::vector<tidemark::Value> before(width, tidemark::Value::Unchanged());
    before[0] = 1;
    tidemark::RowOptions<tidemark::Value> by_place;
    by_place.before = before;
    EXPECT_EQ(absl::OkStatus(), sink.Update(users, whole, by_place));
    whole[0] = 4;
    EXPECT_EQ(absl::OkStatus(), sink.Update(users, whole)) << "no key change";
    return absl::OkStatus();
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  tidemark_testing::TableImage image;
  run.sink().ApplyTo(&image);
  EXPECT_THAT(image.Lines(), ElementsAre("users (3) id=3"));
}

}  // namespace
