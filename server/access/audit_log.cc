// audit        one row per entry; columns in the order in which the hash has them
//              (access/audit_entry.h). at: Unix microseconds UTC; hashes: 32 raw bytes or none.
//              Two triggers refuse to change or to remove a row: against accidents, for whoever
//              may write the file can drop them.
// audit.head   "tidemark audit 1\n" head "\n": the newest entry. Replaced in one step behind each
//              commit, and before the next entry at the latest: after a kill or a full disk it is
//              one entry behind, never more.
#include "access/audit_log.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "access/catalog_transaction.h"
#include "core/digest.h"
#include "core/failpoint.h"

namespace tidemark {
namespace {

constexpr char kAuditTables[] = R"sql(
CREATE TABLE IF NOT EXISTS audit(
  sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  peer TEXT NOT NULL,
  method TEXT NOT NULL,
  object TEXT NOT NULL,
  before_hash BLOB NOT NULL,
  after_hash BLOB NOT NULL,
  result TEXT NOT NULL,
  previous BLOB NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS audit_keeps_rows BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'audit is only appended to'); END;
CREATE TRIGGER IF NOT EXISTS audit_keeps_values BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'audit is only appended to'); END;
)sql";

constexpr char kSelect[] =
    "SELECT sequence, at, who, peer, method, object, before_hash, after_hash, result, previous, "
    "hash FROM audit ";
constexpr absl::string_view kHeadFirstLine = "tidemark audit 1\n";
constexpr int64_t kPage = 500;

AuditEntry ReadEntry(const SqliteStatement& row) {
  AuditEntry entry;
  entry.sequence = row.Int(0);
  entry.time = absl::FromUnixMicros(row.Int(1));
  entry.event = {row.String(2),
                 row.String(3),
                 row.String(4),
                 row.String(5),
                 std::string(row.Bytes(6)),
                 std::string(row.Bytes(7)),
                 row.String(8)};
  entry.previous = std::string(row.Bytes(9));
  entry.hash = std::string(row.Bytes(10));
  return entry;
}

absl::StatusOr<std::vector<AuditEntry>> ReadEntries(SqliteConnection& catalog,
                                                    absl::string_view rest, int64_t bound,
                                                    int64_t limit) {
  absl::StatusOr<SqliteStatement*> rows = catalog.Query(absl::StrCat(kSelect, rest), bound, limit);
  if (!rows.ok()) return rows.status();
  std::vector<AuditEntry> entries;
  while (true) {
    const absl::StatusOr<bool> next = catalog.Next(**rows);
    if (!next.ok()) return next.status();
    if (!*next) return entries;
    entries.push_back(ReadEntry(**rows));
  }
}

// The newest entry; one with sequence 0: there is none.
absl::StatusOr<AuditEntry> ReadNewest(SqliteConnection& catalog) {
  absl::StatusOr<std::vector<AuditEntry>> entries =
      ReadEntries(catalog, "WHERE sequence > ? ORDER BY sequence DESC LIMIT ?", 0, 1);
  if (!entries.ok()) return entries.status();
  return entries->empty() ? AuditEntry() : entries->front();
}

AuditHead HeadOf(const AuditEntry& entry) { return {entry.sequence, entry.hash}; }

// NOT_FOUND: there is no file; DATA_LOSS: it is damaged.
absl::StatusOr<AuditHead> ReadHead(FileSystem& files, const std::string& path) {
  absl::StatusOr<std::string> text = files.Read(path);
  if (!text.ok()) return text.status();
  absl::string_view rest = *text;
  if (absl::ConsumePrefix(&rest, kHeadFirstLine) && absl::ConsumeSuffix(&rest, "\n")) {
    absl::StatusOr<AuditHead> head = AuditHead::Parse(rest);
    if (head.ok()) return head;
  }
  return absl::DataLossError(absl::StrCat(path, " is damaged"));
}

// Where the end of the log and its head part. first 0: they agree, or the head is one behind.
struct EndProblem {
  int64_t first = 0;
  std::string text;
};

absl::StatusOr<EndProblem> CompareEnd(const AuditEntry& newest, FileSystem& files,
                                      const std::string& path) {
  const absl::StatusOr<AuditHead> head = ReadHead(files, path);
  const int64_t last = newest.sequence;
  if (absl::IsNotFound(head.status()) || absl::IsDataLoss(head.status())) {
    return EndProblem{
        last + 1, absl::StrCat(path, absl::IsNotFound(head.status()) ? " is gone" : " is damaged",
                               ": newer entries than ", last, " may be gone as well")};
  }
  if (!head.ok()) return head.status();
  const int64_t named = head->sequence;
  if (*head == HeadOf(newest)) return EndProblem();
  // Somebody accepted a loss, and the head was not written behind it any more.
  if (newest.event.method == kAuditAccepted && last > named) return EndProblem();
  if (named > last) {
    return EndProblem{last + 1, absl::StrCat("entries ", last + 1, " to ", named,
                                             " are gone: ", path, " names the last of them")};
  }
  if (named + 1 == last && newest.previous == head->hash) return EndProblem();
  if (named + 1 < last) {
    return EndProblem{named + 1, absl::StrCat(path, " names entry ", named, " of ", last,
                                              ": it or the catalog was put back from a copy")};
  }
  return EndProblem{named, absl::StrCat("entry ", named, " is not the one that ", path,
                                        " names: the log was written anew up to there")};
}

absl::Status Damaged(absl::string_view problem) {
  return absl::DataLossError(absl::StrCat(
      "the audit log is damaged: ", problem,
      "; find out who changed the data folder, then let an administrator accept the loss"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(const Parts& parts) {
  std::unique_ptr<AuditLog> log(new AuditLog(parts, {}));
  MutexLock lock(log->mutex_);
  if (absl::Status s = log->catalog_->Execute(kAuditTables); !s.ok()) return s;
  absl::StatusOr<AuditEntry> newest = ReadNewest(*log->catalog_);
  if (!newest.ok()) return newest.status();
  log->newest_ = HeadOf(*newest);
  if (newest->sequence == 0) {
    const absl::StatusOr<bool> exists = parts.files.Exists(parts.head_path);
    if (!exists.ok()) return exists.status();
    if (!*exists) {
      if (absl::Status s = log->WriteHead(); !s.ok()) return s;
    }
  }
  absl::StatusOr<EndProblem> end = CompareEnd(*newest, parts.files, parts.head_path);
  if (!end.ok()) return end.status();
  if (end->first != 0) {
    log->state_ = Damaged(end->text);
    return log;
  }
  if (absl::Status s = log->WriteHead(); !s.ok()) return s;
  return log;
}

absl::Status AuditLog::state() const {
  MutexLock lock(mutex_);
  return state_;
}

absl::Status AuditLog::WriteHead() {
  absl::Status status =
      ReplaceFile(files_, head_path_, absl::StrCat(kHeadFirstLine, newest_.Text(), "\n"));
  if (status.ok()) written_ = newest_;
  return status;
}

absl::StatusOr<AuditHead> AuditLog::Append(const AuditEvent& event) {
  AuditEntry entry;
  entry.event = StoredAuditEvent(event);
  // Names of methods come from callers; only Accept() may say this one.
  if (entry.event.method == kAuditAccepted) entry.event.method.push_back('?');
  MutexLock lock(mutex_);
  if (!state_.ok()) return state_;
  if (written_ != newest_) {
    if (absl::Status s = WriteHead(); !s.ok()) return s;
  }
  CatalogTransaction transaction(*catalog_);
  if (!transaction.begun().ok()) return transaction.begun();
  absl::StatusOr<AuditEntry> newest = Newest();
  if (!newest.ok()) return newest.status();
  if (!state_.ok()) return state_;
  entry.sequence = newest_.sequence + 1;
  entry.previous = newest_.hash;
  if (absl::Status s = Insert(&entry); !s.ok()) return s;
  return newest_;
}

absl::StatusOr<AuditEntry> AuditLog::Newest() {
  absl::StatusOr<AuditEntry> newest = ReadNewest(*catalog_);
  if (newest.ok() && state_.ok() && HeadOf(*newest) != newest_) {
    state_ = Damaged(absl::StrCat("its last entry was ", newest_.sequence, ", and now is ",
                                  newest->sequence, " or another one of that number"));
  }
  return newest;
}

absl::Status AuditLog::Insert(AuditEntry* entry) {
  entry->time = absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now()));
  entry->hash = AuditHash(*entry);
  const AuditEvent& event = entry->event;
  absl::Status status = catalog_->Run(
      "INSERT INTO audit(sequence, at, who, peer, method, object, before_hash, after_hash, result, "
      "previous, hash) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      entry->sequence, absl::ToUnixMicros(entry->time), event.who, event.from, event.method,
      event.object, SqliteBlob{event.before_hash}, SqliteBlob{event.after_hash}, event.result,
      SqliteBlob{entry->previous}, SqliteBlob{entry->hash});
  if (status.ok()) status = catalog_->Run("COMMIT");
  if (!status.ok()) return status;
  newest_ = HeadOf(*entry);
  PassFailpoint("audit.committed");
  // The entry is durable. A head that cannot be written is tried again before the next entry.
  WriteHead().IgnoreError();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AuditEntry>> AuditLog::List(int64_t before, size_t limit) {
  MutexLock lock(mutex_);
  return ReadEntries(*catalog_, "WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
                     before == 0 ? std::numeric_limits<int64_t>::max() : before,
                     static_cast<int64_t>(limit));
}

absl::StatusOr<AuditCheck> AuditLog::Verify(const std::optional<AuditHead>& known) {
  AuditCheck check;
  AuditChain chain;
  while (true) {
    MutexLock lock(mutex_);
    absl::StatusOr<bool> more = VerifyPage(known, &chain, &check);
    if (!more.ok()) return more.status();
    if (*more) continue;
    check.head = chain.head();
    check.accepted = chain.accepted();
    if (check.ok()) {
      if (absl::Status s = VerifyEnd(known, &check); !s.ok()) return s;
    }
    return check;
  }
}

absl::StatusOr<bool> AuditLog::VerifyPage(const std::optional<AuditHead>& known, AuditChain* chain,
                                          AuditCheck* check) {
  absl::StatusOr<std::vector<AuditEntry>> entries = ReadEntries(
      *catalog_, "WHERE sequence > ? ORDER BY sequence LIMIT ?",
      check->entries == 0 ? std::numeric_limits<int64_t>::min() : chain->head().sequence, kPage);
  if (!entries.ok()) return entries.status();
  for (const AuditEntry& entry : *entries) {
    const int64_t last = chain->head().sequence;
    check->problem = chain->Add(entry);
    if (check->problem.empty() && known.has_value() && known->sequence > last &&
        known->sequence <= entry.sequence && *known != HeadOf(entry)) {
      check->problem = absl::StrCat("entry ", known->sequence, " with the hash ", Hex(known->hash),
                                    " is gone: the log was written anew up to there");
    }
    if (!check->problem.empty()) {
      check->first_broken = std::max<int64_t>(entry.sequence, 1);
      return false;
    }
    ++check->entries;
  }
  return static_cast<int64_t>(entries->size()) == kPage;
}

absl::Status AuditLog::VerifyEnd(const std::optional<AuditHead>& known, AuditCheck* check) {
  absl::StatusOr<AuditEntry> newest = ReadNewest(*catalog_);
  if (!newest.ok()) return newest.status();
  absl::StatusOr<EndProblem> end = CompareEnd(*newest, files_, head_path_);
  if (!end.ok()) return end.status();
  check->first_broken = end->first;
  check->problem = end->text;
  const int64_t last = newest->sequence;
  const int64_t wanted = known.has_value() ? known->sequence : 0;
  if (check->ok() && state_.ok() && HeadOf(*newest) != newest_) {
    check->first_broken = std::min(last, newest_.sequence) + 1;
    check->problem = absl::StrCat("the last entry is ", last, ", and this server appended ",
                                  newest_.sequence, " last");
  } else if (check->ok() && wanted > last) {
    check->first_broken = last + 1;
    check->problem = absl::StrCat("entries ", last + 1, " to ", wanted, " are gone");
  }
  return absl::OkStatus();
}

absl::StatusOr<AuditEntry> AuditLog::Accept(const AuditEvent& event) {
  AuditEntry entry;
  MutexLock lock(mutex_);
  CatalogTransaction transaction(*catalog_);
  if (!transaction.begun().ok()) return transaction.begun();
  absl::StatusOr<AuditEntry> newest = Newest();
  if (!newest.ok()) return newest.status();
  if (state_.ok()) {
    return absl::FailedPreconditionError(
        "nothing is missing at the end of the audit log; there is nothing to accept");
  }
  const absl::StatusOr<AuditHead> head = ReadHead(files_, head_path_);
  entry.event = event;
  entry.event.method = std::string(kAuditAccepted);
  entry.event.object = absl::StrCat(state_.message(), " [", head_path_, ": ",
                                    head.ok() ? head->Text() : "unreadable", "] ", event.object);
  entry.event = StoredAuditEvent(entry.event);
  // Numbers that were given out are never given again.
  entry.sequence =
      std::max({newest->sequence, newest_.sequence, head.ok() ? head->sequence : int64_t{0}}) + 1;
  entry.previous = newest->hash;
  if (absl::Status s = Insert(&entry); !s.ok()) return s;
  state_ = absl::OkStatus();
  return entry;
}

}  // namespace tidemark
