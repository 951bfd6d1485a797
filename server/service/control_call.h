// What the work of one Control call is given beside its request.
#ifndef TIDEMARK_SERVICE_CONTROL_CALL_H_
#define TIDEMARK_SERVICE_CONTROL_CALL_H_

#include <functional>
#include <string>

#include "service/call_gate.h"

namespace tidemark {

// Confined to the thread of the work.
struct ControlCall {
  AdmittedCall admitted;
  std::function<bool()> cancelled;  // the caller has gone, or its deadline passed
  bool repeated = false;            // a server that was killed had begun it (idempotency_keys.h)
  // For the audit log: digests (raw, 32 bytes) of what was and of what is.
  std::string before_hash;
  std::string after_hash;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_CALL_H_
