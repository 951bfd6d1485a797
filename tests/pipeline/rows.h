// Batches written down row by row.
#ifndef TIDEMARK_TESTS_PIPELINE_ROWS_H_
#define TIDEMARK_TESTS_PIPELINE_ROWS_H_

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "core/change_batch.h"
#include "core/schema.h"

namespace tidemark {

// A value that owns its text.
struct Cell {
  Cell(std::nullptr_t) {}                                     // NOLINT: literals in tests
  Cell(int v) : kind(ValueKind::kInt64), number(v) {}         // NOLINT
  Cell(int64_t v) : kind(ValueKind::kInt64), number(v) {}     // NOLINT
  Cell(double v) : kind(ValueKind::kDouble), real(v) {}       // NOLINT
  Cell(const char* v) : kind(ValueKind::kString), text(v) {}  // NOLINT
  Cell(std::string v) : kind(ValueKind::kString), text(std::move(v)) {}  // NOLINT
  Cell(ValueKind k, int64_t v) : kind(k), number(v) {}
  Cell(ValueKind k, std::string v) : kind(k), text(std::move(v)) {}

  Value View() const {
    Value value = Value::Int(kind, number);
    if (kind == ValueKind::kDouble) value.f64 = real;
    return value.is_text() ? Value::Text(kind, text) : value;
  }

  ValueKind kind = ValueKind::kNull;
  int64_t number = 0;
  double real = 0;
  std::string text;
};
inline Cell Unchanged() { return Cell(ValueKind::kUnchanged, 0); }
inline Cell Flag(bool v) { return Cell(ValueKind::kBool, v ? 1 : 0); }
inline Cell Decimal(std::string v) { return Cell(ValueKind::kDecimal, std::move(v)); }
inline Cell Json(std::string v) { return Cell(ValueKind::kJson, std::move(v)); }
inline Cell Bytes(std::string v) { return Cell(ValueKind::kBytes, std::move(v)); }
inline Cell Timestamp(int64_t us) { return Cell(ValueKind::kTimestamp, us); }

using Cells = std::vector<Cell>;

class Rows {
 public:
  Rows(uint32_t table, uint32_t columns) {
    auto text = std::make_unique<Text>();
    text_ = text.get();
    batch_.table = table;
    batch_.column_count = columns;
    batch_.bytes.push_back(std::move(text));
  }
  Rows& Add(ChangeKind kind, const Cells& cells, uint8_t flags = 0) & {
    batch_.ops.push_back(static_cast<uint8_t>(kind) | flags);
    Append(cells, &batch_.values);
    ++batch_.row_count;
    batch_.encoded_bytes += 10 * cells.size();
    return *this;
  }
  Rows& Upsert(const Cells& cells) & { return Add(ChangeKind::kUpsert, cells); }
  Rows& Update(const Cells& cells) & { return Add(ChangeKind::kUpdate, cells); }
  Rows& Delete(const Cells& cells) & { return Add(ChangeKind::kDelete, cells); }
  Rows& Truncate() & { return Add(ChangeKind::kTruncate, {}); }
  // Old values of the row added last.
  Rows& Before(const Cells& cells) & {
    batch_.before_rows.push_back(batch_.row_count - 1);
    Append(cells, &batch_.before);
    return *this;
  }
  // The place in the source's order of the row added last.
  Rows& Stamp(uint64_t sequence) & {
    batch_.meta.resize(batch_.row_count);
    batch_.meta.back().sequence = sequence;
    return *this;
  }
  // The same in one expression: Say(Rows(0, 2).Upsert({1, "a"})).
  Rows&& Add(ChangeKind kind, const Cells& cells, uint8_t flags = 0) && {
    return std::move(Add(kind, cells, flags));
  }
  Rows&& Upsert(const Cells& cells) && { return std::move(Upsert(cells)); }
  Rows&& Update(const Cells& cells) && { return std::move(Update(cells)); }
  Rows&& Delete(const Cells& cells) && { return std::move(Delete(cells)); }
  Rows&& Truncate() && { return std::move(Truncate()); }
  Rows&& Before(const Cells& cells) && { return std::move(Before(cells)); }
  Rows&& Stamp(uint64_t sequence) && { return std::move(Stamp(sequence)); }
  ChangeBatch Take() && { return std::move(batch_); }

 private:
  struct Text final : BatchBytes {
    std::deque<std::string> texts;
  };
  void Append(const Cells& cells, std::vector<Value>* out) {
    for (size_t i = 0; i < batch_.column_count; ++i) {
      if (i >= cells.size()) {
        out->push_back(Value::Null());
        continue;
      }
      const Cell& cell = cells[i];
      text_->texts.push_back(cell.text);
      Value value = cell.View();
      if (value.is_text()) value.text = text_->texts.back().data();
      out->push_back(value);
    }
  }

  ChangeBatch batch_;
  Text* text_;
};

struct ColumnSpec {
  std::string name;
  DataType type = DataType::kUndeclared;
  bool key = false;
  bool cursor = false;
};
inline TableSchema Table(std::string name, std::vector<ColumnSpec> columns) {
  TableSchema table;
  table.name = std::move(name);
  for (ColumnSpec& spec : columns) {
    Column& column = table.columns.emplace_back();
    column.name = std::move(spec.name);
    column.type.type = spec.type;
    column.type.declared = spec.type != DataType::kUndeclared;
    column.key = spec.key;
    column.cursor = spec.cursor;
  }
  return table;
}

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_PIPELINE_ROWS_H_
