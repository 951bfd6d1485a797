// PostgreSQL and Redis as state stores: what the conformance suite of all stores does not ask.
#include "tests/state/server_stores.h"

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
  auto longer = Open();
  ASSERT_TRUE(longer->Acquire(As("the longer")).ok());
  auto second = Open();
  const absl::Status refused = second->Acquire(As("the second")).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("the longer"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr(absl::StrCat("pid ", getpid())));
  longer->Release();
  auto first = Open(absl::Milliseconds(300));
  const auto epoch = first->Acquire(As("the first"));
  ASSERT_TRUE(epoch.ok()) << epoch.status();
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
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const std::chrono::milliseconds lease(400);
  auto first = Open(absl::FromChrono(lease));
  auto held = now();
  ASSERT_TRUE(first->Acquire(As("the first")).ok());
  auto second = Open();
  for (const auto until = now() + 2.5 * lease; now() < until;) {
    const auto begin = now();
    const absl::Status kept = first->Renew();
    if (kept.ok()) held = begin;
    const bool taken = kept.ok() && second->Acquire(As("the second")).ok();
    if (kept.ok() && !taken) {
      std::this_thread::sleep_for(lease / 8);
      continue;
    }
    // Only when this machine was too slow to renew it in time.
    ASSERT_GE(now() - held, lease) << kept;
    second->Release();
    held = now();
    ASSERT_TRUE(first->Acquire(As("the first")).ok());
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

}  // namespace
}  // namespace tidemark
