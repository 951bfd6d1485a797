// The proto files of the wire contracts, as they stand in proto/.
#ifndef TIDEMARK_CLIENTS_CLI_PROTO_FILES_H_
#define TIDEMARK_CLIENTS_CLI_PROTO_FILES_H_

#include <vector>

namespace tidemark {

// Texts live for ever.
struct ProtoFile {
  const char* path;  // "tidemark/v1/control.proto"
  const char* text;
};

std::vector<ProtoFile> ProtoFiles();

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_PROTO_FILES_H_
