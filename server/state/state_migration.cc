#include "state/state_migration.h"

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "state/history_point.h"

namespace tidemark {

void StateMigrations::Add(const std::string& connector, uint32_t from, StateStep step) {
  steps_[{connector, from}] = std::move(step);
}

absl::StatusOr<StateEntry> StateMigrations::Migrate(const std::string& connector,
                                                    const StateEntry& entry, uint32_t to) const {
  const std::string label = absl::StrCat("the state of ", EntryLabel(EntryName(entry)));
  if (entry.format > to) {
    return absl::FailedPreconditionError(absl::StrCat(
        label, " is of format ", entry.format, ", written by a newer connector ", connector,
        " (this one writes format ", to, "): install that connector or a newer one"));
  }
  StateEntry migrated = entry;
  while (migrated.format < to) {
    const auto step = steps_.find({connector, migrated.format});
    if (step == steps_.end()) {
      return absl::UnimplementedError(
          absl::StrCat(label, " is of format ", entry.format, " and no step from ", migrated.format,
                       " to ", migrated.format + 1, " of connector ", connector,
                       " is known here: the connector itself may read it; else "
                       "`tidemark state reset` starts from the beginning"));
    }
    const uint32_t next = migrated.format + 1;
    absl::StatusOr<StateEntry> stepped = step->second(migrated);
    if (!stepped.ok()) {
      return absl::Status(stepped.status().code(),
                          absl::StrCat(label, ", step from format ", migrated.format, " to ", next,
                                       ": ", stepped.status().message()));
    }
    stepped->schema = entry.schema;
    stepped->table = entry.table;
    stepped->format = next;
    migrated = *std::move(stepped);
  }
  return migrated;
}

const StateMigrations& StateMigrations::Released() {
  static const StateMigrations* const released = new StateMigrations;
  return *released;
}

absl::StatusOr<std::vector<StateMove>> PlanMigration(StateStore& store,
                                                     const StateMigrations& migrations,
                                                     const std::string& connector, uint32_t to) {
  absl::StatusOr<std::vector<StateMove>> moves = PlanReset(store, std::nullopt);
  if (!moves.ok()) return moves.status();
  for (StateMove& move : *moves) {
    const bool empty = move.from.body.empty() && move.from.cursor.empty();
    move.to = move.from;
    move.kind = StateKind::kMigrate;
    move.versions_back = move.changes = 0;
    move.moves = false;
    if (empty) continue;
    absl::StatusOr<StateEntry> migrated = migrations.Migrate(connector, move.Target(), to);
    if (!migrated.ok()) return migrated.status();
    move.moves = migrated->format != move.from.format;
    move.to.body = migrated->body;
    move.to.cursor = migrated->cursor;
    move.to.format = migrated->format;
    move.to.watermark_us = migrated->watermark_us;
  }
  return moves;
}

}  // namespace tidemark
