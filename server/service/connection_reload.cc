// The folder's part of ConnectionBook: its files against what the catalog has of them.
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/connection_book_work.h"
#include "service/connection_names.h"

namespace tidemark {
namespace {

bool Same(const ConnectionEntry& a, const ConnectionEntry& b) {
  return a.origin == b.origin && a.file == b.file && *a.yaml == *b.yaml && a.version == b.version &&
         a.paused == b.paused && a.usable == b.usable && a.problem == b.problem &&
         a.schedule.text() == b.schedule.text() && a.connector == b.connector &&
         a.destination_type == b.destination_type && a.destination_path == b.destination_path &&
         a.priority == b.priority;
}

}  // namespace

absl::StatusOr<ExaminedFiles> ConnectionBook::Work::ExamineFolder() {
  ExaminedFiles now;
  if (options.folder.empty()) return now;
  absl::StatusOr<std::vector<ConnectionFile>> files = folder.Read();
  if (!files.ok()) return files.status();
  const bool same_variables = folder.variables() == used_variables;
  used_variables = folder.variables();
  for (const ConnectionFile& file : *files) {
    const auto before = examined.find(file.path);
    ExaminedDefinition& result = now[file.path];
    if (file.text == nullptr) {
      result.entry.file = file.path;
      result.entry.folder = options.folder;
      result.entry.problem = file.problem;
    } else if (before != examined.end() && before->second.text == file.text &&
               before->second.entry.problem.empty() && same_variables) {
      result = before->second;
    } else {
      result = reader.Examine(ConnectionOrigin::kFolder, file.path, file.text, used_variables);
    }
  }
  examined = now;
  NameFiles(&now);
  return now;
}

void ConnectionBook::Work::NameFiles(ExaminedFiles* files) const {
  std::map<std::string, std::string> known;  // path -> name
  for (const auto& [name, row] : rows) {
    if (!row.removed && row.origin == ConnectionOrigin::kFolder) known[row.file] = name;
  }
  std::vector<NameRequest> requests;
  for (const auto& [path, file] : *files) {
    const auto before = known.find(path);
    NameRequest request{path, file.name, before == known.end() ? "" : before->second};
    if (request.name.empty()) request.name = request.known;
    if (request.name.empty()) request.name = DefaultConnectionName(path);
    requests.push_back(std::move(request));
  }
  const auto is_of_api = [this](const std::string& name) {
    const std::optional<ConnectionEntry> entry = Find(name);
    return entry.has_value() && entry->origin == ConnectionOrigin::kApi;
  };
  for (const auto& [path, given] : GiveNames(requests, is_of_api)) {
    ExaminedDefinition& file = files->at(path);
    file.name = given.name;
    if (given.problem.empty()) continue;
    file.entry.usable = false;
    absl::StrAppend(&file.entry.problem, file.entry.problem.empty() ? "" : "\n", given.problem);
  }
}

std::vector<ConnectionRowChange> ConnectionBook::Work::FolderChanges(
    const ExaminedFiles& files) const {
  std::vector<ConnectionRowChange> changes;
  std::set<std::string> present;
  for (const auto& [path, file] : files) {
    present.insert(file.name);
    if (!file.entry.usable) continue;
    ConnectionRowChange change;
    const auto row = rows.find(file.name);
    if (row != rows.end()) change.row = row->second;
    change.new_version = row == rows.end() || *change.row.yaml != *file.text;
    const bool moved = change.row.removed || change.row.file != path ||
                       change.row.origin != ConnectionOrigin::kFolder;
    if (!change.new_version && !moved) continue;
    change.row.name = file.name;
    change.row.origin = ConnectionOrigin::kFolder;
    change.row.file = path;
    change.row.removed = false;
    if (change.new_version) {
      ++change.row.version;
      change.row.changed_at_us = NowUs();
    }
    change.row.yaml = file.text;
    changes.push_back(std::move(change));
  }
  for (const auto& [name, row] : rows) {
    if (row.removed || row.origin != ConnectionOrigin::kFolder || present.contains(name)) continue;
    ConnectionRowChange change;
    change.row = row;
    change.row.removed = true;
    changes.push_back(std::move(change));
  }
  return changes;
}

ConnectionEntry ConnectionBook::Work::MakeEntry(const std::string& path,
                                                const ExaminedDefinition& file) const {
  ConnectionEntry entry = file.entry;
  const auto row = rows.find(file.name);
  const bool stored =
      row != rows.end() && !row->second.removed && row->second.origin == ConnectionOrigin::kFolder;
  if (!entry.usable && stored) {
    const std::string problem = entry.problem;
    entry = reader.Examine(ConnectionOrigin::kFolder, path, row->second.yaml, used_variables).entry;
    entry.problem = entry.usable ? absl::StrCat(problem, "\nversion ", row->second.version,
                                                " of the definition goes on running")
                                 : problem;
  }
  if (stored) {
    FillIn(row->second, &entry);
  } else {
    entry.name = file.name;
    entry.yaml = file.text != nullptr ? file.text : std::make_shared<const std::string>();
  }
  return entry;
}

std::vector<std::string> ConnectionBook::Work::Exchange(ConnectionEntries now) {
  std::vector<std::string> changed;
  MutexLock lock(mutex);
  for (const auto& [name, entry] : now) {
    const auto before = entries.find(name);
    if (before == entries.end() || !Same(before->second, entry)) changed.push_back(name);
  }
  for (const auto& [name, entry] : entries) {
    if (!now.contains(name)) changed.push_back(name);
  }
  entries = std::move(now);
  std::sort(changed.begin(), changed.end());
  return changed;
}

absl::StatusOr<std::vector<std::string>> ConnectionBook::Work::Reload() {
  reloaded_at = options.clock->Monotonic();
  absl::StatusOr<ExaminedFiles> files = ExamineFolder();
  if (!files.ok()) return files.status();
  if (absl::Status status = Write(FolderChanges(*files)); !status.ok()) {
    folder.Forget();
    return status;
  }
  ConnectionEntries now;
  for (const auto& [path, file] : *files) {
    ConnectionEntry entry = MakeEntry(path, file);
    now.emplace(entry.name, std::move(entry));
  }
  for (const auto& [name, row] : rows) {
    if (row.removed || row.origin != ConnectionOrigin::kApi) continue;
    std::optional<ConnectionEntry> before = Find(name);
    const bool good = before.has_value() && before->problem.empty();
    now.emplace(name, good ? *std::move(before) : MakeApiEntry(row));
  }
  {
    MutexLock lock(mutex);
    variables = used_variables;
    folder_problem = folder.variables_problem();
  }
  return Exchange(std::move(now));
}

}  // namespace tidemark
