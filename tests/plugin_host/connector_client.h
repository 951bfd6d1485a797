// A client of the Connector service as a test writes it: whole conversations in one call.
#ifndef TIDEMARK_TESTS_PLUGIN_HOST_CONNECTOR_CLIENT_H_
#define TIDEMARK_TESTS_PLUGIN_HOST_CONNECTOR_CLIENT_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tidemark/v1/connector.grpc.pb.h"
#include "wire/call_status.h"

namespace tidemark {

// A test plugin, found where the build put it.
std::string TestPlugin(const std::string& name);  // of tests/plugin_sdk/plugins
std::string ShippedPlugin(const std::string& name);

using Options = std::vector<std::pair<std::string, std::string>>;  // numbers become INT64
v1::Configuration MakeConfiguration(const Options& options);

// One Update call, read and written by hand.
class UpdateConversation {
 public:
  UpdateConversation(v1::Connector::Stub* stub, const v1::Start& start);
  ~UpdateConversation();

  // Null: the call has ended.
  std::unique_ptr<v1::UpdateResponse> Next();
  // Reads until a response of this kind; null: the call ended before.
  std::unique_ptr<v1::UpdateResponse> Next(v1::UpdateResponse::ResponseCase kind);
  void Acknowledge(uint64_t durable, const std::string& releasable_body = "");
  void HalfClose();
  void Cancel() { context_.TryCancel(); }
  // Half-closes, reads what is left, and returns the status of the call.
  grpc::Status Finish();

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::UpdateRequest, v1::UpdateResponse>> stream_;
  bool half_closed_ = false;
  bool finished_ = false;
};

// Everything that one Update call said, each checkpoint acknowledged at once.
struct UpdateResult {
  std::vector<v1::UpdateResponse> responses;
  v1::Finished finished;
  int finished_count = 0;
  grpc::Status status;

  uint64_t rows() const;  // of all row batches
  int Count(v1::UpdateResponse::ResponseCase kind) const;
  absl::Status verdict() const;
};

class ConnectorClient {
 public:
  explicit ConnectorClient(std::shared_ptr<grpc::Channel> channel)
      : stub_(v1::Connector::NewStub(std::move(channel))) {}

  absl::StatusOr<v1::DescribeResponse> Describe();
  CallResult Check(const Options& options);
  absl::StatusOr<v1::SchemaResponse> Schema(const Options& options);
  CallResult ValidateState(const Options& options, const std::string& body);
  UpdateResult Update(const Options& options, const std::string& state = "");

  v1::Connector::Stub* stub() { return stub_.get(); }

 private:
  std::unique_ptr<v1::Connector::Stub> stub_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_PLUGIN_HOST_CONNECTOR_CLIENT_H_
