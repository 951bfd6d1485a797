// What a source may send once more.
#ifndef TIDEMARK_TESTS_SIMULATION_REPLAY_H_
#define TIDEMARK_TESTS_SIMULATION_REPLAY_H_

#include <vector>

#include "tests/simulation/reference_model.h"

namespace tidemark {

// Whether these changes, in this order and applied already, may be applied again (Invariant I4).
// A key change that leaves values out takes them from what stands at the old key, without knowing
// which row that is, or leaves what stands at the new key alone: no other change of the piece may
// use its old key, or its new key before it. One that carries every value may come again in any
// piece of a source that stamps its changes. Without `stamped` it is taken for a part of a swap
// when another row stands at its new key and the piece, or what follows it and may stand in the
// same batch, moves a row from there later on.
bool MayComeAgain(const ReferenceModel& model, const std::vector<const SourceChange*>& piece,
                  const std::vector<const SourceChange*>& following, bool stamped);

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_REPLAY_H_
