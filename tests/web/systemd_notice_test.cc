#include "web/systemd_notice.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "tests/destination/destination_fixture.h"

namespace tidemark {
namespace {

// Binds a datagram socket, notifies it, and returns what arrived.
std::string Receive(const std::string& name, const std::string& state) {
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), length), 0);
  setenv("NOTIFY_SOCKET", name.c_str(), 1);
  NotifySystemd(state);
  unsetenv("NOTIFY_SOCKET");
  char text[256] = {};
  const ssize_t got = recv(fd, text, sizeof(text), MSG_DONTWAIT);
  close(fd);
  return got < 0 ? "nothing" : std::string(text, static_cast<size_t>(got));
}

TEST(SystemdNotice, ReachesAPathAndAnAbstractName) {
  const TemporaryFolder folder;
  EXPECT_EQ(Receive(folder / "notify", "READY=1\nSTATUS=2 connections"),
            "READY=1\nSTATUS=2 connections");
  EXPECT_EQ(Receive("@tidemark-test-" + std::to_string(getpid()), "STOPPING=1"), "STOPPING=1");
}

TEST(SystemdNotice, IsSilentWithoutSystemd) {
  NotifySystemd("READY=1");
  for (const char* name : {"/no/such/socket", "relative", ""}) {
    setenv("NOTIFY_SOCKET", name, 1);
    NotifySystemd("READY=1");
  }
  setenv("NOTIFY_SOCKET", std::string(300, '/').c_str(), 1);
  NotifySystemd("READY=1");
  unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace tidemark
