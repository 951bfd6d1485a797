#include "service/connection_book.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "control/configuration_keys.h"
#include "control/exit_code.h"
#include "core/file_system.h"
#include "service/connection_book_work.h"
#include "service/definition_text.h"

namespace tidemark {
namespace {

constexpr absl::Duration kLookAgain = absl::Seconds(10);  // at entries with a problem

std::string ApiLabel(absl::string_view name) { return absl::StrCat("connection ", name); }

}  // namespace

absl::Status ConnectionBook::Work::ReadRows() {
  absl::StatusOr<std::vector<StoredConnection>> read;
  absl::Status status = catalog->With([&read](SqliteConnection& connection) {
    read = ReadConnectionRows(connection);
    return read.status();
  });
  if (!status.ok()) return status;
  for (StoredConnection& row : *read) {
    if (!row.removed && row.origin == ConnectionOrigin::kApi) {
      ConnectionEntry entry = MakeApiEntry(row);
      MutexLock lock(mutex);
      entries.emplace(row.name, std::move(entry));
    }
    rows.emplace(row.name, row);
  }
  return absl::OkStatus();
}

absl::Status ConnectionBook::Work::Write(const std::vector<ConnectionRowChange>& changes) {
  if (changes.empty()) return absl::OkStatus();
  absl::Status status = catalog->Transaction([&changes](SqliteConnection& connection) {
    for (const ConnectionRowChange& change : changes) {
      absl::Status written = WriteConnectionRow(connection, change);
      if (!written.ok()) return written;
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  for (const ConnectionRowChange& change : changes) rows[change.row.name] = change.row;
  return absl::OkStatus();
}

void ConnectionBook::Work::FillIn(const StoredConnection& row, ConnectionEntry* entry) const {
  entry->name = row.name;
  entry->origin = row.origin;
  entry->yaml = row.yaml;
  entry->version = row.version;
  entry->changed_at_us = row.changed_at_us;
  entry->paused = row.paused;
}

ConnectionEntry ConnectionBook::Work::MakeApiEntry(const StoredConnection& row) const {
  ConnectionEntry entry =
      reader.Examine(ConnectionOrigin::kApi, ApiLabel(row.name), row.yaml, ConnectionVariables())
          .entry;
  FillIn(row, &entry);
  return entry;
}

std::optional<ConnectionEntry> ConnectionBook::Work::Find(absl::string_view name) const {
  MutexLock lock(mutex);
  const auto found = entries.find(name);
  if (found == entries.end()) return std::nullopt;
  return found->second;
}

absl::Status ConnectionBook::Work::NoSuch(absl::string_view name) const {
  std::vector<std::string> names;
  {
    MutexLock lock(mutex);
    for (const auto& [known, entry] : entries) names.push_back(known);
  }
  const std::string nearest = NearestName(name, names);
  return absl::NotFoundError(
      absl::StrCat("there is no connection \"", name, "\"",
                   nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?")));
}

absl::StatusOr<ApplyResult> ConnectionBook::Work::Apply(absl::string_view yaml, bool dry_run,
                                                        uint64_t expected_version) {
  const std::shared_ptr<const std::string> text = std::make_shared<const std::string>(yaml);
  const std::string name = NameInDefinition(yaml);
  if (name.empty()) {
    // Either it is no YAML, which says more, or it has no name.
    absl::StatusOr<Connection> parsed =
        reader.Read(ConnectionOrigin::kApi, "definition", yaml, ConnectionVariables());
    return AsUsage(!parsed.ok() ? parsed.status()
                                : absl::InvalidArgumentError(
                                      "definition:1:1: name: give the connection a name"));
  }
  ExaminedDefinition examined =
      reader.Examine(ConnectionOrigin::kApi, ApiLabel(name), text, ConnectionVariables());
  if (!examined.entry.usable) {
    return AsUsage(absl::InvalidArgumentError(examined.entry.problem));
  }
  const std::optional<ConnectionEntry> before = Find(name);
  if (before.has_value() && before->origin == ConnectionOrigin::kFolder) {
    return absl::AlreadyExistsError(absl::StrCat("connection \"", name, "\" is the file ",
                                                 before->file,
                                                 " of the server's folder; change it there"));
  }
  const uint64_t version = before.has_value() ? before->version : 0;
  if (expected_version != 0 && expected_version != version) {
    return absl::AbortedError(absl::StrCat("connection \"", name, "\" is at version ", version,
                                           ", not ", expected_version, "; read it again"));
  }
  ConnectionRowChange change;
  if (const auto row = rows.find(name); row != rows.end()) change.row = row->second;
  ApplyResult result;
  result.created = !before.has_value();
  result.changed = result.created || *before->yaml != yaml;
  result.changes = DefinitionChanges(result.created ? "" : *before->yaml, yaml);
  result.warnings = std::move(examined.warnings);
  result.entry = std::move(examined.entry);
  if (result.changed) {
    change.new_version = true;
    change.row.name = name;
    change.row.origin = ConnectionOrigin::kApi;
    change.row.file.clear();
    change.row.removed = false;
    change.row.yaml = text;
    ++change.row.version;
    change.row.changed_at_us = NowUs();
  }
  FillIn(change.row, &result.entry);
  if (dry_run) return result;
  if (result.changed) {
    absl::Status status = FileSystem::Real().MakeFolder(reader.api_folder());
    if (status.ok()) status = Write({change});
    if (!status.ok()) return status;
  }
  MutexLock lock(mutex);
  entries[name] = result.entry;
  return result;
}

ConnectionBook::ConnectionBook(std::unique_ptr<Work> work) : work_(std::move(work)) {}

ConnectionBook::~ConnectionBook() = default;

absl::StatusOr<std::unique_ptr<ConnectionBook>> ConnectionBook::Open(Catalog* catalog,
                                                                     Options options) {
  while (options.folder.size() > 1 && options.folder.back() == '/') options.folder.pop_back();
  auto work = std::make_unique<Work>(catalog, std::move(options));
  {
    MutexLock lock(work->writer);
    if (absl::Status status = work->ReadRows(); !status.ok()) return status;
    absl::StatusOr<std::vector<std::string>> read = work->Reload();
    if (!read.ok()) return read.status();
  }
  return std::unique_ptr<ConnectionBook>(new ConnectionBook(std::move(work)));
}

bool ConnectionBook::Changed() {
  Work& work = *work_;
  MutexLock writing(work.writer);
  if (!work.options.folder.empty() && work.folder.Changed()) return true;
  if (work.options.clock->Monotonic() - work.reloaded_at < kLookAgain) return false;
  MutexLock lock(work.mutex);
  return std::any_of(work.entries.begin(), work.entries.end(),
                     [](const auto& entry) { return !entry.second.problem.empty(); });
}

absl::StatusOr<std::vector<std::string>> ConnectionBook::Reload() {
  absl::StatusOr<std::vector<std::string>> changed;
  {
    MutexLock lock(work_->writer);
    changed = work_->Reload();
  }
  if (changed.ok() && !changed->empty() && work_->listener) work_->listener(*changed);
  return changed;
}

std::string ConnectionBook::FolderProblem() const {
  MutexLock lock(work_->mutex);
  return work_->folder_problem;
}

std::vector<ConnectionEntry> ConnectionBook::List(absl::string_view after, size_t limit) const {
  MutexLock lock(work_->mutex);
  std::vector<ConnectionEntry> list;
  const ConnectionEntries& entries = work_->entries;
  for (auto at = after.empty() ? entries.begin() : entries.upper_bound(after);
       at != entries.end() && list.size() < limit; ++at) {
    list.push_back(at->second);
  }
  return list;
}

absl::StatusOr<ConnectionEntry> ConnectionBook::Get(absl::string_view name) const {
  std::optional<ConnectionEntry> entry = work_->Find(name);
  if (!entry.has_value()) return work_->NoSuch(name);
  return *std::move(entry);
}

size_t ConnectionBook::size() const {
  MutexLock lock(work_->mutex);
  return work_->entries.size();
}

absl::StatusOr<Connection> ConnectionBook::Load(absl::string_view name) const {
  absl::StatusOr<ConnectionEntry> entry = Get(name);
  if (!entry.ok()) return entry.status();
  if (!entry->usable) {
    return absl::FailedPreconditionError(
        absl::StrCat("connection \"", name, "\" has no valid definition:\n", entry->problem));
  }
  ConnectionVariables variables;
  {
    MutexLock lock(work_->mutex);
    variables = work_->variables;
  }
  return work_->reader.Read(entry->origin, entry->file, *entry->yaml, variables);
}

absl::StatusOr<ApplyResult> ConnectionBook::Apply(absl::string_view yaml, bool dry_run,
                                                  uint64_t expected_version) {
  if (yaml.size() > kMaxDefinition) {
    return AsUsage(absl::InvalidArgumentError(
        absl::StrCat("the definition is larger than ", kMaxDefinition, " bytes")));
  }
  absl::StatusOr<ApplyResult> result;
  {
    MutexLock lock(work_->writer);
    result = work_->Apply(yaml, dry_run, expected_version);
  }
  if (result.ok() && result->changed && !dry_run && work_->listener) {
    work_->listener({result->entry.name});
  }
  return result;
}

absl::Status ConnectionBook::Delete(absl::string_view name, uint64_t expected_version) {
  {
    MutexLock writing(work_->writer);
    const std::optional<ConnectionEntry> entry = work_->Find(name);
    if (!entry.has_value()) return work_->NoSuch(name);
    if (entry->origin == ConnectionOrigin::kFolder) {
      return absl::FailedPreconditionError(
          absl::StrCat("connection \"", name, "\" is the file ", entry->file,
                       " of the server's folder; remove it there"));
    }
    if (expected_version != 0 && expected_version != entry->version) {
      return absl::AbortedError(absl::StrCat("connection \"", name, "\" is at version ",
                                             entry->version, ", not ", expected_version,
                                             "; read it again"));
    }
    ConnectionRowChange change;
    change.row = work_->rows.at(entry->name);
    change.row.removed = true;
    change.row.paused = false;
    if (absl::Status status = work_->Write({change}); !status.ok()) return status;
    MutexLock lock(work_->mutex);
    work_->entries.erase(entry->name);
  }
  if (work_->listener) work_->listener({std::string(name)});
  return absl::OkStatus();
}

absl::StatusOr<ConnectionEntry> ConnectionBook::SetPaused(absl::string_view name, bool paused) {
  std::optional<ConnectionEntry> entry;
  {
    MutexLock writing(work_->writer);
    entry = work_->Find(name);
    if (!entry.has_value()) return work_->NoSuch(name);
    if (entry->version == 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("connection \"", name, "\" was never valid; there is nothing to pause"));
    }
    if (entry->paused == paused) return *std::move(entry);
    ConnectionRowChange change;
    change.row = work_->rows.at(entry->name);
    change.row.paused = paused;
    if (absl::Status status = work_->Write({change}); !status.ok()) return status;
    entry->paused = paused;
    MutexLock lock(work_->mutex);
    work_->entries[entry->name] = *entry;
  }
  if (work_->listener) work_->listener({entry->name});
  return *std::move(entry);
}

void ConnectionBook::SetListener(
    std::function<void(const std::vector<std::string>& names)> listener) {
  work_->listener = std::move(listener);
}

}  // namespace tidemark
