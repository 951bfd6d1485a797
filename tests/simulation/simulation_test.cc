// Suites S1 and S2: many seeds of the simulation, and some of them twice.
#include "tests/simulation/simulation.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/faults/fault_suite.h"

namespace tidemark {
namespace {

constexpr char kProgram[] = "build/release/tests/simulation_test";

TEST(SimulationTest, WhateverFailsNothingIsLostAndItConverges) {
  test::FaultSuite suite("S1", 200);
  suite.want = suite.cases() / 2;
  uint64_t commits = 0;
  for (uint64_t seed = suite.seed(); suite.tried < suite.cases(); ++seed) {
    const SimulationResult result = Simulation(seed).Run();
    ++suite.tried;
    if (result.faults > 0) ++suite.hit;
    commits += result.commits;
    suite.lost += result.difference.lost;
    suite.duplicated += result.difference.duplicated;
    suite.stale += result.difference.stale;
    if (!result.violations.empty()) ++suite.silent;
    EXPECT_TRUE(result.ok()) << result.text() << "\nrepeat with TIDEMARK_TRACE=1 "
                             << "TIDEMARK_FAULT_SEED=" << seed << " TIDEMARK_FAULT_CASES=1 "
                             << kProgram << " --gtest_filter='*Converges'";
    if (!result.ok()) break;
  }
  EXPECT_GT(commits, 0U);
  EXPECT_TRUE(suite.Clean());
}

TEST(SimulationTest, TheSameSeedGivesTheSameTrace) {
  test::FaultSuite suite("S2", 20);
  for (uint64_t seed = suite.seed(); suite.tried < suite.cases(); ++seed) {
    const SimulationResult first = Simulation(seed).Run();
    const SimulationResult again = Simulation(seed).Run();
    ++suite.tried;
    suite.hit += first.trace_lines > 20 ? 1 : 0;
    const bool same = first.trace_hash == again.trace_hash;
    if (!same) ++suite.silent;
    EXPECT_TRUE(same) << "repeat with TIDEMARK_TRACE=1 TIDEMARK_FAULT_SEED=" << seed
                      << " TIDEMARK_FAULT_CASES=1 " << kProgram << " --gtest_filter='*SameTrace'";
  }
  EXPECT_TRUE(suite.Clean());
}

}  // namespace
}  // namespace tidemark
