// PostgreSQL and Redis as state stores: killed servers, weak settings, secrets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "state/postgres_state_store.h"
#include "state/redis_state_store.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/redis_server.h"
#include "tests/state/server_stores.h"

namespace tidemark {
namespace {

using test::PostgresServer;
using test::RedisServer;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kConnection[] = "shop";
// For a server that recovers, on a machine that does much else.
constexpr std::chrono::minutes kPatience(2);

// How often a server is killed; more for a long run. PostgreSQL recovers for seconds each time on a
// busy disk.
int Kills() {
  const char* const text = std::getenv("TIDEMARK_STORE_KILLS");
  int kills = 0;
  return text != nullptr && absl::SimpleAtoi(text, &kills) && kills > 0 ? kills : 2;
}

// Appends versions while `wound` hurts the server; whatever was acknowledged must be there, once,
// and whatever was not known is settled by reading.
void AppendThrough(StateStore& store, const std::string& name, int versions,
                   const std::function<void(int version)>& wound) {
  OwnershipRequest request;
  request.holder = "a test";
  const auto epoch = store.Acquire(request);
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  StateHead head;
  head.entry = "orders";
  std::vector<std::string> acknowledged;
  int unknown = 0;
  for (int version = 1; version <= versions; ++version) {
    const std::string body = absl::StrCat("body ", version);
    const VersionAppend append = Next(name, head, body, *epoch);
    wound(version);
    absl::Status status = AppendOne(store, append);
    const auto until = std::chrono::steady_clock::now() + kPatience;
    unknown += status.ok() ? 0 : 1;
    while (!status.ok() && std::chrono::steady_clock::now() < until) {
      ASSERT_TRUE(absl::IsAborted(status) || absl::IsUnavailable(status)) << status;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      // The session may be lost again at any moment: one answer has to do.
      const auto heads = store.Heads();
      if (!heads.ok()) continue;
      const bool there = !heads->empty() && heads->front().chain == append.version.chain;
      status = there ? absl::OkStatus() : AppendOne(store, append);
    }
    ASSERT_TRUE(status.ok()) << status;
    acknowledged.push_back(body);
    head.version = append.version.version;
    head.chain = append.version.chain;
  }
  EXPECT_EQ(Bodies(store, "orders"), acknowledged);
  testing::Test::RecordProperty("unknown_outcomes", unknown);
}

// K4: SIGKILL to the backend that commits; PostgreSQL then restarts all of them.
TEST(PostgresStateStoreTest, SurvivesKilledBackends) {
  PostgresServer server;
  ASSERT_TRUE(server.ok());
  auto store = OpenPostgresStateStore(server.Connection(), kConnection, {});
  ASSERT_TRUE(store.ok()) << store.status();
  AppendThrough(**store, kConnection, 12 * Kills() + 3, [&](int version) {
    if (version % 12 != 0) return;
    const std::string pid = server.Query(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'tidemark' LIMIT 1");
    if (pid.empty()) return;
    const pid_t backend = std::stoi(pid);
    // While the append runs: at another moment of its transaction each time.
    std::thread([backend, version] {
      std::this_thread::sleep_for(std::chrono::microseconds(100 * (version % 7)));
      kill(backend, SIGKILL);
    }).detach();
  });
}

TEST(PostgresStateStoreTest, SurvivesAKilledPostmaster) {
  PostgresServer server;
  ASSERT_TRUE(server.ok());
  auto store = OpenPostgresStateStore(server.Connection(), kConnection, {});
  ASSERT_TRUE(store.ok()) << store.status();
  AppendThrough(**store, kConnection, 4 * Kills() + 1, [&](int version) {
    if (version % 4 != 0) return;
    server.Kill();
    server.Start();
  });
}

TEST(RedisStateStoreTest, SurvivesAKilledServer) {
  RedisServer server;
  ASSERT_TRUE(server.ok());
  auto store = OpenRedisStateStore(server.Address(), kConnection, {});
  ASSERT_TRUE(store.ok()) << store.status();
  AppendThrough(**store, kConnection, 10 * Kills() + 3, [&](int version) {
    if (version % 10 != 0) return;
    server.Kill();
    server.Start();
  });
}

TEST(RedisStateStoreTest, RefusesAServerThatMayForget) {
  struct Case {
    const char* name;
    const char* weak;
    const char* sound;
  };
  RedisServer server;
  ASSERT_TRUE(server.ok());
  for (const Case& c : {Case{"appendonly", "no", "yes"}, Case{"appendfsync", "everysec", "always"},
                        Case{"no-appendfsync-on-rewrite", "yes", "no"},
                        Case{"maxmemory-policy", "allkeys-lru", "noeviction"}}) {
    SCOPED_TRACE(c.name);
    auto held = *OpenRedisStateStore(server.Address(), "held", {});
    OwnershipRequest request;
    request.take_over = true;
    ASSERT_TRUE(held->Acquire(request).ok());
    server.Command({"CONFIG", "SET", c.name, c.weak});
    auto store = *OpenRedisStateStore(server.Address(), kConnection, {});
    const absl::Status refused = store->Acquire({}).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(c.name));
    EXPECT_THAT(std::string(refused.message()), HasSubstr("accept_weak_durability"));
    EXPECT_TRUE(absl::IsFailedPrecondition(held->Renew()));
    RedisStateStoreOptions options;
    options.accept_weak_durability = true;
    auto accepting = *OpenRedisStateStore(server.Address(), kConnection, options);
    EXPECT_TRUE(accepting->Acquire({}).ok());
    server.Command({"CONFIG", "SET", c.name, c.sound});
  }
}

TEST(RedisStateStoreTest, AKeyOfAnotherTypeStopsBeforeAnythingIsWritten) {
  auto store = *OpenRedisStateStore(RedisServer::Shared().Address(), "mixed", {});
  const auto epoch = store->Acquire({});
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  RedisServer::Shared().Command({"SET", "tidemark:{mixed}:uses:b", "1"});
  StateHead a;
  a.entry = "a";
  StateHead b;
  b.entry = "b";
  const std::vector<VersionAppend> both = {Next("mixed", a, "1", *epoch),
                                           Next("mixed", b, "1", *epoch)};
  const absl::Status status = store->Append(both, {});
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("uses:b"));
  EXPECT_TRUE(Bodies(*store, "a").empty());
}

TEST(PostgresStateStoreTest, RefusesAServerWithoutFsyncUnlessTold) {
  PostgresServer server({"fsync=off"});
  ASSERT_TRUE(server.ok());
  auto store = *OpenPostgresStateStore(server.Connection(), kConnection, {});
  const absl::Status refused = store->Acquire({}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("fsync = off"));
  PostgresStateStoreOptions options;
  options.accept_weak_durability = true;
  store = *OpenPostgresStateStore(server.Connection(), kConnection, options);
  EXPECT_TRUE(store->Acquire({}).ok());
}

TEST(PostgresStateStoreTest, SynchronousCommitIsNeverOff) {
  PostgresServer& server = PostgresServer::Shared();
  server.Query("CREATE ROLE hasty SUPERUSER LOGIN; ALTER ROLE hasty SET synchronous_commit = off");
  // A trigger in our own transaction writes down what is in force.
  auto store =
      *OpenPostgresStateStore(absl::StrCat(server.Connection(), " user=hasty"), "hasty", {});
  const auto epoch = store->Acquire({});
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  server.Query(
      "CREATE TABLE seen(v text); CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ "
      "BEGIN INSERT INTO public.seen VALUES(current_setting('synchronous_commit')); RETURN NEW; "
      "END $$; CREATE TRIGGER see AFTER INSERT ON _tidemark_state_history FOR EACH ROW EXECUTE "
      "FUNCTION see()");
  StateHead head;
  head.entry = "orders";
  ASSERT_TRUE(AppendOne(*store, Next("hasty", head, "1", *epoch)).ok());
  EXPECT_EQ(server.Query("SELECT string_agg(v, ',') FROM seen"), "on");
  server.Query("DROP TRIGGER see ON _tidemark_state_history");
}

TEST(ServerAddressTest, NoErrorRepeatsACredential) {
  const std::string secret = "s3cr3t";
  std::vector<absl::Status> errors;
  const auto postgres = [&](const std::string& text) {
    auto store = OpenPostgresStateStore(text, kConnection, {});
    errors.push_back(store.ok() ? (*store)->Acquire({}).status() : store.status());
    if (!store.ok()) return;
    EXPECT_THAT((*store)->Describe(), Not(HasSubstr(secret)));
  };
  const auto redis = [&](const std::string& text) {
    auto store = OpenRedisStateStore(text, kConnection, {});
    errors.push_back(store.ok() ? (*store)->Acquire({}).status() : store.status());
    if (!store.ok()) return;
    EXPECT_THAT((*store)->Describe(), Not(HasSubstr(secret)));
  };
  postgres("postgresql://me:s3cr3t@127.0.0.1:1/db");
  postgres("postgresql://me:s3cr3t@/x@127.0.0.1:1/db");
  postgres("postgresql://me:a/s3cr3t@127.0.0.1:1/db");
  postgres("postgresql://me:a?s3cr3t@127.0.0.1:1/db");
  postgres("postgresql://me:s3cr3t%@127.0.0.1:1/db");
  postgres("host=127.0.0.1 port=1 password=s3cr3t");
  postgres("host=127.0.0.1 port=1 password=x s3cr3t");
  postgres("s3cr3t");
  redis("redis://me:s3cr3t@127.0.0.1:1");
  redis("redis://me:s3cr3t@x@127.0.0.1:1");
  redis("redis://me:a/s3cr3t@127.0.0.1:1");
  redis("redis://me:s3cr3t%zz@127.0.0.1:1");
  redis("rediss://me:s3cr3t@127.0.0.1:1");
  redis("s3cr3t");
  redis("unix:/nowhere/redis.sock?password=s3cr3t");
  redis("unix:/nowhere/redis.sock?pasword=s3cr3t");
  for (const absl::Status& error : errors) {
    EXPECT_FALSE(error.ok());
    EXPECT_THAT(std::string(error.message()), Not(HasSubstr(secret)));
  }
}

TEST(ServerAddressTest, APasswordThatIsWrongIsAnAuthenticationError) {
  RedisServer server({"--requirepass", "right"});
  ASSERT_TRUE(server.ok());
  auto store =
      *OpenRedisStateStore(absl::StrCat(server.Address(), "?password=wrong"), kConnection, {});
  EXPECT_TRUE(absl::IsUnauthenticated(store->Acquire({}).status()));
  store = *OpenRedisStateStore(absl::StrCat(server.Address(), "?password=right"), kConnection, {});
  EXPECT_TRUE(store->Acquire({}).ok());
  store = *OpenRedisStateStore(server.Address(), kConnection, {});
  EXPECT_FALSE(store->Acquire({}).ok());
}

}  // namespace
}  // namespace tidemark
