// A file descriptor with one owner.
#ifndef TIDEMARK_SOURCE_UNIQUE_FD_H_
#define TIDEMARK_SOURCE_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace tidemark {

// Thread-compatible. Closes the descriptor when destroyed; -1 is none.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = other.Release();
    }
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  // The caller closes it from here on.
  int Release() { return std::exchange(fd_, -1); }
  void Reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_UNIQUE_FD_H_
