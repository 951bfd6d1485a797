// Connections of folder and API: names, versions, what is broken, what a kill leaves.
#include "service/connection_book.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/exit_code.h"
#include "core/failpoint.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/connection_folder.h"
#include "tests/service/book_fixture.h"
#include "tests/service/test_clock.h"

namespace tidemark::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(BookTest, FilesBecomeConnectionsWithTheirFields) {
  Write("orders.yaml", Definition("", 500, "  frequency: hourly\npriority: 7\n"));
  Write("b.yml", Definition("customers"));
  Write("notes.txt", "no");
  Write(".hidden.yaml", Definition("hidden"));
  Write("a.yaml~", Definition("backup"));
  std::filesystem::create_directory(folder_ + "/below");
  WriteWhole(folder_ + "/below/c.yaml", Definition("below"));
  Open();
  EXPECT_THAT(Names(), ElementsAre("customers", "orders"));
  const ConnectionEntry orders = Get("orders");
  EXPECT_EQ(orders.origin, ConnectionOrigin::kFolder);
  EXPECT_EQ(orders.file, folder_ + "/orders.yaml");
  EXPECT_EQ(orders.folder, folder_);
  EXPECT_EQ(orders.version, 1u);
  EXPECT_TRUE(orders.usable);
  EXPECT_EQ(orders.problem, "");
  EXPECT_EQ(orders.schedule.text(), "hourly");
  EXPECT_EQ(orders.connector, "hello");
  EXPECT_EQ(orders.destination_type, "sqlite");
  EXPECT_EQ(orders.destination_path, "/tmp/w-.db");
  EXPECT_EQ(orders.priority, 7u);
  const absl::StatusOr<Connection> loaded = book_->Load("orders");
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->options.page_rows, 500u);
  EXPECT_EQ(loaded->name, "orders");
}

TEST_F(BookTest, ListsAreCutAndUnknownNamesGetTheNearest) {
  for (const char* name : {"alpha", "beta", "gamma"})
    Write(absl::StrCat(name, ".yaml"), Definition(name));
  Open();
  EXPECT_EQ(book_->size(), 3u);
  ASSERT_EQ(book_->List("alpha", 1).size(), 1u);
  EXPECT_EQ(book_->List("alpha", 1)[0].name, "beta");
  EXPECT_THAT(book_->List("gamma", 10), IsEmpty());
  const absl::Status status = book_->Get("gama").status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("did you mean \"gamma\"?"));
  EXPECT_TRUE(absl::IsNotFound(book_->Load("x").status()));
}

TEST_F(BookTest, EveryValidTextIsAVersionAlsoAcrossRestarts) {
  Write("a.yaml", Definition("a", 1));
  Open();
  EXPECT_THAT(Reload(), IsEmpty());
  Write("a.yaml", Definition("a", 2));
  EXPECT_THAT(Reload(), ElementsAre("a"));
  EXPECT_EQ(Get("a").version, 2u);
  Write("a.yaml", Definition("a", 1));  // as it once was: a version again
  EXPECT_THAT(Reload(), ElementsAre("a"));
  EXPECT_EQ(Get("a").version, 3u);
  Reopen();
  EXPECT_EQ(Get("a").version, 3u);
  Close();
  Write("a.yaml", Definition("a", 4));
  Open();
  EXPECT_EQ(Get("a").version, 4u);
  std::filesystem::rename(folder_ + "/a.yaml", folder_ + "/b.yaml");
  EXPECT_THAT(Reload(), ElementsAre("a"));
  EXPECT_EQ(Get("a").version, 4u);
  EXPECT_EQ(Get("a").file, folder_ + "/b.yaml");
}

TEST_F(BookTest, ABrokenFileLeavesItsLastValidDefinitionRunning) {
  Write("a.yaml", Definition("a", 1, "  frequency: hourly\n"));
  Write("other.yaml", Definition("other"));
  Open();
  struct Case {
    const char* name;
    std::function<void()> breaks;
    const char* problem;
  };
  for (const Case& c : std::vector<Case>{
           {"no YAML", [&] { Write("a.yaml", "name: [a\n"); }, "this is no YAML"},
           {"unknown key", [&] { Write("a.yaml", Definition("a", 1, "nonsense: 1\n")); },
            "a.yaml:6:1: nonsense: unknown key"},
           {"wrong value", [&] { Write("a.yaml", Definition("a", 0)); }, "batch_size"},
           {"wrong schedule", [&] { Write("a.yaml", Definition("a", 1, "  frequency: often\n")); },
            "is no schedule"},
           {"variable", [&] { Write("a.yaml", Definition("a", 1, "  naming: ${E1_NOT_SET}\n")); },
            "E1_NOT_SET is not set"},
           {"secret", [&] { Write("a.yaml", Definition("a", 1, "  naming: ${secret:n}\n")); },
            "there is no secret n"},
           {"empty", [&] { Write("a.yaml", ""); }, "must be a map"},
           {"binary", [&] { Write("a.yaml", std::string("name: a\n\0\1\2", 11)); }, "no text"},
           {"no UTF-8", [&] { Write("a.yaml", "name: a\xff\n"); }, "a.yaml:1:1: this is no text"},
           {"UTF-16", [&] { Write("a.yaml", std::string("\xff\xfen\0a\0", 6)); }, "no text"},
           {"huge", [&] { Write("a.yaml", Definition("a") + std::string(1 << 20, '#')); },
            "larger than"},
           {"given twice", [&] { Write("a.yaml", Definition("a") + "name: a\n"); }, "given twice"},
           {"alias bomb",
            [&] {
              std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
              for (char k = 'b'; k < 'k'; ++k) {
                const std::string before(1, static_cast<char>(k - 1));
                absl::StrAppend(&bomb, std::string(1, k), ": &", std::string(1, k), " [*",
                                absl::StrJoin(std::vector<std::string>(9, before), ",*"), "]\n");
              }
              Write("a.yaml", bomb);
            },
            "too many values"},
           {"large aliases",
            [&] {
              Write("a.yaml",
                    absl::StrCat("a: &a ", std::string(500'000, 'x'), "\nb: [",
                                 absl::StrJoin(std::vector<std::string>(100, "*a"), ","), "]\n"));
            },
            "too much text"},
           {"cycle", [&] { Write("a.yaml", "name: a\nsync: &s {source: *s}\n"); }, "a.yaml:2"},
           {"deep", [&] { Write("a.yaml", std::string(5000, '[') + std::string(5000, ']')); },
            "a.yaml:1"},
           {"link that leads nowhere",
            [&] { std::filesystem::create_symlink("none", folder_ + "/a.yaml"); }, "leads nowhere"},
           {"link in a circle",
            [&] { std::filesystem::create_symlink("a.yaml", folder_ + "/a.yaml"); }, "circle"},
           {"folder", [&] { std::filesystem::create_directory(folder_ + "/a.yaml"); },
            "this is no file"},
           {"pipe", [&] { mkfifo((folder_ + "/a.yaml").c_str(), 0600); }, "this is no file"}}) {
    SCOPED_TRACE(c.name);
    Remove("a.yaml");
    c.breaks();
    Reload();
    EXPECT_THAT(Names(), ElementsAre("a", "other"));
    ConnectionEntry entry = Get("a");
    EXPECT_THAT(entry.problem, HasSubstr(c.problem));
    EXPECT_THAT(entry.problem, HasSubstr("version 1 of the definition goes on running"));
    EXPECT_TRUE(entry.usable);
    EXPECT_EQ(entry.version, 1u);
    EXPECT_EQ(entry.schedule.text(), "hourly");
    EXPECT_EQ(*entry.yaml, Definition("a", 1, "  frequency: hourly\n"));
    EXPECT_EQ(Get("other").problem, "");
    const absl::StatusOr<Connection> loaded = book_->Load("a");
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->options.page_rows, 1u);
    Reopen();  // from the catalog
    EXPECT_TRUE(Get("a").usable);
    EXPECT_THAT(Get("a").problem, HasSubstr(c.problem));
    EXPECT_TRUE(book_->Load("a").ok());
  }
  Remove("a.yaml");
  Write("a.yaml", Definition("a", 9));
  EXPECT_THAT(Reload(), ElementsAre("a"));
  EXPECT_EQ(Get("a").problem, "");
  EXPECT_EQ(Get("a").version, 2u);
}

TEST_F(BookTest, AFileThatWasNeverValidIsKeptAndSaid) {
  Write("a.yaml", "name: x\nsync: 1\n");
  Open();
  const ConnectionEntry entry = Get("x");
  EXPECT_FALSE(entry.usable);
  EXPECT_EQ(entry.version, 0u);
  EXPECT_EQ(entry.schedule.kind(), Schedule::Kind::kManual);
  EXPECT_EQ(*entry.yaml, "name: x\nsync: 1\n");
  EXPECT_THAT(entry.problem, HasSubstr("a.yaml:2:7"));
  const absl::Status load = book_->Load("x").status();
  EXPECT_EQ(load.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(load.message()), HasSubstr("a.yaml:2:7"));
  EXPECT_EQ(book_->SetPaused("x", true).status().code(), absl::StatusCode::kFailedPrecondition);
  Write("a.yaml", Definition("x"));
  EXPECT_THAT(Reload(), ElementsAre("x"));
  EXPECT_EQ(Get("x").version, 1u);
}

TEST_F(BookTest, OfTwoFilesWithOneNameTheFirstByPathHasIt) {
  Write("b.yaml", Definition("orders", 2));
  Open();
  EXPECT_EQ(Get("orders").file, folder_ + "/b.yaml");
  Write("c.yaml", Definition("orders", 3));
  Reload();
  EXPECT_THAT(Names(), ElementsAre("c", "orders"));
  EXPECT_THAT(Get("c").problem, HasSubstr(absl::StrCat("c.yaml: name: \"orders\" is the name of ",
                                                       folder_, "/b.yaml")));
  EXPECT_FALSE(Get("c").usable);
  EXPECT_EQ(Get("orders").version, 1u);
  Write("a.yaml", Definition("orders", 1));
  Reload();
  EXPECT_THAT(Names(), ElementsAre("b", "c", "orders"));
  EXPECT_EQ(Get("orders").file, folder_ + "/a.yaml");
  EXPECT_EQ(Get("orders").version, 2u);
  Remove("a.yaml");
  Remove("b.yaml");
  EXPECT_THAT(Reload(), ElementsAre("b", "c", "orders"));
  EXPECT_THAT(Names(), ElementsAre("orders"));
  EXPECT_EQ(Get("orders").file, folder_ + "/c.yaml");
  EXPECT_EQ(Get("orders").version, 3u);
}

TEST_F(BookTest, AFileThatTakesTheNameOfAnotherGoesOnUnderItsOwn) {
  Write("a.yaml", Definition("a"));
  Write("b.yaml", Definition("b", 5));
  Open();
  Write("b.yaml", Definition("a", 6));
  Reload();
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
  EXPECT_TRUE(Get("b").usable);
  EXPECT_THAT(Get("b").problem, HasSubstr("is the name of"));
  EXPECT_EQ(book_->Load("b")->options.page_rows, 5u);
  EXPECT_EQ(Get("a").version, 1u);
}

TEST_F(BookTest, ConnectionsOfTheApiKeepTheirNamesAgainstFiles) {
  Open();
  ASSERT_TRUE(book_->Apply(Definition("x", 1), false, 0).ok());
  Write("a.yaml", Definition("x", 2));
  Reload();
  EXPECT_THAT(Names(), ElementsAre("a", "x"));
  EXPECT_EQ(Get("x").origin, ConnectionOrigin::kApi);
  EXPECT_THAT(Get("a").problem, HasSubstr("a connection of the API"));
  ASSERT_TRUE(book_->Delete("x", 0).ok());
  Reload();
  EXPECT_THAT(Names(), ElementsAre("x"));
  EXPECT_EQ(Get("x").origin, ConnectionOrigin::kFolder);
  EXPECT_EQ(Get("x").version, 2u);
  EXPECT_EQ(book_->Apply(Definition("x", 3), false, 0).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(book_->Delete("x", 0).code(), absl::StatusCode::kFailedPrecondition);
  Reopen();
  EXPECT_EQ(Get("x").origin, ConnectionOrigin::kFolder);
}

TEST_F(BookTest, ARemovedFileRemovesItsConnectionAndKeepsItsPause) {
  Write("a.yaml", Definition("a"));
  Write("b.yaml", Definition("b"));
  Open();
  ASSERT_TRUE(book_->SetPaused("a", true).ok());
  Remove("a.yaml");
  EXPECT_THAT(Reload(), ElementsAre("a"));
  EXPECT_TRUE(absl::IsNotFound(book_->Get("a").status()));
  Reopen();
  EXPECT_THAT(Names(), ElementsAre("b"));
  // Broken when it comes back: nothing of before runs again.
  Write("a.yaml", "name: a\nsync: {}\nx: 1\n");
  Reload();
  EXPECT_FALSE(Get("a").usable);
  Write("a.yaml", Definition("a"));
  Reload();
  EXPECT_TRUE(Get("a").paused);
  EXPECT_EQ(Get("a").version, 1u);
}

TEST_F(BookTest, AFolderThatCannotBeReadChangesNothing) {
  Write("a.yaml", Definition("a"));
  Open();
  std::filesystem::rename(folder_, folder_ + "2");
  EXPECT_TRUE(book_->Changed());
  EXPECT_TRUE(absl::IsNotFound(book_->Reload().status()));
  EXPECT_THAT(Names(), ElementsAre("a"));
  EXPECT_TRUE(book_->Load("a").ok());
  std::filesystem::rename(folder_ + "2", folder_);
  EXPECT_THAT(Reload(), IsEmpty());
  Close();
  std::filesystem::remove_all(folder_);
  EXPECT_TRUE(absl::IsNotFound(TryOpen()));
}

TEST_F(BookTest, ACatalogThatCannotBeWrittenChangesNothingAndIsTriedAgain) {
  TestClock clock(absl::UnixEpoch());  // to which no file is fresh
  clock_ = &clock;
  Write("a.yaml", Definition("a", 1));
  Open();
  Write("a.yaml", Definition("a", 22));
  ASSERT_TRUE(ArmFailpoints("catalog.before_commit=1*error(RESOURCE_EXHAUSTED)", "").ok());
  EXPECT_EQ(book_->Reload().status().code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(ArmFailpoints("", "").ok());
  EXPECT_EQ(Get("a").version, 1u);
  EXPECT_EQ(book_->Load("a")->options.page_rows, 1u);
  EXPECT_TRUE(book_->Changed());
  EXPECT_THAT(Reload(), ElementsAre("a"));
  EXPECT_EQ(book_->Load("a")->options.page_rows, 22u);
}

TEST_F(BookTest, ChangedLooksAtTimesAndAgainAtWhatHasAProblem) {
  TestClock clock(absl::UnixEpoch());  // to which no file is fresh
  clock_ = &clock;
  Write("a.yaml", Definition("a", 1));
  Write("b.yaml", Definition("b", 1, "  naming: ${secret:n}\n"));
  Open();
  EXPECT_FALSE(book_->Changed());
  Write("a.yaml", Definition("a", 10));
  EXPECT_TRUE(book_->Changed());
  EXPECT_THAT(Reload(), ElementsAre("a"));
  EXPECT_FALSE(book_->Changed());
  Write(".env", "X=1\n");
  EXPECT_TRUE(book_->Changed());
  Reload();
  EXPECT_FALSE(book_->Changed());
  secrets_["n"] = "snake_case";
  clock.Advance(absl::Seconds(11));
  EXPECT_TRUE(book_->Changed());
  EXPECT_THAT(Reload(), ElementsAre("b"));
  EXPECT_TRUE(Get("b").usable);
  clock.Advance(absl::Seconds(11));
  EXPECT_FALSE(book_->Changed());
  Remove("a.yaml");
  EXPECT_TRUE(book_->Changed());
}

TEST_F(BookTest, VariablesStandBesideTheFiles) {
  Write("a.yaml", Definition("a", 1, "  naming: ${E1_NAMING}\n"));
  Write(".env", "E1_NAMING=snake_case\n");
  Open();
  EXPECT_EQ(Get("a").problem, "");
  EXPECT_EQ(book_->Load("a")->options.naming, Naming::kSnakeCase);
  Write(".env", "E1_NAMING=source\n");
  Reload();
  EXPECT_EQ(book_->Load("a")->options.naming, Naming::kSource);
  EXPECT_EQ(Get("a").version, 1u);
  EXPECT_EQ(book_->FolderProblem(), "");
  Write(".env", "E1_NAMING source\n");
  Reload();
  EXPECT_THAT(book_->FolderProblem(), HasSubstr(".env:1: expected NAME=value"));
  EXPECT_TRUE(book_->Load("a").ok()) << "the last good ones are used";
  Remove(".env");
  Reload();
  EXPECT_EQ(book_->FolderProblem(), "");
  EXPECT_FALSE(Get("a").usable);
  EXPECT_THAT(Get("a").problem, HasSubstr("E1_NAMING is not set"));
}

TEST_F(BookTest, AFolderSeesWritesThatLeaveNoTraceInSizeAndTimes) {
  ConnectionFolder folder(folder_, &Clock::Real());
  for (int i = 0; i < 500; ++i) {  // several of them within one tick of the file system's clock
    Write("a.yaml", Definition("a", 100 + i));
    EXPECT_TRUE(folder.Changed());
    const absl::StatusOr<std::vector<ConnectionFile>> files = folder.Read();
    ASSERT_TRUE(files.ok()) << files.status();
    ASSERT_EQ(*files->at(0).text, Definition("a", 100 + i));
  }
}

// ---- the API ----

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
    EXPECT_FALSE(book_->Reload().value().size() > 0);
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

TEST_F(BookTest, AThousandConnectionsAreSmallAndQuicklyLookedAt) {
  const auto resident = [] {
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> pages;
    return pages * 4096;
  };
  TestClock clock(absl::UnixEpoch());
  clock_ = &clock;
  Write("warm.yaml", Definition("warm"));
  Open();
  const long before = resident();
  for (int i = 0; i < 1000; ++i) {
    Write(absl::StrCat("c", i, ".yaml"),
          Definition(absl::StrCat("c", i), 1 + i, "  frequency: every 10 minutes\n"));
  }
  EXPECT_EQ(Reload().size(), 1000u);
  EXPECT_LT(resident() - before, 30 << 20);
  const absl::Time start = absl::Now();
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(book_->Changed());
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));  // of every 20 s
}

}  // namespace
}  // namespace tidemark::test
