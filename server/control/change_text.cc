#include "control/change_text.h"

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/text.h"
#include "nlohmann/json.hpp"

namespace tidemark {
namespace {

// The members of a JSON object as they are written: numbers keep every digit. Works on text that a
// JSON parser has accepted.
class Members {
 public:
  explicit Members(absl::string_view object) : rest_(absl::StripAsciiWhitespace(object)) {
    rest_.remove_prefix(1);  // {
  }

  // nullopt: the end.
  std::optional<ChangeField> Next() {
    Skip();
    if (rest_.empty() || rest_.front() == '}') return std::nullopt;
    ChangeField field;
    field.column = nlohmann::json::parse(std::string(TakeValue())).get<std::string>();
    Skip();
    field.json = std::string(TakeValue());
    return field;
  }

 private:
  void Skip() {
    while (!rest_.empty() && (absl::ascii_isspace(static_cast<unsigned char>(rest_.front())) ||
                              rest_.front() == ',' || rest_.front() == ':')) {
      rest_.remove_prefix(1);
    }
  }
  absl::string_view TakeValue() {
    size_t depth = 0;
    bool quoted = false;
    size_t i = 0;
    for (; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (quoted) {
        if (c == '\\') ++i;
        quoted = c != '"';
        if (!quoted && depth == 0) break;
      } else if (c == '"') {
        quoted = true;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if ((c == '}' || c == ']') && depth > 0) {
        if (--depth == 0) break;
      } else if (depth == 0 && (c == ',' || c == '}' || c == ':' || c == ']')) {
        const absl::string_view bare = rest_.substr(0, i);  // a number, true, false, null
        rest_.remove_prefix(i);
        return absl::StripAsciiWhitespace(bare);
      }
    }
    const size_t end = i < rest_.size() ? i + 1 : rest_.size();
    const absl::string_view value = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return value;
  }

  absl::string_view rest_;
};

absl::StatusOr<std::vector<ChangeField>> Fields(absl::string_view name, absl::string_view json) {
  if (json.empty() || json.front() != '{') {
    return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" must be an object"));
  }
  std::vector<ChangeField> fields;
  Members members(json);
  while (std::optional<ChangeField> field = members.Next()) fields.push_back(*std::move(field));
  return fields;
}

std::optional<ChangeKind> ParseKind(absl::string_view json) {
  if (json == "\"upsert\"") return ChangeKind::kUpsert;
  if (json == "\"update\"") return ChangeKind::kUpdate;
  if (json == "\"delete\"") return ChangeKind::kDelete;
  if (json == "\"snapshot\"") return ChangeKind::kSnapshot;
  return std::nullopt;
}

// Text of values; stays where it is.
class Texts final : public BatchBytes {
 public:
  absl::string_view Keep(std::string text) { return texts_.emplace_back(std::move(text)); }

 private:
  std::deque<std::string> texts_;
};

absl::StatusOr<Value> TextValue(const ChangeField& field, const Column& column, Texts* texts) {
  std::string text = nlohmann::json::parse(field.json).get<std::string>();
  if (column.sensitive && text == "***") {
    return absl::InvalidArgumentError(
        absl::StrCat("the value of the sensitive column \"", column.name,
                     "\" was not kept; `tidemark dead-letters edit` puts one in"));
  }
  if (column.type.type == DataType::kJson) {
    return Value::Text(ValueKind::kJson, texts->Keep(field.json));
  }
  if (column.type.type != DataType::kBinary) return Value::String(texts->Keep(std::move(text)));
  absl::string_view hex = text;
  absl::ConsumePrefix(&hex, "0x");
  bool good = hex.size() % 2 == 0;
  for (const char c : hex) good = good && absl::ascii_isxdigit(static_cast<unsigned char>(c));
  if (!good) return Value::String(texts->Keep(std::move(text)));
  return Value::Text(ValueKind::kBytes, texts->Keep(absl::HexStringToBytes(hex)));
}

Value NumberValue(const ChangeField& field, const Column& column, Texts* texts) {
  int64_t integer = 0;
  if (absl::SimpleAtoi(field.json, &integer)) return Value::Int64(integer);
  const bool whole = field.json.find_first_of(".eE") == std::string::npos;
  if ((whole || column.type.type == DataType::kDecimal) && IsDecimal(field.json)) {
    return Value::Text(ValueKind::kDecimal, texts->Keep(field.json));
  }
  double real = 0;
  if (absl::SimpleAtod(field.json, &real)) return Value::Double(real);
  return Value::String(texts->Keep(field.json));
}

absl::StatusOr<Value> FieldValue(const ChangeField& field, const Column& column, Texts* texts) {
  if (field.json == "null") return Value::Null();
  if (field.json.front() == '"') return TextValue(field, column, texts);
  if (field.json.front() == '{' || field.json.front() == '[' ||
      column.type.type == DataType::kJson) {
    return Value::Text(ValueKind::kJson, texts->Keep(field.json));
  }
  if (field.json == "true" || field.json == "false") return Value::Bool(field.json == "true");
  return NumberValue(field, column, texts);
}

absl::Status FillRow(const std::vector<ChangeField>& fields, const TableSchema& table,
                     absl::Span<Value> row, Texts* texts) {
  for (const ChangeField& field : fields) {
    size_t place = 0;
    while (place < table.columns.size() && table.columns[place].name != field.column) ++place;
    if (place == table.columns.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("table ", QualifiedName(table), " has no column \"", field.column, "\""));
    }
    absl::StatusOr<Value> value = FieldValue(field, table.columns[place], texts);
    if (!value.ok()) return value.status();
    row[place] = *value;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ChangeText> ParseChangeText(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.empty() || text.front() != '{' || !JsonChecker().Check(text).ok()) {
    return absl::InvalidArgumentError(
        "a change is one JSON object: {\"op\": \"upsert\", \"values\": {\"id\": 7}}");
  }
  ChangeText change;
  bool kind = false;
  bool values = false;
  Members members(text);
  while (std::optional<ChangeField> member = members.Next()) {
    if (member->column == "op") {
      const std::optional<ChangeKind> parsed = ParseKind(member->json);
      if (!parsed.has_value()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "\"op\" is ", member->json, "; expected upsert, update, delete or snapshot"));
      }
      change.kind = *parsed;
      kind = true;
    } else if (member->column == "values" || member->column == "before") {
      auto fields = Fields(member->column, member->json);
      if (!fields.ok()) return fields.status();
      values = values || member->column == "values";
      (member->column == "values" ? change.values : change.before) = *std::move(fields);
    } else {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", member->column, "\" is no part of a change; expected op, values and before"));
    }
  }
  if (!kind || !values) {
    return absl::InvalidArgumentError("a change needs \"op\" and \"values\"");
  }
  return change;
}

std::string KeyOf(const ChangeText& change, const std::vector<std::string>& key_columns) {
  std::string key;
  for (const std::string& column : key_columns) {
    for (const ChangeField& field : change.values) {
      if (field.column != column) continue;
      key.append(key.empty() ? "{" : ",");
      AppendJsonString(column, &key);
      absl::StrAppend(&key, ":", field.json);
    }
  }
  return key.empty() ? key : key + "}";
}

absl::StatusOr<ChangeBatch> ChangeToBatch(const ChangeText& change, const TableSchema& table) {
  ChangeBatch batch;
  batch.row_count = 1;
  batch.column_count = static_cast<uint32_t>(table.columns.size());
  // A bad row becomes a dead letter again, whatever on_error says.
  batch.ops.push_back(static_cast<uint8_t>(change.kind) | kOnErrorContinue);
  const bool partial = change.kind == ChangeKind::kUpdate;
  batch.values.assign(batch.column_count, partial ? Value::Unchanged() : Value::Null());
  auto texts = std::make_unique<Texts>();
  absl::Status status = FillRow(change.values, table, absl::MakeSpan(batch.values), texts.get());
  if (!status.ok()) return status;
  if (partial && !change.before.empty()) {
    batch.before_rows.push_back(0);
    batch.before.assign(batch.column_count, Value::Unchanged());
    status = FillRow(change.before, table, absl::MakeSpan(batch.before), texts.get());
    if (!status.ok()) return status;
  }
  for (const ChangeField& field : change.values) batch.encoded_bytes += field.json.size();
  batch.bytes.push_back(std::move(texts));
  return batch;
}

}  // namespace tidemark
