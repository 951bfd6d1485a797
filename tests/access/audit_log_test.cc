#include "access/audit_log.h"

#include <signal.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/failpoint.h"
#include "tests/access/access_fixture.h"
#include "tests/state/faulty_files.h"

namespace tidemark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kDropTriggers[] = "DROP TRIGGER audit_keeps_rows; DROP TRIGGER audit_keeps_values;";

class AuditLogTest : public AccessTest {
 protected:
  AuditLogTest() { Open(); }
  ~AuditLogTest() override { EXPECT_TRUE(ArmFailpoints("", "").ok()); }

  void Open() {
    log_.reset();
    absl::StatusOr<std::unique_ptr<AuditLog>> opened =
        AuditLog::Open({*catalog_, mutex_, clock_, files_, Path("audit.head")});
    ASSERT_TRUE(opened.ok()) << opened.status();
    log_ = *std::move(opened);
  }
  static AuditEvent Event(const std::string& object) {
    return {"token1",
            "10.0.0.1",
            "Control/ApplyConnection",
            object,
            std::string(32, '\1'),
            std::string(32, '\2'),
            "ok"};
  }
  void Append(int count) {
    for (int i = 0; i < count; ++i) {
      const absl::StatusOr<AuditHead> head = log_->Append(Event(absl::StrCat("object ", i)));
      ASSERT_TRUE(head.ok()) << head.status();
      clock_.Move(absl::Seconds(1));
    }
  }
  AuditCheck Verify(const std::optional<AuditHead>& known = std::nullopt) {
    const absl::StatusOr<AuditCheck> check = log_->Verify(known);
    EXPECT_TRUE(check.ok()) << check.status();
    return check.ok() ? *check : AuditCheck();
  }
  // "3 whole" or "3 of which entry 4 is broken".
  std::string Verdict(const std::optional<AuditHead>& known = std::nullopt) {
    const AuditCheck check = Verify(known);
    EXPECT_EQ(check.ok(), check.problem.empty()) << check.problem;
    return check.ok() ? absl::StrCat(check.entries, " whole")
                      : absl::StrCat(check.entries, ", then ", check.first_broken, " is broken");
  }
  // Rewrites entries `first` to `last` so that each hash is right, as somebody would who knows how.
  void RewriteHashes(int64_t first, int64_t last) {
    std::string previous =
        first == 1 ? ""
                   : SqlText(absl::StrCat("SELECT hash FROM audit WHERE sequence = ", first - 1));
    const absl::StatusOr<std::vector<AuditEntry>> entries = log_->List(0, 1000);
    ASSERT_TRUE(entries.ok()) << entries.status();
    for (auto entry = entries->rbegin(); entry != entries->rend(); ++entry) {
      if (entry->sequence < first || entry->sequence > last) continue;
      AuditEntry rewritten = *entry;
      rewritten.previous = previous;
      previous = AuditHash(rewritten);
      Sql(absl::StrCat("UPDATE audit SET previous = x'", absl::BytesToHexString(rewritten.previous),
                       "', hash = x'", absl::BytesToHexString(previous),
                       "' WHERE sequence = ", entry->sequence));
    }
  }

  FaultyFiles files_;
  std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogTest, KeepsWhatHappened) {
  const absl::Time at = clock_.Now();
  Append(3);
  Open();
  Append(1);
  const absl::StatusOr<std::vector<AuditEntry>> entries = log_->List(0, 10);
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_EQ(entries->size(), 4);
  const AuditEntry& first = entries->back();
  EXPECT_EQ(first.sequence, 1);
  EXPECT_EQ(first.time, at);
  EXPECT_EQ(first.event.who, "token1");
  EXPECT_EQ(first.event.from, "10.0.0.1");
  EXPECT_EQ(first.event.method, "Control/ApplyConnection");
  EXPECT_EQ(first.event.object, "object 0");
  EXPECT_EQ(first.event.before_hash, std::string(32, '\1'));
  EXPECT_EQ(first.event.after_hash, std::string(32, '\2'));
  EXPECT_EQ(first.event.result, "ok");
  EXPECT_EQ(Verdict(), "4 whole");
  EXPECT_EQ(Verify().head, (AuditHead{4, entries->front().hash}));
}

TEST_F(AuditLogTest, OfNothingIsWhole) {
  EXPECT_EQ(Verdict(), "0 whole");
  EXPECT_THAT(*log_->List(0, 10), IsEmpty());
  Open();
  EXPECT_EQ(Verdict(), "0 whole");
}

TEST_F(AuditLogTest, ListsTheNewestFirstInPagesThatStayValid) {
  Append(5);
  std::vector<int64_t> listed;
  int64_t before = 0;
  while (true) {
    const absl::StatusOr<std::vector<AuditEntry>> page = log_->List(before, 2);
    ASSERT_TRUE(page.ok()) << page.status();
    if (page->empty()) break;
    for (const AuditEntry& entry : *page) listed.push_back(entry.sequence);
    before = page->back().sequence;
    Append(1);
  }
  EXPECT_THAT(listed, ElementsAre(5, 4, 3, 2, 1));
}

TEST_F(AuditLogTest, RefusesToForgetByAccident) {
  Append(2);
  EXPECT_FALSE(catalog_->Execute("UPDATE audit SET who = 'nobody'").ok());
  EXPECT_FALSE(catalog_->Execute("DELETE FROM audit WHERE sequence = 2").ok());
  EXPECT_EQ(Verdict(), "2 whole");
}

TEST_F(AuditLogTest, FindsEveryChangedColumn) {
  Append(6);
  Sql(kDropTriggers);
  Sql("CREATE TABLE kept AS SELECT * FROM audit");
  struct Case {
    const char* change;
    const char* verdict;
  };
  const Case cases[] = {
      {"UPDATE audit SET sequence = 40 WHERE sequence = 4", "3, then 5 is broken"},
      {"UPDATE audit SET sequence = 0 WHERE sequence = 4", "0, then 1 is broken"},
      {"UPDATE audit SET sequence = sequence + 1 WHERE sequence = 6", "5, then 7 is broken"},
      {"UPDATE audit SET at = at + 1 WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET who = 'x' WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET who = who || char(0) WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET peer = '' WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET method = 'x' WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET method = 'audit.accept' WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET object = 'x' WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET before_hash = x'00' WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET after_hash = before_hash WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET result = 'x' WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET previous = x'' WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET hash = previous WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET hash = x'' WHERE sequence = 4", "3, then 4 is broken"},
      {"UPDATE audit SET who = 'x' WHERE sequence = 1", "0, then 1 is broken"},
      {"UPDATE audit SET who = 'x' WHERE sequence = 6", "5, then 6 is broken"},
      // Text moved from one column into the next.
      {"UPDATE audit SET who = 'token', peer = '110.0.0.1' WHERE sequence = 4",
       "3, then 4 is broken"},
      // Rows.
      {"DELETE FROM audit WHERE sequence = 1", "0, then 2 is broken"},
      {"DELETE FROM audit WHERE sequence = 4", "3, then 5 is broken"},
      {"DELETE FROM audit WHERE sequence = 6", "5, then 6 is broken"},
      {"DELETE FROM audit WHERE sequence >= 4", "3, then 4 is broken"},
      {"DELETE FROM audit", "0, then 1 is broken"},
      {"UPDATE audit SET sequence = -4 WHERE sequence = 4;"
       "UPDATE audit SET sequence = 4 WHERE sequence = 5;"
       "UPDATE audit SET sequence = 5 WHERE sequence = -4",
       "3, then 4 is broken"},
      {"INSERT INTO audit SELECT 7, at, who, peer, method, object, before_hash, after_hash, "
       "result, "
       "previous, hash FROM audit WHERE sequence = 6",
       "6, then 7 is broken"},
  };
  for (const Case& c : cases) {
    Sql(c.change);
    EXPECT_EQ(Verdict(), c.verdict) << c.change;
    Sql("DELETE FROM audit; INSERT INTO audit SELECT * FROM kept");
    ASSERT_EQ(Verdict(), "6 whole") << c.change;
  }
}

TEST_F(AuditLogTest, FindsAChainThatWasComputedAnew) {
  Append(6);
  const AuditHead known = Verify().head;
  Sql(kDropTriggers);
  Sql("UPDATE audit SET object = 'nothing' WHERE sequence = 3");
  RewriteHashes(3, 6);
  EXPECT_EQ(Verdict(), "6, then 6 is broken");  // by audit.head
  EXPECT_THAT(Verify().problem, HasSubstr("written anew"));
  Open();
  EXPECT_TRUE(absl::IsDataLoss(log_->state()));
  // The head as well: then only a head that was kept elsewhere tells.
  log_.reset();
  std::filesystem::remove(Path("audit.head"));
  const std::string hash =
      absl::BytesToHexString(SqlText("SELECT hash FROM audit WHERE sequence = 6"));
  std::ofstream(Path("audit.head")) << "tidemark audit 1\n6:" << hash << "\n";
  Open();
  EXPECT_TRUE(log_->state().ok());
  EXPECT_EQ(Verdict(), "6 whole");
  EXPECT_EQ(Verdict(known), "5, then 6 is broken");
}

TEST_F(AuditLogTest, FindsAnEntryThatWasPutInThePlaceOfAnother) {
  Append(6);
  Sql(kDropTriggers);
  Sql("UPDATE audit SET object = 'nothing' WHERE sequence = 3");
  RewriteHashes(3, 3);  // by itself it is right
  EXPECT_EQ(Verdict(), "3, then 4 is broken");
  EXPECT_THAT(Verify().problem, HasSubstr("entry 4 does not follow entry 3"));
}

TEST_F(AuditLogTest, HoldsAKnownHeadAgainstTheLog) {
  Append(3);
  const AuditHead known = Verify().head;
  Append(3);
  EXPECT_EQ(Verdict(known), "6 whole");
  EXPECT_EQ(Verdict(AuditHead{3, std::string(32, 'x')}), "2, then 3 is broken");
  EXPECT_EQ(Verdict(AuditHead{9, std::string(32, 'x')}), "6, then 7 is broken");
  EXPECT_EQ(Verdict(AuditHead{}), "6 whole");
}

TEST_F(AuditLogTest, FindsARemovedEndAfterTheNextStart) {
  Append(6);
  struct Case {
    const char* change;
    const char* verdict;
  };
  const Case cases[] = {{"DELETE FROM audit WHERE sequence = 6", "5, then 6 is broken"},
                        {"DELETE FROM audit WHERE sequence >= 4", "3, then 4 is broken"},
                        {"DELETE FROM audit", "0, then 1 is broken"}};
  Sql(kDropTriggers);
  Sql("CREATE TABLE kept AS SELECT * FROM audit");
  for (const Case& c : cases) {
    Sql(absl::StrCat("DROP TRIGGER IF EXISTS audit_keeps_rows; ", c.change));
    Open();
    EXPECT_TRUE(absl::IsDataLoss(log_->state())) << log_->state();
    EXPECT_EQ(Verdict(), c.verdict);
    const absl::StatusOr<AuditHead> refused = log_->Append(Event("x"));
    EXPECT_TRUE(absl::IsDataLoss(refused.status())) << refused.status();
    EXPECT_THAT(refused.status().message(), HasSubstr("are gone"));
    Sql("DROP TRIGGER audit_keeps_rows; DELETE FROM audit; INSERT INTO audit SELECT * FROM kept");
    Open();
    EXPECT_EQ(Verdict(), "6 whole");
  }
}

TEST_F(AuditLogTest, FindsARemovedEndAtTheNextEntry) {
  Append(6);
  Sql(kDropTriggers);
  Sql("DELETE FROM audit WHERE sequence = 6");
  // And the head put right, so that only the running server knows.
  const std::string hash =
      absl::BytesToHexString(SqlText("SELECT hash FROM audit WHERE sequence = 5"));
  std::ofstream(Path("audit.head")) << "tidemark audit 1\n5:" << hash << "\n";
  EXPECT_EQ(Verdict(), "5, then 6 is broken");
  EXPECT_TRUE(absl::IsDataLoss(log_->Append(Event("x")).status()));
  EXPECT_TRUE(absl::IsDataLoss(log_->state()));
}

TEST_F(AuditLogTest, MissesAHeadThatIsGoneOrDamaged) {
  Append(3);
  for (const std::string& text : {std::string(), std::string("tidemark audit 1\n3:\n"),
                                  std::string("tidemark audit 2\n"), std::string(1000, 'x')}) {
    std::filesystem::remove(Path("audit.head"));
    if (!text.empty()) std::ofstream(Path("audit.head")) << text;
    EXPECT_EQ(Verdict(), "3, then 4 is broken") << text;
    Open();
    EXPECT_TRUE(absl::IsDataLoss(log_->state())) << text;
  }
}

TEST_F(AuditLogTest, MissesAnOlderHead) {
  Append(3);
  const std::string older = FileText(Path("audit.head"));
  Append(2);
  std::ofstream(Path("audit.head")) << older;
  EXPECT_EQ(Verdict(), "5, then 4 is broken");
}

TEST_F(AuditLogTest, GoesOnBehindALossThatSomebodyAccepted) {
  Append(6);
  EXPECT_TRUE(absl::IsFailedPrecondition(log_->Accept(Event("why")).status()));
  Sql(kDropTriggers);
  Sql("DELETE FROM audit WHERE sequence >= 4");
  Open();
  const absl::StatusOr<AuditEntry> accepted = log_->Accept(Event("restored from a backup"));
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(accepted->sequence, 7);  // 4 to 6 are never given again
  Append(2);
  for (int turn = 0; turn < 2; ++turn) {
    const AuditCheck check = Verify();
    EXPECT_TRUE(check.ok()) << check.problem;
    EXPECT_EQ(check.entries, 6);
    EXPECT_THAT(check.accepted, ElementsAre(7));
    Open();
  }
  const AuditEntry entry = log_->List(8, 1)->front();
  EXPECT_EQ(entry.event.method, kAuditAccepted);
  EXPECT_EQ(entry.event.who, "token1");
  EXPECT_THAT(entry.event.object, HasSubstr("entries 4 to 6 are gone"));
  EXPECT_THAT(entry.event.object, HasSubstr("restored from a backup"));
}

TEST_F(AuditLogTest, NobodyElseSaysThatALossWasAccepted) {
  AuditEvent event = Event("x");
  event.method = std::string(kAuditAccepted);
  ASSERT_TRUE(log_->Append(event).ok());
  EXPECT_EQ(log_->List(0, 1)->front().event.method, "audit.accept?");
  EXPECT_THAT(Verify().accepted, IsEmpty());
}

TEST_F(AuditLogTest, KilledBehindItsCommitIsWhole) {
  Append(2);
  for (int turn = 0; turn < 2; ++turn) {
    log_.reset();
    const int signal = SignalOf([&] {
      Open();
      ASSERT_TRUE(ArmFailpoints("audit.committed=1*off->kill", "").ok());
      Append(2);
    });
    ASSERT_EQ(signal, SIGKILL);
    Open();
    EXPECT_TRUE(log_->state().ok()) << log_->state();
    EXPECT_EQ(Verdict(), absl::StrCat(4 + 2 * turn, " whole"));
  }
}

TEST_F(AuditLogTest, HeadIsNeverMoreThanOneBehind) {
  Append(2);
  files_.fail_at = files_.calls() + 1;
  files_.fail_for_good = true;
  EXPECT_TRUE(log_->Append(Event("third")).ok());  // it is durable
  EXPECT_THAT(FileText(Path("audit.head")), HasSubstr("\n2:"));
  EXPECT_TRUE(absl::IsUnavailable(log_->Append(Event("fourth")).status()));
  EXPECT_TRUE(absl::IsUnavailable(log_->Append(Event("fourth")).status()));
  files_.Heal();
  EXPECT_EQ(Verdict(), "3 whole");
  EXPECT_TRUE(log_->Append(Event("fourth")).ok());
  EXPECT_EQ(Verdict(), "4 whole");
  EXPECT_THAT(FileText(Path("audit.head")), HasSubstr("\n4:"));
}

TEST_F(AuditLogTest, VerifiesMoreThanOnePage) {
  Append(3);
  Sql("PRAGMA synchronous = OFF");
  Append(1500);
  EXPECT_EQ(Verdict(), "1503 whole");
  Sql(kDropTriggers);
  Sql("UPDATE audit SET who = 'x' WHERE sequence = 1001");
  EXPECT_EQ(Verdict(), "1000, then 1001 is broken");
}

}  // namespace
}  // namespace tidemark
