// T2: the server is killed (-9) while five programs push into one table. Each sends again what was
// not acknowledged; in the end the table is what they pushed, and every change was counted once.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/mutex.h"
#include "state/sqlite_connection.h"
#include "tests/faults/fault_suite.h"
#include "tests/service/push_client.h"

namespace tidemark::test {
namespace {

constexpr int kProducers = 5;
constexpr int64_t kKeys = 500;  // of each producer

// The server's process.
class KilledServer {
 public:
  explicit KilledServer(std::string folder) : folder_(std::move(folder)) {}
  ~KilledServer() { Kill(); }

  void Start() {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    std::string program =
        (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "push_server").string();
    char* const arguments[] = {program.data(), folder_.data(), nullptr};
    ASSERT_EQ(posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    input_ = ends[1];
  }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    End();
  }
  // In order. What it returned.
  int Stop() {
    close(std::exchange(input_, -1));
    return End();
  }

 private:
  int End() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    if (input_ >= 0) close(std::exchange(input_, -1));
    return status;
  }

  std::string folder_;
  pid_t pid_ = 0;
  int input_ = -1;
};

// Rows that were pushed until now, by all of them.
class Pushed {
 public:
  void Add(uint64_t rows) {
    MutexLock lock(mutex_);
    rows_ += rows;
    changed_.SignalAll();
  }
  // False: it does not come to that.
  bool Await(uint64_t rows) {
    const absl::Time until = absl::Now() + absl::Minutes(1);
    MutexLock lock(mutex_);
    while (rows_ < rows) {
      if (absl::Now() > until) return false;
      changed_.WaitFor(mutex_, absl::Seconds(1));
    }
    return true;
  }
  uint64_t rows() {
    MutexLock lock(mutex_);
    return rows_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  uint64_t rows_ ABSL_GUARDED_BY(mutex_) = 0;
};

// What one program pushes: upserts and deletes of its own keys, and what the table must hold.
class Producer {
 public:
  Producer(const std::string& address, int number, uint64_t seed)
      : number_(number), random_(seed), client_(Options(address, number)) {}

  absl::Status Run(const std::atomic<bool>& stop, Pushed* pushed) {
    absl::Status status = client_.Define(TableRequest(0, "item"));
    while (status.ok() && !stop) {
      v1::PushRequest request;
      const int rows = 1 + static_cast<int>(random_() % 40);
      for (int i = 0; i < rows; ++i) Add(request.mutable_rows()->add_rows());
      status = client_.Push(std::move(request));
      pushed->Add(static_cast<uint64_t>(rows));
    }
    return status.ok() ? client_.Finish() : status;
  }

  const std::map<int64_t, std::string>& model() const { return model_; }
  uint64_t changes() const { return changes_; }
  uint64_t streams() const { return client_.streams(); }

 private:
  static PushClient::Options Options(const std::string& address, int number) {
    PushClient::Options options;
    options.address = address;
    options.connection = "orders";
    options.producer = absl::StrCat("p", number);
    options.window = 32;
    return options;
  }

  void Add(v1::Row* row) {
    const int64_t id =
        number_ * kKeys + static_cast<int64_t>(random_() % static_cast<uint64_t>(kKeys));
    row->set_table("item");
    (*row->mutable_values())["id"].set_int64(id);
    ++changes_;
    if (random_() % 5 == 0) {
      row->set_kind(v1::CHANGE_KIND_DELETE);
      model_.erase(id);
      return;
    }
    const std::string text = absl::StrCat("change ", changes_);
    (*row->mutable_values())["name"].set_string(text);
    model_[id] = text;
  }

  const int number_;
  std::mt19937_64 random_;
  PushClient client_;
  std::map<int64_t, std::string> model_;
  uint64_t changes_ = 0;
};

class IngestKillTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "/tidemark-kill-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
    std::ofstream(folder_ + "/orders.yaml")
        << "name: orders\nsync:\n  source: {connector: ingest}\n  destination: {connection: \""
        << folder_ << "/warehouse.db\"}\n";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<std::unique_ptr<SqliteConnection>> Open() {
    return SqliteConnection::Open(folder_ + "/warehouse.db", SqliteConnection::Mode::kReadOnly);
  }
  std::map<int64_t, std::string> Table() {
    std::map<int64_t, std::string> table;
    auto file = Open();
    EXPECT_TRUE(file.ok()) << file.status();
    auto rows = (*file)->Query("SELECT id, name FROM item WHERE NOT _tidemark_deleted");
    EXPECT_TRUE(rows.ok()) << rows.status();
    while (rows.ok() && (*file)->Next(**rows).value_or(false)) {
      table[(*rows)->Int(0)] = (*rows)->String(1);
    }
    return table;
  }
  // Changes of a producer that the versions of its state count; -1: the oldest are gone.
  int64_t Counted(int producer) {
    auto file = Open();
    const std::string connection = absl::StrCat("orders/p", producer);
    auto row = (*file)->Query(
        "SELECT min(version), sum(inserted + updated + deleted + unchanged + superseded + missing) "
        "FROM _tidemark_state_history WHERE connection = ?",
        connection);
    EXPECT_TRUE(row.ok()) << row.status();
    if (!row.ok() || !(*file)->Next(**row).value_or(false)) return -2;
    return (*row)->Int(0) == 1 ? (*row)->Int(1) : -1;
  }

  std::string folder_;
};

TEST_F(IngestKillTest, WhatFiveProgramsPushIsThereOnceHoweverOftenTheServerIsKilled) {
  FaultSuite suite("T2", 3);
  std::mt19937_64 random(suite.seed());
  KilledServer server(folder_);
  ASSERT_NO_FATAL_FAILURE(server.Start());
  std::atomic<bool> stop = false;
  Pushed pushed;
  std::vector<std::unique_ptr<Producer>> producers;
  std::vector<absl::Status> ends(kProducers);
  std::vector<std::thread> threads;
  for (int p = 0; p < kProducers; ++p) {
    producers.push_back(
        std::make_unique<Producer>(absl::StrCat("unix:", folder_, "/socket"), p, random()));
    threads.emplace_back(
        [&stop, &pushed, producer = producers.back().get(), end = &ends[static_cast<size_t>(p)]] {
          *end = producer->Run(stop, &pushed);
        });
  }
  for (uint64_t i = 0; i < suite.cases(); ++i) {
    // The moment is the case: somewhere in what they push.
    const bool pushing = pushed.Await(pushed.rows() + 1 + random() % 6'000);
    server.Kill();
    ++suite.tried;
    suite.hit += pushing ? 1 : 0;
    ASSERT_NO_FATAL_FAILURE(server.Start());
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& end : ends) EXPECT_TRUE(end.ok()) << end;
  EXPECT_EQ(server.Stop(), 0);

  std::map<int64_t, std::string> model;
  for (int p = 0; p < kProducers; ++p) {
    const Producer& producer = *producers[static_cast<size_t>(p)];
    model.insert(producer.model().begin(), producer.model().end());
    const int64_t counted = Counted(p);
    if (counted == -1) continue;
    const auto changes = static_cast<int64_t>(producer.changes());
    EXPECT_EQ(counted, changes);
    suite.lost += counted < changes ? 1 : 0;
    suite.duplicated += counted > changes ? 1 : 0;
  }
  const std::map<int64_t, std::string> table = Table();
  for (const auto& [id, text] : model) {
    const auto found = table.find(id);
    suite.lost += found == table.end() ? 1 : 0;
    suite.stale += found != table.end() && found->second != text ? 1 : 0;
  }
  for (const auto& [id, text] : table) suite.duplicated += model.count(id) == 0 ? 1 : 0;
  EXPECT_TRUE(table == model);
  suite.want = suite.cases() / 2;
  EXPECT_TRUE(suite.Clean());
}

}  // namespace
}  // namespace tidemark::test
