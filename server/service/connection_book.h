// The connections of a server: files of its folder and definitions that came through the API, each
// with its versions. A definition that is not valid is kept and said; it never takes others down.
#ifndef TIDEMARK_SERVICE_CONNECTION_BOOK_H_
#define TIDEMARK_SERVICE_CONNECTION_BOOK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "control/connection.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "service/catalog.h"
#include "service/schedule.h"

namespace tidemark {

enum class ConnectionOrigin { kFolder, kApi };

// One connection as it stands. Holds no secret: `yaml` is what was written, with references.
struct ConnectionEntry {
  std::string name;
  ConnectionOrigin origin = ConnectionOrigin::kFolder;
  std::string file;    // how messages call it: the path, or "connection NAME"
  std::string folder;  // where relative paths begin
  std::shared_ptr<const std::string> yaml;
  uint64_t version = 0;  // 1, 2, ...
  int64_t changed_at_us = 0;
  bool paused = false;
  std::string problem;  // why it is not valid, every line; empty: it is
  Schedule schedule;    // kManual while there is a problem
  std::string connector;
  std::string destination_type;
  std::string destination_path;  // real path: connections of one file share its writer
  uint32_t priority = 0;         // larger first
};

struct ApplyResult {
  ConnectionEntry entry;
  bool created = false;
  bool changed = false;
  std::vector<std::string> changes;   // a line each, secrets hidden
  std::vector<std::string> warnings;
};

// Thread-safe.
class ConnectionBook {
 public:
  struct Options {
    std::string folder;  // of connection files; empty: none
    Clock* clock = nullptr;
    // Value of ${secret:NAME}; null: such references are an error.
    std::function<absl::StatusOr<std::string>(absl::string_view name)> secret;
  };

  // Reads the catalog and the folder. Broken files are entries with a problem, not an error.
  static absl::StatusOr<std::unique_ptr<ConnectionBook>> Open(Catalog* catalog, Options options);

  // Reads the folder again: new, changed and removed files. Returns the names whose definition
  // changed. A file that cannot be read keeps its last valid definition, with the problem said.
  absl::StatusOr<std::vector<std::string>> Reload();

  // Sorted by name; those after `after`, at most `limit`.
  std::vector<ConnectionEntry> List(absl::string_view after, size_t limit) const;
  // NOT_FOUND naming the nearest known name.
  absl::StatusOr<ConnectionEntry> Get(absl::string_view name) const;
  size_t size() const;

  // Checked, with its references resolved: holds secrets. For one sync or one call.
  absl::StatusOr<Connection> Load(absl::string_view name) const;

  // Creates or replaces a connection of the API. `expected_version` 0: whichever. ABORTED: it is
  // another one. ALREADY_EXISTS: a file of the folder has the name. IsUsage(): not valid, every
  // problem a line.
  absl::StatusOr<ApplyResult> Apply(absl::string_view yaml, bool dry_run,
                                    uint64_t expected_version);
  absl::Status Delete(absl::string_view name, uint64_t expected_version);
  absl::StatusOr<ConnectionEntry> SetPaused(absl::string_view name, bool paused);

  // Called after each change, without locks held, on the thread that made it.
  void SetListener(std::function<void(const std::vector<std::string>& names)> listener);

 private:
  ConnectionBook(Catalog* catalog, Options options);

  Catalog* const catalog_;
  const Options options_;
  mutable Mutex mutex_;
  std::map<std::string, ConnectionEntry, std::less<>> entries_ ABSL_GUARDED_BY(mutex_);
  std::function<void(const std::vector<std::string>&)> listener_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONNECTION_BOOK_H_
