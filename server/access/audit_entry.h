// One entry of the audit log, its hash, and the rule by which entries follow each other. Pure
// functions.
//
//   hash   = BLAKE2b-256(part("tidemark audit 1") part(sequence) part(time) part(who) part(from)
//            part(method) part(object) part(before) part(after) part(result) part(previous))
//   part   = length *byte                  ; length, and numbers: 8 bytes little endian
//   time   = Unix microseconds UTC
//   before, after = 32 bytes or none       ; digests of what was changed
//   previous      = hash of the entry before; none in the first one
//   head   = sequence ":" 64 * hex         ; the newest entry; "0:" of an empty log
#ifndef TIDEMARK_ACCESS_AUDIT_ENTRY_H_
#define TIDEMARK_ACCESS_AUDIT_ENTRY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark {

// What happened. Texts hold no secret; tokens in them are hidden, what is no UTF-8 is escaped, and
// what is longer than 2,000 bytes is cut.
struct AuditEvent {
  std::string who = {};          // name of the principal, "" where there was none
  std::string from = {};         // address of the peer
  std::string method = {};       // "Control/ApplyConnection", "authenticate"
  std::string object = {};       // what it was about: a connection, a secret's name, a token's id
  std::string before_hash = {};  // 32 raw bytes, or empty
  std::string after_hash = {};
  std::string result = {};  // "ok", or a status code and text
};

struct AuditEntry {
  int64_t sequence = 0;  // from 1
  absl::Time time;       // whole microseconds
  AuditEvent event;
  std::string previous;  // 32 raw bytes; empty in the first entry
  std::string hash;
};

// The method of an entry by which an administrator accepted that older ones are gone. Only such an
// entry may leave a gap in the numbers before it.
inline constexpr absl::string_view kAuditAccepted = "audit.accept";

std::string AuditHash(const AuditEntry& entry);
// The texts as they are stored.
AuditEvent StoredAuditEvent(const AuditEvent& event);

struct AuditHead {
  int64_t sequence = 0;
  std::string hash;  // 32 raw bytes; empty: of an empty log

  friend bool operator==(const AuditHead&, const AuditHead&) = default;
  std::string Text() const;
  static absl::StatusOr<AuditHead> Parse(absl::string_view text);  // INVALID_ARGUMENT
};

// Walks a log from its first entry. Confined to one thread.
class AuditChain {
 public:
  // What is wrong with the entry as the next one, or "": nothing.
  std::string Add(const AuditEntry& entry);

  const AuditHead& head() const { return head_; }
  // Sequences of entries with method kAuditAccepted: each tells of a loss.
  const std::vector<int64_t>& accepted() const { return accepted_; }

 private:
  AuditHead head_;
  std::vector<int64_t> accepted_;
};

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_AUDIT_ENTRY_H_
