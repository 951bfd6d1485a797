// Control as a client sees it: connections, syncs, watches, reports, pages, idempotency keys.
#include "service/control_service.h"

#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "nlohmann/json.hpp"
#include "service/idempotency_keys.h"
#include "tests/service/control_fixture.h"

namespace tidemark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using test::ControlFixture;

class ControlServiceTest : public ControlFixture {
 protected:
  grpc::Status Apply(const std::string& yaml, v1::ApplyConnectionResponse* response,
                     bool dry_run = false, uint64_t expected = 0, const std::string& key = "") {
    v1::ApplyConnectionRequest request;
    request.set_yaml(yaml);
    request.set_dry_run(dry_run);
    request.set_expected_version(expected);
    request.set_idempotency_key(key);
    response->Clear();
    return Call(*admin_, &Stub::ApplyConnection, request, response);
  }
  // The events behind a position, until the end.
  grpc::Status Watch(const std::string& sync_id, uint64_t after,
                     std::vector<v1::SyncEvent>* events) {
    grpc::ClientContext context;
    Prepare(&context, "");
    v1::WatchSyncRequest request;
    request.set_sync_id(sync_id);
    request.set_after_sequence(after);
    const auto reader = admin_->WatchSync(&context, request);
    v1::SyncEvent event;
    while (reader->Read(&event)) events->push_back(event);
    return reader->Finish();
  }
  v1::Sync Get(const std::string& sync_id) {
    v1::GetSyncRequest request;
    request.set_sync_id(sync_id);
    v1::Sync sync;
    EXPECT_TRUE(Call(*admin_, &Stub::GetSync, request, &sync).ok());
    return sync;
  }
  v1::Sync Finished(const std::string& connection) {
    const std::string id = StartSync(connection).sync_id();
    AwaitEnd(id);
    Await([&] { return !runner_->BusyWith(connection).has_value(); });
    return Get(id);
  }
};

TEST_F(ControlServiceTest, AppliedConnectionsAreVersionedAndSync) {
  Serve();
  v1::ApplyConnectionResponse applied;
  ASSERT_TRUE(Apply(Definition("orders"), &applied, true).ok());  // a dry run
  EXPECT_TRUE(applied.created());
  v1::GetConnectionRequest get;
  get.set_name("orders");
  v1::ConnectionRecord record;
  EXPECT_EQ(Call(*admin_, &Stub::GetConnection, get, &record).error_code(), grpc::NOT_FOUND);
  ASSERT_TRUE(Apply(Definition("orders"), &applied).ok());
  EXPECT_TRUE(applied.created());
  EXPECT_EQ(applied.connection().version(), 1);
  ASSERT_TRUE(Apply(Definition("orders"), &applied).ok());
  EXPECT_FALSE(applied.changed());
  ASSERT_TRUE(Apply(Definition("orders", "{count: 30}"), &applied, false, 1).ok());
  EXPECT_EQ(applied.connection().version(), 2);
  EXPECT_THAT(applied.changes(), ElementsAre(HasSubstr("count")));
  EXPECT_EQ(Apply(Definition("orders", "{count: 40}"), &applied, false, 1).error_code(),
            grpc::ABORTED);
  ASSERT_TRUE(Call(*admin_, &Stub::GetConnection, get, &record).ok());
  EXPECT_EQ(record.connector(), "generator");
  EXPECT_EQ(record.origin(), v1::CONNECTION_ORIGIN_API);
  EXPECT_EQ(record.health(), v1::CONNECTION_HEALTH_OK);
  const v1::Sync sync = Finished("orders");
  EXPECT_EQ(sync.status(), v1::SYNC_STATUS_COMPLETED) << sync.error();
  EXPECT_EQ(sync.counts().inserted(), 30);
  EXPECT_EQ(sync.trigger(), v1::SYNC_TRIGGER_CALL);
  v1::DeleteConnectionRequest remove;
  remove.set_name("orders");
  v1::DeleteConnectionResponse removed;
  EXPECT_TRUE(Call(*admin_, &Stub::DeleteConnection, remove, &removed).ok());
  EXPECT_EQ(Call(*admin_, &Stub::GetConnection, get, &record).error_code(), grpc::NOT_FOUND);
}

TEST_F(ControlServiceTest, ADefinitionThatIsNotValidIsRefusedByLine) {
  Serve();
  v1::ApplyConnectionResponse applied;
  const grpc::Status status = Apply("name: orders\nsync:\n  colour: red\n", &applied);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(Reason(status), "INVALID_DEFINITION");
  EXPECT_EQ(Field(status), "yaml");
  EXPECT_THAT(status.error_message(), HasSubstr("colour"));
  EXPECT_EQ(Field(Apply("sync: {}\n", &applied)), "yaml");
}

TEST_F(ControlServiceTest, AConnectionOfTheFolderIsReadOnly) {
  Generator("orders", "{count: 5}");
  Serve();
  v1::ApplyConnectionResponse applied;
  const grpc::Status status = Apply(Definition("orders"), &applied);
  EXPECT_EQ(Reason(status), "READ_ONLY") << status.error_message();
}

TEST_F(ControlServiceTest, SecretsOfDefinitionsAreNotShown) {
  Serve();
  const std::string yaml =
      "name: crm\nsync:\n  source:\n    connector: rest\n"
      "    connection: \"http://user:hunter2hunter2@127.0.0.1:1\"\n"
      "    config: {auth: {type: bearer, token: canary-4711}}\n"
      "    tables: {contact: {primary_key: [id]}}\n"
      "  destination: {connection: \"" +
      folder_ + "/crm.db\"}\n";
  v1::ApplyConnectionResponse applied;
  const grpc::Status status = Apply(yaml, &applied, true);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(applied.ShortDebugString(), Not(HasSubstr("canary-4711")));
  EXPECT_THAT(applied.ShortDebugString(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(applied.connection().yaml(), HasSubstr("primary_key: [id]"));
  EXPECT_THAT(applied.connection().yaml(), HasSubstr("token: \"***\""));
}

TEST_F(ControlServiceTest, WatchesSeeEveryEventOnceAndGoOnWhereTheyWere) {
  Generator("orders", "{count: 2000}");
  Serve();
  const std::string id = StartSync("orders").sync_id();
  std::vector<v1::SyncEvent> events;
  ASSERT_TRUE(Watch(id, 0, &events).ok());
  ASSERT_GE(events.size(), 2);
  EXPECT_TRUE(events.back().has_ended());
  EXPECT_EQ(events.back().ended().counts().inserted(), 2000);
  for (size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].sequence(), i + 1);
  std::vector<v1::SyncEvent> rest;
  ASSERT_TRUE(Watch(id, 1, &rest).ok());  // of a sync that has ended
  ASSERT_EQ(rest.size(), events.size() - 1);
  EXPECT_EQ(rest.front().sequence(), 2);
  std::vector<v1::SyncEvent> none;
  EXPECT_TRUE(Watch(id, events.size(), &none).ok());
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(Watch("nothing", 0, &none).error_code(), grpc::NOT_FOUND);
}

TEST_F(ControlServiceTest, APositionThatIsNotKeptNamesTheOldest) {
  Generator("orders", "{count: 5}");
  Serve();
  SyncEntry entry;
  entry.connection = "orders";
  const SyncEntry added = Opened(syncs_->Add(entry));
  ASSERT_TRUE(syncs_->Start(added.sync_id).ok());
  for (size_t i = 0; i < kFeedEvents + 50; ++i) {
    SyncFeedEvent event;
    event.rows = i;
    syncs_->Publish(added.sync_id, event);
  }
  std::vector<v1::SyncEvent> events;
  const grpc::Status status = Watch(added.sync_id, 1, &events);
  EXPECT_EQ(status.error_code(), grpc::OUT_OF_RANGE);
  EXPECT_EQ(Reason(status), "POSITION_NOT_KEPT");
  const auto facts = Detail<google::rpc::ErrorInfo>(status).metadata();
  ASSERT_EQ(facts.count("oldest"), 1);
  EXPECT_GT(std::stoull(facts.at("oldest")), 2);
}

TEST_F(ControlServiceTest, AWatchEndsWhenItsTokenIsRevoked) {
  Generator("orders", "{count: 5}");
  Serve();
  SyncEntry entry;
  entry.connection = "orders";
  const SyncEntry added = Opened(syncs_->Add(entry));
  ASSERT_TRUE(syncs_->Start(added.sync_id).ok());
  const auto token = Opened(tokens_->Create({Role::kViewer, {}, "", std::nullopt}));
  grpc::ClientContext context;
  Prepare(&context, token.text);
  v1::WatchSyncRequest request;
  request.set_sync_id(added.sync_id);
  const std::unique_ptr<Stub> stub = Tcp();
  const auto reader = stub->WatchSync(&context, request);
  v1::SyncEvent event;
  ASSERT_TRUE(reader->Read(&event));  // it has begun
  v1::RevokeTokenRequest revoke;
  revoke.set_id(token.record.id);
  v1::Token revoked;
  ASSERT_TRUE(Call(*admin_, &Stub::RevokeToken, revoke, &revoked).ok());
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(reader->Finish().error_code(), grpc::UNAUTHENTICATED);
}

TEST_F(ControlServiceTest, AThousandWatchesHoldNoThreadAndEndWithTheServer) {
  Generator("orders", "{count: 5}");
  Serve();
  SyncEntry entry;
  entry.connection = "orders";
  const SyncEntry added = Opened(syncs_->Add(entry));
  ASSERT_TRUE(syncs_->Start(added.sync_id).ok());
  std::vector<std::shared_ptr<grpc::Channel>> channels(16);  // 64 streams each
  for (std::shared_ptr<grpc::Channel>& channel : channels) channel = Channel(socket());
  struct Open {
    grpc::ClientContext context;
    std::unique_ptr<Stub> stub;
    std::unique_ptr<grpc::ClientReader<v1::SyncEvent>> reader;
  };
  std::vector<std::unique_ptr<Open>> open;
  v1::WatchSyncRequest request;
  request.set_sync_id(added.sync_id);
  for (size_t i = 0; i < 1000; ++i) {
    auto one = std::make_unique<Open>();
    Prepare(&one->context, "");
    one->stub = v1::Control::NewStub(channels[i % channels.size()]);
    one->reader = one->stub->WatchSync(&one->context, request);
    open.push_back(std::move(one));
  }
  for (const auto& one : open) {
    v1::SyncEvent event;
    ASSERT_TRUE(one->reader->Read(&event));
  }
  size_t threads = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    ++threads;
  }
  EXPECT_LT(threads, 100);
  control_->BeginStop();
  for (const auto& one : open) {
    v1::SyncEvent event;
    while (one->reader->Read(&event)) {
    }
    EXPECT_EQ(one->reader->Finish().error_code(), grpc::UNAVAILABLE);
  }
}

TEST_F(ControlServiceTest, ReportsAreTheStoredJsonAndTheSameAsMessages) {
  Generator("orders", "{count: 20}");
  Serve();
  const v1::Sync sync = Finished("orders");
  v1::GetReportRequest request;
  request.set_connection("orders");
  v1::GetReportResponse response;
  ASSERT_TRUE(Call(*admin_, &Stub::GetReport, request, &response).ok());
  const auto json = nlohmann::json::parse(response.json());
  EXPECT_EQ(json["metadata"]["sync_id"], sync.sync_id());
  EXPECT_EQ(response.report().metadata().sync_id(), sync.sync_id());
  EXPECT_EQ(response.report().statistics().records_inserted(),
            json["statistics"]["records_inserted"].get<uint64_t>());
  EXPECT_EQ(response.report().tables_size(), static_cast<int>(json["tables"].size()));
  EXPECT_EQ(response.report().checkpoint().version(), json["checkpoint"]["version"].get<int>());
  EXPECT_EQ(nlohmann::json::parse(response.conflicts_json())["conflict_detection"], "off");
}

TEST_F(ControlServiceTest, ASecondSyncOfAConnectionIsRefusedWithTheFirstOnesId) {
  Generator("slow", "{count: 100000, rate: 10}");
  Serve();
  const v1::Sync first = StartSync("slow");
  v1::StartSyncRequest request;
  request.set_connection("slow");
  v1::Sync second;
  const grpc::Status status = Call(*admin_, &Stub::StartSync, request, &second);
  EXPECT_EQ(status.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_EQ(Reason(status), "CONNECTION_BUSY");
  EXPECT_EQ(Detail<google::rpc::ErrorInfo>(status).metadata().at("sync_id"), first.sync_id());
  v1::StopSyncRequest stop;
  stop.set_sync_id(first.sync_id());
  stop.set_now(true);
  ASSERT_TRUE(Call(*admin_, &Stub::StopSync, stop, &second).ok());
  EXPECT_TRUE(AwaitEnd(first.sync_id()).interrupted);
}

TEST_F(ControlServiceTest, PagesOfSyncsHoldEachOnceWhileOthersAreAdded) {
  Generator("orders", "{count: 5}");
  Serve();
  std::set<std::string> expected;
  for (int i = 0; i < 7; ++i) expected.insert(Finished("orders").sync_id());
  v1::ListSyncsRequest request;
  request.set_page_size(3);
  request.add_statuses(v1::SYNC_STATUS_COMPLETED);
  std::multiset<std::string> seen;
  do {
    v1::ListSyncsResponse page;
    ASSERT_TRUE(Call(*admin_, &Stub::ListSyncs, request, &page).ok());
    EXPECT_LE(page.syncs_size(), 3);
    for (const v1::Sync& sync : page.syncs()) {
      if (expected.count(sync.sync_id()) > 0) seen.insert(sync.sync_id());
    }
    request.set_page_token(page.next_page_token());
    Finished("orders");
  } while (!request.page_token().empty());
  EXPECT_EQ(seen, std::multiset<std::string>(expected.begin(), expected.end()));
}

TEST_F(ControlServiceTest, APageTokenOfOtherFiltersIsRefused) {
  for (const char* name : {"a", "b", "c"}) Generator(name, "{count: 5}");
  Serve();
  v1::ListConnectionsRequest request;
  request.set_page_size(1);
  v1::ListConnectionsResponse page;
  ASSERT_TRUE(Call(*admin_, &Stub::ListConnections, request, &page).ok());
  request.set_page_token(page.next_page_token());
  request.set_page_size(5);  // this may change
  ASSERT_TRUE(Call(*admin_, &Stub::ListConnections, request, &page).ok());
  EXPECT_EQ(page.connections(0).name(), "b");
  request.set_health(v1::CONNECTION_HEALTH_BROKEN);
  const grpc::Status status = Call(*admin_, &Stub::ListConnections, request, &page);
  EXPECT_EQ(Field(status), "page_token");
  v1::ListSyncsRequest other;
  other.set_page_token(request.page_token());
  v1::ListSyncsResponse syncs;
  EXPECT_EQ(Field(Call(*admin_, &Stub::ListSyncs, other, &syncs)), "page_token");
}

TEST_F(ControlServiceTest, AMaskLeavesWhatItNames) {
  Generator("orders", "{count: 5}");
  Serve();
  v1::GetConnectionRequest request;
  request.set_name("orders");
  request.mutable_read_mask()->add_paths("name");
  request.mutable_read_mask()->add_paths("connector");
  v1::ConnectionRecord record;
  ASSERT_TRUE(Call(*admin_, &Stub::GetConnection, request, &record).ok());
  EXPECT_EQ(record.connector(), "generator");
  EXPECT_TRUE(record.yaml().empty());
  EXPECT_EQ(record.version(), 0);
}

TEST_F(ControlServiceTest, AnIdempotencyKeyGivesTheFirstAnswerAlsoAfterARestart) {
  Generator("orders", "{count: 5}");
  Serve();
  const v1::Sync first = StartSync("orders", "k1");
  AwaitEnd(first.sync_id());
  Await([&] { return !runner_->BusyWith("orders").has_value(); });
  EXPECT_EQ(StartSync("orders", "k1").sync_id(), first.sync_id());
  EXPECT_NE(StartSync("orders", "k2").sync_id(), first.sync_id());
  v1::StartSyncRequest other;
  other.set_connection("orders");
  other.set_full(true);
  other.set_idempotency_key("k1");
  v1::Sync sync;
  grpc::Status status = Call(*admin_, &Stub::StartSync, other, &sync);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(Reason(status), "IDEMPOTENCY_KEY_REUSED");
  // A key belongs to its caller.
  v1::StartSyncRequest request;
  request.set_connection("orders");
  request.set_idempotency_key("k1");
  Await([&] { return !runner_->BusyWith("orders").has_value(); });
  status = Call(*Tcp(), &Stub::StartSync, request, &sync, Token(Role::kOperator));
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_NE(sync.sync_id(), first.sync_id());
  Stop();
  Serve();
  EXPECT_EQ(StartSync("orders", "k1").sync_id(), first.sync_id());
  clock_.Advance(absl::Hours(25));
  Await([&] { return !runner_->BusyWith("orders").has_value(); });
  EXPECT_NE(StartSync("orders", "k1").sync_id(), first.sync_id());
}

TEST_F(ControlServiceTest, AFailedCallKeepsNoKey) {
  Generator("orders", "{count: 5}");
  Serve();
  v1::StartSyncRequest request;
  request.set_connection("nobody");
  request.set_idempotency_key("k1");
  v1::Sync sync;
  EXPECT_EQ(Call(*admin_, &Stub::StartSync, request, &sync).error_code(), grpc::NOT_FOUND);
  EXPECT_FALSE(StartSync("orders", "k1").sync_id().empty());
}

TEST_F(ControlServiceTest, AKeyWhoseServerWasKilledIsRepeatedOnlyWhereThatDoesNoHarm) {
  Open();
  const auto before = Opened(IdempotencyKeys::Open(catalog_.get(), &clock_));
  const IdempotencyKeys::Key start = {"me", "k1", "/tidemark.v1.Control/StartSync", "hash"};
  const IdempotencyKeys::Key rollback = {"me", "k2", "/tidemark.v1.Control/RollbackState", "hash"};
  EXPECT_FALSE(Opened(before->Begin(start)).repeated);
  EXPECT_FALSE(Opened(before->Begin(rollback)).repeated);
  EXPECT_EQ(before->Begin(start).status().code(), absl::StatusCode::kAborted);  // it still runs
  // The server is killed here; the next one has the same catalog.
  const auto after = Opened(IdempotencyKeys::Open(catalog_.get(), &clock_));
  EXPECT_TRUE(Opened(after->Begin(start)).repeated);
  const absl::Status unknown = after->Begin(rollback).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(unknown.message(), HasSubstr("its outcome is not known"));
}

TEST_F(ControlServiceTest, SecretsAreWrittenAndNeverReadBack) {
  Serve();
  v1::SetSecretRequest set;
  set.set_name("crm");
  set.set_value("canary-4711");
  v1::Secret secret;
  ASSERT_TRUE(Call(*admin_, &Stub::SetSecret, set, &secret).ok());
  EXPECT_EQ(secret.version(), 1);
  v1::ListSecretsResponse list;
  ASSERT_TRUE(Call(*admin_, &Stub::ListSecrets, v1::ListSecretsRequest(), &list).ok());
  ASSERT_EQ(list.secrets_size(), 1);
  EXPECT_THAT(list.ShortDebugString(), Not(HasSubstr("canary-4711")));
  v1::ListAuditResponse audit;
  ASSERT_TRUE(Call(*admin_, &Stub::ListAudit, v1::ListAuditRequest(), &audit).ok());
  EXPECT_THAT(audit.ShortDebugString(), Not(HasSubstr("canary-4711")));
  EXPECT_THAT(audit.entries(0).object(), "crm");
  v1::DeleteSecretRequest remove;
  remove.set_name("crm");
  v1::DeleteSecretResponse removed;
  EXPECT_TRUE(Call(*admin_, &Stub::DeleteSecret, remove, &removed).ok());
  EXPECT_EQ(Call(*admin_, &Stub::DeleteSecret, remove, &removed).error_code(), grpc::NOT_FOUND);
}

TEST_F(ControlServiceTest, StateIsListedRolledBackAndReset) {
  Generator("orders", "{count: 20}");
  Serve();
  Finished("orders");
  v1::ListStateVersionsRequest list;
  list.set_connection("orders");
  v1::ListStateVersionsResponse versions;
  grpc::Status status = Call(*admin_, &Stub::ListStateVersions, list, &versions);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_GE(versions.versions_size(), 1);
  EXPECT_TRUE(versions.damage().empty());
  v1::ResetStateRequest reset;
  reset.set_connection("orders");
  reset.set_dry_run(true);
  v1::StateChange change;
  ASSERT_TRUE(Call(*admin_, &Stub::ResetState, reset, &change).ok());
  EXPECT_FALSE(change.written());
  EXPECT_EQ(change.moves_size(), 1);
  EXPECT_EQ(nlohmann::json::parse(change.json()).count("done"), 0);
  reset.set_dry_run(false);
  status = Call(*admin_, &Stub::ResetState, reset, &change);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(change.written());
  EXPECT_EQ(nlohmann::json::parse(change.json())["done"].size(), 1);
  v1::ValidateStoredStateRequest validate;
  validate.set_connection("orders");
  v1::ValidateStoredStateResponse valid;
  status = Call(*admin_, &Stub::ValidateState, validate, &valid);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(valid.ok()) << valid.json();
  EXPECT_EQ(valid.levels_size(), 5);
  v1::ExportStateRequest out;
  out.set_connection("orders");
  v1::ExportStateResponse state;
  EXPECT_TRUE(Call(*admin_, &Stub::ExportState, out, &state).ok());
  v1::BackupStateRequest backup;
  backup.set_connection("orders");
  v1::BackupStateResponse backed;
  ASSERT_TRUE(Call(*admin_, &Stub::BackupState, backup, &backed).ok());
  EXPECT_TRUE(std::filesystem::exists(backed.path()));
  v1::RestoreStateRequest restore;
  restore.set_connection("orders");
  restore.set_backup("../../etc/passwd");
  EXPECT_EQ(Field(Call(*admin_, &Stub::RestoreState, restore, &change)), "backup");
}

TEST_F(ControlServiceTest, VerifyStreamsATableAndTheResult) {
  Generator("orders", "{count: 20}");
  Serve();
  Finished("orders");
  grpc::ClientContext context;
  Prepare(&context, "");
  v1::VerifyRequest request;
  request.set_connection("orders");
  const auto reader = admin_->Verify(&context, request);
  std::vector<v1::VerifyResponse> answers;
  v1::VerifyResponse answer;
  while (reader->Read(&answer)) answers.push_back(answer);
  const grpc::Status status = reader->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_GE(answers.size(), 2);
  EXPECT_FALSE(answers.front().table_begun().empty());
  ASSERT_TRUE(answers.back().has_result());
  EXPECT_TRUE(answers.back().result().equal()) << answers.back().result().text();
}

TEST_F(ControlServiceTest, PluginsAreListedAndDescribedByIdOnly) {
  Serve();
  v1::DescribePluginRequest request;
  v1::Plugin plugin;
  for (const char* id : {"/etc/passwd", "../x", "grpc://127.0.0.1:1", "unix:x", ""}) {
    request.set_id(id);
    EXPECT_EQ(Field(Call(*admin_, &Stub::DescribePlugin, request, &plugin)), "id") << id;
  }
}

TEST_F(ControlServiceTest, CallsAfterTheEndHasBegunAreUnavailable) {
  Serve();
  control_->BeginStop();
  v1::Server server;
  const grpc::Status status = Call(*admin_, &Stub::GetServer, v1::GetServerRequest(), &server);
  EXPECT_EQ(status.error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(Reason(status), "SERVER_STOPS");
}

}  // namespace
}  // namespace tidemark
