// A unix socket that our own user and root can reach, whose connections are handed on.
#ifndef TIDEMARK_SERVICE_UNIX_LISTENER_H_
#define TIDEMARK_SERVICE_UNIX_LISTENER_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "control/log.h"
#include "source/unique_fd.h"

namespace tidemark {

// The socket is 0600 before anybody can connect. Its folder is made (0700) where it is missing.
class UnixListener {
 public:
  // Called on the listener's thread with each connection whose peer is our user or root.
  using OnConnection = std::function<void(UniqueFd connection)>;

  // FAILED_PRECONDITION: another server answers on the path, a file of another kind is there, the
  // path is too long, or others may write to its folder. `log` is borrowed.
  static absl::StatusOr<std::unique_ptr<UnixListener>> Listen(const std::string& path, Log* log);
  ~UnixListener();  // Stop()
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

  const std::string& path() const { return path_; }

  // From now on connections are taken. Once.
  void Start(OnConnection on_connection);
  // Takes no more and removes the socket, unless another one stands there by now.
  void Stop();

 private:
  UnixListener(std::string path, Log* log) : path_(std::move(path)), log_(log) {}

  absl::Status Bind();
  void Loop();
  void Take();

  const std::string path_;
  Log* const log_;
  UniqueFd socket_;
  UniqueFd wake_read_;
  UniqueFd wake_write_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  OnConnection on_connection_;
  std::thread thread_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_UNIX_LISTENER_H_
