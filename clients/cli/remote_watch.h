// Following a sync of a server: the same progress line and log as a sync of this machine.
#ifndef TIDEMARK_CLIENTS_CLI_REMOTE_WATCH_H_
#define TIDEMARK_CLIENTS_CLI_REMOTE_WATCH_H_

#include <string>

#include "absl/status/statusor.h"
#include "remote_commands.h"

namespace tidemark {

// Returns the sync when it has ended. Ctrl-C stops the sync where `stops` is set (once: after its
// commit group; twice: at once), else the watching. A cut connection is taken up again.
absl::StatusOr<v1::Sync> WatchSync(RemoteCommand& call, const std::string& sync_id, bool stops);

// The report of an ended sync as `tidemark run` prints it, and its exit code.
ExitCode ShowEnded(RemoteCommand& call, const v1::Sync& sync);

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_REMOTE_WATCH_H_
