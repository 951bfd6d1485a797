#include "control/stored_state.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "control/exit_code.h"
#include "control/outer_storage.h"
#include "control/version.h"
#include "core/failpoint.h"
#include "core/random_bits.h"
#include "state/sqlite_state_store.h"

namespace tidemark {
namespace {

// Errors of the outer store that leave the command nothing to write on: somebody else works on it,
// or it does not fit the destination. Others mean that it is behind for a while.
bool Stops(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsDataLoss(status);
}

class OpenState final : public StoredState {
 public:
  explicit OpenState(std::unique_ptr<StateStore> store) : store_(std::move(store)) {}

  StateStore& store() override { return *store_; }
  const MoveStamp& stamp() const override { return stamp_; }

  absl::Status Acquire(const StateLocation& location, const StateWriteOptions& options) {
    OwnershipRequest request;
    request.holder = HolderText(absl::StrCat("tidemark state ", options.action));
    request.rebuild = options.rebuild;
    absl::StatusOr<int64_t> epoch = store_->Acquire(request);
    if (!epoch.ok()) return epoch.status();
    if (location.configuration != nullptr) {
      auto outer = OuterStorage::Open(*location.configuration, request.holder, false);
      if (!outer.ok()) return outer.status();
      outer_ = *std::move(outer);
    }
    if (outer_ != nullptr) {
      outer_failure_ = outer_->store()->Begin();
      if (Stops(outer_failure_)) return outer_failure_;
    }
    stamp_.connection = location.connection;
    stamp_.epoch = *epoch;
    stamp_.now_us = absl::ToUnixMicros(Clock::Real().Now());
    stamp_.group_id = RandomBits::Real().Hex(16);
    stamp_.engine = EngineVersion();
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Append(const StateChangeSet& change) override {
    absl::Status status = Failpoint("state.write");
    if (status.ok()) status = store_->Append(change.appends, change.audit);
    if (!status.ok()) return AsLocal(status);
    PassFailpoint("state.written");
    if (outer_ == nullptr) return std::string();
    if (outer_failure_.ok()) outer_failure_ = outer_->store()->Append(change.appends);
    if (outer_failure_.ok()) return std::string();
    return absl::StrCat("the destination has the new state, ", outer_->store()->Describe(),
                        " has not yet (", outer_failure_.message(),
                        "); the next sync brings it up to date");
  }

 private:
  // The outer store gives its lease back before the destination is released.
  const std::unique_ptr<StateStore> store_;
  std::unique_ptr<OuterStorage> outer_;  // null: the destination alone
  absl::Status outer_failure_;
  MoveStamp stamp_;
};

absl::StatusOr<std::unique_ptr<OpenState>> Open(const StateLocation& location, bool read_only,
                                                bool create) {
  SqliteStateStoreOptions options;
  options.engine = EngineVersion();
  options.read_only = read_only;
  options.create = create;
  absl::StatusOr<std::unique_ptr<StateStore>> store =
      OpenSqliteStateStore(location.path, location.connection, options);
  if (!store.ok()) return AsLocal(store.status());
  return std::make_unique<OpenState>(*std::move(store));
}

}  // namespace

std::string HolderText(const std::string& command) {
  char host[256] = "";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(command, " on ", host);
}

absl::StatusOr<std::unique_ptr<StoredState>> StoredState::OpenForReading(
    const StateLocation& location) {
  return Open(location, true, false);
}

absl::StatusOr<std::unique_ptr<StoredState>> StoredState::OpenForWriting(
    const StateLocation& location, const StateWriteOptions& options) {
  absl::StatusOr<std::unique_ptr<OpenState>> state = Open(location, false, options.create);
  if (!state.ok()) return state.status();
  if (absl::Status status = (*state)->Acquire(location, options); !status.ok()) {
    return AsLocal(status);
  }
  return state;
}

}  // namespace tidemark
