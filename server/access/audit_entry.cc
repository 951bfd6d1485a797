#include "access/audit_entry.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "access/token.h"
#include "core/digest.h"
#include "core/text.h"

namespace tidemark {
namespace {

constexpr size_t kMaxTextBytes = 2000;

std::string StoredText(absl::string_view text) {
  std::string stored = HideTokens(text);
  if (!IsUtf8(stored) || HasNul(stored)) stored = absl::CHexEscape(stored);
  return std::string(CutUtf8(stored, kMaxTextBytes));
}

}  // namespace

std::string AuditHash(const AuditEntry& entry) {
  Digest digest(32);
  digest.Add("tidemark audit 1");
  digest.AddInt(entry.sequence);
  digest.AddInt(absl::ToUnixMicros(entry.time));
  const AuditEvent& event = entry.event;
  for (const std::string* part :
       {&event.who, &event.from, &event.method, &event.object, &event.before_hash,
        &event.after_hash, &event.result, &entry.previous}) {
    digest.Add(*part);
  }
  return digest.Finish();
}

AuditEvent StoredAuditEvent(const AuditEvent& event) {
  AuditEvent stored;
  stored.who = StoredText(event.who);
  stored.from = StoredText(event.from);
  stored.method = StoredText(event.method);
  stored.object = StoredText(event.object);
  stored.before_hash = event.before_hash;
  stored.after_hash = event.after_hash;
  stored.result = StoredText(event.result);
  return stored;
}

std::string AuditHead::Text() const { return absl::StrCat(sequence, ":", Hex(hash)); }

absl::StatusOr<AuditHead> AuditHead::Parse(absl::string_view text) {
  const std::vector<absl::string_view> sides = absl::StrSplit(text, ':');
  AuditHead head;
  bool right = sides.size() == 2 && absl::SimpleAtoi(sides[0], &head.sequence) &&
               head.sequence >= 0 && sides[1].size() == (head.sequence == 0 ? 0 : 64);
  for (size_t i = 0; right && i < sides[1].size(); ++i) {
    right = absl::ascii_isxdigit(static_cast<unsigned char>(sides[1][i]));
  }
  if (!right) {
    return absl::InvalidArgumentError(
        "the head of an audit log is SEQUENCE:HASH, with 64 hexadecimal digits");
  }
  head.hash = absl::HexStringToBytes(sides[1]);
  return head;
}

std::string AuditChain::Add(const AuditEntry& entry) {
  if (AuditHash(entry) != entry.hash) {
    return absl::StrCat("entry ", entry.sequence, " was changed: its hash is not that of its text");
  }
  const bool accepted = entry.event.method == kAuditAccepted;
  const int64_t expected = head_.sequence + 1;
  if (entry.sequence < expected || (entry.sequence > expected && !accepted)) {
    return absl::StrCat("entry ", entry.sequence, " stands behind entry ", head_.sequence,
                        ": those between them are gone");
  }
  if (entry.previous != head_.hash) {
    return absl::StrCat("entry ", entry.sequence, " does not follow entry ", head_.sequence,
                        ": that one was changed, or put in the place of another");
  }
  if (accepted) accepted_.push_back(entry.sequence);
  head_ = {entry.sequence, entry.hash};
  return "";
}

}  // namespace tidemark
