// Key changes of SqliteTableWriter: one update that carries the old key (semantics.md section 1).
#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/failpoint.h"
#include "destination/sqlite_table_writer.h"

namespace tidemark {

std::string SqliteTableWriter::KeyBytes(absl::Span<const Value> values) const {
  std::string bytes;
  for (size_t key : keys_) {
    const Value& value = values[columns_[key].source];
    const uint64_t size = value.is_text() ? value.length : sizeof(value.i64);
    bytes.push_back(static_cast<char>(value.kind));
    bytes.append(reinterpret_cast<const char*>(&size), sizeof(size));
    bytes.append(value.is_text() ? value.text : reinterpret_cast<const char*>(&value.i64), size);
  }
  return bytes;
}

absl::StatusOr<SqliteTableWriter::Outcome> SqliteTableWriter::ChangeKey(
    const ChangeBatch& batch, size_t row, absl::Span<const Value> before) {
  // The new key: what the change gives, else what was there.
  std::vector<Value> values(batch.row(row).begin(), batch.row(row).end());
  bool before_known = true;
  for (size_t key : keys_) {
    const size_t source = columns_[key].source;
    if (source >= values.size()) continue;  // CheckKey refuses it
    before_known = before_known && !before[source].is_unchanged() && !before[source].is_null();
    if (values[source].is_unchanged()) values[source] = before[source];
  }
  if (absl::Status s = CheckKey(values); !s.ok()) return s;
  if (!before_known || KeyBytes(before) == KeyBytes(values)) return Update(values);

  // Several statements: all of them or none.
  if (absl::Status s = connection_.Run("SAVEPOINT key_change"); !s.ok()) return s;
  std::unordered_map<std::string, std::shared_ptr<const SqliteParkedRows::Row>> rows;
  if (parked_ != nullptr) rows = parked_->rows;
  absl::StatusOr<Outcome> outcome = MoveKey(batch, row, before, values);
  if (!outcome.ok()) {
    if (parked_ != nullptr) parked_->rows = std::move(rows);
    if (connection_.autocommit()) return outcome;
    if (absl::Status s = connection_.Run("ROLLBACK TO key_change"); !s.ok()) return s;
  }
  if (absl::Status s = connection_.Run("RELEASE key_change"); !s.ok()) return s;
  return outcome;
}

absl::StatusOr<SqliteTableWriter::Outcome> SqliteTableWriter::MoveKey(
    const ChangeBatch& batch, size_t row, absl::Span<const Value> from,
    absl::Span<const Value> values) {
  std::shared_ptr<const SqliteParkedRows::Row> waiting;
  if (parked_ != nullptr) {
    auto found = parked_->rows.find(KeyBytes(from));
    if (found != parked_->rows.end()) {
      waiting = found->second;
      parked_->rows.erase(found);
      from = waiting->key;
    }
  }
  absl::StatusOr<Presence> old_row = Find(from);
  if (!old_row.ok()) return old_row.status();
  // No row to move: the change was applied already (Invariant I4), or its row never came, or is
  // deleted here. With every value it needs no old row.
  if (*old_row != Presence::kLive && IsWhole(values)) return Upsert(values);
  absl::StatusOr<Presence> new_row = Find(values);
  if (!new_row.ok()) return new_row.status();
  // Else what stands at the new key is the row.
  if (*old_row == Presence::kMissing ||
      (*old_row == Presence::kDeleted && *new_row == Presence::kLive)) {
    return Update(values);
  }
  Outcome outcome = Outcome::kUpdated;
  if (*new_row == Presence::kLive) {
    absl::StatusOr<bool> truncated = Truncated(values);
    if (!truncated.ok()) return truncated.status();
    if (*truncated) new_row = Presence::kDeleted;
  }
  if (*new_row == Presence::kLive) {
    absl::StatusOr<bool> parked = Park(batch, row, values);
    if (!parked.ok()) return parked.status();
    if (!*parked) outcome = Outcome::kSuperseded;
  }
  if (*new_row == Presence::kDeleted || outcome == Outcome::kSuperseded) {
    if (absl::Status s = Remove(values); !s.ok()) return s;
  }
  if (absl::Status s = Failpoint("apply.key_change"); !s.ok()) return s;
  if (absl::Status s = Rekey(from, values); !s.ok()) return s;
  return outcome;
}

absl::Status SqliteTableWriter::Rekey(absl::Span<const Value> from,
                                      absl::Span<const Value> values) {
  absl::StatusOr<SqliteStatement*> statement = BoundUpdate(values, true);
  if (!statement.ok()) return statement.status();
  // The old key needs scratch space beside the new one's.
  SqliteRowBinder old_key(keys_.size());
  for (size_t i = 0; i < keys_.size(); ++i) {
    const int parameter = static_cast<int>(columns_.size() + 2 + i);
    if (old_key.Bind((*statement)->get(), parameter, from[columns_[keys_[i]].source], i) !=
        SQLITE_OK) {
      return absl::InvalidArgumentError("SQLite refuses the row: its key is too large");
    }
  }
  absl::StatusOr<int> changed = Change(**statement);
  if (!changed.ok()) return changed.status();
  if (*changed != 1) return absl::InternalError("a key change did not find its row");
  return absl::OkStatus();
}

bool SqliteTableWriter::IsWhole(absl::Span<const Value> values) const {
  return IsWholeRow(values, target_.columns.size());
}

// Whether a later change of this batch can move the row that stands at `key` before change `row`,
// as in a swap: not when the source says that it came later, and so moves what change `row` puts
// there.
bool SqliteTableWriter::MayMoveOn(const ChangeBatch& batch, size_t row, const std::string& key) {
  if (parked_ == nullptr) {
    parked_ = std::make_unique<SqliteParkedRows>();
    for (size_t i = 0; i < batch.before_rows.size(); ++i) {
      const size_t mover = batch.before_rows[i];
      const absl::Span<const Value> before = batch.before_row(i);
      if (batch.kind(mover) == ChangeKind::kUpdate && CheckKey(before).ok()) {
        parked_->movers[KeyBytes(before)].push_back(mover);
      }
    }
  }
  const auto movers = parked_->movers.find(key);
  if (movers == parked_->movers.end()) return false;
  const auto next = std::upper_bound(movers->second.begin(), movers->second.end(), row);
  if (next == movers->second.end()) return false;
  if (batch.meta.empty()) return true;
  const uint64_t mine = batch.meta[row].sequence;
  const uint64_t its = batch.meta[*next].sequence;
  return mine == its || mine == 0 || its == 0;
}

// Moves the live row at `key` aside when a later change of this batch moves it anyway.
absl::StatusOr<bool> SqliteTableWriter::Park(const ChangeBatch& batch, size_t row,
                                             absl::Span<const Value> key) {
  const std::string bytes = KeyBytes(key);
  // What stands there beside a waiting row was put there by an earlier change of this batch.
  if (!MayMoveOn(batch, row, bytes) || parked_->rows.count(bytes) != 0) return false;

  auto parked = std::make_shared<SqliteParkedRows::Row>();
  parked->key.assign(key.size(), Value::Unchanged());
  for (size_t index : keys_) {
    parked->key[columns_[index].source] = key[columns_[index].source];
  }
  const size_t first = columns_[keys_[0]].source;
  while (true) {  // until a key that no row has
    const int64_t number = parked_->next++;
    if (integer_key_) {
      parked->key[first] = Value::Int64(std::numeric_limits<int64_t>::min() + number);
    } else {
      // A BLOB equals no stored text or number, whatever the column's type.
      parked->text = absl::StrCat("tidemark parked row ", number);
      parked->key[first] = Value::Text(ValueKind::kBytes, parked->text);
    }
    absl::StatusOr<Presence> presence = Find(parked->key);
    if (!presence.ok()) return presence.status();
    if (*presence == Presence::kMissing) break;
  }
  if (absl::Status s = Rekey(key, parked->key); !s.ok()) return s;
  parked_->rows[bytes] = std::move(parked);
  return true;
}

// Rows whose change was refused after all were replaced: Invariant I5 counts that as superseded.
absl::Status SqliteTableWriter::DropParked(ChangeCounts* counts) {
  for (const auto& [bytes, row] : parked_->rows) {
    if (absl::Status s = Remove(row->key); !s.ok()) return s;
    --counts->updated;
    ++counts->superseded;
  }
  parked_ = nullptr;
  return absl::OkStatus();
}

}  // namespace tidemark
