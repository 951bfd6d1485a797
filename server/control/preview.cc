#include "control/preview.h"

#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/digest.h"
#include "core/text.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

// Collects rows until there are enough of them.
class PreviewCollector {
 public:
  PreviewCollector(const std::vector<TableSchema>& schema, const std::string& table, size_t rows)
      : wanted_(table), rows_(rows) {
    for (size_t i = 0; i < schema.size(); ++i) Define(i, schema[i]);
  }

  bool Enough() const {
    if (tables_.empty()) return false;
    for (const Slot& slot : tables_) {
      if (slot.wanted && slot.table.rows.size() < rows_) return false;
    }
    return true;
  }

  void Take(const SourceEvent& event) {
    if (const auto* definition = std::get_if<TableDefinition>(&event); definition != nullptr) {
      Define(definition->index, definition->table);
    } else if (const auto* batch = std::get_if<ChangeBatch>(&event); batch != nullptr) {
      TakeBatch(*batch);
    }
  }

  Preview Result() && {
    Preview preview;
    for (Slot& slot : tables_) {
      if (slot.wanted) preview.tables.push_back(std::move(slot.table));
    }
    return preview;
  }

 private:
  struct Slot {
    Preview::Table table;
    std::vector<bool> sensitive;
    bool wanted = false;
  };

  void Define(size_t index, const TableSchema& schema) {
    if (tables_.size() <= index) tables_.resize(index + 1);
    Slot& slot = tables_[index];
    slot.table.name = QualifiedName(schema);
    slot.wanted = wanted_.empty() || wanted_ == slot.table.name || wanted_ == schema.name;
    slot.table.columns.clear();
    slot.sensitive.clear();
    for (const Column& column : schema.columns) {
      slot.table.columns.push_back(column.name);
      slot.sensitive.push_back(column.sensitive);
    }
  }

  void TakeBatch(const ChangeBatch& batch) {
    if (batch.table >= tables_.size()) return;
    Slot& slot = tables_[batch.table];
    for (size_t row = 0; row < batch.row_count; ++row) {
      if (!slot.wanted || slot.table.rows.size() >= rows_) return;
      if (batch.kind(row) == ChangeKind::kDelete || batch.kind(row) == ChangeKind::kTruncate) {
        continue;
      }
      std::vector<std::optional<std::string>> texts;
      size_t column = 0;
      for (const Value& value : batch.row(row)) {
        const bool hidden = column < slot.sensitive.size() && slot.sensitive[column];
        texts.push_back(hidden ? std::optional<std::string>("***") : ValueText(value));
        ++column;
      }
      texts.resize(slot.table.columns.size());
      slot.table.rows.push_back(std::move(texts));
    }
  }

  const std::string wanted_;
  const size_t rows_;
  std::vector<Slot> tables_;
};

}  // namespace

std::optional<std::string> ValueText(const Value& value) {
  switch (value.kind) {
    case ValueKind::kNull:
    case ValueKind::kUnchanged:
      return std::nullopt;
    case ValueKind::kBool:
      return value.i64 != 0 ? "true" : "false";
    case ValueKind::kInt64:
      return absl::StrCat(value.i64);
    case ValueKind::kDouble:
      return DoubleText(value.f64);
    case ValueKind::kBytes:
      return absl::StrCat("0x", Hex(value.view()));
    case ValueKind::kDate:
      return FormatDate(value.i64);
    case ValueKind::kTime:
      return FormatTimeOfDay(value.i64);
    case ValueKind::kTimestamp:
      return FormatUtcMicros(value.i64);
    case ValueKind::kNaiveTimestamp:
      return FormatNaiveMicros(value.i64);
    case ValueKind::kDecimal:
    case ValueKind::kString:
    case ValueKind::kJson:
      return std::string(value.view());
  }
  return std::nullopt;
}

absl::StatusOr<Preview> PreviewSource(ChangeSource& source, const std::string& connection,
                                      const std::string& table, size_t rows) {
  absl::StatusOr<std::vector<TableSchema>> schema = source.Schema();
  if (!schema.ok()) return schema.status();
  UpdateStart start;
  start.connection = connection;
  start.sync_id = "preview";
  start.dry_run = true;
  bool found = table.empty() || schema->empty();
  std::vector<std::string> names;
  for (const TableSchema& known : *schema) {
    const bool wanted = table.empty() || table == QualifiedName(known) || table == known.name;
    found = found || wanted;
    names.push_back(QualifiedName(known));
    start.selections.push_back({wanted ? SelectionMode::kFull : SelectionMode::kSkip, {}});
  }
  if (!found) {
    return absl::NotFoundError(absl::StrCat("the connector has no table \"", table, "\"; it has ",
                                            absl::StrJoin(names, ", ")));
  }
  PreviewCollector collector(*schema, table, rows);
  if (absl::Status status = source.Start(start); !status.ok()) return status;
  while (!collector.Enough()) {
    absl::StatusOr<std::optional<SourceEvent>> event = source.Next(absl::InfiniteFuture());
    if (!event.ok()) return event.status();
    if (!event->has_value()) continue;
    if (const auto* finished = std::get_if<Finished>(&**event); finished != nullptr) {
      if (!finished->status.ok()) return finished->status;
      break;
    }
    collector.Take(**event);
  }
  source.Cancel();
  return std::move(collector).Result();
}

}  // namespace tidemark
