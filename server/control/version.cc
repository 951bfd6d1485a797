#include "control/version.h"

namespace tidemark {

// TIDEMARK_VERSION is the project's version in CMakeLists.txt.
std::string EngineVersion() { return "tidemark " TIDEMARK_VERSION; }

}  // namespace tidemark
