// Who did what: an append-only table with a hash chain (access/audit_entry.h), and beside the
// catalog a file that names its newest entry, so that a removed end is found as well. Formats:
// audit_log.cc.
#ifndef TIDEMARK_ACCESS_AUDIT_LOG_H_
#define TIDEMARK_ACCESS_AUDIT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "access/audit_entry.h"
#include "core/clock.h"
#include "core/file_system.h"
#include "core/mutex.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// What Verify() found.
struct AuditCheck {
  int64_t entries = 0;            // that verify
  AuditHead head;                 // the last of them; worth keeping elsewhere
  int64_t first_broken = 0;       // sequence; 0: everything is whole
  std::string problem;            // "" or what is wrong there
  std::vector<int64_t> accepted;  // entries that tell of a loss which somebody accepted

  bool ok() const { return first_broken == 0; }
};

// Thread-safe. The catalog is shared: whoever uses it holds `mutex`. One process at a time appends.
class AuditLog {
 public:
  // All of them must outlive the log.
  struct Parts {
    SqliteConnection& catalog;
    Mutex& mutex;
    Clock& clock;
    FileSystem& files;
    std::string head_path;  // "<data>/audit.head"
  };

  // Creates table and head where there is neither. An end that does not match the head is no error
  // here: state() says so, and nothing is appended until it is accepted.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(const Parts& parts);

  // OK, or DATA_LOSS with what is missing at the end of the log.
  absl::Status state() const;

  // Durable when it returns. DATA_LOSS: as state(), also when the last entry is no longer the one
  // that was appended last. Another error: nothing was appended.
  absl::StatusOr<AuditHead> Append(const AuditEvent& event);

  // Entries numbered below `before` (0: from the newest), at most `limit`, the newest first.
  absl::StatusOr<std::vector<AuditEntry>> List(int64_t before, size_t limit);

  // Reads the whole log, other callers in between. `known`: a head that was kept elsewhere; it must
  // be an entry of this log.
  absl::StatusOr<AuditCheck> Verify(const std::optional<AuditHead>& known);

  // Goes on behind a damaged end: an entry of method kAuditAccepted by `event`'s who and from,
  // which says for good what was missing; `event.object` may give a reason. FAILED_PRECONDITION:
  // nothing is missing.
  absl::StatusOr<AuditEntry> Accept(const AuditEvent& event);

 private:
  AuditLog(const Parts& parts, AuditHead newest)
      : clock_(parts.clock),
        files_(parts.files),
        head_path_(parts.head_path),
        mutex_(parts.mutex),
        catalog_(&parts.catalog),
        newest_(std::move(newest)) {}

  // The newest entry of the catalog; state_ tells when it is not the one that was appended last.
  absl::StatusOr<AuditEntry> Newest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Adds time and hash.
  absl::Status Insert(AuditEntry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteHead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The next entries of a walk; false: it has come to its end, or to something broken.
  absl::StatusOr<bool> VerifyPage(const std::optional<AuditHead>& known, AuditChain* chain,
                                  AuditCheck* check) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status VerifyEnd(const std::optional<AuditHead>& known, AuditCheck* check)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  FileSystem& files_;
  const std::string head_path_;
  Mutex& mutex_;
  SqliteConnection* const catalog_ ABSL_PT_GUARDED_BY(mutex_);
  absl::Status state_ ABSL_GUARDED_BY(mutex_);
  AuditHead newest_ ABSL_GUARDED_BY(mutex_);   // as appended, or found at the start
  AuditHead written_ ABSL_GUARDED_BY(mutex_);  // what the head file says
};

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_AUDIT_LOG_H_
