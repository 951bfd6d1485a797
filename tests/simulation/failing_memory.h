// operator new of a whole test program, which fails when it is told to. Linked into the program
// that includes it; every other allocation is malloc's. Thread-safe but for Arm and Disarm.
#ifndef TIDEMARK_TESTS_SIMULATION_FAILING_MEMORY_H_
#define TIDEMARK_TESTS_SIMULATION_FAILING_MEMORY_H_

#include <cstdint>

namespace tidemark {

// The n-th allocation from now on, from 1, throws std::bad_alloc; with `stays`, every later one as
// well.
void ArmMemory(uint64_t n, bool stays);
// Nothing fails any more. True when something had.
bool DisarmMemory();
// Made since the last ArmMemory.
uint64_t Allocations();
// Pieces that are allocated and not given back.
int64_t LivePieces();

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_FAILING_MEMORY_H_
