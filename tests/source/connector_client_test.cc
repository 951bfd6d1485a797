// What a client and a connector that keeps to the contract say to each other.
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_context.h"
#include "tests/source/client_fixture.h"
#include "tests/source/event_text.h"

namespace tidemark {
namespace {

using Stream = ScriptedConnector::Stream;

StateEntry Entry(const std::string& table, const std::string& body) {
  StateEntry entry;
  entry.table = table;
  entry.body = body;
  return entry;
}

Acknowledgement Durable(uint64_t id, std::vector<StateEntry> releasable = {}) {
  Acknowledgement acknowledgement;
  acknowledgement.durable = id;
  acknowledgement.releasable = std::move(releasable);
  return acknowledgement;
}

class ConnectorClientTest : public ClientFixture {};

TEST_F(ConnectorClientTest, EventsComeInTheOrderOfTheStream) {
  connector_.update = [](grpc::ServerContext*, Stream* stream) {
    stream->Write(UpsertBatch(0, 1, "a"));
    v1::UpdateResponse response;
    response.mutable_table_definition()->set_index(1);
    response.mutable_table_definition()->mutable_table()->set_name("u");
    v1::Column* column = response.mutable_table_definition()->mutable_table()->add_columns();
    column->set_name("x");
    column->set_type(v1::DATA_TYPE_LONG);
    stream->Write(response);
    response = UpsertBatch(1, 5, "");
    response.mutable_row_batch()->set_column_count(1);
    response.mutable_row_batch()->mutable_rows()->resize(9);
    stream->Write(response);
    response = CheckpointMessage(1, "s1");
    response.mutable_checkpoint()->add_rows_since_last()->set_rows(1);
    stream->Write(response);
    response.Clear();
    response.mutable_flush();
    stream->Write(response);
    response.Clear();
    response.mutable_warning()->set_table(kNoTable);
    response.mutable_warning()->set_text("careful");
    stream->Write(response);
    response.Clear();
    response.mutable_progress()->set_rows_done(2);
    response.mutable_progress()->set_rows_total(9);
    stream->Write(response);
    response.Clear();
    response.mutable_log()->set_level(3);
    response.mutable_log()->set_text("oh");
    stream->Write(response);
    response.Clear();
    response.mutable_dead_letter()->set_reason("no key");
    response.mutable_dead_letter()->set_code(3);
    stream->Write(response);
    response.Clear();
    response.mutable_table_done()->set_table(1);
    response.mutable_table_done()->set_code(7);
    response.mutable_table_done()->set_reason("not allowed");
    stream->Write(response);
    stream->Write(FinishedMessage());
    return grpc::Status::OK;
  };
  Start();
  const Drained drained = DrainEvents(*source_);
  EXPECT_TRUE(drained.status.ok()) << drained.status;
  EXPECT_EQ(drained.events,
            (std::vector<std::string>{"0: upsert(1 'a')", "define 1 u(x:LONG)", "1: upsert(5)",
                                      "checkpoint 1 's1' 0=1", "flush", "warning careful",
                                      "progress 2/9", "log 3 oh", "dead letter no key",
                                      "done 1 PERMISSION_DENIED: not allowed", "finished OK"}));
  EXPECT_TRUE(source_->Close().ok());
}

TEST_F(ConnectorClientTest, StartCarriesEverything) {
  v1::UpdateRequest request;
  connector_.update = [&request](grpc::ServerContext*, Stream* stream) {
    stream->Read(&request);
    stream->Write(FinishedMessage());
    return grpc::Status::OK;
  };
  launch_.settings.resize(1);
  launch_.settings[0].name = "token";
  launch_.settings[0].kind = ValueKind::kString;
  launch_.settings[0].text = "s3cret";
  UpdateStart start;
  start.states = {Entry("t", "b")};
  start.releasable = {Entry("", "old")};
  start.selections = {{SelectionMode::kFull, {true, false}}, {SelectionMode::kSkip, {}}};
  start.new_tables = SelectionMode::kSkip;
  start.connection = "conn";
  start.sync_id = "sync";
  start.epoch = 7;
  start.attempt = 2;
  start.dry_run = true;
  start.page_rows = 50;
  Start(start);
  ASSERT_TRUE(DrainEvents(*source_).status.ok());
  const v1::Start& got = request.start();
  EXPECT_EQ(got.configuration().settings(0).value().string(), "s3cret");
  EXPECT_EQ(got.states(0).body(), "b");
  EXPECT_EQ(got.releasable(0).body(), "old");
  EXPECT_EQ(got.selections(0).mode(), v1::SELECTION_MODE_FULL);
  EXPECT_EQ(got.selections(0).columns_size(), 2);
  EXPECT_EQ(got.selections(1).mode(), v1::SELECTION_MODE_SKIP);
  EXPECT_EQ(got.new_tables(), v1::SELECTION_MODE_SKIP);
  EXPECT_EQ(got.connection(), "conn");
  EXPECT_EQ(got.sync_id(), "sync");
  EXPECT_EQ(got.epoch(), 7u);
  EXPECT_EQ(got.attempt(), 2u);
  EXPECT_TRUE(got.dry_run());
  EXPECT_EQ(got.page_rows(), 50u);
  EXPECT_EQ(got.from_us(), std::numeric_limits<int64_t>::min());
}

TEST_F(ConnectorClientTest, AcknowledgementsArriveBeforeTheHalfClose) {
  std::vector<std::string> got;
  connector_.update = [&got](grpc::ServerContext*, Stream* stream) {
    v1::UpdateRequest request;
    stream->Read(&request);
    stream->Write(CheckpointMessage(1, "s1"));
    stream->Read(&request);
    got.push_back(absl::StrCat(request.acknowledgement().durable()));
    stream->Write(FinishedMessage());
    while (stream->Read(&request)) {
      got.push_back(absl::StrCat(request.acknowledgement().durable(), " ",
                                 request.acknowledgement().releasable_size()));
    }
    got.push_back("closed");
    return grpc::Status::OK;
  };
  Start();
  ASSERT_TRUE(source_->Next(absl::InfiniteFuture()).ok());
  source_->Acknowledge(Durable(1));
  ASSERT_EQ(DrainEvents(*source_).events, std::vector<std::string>{"finished OK"});
  source_->Acknowledge(Durable(1, {Entry("", "a")}));
  EXPECT_TRUE(source_->Close().ok());
  EXPECT_EQ(got, (std::vector<std::string>{"1", "1 1", "closed"}));
}

// One write is outstanding; what comes meanwhile is joined, the newest of each entry.
TEST_F(ConnectorClientTest, AcknowledgementsCoalesceBehindOneWrite) {
  Gate written;
  uint64_t messages = 0;
  v1::Acknowledgement last;
  connector_.update = [&](grpc::ServerContext*, Stream* stream) {
    v1::UpdateRequest request;
    stream->Read(&request);
    stream->Write(FinishedMessage());
    written.Wait();
    while (stream->Read(&request)) {
      ++messages;
      last = request.acknowledgement();
    }
    return grpc::Status::OK;
  };
  Start();
  ASSERT_TRUE(DrainEvents(*source_).status.ok());
  // Bodies of 1 MiB, so that flow control stops the writes long before the last.
  for (uint64_t i = 1; i <= 100; ++i) {
    source_->Acknowledge(
        Durable(i, {Entry("a", std::string(1 << 20, 'a')), Entry("b", absl::StrCat(i))}));
  }
  written.Open();
  ASSERT_TRUE(source_->Close().ok());
  EXPECT_LT(messages, 50u);
  EXPECT_EQ(last.durable(), 100u);
  ASSERT_EQ(last.releasable_size(), 2);
  EXPECT_EQ(last.releasable(1).body(), "100");
}

// A connector that ends its call right after Finished is complete, whatever is acknowledged.
TEST_F(ConnectorClientTest, ConnectorMayIgnoreAcknowledgements) {
  connector_.update = [](grpc::ServerContext*, Stream* stream) {
    stream->Write(CheckpointMessage(1, "s"));
    stream->Write(FinishedMessage());
    return grpc::Status::OK;
  };
  Start();
  ASSERT_TRUE(DrainEvents(*source_).status.ok());
  for (uint64_t i = 0; i < 100; ++i) source_->Acknowledge(Durable(1));
  EXPECT_TRUE(source_->Close().ok());
}

TEST_F(ConnectorClientTest, FinishedCarriesTheVerdictAndTheWait) {
  connector_.update = [](grpc::ServerContext*, Stream* stream) {
    v1::UpdateResponse response = FinishedMessage(14, "HTTP 503");
    response.mutable_finished()->set_retry_after_us(7'000'000);
    response.mutable_finished()->set_error_table(0);
    v1::TableRows* sent = response.mutable_finished()->add_sent();
    sent->set_rows(12);
    stream->Write(response);
    return grpc::Status::OK;
  };
  Start();
  absl::StatusOr<std::optional<SourceEvent>> event = source_->Next(absl::InfiniteFuture());
  ASSERT_TRUE(event.ok() && event->has_value()) << event.status();
  const auto& finished = std::get<Finished>(**event);
  EXPECT_EQ(finished.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(finished.status.message(), "plugin scripted: table t: HTTP 503");
  EXPECT_FALSE(IsTransportFailure(finished.status));
  EXPECT_EQ(RetryAfter(finished.status), absl::Seconds(7));
  ASSERT_EQ(finished.sent.size(), 1u);
  EXPECT_EQ(finished.sent[0].rows, 12u);
  EXPECT_TRUE(source_->Close().ok());
}

// ---- backpressure ----

// A consumer that stops holds the connector within a few messages of itself.
TEST_F(ConnectorClientTest, SlowConsumerHoldsTheConnectorBack) {
  std::atomic<int> written = 0;
  connector_.update = [&written](grpc::ServerContext*, Stream* stream) {
    for (int i = 0; i < 200; ++i) {
      if (!stream->Write(UpsertBatch(0, i, std::string(1'000'000, 'x')))) break;
      ++written;
    }
    stream->Write(FinishedMessage());
    return grpc::Status::OK;
  };
  Start();
  AwaitStandstill([&written] { return written.load(); });
  EXPECT_GE(written, 4);   // read ahead
  EXPECT_LE(written, 12);  // 4 here, some in the transport
  // Each message taken lets about one more through.
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(source_->Next(absl::InfiniteFuture()).ok());
    ASSERT_LE(written, i + 13);
  }
  const Drained rest = DrainEvents(*source_);
  EXPECT_EQ(rest.events.size(), 151u);
  EXPECT_TRUE(source_->Close().ok());
}

// Many small messages wait in fours, too.
TEST_F(ConnectorClientTest, ReadAheadIsBoundedInMessages) {
  Gate go_on;
  connector_.update = [&go_on](grpc::ServerContext*, Stream* stream) {
    for (int i = 0; i < 10; ++i) stream->Write(UpsertBatch(0, i, "x"));
    go_on.Wait();
    stream->Write(FinishedMessage());
    return grpc::Status::OK;
  };
  Start();
  for (int i = 0; i < 10; ++i) {
    absl::StatusOr<std::optional<SourceEvent>> event = source_->Next(absl::InfiniteFuture());
    ASSERT_TRUE(event.ok());
    EXPECT_EQ(EventText(**event), absl::StrCat("0: upsert(", i, " 'x')"));
  }
  EXPECT_FALSE(source_->Next(absl::InfinitePast())->has_value());
  EXPECT_FALSE(source_->Next(absl::Now() + absl::Milliseconds(5))->has_value());
  go_on.Open();
  EXPECT_EQ(DrainEvents(*source_).events, std::vector<std::string>{"finished OK"});
}

// Batches stay valid when their message's memory could have been used again.
TEST_F(ConnectorClientTest, BatchesOwnTheirBytes) {
  connector_.update = [](grpc::ServerContext*, Stream* stream) {
    for (int i = 0; i < 100; ++i) {
      stream->Write(UpsertBatch(0, i, std::string(1'000, static_cast<char>('a' + i % 26))));
    }
    stream->Write(FinishedMessage());
    return grpc::Status::OK;
  };
  Start();
  std::vector<ChangeBatch> held;
  for (int i = 0; i < 100; ++i) {
    absl::StatusOr<std::optional<SourceEvent>> event = source_->Next(absl::InfiniteFuture());
    ASSERT_TRUE(event.ok());
    held.push_back(std::move(std::get<ChangeBatch>(**event)));
    if (i % 3 == 0) held.erase(held.begin());  // some go back to the pool early
  }
  ASSERT_TRUE(DrainEvents(*source_).status.ok());
  ASSERT_TRUE(source_->Close().ok());
  source_ = nullptr;
  for (const ChangeBatch& batch : held) {
    const std::string expected(1'000, static_cast<char>('a' + batch.row(0)[0].i64 % 26));
    EXPECT_EQ(batch.row(0)[1].view(), expected);
  }
}

}  // namespace
}  // namespace tidemark
