// A connector in Python, about 40 lines on the code that protoc generates and nothing else.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "source/connector_launch.h"
#include "tests/source/event_text.h"

namespace tidemark {
namespace {

// Runs countries.py until destroyed.
class PythonConnector {
 public:
  explicit PythonConnector(const std::string& address) {
    int out[2];
    if (pipe(out) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    std::string python = TIDEMARK_PYTHON;
    std::string script = TIDEMARK_PYTHON_CONNECTOR;
    std::string argument = address;
    char* argv[] = {python.data(), script.data(), argument.data(), nullptr};
    setenv("PYTHONPATH", TIDEMARK_PYTHON_GENERATED, 1);
    if (posix_spawn(&pid_, python.c_str(), &actions, nullptr, argv, environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    // A line once it listens, or the end once it has failed.
    std::string line;
    for (char c = 0; c != '\n' && read(out[0], &c, 1) == 1;) line.push_back(c);
    close(out[0]);
    port_ = atoi(line.c_str());
  }
  ~PythonConnector() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  int port() const { return port_; }

 private:
  pid_t pid_ = -1;
  int port_ = 0;
};

class PythonConnectorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(access(TIDEMARK_PYTHON, X_OK), 0)
        << TIDEMARK_PYTHON << " is missing; make it with: .ci/prepare python";
    std::string name = (std::filesystem::temp_directory_path() / "tidemark_XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~PythonConnectorTest() override { std::filesystem::remove_all(folder_); }

  static void Sync(const std::string& address) {
    ConnectorLaunch launch;
    launch.label = "countries.py";
    absl::StatusOr<std::unique_ptr<ChangeSource>> source = ConnectAddress(launch, address);
    ASSERT_TRUE(source.ok()) << source.status();
    EXPECT_EQ((*source)->Describe()->id, "countries");
    EXPECT_TRUE((*source)->Check().ok()) << "Check is optional";
    absl::StatusOr<std::vector<TableSchema>> tables = (*source)->Schema();
    ASSERT_TRUE(tables.ok()) << tables.status();
    UpdateStart start;
    start.selections.resize(tables->size());
    start.states.resize(1);
    start.states[0].body = "1";  // as if a sync before had ended after Austria
    ASSERT_TRUE((*source)->Start(start).ok());
    const Drained drained = DrainEvents(**source);
    EXPECT_TRUE(drained.status.ok()) << drained.status;
    EXPECT_EQ(drained.events,
              (std::vector<std::string>{
                  "define 0 countries(code:STRING:key, millions:UNDECLARED, name:UNDECLARED)",
                  "0: upsert('ch' 8.7 'Switzerland')", "checkpoint 1 '2'",
                  "0: upsert('is' null 'Iceland')", "checkpoint 2 '3'",
                  "0: upsert('no' 5.4 'Norway')", "checkpoint 3 '4'", "finished OK"}));
    Acknowledgement acknowledgement;
    acknowledgement.durable = 3;
    (*source)->Acknowledge(acknowledgement);
    EXPECT_TRUE((*source)->Close().ok());
  }

  std::string folder_;
};

TEST_F(PythonConnectorTest, SyncsOverAUnixSocket) {
  const std::string address = absl::StrCat("unix:", folder_, "/socket");
  const PythonConnector connector(address);
  Sync(address);
  Sync(address);  // it serves one sync after the other
}

TEST_F(PythonConnectorTest, SyncsOverTcp) {
  const PythonConnector connector("127.0.0.1:0");
  ASSERT_GT(connector.port(), 0);
  Sync(absl::StrCat("grpc://127.0.0.1:", connector.port()));
}

}  // namespace
}  // namespace tidemark
