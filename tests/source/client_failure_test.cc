// Deadlines, verdicts, cancellation and connections of a client.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/source/client_fixture.h"
#include "tests/source/event_text.h"

namespace tidemark {
namespace {

using Stream = ScriptedConnector::Stream;

class ClientFailureTest : public ClientFixture {};

// ---- deadlines ----

TEST_F(ClientFailureTest, EachCallHasItsDeadline) {
  launch_.limits.describe = absl::Milliseconds(50);
  launch_.limits.check = absl::Milliseconds(50);
  connector_.describe = connector_.check = [](grpc::ServerContext* context) {
    WaitUntilCancelled(context);
    return grpc::Status::OK;
  };
  Connect(/*with_schema=*/false);
  const absl::Status status = source_->Check();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "plugin scripted did not answer Check within 50ms");
  EXPECT_TRUE(IsTransportFailure(status));
  source_ = *ConnectChannel(launch_, server_->InProcessChannel(), nullptr);
  EXPECT_EQ(source_->Describe().status().message(),
            "plugin scripted did not answer Describe within 50ms");
}

TEST_F(ClientFailureTest, SilenceIsAStall) {
  launch_.limits.stall = absl::Milliseconds(50);
  connector_.update = [](grpc::ServerContext* context, Stream* stream) {
    stream->Write(UpsertBatch(0, 1, "a"));
    WaitUntilCancelled(context);
    return grpc::Status::OK;
  };
  Start();
  const Drained drained = DrainEvents(*source_);
  EXPECT_EQ(drained.events.size(), 1u);
  EXPECT_EQ(drained.status.code(), absl::StatusCode::kDeadlineExceeded) << drained.status;
  EXPECT_EQ(drained.status.message(), "plugin scripted sent nothing within 50ms");
  EXPECT_TRUE(IsTransportFailure(drained.status));
}

// Held back by us is not silent.
TEST_F(ClientFailureTest, AHeldBackConnectorIsNotStalled) {
  launch_.limits.stall = absl::Milliseconds(50);
  std::atomic<int> written = 0;
  connector_.update = [&written](grpc::ServerContext*, Stream* stream) {
    for (int i = 0; i < 50; ++i) {
      stream->Write(UpsertBatch(0, i, std::string(1'000'000, 'x')));
      ++written;
    }
    stream->Write(FinishedMessage());
    return grpc::Status::OK;
  };
  Start();
  AwaitStandstill([&written] { return written.load(); });  // longer than the limit
  const Drained drained = DrainEvents(*source_);
  EXPECT_TRUE(drained.status.ok()) << drained.status;
  EXPECT_EQ(drained.events.size(), 51u);
}

TEST_F(ClientFailureTest, CloseDoesNotWaitForEver) {
  launch_.limits.interrupt = absl::Milliseconds(50);
  connector_.update = [](grpc::ServerContext* context, Stream* stream) {
    stream->Write(FinishedMessage());
    WaitUntilCancelled(context);
    return grpc::Status::OK;
  };
  Start();
  ASSERT_TRUE(DrainEvents(*source_).status.ok());
  const absl::Status status = source_->Close();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "after Finished")) << status;
}

// ---- verdicts of unary calls ----

TEST_F(ClientFailureTest, TheConnectorsOwnVerdictIsNoTransportFailure) {
  for (const grpc::StatusCode code :
       {grpc::StatusCode::UNAUTHENTICATED, grpc::StatusCode::UNAVAILABLE,
        grpc::StatusCode::DEADLINE_EXCEEDED, grpc::StatusCode::FAILED_PRECONDITION}) {
    connector_.check = [code](grpc::ServerContext*) { return grpc::Status(code, "says who"); };
    Connect(false);
    const absl::Status status = source_->Check();
    EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(code));
    EXPECT_EQ(status.message(), "plugin scripted: says who");
    EXPECT_FALSE(IsTransportFailure(status)) << status;
    EXPECT_TRUE(source_->Schema().ok());
    source_ = nullptr;
  }
}

TEST_F(ClientFailureTest, CheckIsOptionalSchemaIsNot) {
  grpc::Status missing(grpc::StatusCode::UNIMPLEMENTED, "Method not implemented!");
  connector_.check = [missing](grpc::ServerContext*) { return missing; };
  connector_.schema = [missing](v1::SchemaResponse*) { return missing; };
  Connect(false);
  EXPECT_TRUE(source_->Check().ok());
  EXPECT_TRUE(source_->ValidateState({}).ok());
  const absl::Status status = source_->Schema().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_TRUE(IsTransportFailure(status)) << status;
}

TEST_F(ClientFailureTest, AWrongSchemaIsAMisbehaviour) {
  connector_.schema = [](v1::SchemaResponse* response) {
    response->add_tables()->set_name("t");
    response->add_tables()->set_name("t");
    return grpc::Status::OK;
  };
  Connect(false);
  const absl::Status status = source_->Schema().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_TRUE(IsTransportFailure(status)) << status;
}

// ---- cancellation ----

TEST_F(ClientFailureTest, CancelWakesABlockedNext) {
  Gate inside;
  std::atomic<bool> told = false;
  connector_.update = [&](grpc::ServerContext* context, Stream*) {
    inside.Open();
    WaitUntilCancelled(context);
    told = true;
    return grpc::Status::CANCELLED;
  };
  Start();
  std::thread canceller([&] {
    inside.Wait();
    source_->Cancel();
  });
  const absl::Status status = source_->Next(absl::InfiniteFuture()).status();
  canceller.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
  EXPECT_TRUE(IsTransportFailure(status));
  EXPECT_EQ(source_->Close().code(), absl::StatusCode::kCancelled);
  source_ = nullptr;
  server_ = nullptr;  // waits for the service
  EXPECT_TRUE(told);
}

TEST_F(ClientFailureTest, CancelWakesABlockedCall) {
  Gate inside;
  connector_.check = [&](grpc::ServerContext* context) {
    inside.Open();
    WaitUntilCancelled(context);
    return grpc::Status::CANCELLED;
  };
  Connect();
  std::thread canceller([&] {
    inside.Wait();
    source_->Cancel();
  });
  EXPECT_EQ(source_->Check().code(), absl::StatusCode::kCancelled);
  canceller.join();
  EXPECT_EQ(source_->Schema().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(source_->Start(UpdateStart()).code(), absl::StatusCode::kCancelled);
}

// With a full read-ahead, no read is outstanding that a cancelled call could end.
TEST_F(ClientFailureTest, DestructionInTheMiddleEndsTheCall) {
  std::atomic<bool> ended = false;
  connector_.update = [&](grpc::ServerContext*, Stream* stream) {
    while (stream->Write(UpsertBatch(0, 1, std::string(100'000, 'x')))) {
    }
    ended = true;
    return grpc::Status::OK;
  };
  Start();
  ASSERT_TRUE(source_->Next(absl::InfiniteFuture()).ok());
  source_ = nullptr;
  server_ = nullptr;
  EXPECT_TRUE(ended);
}

// ---- addresses ----

TEST(ConnectAddressTest, NobodyThereIsSaidAtOnce) {
  const ConnectorLaunch launch = LaunchLabelled("grpc://127.0.0.1:1");
  for (const std::string address : {"grpc://127.0.0.1:1", "unix:/nonexistent/socket"}) {
    const absl::Time begin = absl::Now();
    const auto source = ConnectAddress(launch, address);
    EXPECT_EQ(source.status().code(), absl::StatusCode::kFailedPrecondition) << source.status();
    EXPECT_TRUE(absl::StrContains(source.status().message(), "grpc://127.0.0.1:1: cannot connect"))
        << source.status();
    EXPECT_LT(absl::Now() - begin, absl::Seconds(3));
  }
}

TEST(ConnectAddressTest, AServerThatIsNoConnectorIsNamed) {
  v1::Connector::Service empty;
  ScriptedServer server(&empty, "127.0.0.1:0");
  const ConnectorLaunch launch = LaunchLabelled("peer");
  auto source = *ConnectAddress(launch, absl::StrCat("grpc://127.0.0.1:", server.port()));
  const absl::Status status = source->Describe().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "no connector")) << status;
}

// The server goes away in the middle.
TEST(ConnectAddressTest, ABrokenConnectionIsAborted) {
  ScriptedConnector connector;
  connector.update = [](grpc::ServerContext* context, Stream* stream) {
    stream->Write(UpsertBatch(0, 1, "a"));
    WaitUntilCancelled(context);
    return grpc::Status::OK;
  };
  auto server = std::make_unique<ScriptedServer>(&connector, "127.0.0.1:0");
  const ConnectorLaunch launch = LaunchLabelled("peer");
  auto source = *ConnectAddress(launch, absl::StrCat("grpc://127.0.0.1:", server->port()));
  ASSERT_TRUE(source->Schema().ok());
  ASSERT_TRUE(source->Start(UpdateStart()).ok());
  ASSERT_TRUE(source->Next(absl::InfiniteFuture()).ok());
  server = nullptr;
  const Drained drained = DrainEvents(*source);
  EXPECT_EQ(drained.status.code(), absl::StatusCode::kAborted) << drained.status;
  EXPECT_TRUE(IsTransportFailure(drained.status)) << drained.status;
  EXPECT_EQ(source->Describe().status().code(), absl::StatusCode::kAborted);
}

}  // namespace
}  // namespace tidemark
