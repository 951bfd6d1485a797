#include "pipeline/conform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status_context.h"
#include "pipeline/row_text.h"
#include "pipeline/text_scan.h"
#include "pipeline/type_inference.h"

namespace tidemark {
namespace {

constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;

// A value below kBool is NULL or UNCHANGED.
bool IsAbsent(const Value& value) { return value.kind <= ValueKind::kUnchanged; }

// The common case of inference: a value of the kind that the column has already.
bool Seen(const Value& value, ColumnType* type) {
  switch (type->type) {
    case DataType::kLong:
      if (value.kind != ValueKind::kInt64) return false;
      type->max_abs = std::max(type->max_abs, AbsOf(value.i64));
      return true;
    case DataType::kDouble:
      return value.kind == ValueKind::kDouble && std::isfinite(value.f64);
    case DataType::kShort:
    case DataType::kInt:
    case DataType::kFloat:
    case DataType::kUndeclared:
      return false;
    default:
      return value.kind == StoredKind(type->type);
  }
}

bool HasKind(uint8_t op) {
  const uint8_t kind = op & 0x7f;
  return kind >= static_cast<uint8_t>(ChangeKind::kUpsert) &&
         kind <= static_cast<uint8_t>(ChangeKind::kSnapshot);
}

absl::Status Misbehaved(const std::string& table, absl::string_view what) {
  return absl::InternalError(absl::StrCat("plugin misbehaved: table ", table, ": ", what));
}

}  // namespace

Conformer::Conformer(const ConversionOptions& options, bool infer_dates)
    : converter_(options),
      infer_dates_(infer_dates),
      max_bytes_(options.max_value_bytes != 0 ? options.max_value_bytes
                                              : std::numeric_limits<uint64_t>::max()) {}

void Conformer::SetTarget(const TableTarget& target) {
  target_ = &target;
  const TableSchema& source = target.source();
  const std::vector<TargetColumn>& columns = target.target().columns;
  plans_.assign(source.columns.size(), Plan());
  inferred_.assign(source.columns.size(), ColumnType());
  nonfinite_.resize(source.columns.size(), false);
  notes_.resize(columns.size());
  any_inferred_ = false;
  std::vector<bool> selected(source.columns.size(), false);
  for (size_t i = 0; i < plans_.size(); ++i) {
    Plan& plan = plans_[i];
    plan.place = target.places()[i];
    if (plan.place == kDropped) continue;
    const ColumnType& type = columns[plan.place].type;
    plan.used = selected[i] = true;
    plan.type = type.type;
    plan.key = source.columns[i].key;
    plan.inferred = !type.declared;
    plan.precision = type.precision;
    plan.scale = type.scale;
    inferred_[i] = type;
    any_inferred_ = any_inferred_ || plan.inferred;
  }
  if (target.keyless()) keyless_ = std::make_unique<KeylessId>(source, selected);
}

std::vector<TypeChange> Conformer::Infer(const ChangeBatch& batch) {
  std::vector<TypeChange> changes;
  if (!any_inferred_) return changes;
  for (size_t c = 0; c < batch.column_count; ++c) {
    const Plan& plan = plans_[c];
    // Nothing is wider than STRING.
    if (!plan.used || !plan.inferred || plan.type == DataType::kString) continue;
    ColumnType& type = inferred_[c];
    const ColumnType known = type;
    const auto see = [&](const Value& value) {
      if (IsAbsent(value) || Seen(value, &type)) return;
      const ColumnType seen = InferredType(value, infer_dates_);
      if (value.kind == ValueKind::kDouble && !std::isfinite(value.f64)) nonfinite_[c] = true;
      type = Widen(type, seen, nonfinite_[c]);
      type.declared = false;
    };
    for (size_t row = 0; row < batch.row_count; ++row) {
      const ChangeKind kind = batch.kind(row);
      if (kind == ChangeKind::kTruncate || (kind == ChangeKind::kDelete && !plan.key)) continue;
      see(batch.row(row)[c]);
    }
    for (size_t b = 0; b < batch.before_rows.size(); ++b) {
      // Without a key, an update takes what it does not give from its old row.
      const bool taken =
          keyless_ != nullptr && batch.kind(batch.before_rows[b]) == ChangeKind::kUpdate;
      if (plan.key || taken) see(batch.before_row(b)[c]);
    }
    if (type != known) changes.push_back({plan.place, type});
  }
  return changes;
}

absl::Status Conformer::CheckShape(const ChangeBatch& batch) const {
  const std::string& table = target_->target().source_name;
  const size_t values = size_t{batch.row_count} * batch.column_count;
  if (batch.column_count > plans_.size()) {
    return Misbehaved(table, absl::StrCat("a batch has ", batch.column_count, " columns and its",
                                          " definition ", plans_.size()));
  }
  if (batch.ops.size() != batch.row_count || batch.values.size() != values ||
      (!batch.meta.empty() && batch.meta.size() != batch.row_count) ||
      batch.before.size() != batch.before_rows.size() * batch.column_count) {
    return Misbehaved(table, "the arrays of a batch do not fit its row count");
  }
  uint32_t next = 0;
  for (const uint32_t row : batch.before_rows) {
    if (row < next || row >= batch.row_count) {
      return Misbehaved(table, absl::StrCat("old values for row ", row, " out of order"));
    }
    next = row + 1;
  }
  for (size_t row = 0; row < batch.row_count; ++row) {
    if (!HasKind(batch.ops[row])) {
      return Misbehaved(table, absl::StrCat("row ", row, " has the unknown operation ",
                                            static_cast<int>(batch.ops[row])));
    }
  }
  return absl::OkStatus();
}

// True when the value is what the column stores already: the common case, without a call.
inline bool Conformer::Fits(const Plan& plan, const Value& value) {
  switch (plan.type) {
    case DataType::kLong:
      return value.kind == ValueKind::kInt64;
    case DataType::kString:
    case DataType::kXml:
      return value.kind == ValueKind::kString && IsPlainAscii(value.text, value.length) &&
             value.length <= max_bytes_;
    case DataType::kDouble:
    case DataType::kFloat:
      return value.kind == ValueKind::kDouble && std::isfinite(value.f64);
    case DataType::kDecimal:
      return value.kind == ValueKind::kDecimal &&
             IsPlainDecimal(value.text, value.length, plan.precision, plan.scale) &&
             value.length <= max_bytes_;
    case DataType::kBoolean:
      return value.kind == ValueKind::kBool && (value.i64 | 1) == 1;
    case DataType::kUtcDatetime:
      return value.kind == ValueKind::kTimestamp && IsStorableTime(value.i64);
    case DataType::kNaiveDatetime:
      return value.kind == ValueKind::kNaiveTimestamp && IsStorableTime(value.i64);
    case DataType::kNaiveDate:
      return value.kind == ValueKind::kDate && IsStorableDate(value.i64);
    case DataType::kNaiveTime:
      return value.kind == ValueKind::kTime && value.i64 >= 0 && value.i64 <= kDayUs;
    case DataType::kInt:
      return value.kind == ValueKind::kInt64 &&
             value.i64 == static_cast<int64_t>(static_cast<int32_t>(value.i64));
    case DataType::kShort:
      return value.kind == ValueKind::kInt64 &&
             value.i64 == static_cast<int64_t>(static_cast<int16_t>(value.i64));
    case DataType::kBinary:
      return value.kind == ValueKind::kBytes && value.length <= max_bytes_;
    case DataType::kJson:
    case DataType::kUndeclared:
      return false;
  }
  return false;
}

absl::Status Conformer::ConformValue(const Plan& plan, Value* value) {
  auto converted = converter_.Convert(*value, ColumnType{plan.type, plan.precision, plan.scale},
                                      Arena(), &notes_[plan.place]);
  if (!converted.ok()) return converted.status();
  if (plan.key && converted->is_null()) {
    return absl::InvalidArgumentError("a key must not be NaN");
  }
  *value = *converted;
  return absl::OkStatus();
}

std::optional<Conformer::RowFault> Conformer::ConformRow(ChangeKind kind, absl::Span<Value> row) {
  const bool keys_only = kind == ChangeKind::kDelete;
  for (size_t c = 0; c < row.size(); ++c) {
    const Plan& plan = plans_[c];
    if (!plan.used || (keys_only && !plan.key)) continue;
    Value& value = row[c];
    if (IsAbsent(value)) {
      if (plan.key) {
        return RowFault{static_cast<uint32_t>(c),
                        absl::InvalidArgumentError(value.is_null() ? "a key must not be NULL"
                                                                   : "the key is not given")};
      }
      if (value.is_unchanged() && kind != ChangeKind::kUpdate) {
        return RowFault{static_cast<uint32_t>(c),
                        absl::InvalidArgumentError("UNCHANGED is for updates only")};
      }
      continue;
    }
    if (Fits(plan, value)) continue;
    if (plan.type == DataType::kJson && value.kind == ValueKind::kJson &&
        value.length <= max_bytes_) {
      if (absl::Status valid = converter_.CheckJson(value.view()); !valid.ok()) {
        return RowFault{static_cast<uint32_t>(c), std::move(valid)};
      }
      continue;
    }
    if (absl::Status status = ConformValue(plan, &value); !status.ok()) {
      return RowFault{static_cast<uint32_t>(c), std::move(status)};
    }
  }
  return std::nullopt;
}

std::optional<Conformer::RowFault> Conformer::ConformBefore(absl::Span<Value> before) {
  for (size_t c = 0; c < before.size(); ++c) {
    if (!plans_[c].used || !plans_[c].key || IsAbsent(before[c]) || Fits(plans_[c], before[c])) {
      continue;
    }
    if (absl::Status status = ConformValue(plans_[c], &before[c]); !status.ok()) {
      return RowFault{static_cast<uint32_t>(c), WithContext("old key", status)};
    }
  }
  return std::nullopt;
}

void Conformer::AddBad(const ChangeBatch& batch, size_t row, absl::Span<const Value> before,
                       const RowFault& fault, std::vector<BadRow>* bad) const {
  const std::vector<NamedColumn> columns = NamedColumns(target_->source());
  BadRow& letter = bad->emplace_back();
  letter.row = static_cast<uint32_t>(row);
  letter.status =
      fault.column < columns.size()
          ? WithContext(absl::StrCat("column ", columns[fault.column].name), fault.status)
          : fault.status;
  letter.record_id = RecordId(columns, batch.row(row));
  letter.key_json = KeyJson(columns, batch.row(row));
  letter.change_json = ChangeJson(batch.kind(row), columns, batch.row(row), before);
  if (!batch.meta.empty()) letter.meta = batch.meta[row];
  letter.on_error_continue = batch.on_error_continue(row);
}

void Conformer::Conform(ChangeBatch* batch, std::vector<BadRow>* bad,
                        std::vector<uint32_t>* truncated_after) {
  RowFault short_key{kDropped, absl::OkStatus()};  // a key column that this batch does not have
  for (size_t c = batch->column_count; c < plans_.size(); ++c) {
    if (plans_[c].key && short_key.status.ok()) {
      short_key = {static_cast<uint32_t>(c), absl::InvalidArgumentError("the key is not given")};
    }
  }
  good_.assign(batch->row_count, true);
  ids_.assign(keyless_ != nullptr ? batch->row_count + batch->before_rows.size() : 0, Value());
  uint32_t good_rows = 0;
  bool all_good = true;
  size_t b = 0;
  for (size_t row = 0; row < batch->row_count; ++row) {
    absl::Span<Value> before;
    if (b < batch->before_rows.size() && batch->before_rows[b] == row) {
      before = absl::MakeSpan(batch->before).subspan(b * batch->column_count, batch->column_count);
      ++b;
    }
    const ChangeKind kind = batch->kind(row);
    if (kind == ChangeKind::kTruncate) {
      truncated_after->push_back(good_rows);
      all_good = good_[row] = false;
      continue;
    }
    std::optional<RowFault> fault;
    if (!short_key.status.ok()) fault = short_key;
    if (!fault.has_value() && keyless_ != nullptr) fault = MakeIds(batch, row, b, before);
    if (!fault.has_value()) fault = ConformRow(kind, batch->mutable_row(row));
    if (!fault.has_value() && keyless_ == nullptr && !before.empty()) fault = ConformBefore(before);
    if (fault.has_value()) {
      AddBad(*batch, row, before, *fault, bad);
      all_good = good_[row] = false;
      continue;
    }
    ++good_rows;
  }
  const bool in_place = all_good && target_->identity() && batch->before_rows.empty() &&
                        batch->column_count == target_->target().columns.size();
  if (!in_place) Relayout(batch, good_rows);
  if (arena_ != nullptr) batch->bytes.push_back(std::move(arena_));
}

uint32_t Conformer::PlaceBefore(uint32_t row) const {
  uint32_t place = 0;
  for (uint32_t good = 0; place < good_.size(); ++place) {
    if (good_[place] && good++ == row) break;
  }
  return place;
}

TextArena* Conformer::Arena() {
  if (arena_ == nullptr) arena_ = std::make_unique<TextArena>();
  return arena_.get();
}

std::vector<ConversionNotes> Conformer::TakeNotes() {
  std::vector<ConversionNotes> taken(notes_.size());
  std::swap(taken, notes_);
  return taken;
}

}  // namespace tidemark
