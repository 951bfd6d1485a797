// wire ROWS HOST PLUGIN: prints {"rows": .., "seconds": ..} (wire.h).
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "tests/bench/wire.h"

int main(int argc, char** argv) {
  uint64_t rows = 0;
  if (argc != 4 || !absl::SimpleAtoi(argv[1], &rows)) {
    std::cerr << "usage: wire ROWS HOST_BINARY PLUGIN\n";
    return 2;
  }
  const auto result = tidemark::RunWire(argv[2], argv[3], rows);
  if (!result.ok()) {
    std::cerr << "wire: " << result.status().message() << "\n";
    return 1;
  }
  std::cout << "{\"rows\": " << result->rows
            << ", \"seconds\": " << absl::ToDoubleSeconds(result->elapsed) << "}\n";
  return 0;
}
