#include "access/audit_entry.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "absl/strings/str_cat.h"
#include "access/token.h"
#include "core/digest.h"

namespace tidemark {
namespace {

AuditEntry Entry(int64_t sequence, const std::string& previous) {
  AuditEntry entry;
  entry.sequence = sequence;
  entry.time = absl::FromUnixMicros(1'800'000'000'000'000 + sequence);
  entry.event = {"who",   "from", "method", "object", std::string(32, 'b'), std::string(32, 'a'),
                 "result"};
  entry.previous = previous;
  entry.hash = AuditHash(entry);
  return entry;
}

TEST(AuditHashTest, DependsOnEveryFieldAndOnWhereItEnds) {
  const std::function<void(AuditEntry&)> changes[] = {
      [](AuditEntry& e) { e.sequence += 1; },
      [](AuditEntry& e) { e.time += absl::Microseconds(1); },
      [](AuditEntry& e) { e.event.who = "whof"; },
      [](AuditEntry& e) { e.event.who = "whof", e.event.from = "rom"; },
      [](AuditEntry& e) { e.event.from = ""; },
      [](AuditEntry& e) { e.event.method = "other"; },
      [](AuditEntry& e) { e.event.object = "other"; },
      [](AuditEntry& e) { std::swap(e.event.before_hash, e.event.after_hash); },
      [](AuditEntry& e) { e.event.before_hash = ""; },
      [](AuditEntry& e) { e.event.after_hash = ""; },
      [](AuditEntry& e) { e.event.result = "other"; },
      [](AuditEntry& e) { e.previous = std::string(32, 'p'); },
  };
  std::set<std::string> hashes = {AuditHash(Entry(1, ""))};
  for (const auto& change : changes) {
    AuditEntry entry = Entry(1, "");
    change(entry);
    hashes.insert(AuditHash(entry));
  }
  EXPECT_EQ(hashes.size(), 1 + std::size(changes));
}

// The format of version 1: logs of older servers must verify.
TEST(AuditHashTest, StaysAsItWas) {
  std::string bytes;
  const auto number = [&bytes](uint64_t value) {
    for (int i = 0; i < 8; ++i, value >>= 8) bytes.push_back(static_cast<char>(value & 0xff));
  };
  const auto part = [&](const std::string& text) {
    number(text.size());
    bytes += text;
  };
  part("tidemark audit 1");
  number(8);
  number(1);
  number(8);
  number(1'800'000'000'000'001);
  for (const char* text : {"who", "from", "method", "object"}) part(text);
  part(std::string(32, 'b'));
  part(std::string(32, 'a'));
  part("result");
  part("");
  EXPECT_EQ(Hex(Entry(1, "").hash), Hex(Blake2b256(bytes)));
}

TEST(AuditEventTest, IsStoredWithoutSecretsAndOfBoundedSize) {
  const TokenParts token = NewToken();
  AuditEvent event;
  event.who = absl::StrCat("a ", token.Text());
  event.from = std::string("a\0b", 3);
  event.method = "\xff\xfe";
  event.object = std::string(1'999, 'x') + "\xc3\xa4";
  event.result = absl::StrCat(token.Text(), "tail");
  const AuditEvent stored = StoredAuditEvent(event);
  EXPECT_EQ(stored.who, absl::StrCat("a tm_", token.id, "_***"));
  EXPECT_EQ(stored.from, "a\\x00\\x62");
  EXPECT_EQ(stored.method, "\\xff\\xfe");
  EXPECT_EQ(stored.object, std::string(1'999, 'x'));
  EXPECT_EQ(stored.result, absl::StrCat("tm_", token.id, "_***"));
}

TEST(AuditHeadTest, IsReadAsItIsPrinted) {
  for (const AuditHead& head : {AuditHead{}, AuditHead{7, std::string(32, '\xab')}}) {
    const absl::StatusOr<AuditHead> read = AuditHead::Parse(head.Text());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, head);
  }
  const std::string hex(64, 'a');
  for (const std::string& wrong :
       {std::string(), std::string("7"), std::string("7:"), "0:" + hex, "-1:" + hex, "x:" + hex,
        "7:" + hex + "0", "7:" + hex.substr(1) + "g", "7:" + hex + ":", hex}) {
    EXPECT_TRUE(absl::IsInvalidArgument(AuditHead::Parse(wrong).status())) << wrong;
  }
}

TEST(AuditChainTest, TakesEntriesInTheirOrderOnly) {
  const AuditEntry first = Entry(1, "");
  const AuditEntry second = Entry(2, first.hash);
  AuditEntry accepted = Entry(5, second.hash);
  accepted.event.method = std::string(kAuditAccepted);
  accepted.hash = AuditHash(accepted);
  AuditChain chain;
  EXPECT_EQ(chain.Add(first), "");
  EXPECT_NE(chain.Add(first), "");
  EXPECT_EQ(chain.Add(second), "");
  EXPECT_NE(chain.Add(Entry(4, second.hash)), "");  // a gap
  EXPECT_NE(chain.Add(Entry(3, first.hash)), "");   // of another chain
  AuditEntry changed = Entry(3, second.hash);
  changed.event.who = "other";
  EXPECT_NE(chain.Add(changed), "");
  EXPECT_EQ(chain.Add(accepted), "");  // a gap that somebody accepted
  EXPECT_EQ(chain.Add(Entry(6, accepted.hash)), "");
  EXPECT_EQ(chain.head().sequence, 6);
  EXPECT_EQ(chain.accepted(), std::vector<int64_t>({5}));
  AuditChain fresh;
  EXPECT_NE(fresh.Add(Entry(0, "")), "");
  EXPECT_NE(fresh.Add(Entry(2, "")), "");
  EXPECT_NE(fresh.Add(Entry(1, std::string(32, 'x'))), "");
}

}  // namespace
}  // namespace tidemark
