// What every fault suite in C++ shares: count, seed and the line of its result (README.md).
#ifndef TIDEMARK_TESTS_FAULTS_FAULT_SUITE_H_
#define TIDEMARK_TESTS_FAULTS_FAULT_SUITE_H_

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>

namespace tidemark::test {

// One suite's figures; prints its line when it is destroyed. Confined to one thread.
class FaultSuite {
 public:
  FaultSuite(std::string id, uint64_t short_cases) : id_(std::move(id)), cases_(short_cases) {
    if (const char* cases = std::getenv("TIDEMARK_FAULT_CASES")) {
      cases_ = std::strtoull(cases, nullptr, 10);
    }
    const char* const seed = std::getenv("TIDEMARK_FAULT_SEED");
    seed_ = seed != nullptr ? std::strtoull(seed, nullptr, 10) : std::random_device()();
    std::printf("suite %s: %" PRIu64 " cases, TIDEMARK_FAULT_SEED=%" PRIu64 "\n", id_.c_str(),
                cases_, seed_);
    std::fflush(stdout);
  }
  ~FaultSuite() {
    std::printf("\n{\"suite\": \"%s\", \"cases\": %" PRIu64 ", \"hit\": %" PRIu64
                ", \"lost\": %" PRIu64 ", \"duplicated\": %" PRIu64 ", \"stale\": %" PRIu64
                ", \"silent\": %" PRIu64 ", \"want\": %" PRIu64 ", \"seed\": %" PRIu64 "}\n",
                id_.c_str(), tried, hit, lost, duplicated, stale, silent, want, seed_);
    std::fflush(stdout);
  }
  FaultSuite(const FaultSuite&) = delete;
  FaultSuite& operator=(const FaultSuite&) = delete;

  uint64_t cases() const { return cases_; }
  uint64_t seed() const { return seed_; }
  // To be asserted at the end, beside what the suite asserts of its own.
  bool Clean() const { return lost + duplicated + stale + silent == 0 && hit >= want; }

  uint64_t tried = 0;  // cases that were really run
  uint64_t hit = 0;
  uint64_t lost = 0;
  uint64_t duplicated = 0;
  uint64_t stale = 0;
  uint64_t silent = 0;
  uint64_t want = 1;

 private:
  std::string id_;
  uint64_t cases_;
  uint64_t seed_;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_FAULTS_FAULT_SUITE_H_
