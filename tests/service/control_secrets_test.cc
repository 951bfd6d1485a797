// Secrets over Control: what one that is set does to the connections that refer to it, and what a
// rotation of their master key leaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "access/master_key.h"
#include "core/mutex.h"
#include "tests/service/control_fixture.h"

namespace tidemark::test {
namespace {

using testing::AllOf;
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
  grpc::Status Rotate(v1::RotateMasterKeyResponse* response, const std::string& key = "") {
    v1::RotateMasterKeyRequest request;
    request.set_idempotency_key(key);
    return Call(*admin_, &Stub::RotateMasterKey, request, response);
  }
  std::string OwnKey() {
    std::ifstream file(catalog_->folder() + "/master.key");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  // A fresh key in a file of the folder; its id.
  std::string NewKey(const std::string& name) {
    const SecretKey key = Opened(SecretKey::Random());
    const absl::Status status = WriteMasterKey(FileSystem::Real(), folder_ + "/" + name, key);
    EXPECT_TRUE(status.ok()) << status;
    return key.Id();
  }
  // A server that starts now with this master key.
  absl::Status TryOpen(const std::string& source) {
    return SecretStore::Open(
               {catalog_->connection(), catalog_->mutex(), Clock::Real(), FileSystem::Real()},
               Opened(MasterKeySource::Parse(source, catalog_->folder())))
        .status();
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

TEST_F(ControlSecretsTest, RotationSealsEverySecretWithAFreshKeyOfTheDataFolder) {
  Generator("shop", "{count: 20, table: \"${secret:table}\"}");
  Serve();
  SetSecret("table", "orders");
  SetSecret("other", "word");
  const std::string old_key = OwnKey();
  const std::string old_id = secrets_->master_key_id();
  v1::RotateMasterKeyResponse rotated;
  const grpc::Status status = Rotate(&rotated, "once");
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(rotated.old_key_id(), old_id);
  EXPECT_EQ(rotated.new_key_id(), secrets_->master_key_id());
  EXPECT_NE(rotated.new_key_id(), old_id);
  EXPECT_EQ(rotated.secrets(), 2);
  EXPECT_EQ(rotated.to_do(), "");
  EXPECT_NE(OwnKey(), old_key);
  v1::RotateMasterKeyResponse again;
  ASSERT_TRUE(Rotate(&again, "once").ok());
  EXPECT_EQ(again.new_key_id(), rotated.new_key_id());
  EXPECT_EQ(secrets_->master_key_id(), rotated.new_key_id());
  const AuditEntry entry = audit_->List(0, 1)->front();
  EXPECT_EQ(entry.event.method, "Control/RotateMasterKey");
  EXPECT_EQ(entry.event.result, "ok");
  EXPECT_THAT(audit_->List(entry.sequence, 1)->front().event.object,
              AllOf(HasSubstr(old_id), HasSubstr(rotated.new_key_id())));
  EXPECT_EQ(AwaitEnd(StartSync("shop").sync_id()).phase, SyncPhase::kCompleted);

  std::ofstream(folder_ + "/old.key") << old_key;
  ASSERT_EQ(chmod((folder_ + "/old.key").c_str(), 0400), 0);
  const absl::Status refused = TryOpen("file:" + folder_ + "/old.key");
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  Stop();
  Serve();
  EXPECT_EQ(secrets_->master_key_id(), rotated.new_key_id());
  EXPECT_EQ(Opened(secrets_->Resolve("other")), "word");
  ASSERT_TRUE(connections_->Reload().ok());  // they are read before the fixture has secrets
  EXPECT_EQ(AwaitEnd(StartSync("shop").sync_id()).phase, SyncPhase::kCompleted);
}

TEST_F(ControlSecretsTest, RotationToAKeyOfElsewhereTakesItFromTheSettings) {
  settings_.master_key = "file:" + folder_ + "/first.key";
  const std::string first = NewKey("first.key");
  Serve();
  SetSecret("table", "orders");
  v1::RotateMasterKeyResponse rotated;
  grpc::Status status = Rotate(&rotated);
  EXPECT_EQ(status.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("secrets.next_key"));
  Stop();
  settings_.next_master_key = "file:" + folder_ + "/next.key";
  Serve();
  status = Rotate(&rotated);  // the file is not there yet
  EXPECT_EQ(status.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("secrets.next_key: "));
  EXPECT_EQ(Opened(secrets_->Resolve("table")), "orders");
  const std::string next = NewKey("next.key");
  status = Rotate(&rotated);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(rotated.old_key_id(), first);
  EXPECT_EQ(rotated.new_key_id(), next);
  EXPECT_EQ(rotated.secrets(), 1);
  EXPECT_THAT(rotated.to_do(), AllOf(HasSubstr("secrets.key"), HasSubstr(next),
                                     HasSubstr("file " + folder_ + "/next.key")));
  EXPECT_EQ(Opened(secrets_->Resolve("table")), "orders");
  status = Rotate(&rotated);
  EXPECT_EQ(status.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("already"));
  const absl::Status refused = TryOpen(settings_.master_key);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(refused.message(), AllOf(HasSubstr(next), HasSubstr("secrets.key")));
  Stop();
  settings_.master_key = "file:" + folder_ + "/next.key";
  settings_.next_master_key.clear();
  Serve();
  EXPECT_EQ(Opened(secrets_->Resolve("table")), "orders");
}

TEST_F(ControlSecretsTest, TheNextKeyOfAVariableIsTakenOutOfTheEnvironmentAtTheStart) {
  const SecretKey next = Opened(SecretKey::Random());
  ASSERT_EQ(setenv("TIDEMARK_TEST_NEXT_KEY", next.Hex().c_str(), 1), 0);
  settings_.next_master_key = "env:TIDEMARK_TEST_NEXT_KEY";
  Serve();
  EXPECT_EQ(std::getenv("TIDEMARK_TEST_NEXT_KEY"), nullptr);
  SetSecret("table", "orders");
  v1::RotateMasterKeyResponse rotated;
  const grpc::Status status = Rotate(&rotated);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(rotated.new_key_id(), next.Id());
  EXPECT_THAT(rotated.to_do(), HasSubstr("variable TIDEMARK_TEST_NEXT_KEY"));
  EXPECT_EQ(Opened(secrets_->Resolve("table")), "orders");
  Stop();
  settings_.next_master_key = "env:TIDEMARK_TEST_NO_KEY";  // known when it is asked for
  settings_.master_key = "env:TIDEMARK_TEST_NEXT_KEY";
  ASSERT_EQ(setenv("TIDEMARK_TEST_NEXT_KEY", next.Hex().c_str(), 1), 0);
  Serve();
  EXPECT_EQ(Opened(secrets_->Resolve("table")), "orders");
  EXPECT_THAT(Rotate(&rotated).error_message(), HasSubstr("TIDEMARK_TEST_NO_KEY is not set"));
}

}  // namespace
}  // namespace tidemark::test
