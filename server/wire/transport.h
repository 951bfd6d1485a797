// The settings of both ends of a connection, in one place: 64 MiB messages, compression off, room
// for status texts.
#ifndef TIDEMARK_WIRE_TRANSPORT_H_
#define TIDEMARK_WIRE_TRANSPORT_H_

namespace grpc {
class ChannelArguments;
class ServerBuilder;
}  // namespace grpc

namespace tidemark {

// For a client's channel. Compression is off (gRPC decompresses before it checks sizes), messages
// of 64 MiB are accepted, the service config of name resolution and the HTTP proxy are not asked,
// and connections are not shared with other channels.
void ConfigureChannel(grpc::ChannelArguments* arguments);

// For a server: the same limits; gzip and deflate are refused.
void ConfigureServer(grpc::ServerBuilder* builder);

}  // namespace tidemark

#endif  // TIDEMARK_WIRE_TRANSPORT_H_
