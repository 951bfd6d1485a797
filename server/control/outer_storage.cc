#include "control/outer_storage.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "control/exit_code.h"
#include "control/version.h"
#include "core/clock.h"
#include "state/file_state_store.h"
#include "state/postgres_state_store.h"
#include "state/redis_state_store.h"
#include "state/sqlite_ownership.h"
#include "state/sqlite_state_store.h"
#include "state/state_corruption.h"
#include "state/store_comparison.h"

namespace tidemark {
namespace {

absl::StatusOr<std::unique_ptr<StateStore>> OpenStore(const StorageSettings& storage,
                                                      const std::string& connection,
                                                      bool read_only) {
  switch (storage.kind) {
    case StorageKind::kDestination:
      break;
    case StorageKind::kSqlite: {
      SqliteStateStoreOptions options;
      options.engine = EngineVersion();
      options.create = !read_only;
      options.read_only = read_only;
      return OpenSqliteStateStore(storage.path, connection, options);
    }
    case StorageKind::kFile: {
      FileStateStoreOptions options;
      options.engine = EngineVersion();
      options.create = !read_only;
      options.read_only = read_only;
      return OpenFileStateStore(storage.path, connection, options);
    }
    case StorageKind::kPostgres: {
      PostgresStateStoreOptions options;
      options.schema = storage.schema;
      options.lease = storage.lease;
      options.accept_weak_durability = storage.accept_weak_durability;
      return OpenPostgresStateStore(storage.address, connection, options);
    }
    case StorageKind::kRedis: {
      RedisStateStoreOptions options;
      options.lease = storage.lease;
      options.accept_weak_durability = storage.accept_weak_durability;
      return OpenRedisStateStore(storage.address, connection, options);
    }
  }
  return std::unique_ptr<StateStore>();
}

absl::StatusOr<std::unique_ptr<StateStore>> OpenAuthority(const Connection& connection,
                                                          bool read_only) {
  SqliteStateStoreOptions options;
  options.engine = EngineVersion();
  options.read_only = read_only;
  options.create = !read_only;
  return OpenSqliteStateStore(connection.destination.path, connection.name, options);
}

absl::Status PositionError(CorruptionClass corruption, const std::string& sentence,
                           const std::string& remedy) {
  StateFinding finding;
  finding.level = StateLevel::kL3;
  finding.corruption = corruption;
  finding.sentence = sentence;
  finding.remedy = remedy;
  return CorruptionError(finding);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateStore>> OpenOuterStateStore(const Connection& connection,
                                                                bool read_only) {
  return OpenStore(connection.storage, connection.name, read_only);
}

absl::Status CheckStorageAddress(const StorageSettings& storage) {
  return OpenStore(storage, "check", true).status();
}

absl::StatusOr<std::unique_ptr<OuterStorage>> OuterStorage::Open(const Connection& connection,
                                                                 const std::string& holder,
                                                                 bool take_over, Clock& clock) {
  if (connection.storage.kind == StorageKind::kDestination) return std::unique_ptr<OuterStorage>();
  if (take_over && connection.storage.kind == StorageKind::kSqlite) {
    // The destination is taken over first: not when the store then refuses.
    SqliteOwnership ownership(connection.storage.path, connection.name, clock);
    absl::Status writable = ownership.CheckWritable({holder, true});
    if (!writable.ok()) return AsLocal(std::move(writable));
  }
  std::unique_ptr<OuterStorage> storage(new OuterStorage(connection, holder, clock));
  absl::StatusOr<std::unique_ptr<StateStore>> store = OpenOuterStateStore(connection, false);
  if (!store.ok()) return AsLocal(store.status());
  storage->store_ = *std::move(store);
  OuterStore::Options options;
  options.ownership.holder = holder;
  options.ownership.take_over = take_over;
  options.renew_every = connection.storage.lease / 3;
  storage->outer_ = std::make_unique<OuterStore>(
      *storage->store_, [&connection] { return OpenAuthority(connection, true); }, clock,
      std::move(options));
  return storage;
}

absl::StatusOr<std::vector<std::string>> OuterStorage::RewindIfAhead(
    const ChangeSourceFactory& source) {
  std::vector<std::string> nothing;
  absl::StatusOr<std::unique_ptr<StateStore>> reader = OpenAuthority(connection_, true);
  if (!reader.ok()) return AsLocal(reader.status());
  absl::StatusOr<std::vector<EntryPosition>> positions = CompareStores(**reader, *store_);
  // What cannot be read is said by the sync, which tries again and knows what a failure means.
  if (!positions.ok()) return nothing;
  const auto any = [&positions](StorePosition wanted) {
    return std::any_of(positions->begin(), positions->end(),
                       [wanted](const EntryPosition& at) { return at.position == wanted; });
  };
  const std::string what = DescribePositions(*positions, **reader, *store_);
  if (any(StorePosition::kForked)) {
    return AsLocal(PositionError(
        CorruptionClass::kGapOrFork, what,
        "keep one of them: `tidemark state export` shows the destination's state; to keep that, "
        "name an empty store in state.storage.connection"));
  }
  if (!any(StorePosition::kAhead)) return nothing;
  if (!connection_.recovery.auto_repair) {
    return AsLocal(PositionError(CorruptionClass::kStoreAhead, what,
                                 "put the newer copy of the destination back, or allow it to be "
                                 "rewound by state.recovery.auto_repair"));
  }
  if (absl::Status asked = AskSource(**reader, source); !asked.ok()) {
    return AsLocal(PositionError(
        CorruptionClass::kStoreAhead,
        absl::StrCat(what, ", and the source cannot go on from there (", asked.message(), ")"),
        "put the newer copy of the destination back, or name an empty store in "
        "state.storage.connection, which is filled from the destination, and begin again with "
        "`tidemark state reset`"));
  }
  *reader = nullptr;
  absl::StatusOr<std::unique_ptr<StateStore>> opened = OpenAuthority(connection_, false);
  if (!opened.ok()) return AsLocal(opened.status());
  const std::unique_ptr<StateStore> authority = *std::move(opened);
  OwnershipRequest ownership;
  ownership.holder = holder_;
  absl::StatusOr<int64_t> epoch = authority->Acquire(ownership);
  if (!epoch.ok()) return AsLocal(epoch.status());
  absl::StatusOr<int64_t> outer = store_->Acquire(ownership);
  if (!outer.ok()) return AsLocal(outer.status());
  // Once more, now that nobody else can write either of them.
  positions = CompareStores(*authority, *store_);
  if (!positions.ok()) return AsLocal(positions.status());
  if (!any(StorePosition::kAhead)) return nothing;
  RewindRequest request;
  request.epoch = *epoch;
  request.now_us = absl::ToUnixMicros(clock_.Now());
  request.connection = connection_.name;
  request.engine = EngineVersion();
  request.by = holder_;
  absl::Status rewound = Rewind(*authority, *store_, *positions, request);
  store_->Release();
  authority->Release();
  if (!rewound.ok()) return AsLocal(rewound);
  StateFinding finding;
  finding.corruption = CorruptionClass::kStoreAhead;
  finding.sentence = what;
  return std::vector<std::string>{absl::StrCat("state repaired, ", DescribeFinding(finding),
                                               "; both were rewound to the destination's state")};
}

absl::Status OuterStorage::AskSource(StateStore& authority, const ChangeSourceFactory& source) {
  absl::StatusOr<std::vector<StateHead>> heads = authority.Heads();
  if (absl::IsNotFound(heads.status())) return absl::OkStatus();  // it starts anew
  if (!heads.ok()) return heads.status();
  std::vector<StateEntry> states;
  for (const StateHead& head : *heads) {
    VersionQuery query;
    query.entry = head.entry;
    query.first = head.version;
    query.limit = 1;
    absl::Status status = authority.ReadVersions(query, [&](StoredVersion& stored) {
      StateEntry& state = states.emplace_back();
      state.schema = head.schema;
      state.table = head.table;
      state.body = std::move(stored.version.body);
      state.cursor = std::move(stored.version.cursor);
      state.format = stored.version.format;
      state.version = static_cast<uint64_t>(stored.version.version);
      state.committed_at_us = stored.version.created_at_us;
      state.watermark_us = stored.version.watermark_us;
      if (state.body.empty() && state.cursor.empty()) states.pop_back();
      return stored.readable;
    });
    if (!status.ok()) return status;
  }
  if (states.empty()) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<ChangeSource>> opened = source();
  if (!opened.ok()) return opened.status();
  const absl::Status verdict = (*opened)->ValidateState(states);
  // A connector that cannot tell finds out when it goes on; its error would stop the sync.
  return absl::IsUnimplemented(verdict) ? absl::OkStatus() : verdict;
}

}  // namespace tidemark
