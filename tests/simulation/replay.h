// What a source may send once more.
#ifndef TIDEMARK_TESTS_SIMULATION_REPLAY_H_
#define TIDEMARK_TESTS_SIMULATION_REPLAY_H_

#include <vector>

#include "tests/simulation/reference_model.h"

namespace tidemark {

// Whether these changes, in this order and applied already, may be applied again (Invariant I4).
// A key change moves what stands at the old key, without knowing which row that is, and takes what
// stands at the new key for a row that is about to move as well: no other change of the piece may
// use its old key, or its new key before it.
bool MayComeAgain(const ReferenceModel& model, const std::vector<const SourceChange*>& piece);

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_REPLAY_H_
