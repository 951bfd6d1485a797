// A damaged end of the audit log, as Control shows it and goes on behind it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/mutex.h"
#include "tests/service/control_fixture.h"

namespace tidemark::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Whether the end is removed while the server runs.
class ControlAuditTest : public ControlFixture, public testing::WithParamInterface<bool> {
 protected:
  void SetSecret(const std::string& name) {
    v1::SetSecretRequest request;
    request.set_name(name);
    request.set_value("value");
    v1::Secret secret;
    const grpc::Status status = Call(*admin_, &Stub::SetSecret, request, &secret);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  grpc::Status Accept(const std::string& reason, v1::AcceptAuditResponse* response,
                      const std::string& key = "") {
    v1::AcceptAuditRequest request;
    request.set_reason(reason);
    request.set_idempotency_key(key);
    return Call(*admin_, &Stub::AcceptAudit, request, response);
  }
  v1::VerifyAuditResponse Verify() {
    v1::VerifyAuditResponse response;
    EXPECT_TRUE(Call(*admin_, &Stub::VerifyAudit, v1::VerifyAuditRequest(), &response).ok());
    return response;
  }
  // Of the newest entries, the newest first.
  std::vector<std::string> Methods(size_t limit) {
    const std::vector<AuditEntry> entries = Opened(audit_->List(0, limit));
    std::vector<std::string> methods;
    methods.reserve(entries.size());
    for (const AuditEntry& entry : entries) methods.push_back(entry.event.method);
    return methods;
  }
  int64_t Newest() { return audit_->List(0, 1)->front().sequence; }
  void RemoveBehind(int64_t sequence) {
    MutexLock lock(catalog_->mutex());
    SqliteConnection& catalog = catalog_->connection();
    ASSERT_TRUE(catalog.Execute("DROP TRIGGER audit_keeps_rows").ok());
    ASSERT_TRUE(catalog.Run("DELETE FROM audit WHERE sequence > ?", sequence).ok());
  }
};

INSTANTIATE_TEST_SUITE_P(Damage, ControlAuditTest, testing::Bool());

TEST_P(ControlAuditTest, CallsAreEnteredAgainBehindALossThatWasAccepted) {
  Serve();
  for (const char* name : {"a", "b", "c", "d"}) SetSecret(name);
  ASSERT_EQ(Newest(), 4);
  v1::AcceptAuditResponse accepted;
  grpc::Status status = Accept("for nothing", &accepted);
  EXPECT_EQ(status.error_code(), grpc::FAILED_PRECONDITION) << status.error_message();
  EXPECT_EQ(Reason(status), "NOTHING_MISSING");
  ASSERT_EQ(Newest(), 5);  // it was entered
  RemoveBehind(2);
  if (!GetParam()) {
    Stop();
    Serve();
    SetSecret("e");
    EXPECT_EQ(Newest(), 2);  // the call was carried out, and stands in the log of the server only
    EXPECT_EQ(Accept("", &accepted).error_code(), grpc::INVALID_ARGUMENT);
  }
  EXPECT_FALSE(Verify().ok());

  status = Accept("restored from a backup", &accepted, "once");
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(accepted.entry().sequence(), 6);  // numbers are never given again
  EXPECT_EQ(accepted.entry().method(), "audit.accept");
  EXPECT_EQ(accepted.entry().from(), "unix");
  EXPECT_THAT(accepted.entry().object(),
              AllOf(HasSubstr(GetParam() ? "its last entry was 5" : "entries 3 to 5 are gone"),
                    HasSubstr("restored from a backup")));
  EXPECT_THAT(accepted.head(), testing::StartsWith("6:"));
  v1::AcceptAuditResponse again;
  ASSERT_TRUE(Accept("restored from a backup", &again, "once").ok());
  EXPECT_EQ(again.head(), accepted.head());
  SetSecret("f");
  EXPECT_THAT(Methods(4), ElementsAre("Control/SetSecret", "Control/AcceptAudit",
                                      "Control/AcceptAudit", "audit.accept"));
  EXPECT_EQ(audit_->List(8, 1)->front().event.object, "entry 6");
  EXPECT_EQ(Reason(Accept("once more", &accepted)), "NOTHING_MISSING");
  const v1::VerifyAuditResponse verified = Verify();
  EXPECT_TRUE(verified.ok()) << verified.problem();
  EXPECT_THAT(verified.accepted(), ElementsAre(6));
}

TEST_F(ControlFixture, AReasonIsAShortText) {
  Serve();
  for (const std::string& reason :
       {std::string(), std::string(" \n"), std::string(501, 'x'), std::string("a\0b", 3)}) {
    v1::AcceptAuditRequest request;
    request.set_reason(reason);
    v1::AcceptAuditResponse response;
    const grpc::Status status = Call(*admin_, &Stub::AcceptAudit, request, &response);
    EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT) << status.error_message();
    EXPECT_EQ(Field(status), "reason");
  }
}

}  // namespace
}  // namespace tidemark::test
