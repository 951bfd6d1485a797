// Which Python runs a connector.
#ifndef TIDEMARK_CONTROL_PYTHON_INTERPRETER_H_
#define TIDEMARK_CONTROL_PYTHON_INTERPRETER_H_

#include <string>

#include "absl/status/statusor.h"

namespace tidemark {

// $TIDEMARK_PYTHON; else bin/python3 of .venv or venv beside the connector's file; else the first
// python3 on PATH. NOT_FOUND says what was looked for.
absl::StatusOr<std::string> FindPython(const std::string& connector_file);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_PYTHON_INTERPRETER_H_
