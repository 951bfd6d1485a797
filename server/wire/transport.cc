#include "wire/transport.h"

#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>

#include "wire/row_codec.h"

namespace tidemark {
namespace {

// A status text of 8,000 bytes takes up to three times as many in its header (percent encoding).
constexpr int kMetadataBytes = 32 * 1024;

}  // namespace

void ConfigureChannel(grpc::ChannelArguments* arguments) {
  arguments->SetCompressionAlgorithm(GRPC_COMPRESS_NONE);
  // Bit 0 is "identity": a peer that compresses all the same is answered with UNIMPLEMENTED.
  arguments->SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);
  arguments->SetMaxReceiveMessageSize(static_cast<int>(kMaxMessageBytes));
  arguments->SetMaxSendMessageSize(static_cast<int>(kMaxMessageBytes));
  arguments->SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytes);
  arguments->SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments->SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments->SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A retry belongs to the pipeline, which knows what was committed.
  arguments->SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
}

void ConfigureServer(grpc::ServerBuilder* builder) {
  builder->SetDefaultCompressionAlgorithm(GRPC_COMPRESS_NONE);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder->SetMaxReceiveMessageSize(static_cast<int>(kMaxMessageBytes));
  builder->SetMaxSendMessageSize(static_cast<int>(kMaxMessageBytes));
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytes);
}

}  // namespace tidemark
