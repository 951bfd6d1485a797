// One process at a time works on a connection into a file: an OFD lock on a file beside it, gone
// with the process whatever ends it (semantics.md section 6).
#ifndef TIDEMARK_STATE_CONNECTION_LOCK_H_
#define TIDEMARK_STATE_CONNECTION_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "state/holder_identity.h"

namespace tidemark {

// Held while it lives. Confined to one thread.
class ConnectionLock {
 public:
  // `database` is the path of the file as given; links are followed, so that every way to one
  // file meets the same lock. ALREADY_EXISTS: somebody holds it. PERMISSION_DENIED,
  // RESOURCE_EXHAUSTED: the lock file cannot be made.
  static absl::StatusOr<std::unique_ptr<ConnectionLock>> Acquire(const std::string& database,
                                                                 absl::string_view connection);
  ~ConnectionLock();
  ConnectionLock(const ConnectionLock&) = delete;
  ConnectionLock& operator=(const ConnectionLock&) = delete;

  const std::string& path() const { return path_; }

 private:
  ConnectionLock(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  int fd_;
  std::string path_;
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_CONNECTION_LOCK_H_
