// What Control says of the health of connections.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/service/control_fixture.h"

namespace tidemark::test {
namespace {

using ControlHealthTest = ControlFixture;

// Broken is what never syncs; a definition that was valid once goes on.
TEST_F(ControlHealthTest, HealthTellsABrokenEditFromABrokenConnection) {
  Generator("orders", "{count: 5}");
  const auto spoil = [this](const std::string& name) {
    std::ofstream(absl::StrCat(folder_, "/connections/", name, ".yaml"))
        << "name: " << name << "\nsync: {colour: red}\n";
  };
  spoil("never");
  Serve();
  const auto health = [this](const std::string& name) {
    v1::GetConnectionRequest request;
    request.set_name(name);
    v1::ConnectionRecord record;
    EXPECT_TRUE(Call(*admin_, &Stub::GetConnection, request, &record).ok()) << name;
    return record.health();
  };
  EXPECT_EQ(health("orders"), v1::CONNECTION_HEALTH_OK);
  EXPECT_EQ(health("never"), v1::CONNECTION_HEALTH_BROKEN);
  spoil("orders");
  ASSERT_TRUE(connections_->Reload().ok());
  EXPECT_EQ(health("orders"), v1::CONNECTION_HEALTH_DEGRADED);
  EXPECT_EQ(AwaitEnd(StartSync("orders").sync_id()).phase, SyncPhase::kCompleted);
}

}  // namespace
}  // namespace tidemark::test
