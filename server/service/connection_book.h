// The connections of a server: files of its folder and definitions that came through the API, each
// with its versions. A definition that is not valid is kept and said; it never takes others down.
//
// Files. The name is the file's `name`, else the file's own. Of two files with one name the first
// by path has it; a connection of the API keeps its name against a file. Whoever loses stands under
// another name with the problem said. A broken file leaves the last valid definition running, also
// after a restart (from the catalog). A file that is gone takes its connection with it: Get() is
// NOT_FOUND, and whoever runs a sync of it ends it; its versions and whether it was paused are kept
// for the day it comes back.
//
// Definitions of the API see neither the server's environment nor its files (${secret:NAME}
// instead), choose neither `isolation: in_process` nor `sandbox: off` nor a connector by its path;
// their relative paths begin in DATA/files. Nothing may name a path below DATA but there.
#ifndef TIDEMARK_SERVICE_CONNECTION_BOOK_H_
#define TIDEMARK_SERVICE_CONNECTION_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "control/connection.h"
#include "control/references.h"
#include "core/clock.h"
#include "service/catalog.h"
#include "service/connection_entry.h"

namespace tidemark {

struct ApplyResult {
  ConnectionEntry entry;
  bool created = false;
  bool changed = false;
  std::vector<std::string> changes;  // a line each, secrets hidden
  std::vector<std::string> warnings;
};

// Thread-safe. Calls that change something take turns and wait for the disk; the others never do,
// except Load(), which reads what the definition refers to.
class ConnectionBook {
 public:
  struct Options {
    std::string folder;  // of connection files; empty: none
    Clock* clock = nullptr;
    // Value of ${secret:NAME}; null: such references are an error. Called on any thread.
    SecretLookup secret;
  };

  // Reads the catalog and the folder. Broken files are entries with a problem, not an error.
  static absl::StatusOr<std::unique_ptr<ConnectionBook>> Open(Catalog* catalog, Options options);
  ~ConnectionBook();
  ConnectionBook(const ConnectionBook&) = delete;
  ConnectionBook& operator=(const ConnectionBook&) = delete;

  // Whether Reload() may find something: a file's times differ, or an entry has had a problem for
  // ten seconds. About 1 ms for 1,000 files.
  bool Changed();
  // Reads the folder again: new, changed and removed files; and looks again at every entry with a
  // problem (a secret or a variable may be there now: call it after a secret was set). Returns the
  // names whose entry is another now, removed ones among them. An error (the folder or the catalog
  // cannot be reached) leaves everything as it was.
  absl::StatusOr<std::vector<std::string>> Reload();
  // What is wrong with the folder beside single files (its .env), of the last Reload(); empty:
  // nothing.
  std::string FolderProblem() const;

  // Sorted by name; those after `after`, at most `limit`.
  std::vector<ConnectionEntry> List(absl::string_view after, size_t limit) const;
  // NOT_FOUND naming the nearest known name.
  absl::StatusOr<ConnectionEntry> Get(absl::string_view name) const;
  size_t size() const;

  // The usable definition, with its references resolved: holds secrets. For one sync or one call.
  // NOT_FOUND; FAILED_PRECONDITION: none is usable, with the problem; IsUsage(): a reference has no
  // value any more.
  absl::StatusOr<Connection> Load(absl::string_view name) const;

  // Creates or replaces a connection of the API. `expected_version` 0: whichever. ABORTED: it is
  // another one. ALREADY_EXISTS: a file of the folder has the name. IsUsage(): not valid, every
  // problem a line.
  absl::StatusOr<ApplyResult> Apply(absl::string_view yaml, bool dry_run,
                                    uint64_t expected_version);
  // NOT_FOUND; ABORTED: it is another version; FAILED_PRECONDITION: it is a file of the folder.
  absl::Status Delete(absl::string_view name, uint64_t expected_version);
  // NOT_FOUND; FAILED_PRECONDITION: it has no version yet.
  absl::StatusOr<ConnectionEntry> SetPaused(absl::string_view name, bool paused);

  // Called after each change, without locks held, on the thread that made it. Set before other
  // threads are there.
  void SetListener(std::function<void(const std::vector<std::string>& names)> listener);

 private:
  struct Work;

  explicit ConnectionBook(std::unique_ptr<Work> work);

  const std::unique_ptr<Work> work_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONNECTION_BOOK_H_
