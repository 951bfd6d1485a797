// The one way into every call: every method with every role, scopes, tokens, attempts, requests.
#include "service/call_gate.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <set>

#include "service/method_rules.h"
#include "tests/service/control_fixture.h"
#include "tidemark/v1/ingest.pb.h"

namespace tidemark {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using test::ControlFixture;

constexpr Role kRoles[] = {Role::kViewer, Role::kOperator, Role::kEditor, Role::kAdmin};

std::vector<std::string> AllMethods() {
  std::vector<std::string> methods;
  for (const google::protobuf::FileDescriptor* file :
       {v1::Sync::descriptor()->file(), v1::PushRequest::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        methods.push_back(absl::StrCat("/", file->service(s)->full_name(), "/",
                                       file->service(s)->method(m)->name()));
      }
    }
  }
  return methods;
}

class CallGateTest : public ControlFixture {
 protected:
  // Calls any method with an empty message, whatever its kind.
  grpc::Status CallAny(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                       const std::string& token) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    Prepare(&context, token);
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareCall(&context, method, &queue);
    call->StartCall(nullptr);
    Wait(&queue);
    const grpc::ByteBuffer empty(nullptr, 0);
    call->WriteLast(empty, grpc::WriteOptions(), nullptr);
    Wait(&queue);
    grpc::ByteBuffer answer;
    bool more = true;
    while (more) {
      call->Read(&answer, nullptr);
      more = Wait(&queue);
    }
    grpc::Status status;
    call->Finish(&status, nullptr);
    Wait(&queue);
    return status;
  }
  // Opens a call of any method, says nothing, and waits for an answer.
  grpc::Status OpenOnly(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                        const std::string& token) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    Prepare(&context, token);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareCall(&context, method, &queue);
    call->StartCall(nullptr);
    Wait(&queue);
    grpc::Status status;
    call->Finish(&status, nullptr);
    Wait(&queue);
    return status;
  }
  static bool Wait(grpc::CompletionQueue* queue) {
    void* tag = nullptr;
    bool ok = false;
    return queue->Next(&tag, &ok) && ok;
  }
  grpc::Status GetServer(const std::string& token) {
    v1::Server server;
    return Call(*Tcp(), &Stub::GetServer, v1::GetServerRequest(), &server, token);
  }
};

TEST_F(CallGateTest, EveryMethodHasARuleAndEveryRuleAMethod) {
  std::set<std::string> ruled;
  for (const MethodRule& rule : MethodRules()) {
    EXPECT_TRUE(ruled.insert(rule.method).second) << rule.method << " twice";
  }
  const std::vector<std::string> methods = AllMethods();
  EXPECT_EQ(ruled, std::set<std::string>(methods.begin(), methods.end()));
}

TEST_F(CallGateTest, EveryMethodIsClosedToLesserRolesAndOpenToItsOwn) {
  Serve();
  const std::shared_ptr<grpc::Channel> channel = Channel(tcp_);
  for (const Role role : kRoles) {
    const std::string token = Token(role);
    for (const std::string& method : AllMethods()) {
      const MethodRule* rule = FindMethodRule(method);
      ASSERT_NE(rule, nullptr) << method;
      const grpc::Status status = CallAny(channel, method, token);
      if (role < rule->role) {
        EXPECT_EQ(status.error_code(), grpc::PERMISSION_DENIED) << method << RoleName(role);
        EXPECT_EQ(Reason(status), "ROLE_TOO_LOW") << method;
      } else {
        EXPECT_NE(status.error_code(), grpc::PERMISSION_DENIED) << method << RoleName(role);
        EXPECT_NE(status.error_code(), grpc::UNAUTHENTICATED) << method << RoleName(role);
        EXPECT_NE(status.error_code(), grpc::UNIMPLEMENTED) << method << RoleName(role);
      }
    }
  }
}

TEST_F(CallGateTest, EveryMethodIsClosedWithoutAToken) {
  Serve();
  const std::shared_ptr<grpc::Channel> channel = Channel(tcp_);
  for (const std::string& method : AllMethods()) {
    clock_.Advance(absl::Minutes(20));  // or the attempts would count
    const grpc::Status status = CallAny(channel, method, "");
    EXPECT_EQ(status.error_code(), grpc::UNAUTHENTICATED) << method << status.error_message();
    EXPECT_EQ(Reason(status), "NO_TOKEN") << method;
  }
}

TEST_F(CallGateTest, CallersAreRefusedBeforeTheirRequestIsRead) {
  Serve();
  const std::shared_ptr<grpc::Channel> channel = Channel(tcp_);
  const std::string viewer = Token(Role::kViewer);
  for (const std::string& method : AllMethods()) {
    clock_.Advance(absl::Minutes(20));
    ASSERT_EQ(OpenOnly(channel, method, "").error_code(), grpc::UNAUTHENTICATED) << method;
    if (FindMethodRule(method)->role == Role::kViewer) continue;
    ASSERT_EQ(OpenOnly(channel, method, viewer).error_code(), grpc::PERMISSION_DENIED) << method;
  }
}

TEST_F(CallGateTest, RequestsAreMeasuredBeforeTheyAreParsed) {
  Serve();
  v1::CreateTokenRequest request;
  for (int i = 0; i < 1'000'000; ++i) request.add_connections();
  v1::CreateTokenResponse response;
  grpc::Status status = Call(*admin_, &Stub::CreateToken, request, &response);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(Reason(status), "TOO_LARGE");
  EXPECT_THAT(status.error_message(), HasSubstr("16 MiB of memory"));
  request.Clear();
  request.GetReflection()->MutableUnknownFields(&request)->AddFixed32(2, 1);
  request.set_role("\xff");  // no UTF-8
  status = Call(*admin_, &Stub::CreateToken, request, &response);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(Reason(status), "MALFORMED");
}

TEST_F(CallGateTest, AMethodThatNobodyKnowsIsRefused) {
  Serve();
  EXPECT_EQ(CallAny(Channel(tcp_), "/tidemark.v1.Control/DropEverything", Token(Role::kAdmin))
                .error_code(),
            grpc::UNIMPLEMENTED);
}

TEST_F(CallGateTest, OurUnixSocketIsAdminWithoutAToken) {
  Serve();
  v1::Server server;
  ASSERT_TRUE(Call(*admin_, &Stub::GetServer, v1::GetServerRequest(), &server).ok());
  EXPECT_EQ(server.role(), "admin");
  EXPECT_EQ(server.principal(), absl::StrCat("unix:", geteuid()));
}

TEST_F(CallGateTest, WrongTokensAreRefusedWithOneText) {
  Serve();
  const std::string token = Token(Role::kAdmin);
  ASSERT_TRUE(GetServer(token).ok());
  std::string other_secret = token;
  other_secret.back() = token.back() == 'a' ? 'b' : 'a';
  std::string other_id = token;
  other_id[5] = token[5] == 'a' ? 'b' : 'a';
  const grpc::Status status = GetServer(other_secret);
  EXPECT_EQ(status.error_code(), grpc::UNAUTHENTICATED);
  EXPECT_EQ(Reason(status), "BAD_TOKEN");
  for (const std::string& wrong : {other_id, std::string("tm_"), std::string("x"), token + "a"}) {
    EXPECT_EQ(GetServer(wrong).error_message(), status.error_message()) << wrong;
  }
  EXPECT_THAT(status.error_message(), Not(HasSubstr(other_secret.substr(20))));
}

TEST_F(CallGateTest, ExpiredAndRevokedTokensAreRefused) {
  Serve();
  const std::string token = Token(Role::kViewer, {}, clock_.Now() + absl::Minutes(5));
  EXPECT_TRUE(GetServer(token).ok());
  clock_.Advance(absl::Minutes(6));
  EXPECT_EQ(GetServer(token).error_code(), grpc::UNAUTHENTICATED);
  const auto revoked = Opened(tokens_->Create({Role::kViewer, {}, "", std::nullopt}));
  EXPECT_TRUE(GetServer(revoked.text).ok());
  v1::RevokeTokenRequest revoke;
  revoke.set_id(revoked.record.id);
  v1::Token answer;
  ASSERT_TRUE(Call(*admin_, &Stub::RevokeToken, revoke, &answer).ok());
  EXPECT_EQ(GetServer(revoked.text).error_code(), grpc::UNAUTHENTICATED);
}

TEST_F(CallGateTest, WhoFailsTooOftenWaits) {
  Serve();
  const std::string token = Token(Role::kViewer);
  for (size_t i = 0; i < FailedAttempts::kFailures; ++i) {
    EXPECT_EQ(GetServer("tm_wrong").error_code(), grpc::UNAUTHENTICATED);
  }
  const grpc::Status status = GetServer(token);  // the right one waits as well
  EXPECT_EQ(status.error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Reason(status), "TOO_MANY_FAILED_ATTEMPTS");
  EXPECT_GT(Detail<google::rpc::RetryInfo>(status).retry_delay().seconds(), 0);
  clock_.Advance(FailedAttempts::kFirstPause + absl::Seconds(1));
  EXPECT_TRUE(GetServer(token).ok());
  v1::Server server;
  EXPECT_TRUE(Call(*admin_, &Stub::GetServer, v1::GetServerRequest(), &server).ok());
}

TEST_F(CallGateTest, ATokenOfOneConnectionSeesNoOther) {
  Generator("alpha", "{count: 5}");
  Generator("beta", "{count: 5}", "", "beta.db");
  Serve();
  const std::string token = Token(Role::kAdmin, {"al*"});
  v1::GetConnectionRequest get;
  v1::ConnectionRecord record;
  get.set_name("alpha");
  EXPECT_TRUE(Call(*Tcp(), &Stub::GetConnection, get, &record, token).ok());
  for (const char* name : {"beta", "nobody"}) {  // one answer whether it is there or not
    get.set_name(name);
    const grpc::Status status = Call(*Tcp(), &Stub::GetConnection, get, &record, token);
    EXPECT_EQ(status.error_code(), grpc::PERMISSION_DENIED);
    EXPECT_EQ(Reason(status), "OTHER_CONNECTION");
  }
  v1::ListConnectionsResponse list;
  ASSERT_TRUE(
      Call(*Tcp(), &Stub::ListConnections, v1::ListConnectionsRequest(), &list, token).ok());
  ASSERT_EQ(list.connections_size(), 1);
  EXPECT_EQ(list.connections(0).name(), "alpha");
  v1::ApplyConnectionRequest apply;
  apply.set_yaml(Definition("gamma"));
  v1::ApplyConnectionResponse applied;
  EXPECT_EQ(Call(*Tcp(), &Stub::ApplyConnection, apply, &applied, token).error_code(),
            grpc::PERMISSION_DENIED);
  v1::ListTokensResponse tokens;
  EXPECT_EQ(Call(*Tcp(), &Stub::ListTokens, v1::ListTokensRequest(), &tokens, token).error_code(),
            grpc::PERMISSION_DENIED);
  v1::GetSyncRequest sync;
  sync.set_sync_id(StartSync("beta").sync_id());
  v1::Sync answer;
  EXPECT_EQ(Call(*Tcp(), &Stub::GetSync, sync, &answer, token).error_code(), grpc::NOT_FOUND);
  v1::ListSyncsResponse syncs;
  ASSERT_TRUE(Call(*Tcp(), &Stub::ListSyncs, v1::ListSyncsRequest(), &syncs, token).ok());
  EXPECT_EQ(syncs.syncs_size(), 0);
}

TEST_F(CallGateTest, RefusalsAndChangesAreAudited) {
  Generator("alpha", "{count: 5}");
  Serve();
  const std::string token = Token(Role::kViewer);
  v1::PauseConnectionRequest pause;
  pause.set_name("alpha");
  v1::ConnectionRecord record;
  EXPECT_EQ(Call(*Tcp(), &Stub::PauseConnection, pause, &record, token).error_code(),
            grpc::PERMISSION_DENIED);
  GetServer("tm_wrong");
  ASSERT_TRUE(Call(*admin_, &Stub::PauseConnection, pause, &record).ok());
  v1::ListAuditResponse audit;
  ASSERT_TRUE(Call(*admin_, &Stub::ListAudit, v1::ListAuditRequest(), &audit).ok());
  ASSERT_EQ(audit.entries_size(), 3);
  EXPECT_EQ(audit.entries(0).method(), "Control/PauseConnection");
  EXPECT_EQ(audit.entries(0).object(), "alpha");
  EXPECT_EQ(audit.entries(0).result(), "ok");
  EXPECT_EQ(audit.entries(1).result(), "UNAUTHENTICATED");
  EXPECT_EQ(audit.entries(1).from(), "127.0.0.1");
  EXPECT_EQ(audit.entries(2).result(), "PERMISSION_DENIED");
  v1::VerifyAuditResponse verified;
  ASSERT_TRUE(Call(*admin_, &Stub::VerifyAudit, v1::VerifyAuditRequest(), &verified).ok());
  EXPECT_TRUE(verified.ok()) << verified.problem();
}

TEST_F(CallGateTest, UnknownFieldsAndValuesAreRefusedByName) {
  Generator("alpha", "{count: 5}");
  Serve();
  v1::ListSyncsRequest request;
  request.GetReflection()->MutableUnknownFields(&request)->AddVarint(999, 1);
  v1::ListSyncsResponse response;
  grpc::Status status = Call(*admin_, &Stub::ListSyncs, request, &response);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(Reason(status), "UNKNOWN_FIELD");
  EXPECT_THAT(status.error_message(), HasSubstr("tidemark.v1.ListSyncsRequest"));

  request.Clear();
  request.mutable_from()
      ->GetReflection()
      ->MutableUnknownFields(request.mutable_from())
      ->AddVarint(7, 1);
  status = Call(*admin_, &Stub::ListSyncs, request, &response);
  EXPECT_EQ(Reason(status), "UNKNOWN_FIELD");
  EXPECT_EQ(Field(status), "from");

  request.Clear();
  request.add_statuses(static_cast<v1::SyncStatus>(77));
  status = Call(*admin_, &Stub::ListSyncs, request, &response);
  EXPECT_EQ(Reason(status), "UNKNOWN_VALUE");
  EXPECT_EQ(Field(status), "statuses[0]");
}

TEST_F(CallGateTest, BadFieldsAreNamed) {
  Generator("alpha", "{count: 5}");
  Serve();
  const auto list = [this](const v1::ListSyncsRequest& request) {
    v1::ListSyncsResponse response;
    return Call(*admin_, &Stub::ListSyncs, request, &response);
  };
  v1::ListSyncsRequest request;
  request.set_connection(std::string("al\0pha", 6));
  EXPECT_EQ(Field(list(request)), "connection");
  request.set_connection(std::string(5'000, 'a'));
  EXPECT_EQ(Reason(list(request)), "TOO_LARGE");
  request.Clear();
  request.mutable_from()->set_seconds(int64_t{1} << 60);
  EXPECT_EQ(Field(list(request)), "from");
  request.Clear();
  request.set_page_token("nonsense");
  EXPECT_EQ(Field(list(request)), "page_token");
  request.Clear();
  request.mutable_read_mask()->add_paths("colour");
  EXPECT_EQ(Field(list(request)), "read_mask");
  v1::StartSyncRequest start;
  start.set_connection("alpha");
  start.set_idempotency_key(std::string(129, 'k'));
  v1::Sync sync;
  const grpc::Status status = Call(*admin_, &Stub::StartSync, start, &sync);
  EXPECT_EQ(Field(status), "idempotency_key");
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
}

TEST_F(CallGateTest, TwoAuthorizationHeadersAreNone) {
  Serve();
  const std::string token = Token(Role::kAdmin);
  grpc::ClientContext context;
  Prepare(&context, token);
  context.AddMetadata("authorization", "Bearer " + token);
  v1::Server server;
  const grpc::Status status = Tcp()->GetServer(&context, v1::GetServerRequest(), &server);
  EXPECT_EQ(status.error_code(), grpc::UNAUTHENTICATED);
  EXPECT_EQ(Reason(status), "BAD_AUTHORIZATION");
}

}  // namespace
}  // namespace tidemark
