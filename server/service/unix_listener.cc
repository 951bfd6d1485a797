#include "service/unix_listener.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/file_system.h"

namespace tidemark {
namespace {

constexpr int kBacklog = 128;
constexpr int kPauseWithoutDescriptorsMs = 100;

absl::Status Failed(const std::string& path, const std::string& what) {
  return absl::FailedPreconditionError(absl::StrCat("unix:", path, ": ", what));
}

absl::Status SystemFailed(const std::string& path, const char* call) {
  return Failed(path, absl::StrCat(call, ": ", std::strerror(errno)));
}

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());  // the length was checked
  return address;
}

// Whoever may write to the folder could put a socket of his own in the place of ours.
absl::Status CheckFolder(const std::string& path) {
  const std::string folder = FolderOf(path);
  if (absl::Status made = FileSystem::Real().MakeFolder(folder); !made.ok()) return made;
  struct stat found = {};
  if (::stat(folder.c_str(), &found) != 0) return SystemFailed(path, "stat of its folder");
  const bool ours = found.st_uid == ::geteuid() || found.st_uid == 0;
  const bool open = (found.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (found.st_mode & S_ISVTX) == 0;
  if (ours && !open) return absl::OkStatus();
  return Failed(path, absl::StrCat("others may write to its folder ", folder,
                                   "; give it to this user with mode 0700"));
}

// Removes a socket that a server left behind when it was killed.
absl::Status RemoveStale(const std::string& path) {
  struct stat found = {};
  if (::lstat(path.c_str(), &found) != 0) {
    return errno == ENOENT ? absl::OkStatus() : SystemFailed(path, "lstat");
  }
  if (!S_ISSOCK(found.st_mode)) {
    return Failed(path, "a file that is no socket is there; move it away");
  }
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.valid()) return SystemFailed(path, "socket");
  const sockaddr_un address = AddressOf(path);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
      errno == EAGAIN || errno == EINPROGRESS) {
    return Failed(path, "another server answers there; stop it, or choose another address");
  }
  if (errno != ECONNREFUSED) return SystemFailed(path, "connect");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return SystemFailed(path, "unlink");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<UnixListener>> UnixListener::Listen(const std::string& path,
                                                                   Log* log) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Failed(path, absl::StrCat("the path must have 1 to ", sizeof(sockaddr_un::sun_path) - 1,
                                     " bytes"));
  }
  if (absl::Status folder = CheckFolder(path); !folder.ok()) return folder;
  if (absl::Status stale = RemoveStale(path); !stale.ok()) return stale;
  auto listener = std::unique_ptr<UnixListener>(new UnixListener(path, log));
  if (absl::Status bound = listener->Bind(); !bound.ok()) return bound;
  return listener;
}

absl::Status UnixListener::Bind() {
  int wake[2];
  if (::pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0) return SystemFailed(path_, "pipe");
  wake_read_ = UniqueFd(wake[0]);
  wake_write_ = UniqueFd(wake[1]);
  socket_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_.valid()) return SystemFailed(path_, "socket");
  const sockaddr_un address = AddressOf(path_);
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return SystemFailed(path_, "bind");
  }
  struct stat found = {};
  if (::lstat(path_.c_str(), &found) != 0) return SystemFailed(path_, "lstat");
  device_ = found.st_dev;
  inode_ = found.st_ino;
  // Nobody can connect before listen().
  if (::chmod(path_.c_str(), S_IRUSR | S_IWUSR) != 0) return SystemFailed(path_, "chmod");
  if (::listen(socket_.get(), kBacklog) != 0) return SystemFailed(path_, "listen");
  return absl::OkStatus();
}

UnixListener::~UnixListener() { Stop(); }

void UnixListener::Start(OnConnection on_connection) {
  on_connection_ = std::move(on_connection);
  thread_ = std::thread([this] { Loop(); });
  pthread_setname_np(thread_.native_handle(), "unix listener");
}

void UnixListener::Stop() {
  if (thread_.joinable()) {
    const char byte = 0;
    while (::write(wake_write_.get(), &byte, 1) < 0 && errno == EINTR) {
    }
    thread_.join();
  }
  if (!socket_.valid()) return;
  struct stat found = {};
  if (::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
  socket_.Reset();
}

void UnixListener::Loop() {
  while (true) {
    pollfd polled[2] = {{socket_.get(), POLLIN, 0}, {wake_read_.get(), POLLIN, 0}};
    if (::poll(polled, 2, -1) < 0 && errno != EINTR) return;
    if ((polled[1].revents & POLLIN) != 0) return;
    if ((polled[0].revents & POLLIN) != 0) Take();
  }
}

void UnixListener::Take() {
  UniqueFd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!connection.valid()) {
    // The connection stays in the queue: without a pause poll() would return at once, for ever.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log_->Write(LogLevel::kError, {}, absl::StrCat("accept: ", std::strerror(errno)));
      ::poll(nullptr, 0, kPauseWithoutDescriptorsMs);
    }
    return;
  }
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      (peer.uid != ::geteuid() && peer.uid != 0)) {
    log_->Write(LogLevel::kWarning, {},
                absl::StrCat("refused a connection of user ", peer.uid, " to unix:", path_));
    return;
  }
  on_connection_(std::move(connection));
}

}  // namespace tidemark
