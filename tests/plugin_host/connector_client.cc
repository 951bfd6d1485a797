#include "tests/plugin_host/connector_client.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "wire/change_messages.h"

namespace tidemark {

std::string TestPlugin(const std::string& name) {
  return absl::StrCat(TIDEMARK_TEST_PLUGINS, "/", name, ".so");
}

std::string ShippedPlugin(const std::string& name) {
  return absl::StrCat(TIDEMARK_PLUGINS, "/", name, ".so");
}

v1::Configuration MakeConfiguration(const Options& options) {
  v1::Configuration configuration;
  for (const auto& [name, text] : options) {
    v1::Setting* setting = configuration.add_settings();
    setting->set_name(name);
    int64_t number = 0;
    if (absl::SimpleAtoi(text, &number)) {
      setting->mutable_value()->set_int64(number);
    } else {
      setting->mutable_value()->set_string(text);
    }
  }
  return configuration;
}

UpdateConversation::UpdateConversation(v1::Connector::Stub* stub, const v1::Start& start)
    : stream_(stub->Update(&context_)) {
  v1::UpdateRequest request;
  *request.mutable_start() = start;
  stream_->Write(request);
}

UpdateConversation::~UpdateConversation() {
  if (finished_) return;
  Cancel();
  Finish();
}

std::unique_ptr<v1::UpdateResponse> UpdateConversation::Next() {
  auto response = std::make_unique<v1::UpdateResponse>();
  if (!stream_->Read(response.get())) return nullptr;
  return response;
}

std::unique_ptr<v1::UpdateResponse> UpdateConversation::Next(
    v1::UpdateResponse::ResponseCase kind) {
  for (;;) {
    std::unique_ptr<v1::UpdateResponse> response = Next();
    if (response == nullptr || response->response_case() == kind) return response;
  }
}

void UpdateConversation::Acknowledge(uint64_t durable, const std::string& releasable_body) {
  v1::UpdateRequest request;
  request.mutable_acknowledgement()->set_durable(durable);
  if (!releasable_body.empty()) {
    request.mutable_acknowledgement()->add_releasable()->set_body(releasable_body);
  }
  stream_->Write(request);
}

void UpdateConversation::HalfClose() {
  half_closed_ = true;
  stream_->WritesDone();
}

grpc::Status UpdateConversation::Finish() {
  if (!half_closed_) HalfClose();
  while (Next() != nullptr) {
  }
  finished_ = true;
  return stream_->Finish();
}

uint64_t UpdateResult::rows() const {
  uint64_t rows = 0;
  for (const v1::UpdateResponse& response : responses) rows += response.row_batch().row_count();
  return rows;
}

int UpdateResult::Count(v1::UpdateResponse::ResponseCase kind) const {
  int count = 0;
  for (const v1::UpdateResponse& response : responses) count += response.response_case() == kind;
  return count;
}

absl::Status UpdateResult::verdict() const { return VerdictFromMessage(finished, ""); }

absl::StatusOr<v1::DescribeResponse> ConnectorClient::Describe() {
  grpc::ClientContext context;
  v1::DescribeResponse response;
  const grpc::Status status = stub_->Describe(&context, v1::DescribeRequest(), &response);
  if (!status.ok()) return FromGrpcStatus(status);
  return response;
}

CallResult ConnectorClient::Check(const Options& options) {
  grpc::ClientContext context;
  v1::CheckRequest request;
  *request.mutable_configuration() = MakeConfiguration(options);
  v1::CheckResponse response;
  const grpc::Status status = stub_->Check(&context, request, &response);
  return ResultOfCall(status, context);
}

absl::StatusOr<v1::SchemaResponse> ConnectorClient::Schema(const Options& options) {
  grpc::ClientContext context;
  v1::SchemaRequest request;
  *request.mutable_configuration() = MakeConfiguration(options);
  v1::SchemaResponse response;
  const grpc::Status status = stub_->Schema(&context, request, &response);
  if (!status.ok()) return FromGrpcStatus(status);
  return response;
}

CallResult ConnectorClient::ValidateState(const Options& options, const std::string& body) {
  grpc::ClientContext context;
  v1::ValidateStateRequest request;
  *request.mutable_configuration() = MakeConfiguration(options);
  request.add_states()->set_body(body);
  v1::ValidateStateResponse response;
  const grpc::Status status = stub_->ValidateState(&context, request, &response);
  return ResultOfCall(status, context);
}

UpdateResult ConnectorClient::Update(const Options& options, const std::string& state) {
  v1::Start start;
  *start.mutable_configuration() = MakeConfiguration(options);
  if (!state.empty()) start.add_states()->set_body(state);
  UpdateConversation conversation(stub_.get(), start);
  UpdateResult result;
  while (std::unique_ptr<v1::UpdateResponse> response = conversation.Next()) {
    result.responses.push_back(*response);
    if (response->has_checkpoint()) conversation.Acknowledge(response->checkpoint().id());
    if (!response->has_finished()) continue;
    result.finished = response->finished();
    ++result.finished_count;
    conversation.HalfClose();
  }
  result.status = conversation.Finish();
  return result;
}

}  // namespace tidemark
