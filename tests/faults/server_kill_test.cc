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
constexpr int kTries = 5'000;  // of 2 ms each and more

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

  // `wound` says whether it hit.
  void Once(const std::function<bool()>& wound) {
    const std::string body = absl::StrCat("body ", bodies_.size() + 1);
    const VersionAppend append = Next(kConnection, head_, body, epoch_);
    ++suite_.tried;
    suite_.hit += wound() ? 1 : 0;
    absl::Status status = AppendOne(*store_, append);
    // Until the server is there again; each try asks first what became of the last one.
    for (int tries = 0; !status.ok() && tries < kTries; ++tries) {
      // What was acknowledged before is not there to build on.
      suite_.lost += absl::IsDataLoss(status) ? 1 : 0;
      ASSERT_TRUE(absl::IsAborted(status) || absl::IsUnavailable(status)) << status;
      if (!store_->Heads().ok()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        continue;
      }
      status = HeadOf(*store_, kEntry).chain == append.version.chain ? absl::OkStatus()
                                                                     : AppendOne(*store_, append);
    }
    ASSERT_TRUE(status.ok()) << status;
    bodies_.push_back(body);
    head_.version = append.version.version;
    head_.chain = append.version.chain;
  }

  void Judge() {
    const std::vector<std::string> there = Bodies(*store_, kEntry);
    if (there == bodies_) return;
    suite_.lost += bodies_.size() > there.size() ? bodies_.size() - there.size() : 0;
    suite_.duplicated += there.size() > bodies_.size() ? there.size() - bodies_.size() : 0;
    suite_.stale += there.size() == bodies_.size() ? 1 : 0;
  }

 private:
  const std::unique_ptr<StateStore> store_;
  FaultSuite& suite_;
  StateHead head_;
  int64_t epoch_ = 0;
  std::vector<std::string> bodies_;  // acknowledged
};

// The backend of our session; 0: the server is just not there, from the kill before.
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

// SIGKILL to the backend of our session, at some moment of the next transaction.
bool KillBackend(PostgresServer& server, std::mt19937_64& random, std::thread* killer) {
  const int backend = BackendOf(server);
  if (backend == 0) return false;
  const uint64_t spins = random() % 400'000;
  *killer = std::thread([backend, spins] {
    for (std::atomic<uint64_t> i{0}; i < spins;) ++i;
    kill(backend, SIGKILL);
  });
  return true;
}

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
  for (uint64_t i = 0; i < suite.cases() && !HasFatalFailure(); ++i) {
    std::thread killer;
    if (i % 6 == 4) {
      tables.Once([&] {
        postgres.Kill();
        postgres.Start();
        return true;
      });
    } else if (i % 6 == 5) {
      keys.Once([&] {
        redis.Kill();
        redis.Start();
        return true;
      });
    } else {
      tables.Once([&] { return KillBackend(postgres, random, &killer); });
    }
    if (killer.joinable()) killer.join();
  }
  if (!HasFailure()) {
    tables.Judge();
    keys.Judge();
  }
  EXPECT_TRUE(suite.Clean());
}

}  // namespace
}  // namespace tidemark::test
