// Starting a Python connector: the interpreter, a private socket, and the wait until it listens.
#ifndef TIDEMARK_SOURCE_PYTHON_CHILD_H_
#define TIDEMARK_SOURCE_PYTHON_CHILD_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "source/connector_child.h"
#include "source/connector_launch.h"

namespace tidemark {

struct PythonChild {
  std::unique_ptr<ConnectorChild> child;
  std::string address;  // gRPC's name of the socket
  // Its end asks the child to end in order, and removes the socket's folder.
  std::shared_ptr<void> until_closed;
};

// Returns once the connector listens. gRPC for Python cannot serve on a socket it is given, so the
// child makes one in a folder (0700) of its own; descriptor 3 carries the word that it is there.
// NOT_FOUND: no such file or interpreter. FAILED_PRECONDITION: no package tidemark, or it did not
// listen in time. Else why the process ended, with its last words.
absl::StatusOr<PythonChild> StartPythonChild(const ConnectorLaunch& launch,
                                             const PythonPlacement& placement);

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_PYTHON_CHILD_H_
