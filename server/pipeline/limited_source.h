// A connector whose changes come no faster than a limit lets them.
#ifndef TIDEMARK_PIPELINE_LIMITED_SOURCE_H_
#define TIDEMARK_PIPELINE_LIMITED_SOURCE_H_

#include <memory>

#include "core/clock.h"
#include "pipeline/change_source.h"
#include "pipeline/rate_limit.h"

namespace tidemark {

// `source`, but a batch is given only when what came before it is paid for. Until then Next() waits
// and says that nothing has come, so that the sync commits what it has; one batch is held here and
// nothing further is read, so that the connector is held back by flow control. All other events
// come as they are: a checkpoint is never late. `limit` and `clock` are borrowed.
std::unique_ptr<ChangeSource> LimitRate(std::unique_ptr<ChangeSource> source, RateLimit* limit,
                                        Clock* clock);

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_LIMITED_SOURCE_H_
