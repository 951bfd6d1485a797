// Definitions of the API: what they may ask for, where no secret stands, and what a kill leaves.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/exit_code.h"
#include "core/failpoint.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/connection_book.h"
#include "tests/service/book_fixture.h"

namespace tidemark::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(BookTest, ApplyCreatesAndReplacesAndSaysWhatChanges) {
  Open();
  absl::StatusOr<ApplyResult> dry = book_->Apply(Definition("x", 1), true, 0);
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_TRUE(dry->created);
  EXPECT_EQ(dry->entry.version, 1u);
  EXPECT_THAT(Names(), IsEmpty());
  absl::StatusOr<ApplyResult> made = book_->Apply(Definition("x", 1), false, 0);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->created && made->changed);
  EXPECT_THAT(absl::StrJoin(made->changes, "\n"),
              HasSubstr("sync.batch_size: 1000 (default) -> 1"));
  absl::StatusOr<ApplyResult> same = book_->Apply(Definition("x", 1), false, 1);
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_FALSE(same->created || same->changed);
  EXPECT_THAT(same->changes, IsEmpty());
  EXPECT_EQ(same->entry.version, 1u);
  absl::StatusOr<ApplyResult> next = book_->Apply(Definition("x", 2), false, 1);
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_THAT(next->changes, ElementsAre("sync.batch_size: 1 -> 2"));
  EXPECT_EQ(next->entry.version, 2u);
  const absl::Status late = book_->Apply(Definition("x", 3), false, 1).status();
  EXPECT_EQ(late.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(late.message()), HasSubstr("is at version 2, not 1"));
  EXPECT_EQ(book_->Apply(Definition("y", 3), false, 1).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(book_->Delete("x", 1).code(), absl::StatusCode::kAborted);
  Reopen();
  EXPECT_EQ(Get("x").version, 2u);
  EXPECT_EQ(Get("x").file, "connection x");
  EXPECT_EQ(book_->Load("x")->options.page_rows, 2u);
  ASSERT_TRUE(book_->SetPaused("x", true).ok());
  ASSERT_TRUE(book_->Delete("x", 2).ok());
  EXPECT_TRUE(absl::IsNotFound(book_->Delete("x", 0)));
  EXPECT_TRUE(absl::IsNotFound(book_->Get("x").status()));
  // Numbers go on: version 2 of before is not version 2 of now.
  ASSERT_TRUE(book_->Apply(Definition("x", 2), false, 0).ok());
  EXPECT_EQ(Get("x").version, 3u);
  EXPECT_FALSE(Get("x").paused);
}

TEST_F(BookTest, DefinitionsOfTheApiAskForNoMoreThanTheyMay) {
  with_folder_ = false;
  Open();
  setenv("E1_CANARY_TOKEN", "env-canary", 1);
  WriteWhole(root_ + "/file", "file-canary");
  const std::string start = "name: x\nsync:\n  destination: {connection: w.db}\n";
  struct Case {
    std::string text;
    const char* error;
  };
  for (const Case& c : std::vector<Case>{
           {"sync: {source: {connector: hello}, destination: {connection: w.db}}\n",
            "definition:1:1: name: give the connection a name"},
           {"name: \"a b\"\nsync: {}\n", "name: expected letters"},
           {"name: [x\n", "this is no YAML"},
           {"", "must be a map"},
           {start, "connection x:1:1: sync.source: name the connector"},
           {start + "  source: {connector: hello, config: {a: \"${E1_CANARY_TOKEN}\"}}\n",
            "${E1_CANARY_TOKEN} may not be used here"},
           {start + "  source: {connector: hello, config: {a: \"${env:E1_CANARY_TOKEN}\"}}\n",
            "may not be used here"},
           {start + "  source: {connector: hello, config: {a: \"${file:" + root_ + "/file}\"}}\n",
            "may not be used here"},
           {start + "  source: {connector: hello, config: {a: \"${secret:none}\"}}\n",
            "there is no secret none"},
           {start + "  source: {connector: hello}\n  isolation: in_process\n",
            "in_process may only be chosen by a file"},
           {start + "  source: {connector: hello}\n  sandbox: \"off\"\n",
            "off may only be chosen by a file"},
           {start + "  source: {connector: /tmp/evil.so}\n", "a path may only be given by a file"},
           {start + "  source: {connector: evil.so}\n", "a path may only be given by a file"},
           {"name: x\nsync:\n  source: {connector: hello}\n  destination: {connection: " + data_ +
                "/catalog.db}\n",
            "lies in the server's data folder"},
           {"name: x\nsync:\n  source: {connector: hello}\n  destination: {connection: "
            "../catalog.db}\n",
            "lies in the server's data folder"},
           {"name: x\nsync:\n  source: {connector: sqlite, connection: " + data_ +
                "/files/../catalog.db}\n  destination: {connection: w.db}\n",
            "lies in the server's data folder"},
           {start + "  source: {connector: files, config: {path: [" + data_ + "]}}\n",
            "lies in the server's data folder"},
           {"name: x\n" + std::string(1 << 20, '#'), "larger than"}}) {
    const absl::Status status = book_->Apply(c.text, false, 0).status();
    ASSERT_FALSE(status.ok()) << c.text;
    EXPECT_TRUE(IsUsage(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.error)) << c.text.substr(0, 300);
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("canary")));
  }
  EXPECT_THAT(Names(), IsEmpty());
  // A link into the data folder is seen through; the folder for files is free to use.
  std::filesystem::create_directory_symlink(data_, root_ + "/link");
  EXPECT_FALSE(
      book_
          ->Apply("name: x\nsync: {source: {connector: hello}, destination: {connection: " + root_ +
                      "/link/w.db}}\n",
                  false, 0)
          .ok());
  absl::StatusOr<ApplyResult> good =
      book_->Apply(start + "  source: {connector: hello}\n", false, 0);
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_EQ(good->entry.destination_path, data_ + "/files/w.db");
}

TEST_F(BookTest, ValuesOfReferencesStandNowhere) {
  secrets_["token"] = "canary-of-the-store";
  setenv("E1_CANARY_TOKEN", "canary-of-the-environment", 1);
  WriteWhole(root_ + "/token", "canary-of-a-file\n");
  const std::string config = "  source: {connector: hello, connection: \"u:${secret:token}@h\"}\n";
  const std::string destination = "  destination: {connection: w.db}\n";
  Write("a.yaml", "name: a\nsync:\n" + destination +
                      "  source: {connector: hello, connection: \"${E1_CANARY_TOKEN}\", config: "
                      "{a: \"${file:" +
                      root_ + "/token}\", b: \"${secret:token}\"}}\n");
  Write("b.yaml", "name: b\nsync:\n" + destination + config +
                      "  batch_size: \"${secret:token}\"\n"
                      "  nonsense: ${E1_CANARY_TOKEN}\n");
  Open();
  ASSERT_TRUE(book_->Apply("name: c\nsync:\n" + destination + config, false, 0).ok());
  absl::StatusOr<ApplyResult> changed =
      book_->Apply("name: c\nsync:\n  batch_size: 5\n" + destination +
                       "  source: {connector: hello, connection: literal-password}\n",
                   true, 0);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_THAT(changed->changes, ElementsAre("sync.batch_size: 1000 (default) -> 5",
                                            "sync.source.connection: *** -> ***"));
  const absl::StatusOr<Connection> loaded = book_->Load("a");
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->source.connection->text, "canary-of-the-environment");
  EXPECT_EQ(loaded->source.config.Find("a")->text, "canary-of-a-file");
  EXPECT_EQ(loaded->source.config.Find("b")->text, "canary-of-the-store");
  EXPECT_THAT(loaded->secrets,
              testing::UnorderedElementsAre("canary-of-the-environment", "canary-of-a-file",
                                            "canary-of-the-store"));
  // A value that is wrong stands in its problem: the log's redactor knows it only from Load().
  EXPECT_FALSE(Get("b").usable);
  for (const ConnectionEntry& entry : book_->List("", 10)) {
    for (const std::string& text : {entry.problem, *entry.yaml, entry.connector,
                                    entry.destination_path, entry.schedule.text()}) {
      EXPECT_THAT(text, Not(HasSubstr("canary"))) << entry.name;
    }
  }
  for (const auto& file : std::filesystem::directory_iterator(data_)) {
    if (!file.is_regular_file()) continue;
    EXPECT_THAT(ReadWhole(file.path()), Not(HasSubstr("canary"))) << file.path();
  }
  secrets_.clear();
  const absl::Status gone = book_->Load("c").status();
  EXPECT_TRUE(IsUsage(gone));
  EXPECT_THAT(std::string(gone.message()), HasSubstr("there is no secret token"));
}

TEST_F(BookTest, ListenersHearOfEveryChangeAndMayAskBack) {
  Open();
  std::vector<std::string> heard;
  book_->SetListener([&](const std::vector<std::string>& names) {
    heard.push_back(absl::StrJoin(names, "+"));
    book_->List("", 10);
    EXPECT_THAT(Reload(), IsEmpty());
  });
  ASSERT_TRUE(book_->Apply(Definition("x"), false, 0).ok());
  ASSERT_TRUE(book_->Apply(Definition("x"), false, 0).ok());  // no change
  ASSERT_TRUE(book_->Apply(Definition("x", 2), true, 0).ok());
  ASSERT_TRUE(book_->SetPaused("x", true).ok());
  ASSERT_TRUE(book_->SetPaused("x", true).ok());  // no change
  Write("a.yaml", Definition("a"));
  Write("b.yaml", Definition("b"));
  Reload();
  ASSERT_TRUE(book_->Delete("x", 0).ok());
  EXPECT_THAT(heard, ElementsAre("x", "x", "a+b", "x"));
}

TEST_F(BookTest, ManyThreadsReadWhileOthersChange) {
  Write("a.yaml", Definition("a"));
  Open();
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      for (int k = 1; k <= 10; ++k) {
        const std::string name = absl::StrCat("c", i);
        EXPECT_TRUE(book_->Apply(Definition(name, k), false, 0).ok());
        EXPECT_TRUE(book_->SetPaused(name, k % 2 == 0).ok());
        EXPECT_TRUE(book_->Load("a").ok());
        EXPECT_TRUE(book_->Reload().ok());
        book_->List("", 100);
        book_->Changed();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Names(), ElementsAre("a", "c0", "c1", "c2", "c3"));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Get(absl::StrCat("c", i)).version, 10u);
}

// ---- kill -9 ----

TEST_F(BookTest, AKillLeavesTheOldOrTheNewDefinitionWhole) {
  struct Act {
    const char* name;
    std::function<void()> act;
    std::function<std::string()> look;
    const char* before;
    const char* after;
  };
  const std::vector<Act> acts = {
      {"apply", [this] { book_->Apply(Definition("x", 2), false, 0).IgnoreError(); },
       [this] { return absl::StrCat(Get("x").version, " ", book_->Load("x")->options.page_rows); },
       "1 1", "2 2"},
      {"pause", [this] { book_->SetPaused("x", true).IgnoreError(); },
       [this] { return std::string(Get("x").paused ? "paused" : "runs"); }, "runs", "paused"},
      {"delete", [this] { book_->Delete("x", 0).IgnoreError(); },
       [this] { return std::string(book_->Get("x").ok() ? "there" : "gone"); }, "there", "gone"}};
  for (const Act& act : acts) {
    for (const auto& [point, expected] :
         {std::pair<const char*, const char*>{"catalog.begun", act.before},
          {"catalog.before_commit", act.before},
          {"catalog.committed", act.after}}) {
      SCOPED_TRACE(absl::StrCat(act.name, " at ", point));
      std::filesystem::remove_all(data_);
      Open();
      ASSERT_TRUE(book_->Apply(Definition("x", 1), false, 0).ok());
      Close();
      const pid_t child = fork();
      if (child == 0) {
        if (!TryOpen().ok()) _exit(1);
        if (!ArmFailpoints(absl::StrCat(point, "=1*kill"), "").ok()) _exit(2);
        act.act();
        _exit(3);
      }
      int status = 0;
      waitpid(child, &status, 0);
      ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
      Open();
      EXPECT_EQ(act.look(), expected);
      Close();
    }
  }
}

}  // namespace
}  // namespace tidemark::test
