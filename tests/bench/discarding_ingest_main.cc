// discarding_ingest ADDRESS: an Ingest service that acknowledges every message and keeps nothing,
// so that what a client itself costs can be measured. Prints "serving" and ends with its stdin.
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "tidemark/v1/ingest.grpc.pb.h"

namespace {

using tidemark::v1::PushRequest;
using tidemark::v1::PushResponse;

class DiscardingIngest final : public tidemark::v1::Ingest::Service {
  grpc::Status Push(grpc::ServerContext*,
                    grpc::ServerReaderWriter<PushResponse, PushRequest>* stream) override {
    PushRequest request;
    PushResponse response;
    if (!stream->Read(&request)) return grpc::Status::OK;
    response.mutable_started()->set_epoch(1);
    stream->Write(response);
    uint64_t durable = 0;
    while (stream->Read(&request)) {
      durable = request.sequence();
      response.mutable_acknowledged()->set_sequence(durable);
      stream->Write(response);
    }
    response.mutable_ended()->set_durable_sequence(durable);
    stream->Write(response);
    return grpc::Status::OK;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: discarding_ingest ADDRESS\n", stderr);
    return 2;
  }
  DiscardingIngest service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(argv[1], grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::puts("serving");
  std::fflush(stdout);
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  server->Shutdown();
  return 0;
}
