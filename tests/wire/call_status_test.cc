// Statuses of calls and the settings of the transport, over real calls.
#include "wire/call_status.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/status_context.h"
#include "core/text.h"
#include "tidemark/v1/connector.grpc.pb.h"
#include "wire/transport.h"

namespace tidemark {
namespace {

TEST(StatusTextTest, IsCutAtACharacterBoundary) {
  struct Case {
    std::string text;
    std::string sent;
  };
  const Case cases[] = {
      {"", ""},
      {"plain", "plain"},
      {std::string(8'000, 'a'), std::string(8'000, 'a')},
      {std::string(8'001, 'a'), std::string(8'000, 'a')},
      {std::string(7'999, 'a') + "\xc3\xa9", std::string(7'999, 'a')},
      {std::string(7'998, 'a') + "\xc3\xa9", std::string(7'998, 'a') + "\xc3\xa9"},
      {std::string(7'997, 'a') + "\xf0\x9f\x98\x80", std::string(7'997, 'a')},
      {std::string(7'999, 'a') + "\xf0\x9f\x98\x80zzzz", std::string(7'999, 'a')},
      {"bad \xff byte", "bad \xef\xbf\xbd byte"},
      {"cut \xc3", "cut \xef\xbf\xbd"},
      {"line\nnext\ttab\x01\x7f end", "line\nnext\ttab   end"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(StatusText(c.text), c.sent);
    EXPECT_TRUE(IsUtf8(StatusText(c.text)));
  }
  EXPECT_EQ(MessageText(std::string(9'000, 'x') + "\xff").size(), 9'003u) << "is not cut";
}

TEST(StatusTextTest, NumbersThatAreNoCodesAreUnknown) {
  EXPECT_EQ(CodeFromNumber(0), absl::StatusCode::kOk);
  EXPECT_EQ(CodeFromNumber(16), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(CodeFromNumber(17), absl::StatusCode::kUnknown);
  EXPECT_EQ(CodeFromNumber(-1), absl::StatusCode::kUnknown);
}

// Answers Check with a status and Schema with a large table.
class AnsweringConnector final : public v1::Connector::Service {
 public:
  grpc::Status Check(grpc::ServerContext* context, const v1::CheckRequest*,
                     v1::CheckResponse*) override {
    return AnswerCall(answer, context);
  }
  grpc::Status Schema(grpc::ServerContext*, const v1::SchemaRequest*,
                      v1::SchemaResponse* response) override {
    response->add_tables()->set_name(std::string(schema_bytes, 'n'));
    return grpc::Status::OK;
  }

  absl::Status answer;
  size_t schema_bytes = 0;
};

class CallStatusTest : public testing::Test {
 protected:
  void SetUp() override {
    grpc::ServerBuilder builder;
    ConfigureServer(&builder);
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&connector_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    address_ = absl::StrCat("127.0.0.1:", port);
    grpc::ChannelArguments arguments;
    ConfigureChannel(&arguments);
    stub_ = v1::Connector::NewStub(Channel(arguments));
  }

  std::shared_ptr<grpc::Channel> Channel(const grpc::ChannelArguments& arguments) {
    return grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), arguments);
  }

  CallResult Check() {
    grpc::ClientContext context;
    v1::CheckResponse response;
    const grpc::Status status = stub_->Check(&context, v1::CheckRequest(), &response);
    return ResultOfCall(status, context);
  }

  AnsweringConnector connector_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Connector::Stub> stub_;
};

TEST_F(CallStatusTest, VerdictsOfTheConnectorAreToldFromFailuresOfTheTransport) {
  CallResult result = Check();
  EXPECT_EQ(result.status, absl::OkStatus());
  EXPECT_TRUE(result.verdict);

  connector_.answer =
      WithRetryAfter(absl::UnavailableError("the source is down"), absl::Seconds(3));
  result = Check();
  EXPECT_EQ(result.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(result.status.message(), "the source is down");
  EXPECT_TRUE(result.verdict);
  EXPECT_EQ(RetryAfter(result.status), absl::Seconds(3));

  server_->Shutdown();
  result = Check();
  EXPECT_EQ(result.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(result.verdict);
}

// Three bytes for one in the header where the text is not ASCII: gRPC's own limit is 8 KiB.
TEST_F(CallStatusTest, ALongTextArrivesCut) {
  for (const absl::string_view character : {"e", "\xc3\xa9", "\n"}) {
    std::string text;
    while (text.size() < 100'000) absl::StrAppend(&text, character);
    connector_.answer = absl::InternalError(text);
    const CallResult result = Check();
    EXPECT_EQ(result.status.code(), absl::StatusCode::kInternal);
    EXPECT_TRUE(result.status.message() == text.substr(0, 8'000)) << result.status.message().size();
  }
}

TEST_F(CallStatusTest, MessagesOf64MebibytesPassAndLargerOnesDoNot) {
  v1::SchemaResponse response;
  {
    grpc::ClientContext context;
    connector_.schema_bytes = (64u << 20) - 100;
    EXPECT_TRUE(stub_->Schema(&context, v1::SchemaRequest(), &response).ok());
  }
  grpc::ClientContext context;
  connector_.schema_bytes = 64u << 20;
  EXPECT_EQ(stub_->Schema(&context, v1::SchemaRequest(), &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(CallStatusTest, ACompressedRequestIsRefused) {
  grpc::ChannelArguments arguments;
  arguments.SetCompressionAlgorithm(GRPC_COMPRESS_GZIP);
  const auto stub = v1::Connector::NewStub(Channel(arguments));
  grpc::ClientContext context;
  v1::CheckRequest request;
  request.mutable_configuration()->add_settings()->set_name(std::string(100'000, 'a'));
  v1::CheckResponse response;
  EXPECT_EQ(stub->Check(&context, request, &response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace tidemark
