// tidemark-plugin-host as a process: its fds, its ends, its signals.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel_posix.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/plugin_host/connector_client.h"
#include "wire/transport.h"

namespace tidemark {
namespace {

using testing::HasSubstr;
using Case = v1::UpdateResponse::ResponseCase;

// Starts the program; fds 3 and 4 are `channel` and `lifeline` unless negative.
pid_t Spawn(std::vector<std::string> arguments, int channel, int lifeline, int error) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
  for (const int fd : {3, 4}) posix_spawn_file_actions_addclose(&actions, fd);
  if (channel >= 0) posix_spawn_file_actions_adddup2(&actions, channel, 3);
  if (lifeline >= 0) posix_spawn_file_actions_adddup2(&actions, lifeline, 4);
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  EXPECT_EQ(posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

int WaitStatus(pid_t pid) {
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return status;
}

std::string ReadAll(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n = read(fd, buffer, sizeof(buffer)); n > 0; n = read(fd, buffer, sizeof(buffer))) {
    text.append(buffer, static_cast<size_t>(n));
  }
  close(fd);
  return text;
}

class ChildHostTest : public testing::Test {
 protected:
  void Start(const std::string& plugin) {
    // High numbers, so that no dup2 in the child meets a source it closed before.
    int sockets[2], lifeline[2], error[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    ASSERT_EQ(pipe2(lifeline, O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(error, O_CLOEXEC), 0);
    const int theirs = fcntl(sockets[1], F_DUPFD_CLOEXEC, 100);
    const int their_lifeline = fcntl(lifeline[0], F_DUPFD_CLOEXEC, 100);
    const int their_error = fcntl(error[1], F_DUPFD_CLOEXEC, 100);
    pid_ = Spawn({TIDEMARK_PLUGIN_HOST, plugin}, theirs, their_lifeline, their_error);
    for (const int fd : {sockets[1], lifeline[0], error[1], theirs, their_lifeline, their_error}) {
      close(fd);
    }
    lifeline_ = lifeline[1];
    error_ = error[0];
    ASSERT_EQ(fcntl(sockets[0], F_SETFL, O_NONBLOCK), 0);
    grpc::ChannelArguments arguments;
    ConfigureChannel(&arguments);
    client_ = std::make_unique<ConnectorClient>(
        grpc::CreateCustomInsecureChannelFromFd("plugin", sockets[0], arguments));
  }

  void TearDown() override {
    client_ = nullptr;
    if (lifeline_ >= 0) close(lifeline_);
    if (pid_ > 0) WaitStatus(pid_);
    if (error_ >= 0) close(error_);
  }

  int TakeStatus() {
    const pid_t pid = pid_;
    pid_ = -1;
    return WaitStatus(pid);
  }

  void CutLifeline() {
    close(lifeline_);
    lifeline_ = -1;
  }

  std::unique_ptr<ConnectorClient> client_;
  pid_t pid_ = -1;
  int lifeline_ = -1;
  int error_ = -1;
};

TEST_F(ChildHostTest, ServesThePluginAndEndsWithItsChannel) {
  Start(ShippedPlugin("hello"));
  EXPECT_EQ(client_->Describe()->id(), "hello");
  EXPECT_EQ(client_->Check({{"worlds", "2"}}).status, absl::OkStatus());
  const UpdateResult result = client_->Update({{"worlds", "2"}});
  EXPECT_TRUE(result.status.ok()) << result.status.error_message();
  EXPECT_EQ(result.rows(), 2u);
  client_ = nullptr;
  EXPECT_EQ(TakeStatus(), 0);
  EXPECT_EQ(ReadAll(error_), "");
  error_ = -1;
}

TEST_F(ChildHostTest, UnaryCallsAreAnsweredWhileUpdateIsHeldBack) {
  Start(TestPlugin("counting_c"));
  v1::Start start;
  *start.mutable_configuration() = MakeConfiguration({{"rows", "100000000"}});
  UpdateConversation update(client_->stub(), start);
  ASSERT_TRUE(update.Next() != nullptr);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(client_->Describe().ok());
  EXPECT_EQ(client_->Check({{"rows", "1"}}).status, absl::OkStatus());
  EXPECT_TRUE(update.Next(Case::kCheckpoint) != nullptr);
}

TEST_F(ChildHostTest, IsGoneWithItsLifelineWhateverThePluginDoes) {
  for (const char* mode : {"hang", "spin", "ignore_cancel"}) {
    SCOPED_TRACE(mode);
    Start(TestPlugin("misbehaving"));
    v1::Start start;
    *start.mutable_configuration() = MakeConfiguration({{"mode", mode}, {"after_rows", "1"}});
    UpdateConversation update(client_->stub(), start);
    ASSERT_TRUE(update.Next(Case::kCheckpoint) != nullptr);
    CutLifeline();
    EXPECT_EQ(TakeStatus(), 0);
    EXPECT_FALSE(update.Finish().ok());
    close(error_);
    error_ = -1;
  }
}

TEST_F(ChildHostTest, AClosedChannelInterruptsThePlugin) {
  Start(TestPlugin("conversing"));
  v1::Start start;
  *start.mutable_configuration() = MakeConfiguration({{"mode", "block"}});
  {
    UpdateConversation update(client_->stub(), start);
    ASSERT_TRUE(update.Next(Case::kCheckpoint) != nullptr);
  }
  client_ = nullptr;
  EXPECT_EQ(TakeStatus(), 0);
  EXPECT_THAT(ReadAll(error_), HasSubstr("destroyed"));
  error_ = -1;
}

TEST_F(ChildHostTest, SaysWhyAPluginCannotBeLoaded) {
  Start(TestPlugin("abi_2_symbol"));
  EXPECT_THAT(std::string(client_->Describe().status().message()),
              HasSubstr("it was built for plugin ABI 2, this host speaks ABI 1"));
  const UpdateResult result = client_->Update({});
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(result.verdict().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ChildHostTest, IgnoresCtrlCAndWritesNoCore) {
  Start(ShippedPlugin("hello"));
  ASSERT_TRUE(client_->Describe().ok());
  ASSERT_EQ(kill(pid_, SIGINT), 0);
  EXPECT_TRUE(client_->Describe().ok());
  std::ifstream limits(absl::StrCat("/proc/", pid_, "/limits"));
  const std::string text((std::istreambuf_iterator<char>(limits)),
                         std::istreambuf_iterator<char>());
  EXPECT_THAT(text, testing::ContainsRegex("Max core file size +0 +0"));
}

TEST_F(ChildHostTest, ByHandItSaysThatItIsNotForHands) {
  int error[2];
  ASSERT_EQ(pipe2(error, O_CLOEXEC), 0);
  const pid_t pid = Spawn({TIDEMARK_PLUGIN_HOST, "x.so"}, -1, -1, error[1]);
  close(error[1]);
  const int status = WaitStatus(pid);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 2);
  EXPECT_EQ(ReadAll(error[0]),
            "tidemark-plugin-host is started by Tidemark, with a socket and a pipe\n");
}

}  // namespace
}  // namespace tidemark
