// What a program that pushes gets: rows at the destination, acknowledgements, resumption.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/change_batch.h"
#include "core/failpoint.h"
#include "tests/service/ingest_fixture.h"
#include "tests/service/relay.h"
#include "wire/row_codec.h"

namespace tidemark::test {
namespace {

TEST_F(IngestFixture, RowsBecomeDurableAndAreAcknowledgedWithTheVersionOfTheState) {
  Ingested("orders");
  Serve();
  std::unique_ptr<PushConnection> stream = Begin();
  EXPECT_EQ(stream->AwaitStarted()->durable_sequence(), 0u);
  EXPECT_EQ(stream->AwaitStarted()->state_version(), 0);
  EXPECT_FALSE(stream->AwaitStarted()->sync_id().empty());
  stream->Send(TableRequest(0, "item"));
  stream->Send(RowsRequest(1, "item", 1, 3));
  ASSERT_TRUE(stream->AwaitAcknowledged(1));
  EXPECT_GE(stream->state_version(), 1);
  EXPECT_EQ(Count("item"), 3);
  stream->Send(BatchRequest(2, 0, 3, 3, "y"));
  ASSERT_TRUE(stream->AwaitAcknowledged(2));
  EXPECT_EQ(Rows("SELECT id, name FROM item ORDER BY id"),
            (std::vector<std::string>{"1|x1", "2|x2", "3|y3", "4|y4", "5|y5"}));
  stream->HalfClose();
  const grpc::Status end = stream->AwaitEnd();
  EXPECT_TRUE(end.ok()) << end.error_message();
  ASSERT_TRUE(stream->ended().has_value());
  EXPECT_EQ(stream->ended()->durable_sequence(), 2u);
  EXPECT_EQ(Rows("SELECT connection FROM _tidemark_connections"),
            std::vector<std::string>{"orders/shop"});
}

TEST_F(IngestFixture, HistoryKnowsTheSyncAndItsProducer) {
  Ingested("orders");
  Serve();
  std::unique_ptr<PushConnection> stream = Begin();
  const std::string sync = stream->AwaitStarted()->sync_id();
  stream->Send(RowsRequest(1, "item", 1, 3));
  stream->HalfClose();
  EXPECT_TRUE(stream->AwaitEnd().ok());
  const SyncEntry entry = AwaitEnd(sync);
  EXPECT_EQ(entry.connection, "orders");
  EXPECT_EQ(entry.producer, "shop");
  EXPECT_EQ(entry.trigger, SyncTrigger::kIngest);
  EXPECT_EQ(entry.phase, SyncPhase::kCompleted) << entry.error;
  EXPECT_EQ(entry.counts.inserted, 3u);
}

TEST_F(IngestFixture, AfterACutTheNextStreamGoesOnBehindTheLastDurableMessage) {
  Ingested("orders", ", tables: [{item: {primary_key: [id]}}]");
  Serve();
  for (uint64_t round = 0; round < 3; ++round) {
    std::unique_ptr<PushConnection> stream = Begin();
    EXPECT_EQ(stream->AwaitStarted()->durable_sequence(), round * 2);
    stream->Send(RowsRequest(round * 2 + 1, "item", static_cast<int64_t>(round) * 10, 5));
    stream->Send(RowsRequest(round * 2 + 2, "item", static_cast<int64_t>(round) * 10 + 5, 5));
    ASSERT_TRUE(stream->AwaitAcknowledged(round * 2 + 2));
    stream->Cut();
    EXPECT_FALSE(stream->AwaitEnd().ok());
  }
  EXPECT_EQ(Count("item"), 30);
}

TEST_F(IngestFixture, MessagesThatAreDurableAlreadyAreSkippedAndToldOf) {
  Ingested("orders");  // no key: a row that came twice would stand there twice, or be counted so
  Serve();
  std::unique_ptr<PushConnection> first = Begin();
  for (uint64_t i = 1; i <= 3; ++i) {
    first->Send(RowsRequest(i, "item", static_cast<int64_t>(i), 1));
  }
  ASSERT_TRUE(first->AwaitAcknowledged(3));
  first->HalfClose();
  ASSERT_TRUE(first->AwaitEnd().ok());
  std::unique_ptr<PushConnection> second = Begin();
  EXPECT_EQ(second->AwaitStarted()->durable_sequence(), 3u);
  for (uint64_t i = 2; i <= 4; ++i) {
    second->Send(RowsRequest(i, "item", static_cast<int64_t>(i), 1, i < 4 ? "changed" : "x"));
  }
  ASSERT_TRUE(second->AwaitAcknowledged(4));
  EXPECT_TRUE(second->AwaitWarning("2 messages"));
  EXPECT_EQ(Rows("SELECT id, name FROM item ORDER BY id"),
            (std::vector<std::string>{"1|x1", "2|x2", "3|x3", "4|x4"}));
}

TEST_F(IngestFixture, ProgramThatAlwaysBeginsAtOneHearsThatItsRowsAreSkipped) {
  Ingested("orders");
  Serve();
  for (int round = 0; round < 2; ++round) {
    std::unique_ptr<PushConnection> stream = Begin();
    stream->Send(RowsRequest(1, "item", round, 1));
    stream->HalfClose();
    EXPECT_TRUE(stream->AwaitEnd().ok());
    if (round == 1) {
      EXPECT_TRUE(stream->AwaitWarning("skipped"));
    }
  }
  EXPECT_EQ(Count("item"), 1);
}

TEST_F(IngestFixture, StateOfTheLastDurableCheckpointComesBack) {
  Ingested("orders");
  Serve();
  std::unique_ptr<PushConnection> first = Begin();
  first->Send(RowsRequest(1, "item", 1, 1));
  first->Send(CheckpointRequest(2, "page 7"));
  first->Send(RowsRequest(3, "item", 2, 1));
  ASSERT_TRUE(first->AwaitAcknowledged(3));
  first->HalfClose();
  ASSERT_TRUE(first->AwaitEnd().ok());
  std::unique_ptr<PushConnection> second = Begin();
  EXPECT_EQ(second->AwaitStarted()->durable_sequence(), 3u);
  EXPECT_EQ(second->AwaitStarted()->state(), "page 7");
  EXPECT_GT(second->AwaitStarted()->state_version(), 0);
  EXPECT_GT(second->AwaitStarted()->epoch(), first->AwaitStarted()->epoch());
}

TEST_F(IngestFixture, WithCheckpointsOfItsOwnRowsAppearTogetherOrNotAtAll) {
  Ingested("orders");
  Serve();
  std::unique_ptr<PushConnection> stream = Begin("orders", "shop", v1::CHECKPOINT_MODE_EXPLICIT);
  stream->Send(TableRequest(0, "item"));
  stream->Send(BatchRequest(1, 0, 1, 2));
  stream->Send(BatchRequest(2, 0, 3, 2));
  stream->Send(CheckpointRequest(3, "a"));
  ASSERT_TRUE(stream->AwaitAcknowledged(3));
  EXPECT_EQ(Count("item"), 4);
  // More than what waits for its checkpoint beside the destination, and no checkpoint.
  uint64_t sequence = 3;
  for (; sequence < 9; ++sequence) {
    stream->Send(BatchRequest(sequence + 1, 0, 100 * static_cast<int64_t>(sequence), 10,
                              std::string(100'000, 'x')));
  }
  stream->HalfClose();
  EXPECT_TRUE(stream->AwaitEnd().ok());
  EXPECT_EQ(stream->ended()->durable_sequence(), 3u);
  EXPECT_EQ(Count("item"), 4);
  std::unique_ptr<PushConnection> again = Begin("orders", "shop", v1::CHECKPOINT_MODE_EXPLICIT);
  EXPECT_EQ(again->AwaitStarted()->durable_sequence(), 3u);
  EXPECT_EQ(again->AwaitStarted()->state(), "a");
}

TEST_F(IngestFixture, SecondStreamOfAProducerFencesTheFirst) {
  Ingested("orders", ", tables: [{item: {primary_key: [id]}}]");
  Serve();
  std::unique_ptr<PushConnection> first = Begin();
  first->Send(RowsRequest(1, "item", 1, 1));
  ASSERT_TRUE(first->AwaitAcknowledged(1));
  std::unique_ptr<PushConnection> second = Begin();
  const grpc::Status end = first->AwaitEnd();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(Reason(end), "FENCED");
  EXPECT_EQ(second->AwaitStarted()->durable_sequence(), 1u);
  second->Send(RowsRequest(2, "item", 2, 1));
  EXPECT_TRUE(second->AwaitAcknowledged(2));
  EXPECT_EQ(Count("item"), 2);
  // Another producer is not in the way.
  std::unique_ptr<PushConnection> other = Begin("orders", "web");
  other->Send(RowsRequest(1, "item", 3, 1));
  EXPECT_TRUE(other->AwaitAcknowledged(1));
  second->Send(RowsRequest(3, "item", 4, 1));
  EXPECT_TRUE(second->AwaitAcknowledged(3));
  EXPECT_EQ(Count("item"), 4);
}

TEST_F(IngestFixture, ManyStreamsOfOneProducerLeaveTheLastOne) {
  Ingested("orders");
  Serve();
  std::vector<std::unique_ptr<PushConnection>> streams;
  for (int i = 0; i < 20; ++i) {
    streams.push_back(Connect());
    streams.back()->SendStart("orders", "shop");
  }
  int alive = 0;
  for (size_t i = 0; i < streams.size(); ++i) {
    // Of those sent at once any may be the last to be seen.
    const bool last = i + 1 == streams.size();
    if (!last && streams[i]->AwaitEnd().error_code() == grpc::StatusCode::ABORTED) continue;
    ++alive;
    ASSERT_TRUE(streams[i]->AwaitStarted().has_value());
    streams[i]->Send(RowsRequest(1, "item", 1, 1));
    EXPECT_TRUE(streams[i]->AwaitAcknowledged(1));
    streams[i]->HalfClose();
    EXPECT_TRUE(streams[i]->AwaitEnd().ok());
  }
  EXPECT_EQ(alive, 1);
}

TEST_F(IngestFixture, BadRowComesBackWithItsPlaceAndTheOthersStay) {
  Ingested("orders");
  Serve();
  std::unique_ptr<PushConnection> stream = Begin();
  stream->Send(TableRequest(0, "item"));
  v1::PushRequest request = RowsRequest(1, "item", 1, 5);
  request.mutable_rows()->mutable_rows(3)->mutable_values()->erase("id");
  stream->Send(request);
  v1::PushRequest packed = BatchRequest(2, 0, 10, 2);
  packed.mutable_row_batch()->mutable_rows()->clear();
  for (const Value& value :
       {Value::Int64(10), Value::String("x"), Value::Null(), Value::String("y")}) {
    EncodeValue(value, packed.mutable_row_batch()->mutable_rows());
  }
  stream->Send(packed);
  ASSERT_TRUE(stream->AwaitAcknowledged(2));
  ASSERT_TRUE(stream->AwaitRowErrors(2));
  const std::vector<v1::RowError> errors = stream->row_errors();
  EXPECT_EQ(errors[0].sequence(), 1u);
  EXPECT_EQ(errors[0].index(), 3u);
  EXPECT_EQ(errors[0].table(), "item");
  EXPECT_THAT(errors[0].reason(), testing::HasSubstr("id"));
  EXPECT_EQ(errors[1].sequence(), 2u);
  EXPECT_EQ(errors[1].index(), 1u);
  EXPECT_EQ(Rows("SELECT id FROM item ORDER BY id"),
            (std::vector<std::string>{"1", "2", "3", "5", "10"}));
  EXPECT_EQ(Count("_tidemark_dead_letters"), 2);
}

TEST_F(IngestFixture, PlaceOfABadRowCountsRowsOfOtherTablesToo) {
  Ingested("orders", ", tables: [{a: {primary_key: [id]}}, {b: {primary_key: [id]}}]");
  Serve();
  std::unique_ptr<PushConnection> stream = Begin();
  v1::PushRequest request = RowsRequest(1, "a", 1, 2);
  const v1::PushRequest more = RowsRequest(1, "b", 1, 3);
  for (const v1::Row& row : more.rows().rows()) {
    *request.mutable_rows()->add_rows() = row;
  }
  request.mutable_rows()->mutable_rows(4)->mutable_values()->erase("id");
  stream->Send(request);
  ASSERT_TRUE(stream->AwaitRowErrors(1));
  EXPECT_EQ(stream->row_errors()[0].index(), 4u);
  EXPECT_EQ(stream->row_errors()[0].table(), "b");
}

TEST_F(IngestFixture, TooManyDeadLettersEndTheStreamAndKeepWhatWasAcknowledged) {
  Ingested("orders", ", tables: [{item: {primary_key: [id]}}]", "  max_dead_letters: 2\n");
  Serve();
  std::unique_ptr<PushConnection> stream = Begin();
  stream->Send(RowsRequest(1, "item", 1, 1));
  ASSERT_TRUE(stream->AwaitAcknowledged(1));
  v1::PushRequest request = RowsRequest(2, "item", 2, 4);
  for (int i = 0; i < 3; ++i) {
    request.mutable_rows()->mutable_rows(i)->mutable_values()->erase("id");
  }
  stream->Send(request);
  const grpc::Status end = stream->AwaitEnd();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::FAILED_PRECONDITION) << end.error_message();
  EXPECT_EQ(Reason(end), "TOO_MANY_DEAD_LETTERS") << end.error_message();
  EXPECT_EQ(Count("item"), 1);
  EXPECT_EQ(Begin()->AwaitStarted()->durable_sequence(), 1u);
}

TEST_F(IngestFixture, TruncateDeletesAtTheHalfCloseAndNotAfterACut) {
  Ingested("orders");
  Serve();
  const auto truncate = [](uint64_t sequence) {
    v1::PushRequest request;
    request.set_sequence(sequence);
    v1::Row* row = request.mutable_rows()->add_rows();
    row->set_table("item");
    row->set_kind(v1::CHANGE_KIND_TRUNCATE);
    return request;
  };
  for (const bool cut : {true, false}) {
    std::unique_ptr<PushConnection> stream = Begin();
    const uint64_t begin = stream->AwaitStarted()->durable_sequence();
    stream->Send(TableRequest(0, "item"));
    stream->Send(BatchRequest(begin + 1, 0, 1, 4));
    stream->Send(truncate(begin + 2));
    stream->Send(BatchRequest(begin + 3, 0, 2, 2));
    ASSERT_TRUE(stream->AwaitAcknowledged(begin + 3));
    if (cut) {
      stream->Cut();
    } else {
      stream->HalfClose();
    }
    EXPECT_EQ(stream->AwaitEnd().ok(), !cut);
    Await([&] { return runner_->BusyWith("orders/shop") == std::nullopt; });
    EXPECT_EQ(Rows("SELECT id FROM item WHERE NOT _tidemark_deleted ORDER BY id"),
              cut ? (std::vector<std::string>{"1", "2", "3", "4"})
                  : (std::vector<std::string>{"2", "3"}));
  }
}

// A truncate is finished by a half-close: a broken connection taken for one would delete rows.
TEST_F(IngestFixture, ConnectionThatBreaksIsNoHalfClose) {
  Ingested("orders");
  Serve();
  uint64_t next = 1;
  for (int round = 0; round < 15; ++round) {
    const std::string wire = absl::StrCat(folder_, "/wire", round);
    Relay relay(wire, folder_ + "/socket");
    PushConnection stream(Channel("unix:" + wire));
    stream.SendStart("orders", "shop");
    ASSERT_TRUE(stream.AwaitStarted().has_value());
    stream.Send(TableRequest(0, "item"));
    if (round == 0) stream.Send(BatchRequest(next++, 0, 1, 4));
    v1::PushRequest truncate = RowsRequest(next++, "item", 1, 1);
    truncate.mutable_rows()->mutable_rows(0)->clear_values();
    truncate.mutable_rows()->mutable_rows(0)->set_kind(v1::CHANGE_KIND_TRUNCATE);
    stream.Send(truncate);
    ASSERT_TRUE(stream.AwaitAcknowledged(next - 1));
    relay.Cut();
    EXPECT_FALSE(stream.AwaitEnd().ok());
    Await([&] { return runner_->BusyWith("orders/shop") == std::nullopt; });
    ASSERT_EQ(Rows("SELECT count(*) FROM item WHERE NOT _tidemark_deleted"),
              std::vector<std::string>{"4"});
  }
}

TEST_F(IngestFixture, CommitThatFailsIsTriedAgainWithoutTheClient) {
  Ingested("orders");
  ASSERT_TRUE(ArmFailpoints("apply.before_commit=3*off->2*error(UNAVAILABLE)", "").ok());
  Serve();
  std::unique_ptr<PushConnection> stream = Begin();
  stream->Send(TableRequest(0, "item"));
  constexpr uint64_t kMessages = 12;
  for (uint64_t i = 1; i <= kMessages; ++i) {
    stream->Send(i % 2 == 0 ? RowsRequest(i, "item", static_cast<int64_t>(i) * 10, 10)
                            : BatchRequest(i, 0, static_cast<int64_t>(i) * 10, 10));
    if (i % 3 == 0) {
      EXPECT_TRUE(stream->AwaitAcknowledged(i));
    }
  }
  ASSERT_TRUE(stream->AwaitAcknowledged(kMessages));
  stream->HalfClose();
  const grpc::Status end = stream->AwaitEnd();
  EXPECT_TRUE(end.ok()) << end.error_message();
  EXPECT_TRUE(stream->AwaitWarning("another attempt"));
  EXPECT_EQ(Count("item"), static_cast<int64_t>(kMessages) * 10);
  ASSERT_TRUE(ArmFailpoints("", "").ok());
}

TEST_F(IngestFixture, DestinationThatStaysAwayEndsTheStreamAndTheClientGoesOn) {
  Ingested("orders");
  Serve();
  std::unique_ptr<PushConnection> stream = Begin();
  stream->Send(TableRequest(0, "item"));
  stream->Send(BatchRequest(1, 0, 1, 1));
  ASSERT_TRUE(stream->AwaitAcknowledged(1));
  ASSERT_TRUE(ArmFailpoints("apply.before_commit=error(RESOURCE_EXHAUSTED)", "").ok());
  stream->Send(BatchRequest(2, 0, 2, 1));
  const grpc::Status end = stream->AwaitEnd();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAVAILABLE) << end.error_message();
  EXPECT_EQ(Reason(end), "DESTINATION_UNAVAILABLE");
  Await([&] { return runner_->BusyWith("orders/shop") == std::nullopt; });
  ASSERT_TRUE(ArmFailpoints("", "").ok());
  std::unique_ptr<PushConnection> again = Begin();
  EXPECT_EQ(again->AwaitStarted()->durable_sequence(), 1u);
  again->Send(TableRequest(0, "item"));
  again->Send(BatchRequest(2, 0, 2, 1));
  EXPECT_TRUE(again->AwaitAcknowledged(2));
  EXPECT_EQ(Count("item"), 2);
}

TEST_F(IngestFixture, ColumnThatOneProducerWidensIsWideForTheOthersToo) {
  Ingested("orders", ", tables: [{item: {primary_key: [id]}}]");
  Serve();
  const auto with = [](uint64_t sequence, int64_t id, const std::function<void(v1::Value&)>& set) {
    v1::PushRequest request;
    request.set_sequence(sequence);
    v1::Row* row = request.mutable_rows()->add_rows();
    row->set_table("item");
    (*row->mutable_values())["id"].set_int64(id);
    set((*row->mutable_values())["a"]);
    return request;
  };
  std::unique_ptr<PushConnection> shop = Begin("orders", "shop");
  std::unique_ptr<PushConnection> web = Begin("orders", "web");
  shop->Send(with(1, 1, [](v1::Value& value) { value.set_int64(1); }));
  ASSERT_TRUE(shop->AwaitAcknowledged(1));
  web->Send(with(1, 2, [](v1::Value& value) { value.set_string("two"); }));
  ASSERT_TRUE(web->AwaitAcknowledged(1));
  shop->Send(with(2, 3, [](v1::Value& value) { value.set_int64(3); }));
  ASSERT_TRUE(shop->AwaitAcknowledged(2));
  web->Send(with(2, 4, [](v1::Value& value) { value.set_int64(4); }));
  ASSERT_TRUE(web->AwaitAcknowledged(2));
  EXPECT_EQ(Rows("SELECT id, a, typeof(a) FROM item ORDER BY id"),
            (std::vector<std::string>{"1|1|text", "2|two|text", "3|3|text", "4|4|text"}));
}

TEST_F(IngestFixture, TruncateOfASharedTableIsRefused) {
  Ingested("orders");
  Serve();
  std::unique_ptr<PushConnection> shop = Begin("orders", "shop");
  shop->Send(TableRequest(0, "item"));
  shop->Send(BatchRequest(1, 0, 1, 2));
  ASSERT_TRUE(shop->AwaitAcknowledged(1));
  std::unique_ptr<PushConnection> web = Begin("orders", "web");
  web->Send(TableRequest(0, "item"));
  web->Send(BatchRequest(1, 0, 10, 2));
  ASSERT_TRUE(web->AwaitAcknowledged(1));
  v1::PushRequest truncate = RowsRequest(2, "item", 1, 1);
  truncate.mutable_rows()->mutable_rows(0)->clear_values();
  truncate.mutable_rows()->mutable_rows(0)->set_kind(v1::CHANGE_KIND_TRUNCATE);
  shop->Send(truncate);
  const grpc::Status end = shop->AwaitEnd();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::FAILED_PRECONDITION) << end.error_message();
  EXPECT_THAT(end.error_message(), testing::HasSubstr("several producers"));
  EXPECT_EQ(Count("item"), 4);
}

TEST_F(IngestFixture, ServerThatStopsKeepsWhatItHasAndSaysSo) {
  Ingested("orders");
  Serve();
  std::unique_ptr<PushConnection> stream = Begin();
  stream->Send(RowsRequest(1, "item", 1, 2));
  ASSERT_TRUE(stream->AwaitAcknowledged(1));
  std::unique_ptr<PushConnection> waiting = Connect();
  Stop();
  const grpc::Status end = stream->AwaitEnd();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAVAILABLE) << end.error_message();
  EXPECT_EQ(Reason(end), "SHUTTING_DOWN");
  EXPECT_EQ(waiting->AwaitEnd().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Count("item"), 2);
}

TEST_F(IngestFixture, ManyProducersPushAtOnceAndEveryRowIsThereOnce) {
  Ingested("orders");
  Serve();
  constexpr int kProducers = 5;
  constexpr int kMessages = 60;
  std::vector<std::thread> threads;
  threads.reserve(kProducers);
  for (int p = 0; p < kProducers; ++p) {
    threads.emplace_back([this, p] {
      PushClient::Options options;
      options.address = address();
      options.connection = "orders";
      options.producer = absl::StrCat("p", p);
      PushClient client(std::move(options));
      EXPECT_TRUE(client.Define(TableRequest(0, "item")).ok());
      for (int i = 0; i < kMessages; ++i) {
        const absl::Status pushed = client.Push(BatchRequest(0, 0, p * 100'000 + i * 10, 10));
        ASSERT_TRUE(pushed.ok()) << pushed;
      }
      const absl::Status finished = client.Finish();
      EXPECT_TRUE(finished.ok()) << finished;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Count("item"), kProducers * kMessages * 10);
  EXPECT_EQ(Rows("SELECT DISTINCT connection FROM _tidemark_tables WHERE table_name = 'item'"),
            std::vector<std::string>{"orders/*"});
}

}  // namespace
}  // namespace tidemark::test
