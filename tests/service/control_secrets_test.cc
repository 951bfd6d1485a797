// What a secret that is set does to the connections that refer to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/mutex.h"
#include "tests/service/control_fixture.h"

namespace tidemark::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ControlSecretsTest : public ControlFixture {
 protected:
  void SetSecret(const std::string& name, const std::string& value) {
    v1::SetSecretRequest request;
    request.set_name(name);
    request.set_value(value);
    v1::Secret secret;
    const grpc::Status status = Call(*admin_, &Stub::SetSecret, request, &secret);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  std::string Problem(const std::string& connection) {
    return connections_->Get(connection)->problem;
  }
};

TEST_F(ControlSecretsTest, AConnectionIsValidAsSoonAsItsSecretIsSet) {
  Generator("shop", "{count: 20, table: \"${secret:shop_table}\"}");
  Generator("other", "{count: 20, table: \"${secret:other_table}\"}");
  Serve();
  EXPECT_THAT(Problem("shop"), HasSubstr("secret"));
  SetSecret("shop_table", "orders");
  EXPECT_EQ(Problem("shop"), "");
  EXPECT_THAT(Problem("other"), HasSubstr("other_table"));
  const SyncEntry ended = AwaitEnd(StartSync("shop").sync_id());
  EXPECT_EQ(ended.phase, SyncPhase::kCompleted) << ended.error;
  EXPECT_EQ(Count("orders"), 20);
}

TEST_F(ControlSecretsTest, AChangedSecretLetsTheConnectionsThatUseItTryAgain) {
  Generator("shop", "{count: 20, table: \"${secret:table}\"}");
  Generator("plain", "{count: 20}");
  Serve();
  SetSecret("table", "orders");
  SetSecret("unused", "word");
  SetSecret("table", "others");
  MutexLock lock(closed_mutex_);
  EXPECT_THAT(closed_, ElementsAre("shop", "shop"));
}

}  // namespace
}  // namespace tidemark::test
