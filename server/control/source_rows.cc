#include "control/source_rows.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "pipeline/table_rules.h"

namespace tidemark {
namespace {

constexpr size_t kWarnings = 100;  // kept at most

// One row of a batch whose bytes live on.
ChangeBatch RowOf(const ChangeBatch& batch, absl::Span<const Value> values, size_t row,
                  ChangeKind kind) {
  ChangeBatch one;
  one.table = batch.table;
  one.row_count = 1;
  one.column_count = batch.column_count;
  one.ops = {static_cast<uint8_t>(kind)};
  const absl::Span<const Value> cells =
      values.subspan(row * batch.column_count, batch.column_count);
  one.values.assign(cells.begin(), cells.end());
  return one;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SourceRows>> SourceRows::Create(ChangeSource& source,
                                                               uint32_t number,
                                                               const TableSchema& table,
                                                               const ConformSettings& settings,
                                                               const TargetTable* stored) {
  absl::StatusOr<TableTarget> target =
      TableTarget::Create(table, settings.rule, settings.naming, settings.limits, stored);
  if (!target.ok()) return target.status();
  return std::unique_ptr<SourceRows>(
      new SourceRows(source, number, table, *std::move(target), settings));
}

SourceRows::SourceRows(ChangeSource& source, uint32_t number, const TableSchema& table,
                       TableTarget target, const ConformSettings& settings)
    : source_(source),
      number_(number),
      table_(table),
      settings_(settings),
      target_(std::move(target)),
      conformer_(settings.conversion, settings.infer_dates) {
  conformer_.SetTarget(target_);
  Choose();
}

absl::Status SourceRows::Begin() {
  received_ = 0;
  const TargetTable grown = target_.target();
  absl::StatusOr<TableTarget> target =
      TableTarget::Create(table_, settings_.rule, settings_.naming, settings_.limits, &grown);
  if (!target.ok()) return target.status();
  target_ = *std::move(target);
  conformer_.SetTarget(target_);
  Choose();
  return absl::OkStatus();
}

void SourceRows::Choose() {
  key_.clear();
  compared_.clear();
  if (target_.keyless()) key_.push_back(0);
  const std::vector<Column>& columns = target_.source().columns;
  for (size_t i = 0; i < columns.size(); ++i) {
    const uint32_t place = target_.places()[i];
    if (place == kDropped) continue;
    if (columns[i].key) {
      key_.push_back(place);
    } else {
      compared_.push_back(place);
    }
  }
}

bool SourceRows::TakeTargetChanged() { return std::exchange(target_changed_, false); }

UnreadableRecords SourceRows::TakeUnreadable() {
  return std::exchange(unreadable_, UnreadableRecords());
}

absl::Status SourceRows::Read(ReadStart start, Row row) {
  start.table = number_;
  start.columns = SelectedColumns(table_, settings_.rule);
  if (absl::Status status = Begin(); !status.ok()) return status;
  if (absl::Status status = source_.StartRead(start); !status.ok()) return status;
  while (true) {
    absl::StatusOr<std::optional<SourceEvent>> event = source_.Next(absl::InfiniteFuture());
    if (!event.ok()) return event.status();
    if (!event->has_value()) continue;
    absl::Status status;
    if (auto* batch = std::get_if<ChangeBatch>(&**event); batch != nullptr) {
      status = OnBatch(std::move(*batch), row);
    } else if (const auto* definition = std::get_if<TableDefinition>(&**event);
               definition != nullptr) {
      status = OnDefinition(*definition);
    } else if (std::holds_alternative<SourceDeadLetter>(**event)) {
      ++unreadable_.count;
      ++unreadable_.without_key;
    } else if (const auto* warning = std::get_if<SourceWarning>(&**event); warning != nullptr) {
      if (warnings_.size() < kWarnings) warnings_.push_back(warning->text);
    } else if (const auto* finished = std::get_if<Finished>(&**event); finished != nullptr) {
      return OnFinished(*finished);
    }
    if (!status.ok()) return status;
  }
}

absl::Status SourceRows::OnDefinition(const TableDefinition& definition) {
  if (definition.index != number_) return absl::OkStatus();
  const size_t columns = target_.target().columns.size();
  if (absl::Status status = target_.Grow(definition.table); !status.ok()) return status;
  conformer_.SetTarget(target_);
  Choose();
  if (received_ > 0 && target_.target().columns.size() != columns) target_changed_ = true;
  return absl::OkStatus();
}

absl::Status SourceRows::OnFinished(const Finished& finished) const {
  if (!finished.status.ok() || finished.sent.empty()) return finished.status;
  uint64_t sent = 0;
  for (const TableRows& rows : finished.sent) sent += rows.rows;
  if (sent == received_) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the connector says it sent ", sent, " rows of ",
                                          target_.target().source_name, " and ", received_,
                                          " arrived"));
}

absl::Status SourceRows::OnBatch(ChangeBatch batch, Row row) {
  if (absl::Status key = target_.CheckKey(); !key.ok()) return key;
  if (absl::Status shape = conformer_.CheckShape(batch); !shape.ok()) return shape;
  bool widened = false;
  for (const TypeChange& change : conformer_.Infer(batch)) {
    const ColumnType& known = target_.target().columns[change.column].type;
    widened = widened || known.type != change.type.type ||
              known.precision != change.type.precision || known.scale != change.type.scale;
    target_.SetType(change.column, change.type);
  }
  if (widened) {
    conformer_.SetTarget(target_);
    target_changed_ = target_changed_ || received_ > 0;
  }
  received_ += batch.row_count;
  const std::vector<Value> values = batch.values;  // as they came; their text stays in the batch
  const uint32_t columns = batch.column_count;
  std::vector<BadRow> bad;
  std::vector<uint32_t> truncated_after;
  conformer_.Conform(&batch, &bad, &truncated_after);
  if (!bad.empty()) {
    batch.row_count += static_cast<uint32_t>(bad.size());
    batch.column_count = columns;
    return OneByOne(batch, values, row);
  }
  for (size_t i = 0; i < batch.row_count; ++i) {
    if (absl::Status status = row(Image(batch.row(i))); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Rare: a row of the batch cannot be stored. Its key must be known all the same, or the stored row
// of that key would be taken for one that the source does not have.
absl::Status SourceRows::OneByOne(const ChangeBatch& batch, const std::vector<Value>& values,
                                  Row row) {
  for (size_t i = 0; i < batch.row_count; ++i) {
    std::optional<RowImage> image;
    for (const ChangeKind kind : {ChangeKind::kUpsert, ChangeKind::kDelete}) {
      ChangeBatch one = RowOf(batch, values, i, kind);
      std::vector<BadRow> bad;
      std::vector<uint32_t> truncated_after;
      conformer_.Conform(&one, &bad, &truncated_after);
      if (!bad.empty()) continue;
      image = Image(one.row(0));
      if (kind == ChangeKind::kDelete) image->digest.clear();
      break;
    }
    if (!image.has_value() || image->digest.empty()) ++unreadable_.count;
    if (!image.has_value()) {
      ++unreadable_.without_key;
      continue;
    }
    if (absl::Status status = row(*std::move(image)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

RowImage SourceRows::Image(absl::Span<const Value> row) {
  std::vector<Value> key;
  key.reserve(key_.size());
  for (const size_t column : key_) key.push_back(row[column]);
  return {EncodeKey(key), digest_.Of(row, compared_)};
}

}  // namespace tidemark
