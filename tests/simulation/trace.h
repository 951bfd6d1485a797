// What happened in a simulation, line by line, as one hash: the same seed must give the same
// (suite S2). Confined to one thread.
#ifndef TIDEMARK_TESTS_SIMULATION_TRACE_H_
#define TIDEMARK_TESTS_SIMULATION_TRACE_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace tidemark {

class Trace {
 public:
  // With TIDEMARK_TRACE set, every line goes to stderr as well.
  Trace() : shown_(std::getenv("TIDEMARK_TRACE") != nullptr) {}

  // The name of a temporary folder is no part of what happened.
  void Hide(std::string folder) { hidden_ = std::move(folder); }

  void Add(absl::string_view text) {
    const std::string line =
        hidden_.empty() ? std::string(text) : absl::StrReplaceAll(text, {{hidden_, "~"}});
    for (const char c : line) Mix(static_cast<uint8_t>(c));
    Mix('\n');
    ++lines_;
    if (shown_) std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.c_str());
  }
  uint64_t hash() const { return hash_; }
  uint64_t lines() const { return lines_; }

 private:
  void Mix(uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001B3; }  // FNV-1a

  uint64_t hash_ = 0xCBF29CE484222325;
  std::string hidden_;
  uint64_t lines_ = 0;
  bool shown_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_TRACE_H_
