// PostgreSQL and Redis as state stores: what the conformance suite of all stores does not ask.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "state/chain_verifier.h"
#include "state/next_version.h"
#include "state/postgres_state_store.h"
#include "state/redis_state_store.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/redis_server.h"
#include "tests/state/state_store_conformance.h"

namespace tidemark {
namespace {

using test::PostgresServer;
using test::RedisServer;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kConnection[] = "shop";

// One of the two stores, opened with a lease of its own.
struct Backend {
  const char* name;
  std::function<absl::StatusOr<std::unique_ptr<StateStore>>(const std::string& connection,
                                                            absl::Duration lease)>
      open;
};

Backend Postgres() {
  return {"PostgreSQL", [](const std::string& connection, absl::Duration lease) {
            PostgresStateStoreOptions options;
            options.schema = "state \"of\" tests";
            options.lease = lease;
            return OpenPostgresStateStore(PostgresServer::Shared().Connection(), connection,
                                          options);
          }};
}

Backend Redis() {
  return {"Redis", [](const std::string& connection, absl::Duration lease) {
            RedisStateStoreOptions options;
            options.lease = lease;
            return OpenRedisStateStore(RedisServer::Shared().Address(), connection, options);
          }};
}

StateHead HeadOf(StateStore& store, const std::string& entry) {
  auto heads = store.Heads();
  StateHead none;
  none.entry = entry;
  if (!heads.ok()) return none;
  for (const StateHead& head : *heads) {
    if (head.entry == entry) return head;
  }
  return none;
}

VersionAppend Next(const std::string& connection, const StateHead& head, const std::string& body,
                   int64_t epoch) {
  NextVersion next;
  next.state.table = head.entry;
  next.state.body = body;
  next.state.cursor = body.substr(0, 20);
  next.epoch = epoch;
  next.now_us = 1'700'000'000'000'000;
  next.group_id = absl::StrCat("group of ", body.substr(0, 20));
  next.engine = "tidemark test";
  return AppendAfter(connection, head, next);
}

absl::Status AppendOne(StateStore& store, const VersionAppend& append) {
  return store.Append(absl::MakeConstSpan(&append, 1), {});
}

// The bodies of an entry, oldest first, after its chain was verified up to its head.
std::vector<std::string> Bodies(StateStore& store, const std::string& entry) {
  const StateHead head = HeadOf(store, entry);
  ChainVerifier verifier(head.anchor);
  std::vector<std::string> bodies;
  VersionQuery query;
  query.entry = entry;
  const absl::Status read = store.ReadVersions(query, [&](StoredVersion& stored) {
    EXPECT_TRUE(stored.readable.ok()) << stored.readable;
    bodies.push_back(stored.version.body);
    return verifier.Add(stored.version);
  });
  EXPECT_TRUE(read.ok()) << read;
  EXPECT_EQ(verifier.last_version(), head.version);
  EXPECT_EQ(verifier.last_chain(), head.chain);
  return bodies;
}

std::string FreshName() {
  static int count = 0;
  return absl::StrCat("connection-", ++count);
}

// A schema of its own in the shared server.
class PostgresPlace final : public StorePlace {
 public:
  PostgresPlace() : schema_(absl::StrCat("place \"", FreshName(), "\"")) {}
  absl::StatusOr<std::unique_ptr<StateStore>> Open(const std::string& connection, Clock*) override {
    PostgresStateStoreOptions options;
    options.schema = schema_;
    return OpenPostgresStateStore(PostgresServer::Shared().Connection(), connection, options);
  }

 private:
  const std::string schema_;
};

// A numbered database of the shared server, emptied.
class RedisPlace final : public StorePlace {
 public:
  RedisPlace() { RedisServer::Shared().Command({"FLUSHALL"}); }
  absl::StatusOr<std::unique_ptr<StateStore>> Open(const std::string& connection, Clock*) override {
    return OpenRedisStateStore(RedisServer::Shared().Address(), connection, {});
  }
};

INSTANTIATE_TEST_SUITE_P(
    Servers, StateStoreConformanceTest,
    testing::Values(StoreUnderTest{"PostgreSQL", [] { return std::make_unique<PostgresPlace>(); }},
                    StoreUnderTest{"Redis", [] { return std::make_unique<RedisPlace>(); }}),
    StoreUnderTestName);

class ServerStoresTest : public testing::TestWithParam<int> {
 protected:
  ServerStoresTest() : backend_(GetParam() == 0 ? Postgres() : Redis()), name_(FreshName()) {}

  std::unique_ptr<StateStore> Open(absl::Duration lease = absl::Seconds(30)) {
    auto store = backend_.open(name_, lease);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  static OwnershipRequest As(const std::string& holder) {
    OwnershipRequest request;
    request.holder = holder;
    return request;
  }

  const Backend backend_;
  const std::string name_;
};

INSTANTIATE_TEST_SUITE_P(All, ServerStoresTest, testing::Values(0, 1), [](const auto& info) {
  return info.param == 0 ? std::string("PostgreSQL") : std::string("Redis");
});

TEST_P(ServerStoresTest, AnExpiredLeaseIsTakenAndItsHolderIsFenced) {
  auto first = Open(absl::Milliseconds(300));
  const auto epoch = first->Acquire(As("the first"));
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  auto second = Open();
  const absl::Status refused = second->Acquire(As("the second")).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("the first"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr(absl::StrCat("pid ", getpid())));
  absl::StatusOr<int64_t> taken = absl::UnknownError("");
  for (int i = 0; i < 1000 && !taken.ok(); ++i) {
    taken = second->Acquire(As("the second"));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(*taken, *epoch + 1);
  StateHead head;
  head.entry = "orders";
  const absl::Status fenced = AppendOne(*first, Next(name_, head, "x", *epoch));
  EXPECT_TRUE(absl::IsFailedPrecondition(fenced)) << fenced;
  EXPECT_THAT(std::string(fenced.message()), HasSubstr("FENCED"));
  EXPECT_THAT(std::string(first->Renew().message()), HasSubstr("FENCED"));
  EXPECT_TRUE(Bodies(*second, "orders").empty());
  first = nullptr;  // its Release must not give the second one's lease away
  EXPECT_TRUE((*second->Holder())->held);
}

TEST_P(ServerStoresTest, RenewKeepsTheLeaseAndReleaseGivesItBack) {
  auto first = Open(absl::Milliseconds(400));
  ASSERT_TRUE(first->Acquire(As("the first")).ok());
  auto second = Open();
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1000);
  while (std::chrono::steady_clock::now() < until) {
    ASSERT_TRUE(first->Renew().ok());
    EXPECT_FALSE(second->Acquire(As("the second")).ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  first->Release();
  EXPECT_TRUE(second->Acquire(As("the second")).ok());
}

// What a child with a store of its own is told to do, and what it answers: one byte each.
class Child {
 public:
  Child(const Backend& backend, const std::string& name, absl::Duration lease) {
    int to[2];
    int from[2];
    EXPECT_EQ(pipe(to), 0);
    EXPECT_EQ(pipe(from), 0);
    pid_ = fork();
    if (pid_ == 0) {
      auto store = backend.open(name, lease);
      OwnershipRequest request;
      request.holder = "the child";
      const auto epoch = (*store)->Acquire(request);
      Say(from[1], epoch.ok() ? 'h' : 'x');
      if (Hear(to[0]) == 'a') {
        StateHead head;
        head.entry = "orders";
        const absl::Status status = AppendOne(**store, Next(name, head, "zombie", *epoch));
        const bool fenced =
            absl::IsFailedPrecondition(status) && absl::StrContains(status.message(), "FENCED");
        Say(from[1], status.ok() ? 'w' : fenced ? 'f' : 'e');
      }
      Hear(to[0]);
      _exit(0);
    }
    to_ = to[1];
    from_ = from[0];
    close(to[0]);
    close(from[1]);
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    close(to_);
    close(from_);
  }
  char Hear() const { return Hear(from_); }
  void Say(char c) const { Say(to_, c); }
  pid_t pid() const { return pid_; }

 private:
  static char Hear(int fd) {
    char c = '-';
    return read(fd, &c, 1) == 1 ? c : '-';
  }
  static void Say(int fd, char c) { EXPECT_EQ(write(fd, &c, 1), 1); }

  pid_t pid_ = 0;
  int to_ = -1;
  int from_ = -1;
};

TEST_P(ServerStoresTest, AKilledHolderIsFollowedAtOnce) {
  if (GetParam() == 0) PostgresServer::Shared();
  if (GetParam() == 1) RedisServer::Shared();
  Child child(backend_, name_, absl::Hours(1));
  ASSERT_EQ(child.Hear(), 'h');
  auto store = Open();
  EXPECT_FALSE(store->Acquire(As("a test")).ok());
  kill(child.pid(), SIGKILL);
  siginfo_t ended;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child.pid()), &ended, WEXITED | WNOWAIT), 0);
  const auto epoch = store->Acquire(As("a test"));  // a zombie: its parent has not reaped it
  EXPECT_TRUE(epoch.ok()) << epoch.status();
}

// K5: a stopped holder wakes up after its lease went to somebody else.
TEST_P(ServerStoresTest, AStoppedHolderThatWakesUpWritesNothing) {
  if (GetParam() == 0) PostgresServer::Shared();
  if (GetParam() == 1) RedisServer::Shared();
  for (int round = 0; round < 5; ++round) {
    const std::string name = absl::StrCat(name_, "-", round);
    Child child(backend_, name, absl::Milliseconds(100));
    ASSERT_EQ(child.Hear(), 'h');
    kill(child.pid(), SIGSTOP);
    auto store = *backend_.open(name, absl::Seconds(30));
    absl::StatusOr<int64_t> epoch = absl::UnknownError("");
    for (int i = 0; i < 2000 && !epoch.ok(); ++i) {
      epoch = store->Acquire(As("a test"));
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_TRUE(epoch.ok()) << epoch.status();
    child.Say('a');  // waits in the pipe of the stopped process
    kill(child.pid(), SIGCONT);
    EXPECT_EQ(child.Hear(), 'f');
    EXPECT_TRUE(Bodies(*store, "orders").empty());
    StateHead head;
    head.entry = "orders";
    EXPECT_TRUE(AppendOne(*store, Next(name, head, "mine", *epoch)).ok());
    EXPECT_EQ(Bodies(*store, "orders"), std::vector<std::string>{"mine"});
  }
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
    for (int tries = 0; !status.ok() && tries < 4000; ++tries) {
      ASSERT_TRUE(absl::IsAborted(status) || absl::IsUnavailable(status)) << status;
      unknown += tries == 0 ? 1 : 0;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      auto heads = store.Heads();
      if (!heads.ok()) continue;
      if (HeadOf(store, "orders").chain == append.version.chain) {
        status = absl::OkStatus();
      } else {
        status = AppendOne(store, append);
      }
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
  AppendThrough(**store, kConnection, 60, [&](int version) {
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
  AppendThrough(**store, kConnection, 12, [&](int version) {
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
  AppendThrough(**store, kConnection, 60, [&](int version) {
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
