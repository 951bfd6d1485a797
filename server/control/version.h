// The engine's name and version: "tidemark 0.1.0".
#ifndef TIDEMARK_CONTROL_VERSION_H_
#define TIDEMARK_CONTROL_VERSION_H_

#include <string>

namespace tidemark {

std::string EngineVersion();

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_VERSION_H_
