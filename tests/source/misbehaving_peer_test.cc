// A peer that breaks the contract ends the sync with a transport failure that names it.
#include <grpcpp/support/server_callback.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "source/connector_launch.h"
#include "tests/source/event_text.h"
#include "tests/source/scripted_connector.h"
#include "wire/row_codec.h"

namespace tidemark {
namespace {

using Stream = ScriptedConnector::Stream;

ConnectorLaunch Launch() {
  ConnectorLaunch launch;
  launch.label = "plugin scripted";
  return launch;
}

v1::UpdateResponse Definition(uint32_t index, const std::string& name,
                              std::initializer_list<const char*> columns) {
  v1::UpdateResponse response;
  response.mutable_table_definition()->set_index(index);
  v1::Table* table = response.mutable_table_definition()->mutable_table();
  table->set_name(name);
  for (const char* column : columns) table->add_columns()->set_name(column);
  return response;
}

v1::UpdateResponse Changed(v1::UpdateResponse response,
                           const std::function<void(v1::UpdateResponse*)>& change) {
  change(&response);
  return response;
}

struct Fault {
  const char* name;
  std::function<void(Stream*)> script;
  absl::StatusCode code;
  const char* text;
  grpc::Status end = grpc::Status::OK;
};

class MisbehavingPeer : public testing::TestWithParam<Fault> {};

TEST_P(MisbehavingPeer, EndsTheSyncByName) {
  ScriptedConnector connector;
  connector.update = [](grpc::ServerContext*, Stream* stream) {
    GetParam().script(stream);
    return GetParam().end;
  };
  ScriptedServer server(&connector);
  auto source = ConnectChannel(Launch(), server.InProcessChannel(), nullptr);
  ASSERT_TRUE(source.ok()) << source.status();
  ASSERT_TRUE((*source)->Schema().ok());
  ASSERT_TRUE((*source)->Start(UpdateStart()).ok());
  const absl::Status status = DrainEvents(**source).status;
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_TRUE(IsTransportFailure(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "plugin scripted")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), GetParam().text)) << status;
  // The failure stays.
  EXPECT_EQ((*source)->Next(absl::InfinitePast()).status(), status);
  EXPECT_EQ((*source)->Close(), status);
}

void Send(Stream* stream, const v1::UpdateResponse& response) { stream->Write(response); }

const Fault kFaults[] = {
    {"OkWithoutFinished", [](Stream* s) { Send(s, UpsertBatch(0, 1, "a")); },
     absl::StatusCode::kDataLoss, "stopped without saying so"},
    {"NothingAtAll", [](Stream*) {}, absl::StatusCode::kDataLoss, "stopped without saying so"},
    {"GarbageRows",
     [](Stream* s) {
       Send(s, Changed(UpsertBatch(0, 1, "a"), [](v1::UpdateResponse* response) {
              response->mutable_row_batch()->set_rows("\xff\xff\xff");
            }));
     },
     absl::StatusCode::kDataLoss, "table t"},
    {"BytesBehindTheLastRow",
     [](Stream* s) {
       Send(s, Changed(UpsertBatch(0, 1, "a"), [](v1::UpdateResponse* response) {
              response->mutable_row_batch()->mutable_rows()->append("x");
            }));
     },
     absl::StatusCode::kDataLoss, "table t"},
    {"FewerOpsThanRows",
     [](Stream* s) {
       Send(s, Changed(UpsertBatch(0, 1, "a"), [](v1::UpdateResponse* response) {
              response->mutable_row_batch()->clear_ops();
            }));
     },
     absl::StatusCode::kDataLoss, "table t"},
    {"UnknownTable", [](Stream* s) { Send(s, UpsertBatch(7, 1, "a")); },
     absl::StatusCode::kDataLoss, "table number 7"},
    {"MoreColumnsThanTheTable",
     [](Stream* s) {
       Send(s, Changed(UpsertBatch(0, 1, "a"), [](v1::UpdateResponse* response) {
              response->mutable_row_batch()->set_column_count(3);
            }));
     },
     absl::StatusCode::kDataLoss, "3 columns"},
    {"UnsetOneof", [](Stream* s) { Send(s, v1::UpdateResponse()); },
     absl::StatusCode::kUnimplemented, "newer"},
    {"CheckpointSkips",
     [](Stream* s) {
       Send(s, CheckpointMessage(1, "a"));
       Send(s, CheckpointMessage(3, "b"));
     },
     absl::StatusCode::kDataLoss, "checkpoint 3 came where 2 was due"},
    {"CheckpointTwice",
     [](Stream* s) {
       Send(s, CheckpointMessage(1, "a"));
       Send(s, CheckpointMessage(1, "b"));
     },
     absl::StatusCode::kDataLoss, "checkpoint 1 came where 2 was due"},
    {"CheckpointCountsUnknownTable",
     [](Stream* s) {
       Send(s, Changed(CheckpointMessage(1, "a"), [](v1::UpdateResponse* response) {
              response->mutable_checkpoint()->add_rows_since_last()->set_table(4);
            }));
     },
     absl::StatusCode::kDataLoss, "table number 4"},
    {"DefinitionLeavesAGap", [](Stream* s) { Send(s, Definition(2, "u", {"x"})); },
     absl::StatusCode::kDataLoss, "number 2"},
    {"DefinitionDropsAColumn", [](Stream* s) { Send(s, Definition(0, "t", {"name"})); },
     absl::StatusCode::kDataLoss, "may only grow"},
    {"DefinitionTakesAnothersNumber", [](Stream* s) { Send(s, Definition(0, "u", {"x"})); },
     absl::StatusCode::kDataLoss, "table t"},
    {"UnknownKindOfChange",
     [](Stream* s) {
       v1::UpdateResponse response;
       v1::Row* row = response.mutable_rows()->add_rows();
       row->set_table("t");
       row->set_kind(static_cast<v1::ChangeKind>(9));
       Send(s, response);
     },
     absl::StatusCode::kDataLoss, "unknown kind of change 9"},
    {"RowWithoutTable",
     [](Stream* s) {
       v1::UpdateResponse response;
       response.mutable_rows()->add_rows();
       Send(s, response);
     },
     absl::StatusCode::kDataLoss, "name"},
    {"MessageOverTheLimit",
     [](Stream* s) { Send(s, UpsertBatch(0, 1, std::string(kMaxMessageBytes + 1, 'x'))); },
     absl::StatusCode::kDataLoss, "more than is accepted"},
    {"StatusUnavailable", [](Stream* s) { Send(s, UpsertBatch(0, 1, "a")); },
     absl::StatusCode::kAborted, "gone fishing",
     grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone fishing")},
    {"StatusUnknown", [](Stream*) {}, absl::StatusCode::kInternal, "Exception iterating",
     grpc::Status(grpc::StatusCode::UNKNOWN, "Exception iterating responses")},
    {"StatusUnimplemented", [](Stream*) {}, absl::StatusCode::kUnimplemented, "no connector",
     grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "Method not found!")},
};

INSTANTIATE_TEST_SUITE_P(Faults, MisbehavingPeer, testing::ValuesIn(kFaults),
                         [](const auto& fault) { return std::string(fault.param.name); });

// A message after Finished is found by Close: the commit before it stands.
TEST(MisbehavingPeerTest, MessageAfterFinishedIsFoundByClose) {
  ScriptedConnector connector;
  connector.update = [](grpc::ServerContext*, Stream* stream) {
    stream->Write(FinishedMessage());
    stream->Write(UpsertBatch(0, 1, "a"));
    return grpc::Status::OK;
  };
  ScriptedServer server(&connector);
  auto source = *ConnectChannel(Launch(), server.InProcessChannel(), nullptr);
  ASSERT_TRUE(source->Schema().ok());
  ASSERT_TRUE(source->Start(UpdateStart()).ok());
  EXPECT_EQ(DrainEvents(*source).events, std::vector<std::string>{"finished OK"});
  const absl::Status status = source->Close();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "after Finished")) << status;
}

TEST(MisbehavingPeerTest, FailureAfterFinishedIsFoundByClose) {
  ScriptedConnector connector;
  connector.update = [](grpc::ServerContext*, Stream* stream) {
    stream->Write(FinishedMessage());
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "too late");
  };
  ScriptedServer server(&connector);
  auto source = *ConnectChannel(Launch(), server.InProcessChannel(), nullptr);
  ASSERT_TRUE(source->Start(UpdateStart()).ok());
  ASSERT_TRUE(DrainEvents(*source).status.ok());
  const absl::Status status = source->Close();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_TRUE(IsTransportFailure(status));
}

// Answers Update with bytes that are no message at all.
class GarbageService final
    : public v1::Connector::WithRawCallbackMethod_Update<v1::Connector::Service> {
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Update(
      grpc::CallbackServerContext*) override {
    class Reactor final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
     public:
      Reactor() : slice_("\xff\xff no message"), garbage_(&slice_, 1) { StartWrite(&garbage_); }
      void OnWriteDone(bool) override { Finish(grpc::Status::OK); }
      void OnDone() override { delete this; }

     private:
      grpc::Slice slice_;
      grpc::ByteBuffer garbage_;
    };
    return new Reactor;
  }
};

TEST(MisbehavingPeerTest, BytesThatAreNoMessageAreDataLoss) {
  GarbageService service;
  ScriptedServer server(&service);
  auto source = *ConnectChannel(Launch(), server.InProcessChannel(), nullptr);
  ASSERT_TRUE(source->Start(UpdateStart()).ok());
  const absl::Status status = DrainEvents(*source).status;
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "no UpdateResponse")) << status;
}

}  // namespace
}  // namespace tidemark
