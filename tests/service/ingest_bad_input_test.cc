// What programs do wrong: each is answered with a code, a reason and a sentence, and nothing that
// was acknowledged is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "tests/service/ingest_fixture.h"

namespace tidemark::test {
namespace {

v1::PushRequest Started(const std::string& connection, const std::string& producer) {
  v1::PushRequest request;
  request.mutable_start()->set_connection(connection);
  request.mutable_start()->set_producer(producer);
  return request;
}

// A field of tomorrow.
void AddUnknown(int number, google::protobuf::Message* message) {
  message->GetReflection()->MutableUnknownFields(message)->AddVarint(number, 1);
}

struct BadStart {
  const char* what;
  v1::PushRequest request;
  grpc::StatusCode code;
  const char* reason;
  const char* text;  // a part of the message
};

TEST_F(IngestFixture, StreamsThatMayNotBeginAreToldWhy) {
  Ingested("orders");
  Ingested("paused");
  Ingested("broken", ", nonsense: 17");
  Generator("pulled", "{rows: 1}");
  Serve();
  ASSERT_TRUE(connections_->SetPaused("paused", true).ok());
  v1::PushRequest mode = Started("orders", "p");
  mode.mutable_start()->set_checkpoints(static_cast<v1::CheckpointMode>(9));
  v1::PushRequest newer = Started("orders", "p");
  AddUnknown(99, newer.mutable_start());
  v1::PushRequest expected = Started("orders", "p");
  expected.mutable_start()->set_expected_sequence(7);
  const std::vector<BadStart> cases = {
      {"no start", RowsRequest(1, "item", 1, 1), grpc::StatusCode::INVALID_ARGUMENT,
       "START_EXPECTED", "PushStart"},
      {"nothing", v1::PushRequest(), grpc::StatusCode::INVALID_ARGUMENT, "UNKNOWN_FIELD", ""},
      {"no connection", Started("", "p"), grpc::StatusCode::INVALID_ARGUMENT, "", "connection"},
      {"unknown", Started("order", "p"), grpc::StatusCode::NOT_FOUND, "", "order"},
      {"no producer", Started("orders", ""), grpc::StatusCode::INVALID_ARGUMENT, "BAD_PRODUCER",
       "producer"},
      {"a slash", Started("orders", "a/b"), grpc::StatusCode::INVALID_ARGUMENT, "BAD_PRODUCER", ""},
      {"a star", Started("orders", "*"), grpc::StatusCode::INVALID_ARGUMENT, "BAD_PRODUCER", ""},
      {"65 letters", Started("orders", std::string(65, 'p')), grpc::StatusCode::INVALID_ARGUMENT,
       "BAD_PRODUCER", ""},
      {"a mode of tomorrow", mode, grpc::StatusCode::INVALID_ARGUMENT, "UNKNOWN_VALUE", "9"},
      {"a field of tomorrow", newer, grpc::StatusCode::INVALID_ARGUMENT, "UNKNOWN_FIELD", "99"},
      {"read by a connector", Started("pulled", "p"), grpc::StatusCode::FAILED_PRECONDITION,
       "NOT_INGEST", "generator"},
      {"paused", Started("paused", "p"), grpc::StatusCode::FAILED_PRECONDITION, "CONNECTION_PAUSED",
       "paused"},
      {"not valid", Started("broken", "p"), grpc::StatusCode::FAILED_PRECONDITION,
       "INVALID_CONNECTION", "nonsense"},
      {"another number", expected, grpc::StatusCode::FAILED_PRECONDITION, "SEQUENCE_MISMATCH",
       "7"}};
  for (const BadStart& bad : cases) {
    std::unique_ptr<PushConnection> stream = Connect();
    stream->Send(bad.request);
    const grpc::Status end = stream->AwaitEnd();
    EXPECT_EQ(end.error_code(), bad.code) << bad.what << ": " << end.error_message();
    if (*bad.reason != '\0') {
      EXPECT_EQ(Reason(end), bad.reason) << bad.what;
    }
    EXPECT_THAT(end.error_message(), testing::HasSubstr(bad.text)) << bad.what;
    EXPECT_FALSE(stream->AwaitStarted().has_value()) << bad.what;
  }
}

struct BadMessage {
  const char* what;
  std::function<std::vector<v1::PushRequest>(uint64_t next)> messages;
  grpc::StatusCode code;
  const char* reason;
  const char* text;
};

v1::PushRequest Changed(v1::PushRequest request,
                        const std::function<void(v1::PushRequest&)>& change) {
  change(request);
  return request;
}

using Requests = std::vector<v1::PushRequest>;
constexpr grpc::StatusCode kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
constexpr grpc::StatusCode kState = grpc::StatusCode::FAILED_PRECONDITION;

std::vector<BadMessage> BadBytes() {
  return {{"rows of a table nobody defined",
           [](uint64_t n) { return Requests{BatchRequest(n, 3, 1, 1)}; }, kInvalid, "UNKNOWN_TABLE",
           "table number 3"},
          {"more columns than the table has",
           [](uint64_t n) {
             return Requests{Changed(BatchRequest(n, 0, 1, 1), [](v1::PushRequest& request) {
               request.mutable_row_batch()->set_column_count(9);
             })};
           },
           kInvalid, "MALFORMED", "9 columns"},
          {"bytes that end inside a row",
           [](uint64_t n) {
             return Requests{Changed(BatchRequest(n, 0, 1, 2), [](v1::PushRequest& request) {
               request.mutable_row_batch()->mutable_rows()->pop_back();
             })};
           },
           kInvalid, "MALFORMED", "item"},
          {"an operation of tomorrow",
           [](uint64_t n) {
             return Requests{Changed(BatchRequest(n, 0, 1, 1), [](v1::PushRequest& request) {
               *request.mutable_row_batch()->mutable_ops() = "\x60";
             })};
           },
           kInvalid, "MALFORMED", "item"}};
}

std::vector<BadMessage> OfTomorrow() {
  return {{"a kind of tomorrow",
           [](uint64_t n) {
             return Requests{Changed(RowsRequest(n, "item", 1, 1), [](v1::PushRequest& request) {
               request.mutable_rows()->mutable_rows(0)->set_kind(static_cast<v1::ChangeKind>(77));
             })};
           },
           kInvalid, "MALFORMED", "77"},
          {"a value of tomorrow",
           [](uint64_t n) {
             return Requests{Changed(RowsRequest(n, "item", 1, 1), [](v1::PushRequest& request) {
               v1::Value& value =
                   (*request.mutable_rows()->mutable_rows(0)->mutable_values())["name"];
               value.Clear();
               AddUnknown(55, &value);
             })};
           },
           kInvalid, "MALFORMED", "55"},
          {"a field of tomorrow",
           [](uint64_t n) {
             return Requests{Changed(RowsRequest(n, "item", 1, 1),
                                     [](v1::PushRequest& request) { AddUnknown(77, &request); })};
           },
           kInvalid, "UNKNOWN_FIELD", "77"}};
}

std::vector<BadMessage> BadNumbers() {
  return {{"a message without a number",
           [](uint64_t) { return Requests{RowsRequest(0, "item", 1, 1)}; }, kInvalid, "NO_SEQUENCE",
           "number"},
          {"a gap", [](uint64_t n) { return Requests{RowsRequest(n + 1, "item", 1, 1)}; }, kState,
           "SEQUENCE_GAP", "is due"},
          {"a number twice",
           [](uint64_t n) {
             return Requests{RowsRequest(n, "item", 1, 1), RowsRequest(n, "item", 2, 1)};
           },
           kState, "SEQUENCE_GAP", "is due"},
          {"a checkpoint of before",
           [](uint64_t n) {
             return Requests{RowsRequest(n, "item", 1, 1), CheckpointRequest(n - 1, "old")};
           },
           kState, "SEQUENCE_GAP", "is due"},
          {"a second start", [](uint64_t) { return Requests{Started("orders", "shop")}; }, kInvalid,
           "START_AGAIN", "PushStart"}};
}

std::vector<BadMessage> BadTables() {
  return {
      {"a table number that is not the next",
       [](uint64_t) { return Requests{TableRequest(7, "other")}; }, kInvalid, "BAD_TABLE", "7"},
      {"a table without a name", [](uint64_t) { return Requests{TableRequest(1, "")}; }, kInvalid,
       "BAD_TABLE", ""},
      {"a table that shrinks",
       [](uint64_t) {
         return Requests{Changed(TableRequest(0, "item"), [](v1::PushRequest& request) {
           request.mutable_table()->mutable_table()->mutable_columns()->RemoveLast();
         })};
       },
       kInvalid, "BAD_TABLE", "name"},
      {"a table the connection does not take",
       [](uint64_t) { return Requests{TableRequest(1, "secret")}; }, kInvalid, "TABLE_NOT_SELECTED",
       "secret"},
      {"rows of such a table", [](uint64_t n) { return Requests{RowsRequest(n, "secret", 1, 1)}; },
       kInvalid, "TABLE_NOT_SELECTED", "secret"}};
}

std::vector<BadMessage> TooLarge() {
  return {
      {"a state of more than 1 MiB",
       [](uint64_t n) { return Requests{CheckpointRequest(n, std::string((1 << 20) + 1, 's'))}; },
       kInvalid, "STATE_TOO_LARGE", "1048577"},
      {"a message of more than 4 MiB",
       [](uint64_t n) { return Requests{BatchRequest(n, 0, 1, 1, std::string(5 << 20, 'x'))}; },
       grpc::StatusCode::RESOURCE_EXHAUSTED, "", ""},
      {"rows of nothing that would take more than 32 MiB",
       [](uint64_t n) {
         return Requests{Changed(RowsRequest(n, "item", 1, 1), [](v1::PushRequest& request) {
           for (int i = 0; i < 300'000; ++i) request.mutable_rows()->add_rows();
         })};
       },
       kInvalid, "TOO_LARGE", "32 MiB"},
      {"a row of 70 MiB",
       [](uint64_t n) {
         return Requests{Changed(RowsRequest(n, "item", 2, 1), [](v1::PushRequest& request) {
           (*request.mutable_rows()->mutable_rows(0)->mutable_values())["name"].set_string(
               std::string(70 << 20, 'x'));
         })};
       },
       grpc::StatusCode::RESOURCE_EXHAUSTED, "", ""}};
}

TEST_F(IngestFixture, MessagesThatMakeNoSenseEndTheStreamAndLoseNothing) {
  Ingested("orders", ", tables: [item, other]");
  Serve();
  std::vector<BadMessage> cases;
  for (std::vector<BadMessage> more :
       {BadBytes(), OfTomorrow(), BadNumbers(), BadTables(), TooLarge()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  uint64_t durable = 0;
  for (const BadMessage& bad : cases) {
    std::unique_ptr<PushConnection> stream = Begin();
    ASSERT_TRUE(stream->AwaitStarted().has_value()) << bad.what;
    EXPECT_EQ(stream->AwaitStarted()->durable_sequence(), durable) << bad.what;
    stream->Send(TableRequest(0, "item"));
    ++durable;
    stream->Send(BatchRequest(durable, 0, 1000 + static_cast<int64_t>(durable), 1));
    ASSERT_TRUE(stream->AwaitAcknowledged(durable)) << bad.what;
    for (const v1::PushRequest& request : bad.messages(durable + 1)) stream->Send(request);
    const grpc::Status end = stream->AwaitEnd();
    EXPECT_EQ(end.error_code(), bad.code) << bad.what << ": " << end.error_message();
    EXPECT_EQ(Reason(end), bad.reason) << bad.what << ": " << end.error_message();
    EXPECT_THAT(end.error_message(), testing::HasSubstr(bad.text)) << bad.what;
    Await([&] { return runner_->BusyWith("orders/shop") == std::nullopt; });
    // What came before the bad message is kept, acknowledged or not.
    durable = std::max(durable, stream->acknowledged());
  }
  EXPECT_EQ(Begin()->AwaitStarted()->durable_sequence(), durable);
  EXPECT_EQ(Rows("SELECT count(*) FROM item WHERE id > 1000"),
            std::vector<std::string>{absl::StrCat(cases.size())});
}

TEST_F(IngestFixture, BytesThatAreNoMessageEndTheStreamWithAStatus) {
  Ingested("orders");
  Serve();
  // A field of a length that the message does not have.
  v1::PushRequest request;
  request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(4, "\xff\xff");
  std::unique_ptr<PushConnection> stream = Begin();
  stream->Send(request);
  const grpc::Status end = stream->AwaitEnd();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Reason(end), "MALFORMED") << end.error_message();
}

TEST_F(IngestFixture, GapTellsTheNumberThatIsDue) {
  Ingested("orders");
  Serve();
  std::unique_ptr<PushConnection> stream = Begin();
  stream->Send(RowsRequest(1, "item", 1, 1));
  stream->Send(RowsRequest(5, "item", 2, 1));
  EXPECT_EQ(Facts(stream->AwaitEnd())["expected"], "2");
}

size_t Threads() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/self/task")) {
    ++count;
  }
  return count;
}

TEST_F(IngestFixture, ThousandStreamsThatDoNotBeginHoldNoThreadAndAreEnded) {
  Ingested("orders");
  IngestLimits limits;
  limits.start = absl::Seconds(2);
  limits.look = absl::Milliseconds(50);
  Serve(limits);
  const std::shared_ptr<grpc::Channel> channel = Channel(address());
  const std::unique_ptr<v1::Ingest::Stub> stub = v1::Ingest::NewStub(channel);
  {
    std::unique_ptr<PushConnection> first = Begin();
  }  // gRPC's own threads are there
  const size_t before = Threads();
  constexpr size_t kStreams = 1'000;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReaderWriter<v1::PushRequest, v1::PushResponse>>> streams;
  for (size_t i = 0; i < kStreams; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    contexts.back()->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    streams.push_back(stub->Push(contexts.back().get()));
  }
  std::unique_ptr<PushConnection> good = Begin();  // is not in their way
  good->Send(RowsRequest(1, "item", 1, 1));
  EXPECT_TRUE(good->AwaitAcknowledged(1));
  EXPECT_LT(Threads(), before + 20);
  for (const auto& stream : streams) {
    v1::PushResponse response;
    EXPECT_FALSE(stream->Read(&response));
    const grpc::Status end = stream->Finish();
    ASSERT_EQ(end.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << end.error_message();
    ASSERT_EQ(Reason(end), "START_TIMEOUT");
  }
}

TEST_F(IngestFixture, MoreStreamsThanTheServerTakesAreSentAway) {
  Ingested("orders");
  IngestLimits limits;
  limits.streams = 2;
  limits.half_open = 3;
  Serve(limits);
  std::vector<std::unique_ptr<PushConnection>> streams;
  for (const char* producer : {"a", "b"}) streams.push_back(Begin("orders", producer));
  std::unique_ptr<PushConnection> third = Connect();
  third->SendStart("orders", "c");
  grpc::Status end = third->AwaitEnd();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << end.error_message();
  EXPECT_EQ(Reason(end), "TOO_MANY_STREAMS");
  for (int i = 0; i < 10; ++i) streams.push_back(Connect());
  Await([&] {
    return std::count_if(streams.begin(), streams.end(),
                         [](const auto& stream) { return stream->over(); }) >= 7;
  });
  for (const auto& stream : streams) {
    if (stream->over()) {
      EXPECT_EQ(Reason(stream->AwaitEnd()), "TOO_MANY_STREAMS");
    }
  }
}

TEST_F(IngestFixture, SilentStreamIsEndedAndNoFailure) {
  Ingested("orders");
  IngestLimits limits;
  limits.idle = absl::Milliseconds(300);
  Serve(limits);
  std::unique_ptr<PushConnection> stream = Begin();
  stream->Send(RowsRequest(1, "item", 1, 1));
  const std::string sync = stream->AwaitStarted()->sync_id();
  const grpc::Status end = stream->AwaitEnd();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << end.error_message();
  EXPECT_EQ(Reason(end), "IDLE");
  EXPECT_EQ(Count("item"), 1);
  EXPECT_NE(AwaitEnd(sync).phase, SyncPhase::kFailed);
}

TEST_F(IngestFixture, RowsThatWaitTooLongForTheirCheckpointAreGivenUp) {
  Ingested("orders");
  IngestLimits limits;
  limits.open_idle = absl::Milliseconds(300);
  Serve(limits);
  std::unique_ptr<PushConnection> stream = Begin("orders", "shop", v1::CHECKPOINT_MODE_EXPLICIT);
  stream->Send(TableRequest(0, "item"));
  stream->Send(BatchRequest(1, 0, 1, 1));
  stream->Send(CheckpointRequest(2, ""));
  ASSERT_TRUE(stream->AwaitAcknowledged(2));
  // Too much to wait beside the destination.
  for (uint64_t i = 3; i < 9; ++i) {
    stream->Send(BatchRequest(i, 0, 100 * static_cast<int64_t>(i), 10, std::string(100'000, 'x')));
  }
  const grpc::Status end = stream->AwaitEnd();
  EXPECT_EQ(Reason(end), "IDLE") << end.error_message();
  EXPECT_EQ(Count("item"), 1);
  EXPECT_EQ(Begin()->AwaitStarted()->durable_sequence(), 2u);
}

TEST_F(IngestFixture, ConnectionThatIsDeletedMeanwhileEndsItsStreams) {
  Ingested("orders");
  Serve();
  std::unique_ptr<PushConnection> stream = Begin();
  stream->Send(RowsRequest(1, "item", 1, 1));
  ASSERT_TRUE(stream->AwaitAcknowledged(1));
  ASSERT_TRUE(connections_->SetPaused("orders", true).ok());
  runner_->StopConnection("orders");
  const grpc::Status end = stream->AwaitEnd();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::FAILED_PRECONDITION) << end.error_message();
  EXPECT_EQ(Reason(end), "CONNECTION_PAUSED");
  EXPECT_EQ(Count("item"), 1);
}

TEST_F(IngestFixture, CallersNeedTheRoleAndTheConnection) {
  Ingested("orders");
  Ingested("invoices");
  IngestLimits limits;
  limits.readmit = absl::Milliseconds(50);
  limits.look = absl::Milliseconds(20);
  Serve(limits);
  const auto token = [this](Role role, std::vector<std::string> connections) {
    TokenStore::Request request;
    request.role = role;
    request.connections = std::move(connections);
    return Opened(tokens_->Create(request));
  };
  const auto pushed = [this](const std::string& token) {
    PushConnection stream(Channel(absl::StrCat("127.0.0.1:", port_)), token);
    stream.SendStart("orders", "shop");
    return stream.AwaitStarted().has_value() ? grpc::Status::OK : stream.AwaitEnd();
  };
  EXPECT_EQ(pushed("").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(pushed("tm_0_0").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(pushed(token(Role::kOperator, {}).text).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(pushed(token(Role::kEditor, {"invoices"}).text).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  const TokenStore::Created good = token(Role::kEditor, {"ord*"});
  EXPECT_TRUE(pushed(good.text).ok());
  // Revoked in the middle of a stream.
  PushConnection stream(Channel(absl::StrCat("127.0.0.1:", port_)), good.text);
  stream.SendStart("orders", "shop");
  ASSERT_TRUE(stream.AwaitStarted().has_value());
  ASSERT_TRUE(tokens_->Revoke(good.record.id).ok());
  EXPECT_EQ(stream.AwaitEnd().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

}  // namespace
}  // namespace tidemark::test
