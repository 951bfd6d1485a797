#include "tests/plugins/mock_api.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace tidemark_testing {
namespace {

// The API does not choose a port by itself.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(0, bind(fd, raw, size));
  EXPECT_EQ(0, getsockname(fd, raw, &size));
  close(fd);
  return ntohs(address.sin_port);
}

}  // namespace

MockApi::MockApi(const std::vector<std::string>& arguments) : port_(FreePort()) {
  // It looks for a newer version of itself once a day; this says that it just did.
  std::string folder = absl::StrCat(testing::TempDir(), "/mock-api-XXXXXX");
  EXPECT_NE(nullptr, mkdtemp(folder.data()));
  home_ = folder;
  std::filesystem::create_directory(absl::StrCat(home_, "/.ft_api_playground"));
  std::ofstream(absl::StrCat(home_, "/.ft_api_playground/_last_version_check")) << time(nullptr);

  std::vector<std::string> command = {TIDEMARK_PYTHON, TIDEMARK_PLAYGROUND, "start", "--port",
                                      absl::StrCat(port_)};
  command.insert(command.end(), arguments.begin(), arguments.end());
  server_ = std::make_unique<LocalServer>(std::move(command),
                                          std::vector<std::string>{absl::StrCat("HOME=", home_)},
                                          "Debugger is active");
}

MockApi::~MockApi() {
  server_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(home_, ignored);
}

std::string MockApi::Url(absl::string_view path) const {
  return absl::StrCat("http://127.0.0.1:", port_, path);
}

std::string MockApi::Credential(absl::string_view path, absl::string_view label) const {
  std::string found;
  for (const std::string& line : server_->lines()) {
    const size_t at = line.find(std::string(label));
    if (!absl::StrContains(line, path) || at == std::string::npos) continue;
    const std::vector<std::string> words =
        absl::StrSplit(line.substr(at + label.size()), ' ', absl::SkipEmpty());
    if (!words.empty()) found = words[0];
  }
  EXPECT_NE("", found) << "no credential " << label << " for " << path;
  return found;
}

}  // namespace tidemark_testing
