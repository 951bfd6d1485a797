#include "control/state_recovery.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "control/exit_code.h"
#include "control/outer_storage.h"
#include "control/version.h"
#include "core/file_system.h"
#include "core/time_text.h"
#include "nlohmann/json.hpp"
#include "state/sqlite_state_store.h"
#include "state/state_backup.h"

namespace tidemark {
namespace {

constexpr size_t kCopies = 2;       // so many good backups are looked at
constexpr size_t kBackupTries = 8;  // out of so many

absl::StatusOr<std::unique_ptr<StateStore>> OpenStore(const StateLocation& location,
                                                      bool read_only) {
  SqliteStateStoreOptions options;
  options.engine = EngineVersion();
  options.read_only = read_only;
  options.create = !read_only;
  return OpenSqliteStateStore(location.path, location.connection, options);
}

// Entries and versions that a report names; a report that cannot be read names none.
std::vector<StateEvidence::Entry> EntriesOf(const std::string& report) {
  std::vector<StateEvidence::Entry> entries;
  const nlohmann::json json = nlohmann::json::parse(report, nullptr, false);
  if (!json.is_object()) return entries;
  const auto checkpoint = json.find("checkpoint");
  if (checkpoint == json.end() || !checkpoint->is_object()) return entries;
  const auto list = checkpoint->find("entries");
  if (list == checkpoint->end() || !list->is_array()) return entries;
  for (const nlohmann::json& item : *list) {
    if (!item.is_object() || !item.contains("entry") || !item["entry"].is_string() ||
        !item.contains("version_after") || !item["version_after"].is_number_integer()) {
      continue;
    }
    entries.push_back({item["entry"].get<std::string>(), item["version_after"].get<int64_t>()});
  }
  return entries;
}

// Which reset reads a table again: its own state's, or that of the whole connection.
std::string ResetCommand(const StateCheck& check, const std::string& source_name) {
  const bool own = std::any_of(
      check.entries.begin(), check.entries.end(),
      [&source_name](const EntryCheck& entry) { return entry.head.entry == source_name; });
  return own ? absl::StrCat("tidemark state reset --table ", source_name) : "tidemark state reset";
}

void AddTableFindings(const SqliteWitness& witness, const StateCheck& check,
                      std::vector<StateFinding>* findings) {
  for (const AlteredTable& table : witness.altered) {
    StateFinding& finding = findings->emplace_back();
    finding.corruption = CorruptionClass::kTableAltered;
    finding.level = StateLevel::kL3;
    finding.entry = table.source_name;
    if (table.gone) {
      finding.sentence = absl::StrCat("table \"", table.table,
                                      "\" is gone from the destination although it was synced");
    } else if (table.key_altered) {
      finding.sentence =
          absl::StrCat("table \"", table.table, "\" has another key, or lacks system columns");
    } else {
      finding.sentence = absl::StrCat("table \"", table.table, "\" lacks ",
                                      table.missing.size() == 1 ? "column " : "columns ",
                                      absl::StrJoin(table.missing, ", "));
      finding.remedy =
          "`tidemark state repair` creates them again, empty until their rows are read again";
    }
    if (table.gone || table.key_altered) {
      finding.remedy = absl::StrCat("restore it, or read it again: `",
                                    ResetCommand(check, table.source_name), "`");
    }
  }
}

bool Restorable(const AlteredTable& table) { return !table.gone && !table.key_altered; }

// A gone table whose state begins again is made anew by the next sync.
bool BeginsAgain(const StateCheck& check, const std::string& source_name) {
  for (const std::string& name : {source_name, std::string()}) {
    for (const EntryCheck& entry : check.entries) {
      if (entry.head.entry != name || !entry.usable) continue;
      const VersionMark& current = entry.versions[entry.last];
      return current.empty && current.kind == StateKind::kReset;
    }
  }
  return false;
}

std::vector<StateCopy> ReadCopies(const StateLocation& location) {
  std::vector<StateCopy> copies;
  // The store beside the destination has what was committed last, or one group less.
  if (location.configuration != nullptr) {
    auto outer = OpenOuterStateStore(*location.configuration, true);
    if (outer.ok() && *outer != nullptr) {
      absl::StatusOr<StateCopy> copy = CopyOfStore(**outer);
      if (copy.ok()) copies.push_back(*std::move(copy));
    }
  }
  FileSystem& files = FileSystem::Real();
  auto backups = ListBackups(files, BackupFolder(location.path), location.connection);
  if (!backups.ok()) return copies;
  size_t tries = 0;
  for (auto file = backups->rbegin(); file != backups->rend(); ++file) {
    if (copies.size() >= kCopies || ++tries > kBackupTries) break;
    absl::StatusOr<StateBackup> backup = ReadBackup(files, file->path);
    if (!backup.ok() || backup->connection != location.connection) continue;
    StateCopy& copy = copies.emplace_back();
    copy.where = absl::StrCat("the backup of ", FormatReportTime(file->created_at_us));
    for (const BackupEntry& entry : backup->entries) {
      if (!entry.versions.empty()) AddToCopy(entry.head, entry.versions.back(), &copy);
    }
  }
  return copies;
}

RepairOptions OptionsOf(const StateLocation& location, const StateValidation& validation,
                        const RecoveryChoice& choice) {
  RepairOptions options;
  options.repair = choice.repair;
  options.reset = choice.reset;
  options.begin_again = choice.begin_again;
  if (choice.repair) options.copies = ReadCopies(location);
  options.tables = validation.witness.source_names;
  return options;
}

// Tables that are left, as findings of the plan.
void AddTablesLeft(const StateValidation& validation, bool repair, StateRepairPlan* plan) {
  for (const StateFinding& finding : validation.check.findings) {
    if (finding.corruption != CorruptionClass::kTableAltered) continue;
    const auto table = std::find_if(
        validation.witness.altered.begin(), validation.witness.altered.end(),
        [&finding](const AlteredTable& altered) { return altered.source_name == finding.entry; });
    const bool restored = repair && table != validation.witness.altered.end() && Restorable(*table);
    if (!restored) plan->left.push_back(finding);
  }
}

// The check without what concerns tables: those are put right beside the state.
StateCheck StateOnly(const StateCheck& check) {
  StateCheck state = check;
  std::erase_if(state.findings, [](const StateFinding& finding) {
    return finding.corruption == CorruptionClass::kTableAltered;
  });
  return state;
}

absl::StatusOr<std::vector<std::string>> RecoverBy(const StateLocation& location,
                                                   const StateValidation& validation,
                                                   const RecoveryChoice& choice) {
  absl::StatusOr<StateRepairPlan> plan = Recover(location, validation, choice);
  if (!plan.ok()) return plan.status();
  if (!plan->left.empty()) return AsLocal(CorruptionError(plan->left.front()));
  std::vector<std::string> lines = RepairLines(*plan);
  if (choice.repair) {
    for (std::string& line : TableLines(validation)) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

absl::StatusOr<StateValidation> ValidateStored(const StateLocation& location, int64_t now_us) {
  StateValidation validation;
  validation.options.now_us = now_us;
  absl::StatusOr<SqliteWitness> witness = ReadWitness(location.path, location.connection);
  if (absl::IsNotFound(witness.status())) {
    validation.fresh = true;
    return validation;
  }
  if (witness.ok()) {
    validation.witness = *std::move(witness);
    StateEvidence& evidence = validation.options.evidence;
    evidence.synced = validation.witness.synced;
    evidence.sync_id = validation.witness.sync_id;
    evidence.entries = EntriesOf(validation.witness.report_json);
    evidence.syncs = validation.witness.syncs;
  } else if (!absl::IsDataLoss(witness.status())) {
    return AsLocal(witness.status());
  }
  absl::StatusOr<std::unique_ptr<StateStore>> store = OpenStore(location, true);
  if (!store.ok()) return AsLocal(store.status());
  validation.check = CheckState(**store, validation.options);
  if (!validation.check.store.ok() && validation.check.findings.empty() &&
      !absl::IsNotFound(validation.check.store)) {
    return AsLocal(validation.check.store);
  }
  validation.fresh = validation.check.entries.empty() && validation.check.findings.empty();
  std::vector<StateFinding> tables;
  AddTableFindings(validation.witness, validation.check, &tables);
  std::erase_if(tables, [&validation](const StateFinding& finding) {
    return BeginsAgain(validation.check, finding.entry);
  });
  std::vector<StateFinding>& findings = validation.check.findings;
  findings.insert(findings.end(), tables.begin(), tables.end());
  return validation;
}

absl::StatusOr<StateRepairPlan> PlanRecovery(const StateLocation& location,
                                             const StateValidation& validation,
                                             const RecoveryChoice& choice) {
  absl::StatusOr<std::unique_ptr<StateStore>> store = OpenStore(location, true);
  if (!store.ok()) return AsLocal(store.status());
  absl::StatusOr<StateRepairPlan> plan =
      PlanRepair(**store, StateOnly(validation.check), validation.options,
                 OptionsOf(location, validation, choice));
  if (!plan.ok()) return AsLocal(plan.status());
  AddTablesLeft(validation, choice.repair, &*plan);
  return plan;
}

absl::StatusOr<StateRepairPlan> Recover(const StateLocation& location,
                                        const StateValidation& validation,
                                        const RecoveryChoice& choice) {
  absl::StatusOr<StateRepairPlan> plan = PlanRecovery(location, validation, choice);
  if (!plan.ok()) return plan;
  std::vector<AlteredTable> columns = validation.witness.altered;
  std::erase_if(columns, [](const AlteredTable& table) { return !Restorable(table); });
  if (choice.repair && !columns.empty()) {
    if (absl::Status s = RestoreColumns(location.path, columns); !s.ok()) return AsLocal(s);
  }
  // A store that cannot be read may be whole as soon as its missing parts are made again.
  const absl::Status& read = validation.check.store;
  const bool remake =
      choice.repair && !validation.fresh && (absl::IsNotFound(read) || absl::IsDataLoss(read));
  if (plan->steps.empty() && !remake) return plan;
  absl::StatusOr<std::unique_ptr<StateStore>> store = OpenStore(location, false);
  if (!store.ok()) return AsLocal(store.status());
  RepairRequest request;
  request.connection = location.connection;
  request.engine = EngineVersion();
  request.owner.holder = choice.holder;
  request.owner.rebuild = true;
  request.check = validation.options;
  request.repair = OptionsOf(location, validation, choice);
  request.before_writing = [&]() -> absl::Status {
    BackupOptions backup;
    backup.folder = BackupFolder(location.path);
    backup.connection = location.connection;
    backup.engine = EngineVersion();
    backup.now_us = validation.options.now_us;
    const auto written = WriteBackup(**store, FileSystem::Real(), backup);
    return written.ok() || absl::IsNotFound(written.status()) ? absl::OkStatus() : written.status();
  };
  absl::StatusOr<StateRepairPlan> done = RepairState(**store, request);
  if (absl::IsDataLoss(done.status()) && !plan->left.empty()) return plan;
  if (!done.ok()) return AsLocal(done.status());
  AddTablesLeft(validation, choice.repair, &*done);
  return done;
}

absl::StatusOr<std::vector<std::string>> RecoverBeforeSync(const StateLocation& location,
                                                           const RecoverySettings& settings,
                                                           const std::string& holder,
                                                           int64_t now_us) {
  std::vector<std::string> lines;
  if (!settings.validate_on_start) return lines;
  absl::StatusOr<StateValidation> validation = ValidateStored(location, now_us);
  if (!validation.ok()) return validation.status();
  for (const StateFinding& finding : validation->check.findings) {
    if (finding.harmless) lines.push_back(absl::StrCat("state: ", finding.sentence));
  }
  const StateFinding* worst = validation->Worst();
  if (worst == nullptr) return lines;
  RecoveryChoice choice;
  choice.repair = settings.auto_repair;
  choice.reset = settings.reset_on_corruption || settings.full_sync_when_unreadable;
  choice.holder = holder;
  if (!choice.repair && !choice.reset) return AsLocal(CorruptionError(*worst));
  absl::StatusOr<std::vector<std::string>> done = RecoverBy(location, *validation, choice);
  if (!done.ok()) return done;
  lines.insert(lines.end(), done->begin(), done->end());
  return lines;
}

absl::StatusOr<std::vector<std::string>> RecoverOuterStore(const Connection& connection,
                                                           int64_t now_us) {
  std::vector<std::string> lines;
  if (!connection.recovery.validate_on_start) return lines;
  absl::StatusOr<std::unique_ptr<StateStore>> store = OpenOuterStateStore(connection, true);
  if (!store.ok()) return AsLocal(store.status());
  if (*store == nullptr) return lines;
  StateCheckOptions options;
  options.now_us = now_us;
  const StateCheck check = CheckState(**store, options);
  const StateFinding* found = nullptr;
  for (const StateFinding& finding : check.findings) {
    if (!finding.harmless && finding.level == StateLevel::kL0 && found == nullptr) found = &finding;
  }
  // What cannot be reached is said by the sync, which tries again and knows what a failure means.
  if (found == nullptr) return lines;
  StateFinding told = *found;
  told.sentence = absl::StrCat((*store)->Describe(), ": ", found->sentence);
  told.remedy =
      "name an empty store in state.storage.connection: it is filled from the destination, which "
      "has the same versions";
  const StorageSettings& storage = connection.storage;
  const bool files = storage.kind == StorageKind::kSqlite || storage.kind == StorageKind::kFile;
  if (!files || !connection.recovery.auto_repair ||
      found->corruption == CorruptionClass::kNewerFormat) {
    return AsLocal(CorruptionError(told));
  }
  store->reset();
  const std::string aside = absl::StrCat(
      storage.path, ".damaged-",
      absl::FormatTime("%Y%m%dT%H%M%E6S", absl::FromUnixMicros(now_us), absl::UTCTimeZone()));
  FileSystem& system = FileSystem::Real();
  for (const char* part : {"", "-wal", "-shm"}) {
    const std::string from = absl::StrCat(storage.path, part);
    absl::StatusOr<bool> exists = system.Exists(from);
    if (!exists.ok()) return AsLocal(exists.status());
    if (!*exists) continue;
    if (absl::Status s = system.RenameNew(from, absl::StrCat(aside, part)); !s.ok()) {
      return AsLocal(s);
    }
  }
  lines.push_back(absl::StrCat("state repaired, ", DescribeFinding(told), "; it was moved to ",
                               aside, " and is made anew from the destination"));
  return lines;
}

absl::StatusOr<std::vector<std::string>> RecoverAfterRefusal(const StateLocation& location,
                                                             const RecoverySettings& settings,
                                                             const absl::Status& refusal,
                                                             const std::string& holder,
                                                             int64_t now_us) {
  const auto corruption = CorruptionOf(refusal);
  const bool resnapshot = settings.auto_repair && settings.resnapshot_on_gap;
  const bool allowed =
      settings.reset_on_corruption || settings.full_sync_when_unreadable || resnapshot;
  // A source that was replaced is never read into the same tables by itself.
  if (!allowed || corruption != CorruptionClass::kPositionGone) return refusal;
  absl::StatusOr<StateValidation> validation = ValidateStored(location, now_us);
  if (!validation.ok()) return validation.status();
  RecoveryChoice choice;
  choice.repair = false;
  choice.reset = true;
  choice.holder = holder;
  choice.begin_again = RefusedEntries(refusal);
  return RecoverBy(location, *validation, choice);
}

std::vector<std::string> TableLines(const StateValidation& validation) {
  std::vector<std::string> lines;
  for (const AlteredTable& table : validation.witness.altered) {
    if (!Restorable(table)) continue;
    lines.push_back(absl::StrCat(
        "repaired, class 13 (", CorruptionName(CorruptionClass::kTableAltered), "): table \"",
        table.table, "\" lacked ", absl::StrJoin(table.missing, ", "),
        "; created again and empty until their rows are read again: `tidemark run --full --table ",
        table.source_name, "`"));
  }
  return lines;
}

std::vector<std::string> RepairLines(const StateRepairPlan& plan) {
  std::vector<std::string> lines;
  if (!plan.remade.empty()) lines.push_back(absl::StrCat("state repaired, ", plan.remade));
  for (const RepairStep& step : plan.steps) {
    lines.push_back(absl::StrCat("state ",
                                 step.action == RepairAction::kBeginAgain ? "reset" : "repaired",
                                 ", ", DescribeFinding(step.found), "; ", step.sentence));
  }
  return lines;
}

}  // namespace tidemark
