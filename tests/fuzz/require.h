// What must hold for every input of a fuzz target.
#ifndef TIDEMARK_TESTS_FUZZ_REQUIRE_H_
#define TIDEMARK_TESTS_FUZZ_REQUIRE_H_

#include <cstdio>
#include <cstdlib>

namespace tidemark::fuzz {

inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace tidemark::fuzz

#endif  // TIDEMARK_TESTS_FUZZ_REQUIRE_H_
