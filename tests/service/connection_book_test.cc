// Connections of the folder: names, versions, what is broken, what is read again.
#include "service/connection_book.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr long kMaxGrowth = 200 << 20;  // what was freed stays
#else
constexpr long kMaxGrowth = 30 << 20;
#endif

// Breaks a.yaml, which was valid, and expects that its definition of before goes on.
class BrokenFileTest : public BookTest {
 protected:
  void Expect(const std::string& name, const std::function<void()>& breaks,
              const std::string& problem) {
    SCOPED_TRACE(name);
    const std::string valid = Definition("a", 1, "  frequency: hourly\n");
    if (book_ == nullptr) {
      Write("a.yaml", valid);
      Write("other.yaml", Definition("other"));
      Open();
    }
    Remove("a.yaml");
    breaks();
    Reload();
    EXPECT_THAT(Names(), ElementsAre("a", "other"));
    const ConnectionEntry entry = Get("a");
    EXPECT_THAT(entry.problem, HasSubstr(problem));
    EXPECT_THAT(entry.problem, HasSubstr("version 1 of the definition goes on running"));
    EXPECT_TRUE(entry.usable);
    EXPECT_EQ(entry.version, 1u);
    EXPECT_EQ(entry.schedule.text(), "hourly");
    EXPECT_EQ(*entry.yaml, valid);
    EXPECT_EQ(Get("other").problem, "");
    const absl::StatusOr<Connection> loaded = book_->Load("a");
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->options.page_rows, 1u);
    Reopen();  // from the catalog
    EXPECT_TRUE(Get("a").usable);
    EXPECT_THAT(Get("a").problem, HasSubstr(problem));
    EXPECT_TRUE(book_->Load("a").ok());
  }
};

// Ten lists, each nine times the one before.
std::string AliasBomb() {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char k = 'b'; k < 'k'; ++k) {
    const std::string before(1, static_cast<char>(k - 1));
    absl::StrAppend(&bomb, std::string(1, k), ": &", std::string(1, k), " [*",
                    absl::StrJoin(std::vector<std::string>(9, before), ",*"), "]\n");
  }
  return bomb;
}

TEST_F(BrokenFileTest, ATextThatIsNotValidLeavesTheLastValidOneRunning) {
  const std::string large =
      absl::StrCat("a: &a ", std::string(500'000, 'x'), "\nb: [",
                   absl::StrJoin(std::vector<std::string>(100, "*a"), ","), "]\n");
  struct Case {
    const char* name;
    std::string text;
    const char* problem;
  };
  for (const Case& c : std::vector<Case>{
           {"no YAML", "name: [a\n", "this is no YAML"},
           {"unknown key", Definition("a", 1, "nonsense: 1\n"),
            "a.yaml:6:1: nonsense: unknown key"},
           {"wrong value", Definition("a", 0), "batch_size"},
           {"wrong schedule", Definition("a", 1, "  frequency: often\n"), "is no schedule"},
           {"variable", Definition("a", 1, "  naming: ${E1_NOT_SET}\n"), "E1_NOT_SET is not set"},
           {"secret", Definition("a", 1, "  naming: ${secret:n}\n"), "there is no secret n"},
           {"empty", "", "must be a map"},
           {"binary", std::string("name: a\n\0\1\2", 11), "no text"},
           {"no UTF-8", "name: a\xff\n", "a.yaml:1:1: this is no text"},
           {"UTF-16", std::string("\xff\xfen\0a\0", 6), "no text"},
           {"huge", Definition("a") + std::string(1 << 20, '#'), "larger than"},
           {"given twice", Definition("a") + "name: a\n", "given twice"},
           {"alias bomb", AliasBomb(), "too many values"},
           {"large aliases", large, "too much text"},
           {"cycle", "name: a\nsync: &s {source: *s}\n", "a.yaml:2"},
           {"deep", std::string(5000, '[') + std::string(5000, ']'), "a.yaml:1"}}) {
    Expect(c.name, [this, &c] { Write("a.yaml", c.text); }, c.problem);
  }
  Write("a.yaml", Definition("a", 9));
  EXPECT_THAT(Reload(), ElementsAre("a"));
  EXPECT_EQ(Get("a").problem, "");
  EXPECT_EQ(Get("a").version, 2u);
}

TEST_F(BrokenFileTest, WhatIsNoFileLeavesTheLastValidTextRunning) {
  const std::string path = folder_ + "/a.yaml";
  Expect("nowhere", [&] { std::filesystem::create_symlink("none", path); }, "leads nowhere");
  Expect("circle", [&] { std::filesystem::create_symlink("a.yaml", path); }, "circle");
  Expect("folder", [&] { std::filesystem::create_directory(path); }, "this is no file");
  Expect("pipe", [&] { mkfifo(path.c_str(), 0600); }, "this is no file");
}

// Whoever may write to the folder may not make this user read what he himself may not.
TEST_F(BrokenFileTest, LinksThatLeadOutOfTheFolderAreNotFollowed) {
  const std::string path = folder_ + "/a.yaml";
  WriteWhole(root_ + "/elsewhere", Definition("a", 5));
  std::filesystem::create_directory(folder_ + "/below");
  std::filesystem::create_symlink("../../elsewhere", folder_ + "/below/out");
  std::filesystem::create_directory_symlink(root_, folder_ + "/up");
  for (const std::string& target :
       {std::string("../elsewhere"), root_ + "/elsewhere", std::string("below/out"),
        std::string("up/elsewhere"), std::string("/dev/stdin"), std::string("/proc/self/cwd/x")}) {
    const auto link = [&] { std::filesystem::create_symlink(target, path); };
    Expect(target, link, "a link that leads out of the folder");
  }
  WriteWhole(root_ + "/env", "E1_NAMING=snake_case\n");
  std::filesystem::create_symlink("../env", folder_ + "/.env");
  Reload();
  EXPECT_THAT(book_->FolderProblem(), HasSubstr(".env: a link that leads out of the folder"));
}

// A ConfigMap is mounted so: each file is a link through ..data, which is exchanged as a whole.
TEST_F(BookTest, LinksWithinTheFolderAreFollowed) {
  for (const char* version : {"..1", "..2"}) {
    std::filesystem::create_directory(absl::StrCat(folder_, "/", version));
    Write(absl::StrCat(version, "/a.yaml"), Definition("a", version[2] - '0'));
  }
  std::filesystem::create_directory_symlink("..1", folder_ + "/..data");
  std::filesystem::create_symlink("..data/a.yaml", folder_ + "/a.yaml");
  Open();
  EXPECT_EQ(Get("a").problem, "");
  EXPECT_EQ(book_->Load("a")->options.page_rows, 1u);
  std::filesystem::create_directory_symlink("..2", folder_ + "/..new");
  std::filesystem::rename(folder_ + "/..new", folder_ + "/..data");
  EXPECT_TRUE(book_->Changed());
  Reload();
  EXPECT_EQ(Get("a").problem, "");
  EXPECT_EQ(book_->Load("a")->options.page_rows, 2u);
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
  EXPECT_LT(resident() - before, kMaxGrowth);
  const absl::Time start = absl::Now();
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(book_->Changed());
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));  // of every 20 s
}

}  // namespace
}  // namespace tidemark::test
