#include "service/sync_book.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/service/test_clock.h"

namespace tidemark::test {
namespace {

class SyncBookTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "/tidemark-book-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
    Open();
  }
  void TearDown() override {
    book_ = nullptr;
    catalog_ = nullptr;
    std::filesystem::remove_all(folder_);
  }
  void Open() {
    book_ = nullptr;
    catalog_ = nullptr;
    absl::StatusOr<std::unique_ptr<Catalog>> catalog = Catalog::Open(folder_ + "/data");
    ASSERT_TRUE(catalog.ok()) << catalog.status();
    catalog_ = *std::move(catalog);
    absl::StatusOr<std::unique_ptr<SyncBook>> book = SyncBook::Open(catalog_.get(), &clock_);
    ASSERT_TRUE(book.ok()) << book.status();
    book_ = *std::move(book);
  }
  SyncEntry Add(const std::string& connection) {
    clock_.Advance(absl::Milliseconds(1));
    SyncEntry entry;
    entry.connection = connection;
    absl::StatusOr<SyncEntry> added = book_->Add(entry);
    EXPECT_TRUE(added.ok()) << added.status();
    return *added;
  }
  SyncEntry Begin(const std::string& connection) {
    absl::StatusOr<SyncEntry> started = book_->Start(Add(connection).sync_id);
    EXPECT_TRUE(started.ok()) << started.status();
    return *started;
  }
  SyncEntry End(SyncEntry entry, SyncPhase phase = SyncPhase::kCompleted,
                const std::string& report = "") {
    entry.phase = phase;
    EXPECT_TRUE(book_->End(entry, report).ok());
    absl::StatusOr<SyncEntry> ended = book_->Get(entry.sync_id);
    EXPECT_TRUE(ended.ok()) << ended.status();
    return *ended;
  }
  void Publish(const std::string& id, int count) {
    for (int i = 0; i < count; ++i) {
      SyncFeedEvent event;
      event.rows = static_cast<uint64_t>(i);
      event.table = "orders";
      book_->Publish(id, std::move(event));
    }
  }
  std::vector<SyncEntry> List(const SyncQuery& query) {
    absl::StatusOr<std::vector<SyncEntry>> entries = book_->List(query);
    EXPECT_TRUE(entries.ok()) << entries.status();
    return *entries;
  }

  TestClock clock_{absl::FromUnixSeconds(1'772'445'603)};
  std::string folder_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<SyncBook> book_;
};

// Who sees the end asks for the report.
TEST_F(SyncBookTest, AnEndIsSeenOnceItsReportIsStored) {
  const SyncEntry entry = Begin("orders");
  std::future<void> ending;
  ASSERT_TRUE(
      catalog_
          ->With([&](SqliteConnection&) {
            ending = std::async(std::launch::async,
                                [&] { End(entry, SyncPhase::kCompleted, R"({"ended":true})"); });
            EXPECT_EQ(ending.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
            EXPECT_EQ(book_->Get(entry.sync_id)->phase, SyncPhase::kRunning);
            EXPECT_FALSE(book_->Last("orders").has_value());
            return absl::OkStatus();
          })
          .ok());
  ending.get();
  EXPECT_EQ(book_->Get(entry.sync_id)->phase, SyncPhase::kCompleted);
  EXPECT_EQ(book_->Report(entry.sync_id).value(), R"({"ended":true})");
}

TEST_F(SyncBookTest, KeepsASyncFromItsQueueingToItsEnd) {
  const SyncEntry queued = Add("shop");
  EXPECT_EQ(book_->Get(queued.sync_id)->phase, SyncPhase::kQueued);
  SyncEntry running = *book_->Start(queued.sync_id);
  EXPECT_EQ(running.phase, SyncPhase::kRunning);
  EXPECT_GT(running.started_at_us, 0);
  running.counts.inserted = 7;
  running.counts.missing_updates = 3;
  running.error = "one bad row";
  running.error_code = absl::StatusCode::kInvalidArgument;
  running.retries = 2;
  End(running, SyncPhase::kPartial, "{\"a\": 1}");
  clock_.Advance(absl::Minutes(2));
  End(Begin("other"));  // what ended a minute ago is no longer in memory
  for (int opened = 0; opened < 2; ++opened) {
    const SyncEntry stored = *book_->Get(queued.sync_id);
    EXPECT_EQ(stored.phase, SyncPhase::kPartial);
    EXPECT_EQ(stored.counts, running.counts);
    EXPECT_EQ(stored.error, "one bad row");
    EXPECT_EQ(stored.error_code, absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(stored.retries, 2u);
    EXPECT_GT(stored.ended_at_us, stored.started_at_us - 1);
    EXPECT_EQ(*book_->Report(queued.sync_id), "{\"a\": 1}");
    EXPECT_EQ(book_->Last("shop")->sync_id, queued.sync_id);
    Open();
  }
  EXPECT_TRUE(absl::IsNotFound(book_->Get("sync_none").status()));
}

TEST_F(SyncBookTest, ClosesWhatAKilledServerLeftOpen) {
  const std::string queued = Add("a").sync_id;
  const std::string running = Begin("b").sync_id;
  End(Begin("c"));
  Open();
  ASSERT_EQ(book_->Interrupted().size(), 2u);
  for (const std::string& id : {queued, running}) {
    const SyncEntry entry = *book_->Get(id);
    EXPECT_EQ(entry.phase, SyncPhase::kFailed);
    EXPECT_EQ(entry.error, "the server ended");
    EXPECT_TRUE(entry.interrupted);
  }
  EXPECT_TRUE(book_->Live().empty());
  EXPECT_TRUE(book_->Last("b")->interrupted);
  Open();
  EXPECT_TRUE(book_->Interrupted().empty());
}

TEST_F(SyncBookTest, IdsGrowEvenWhereTheClockIsSetBackAndAfterARestart) {
  std::string last = End(Begin("a")).sync_id;
  for (int i = 0; i < 4; ++i) {
    clock_.Set(-absl::Hours(1));
    if (i == 2) Open();
    const SyncEntry next = End(Begin("a"));
    EXPECT_GT(next.sync_id, last);
    EXPECT_EQ(next.queued_at_us, absl::ToUnixMicros(clock_.Now()));
    last = next.sync_id;
  }
  // Times of queueing are filtered by, although the ids' own times are hours ahead.
  SyncQuery query;
  query.until_us = absl::ToUnixMicros(clock_.Now()) + 1;
  EXPECT_EQ(List(query).size(), 1u);
  query.until_us = INT64_MAX;
  query.from_us = absl::ToUnixMicros(clock_.Now()) + 1;
  EXPECT_EQ(List(query).size(), 4u);
}

TEST_F(SyncBookTest, PagesShowWhatWasThereExactlyOnceWhileOthersComeAndEnd) {
  std::set<std::string> expected;
  std::vector<SyncEntry> running;
  for (int i = 0; i < 57; ++i) {
    SyncEntry entry = Begin(i % 2 == 0 ? "even" : "odd");
    expected.insert(entry.sync_id);
    i % 5 == 0 ? running.push_back(entry) : static_cast<void>(End(entry));
  }
  SyncQuery query;
  query.limit = 10;
  std::set<std::string> seen;
  while (true) {
    const std::vector<SyncEntry> entries = List(query);
    if (entries.empty()) break;
    for (const SyncEntry& entry : entries) EXPECT_TRUE(seen.insert(entry.sync_id).second);
    query.after = entries.back().sync_id;
    Begin("late");
    if (!running.empty()) {
      End(running.back());
      running.pop_back();
    }
  }
  EXPECT_EQ(seen, expected);
}

TEST_F(SyncBookTest, FiltersByConnectionPhaseTimeAndCaller) {
  std::vector<SyncEntry> all;
  for (int i = 0; i < 30; ++i) {
    const SyncEntry entry = Begin(absl::StrCat("c", i % 3));
    all.push_back(i >= 27 ? entry : i % 7 == 0 ? End(entry, SyncPhase::kFailed) : End(entry));
  }
  const auto expect = [&](const SyncQuery& query, const std::function<bool(const SyncEntry&)>& in) {
    std::vector<std::string> expected;
    for (auto entry = all.rbegin(); entry != all.rend(); ++entry) {
      if (in(*entry)) expected.push_back(entry->sync_id);
    }
    std::vector<std::string> found;
    for (const SyncEntry& entry : List(query)) found.push_back(entry.sync_id);
    EXPECT_EQ(found, expected);
  };
  SyncQuery query;
  expect(query, [](const SyncEntry&) { return true; });
  query.connection = "c1";
  expect(query, [](const SyncEntry& e) { return e.connection == "c1"; });
  query.phases = {SyncPhase::kFailed, SyncPhase::kRunning};
  expect(query, [](const SyncEntry& e) {
    return e.connection == "c1" && e.phase != SyncPhase::kCompleted;
  });
  query.connection = "";
  expect(query, [](const SyncEntry& e) { return e.phase != SyncPhase::kCompleted; });
  query.phases = {};
  query.may_see = [](absl::string_view name) { return name == "c2"; };
  expect(query, [](const SyncEntry& e) { return e.connection == "c2"; });
  query.connection = "c1";
  expect(query, [](const SyncEntry&) { return false; });
  query = SyncQuery();
  query.from_us = all[5].queued_at_us;
  query.until_us = all[20].queued_at_us;
  expect(query, [&](const SyncEntry& e) {
    return e.queued_at_us >= query.from_us && e.queued_at_us < query.until_us;
  });
}

TEST_F(SyncBookTest, WatchersReadEverythingInOrderAndAreToldOfTheEnd) {
  SyncEntry entry = Begin("shop");
  std::atomic<int> calls{0};
  const std::shared_ptr<SyncBook::Watch> watch =
      book_->Subscribe(entry.sync_id, [&calls] { ++calls; });
  Publish(entry.sync_id, 25);
  EXPECT_EQ(calls, 25);
  absl::StatusOr<SyncBook::FeedPage> page = book_->Read(entry.sync_id, 0, 20);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->events.size(), 20u);
  EXPECT_EQ(page->events[0].kind, SyncFeedEvent::Kind::kStarted);
  EXPECT_EQ(page->events[0].record->sync_id, entry.sync_id);
  EXPECT_EQ(page->events[19].sequence, 20u);
  EXPECT_EQ(page->events[19].rows, 18u);
  EXPECT_EQ(page->events[19].table, "orders");
  End(entry);
  EXPECT_EQ(calls, 26);
  page = book_->Read(entry.sync_id, 20, 100);
  ASSERT_EQ(page->events.size(), 7u);
  EXPECT_EQ(page->events.back().kind, SyncFeedEvent::Kind::kEnded);
  EXPECT_EQ(page->events.back().record->phase, SyncPhase::kCompleted);
  EXPECT_TRUE(page->ended);
}

TEST_F(SyncBookTest, EventsOutliveTheMemoryAndTheServerForAnHour) {
  const SyncEntry entry = Begin("shop");
  SyncFeedEvent event;
  event.kind = SyncFeedEvent::Kind::kLog;
  event.text = "a \"line\" of the log, \xC3\xA4";
  event.level = 2;
  book_->Publish(entry.sync_id, event);
  event.kind = SyncFeedEvent::Kind::kProgress;
  event.lag_seconds = 1.5;
  book_->Publish(entry.sync_id, event);
  End(entry);
  clock_.Advance(absl::Minutes(59));
  ASSERT_TRUE(book_->Prune(absl::Hours(24), 100).ok());
  Open();
  const absl::StatusOr<SyncBook::FeedPage> page = book_->Read(entry.sync_id, 1, 100);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->events.size(), 3u);
  EXPECT_EQ(page->events[0].text, "a \"line\" of the log, \xC3\xA4");
  EXPECT_EQ(page->events[0].level, 2);
  EXPECT_EQ(page->events[1].lag_seconds, 1.5);
  EXPECT_EQ(page->events[2].record->phase, SyncPhase::kCompleted);
  EXPECT_TRUE(page->ended);
  clock_.Advance(absl::Minutes(2));
  ASSERT_TRUE(book_->Prune(absl::Hours(24), 100).ok());
  Open();
  EXPECT_TRUE(absl::IsNotFound(book_->Read(entry.sync_id, 1, 100).status()));
  EXPECT_TRUE(book_->Get(entry.sync_id).ok());
}

TEST_F(SyncBookTest, KeepsTheNewestTenThousandEventsAndNamesTheOldest) {
  const SyncEntry entry = Begin("shop");
  Publish(entry.sync_id, 10'500);
  const absl::StatusOr<SyncBook::FeedPage> gone = book_->Read(entry.sync_id, 0, 10);
  EXPECT_TRUE(absl::IsOutOfRange(gone.status()));
  ASSERT_TRUE(OldestKept(gone.status()).has_value());
  const uint64_t oldest = *OldestKept(gone.status());
  EXPECT_EQ(oldest, 502u);
  const absl::StatusOr<SyncBook::FeedPage> page = book_->Read(entry.sync_id, oldest - 1, 20'000);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->events.size(), kFeedEvents);
  EXPECT_EQ(page->oldest, oldest);
}

TEST_F(SyncBookTest, AWatchThatIsGoneIsNotCalledAnyMore) {
  const SyncEntry entry = Begin("shop");
  std::atomic<bool> gone{false};
  std::atomic<bool> stop{false};
  std::atomic<int> late{0};
  std::thread publisher([&] {
    while (!stop) Publish(entry.sync_id, 1);
  });
  for (int i = 0; i < 500; ++i) {
    gone = false;
    std::shared_ptr<SyncBook::Watch> watch =
        book_->Subscribe(entry.sync_id, [&] { late += gone ? 1 : 0; });
    if (i % 3 == 0) std::this_thread::yield();
    watch = nullptr;
    gone = true;
  }
  stop = true;
  publisher.join();
  EXPECT_EQ(late, 0);
}

TEST_F(SyncBookTest, AWatchMayEndItself) {
  const SyncEntry entry = Begin("shop");
  std::shared_ptr<SyncBook::Watch> watch;
  int calls = 0;
  watch = book_->Subscribe(entry.sync_id, [&] {
    ++calls;
    watch = nullptr;
  });
  Publish(entry.sync_id, 3);
  EXPECT_EQ(calls, 1);
}

TEST_F(SyncBookTest, PruningForgetsOldSyncsAndKeepsTheNewest) {
  std::vector<std::string> ids;
  ids.reserve(30);
  for (int i = 0; i < 30; ++i)
    ids.push_back(End(Begin("shop"), SyncPhase::kCompleted, "{}").sync_id);
  const SyncEntry running = Begin("shop");
  clock_.Advance(absl::Hours(2));
  for (int i = 0; i < 5; ++i) End(Begin("shop"));
  ASSERT_TRUE(book_->Prune(absl::Hours(24), 20).ok());
  EXPECT_EQ(List({}).size(), 20u);
  EXPECT_TRUE(absl::IsNotFound(book_->Get(ids[0]).status()));
  EXPECT_TRUE(absl::IsNotFound(book_->Report(ids[0]).status()));
  EXPECT_TRUE(book_->Report(ids[29]).ok());
  ASSERT_TRUE(book_->Prune(absl::Hours(1), 20).ok());
  EXPECT_EQ(List({}).size(), 6u);
  EXPECT_TRUE(book_->Get(running.sync_id).ok());
}

}  // namespace
}  // namespace tidemark::test
