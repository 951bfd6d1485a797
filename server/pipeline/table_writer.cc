#include "pipeline/table_writer.h"

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status_context.h"
#include "pipeline/row_text.h"

namespace tidemark {
namespace {

// Rows begin..end of a batch; its text stays owned by `batch`.
ChangeBatch Slice(const ChangeBatch& batch, uint32_t begin, uint32_t end) {
  ChangeBatch part;
  const auto rows = [](auto& from, size_t first, size_t last, size_t width) {
    using Vector = std::decay_t<decltype(from)>;
    if (from.empty()) return Vector();
    return Vector(from.begin() + static_cast<std::ptrdiff_t>(first * width),
                  from.begin() + static_cast<std::ptrdiff_t>(last * width));
  };
  part.table = batch.table;
  part.row_count = end - begin;
  part.column_count = batch.column_count;
  part.ops = rows(batch.ops, begin, end, 1);
  part.values = rows(batch.values, begin, end, batch.column_count);
  part.meta = rows(batch.meta, begin, end, 1);
  for (size_t b = 0; b < batch.before_rows.size(); ++b) {
    const uint32_t row = batch.before_rows[b];
    if (row < begin || row >= end) continue;
    part.before_rows.push_back(row - begin);
    const auto values = batch.before_row(b);
    part.before.insert(part.before.end(), values.begin(), values.end());
  }
  return part;
}

bool SameShape(const ColumnType& a, const ColumnType& b) {
  return a.type == b.type && a.precision == b.precision && a.scale == b.scale;
}

}  // namespace

int64_t SyncedTime::Next() {
  last_us_ = std::max(absl::ToUnixMicros(clock_.Now()), last_us_ + 1);
  return last_us_;
}

TableWriter::TableWriter(TableTarget target, const ConversionOptions& conversion, bool infer_dates,
                         int64_t truncate_before_us)
    : target_(std::move(target)),
      conformer_(conversion, infer_dates),
      truncate_before_us_(truncate_before_us) {
  conformer_.SetTarget(target_);
}

absl::Status TableWriter::Grow(const TableSchema& table) {
  if (absl::Status grown = target_.Grow(table); !grown.ok()) return grown;
  shape_differs_ = true;
  conformer_.SetTarget(target_);
  return absl::OkStatus();
}

absl::Status TableWriter::Ensure(DestinationTransaction& transaction,
                                 std::vector<SchemaChange>* changes) {
  if (handle_.has_value() && !shape_differs_ && !unsaved_types_) return absl::OkStatus();
  auto handle = transaction.EnsureTable(target_.target(), changes);
  if (!handle.ok()) {
    return WithContext(absl::StrCat("table ", target_.target().source_name), handle.status());
  }
  handle_ = *handle;
  shape_differs_ = unsaved_types_ = false;
  return absl::OkStatus();
}

absl::Status TableWriter::Write(ChangeBatch* batch, DestinationTransaction& transaction,
                                SyncedTime& synced, ChangeCounts* counts, std::vector<BadRow>* bad,
                                std::vector<SchemaChange>* changes) {
  if (absl::Status key = target_.CheckKey(); !key.ok()) return key;
  if (absl::Status shape = conformer_.CheckShape(*batch); !shape.ok()) return shape;
  bool widened = false;
  for (const TypeChange& change : conformer_.Infer(*batch)) {
    const ColumnType& known = target_.target().columns[change.column].type;
    if (!SameShape(known, change.type)) widened = true;
    unsaved_types_ = true;
    target_.SetType(change.column, change.type);
  }
  if (widened) {
    shape_differs_ = true;
    conformer_.SetTarget(target_);
  }
  std::vector<uint32_t> truncated_after;
  conformer_.Conform(batch, bad, &truncated_after);
  if (batch->row_count == 0 && !handle_.has_value() && !target_.Creatable()) {
    counts->unchanged += truncated_after.size();  // truncates of a table that is not there yet
    return absl::OkStatus();
  }
  if (!handle_.has_value() || shape_differs_) {
    if (absl::Status ensured = Ensure(transaction, changes); !ensured.ok()) return ensured;
  }
  batch->table = *handle_;
  if (truncated_after.empty()) return Apply(*batch, 0, transaction, synced, counts, bad);
  uint32_t begin = 0;
  truncated_after.push_back(batch->row_count);
  for (size_t i = 0; i < truncated_after.size(); ++i) {
    const ChangeBatch part = Slice(*batch, begin, truncated_after[i]);
    absl::Status applied = Apply(part, begin, transaction, synced, counts, bad);
    if (!applied.ok()) return applied;
    begin = truncated_after[i];
    if (i + 1 == truncated_after.size()) break;
    if (absl::Status done = Truncate(transaction, synced, counts); !done.ok()) return done;
  }
  return absl::OkStatus();
}

absl::Status TableWriter::Apply(const ChangeBatch& batch, uint32_t first,
                                DestinationTransaction& transaction, SyncedTime& synced,
                                ChangeCounts* counts, std::vector<BadRow>* bad) {
  if (batch.row_count == 0) return absl::OkStatus();
  ApplyOptions options;
  options.synced_us = synced.Next();
  options.touch_unchanged = truncate_waits();
  options.truncate_before_us = truncate_before_us_;
  refused_.clear();
  absl::Status applied = transaction.Apply(batch, options, counts, &refused_);
  if (!applied.ok()) {
    return WithContext(absl::StrCat("table ", target_.target().source_name), applied);
  }
  for (const RefusedRow& row : refused_) {
    const std::vector<NamedColumn> columns = NamedColumns(target_.target());
    BadRow& letter = bad->emplace_back();
    letter.row = conformer_.PlaceBefore(first + row.row);
    letter.status = row.status;
    letter.record_id = RecordId(columns, batch.row(row.row));
    letter.key_json = KeyJson(columns, batch.row(row.row));
    letter.change_json = ChangeJson(batch.kind(row.row), columns, batch.row(row.row), {});
    if (!batch.meta.empty()) letter.meta = batch.meta[row.row];
    letter.on_error_continue = batch.on_error_continue(row.row);
  }
  return absl::OkStatus();
}

absl::Status TableWriter::Truncate(DestinationTransaction& transaction, SyncedTime& synced,
                                   ChangeCounts* counts) {
  truncate_before_us_ = synced.Next();
  counts->unchanged += 1;
  return WithContext(absl::StrCat("table ", target_.target().source_name),
                     transaction.SetTruncateBefore(*handle_, truncate_before_us_));
}

absl::Status TableWriter::BeginAgain(DestinationTransaction& transaction, SyncedTime& synced) {
  if (truncate_waits()) return absl::OkStatus();
  truncate_before_us_ = synced.Next();
  return WithContext(absl::StrCat("table ", target_.target().source_name),
                     transaction.SetTruncateBefore(*handle_, truncate_before_us_));
}

absl::Status TableWriter::FinishTruncate(DestinationTransaction& transaction, SyncedTime& synced,
                                         ChangeCounts* counts) {
  auto deleted = transaction.DeleteWrittenBefore(*handle_, truncate_before_us_, synced.Next());
  if (!deleted.ok()) {
    return WithContext(absl::StrCat("table ", target_.target().source_name), deleted.status());
  }
  counts->deleted_by_truncate += *deleted;
  truncate_before_us_ = kNoTime;
  return WithContext(absl::StrCat("table ", target_.target().source_name),
                     transaction.SetTruncateBefore(*handle_, std::nullopt));
}

}  // namespace tidemark
