// One suite for every StateStore (server/state/state_store.h). A test program includes this header
// and instantiates StateStoreConformanceTest with its stores:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StateStoreConformanceTest, testing::Values(SqliteFile()),
//                            StoreUnderTestName);
#ifndef TIDEMARK_TESTS_STATE_STATE_STORE_CONFORMANCE_H_
#define TIDEMARK_TESTS_STATE_STATE_STORE_CONFORMANCE_H_

#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "state/next_version.h"
#include "state/state_store.h"
#include "tests/state/state_store_history_conformance.h"
#include "tests/state/state_store_test.h"

namespace tidemark {

TEST_P(StateStoreConformanceTest, AnEmptyStoreHasNothing) {
  absl::StatusOr<std::optional<StateHolder>> holder = store_->Holder();
  ASSERT_TRUE(holder.ok()) << holder.status();
  EXPECT_FALSE(holder->has_value());
  if (GetParam().missing_is_empty) {
    EXPECT_TRUE(store_->Heads().ok());
  } else {
    EXPECT_EQ(absl::StatusCode::kNotFound, store_->Heads().status().code());
  }
  EXPECT_FALSE(store_->Describe().empty());
  EXPECT_EQ(1, Acquire());
  absl::StatusOr<std::vector<StateHead>> heads = store_->Heads();
  ASSERT_TRUE(heads.ok()) << heads.status();
  EXPECT_TRUE(heads->empty());
  EXPECT_TRUE(Read(All("t")).empty());
  EXPECT_TRUE(store_->Audit(10)->empty());
}

TEST_P(StateStoreConformanceTest, AVersionReadsBackAsItWasWritten) {
  Acquire();
  NextVersion next;
  next.kind = StateKind::kImport;
  next.state.schema = "public";
  next.state.table = "users";
  next.state.body = std::string("\x00\x01\xff\n\"\\ \xc3\xa4", 9);
  next.state.cursor = "2024-01-15T10:30:00Z \xe6\x97\xa5";
  next.state.format = 4'000'000'000;
  next.state.watermark_us = -5;
  next.epoch = epoch_;
  next.now_us = 1'700'000'000'123'456;
  next.sync_id = "01HX";
  next.group_id = "g";
  next.engine = "tidemark 0.1.0";
  StateHead head;
  VersionAppend append = AppendAfter("c", head, next);
  append.version.counts = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  append.version.chain = ComputeChain(append.version);
  ASSERT_TRUE(store_->Append({&append, 1}, {}).ok());
  Reopen();
  const std::vector<StoredVersion> versions = Read(All("public.users"));
  ASSERT_EQ(1u, versions.size());
  EXPECT_TRUE(versions[0].readable.ok());
  const StateVersion& read = versions[0].version;
  EXPECT_EQ("c", read.connection);
  EXPECT_EQ("public.users", read.entry);
  EXPECT_EQ(append.version.body, read.body);
  EXPECT_EQ(append.version.counts, read.counts);
  EXPECT_EQ(append.version.cursor, read.cursor);
  EXPECT_EQ(append.version.watermark_us, read.watermark_us);
  EXPECT_EQ(append.version.chain, ComputeChain(read)) << "some field is not as it was written";
  head = Head("public.users");
  EXPECT_EQ("public", head.schema);
  EXPECT_EQ("users", head.table);
  EXPECT_EQ(1, head.version);
  EXPECT_EQ(append.version.chain, head.chain);
  EXPECT_EQ("", head.anchor);
}

TEST_P(StateStoreConformanceTest, VersionsAreReadInEitherOrderFromAnyNumberUpToALimit) {
  Acquire();
  AddAll("t", 6);
  AddAll("other", 2);
  VersionQuery query = All("t");
  EXPECT_EQ((std::vector<int64_t>{1, 2, 3, 4, 5, 6}), Numbers(query));
  query.first = 3;
  EXPECT_EQ((std::vector<int64_t>{3, 4, 5, 6}), Numbers(query));
  query.limit = 2;
  EXPECT_EQ((std::vector<int64_t>{3, 4}), Numbers(query));
  query.newest_first = true;
  EXPECT_EQ((std::vector<int64_t>{6, 5}), Numbers(query));
  query.limit = -1;
  EXPECT_EQ((std::vector<int64_t>{6, 5, 4, 3}), Numbers(query));
  query.limit = 0;
  EXPECT_TRUE(Numbers(query).empty());
  query = All("t");
  query.bodies = false;
  for (const StoredVersion& stored : Read(query)) {
    EXPECT_TRUE(stored.readable.ok());
    EXPECT_EQ("", stored.version.body);
    EXPECT_TRUE(stored.body_bytes == 6 || stored.body_bytes == -1) << stored.body_bytes;
  }
  EXPECT_TRUE(Read(All("nowhere")).empty());
}

TEST_P(StateStoreConformanceTest, AnErrorOfTheReaderEndsTheReading) {
  Acquire();
  AddAll("t", 3);
  int seen = 0;
  const absl::Status status = store_->ReadVersions(All("t"), [&seen](StoredVersion&) {
    return ++seen == 2 ? absl::CancelledError("enough") : absl::OkStatus();
  });
  EXPECT_EQ(absl::StatusCode::kCancelled, status.code());
  EXPECT_EQ(2, seen);
  EXPECT_EQ(3u, Read(All("t")).size());
}

// Invariant I3.
TEST_P(StateStoreConformanceTest, AnAppendOnAnotherHeadDivergesAndWritesNothing) {
  Acquire();
  AddAll("t", 2);
  const StateHead head = Head("t");
  StateHead nothing;
  nothing.table = "t";
  StateHead behind = head;
  behind.version = 1;
  StateHead ahead = head;
  ahead.version = 9;
  StateHead fork = head;
  fork.chain[0] = static_cast<char>(fork.chain[0] ^ 1);
  StateHead stranger = head;
  stranger.entry = stranger.table = "new";
  for (const StateHead& from : {nothing, behind, ahead, fork, stranger}) {
    const VersionAppend append = Following(from, "body");
    const absl::Status status = store_->Append({&append, 1}, {});
    EXPECT_EQ(absl::StatusCode::kDataLoss, status.code()) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "DIVERGED")) << status;
  }
  EXPECT_EQ(2u, Read(All("t")).size());
  EXPECT_TRUE(Read(All("new")).empty());
  EXPECT_TRUE(Add("t", "3").ok());
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, EntriesOfOneAppendAreWrittenTogetherOrNotAtAll) {
  Acquire();
  AddAll("a", 1);
  AddAll("b", 1);
  std::vector<VersionAppend> appends = {Following(Head("a"), "2"), Following(Head("new"), "1"),
                                        Following(Head("b"), "2")};
  AuditRecord record;
  record.action = "import";
  std::vector<VersionAppend> wrong = appends;
  wrong[2] = Following(Head("nowhere"), "x");
  wrong[2].expected_version = 3;
  wrong[2].version.version = 4;
  wrong[2].version.parent = 3;
  wrong[2].version.chain = ComputeChain(wrong[2].version);
  const absl::Status status = store_->Append(wrong, {&record, 1});
  EXPECT_EQ(absl::StatusCode::kDataLoss, status.code()) << status;
  EXPECT_EQ(1, Head("a").version);
  EXPECT_EQ(0, Head("new").version);
  EXPECT_TRUE(Read(All("new")).empty());
  EXPECT_TRUE(store_->Audit(10)->empty());
  ASSERT_TRUE(store_->Append(appends, {&record, 1}).ok());
  EXPECT_EQ(2, Head("a").version);
  EXPECT_EQ(1, Head("new").version);
  EXPECT_EQ(2, Head("b").version);
  EXPECT_EQ(1u, store_->Audit(10)->size());
}

TEST_P(StateStoreConformanceTest, SeveralVersionsOfOneEntryInOneAppendFollowEachOther) {
  Acquire();
  AddAll("t", 1);
  std::vector<VersionAppend> appends;
  StateHead head = Head("t");
  for (int i = 2; i <= 5; ++i) {
    appends.push_back(Following(head, absl::StrCat("body ", i)));
    head.version = appends.back().version.version;
    head.chain = appends.back().version.chain;
  }
  ASSERT_TRUE(store_->Append(appends, {}).ok());
  EXPECT_EQ(5, Head("t").version);
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
  EXPECT_EQ((std::vector<int64_t>{1, 2, 3, 4, 5}), Numbers(All("t")));
}

TEST_P(StateStoreConformanceTest, ASecondHolderIsRefusedByName) {
  Acquire();
  AddAll("t", 1);
  std::unique_ptr<StateStore> other = Open();
  absl::StatusOr<int64_t> epoch = other->Acquire(Ask());
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, epoch.status().code()) << epoch.status();
  EXPECT_TRUE(absl::StrContains(epoch.status().message(), "conformance test")) << epoch.status();
  EXPECT_TRUE(absl::StrContains(epoch.status().message(), "since")) << epoch.status();
  // Reading needs no ownership, writing does.
  EXPECT_EQ(1, Head("t", other.get()).version);
  EXPECT_EQ(1u, Read(All("t"), other.get()).size());
  const VersionAppend append = Following(Head("t"), "2");
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, other->Append({&append, 1}, {}).code());
  EXPECT_TRUE(store_->Append({&append, 1}, {}).ok());
  EXPECT_TRUE(store_->Renew().ok());
  store_->Release();
  epoch = other->Acquire(Ask());
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  EXPECT_EQ(2, *epoch);
}

TEST_P(StateStoreConformanceTest, WhoeverIsTakenOverWritesNothingAnyMore) {
  Acquire();
  AddAll("t", 2);
  std::unique_ptr<StateStore> other = Open();
  absl::StatusOr<int64_t> epoch = other->Acquire(Ask(true));
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  EXPECT_EQ(epoch_ + 1, *epoch);
  // Also an entry that nobody has seen before; before and after the new holder's first version.
  for (int i = 0; i < 2; ++i) {
    for (const char* entry : {"t", "first seen now"}) {
      const VersionAppend append = Following(Head(entry), "of the old holder");
      const absl::Status status = store_->Append({&append, 1}, {});
      EXPECT_EQ(absl::StatusCode::kFailedPrecondition, status.code()) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "FENCED")) << status;
    }
    EXPECT_EQ(absl::StatusCode::kFailedPrecondition, store_->Renew().code());
    const VersionAppend append = Following(Head("t", other.get()), "of the new holder");
    EXPECT_TRUE(other->Append({&append, 1}, {}).ok());
  }
  EXPECT_EQ(4u, Read(All("t"), other.get()).size());
  EXPECT_TRUE(Read(All("first seen now"), other.get()).empty());
  absl::StatusOr<std::vector<AuditRecord>> audit = other->Audit(10);
  ASSERT_TRUE(audit.ok()) << audit.status();
  ASSERT_EQ(1u, audit->size());
  EXPECT_EQ("take-over", (*audit)[0].action);
  store_->Release();  // gives nothing back that is not its own
  EXPECT_TRUE(other->Renew().ok());
}

TEST_P(StateStoreConformanceTest, TheHolderIsNamed) {
  Acquire();
  std::unique_ptr<StateStore> other = Open();
  absl::StatusOr<std::optional<StateHolder>> holder = other->Holder();
  ASSERT_TRUE(holder.ok()) << holder.status();
  ASSERT_TRUE(holder->has_value());
  EXPECT_EQ(epoch_, (*holder)->epoch);
  EXPECT_EQ("conformance test", (*holder)->holder);
  EXPECT_EQ(getpid(), (*holder)->pid);
  EXPECT_GT((*holder)->pid_start, 0);
  EXPECT_FALSE((*holder)->boot_id.empty());
  EXPECT_GT((*holder)->acquired_at_us, 0);
  EXPECT_TRUE((*holder)->held);
  store_->Release();
  holder = other->Holder();
  ASSERT_TRUE(holder.ok() && holder->has_value());
  EXPECT_EQ(epoch_, (*holder)->epoch);
  EXPECT_FALSE((*holder)->held);
}

TEST_P(StateStoreConformanceTest, EverythingIsThereAfterReopening) {
  EXPECT_EQ(1, Acquire());
  AddAll("t", 3);
  const StateHead before = Head("t");
  for (int64_t epoch = 2; epoch < 5; ++epoch) {
    Reopen();
    EXPECT_EQ(before.chain, Head("t").chain);
    EXPECT_TRUE(Verify("t").ok()) << Verify("t");
    EXPECT_EQ(epoch, Acquire());
  }
  EXPECT_TRUE(Add("t", "4").ok());
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, ConnectionsOfOnePlaceDoNotMeet) {
  Acquire();
  AddAll("t", 2);
  for (const char* name : {"d", "c2", "C", "c/../c", "\xc3\xa4 b", "c%"}) {
    std::unique_ptr<StateStore> other = Open(name);
    absl::StatusOr<int64_t> epoch = other->Acquire(Ask());
    ASSERT_TRUE(epoch.ok()) << name << ": " << epoch.status();
    EXPECT_EQ(1, *epoch) << name;
    EXPECT_TRUE(other->Heads()->empty()) << name;
    StateHead head;
    head.table = "t";
    const VersionAppend append = Following(head, name, name);
    EXPECT_TRUE(other->Append({&append, 1}, {}).ok()) << name;
    EXPECT_EQ(1, Head("t", other.get()).version) << name;
  }
  EXPECT_EQ(2, Head("t").version);
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_STATE_STATE_STORE_CONFORMANCE_H_
