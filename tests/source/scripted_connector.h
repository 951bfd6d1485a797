// A Connector service whose every answer a test writes down: the peer that an honest SDK could not
// be.
#ifndef TIDEMARK_TESTS_SOURCE_SCRIPTED_CONNECTOR_H_
#define TIDEMARK_TESTS_SOURCE_SCRIPTED_CONNECTOR_H_

#include <grpcpp/channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_context.h>

#include <functional>
#include <memory>
#include <string>

#include "tidemark/v1/connector.grpc.pb.h"

namespace tidemark {

// Set the functions before serving. One table "t" with the columns id (LONG, key) and name
// (STRING) unless `schema` says otherwise.
class ScriptedConnector final : public v1::Connector::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::UpdateResponse, v1::UpdateRequest>;
  std::function<grpc::Status(grpc::ServerContext*)> describe;
  std::function<grpc::Status(grpc::ServerContext*)> check;
  std::function<grpc::Status(v1::SchemaResponse*)> schema;
  std::function<grpc::Status(grpc::ServerContext*, Stream*)> update;
  using ReadStream = grpc::ServerWriter<v1::UpdateResponse>;
  std::function<grpc::Status(const v1::ReadRequest&, ReadStream*)> read;  // null: not there

 private:
  grpc::Status Read(grpc::ServerContext* context, const v1::ReadRequest* request,
                    ReadStream* stream) override;
  grpc::Status Describe(grpc::ServerContext* context, const v1::DescribeRequest* request,
                        v1::DescribeResponse* response) override;
  grpc::Status Check(grpc::ServerContext* context, const v1::CheckRequest* request,
                     v1::CheckResponse* response) override;
  grpc::Status Schema(grpc::ServerContext* context, const v1::SchemaRequest* request,
                      v1::SchemaResponse* response) override;
  grpc::Status Update(grpc::ServerContext* context, Stream* stream) override;
};

// Serves until destroyed; calls under way are cancelled then.
class ScriptedServer {
 public:
  // `address`: "unix:PATH", "127.0.0.1:0" or empty: only the in-process channel.
  explicit ScriptedServer(grpc::Service* service, const std::string& address = "");
  ~ScriptedServer();

  std::shared_ptr<grpc::Channel> InProcessChannel();
  int port() const { return port_; }

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// ---- messages ----
v1::UpdateResponse UpsertBatch(uint32_t table, int64_t id, const std::string& name);
v1::UpdateResponse CheckpointMessage(uint64_t id, const std::string& body);
v1::UpdateResponse FinishedMessage(int code = 0, const std::string& text = "");

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SOURCE_SCRIPTED_CONNECTOR_H_
