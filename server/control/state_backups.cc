#include "control/state_backups.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "control/exit_code.h"
#include "control/version.h"
#include "core/file_system.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

StateBackupSettings SettingsOf(const StateLocation& location) {
  return location.configuration == nullptr ? StateBackupSettings() : location.configuration->backup;
}

BackupOptions OptionsFor(const StateLocation& location, const std::string& folder) {
  BackupOptions options;
  options.folder = folder;
  options.connection = location.connection;
  options.engine = EngineVersion();
  options.now_us = absl::ToUnixMicros(Clock::Real().Now());
  options.keep = SettingsOf(location).keep;
  return options;
}

AuditRecord Audit(const RestoreStep& step, const StateBackup& backup, const MoveStamp& stamp) {
  AuditRecord record;
  record.at_us = stamp.now_us;
  record.action = "restore";
  record.entry = step.entry->head.entry;
  record.by = HolderText("tidemark state restore");
  const bool import = step.what == RestoreStep::What::kImport;
  record.detail =
      absl::StrCat(EntryLabel(record.entry), ": ",
                   import ? absl::StrCat("version ", step.current.version + 1,
                                         " with the state of version ", step.entry->head.version)
                          : absl::StrCat(step.entry->versions.size(), " versions up to ",
                                         step.entry->head.version, " made again"),
                   " of the backup of ", FormatReportTime(backup.created_at_us));
  return record;
}

}  // namespace

std::string BackupFolderOf(const StateLocation& location) { return BackupFolder(location.path); }

absl::StatusOr<std::string> BackUpState(const StateLocation& location, const std::string& folder) {
  auto state = StoredState::OpenForReading(location);
  if (!state.ok()) return state.status();
  absl::StatusOr<std::string> path =
      WriteBackup((*state)->store(), FileSystem::Real(), OptionsFor(location, folder));
  if (!path.ok()) return AsLocal(path.status());
  return path;
}

absl::StatusOr<std::string> BackUpIfDue(const StateLocation& location) {
  const absl::Duration every = SettingsOf(location).every;
  if (every == absl::InfiniteDuration()) return std::string();
  const std::string folder = BackupFolderOf(location);
  BackupOptions options = OptionsFor(location, folder);
  options.damaged_too = false;  // what is damaged is the repair's business
  absl::StatusOr<std::vector<BackupFile>> backups =
      ListBackups(FileSystem::Real(), folder, location.connection);
  if (!backups.ok()) return AsLocal(backups.status());
  const int64_t every_us = absl::ToInt64Microseconds(every);
  const int64_t newest = backups->empty() ? kNoTime : backups->back().created_at_us;
  // A newest backup of the future: the clock was set back, which is no reason to stop.
  if (newest != kNoTime && newest <= options.now_us && options.now_us - newest < every_us) {
    return std::string();
  }
  absl::StatusOr<bool> exists = FileSystem::Real().Exists(location.path);
  if (!exists.ok()) return AsLocal(exists.status());
  if (!*exists) return std::string();
  auto state = StoredState::OpenForReading(location);
  if (!state.ok()) return state.status();
  absl::StatusOr<std::vector<StateHead>> heads = (*state)->store().Heads();
  if (!heads.ok() || heads->empty()) return std::string();
  absl::StatusOr<std::string> path = WriteBackup((*state)->store(), FileSystem::Real(), options);
  if (absl::IsDataLoss(path.status()) || absl::IsNotFound(path.status())) return std::string();
  if (!path.ok()) return AsLocal(path.status());
  return absl::StrCat("state backed up to ", *path);
}

absl::StatusOr<StateBackup> ReadBackupFile(const std::string& path) {
  absl::StatusOr<StateBackup> backup = ReadBackup(FileSystem::Real(), path);
  if (!backup.ok()) return AsLocal(backup.status());
  return backup;
}

absl::StatusOr<StateBackup> ReadNewestBackup(const StateLocation& location,
                                             std::vector<std::string>* skipped) {
  const std::string folder = BackupFolderOf(location);
  absl::StatusOr<std::vector<BackupFile>> files =
      ListBackups(FileSystem::Real(), folder, location.connection);
  if (!files.ok()) return AsLocal(files.status());
  std::reverse(files->begin(), files->end());
  for (const BackupFile& file : *files) {
    absl::StatusOr<StateBackup> backup = ReadBackup(FileSystem::Real(), file.path);
    if (backup.ok()) return backup;
    if (!absl::IsDataLoss(backup.status())) return AsLocal(backup.status());
    skipped->push_back(std::string(backup.status().message()));
  }
  return AsLocal(
      absl::NotFoundError(absl::StrCat(folder, " holds no ", skipped->empty() ? "" : "undamaged ",
                                       "backup of connection \"", location.connection, "\"")));
}

absl::StatusOr<std::vector<RestoreStep>> PlanStateRestore(const StateLocation& location,
                                                          const StateBackup& backup) {
  const RollbackHorizon horizon;
  const int64_t now_us = absl::ToUnixMicros(Clock::Real().Now());
  auto state = StoredState::OpenForReading(location);
  if (!state.ok()) return state.status();
  auto steps = PlanRestore((*state)->store(), backup, now_us, horizon);
  if (!steps.ok()) return AsLocal(steps.status());
  return steps;
}

absl::StatusOr<StateWritten> ApplyRestore(const StateLocation& location, const StateBackup& backup,
                                          const std::vector<RestoreStep>& steps) {
  StateWriteOptions options;
  options.action = "restore";
  options.create = options.rebuild = true;
  auto state = StoredState::OpenForWriting(location, options);
  if (!state.ok()) return state.status();
  MoveStamp stamp = (*state)->stamp();
  stamp.sync_id = absl::StrCat("restore_", stamp.group_id.substr(0, 16));
  StateChangeSet change;
  change.appends = MakeRestore(steps, stamp);
  StateWritten written;
  for (const RestoreStep& step : steps) {
    const bool import = step.what == RestoreStep::What::kImport;
    const bool recreate = step.what == RestoreStep::What::kRecreate;
    written.entries.push_back(
        {step.entry->head.entry,
         recreate ? step.entry->head.version : step.current.version + (import ? 1 : 0)});
    if (import || recreate) change.audit.push_back(Audit(step, backup, stamp));
  }
  absl::StatusOr<std::string> warning = (*state)->Append(change);
  if (!warning.ok()) return warning.status();
  written.warning = *std::move(warning);
  return written;
}

}  // namespace tidemark
