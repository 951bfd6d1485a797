// K4: PostgreSQL's backend, its postmaster and Redis are killed (-9) while a version is appended.
// What was acknowledged is there afterwards, once; an unknown outcome is settled by reading.
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "state/postgres_state_store.h"
#include "state/redis_state_store.h"
#include "tests/faults/fault_suite.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/redis_server.h"
#include "tests/state/server_stores.h"

namespace tidemark::test {
namespace {

constexpr char kConnection[] = "killed";
constexpr char kEntry[] = "orders";
// For a server that recovers, on a machine that does much else.
constexpr std::chrono::minutes kPatience(2);

// What happens to a server while a version is appended.
struct Wound {
  std::function<bool()> begin;  // false: it does not hit
  std::function<void()> end;    // afterwards the server can come back
};

// Appends version after version to one store, each while the server is killed.
class Appending {
 public:
  Appending(std::unique_ptr<StateStore> store, FaultSuite& suite)
      : store_(std::move(store)), suite_(suite) {
    head_.entry = kEntry;
    OwnershipRequest request;
    request.holder = "a test";
    auto epoch = store_->Acquire(request);
    EXPECT_TRUE(epoch.ok()) << epoch.status();
    if (epoch.ok()) epoch_ = *epoch;
  }

  void Once(const Wound& wound) {
    // The session is there again after the wound before.
    std::vector<StateHead> heads;
    ASSERT_NO_FATAL_FAILURE(Await(&heads));
    const std::string body = absl::StrCat("body ", bodies_.size() + 1);
    const VersionAppend append = Next(kConnection, head_, body, epoch_);
    ++suite_.tried;
    suite_.hit += wound.begin() ? 1 : 0;
    absl::Status status = AppendOne(*store_, append);
    wound.end();
    // Each try asks first what became of the last one.
    while (!status.ok()) {
      // What was acknowledged before is not there to build on.
      suite_.lost += absl::IsDataLoss(status) ? 1 : 0;
      ASSERT_TRUE(absl::IsAborted(status) || absl::IsUnavailable(status)) << status;
      ASSERT_NO_FATAL_FAILURE(Await(&heads));
      const bool there = !heads.empty() && heads[0].chain == append.version.chain;
      status = there ? absl::OkStatus() : AppendOne(*store_, append);
    }
    bodies_.push_back(body);
    head_.version = append.version.version;
    head_.chain = append.version.chain;
  }

  void Judge() {
    std::vector<StateHead> heads;
    ASSERT_NO_FATAL_FAILURE(Await(&heads));
    const std::vector<std::string> there = Bodies(*store_, kEntry);
    if (there == bodies_) return;
    suite_.lost += bodies_.size() > there.size() ? bodies_.size() - there.size() : 0;
    suite_.duplicated += there.size() > bodies_.size() ? there.size() - bodies_.size() : 0;
    suite_.stale += there.size() == bodies_.size() ? 1 : 0;
  }

 private:
  // Until the server answers.
  void Await(std::vector<StateHead>* heads) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    absl::StatusOr<std::vector<StateHead>> read = store_->Heads();
    while (!read.ok() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      read = store_->Heads();
    }
    ASSERT_TRUE(read.ok()) << read.status();
    *heads = *std::move(read);
  }

  const std::unique_ptr<StateStore> store_;
  FaultSuite& suite_;
  StateHead head_;
  int64_t epoch_ = 0;
  std::vector<std::string> bodies_;  // acknowledged
};

// The backend of our session; 0: it is not seen.
int BackendOf(PostgresServer& server) {
  PGconn* const connection = PQconnectdb(server.Connection().c_str());
  PGresult* const result = PQexec(
      connection, "SELECT pid FROM pg_stat_activity WHERE application_name = 'tidemark' LIMIT 1");
  int backend = 0;
  if (PQntuples(result) != 1 || !absl::SimpleAtoi(PQgetvalue(result, 0, 0), &backend)) backend = 0;
  PQclear(result);
  PQfinish(connection);
  return backend;
}

// Kills at some moment of the next transaction.
class Killer {
 public:
  explicit Killer(std::mt19937_64& random) : random_(random) {}

  // SIGKILL to the backend of our session; the postmaster recovers by itself.
  Wound Backend(PostgresServer& server) {
    return {[this, &server] {
              const int backend = BackendOf(server);
              if (backend != 0) Soon([backend] { kill(backend, SIGKILL); });
              return backend != 0;
            },
            [this] { Join(); }};
  }
  template <typename Server>
  Wound Whole(Server& server) {
    return {[this, &server] {
              Soon([&server] { server.Kill(); });
              return true;
            },
            [this, &server] {
              Join();
              server.Start();
            }};
  }

 private:
  void Soon(std::function<void()> blow) {
    const uint64_t spins = random_() % 400'000;
    thread_ = std::thread([spins, blow = std::move(blow)] {
      for (std::atomic<uint64_t> i{0}; i < spins;) ++i;
      blow();
    });
  }
  void Join() {
    if (thread_.joinable()) thread_.join();
  }

  std::mt19937_64& random_;
  std::thread thread_;
};

TEST(ServerKillTest, K4WhatWasAcknowledgedStaysWhoeverIsKilled) {
  FaultSuite suite("K4", 6);
  suite.want = suite.cases() / 2;
  std::mt19937_64 random(suite.seed());
  PostgresServer postgres;
  ASSERT_TRUE(postgres.ok());
  auto store = OpenPostgresStateStore(postgres.Connection(), kConnection, {});
  ASSERT_TRUE(store.ok()) << store.status();
  RedisServer redis;
  ASSERT_TRUE(redis.ok());
  auto other = OpenRedisStateStore(redis.Address(), kConnection, {});
  ASSERT_TRUE(other.ok()) << other.status();
  Appending tables(*std::move(store), suite);
  Appending keys(*std::move(other), suite);
  Killer killer(random);
  for (uint64_t i = 0; i < suite.cases() && !HasFatalFailure(); ++i) {
    if (i % 6 == 4) {
      tables.Once(killer.Whole(postgres));
    } else if (i % 6 == 5) {
      keys.Once(killer.Whole(redis));
    } else {
      tables.Once(killer.Backend(postgres));
    }
  }
  if (!HasFailure()) {
    tables.Judge();
    keys.Judge();
  }
  EXPECT_TRUE(suite.Clean());
}

}  // namespace
}  // namespace tidemark::test
