// ingest_push FOLDER ROWS packed|readable: prints {"rows": .., "seconds": ..} (ingest_push.h).
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "tests/bench/ingest_push.h"

int main(int argc, char** argv) {
  uint64_t rows = 0;
  const std::string form = argc == 4 ? argv[3] : "";
  if ((form != "packed" && form != "readable") || !absl::SimpleAtoi(argv[2], &rows)) {
    std::cerr << "usage: ingest_push FOLDER ROWS packed|readable\n";
    return 2;
  }
  const auto result = tidemark::PushRows(argv[1], rows, form == "readable");
  if (!result.ok()) {
    std::cerr << "ingest_push: " << result.status() << "\n";
    return 1;
  }
  std::cout << "{\"rows\": " << result->rows
            << ", \"seconds\": " << absl::ToDoubleSeconds(result->elapsed) << "}\n";
  return 0;
}
