#include "state/restore.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "state/next_version.h"

namespace tidemark {
namespace {

// The newest version that the source may have been told of; 0: none. Sets the current cursor.
absl::StatusOr<int64_t> ReadCurrent(StateStore& store, const StateHead& head, int64_t now_us,
                                    const RollbackHorizon& horizon, StateVersion* current) {
  std::vector<StateVersion> versions;
  VersionQuery query;
  query.entry = head.entry;
  query.bodies = false;
  absl::Status status = store.ReadVersions(query, [&versions](StoredVersion& stored) {
    versions.push_back(std::move(stored.version));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  if (versions.empty()) return 0;
  const int64_t releasable = NewestReleasable(versions, now_us, horizon);
  *current = std::move(versions.back());
  return releasable;
}

absl::StatusOr<RestoreStep> PlanStep(StateStore& store, const BackupEntry& entry,
                                     const StateHead& head, int64_t now_us,
                                     const RollbackHorizon& horizon) {
  RestoreStep step;
  step.entry = &entry;
  step.current = head;
  StateVersion current;
  absl::StatusOr<int64_t> releasable = ReadCurrent(store, head, now_us, horizon, &current);
  if (!releasable.ok()) return releasable.status();
  step.cursor_now = current.cursor;
  const StateVersion& kept = entry.versions.back();
  const bool same = current.body_hash == kept.body_hash && current.cursor == kept.cursor &&
                    current.format == kept.format && current.version == head.version;
  step.what = same ? RestoreStep::What::kNothing : RestoreStep::What::kImport;
  step.beyond_horizon = !same && kept.version < *releasable;
  return step;
}

}  // namespace

absl::StatusOr<std::vector<RestoreStep>> PlanRestore(StateStore& store, const StateBackup& backup,
                                                     int64_t now_us,
                                                     const RollbackHorizon& horizon) {
  absl::StatusOr<std::vector<StateHead>> heads = store.Heads();
  if (absl::IsNotFound(heads.status())) heads = std::vector<StateHead>();
  if (!heads.ok()) return heads.status();
  std::vector<RestoreStep> steps;
  for (const BackupEntry& entry : backup.entries) {
    if (entry.versions.empty()) continue;
    const StateHead* current = nullptr;
    for (const StateHead& head : *heads) {
      if (head.entry == entry.head.entry) current = &head;
    }
    if (current == nullptr) {
      RestoreStep step;
      step.what = RestoreStep::What::kRecreate;
      step.entry = &entry;
      step.current.entry = entry.head.entry;
      steps.push_back(std::move(step));
      continue;
    }
    if (current->version == 0) {
      return absl::DataLossError(absl::StrCat(
          "the state of ", EntryLabel(current->entry),
          " has a history and no current version: `tidemark state repair` comes first"));
    }
    absl::StatusOr<RestoreStep> step = PlanStep(store, entry, *current, now_us, horizon);
    if (!step.ok()) return step.status();
    steps.push_back(*std::move(step));
  }
  return steps;
}

std::vector<VersionAppend> MakeRestore(const std::vector<RestoreStep>& steps,
                                       const MoveStamp& stamp) {
  std::vector<VersionAppend> appends;
  for (const RestoreStep& step : steps) {
    if (step.what == RestoreStep::What::kNothing) continue;
    const StateHead& head = step.entry->head;
    if (step.what == RestoreStep::What::kImport) {
      const StateVersion& kept = step.entry->versions.back();
      NextVersion next;
      next.kind = StateKind::kImport;
      next.state.schema = head.schema;
      next.state.table = head.table;
      next.state.body = kept.body;
      next.state.cursor = kept.cursor;
      next.state.format = kept.format;
      next.state.watermark_us = kept.watermark_us;
      next.epoch = stamp.epoch;
      next.now_us = stamp.now_us;
      next.sync_id = stamp.sync_id;
      next.group_id = stamp.group_id;
      next.engine = stamp.engine;
      appends.push_back(AppendAfter(stamp.connection, step.current, next));
      continue;
    }
    int64_t version_before = 0;
    std::string chain_before;
    for (const StateVersion& version : step.entry->versions) {
      VersionAppend append;
      append.schema = head.schema;
      append.table = head.table;
      append.version = version;
      append.expected_version = version_before;
      append.expected_chain = chain_before;
      if (version_before == 0 && !head.anchor.empty()) append.anchor = head.anchor;
      version_before = version.version;
      chain_before = version.chain;
      appends.push_back(std::move(append));
    }
  }
  return appends;
}

}  // namespace tidemark
