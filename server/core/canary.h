// Known bugs, to prove that the tests find such: they exist only in objects compiled with
// TIDEMARK_CANARIES, which no program of a release contains, and act only where the environment
// variable TIDEMARK_CANARY names one. To be used as `if (Canary("name")) <the bug>`, in .cc files.
// Static, because objects with and without it meet in one program.
// tests/faults/canary_test.py lists them all, each with the suites that must fail.
#ifndef TIDEMARK_CORE_CANARY_H_
#define TIDEMARK_CORE_CANARY_H_

#ifdef TIDEMARK_CANARIES
#include <cstdlib>
#include <string_view>
#endif

namespace tidemark {

#ifdef TIDEMARK_CANARIES
[[maybe_unused]] static bool Canary(std::string_view name) {
  static const char* const chosen = std::getenv("TIDEMARK_CANARY");
  return chosen != nullptr && name == chosen;
}
#else
[[maybe_unused]] static constexpr bool Canary(const char*) { return false; }
#endif

}  // namespace tidemark

#endif  // TIDEMARK_CORE_CANARY_H_
