#include "tests/service/relay.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

namespace tidemark::test {
namespace {

constexpr int kLookMs = 5;

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return address;
}

// False: the end of the connection.
bool Pass(int from, int to) {
  char bytes[16 * 1024];
  const ssize_t count = read(from, bytes, sizeof(bytes));
  for (ssize_t done = 0; done < count;) {
    const ssize_t written = send(to, bytes + done, static_cast<size_t>(count - done), MSG_NOSIGNAL);
    if (written <= 0) return false;
    done += written;
  }
  return count > 0;
}

}  // namespace

Relay::Relay(const std::string& from, const std::string& to)
    : to_(to), listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_un address = AddressOf(from);
  unlink(from.c_str());
  if (bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener_.get(), 1) != 0) {
    std::abort();
  }
  carrier_ = std::thread([this] { Carry(); });
}

Relay::~Relay() { Cut(); }

void Relay::Cut() {
  cut_ = true;
  if (carrier_.joinable()) carrier_.join();
}

void Relay::Carry() {
  pollfd waiting = {listener_.get(), POLLIN, 0};
  while (!cut_ && poll(&waiting, 1, kLookMs) <= 0) {
  }
  if (cut_) return;
  const UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const UniqueFd server(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = AddressOf(to_);
  if (connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return;
  }
  while (!cut_) {
    pollfd ends[] = {{client.get(), POLLIN, 0}, {server.get(), POLLIN, 0}};
    if (poll(ends, 2, kLookMs) <= 0) continue;
    if (ends[0].revents != 0 && !Pass(client.get(), server.get())) return;
    if (ends[1].revents != 0 && !Pass(server.get(), client.get())) return;
  }
}

}  // namespace tidemark::test
