// Inside of ConnectionBook: what its two sources share.
#ifndef TIDEMARK_SERVICE_CONNECTION_BOOK_WORK_H_
#define TIDEMARK_SERVICE_CONNECTION_BOOK_WORK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/mutex.h"
#include "service/connection_book.h"
#include "service/connection_folder.h"
#include "service/connection_rows.h"
#include "service/definition_reader.h"

namespace tidemark {

using ConnectionEntries = std::map<std::string, ConnectionEntry, std::less<>>;
using ConnectionVariables = std::map<std::string, std::string>;
using ExaminedFiles = std::map<std::string, ExaminedDefinition>;  // by path

struct ConnectionBook::Work {
  Work(Catalog* catalog_in, Options options_in)
      : catalog(catalog_in),
        options(std::move(options_in)),
        reader(catalog->folder(), options.secret),
        folder(options.folder, options.clock) {}

  absl::Status ReadRows() ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer);
  absl::StatusOr<std::vector<std::string>> Reload() ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer);
  absl::StatusOr<ApplyResult> Apply(absl::string_view yaml, bool dry_run, uint64_t expected_version)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer);

  // The files with the names they get; what is unchanged and good is not parsed again.
  absl::StatusOr<ExaminedFiles> ExamineFolder() ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer);
  void NameFiles(ExaminedFiles* files) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer);
  std::vector<ConnectionRowChange> FolderChanges(const ExaminedFiles& files) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer);
  absl::Status Write(const std::vector<ConnectionRowChange>& changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer);
  ConnectionEntry MakeEntry(const std::string& path, const ExaminedDefinition& file) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer);
  ConnectionEntry MakeApiEntry(const StoredConnection& row) const;
  void FillIn(const StoredConnection& row, ConnectionEntry* entry) const;
  std::vector<std::string> Exchange(ConnectionEntries now);
  std::optional<ConnectionEntry> Find(absl::string_view name) const;
  absl::Status NoSuch(absl::string_view name) const;
  int64_t NowUs() const { return absl::ToUnixMicros(options.clock->Now()); }

  Catalog* const catalog;
  const Options options;
  const DefinitionReader reader;
  std::function<void(const std::vector<std::string>&)> listener;

  // One change at a time; held while the disk is waited for. Taken before `mutex`.
  mutable Mutex writer;
  ConnectionFolder folder ABSL_GUARDED_BY(writer);
  ConnectionVariables used_variables ABSL_GUARDED_BY(writer);
  std::map<std::string, StoredConnection, std::less<>> rows ABSL_GUARDED_BY(writer);
  ExaminedFiles examined ABSL_GUARDED_BY(writer);
  absl::Duration reloaded_at ABSL_GUARDED_BY(writer);

  mutable Mutex mutex;
  ConnectionEntries entries ABSL_GUARDED_BY(mutex);
  ConnectionVariables variables ABSL_GUARDED_BY(mutex);  // of the folder's .env
  std::string folder_problem ABSL_GUARDED_BY(mutex);
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONNECTION_BOOK_WORK_H_
