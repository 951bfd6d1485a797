#include "state/outer_store.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/failpoint.h"
#include "state/state_corruption.h"
#include "state/store_comparison.h"

namespace tidemark {

absl::Status OuterStore::Begin() {
  behind_ = true;
  return CatchUp();
}

absl::Status OuterStore::Failed(absl::Status status) {
  behind_ = true;
  failed_ = clock_.Monotonic();
  return status;
}

absl::Status OuterStore::CatchUp() {
  if (!behind_) return absl::OkStatus();
  if (!held_) {
    if (absl::Status s = Failpoint("store.acquire"); !s.ok()) return Failed(std::move(s));
    absl::StatusOr<int64_t> epoch = store_.Acquire(options_.ownership);
    if (!epoch.ok()) return Failed(epoch.status());
    held_ = true;
    renewed_ = clock_.Monotonic();
  }
  if (absl::Status s = Failpoint("store.compare"); !s.ok()) return Failed(std::move(s));
  std::unique_ptr<StateStore> opened;
  if (open_authority_) {
    absl::StatusOr<std::unique_ptr<StateStore>> authority = open_authority_();
    if (!authority.ok()) return Failed(authority.status());
    opened = *std::move(authority);
  }
  StateStore& authority = opened != nullptr ? *opened : *authority_;
  absl::StatusOr<std::vector<EntryPosition>> positions = CompareStores(authority, store_);
  if (!positions.ok()) return Failed(positions.status());
  const std::string wrong = DescribePositions(*positions, authority, store_);
  if (!wrong.empty()) {
    StateFinding finding;
    finding.level = StateLevel::kL3;
    finding.corruption = CorruptionClass::kStoreAhead;
    finding.sentence = wrong;
    finding.remedy =
        "the next `tidemark run` rewinds both where state.recovery.auto_repair allows it and the "
        "source can go on from the destination's state; else put the newer copy of the destination "
        "back, or name an empty store in state.storage.connection: it is filled from the "
        "destination";
    for (const EntryPosition& at : *positions) {
      if (at.position != StorePosition::kForked) continue;
      finding.corruption = CorruptionClass::kGapOrFork;
      finding.remedy =
          "to go on with the destination's (`tidemark state export` shows it), name an empty store "
          "in state.storage.connection: it is filled from the destination";
      finding.entry = at.authority.entry;
    }
    return Failed(CorruptionError(finding));
  }
  AuditRecord audit;
  audit.at_us = absl::ToUnixMicros(clock_.Now());
  audit.action = "repair";
  audit.by = options_.ownership.holder;
  audit.detail =
      "rolled forward to the destination's history; the store's own versions are set "
      "aside.";
  absl::Status copied = RollForward(authority, store_, *positions, audit);
  if (copied.ok()) copied = Failpoint("store.rolled_forward");
  if (!copied.ok()) return Failed(std::move(copied));
  behind_ = false;
  return absl::OkStatus();
}

absl::Status OuterStore::Append(absl::Span<const VersionAppend> appends) {
  if (behind_) return CatchUp();  // of the authority, which has these versions as well
  if (appends.empty()) return absl::OkStatus();
  absl::Status status = Failpoint("store.append");
  if (status.ok()) status = store_.Append(appends, {});
  if (status.ok()) status = Failpoint("store.appended");
  return status.ok() ? status : Failed(std::move(status));
}

absl::Status OuterStore::Renew() {
  if (!held_) return absl::OkStatus();
  const absl::Duration now = clock_.Monotonic();
  if (now - renewed_ < options_.renew_every) return absl::OkStatus();
  renewed_ = now;
  absl::Status status = store_.Renew();
  return absl::IsFailedPrecondition(status) ? status : absl::OkStatus();
}

void OuterStore::End() {
  if (std::exchange(held_, false)) store_.Release();
}

}  // namespace tidemark
