// What a server keeps of its own, in one SQLite file of its data folder: definitions of
// connections, the history of syncs, idempotency keys. (Tokens, secrets and the audit log of
// access/ live in the same file, in their own tables.)
//
// Not in here: rows and states of syncs. They stand at the destinations, which stay the truth; a
// lost catalog loses the definitions that came through the API and the history, no rows.
//
// Each part makes its own tables (CREATE TABLE IF NOT EXISTS); what changes the meaning of tables
// that are there is a step of catalog.cc, counted by PRAGMA user_version.
#ifndef TIDEMARK_SERVICE_CATALOG_H_
#define TIDEMARK_SERVICE_CATALOG_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// Thread-safe: one connection behind one mutex. Every write is durable when the call returns (WAL,
// synchronous=FULL).
class Catalog {
 public:
  // Creates `folder` (0700, with its parents) and `folder`/catalog.db (0600) where they are
  // missing. FAILED_PRECONDITION: another server has it open (its pid and since when stand in the
  // text), the folder is open to others or is another user's, or the file is of a newer version or
  // none of ours. DATA_LOSS: the file is damaged, and what to do.
  static absl::StatusOr<std::unique_ptr<Catalog>> Open(const std::string& folder,
                                                       Clock* clock = &Clock::Real());
  ~Catalog();
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  // Without links and without a slash at its end.
  const std::string& folder() const { return folder_; }

  // Runs `work` with the connection, other threads waiting. `work` calls nothing that blocks on
  // anything else, and leaves no transaction open.
  absl::Status With(const std::function<absl::Status(SqliteConnection&)>& work);
  // The same inside BEGIN IMMEDIATE .. COMMIT; rolled back when `work` or the commit fails.
  absl::Status Transaction(const std::function<absl::Status(SqliteConnection&)>& work);

  // For the stores of access/, which hold mutex() whenever they use connection().
  SqliteConnection& connection() ABSL_NO_THREAD_SAFETY_ANALYSIS { return *connection_; }
  Mutex& mutex() { return mutex_; }

 private:
  class FolderLock;

  Catalog(std::string folder, std::unique_ptr<FolderLock> lock,
          std::unique_ptr<SqliteConnection> connection);

  const std::string folder_;
  const std::unique_ptr<FolderLock> lock_;
  Mutex mutex_;
  std::unique_ptr<SqliteConnection> connection_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CATALOG_H_
