// One state version as one value of Redis, without its body (the grammar stands in
// redis_version.cc).
#ifndef TIDEMARK_STATE_REDIS_VERSION_H_
#define TIDEMARK_STATE_REDIS_VERSION_H_

#include <string>

#include "absl/strings/string_view.h"
#include "state/state_store.h"
#include "state/state_version.h"

namespace tidemark {

std::string EncodeRedisVersion(const StateVersion& version);
// `readable` says what cannot be understood; what stands before that is set. The connection, entry
// and body are not part of the value.
StoredVersion DecodeRedisVersion(absl::string_view value);

std::string EncodeRedisAudit(const AuditRecord& record);
// False: no record.
bool DecodeRedisAudit(absl::string_view value, AuditRecord* record);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_REDIS_VERSION_H_
