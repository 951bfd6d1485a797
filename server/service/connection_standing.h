// How a connection stands with the scheduler.
#ifndef TIDEMARK_SERVICE_CONNECTION_STANDING_H_
#define TIDEMARK_SERVICE_CONNECTION_STANDING_H_

#include <cstdint>

#include "absl/time/time.h"

namespace tidemark {

struct ConnectionStanding {
  absl::Time next_sync_at = absl::InfiniteFuture();  // infinite: none is planned
  uint32_t failures_in_a_row = 0;
  bool breaker_open = false;  // so many failures in a row: trials far apart
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONNECTION_STANDING_H_
