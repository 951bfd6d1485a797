#include "tests/source/scripted_connector.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <chrono>

#include "core/change_batch.h"
#include "wire/row_codec.h"
#include "wire/transport.h"

namespace tidemark {

grpc::Status ScriptedConnector::Describe(grpc::ServerContext* context, const v1::DescribeRequest*,
                                         v1::DescribeResponse* response) {
  response->set_id("scripted");
  response->set_version("1");
  return describe ? describe(context) : grpc::Status::OK;
}

grpc::Status ScriptedConnector::Check(grpc::ServerContext* context, const v1::CheckRequest*,
                                      v1::CheckResponse*) {
  return check ? check(context) : grpc::Status::OK;
}

grpc::Status ScriptedConnector::Schema(grpc::ServerContext*, const v1::SchemaRequest*,
                                       v1::SchemaResponse* response) {
  if (schema) return schema(response);
  v1::Table* table = response->add_tables();
  table->set_name("t");
  v1::Column* column = table->add_columns();
  column->set_name("id");
  column->set_type(v1::DATA_TYPE_LONG);
  column->set_key(true);
  column = table->add_columns();
  column->set_name("name");
  column->set_type(v1::DATA_TYPE_STRING);
  return grpc::Status::OK;
}

grpc::Status ScriptedConnector::Update(grpc::ServerContext* context, Stream* stream) {
  return update ? update(context, stream) : grpc::Status::OK;
}

grpc::Status ScriptedConnector::Read(grpc::ServerContext* context, const v1::ReadRequest* request,
                                     ReadStream* stream) {
  return read ? read(*request, stream) : Service::Read(context, request, stream);
}

ScriptedServer::ScriptedServer(grpc::Service* service, const std::string& address) {
  grpc::ServerBuilder builder;
  ConfigureServer(&builder);
  builder.SetMaxSendMessageSize(-1);  // a peer that keeps no limit
  if (!address.empty()) {
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port_);
  }
  builder.RegisterService(service);
  server_ = builder.BuildAndStart();
}

ScriptedServer::~ScriptedServer() {
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
}

std::shared_ptr<grpc::Channel> ScriptedServer::InProcessChannel() {
  grpc::ChannelArguments arguments;
  ConfigureChannel(&arguments);
  return server_->InProcessChannel(arguments);
}

v1::UpdateResponse UpsertBatch(uint32_t table, int64_t id, const std::string& name) {
  v1::UpdateResponse response;
  v1::RowBatch* batch = response.mutable_row_batch();
  batch->set_table(table);
  batch->set_row_count(1);
  batch->set_column_count(2);
  batch->set_ops(std::string(1, static_cast<char>(ChangeKind::kUpsert)));
  EncodeValue(Value::Int64(id), batch->mutable_rows());
  EncodeValue(Value::String(name), batch->mutable_rows());
  return response;
}

v1::UpdateResponse CheckpointMessage(uint64_t id, const std::string& body) {
  v1::UpdateResponse response;
  response.mutable_checkpoint()->set_id(id);
  response.mutable_checkpoint()->add_states()->set_body(body);
  return response;
}

v1::UpdateResponse FinishedMessage(int code, const std::string& text) {
  v1::UpdateResponse response;
  response.mutable_finished()->set_code(code);
  response.mutable_finished()->set_message(text);
  return response;
}

}  // namespace tidemark
