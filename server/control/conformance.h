// Does a connector keep its promises? Tried through its service, so for every placement and
// language; the SDK's own kit (tidemark/testing.h) does the same inside an author's tests.
#ifndef TIDEMARK_CONTROL_CONFORMANCE_H_
#define TIDEMARK_CONTROL_CONFORMANCE_H_

#include <string>
#include <vector>

#include "control/engine.h"

namespace tidemark {

struct ConformanceResult {
  std::string rule;
  std::string problem;  // empty: the rule holds
  std::string detail;   // what was seen, when it holds
};

// The source must stay as it is meanwhile. Nothing is written anywhere. Later rules are left out
// when an earlier one shows that they cannot be tried.
std::vector<ConformanceResult> CheckConformance(Engine& engine);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_CONFORMANCE_H_
