// A client connected to a ScriptedConnector in this process.
#ifndef TIDEMARK_TESTS_SOURCE_CLIENT_FIXTURE_H_
#define TIDEMARK_TESTS_SOURCE_CLIENT_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "core/mutex.h"
#include "source/connector_launch.h"
#include "tests/source/polling.h"
#include "tests/source/scripted_connector.h"

namespace tidemark {

inline ConnectorLaunch LaunchLabelled(const std::string& label) {
  ConnectorLaunch launch;
  launch.label = label;
  return launch;
}

class ClientFixture : public testing::Test {
 protected:
  // Serves `connector_` and connects to it. `with_schema`: asks for the tables, too.
  void Connect(bool with_schema = true) {
    server_ = std::make_unique<ScriptedServer>(&connector_);
    source_ = *ConnectChannel(launch_, server_->InProcessChannel(), nullptr);
    if (with_schema) {
      ASSERT_TRUE(source_->Schema().ok());
    }
  }
  void Start(const UpdateStart& start = UpdateStart()) {
    Connect();
    ASSERT_TRUE(source_->Start(start).ok());
  }

  ConnectorLaunch launch_ = LaunchLabelled("plugin scripted");
  ScriptedConnector connector_;
  std::unique_ptr<ScriptedServer> server_;
  std::unique_ptr<ChangeSource> source_;
};

// A latch between a service's thread and the test. Thread-safe.
class Gate {
 public:
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.SignalAll();
  }
  void Wait() {
    MutexLock lock(mutex_);
    while (!open_) changed_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ = false;
};

inline void WaitUntilCancelled(grpc::ServerContext* context) {
  Eventually([context] { return context->IsCancelled(); }, absl::Minutes(1));
}

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SOURCE_CLIENT_FIXTURE_H_
