// Every fuzz target over its committed corpus, and over changed copies of it: the seed is printed.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_targets.h"

namespace tidemark::fuzz {
namespace {

constexpr int kChangedCopies = 300;  // of each file

struct Input {
  std::string name;
  std::string bytes;
};

std::vector<Input> Corpus(const std::string& target) {
  std::vector<Input> inputs;
  for (const auto& file :
       std::filesystem::directory_iterator(std::string(TIDEMARK_FUZZ_CORPUS) + "/" + target)) {
    std::ifstream stream(file.path(), std::ios::binary);
    inputs.push_back({file.path().filename(), std::string(std::istreambuf_iterator<char>(stream),
                                                          std::istreambuf_iterator<char>())});
  }
  std::sort(inputs.begin(), inputs.end(),
            [](const Input& a, const Input& b) { return a.name < b.name; });
  return inputs;
}

// Runs on a copy of its own size, so that a sanitizer sees each byte read too far.
void RunCopy(const Target& target, const std::string& input) {
  const std::vector<char> copy(input.begin(), input.end());
  target.run(absl::string_view(copy.data(), copy.size()));
}

void Change(std::mt19937_64& random, std::string* bytes) {
  const size_t at = bytes->empty() ? 0 : random() % bytes->size();
  switch (random() % 5) {
    case 0:
      if (!bytes->empty()) (*bytes)[at] = static_cast<char>(random());
      break;
    case 1:
      if (!bytes->empty()) (*bytes)[at] = static_cast<char>((*bytes)[at] ^ (1 << random() % 8));
      break;
    case 2:
      bytes->resize(at);
      break;
    case 3:
      bytes->insert(at, 1, static_cast<char>(random()));
      break;
    default:
      bytes->insert(at, bytes->substr(at, 1 + random() % 8));
      break;
  }
}

class CorpusTest : public testing::TestWithParam<Target> {};

TEST_P(CorpusTest, EachInputHolds) {
  const std::vector<Input> inputs = Corpus(GetParam().name);
  ASSERT_GE(inputs.size(), 3u) << "the corpus is missing";
  for (const Input& input : inputs) RunCopy(GetParam(), input.bytes);
}

TEST_P(CorpusTest, EachChangedInputHolds) {
  const uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  // Printed now: a target that fails ends the process.
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  for (const Input& input : Corpus(GetParam().name)) {
    for (int i = 0; i < kChangedCopies; ++i) {
      std::string changed = input.bytes;
      for (uint64_t n = random() % 4; n != ~uint64_t{0}; --n) Change(random, &changed);
      RunCopy(GetParam(), changed);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, CorpusTest, testing::ValuesIn(kTargets),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tidemark::fuzz
