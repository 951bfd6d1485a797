// The entry of libFuzzer: TIDEMARK_FUZZ_TARGET names the function.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "tests/fuzz/fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  tidemark::fuzz::TIDEMARK_FUZZ_TARGET(
      absl::string_view(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
