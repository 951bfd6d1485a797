// The part of Conformer that moves rows into the destination's columns: only where they are not
// there already.
#include <algorithm>
#include <utility>

#include "pipeline/conform.h"

namespace tidemark {
namespace {

// Equal key columns on both sides, so that nothing moves.
bool SameKey(absl::Span<const Value> before, absl::Span<const Value> after,
             const std::vector<TargetColumn>& columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].key && !SameValue(before[i], after[i])) return false;
  }
  return true;
}

}  // namespace

std::optional<Conformer::RowFault> Conformer::MakeIds(ChangeBatch* batch, size_t row,
                                                      size_t before_end,
                                                      absl::Span<const Value> before) {
  RowFault no_old_row{
      kDropped, absl::InvalidArgumentError("a table without a key needs the whole old row for "
                                           "updates and deletes")};
  const absl::Span<Value> values = batch->mutable_row(row);
  const auto complete = [this](absl::Span<const Value> given) {
    for (size_t c = 0; c < given.size(); ++c) {
      if (plans_[c].used && given[c].is_unchanged()) return false;
    }
    return true;
  };
  const auto keep = [this](const std::string& id) { return Value::String(Arena()->Keep(id)); };
  switch (batch->kind(row)) {
    case ChangeKind::kUpsert:
    case ChangeKind::kSnapshot:
      if (complete(values)) ids_[row] = keep(keyless_->Of(values));
      return std::nullopt;  // UNCHANGED is refused with its column by ConformRow
    case ChangeKind::kDelete:
      if (before.empty() || !complete(before)) return no_old_row;
      ids_[row] = keep(keyless_->Of(before));
      return std::nullopt;
    default:
      break;
  }
  if (before.empty() || !complete(before)) return no_old_row;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_unchanged()) values[i] = before[i];
  }
  ids_[row] = keep(keyless_->Of(values));
  ids_[batch->row_count + before_end - 1] = keep(keyless_->Of(before));
  return std::nullopt;
}

bool Conformer::GivesAll(const ChangeBatch& batch, size_t row) const {
  if (keyless_ != nullptr) return true;  // see MakeIds
  const absl::Span<const Value> values = batch.row(row);
  for (size_t c = 0; c < plans_.size(); ++c) {
    if (plans_[c].used && (c >= values.size() || values[c].is_unchanged())) return false;
  }
  return true;
}

void Conformer::Relayout(ChangeBatch* batch, uint32_t good_rows) {
  const std::vector<TargetColumn>& columns = target_->target().columns;
  const size_t width = columns.size();
  std::vector<Value> values(size_t{good_rows} * width);
  std::vector<Value> before;
  std::vector<uint32_t> before_rows;
  size_t b = 0;
  size_t to = 0;
  for (size_t row = 0; row < batch->row_count; ++row) {
    const bool has_before = b < batch->before_rows.size() && batch->before_rows[b] == row;
    const size_t old = b;
    if (has_before) ++b;
    if (!good_[row]) continue;
    const ChangeKind kind = batch->kind(row);
    const absl::Span<const Value> from = batch->row(row);
    const absl::Span<Value> into = absl::MakeSpan(values).subspan(to * width, width);
    if (kind == ChangeKind::kUpdate) std::fill(into.begin(), into.end(), Value::Unchanged());
    for (size_t c = 0; c < from.size(); ++c) {
      const Plan& plan = plans_[c];
      if (plan.used && (plan.key || kind != ChangeKind::kDelete)) into[plan.place] = from[c];
    }
    if (keyless_ != nullptr) into[0] = ids_[row];
    if (has_before && kind == ChangeKind::kUpdate) {
      AppendBefore(*batch, old, into, &before);
      const bool moves = before.size() == (before_rows.size() + 1) * width;
      if (moves) before_rows.push_back(static_cast<uint32_t>(to));
      // A row that carries all that the source has can stand for itself: NULL in columns of earlier
      // times, as in an upsert.
      if ((moves || keyless_ != nullptr) && GivesAll(*batch, row)) {
        for (Value& value : into) value = value.is_unchanged() ? Value::Null() : value;
      }
    }
    batch->ops[to] = batch->ops[row];
    if (!batch->meta.empty()) batch->meta[to] = batch->meta[row];
    ++to;
  }
  batch->row_count = good_rows;
  batch->column_count = static_cast<uint32_t>(width);
  batch->ops.resize(good_rows);
  if (!batch->meta.empty()) batch->meta.resize(good_rows);
  batch->values = std::move(values);
  batch->before = std::move(before);
  batch->before_rows = std::move(before_rows);
}

void Conformer::AppendBefore(const ChangeBatch& batch, size_t index, absl::Span<const Value> after,
                             std::vector<Value>* before) const {
  const std::vector<TargetColumn>& columns = target_->target().columns;
  const size_t begin = before->size();
  before->resize(begin + columns.size(), Value::Unchanged());
  const absl::Span<Value> into = absl::MakeSpan(*before).subspan(begin);
  const absl::Span<const Value> from = batch.before_row(index);
  for (size_t c = 0; c < from.size(); ++c) {
    if (!plans_[c].used || !plans_[c].key) continue;
    // A key column that the connector left out of the old values did not change.
    const uint32_t place = plans_[c].place;
    into[place] = from[c].kind <= ValueKind::kUnchanged ? after[place] : from[c];
  }
  if (keyless_ != nullptr) into[0] = ids_[batch.row_count + index];
  if (SameKey(into, after, columns)) before->resize(begin);
}

}  // namespace tidemark
