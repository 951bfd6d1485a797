// The part of state_store_conformance.h, which includes it, about what becomes of versions: repair,
// copy, retention, audit, sizes and names.
#ifndef TIDEMARK_TESTS_STATE_STATE_STORE_HISTORY_CONFORMANCE_H_
#define TIDEMARK_TESTS_STATE_STATE_STORE_HISTORY_CONFORMANCE_H_

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "state/next_version.h"
#include "state/state_store.h"
#include "tests/state/state_store_test.h"

namespace tidemark {

TEST_P(StateStoreConformanceTest, ARepairSetsVersionsAsideAndHistoryVerifies) {
  Acquire();
  AddAll("t", 5);
  const VersionAppend repair = RepairTo("t", 3);
  AuditRecord record;
  record.at_us = 5;
  record.action = "repair";
  record.entry = "t";
  record.by = "test";
  record.detail = "versions 4 and 5 did not verify";
  ASSERT_TRUE(store_->Append({&repair, 1}, {&record, 1}).ok());
  Reopen();
  EXPECT_EQ((std::vector<int64_t>{1, 2, 3, 6}), Numbers(All("t")));
  EXPECT_EQ(6, Head("t").version);
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
  EXPECT_EQ("body 3", Read(All("t")).back().version.body);
  EXPECT_EQ("versions 4 and 5 did not verify", (*store_->Audit(1))[0].detail);
  // Life goes on, and a second repair may follow.
  Acquire();
  ASSERT_TRUE(Add("t", "7").ok());
  const VersionAppend again = RepairTo("t", 2);
  ASSERT_TRUE(store_->Append({&again, 1}, {}).ok());
  EXPECT_EQ((std::vector<int64_t>{1, 2, 8}), Numbers(All("t")));
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
  EXPECT_TRUE(Add("t", "9").ok());
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, ARepairMayBeginAnewWhenNothingIsGood) {
  Acquire();
  AddAll("t", 3);
  const StateHead head = Head("t");
  NextVersion next;
  next.kind = StateKind::kRepair;
  next.state.table = "t";
  next.state.body = "from a backup";
  next.epoch = epoch_;
  StateHead from = head;
  from.chain.clear();
  VersionAppend append = AppendAfter("c", from, next);
  append.version.parent = 0;
  append.version.chain = ComputeChain(append.version);
  append.expected_chain = head.chain;
  append.set_aside = {1, 2, 3};
  append.anchor = "";
  ASSERT_TRUE(store_->Append({&append, 1}, {}).ok());
  EXPECT_EQ((std::vector<int64_t>{4}), Numbers(All("t")));
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, ACopyBeginsWithTheOldestVersionThatIsLeft) {
  Acquire();
  StateHead head;
  head.table = "t";
  head.version = 30;
  head.chain = std::string(32, 'x');
  VersionAppend append = Following(head, "31");
  append.expected_version = 0;
  append.expected_chain.clear();
  append.anchor = head.chain;
  ASSERT_TRUE(store_->Append({&append, 1}, {}).ok());
  EXPECT_EQ(head.chain, Head("t").anchor);
  EXPECT_EQ(31, Head("t").version);
  EXPECT_TRUE(Add("t", "32").ok());
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, RetentionKeepsTheNewestAndAnAnchor) {
  OwnershipRequest request = Ask();
  request.retention = {8, 1 << 20};
  request.horizon.newer_versions = 3;
  Acquire(request);
  ASSERT_TRUE(Add("rarely", "1").ok());
  std::string chain;
  for (int i = 1; i <= 20; ++i) {
    if (i == 13) chain = Head("t").chain;
    ASSERT_TRUE(Add("t", absl::StrCat("body ", i)).ok());
  }
  EXPECT_EQ((std::vector<int64_t>{13, 14, 15, 16, 17, 18, 19, 20}), Numbers(All("t")));
  EXPECT_EQ(chain, Head("t").anchor);
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
  EXPECT_EQ((std::vector<int64_t>{1}), Numbers(All("rarely")));
  EXPECT_TRUE(Verify("rarely").ok()) << Verify("rarely");
  // Bytes count, too, but never at the cost of the rollback horizon.
  Reopen();
  request.retention = {1000, 2500};
  Acquire(request);
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(Add("t", std::string(600, static_cast<char>('a' + i))).ok());
  }
  EXPECT_EQ((std::vector<int64_t>{25, 26, 27, 28}), Numbers(All("t")));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Add("t", std::string(5000, static_cast<char>('a' + i))).ok());
  }
  EXPECT_EQ((std::vector<int64_t>{28, 29, 30, 31}), Numbers(All("t")));
  Reopen();
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, RetentionPassesTheGapOfARepair) {
  OwnershipRequest request = Ask();
  request.retention = {3, 1 << 20};
  request.horizon.newer_versions = 1;
  Acquire(request);
  AddAll("t", 3);
  const VersionAppend repair = RepairTo("t", 1);
  ASSERT_TRUE(store_->Append({&repair, 1}, {}).ok());
  for (int i = 5; i <= 8; ++i) {
    ASSERT_TRUE(Add("t", absl::StrCat("body ", i)).ok());
    ASSERT_TRUE(Verify("t").ok()) << Verify("t");
  }
  EXPECT_EQ((std::vector<int64_t>{6, 7, 8}), Numbers(All("t")));
}

TEST_P(StateStoreConformanceTest, TheAuditIsReadNewestFirstAndOutlivesRetention) {
  OwnershipRequest request = Ask();
  request.retention = {2, 1 << 20};
  request.horizon.newer_versions = 1;
  Acquire(request);
  for (int i = 1; i <= 5; ++i) {
    AuditRecord record;
    record.at_us = i;
    record.action = "rollback";
    record.entry = "t";
    record.by = "somebody \xc3\xa4";
    record.detail = absl::StrCat("line ", i, "\nsecond \"line\"");
    const VersionAppend append = Following(Head("t"), absl::StrCat("body ", i));
    ASSERT_TRUE(store_->Append({&append, 1}, {&record, 1}).ok());
  }
  Reopen();
  absl::StatusOr<std::vector<AuditRecord>> audit = store_->Audit(2);
  ASSERT_TRUE(audit.ok()) << audit.status();
  ASSERT_EQ(2u, audit->size());
  EXPECT_EQ(5, (*audit)[0].at_us);
  EXPECT_EQ("rollback", (*audit)[0].action);
  EXPECT_EQ("t", (*audit)[0].entry);
  EXPECT_EQ("somebody \xc3\xa4", (*audit)[0].by);
  EXPECT_EQ("line 5\nsecond \"line\"", (*audit)[0].detail);
  EXPECT_EQ(5u, store_->Audit(-1)->size());
  EXPECT_TRUE(Open("d")->Audit(10).value_or(std::vector<AuditRecord>()).empty());
}

TEST_P(StateStoreConformanceTest, ABodyMayHaveTenMebibytes) {
  Acquire();
  std::string body(10 << 20, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + i / 251);
  ASSERT_TRUE(Add("t", body).ok());
  ASSERT_TRUE(Add("t", "small").ok());
  Reopen();
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
  EXPECT_TRUE(Read(All("t"))[0].version.body == body);
}

TEST_P(StateStoreConformanceTest, AnyNameMayBeAnEntry) {
  Acquire();
  const std::vector<std::string> names = {
      "",     "t",      "T",        "t able",       "\"t\"; DROP TABLE x--", "t'",
      "t\nu", "t:u{v}", "\xc3\xa4", "\xe6\x97\xa5", "\xf0\x9f\x90\xa2",      std::string(500, 'n')};
  for (const std::string& name : names) {
    const absl::Status status = Add(name, absl::StrCat("body of ", name));
    ASSERT_TRUE(status.ok()) << name << ": " << status;
  }
  Reopen();
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  absl::StatusOr<std::vector<StateHead>> heads = store_->Heads();
  ASSERT_TRUE(heads.ok()) << heads.status();
  std::vector<std::string> found;
  found.reserve(heads->size());
  for (const StateHead& head : *heads) found.push_back(head.entry);
  EXPECT_EQ(sorted, found) << "entries are listed in the order of their bytes";
  for (const std::string& name : names) {
    EXPECT_TRUE(Verify(name).ok()) << name << ": " << Verify(name);
    EXPECT_EQ(absl::StrCat("body of ", name), Read(All(name))[0].version.body);
  }
}

TEST_P(StateStoreConformanceTest, AVersionThatBreaksTheRulesIsRefused) {
  Acquire();
  AddAll("t", 2);
  const VersionAppend good = Following(Head("t"), "3");
  const std::vector<std::pair<const char*, std::function<void(VersionAppend&)>>> cases = {
      {"a body that is not its hash", [](VersionAppend& a) { a.version.body += "x"; }},
      {"a field that is not in its chain", [](VersionAppend& a) { a.version.epoch += 1; }},
      {"another connection", [](VersionAppend& a) { a.version.connection = "d"; }},
      {"another table", [](VersionAppend& a) { a.table = "u"; }},
      {"a number left out", [](VersionAppend& a) { a.version.version += 1; }},
      {"a parent that is newer", [](VersionAppend& a) { a.version.parent = 3; }},
      {"no chain to the head", [](VersionAppend& a) { a.version.prev_chain[0] ^= 1; }},
      {"set aside without a repair", [](VersionAppend& a) { a.set_aside = {1}; }},
      {"an anchor without a repair", [](VersionAppend& a) { a.anchor = "x"; }},
  };
  for (const auto& [what, change] : cases) {
    VersionAppend append = good;
    change(append);
    if (append.version.body == good.version.body && append.version.epoch == good.version.epoch) {
      append.version.chain = ComputeChain(append.version);
    }
    const absl::Status status = store_->Append({&append, 1}, {});
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code()) << what << ": " << status;
  }
  EXPECT_EQ(2u, Read(All("t")).size());
  EXPECT_TRUE(store_->Append({&good, 1}, {}).ok());
}

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_STATE_STATE_STORE_HISTORY_CONFORMANCE_H_
