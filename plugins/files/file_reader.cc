#include "files/file_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "tidemark/utf8.h"

namespace tidemark::files {
namespace {

using nlohmann::json;

constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kMaxRecord = 32 * 1024 * 1024;  // bytes
constexpr size_t kPadding = 64;                  // bytes that JsonRecord wants behind a text

std::string JsonText(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Fields of a header "name:TYPE".
absl::Status TakeType(CsvColumn* column) {
  const size_t colon = column->name.rfind(':');
  if (colon == std::string::npos) return absl::OkStatus();
  const auto type = TypeText::Parse(column->name.substr(colon + 1));
  if (!type) {
    return absl::InvalidArgumentError(
        absl::StrCat("the header's column ", column->name, " names no type after its colon"));
  }
  column->type = type->type;
  column->precision = type->precision;
  column->scale = type->scale;
  column->name.resize(colon);
  return absl::OkStatus();
}

absl::Status CheckNames(const std::vector<CsvColumn>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const CsvColumn& column : columns) names.push_back(column.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    return absl::InvalidArgumentError(absl::StrCat("the header gives ", *twice, " twice"));
  }
  if (std::count(names.begin(), names.end(), "") > 0) {
    return absl::InvalidArgumentError("the header has a column without a name");
  }
  return absl::OkStatus();
}

// Reads blocks until a record stands at the front of what is buffered.
absl::StatusOr<CsvParser::Outcome> ParseNext(InputFile& file, CsvParser& parser, bool may_end,
                                             size_t* size) {
  for (;;) {
    const absl::string_view bytes = file.buffered();
    if (!bytes.empty()) {
      const CsvParser::Outcome outcome = parser.Parse(bytes, may_end && file.at_end(), size);
      if (outcome != CsvParser::Outcome::kNeedMore) return outcome;
    }
    if (file.at_end()) return CsvParser::Outcome::kNeedMore;
    if (bytes.size() > kMaxRecord) {
      return absl::InvalidArgumentError(
          absl::StrCat("a record is longer than ", kMaxRecord, " bytes; is a quote left open?"));
    }
    if (absl::Status s = file.ReadMore(); !s.ok()) return s;
  }
}

absl::Status SkipByteOrderMark(InputFile& file) {
  if (file.offset() != 0) return absl::OkStatus();
  if (absl::Status s = file.ReadMore(); !s.ok()) return s;
  if (absl::StartsWith(file.buffered(), kByteOrderMark)) file.Take(kByteOrderMark.size());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<CsvColumn>> ReadColumns(InputFile& file, const FileOptions& options) {
  std::vector<CsvColumn> columns;
  file.Seek(0, 0);
  if (absl::Status s = SkipByteOrderMark(file); !s.ok()) return s;
  if (!options.header) {
    for (const std::string& name : options.column_names) columns.push_back({.name = name});
  } else {
    CsvParser parser(options.delimiter, options.quote);
    size_t size = 0;
    absl::StatusOr<CsvParser::Outcome> outcome = ParseNext(file, parser, true, &size);
    if (!outcome.ok()) return outcome.status();
    if (*outcome == CsvParser::Outcome::kNeedMore) return columns;  // an empty file
    if (*outcome == CsvParser::Outcome::kBad) {
      return absl::InvalidArgumentError(
          absl::StrCat("the header cannot be read: ", parser.problem()));
    }
    file.Take(size);
    for (const CsvField& field : parser.fields()) {
      CsvColumn column = {.name = std::string(absl::StripAsciiWhitespace(field.text))};
      if (options.typed_header) {
        if (absl::Status s = TakeType(&column); !s.ok()) return s;
      }
      columns.push_back(std::move(column));
    }
  }
  for (CsvColumn& column : columns) {
    const auto declared = options.columns.find(column.name);
    if (declared == options.columns.end()) continue;
    column.type = declared->second.type;
    column.precision = declared->second.precision;
    column.scale = declared->second.scale;
  }
  if (absl::Status s = CheckNames(columns); !s.ok()) return s;
  return columns;
}

Type FileReader::TypeOf(absl::string_view column) const {
  const auto found = run_.options.columns.find(std::string(column));
  return found == run_.options.columns.end() ? kUndeclared : found->second.type;
}

absl::StatusOr<bool> FileReader::Begin(const std::optional<FilePlace>& known) {
  absl::StatusOr<std::unique_ptr<InputFile>> file = InputFile::Open(run_.found.path);
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  settled_ = file_->modified() + run_.options.settle <= run_.now;
  bool goes_on = false;
  if (known) {
    absl::StatusOr<bool> continues = file_->Continues(*known);
    if (!continues.ok()) return continues.status();
    goes_on = *continues;
    if (goes_on && known->offset == file_->size()) return false;
    if (file_->size() < known->size) {
      absl::Status s = run_.sink.Warn(
          absl::StrCat("file ", run_.found.name, " shrank from ", known->size, " to ",
                       file_->size(), " bytes: it is read from its start again"),
          run_.found.table);
      if (!s.ok()) return s;
    }
  }
  if (run_.found.format == Format::kCsv) {
    absl::StatusOr<std::vector<CsvColumn>> columns = ReadColumns(*file_, run_.options);
    if (!columns.ok()) return columns.status();
    columns_ = *std::move(columns);
    csv_.emplace(run_.options.delimiter, run_.options.quote);
  } else {
    file_->Seek(0, 0);
    if (absl::Status s = SkipByteOrderMark(*file_); !s.ok()) return s;
  }
  if (!goes_on) return true;
  const uint64_t start = file_->offset();
  file_->Seek(std::max(known->offset, start), known->line);
  if (!known->open_end) return true;
  // What was taken as a whole record may have been half of one.
  if (absl::Status s = file_->ReadMore(); !s.ok()) return s;
  const absl::string_view rest = file_->buffered();
  if (absl::StartsWith(rest, "\n") || absl::StartsWith(rest, "\r\n")) {
    file_->Take(rest[0] == '\n' ? 1 : 2);
    return true;
  }
  absl::Status s = run_.sink.Warn(
      absl::StrCat(
          "file ", run_.found.name,
          " went on in its last line, which had been read: it is read from its start again"),
      run_.found.table);
  if (!s.ok()) return s;
  return Begin(std::nullopt);
}

absl::StatusOr<FilePlace> FileReader::Read(const std::optional<FilePlace>& known) {
  absl::StatusOr<bool> begun = Begin(known);
  if (!begun.ok()) return begun.status();
  if (!*begun) return *known;
  for (;;) {
    absl::StatusOr<bool> record = TakeRecord();
    if (!record.ok()) return record.status();
    if (!*record) break;
    if (++rows_ % run_.page_rows != 0) continue;
    absl::StatusOr<FilePlace> place = file_->Place(open_end_);
    if (!place.ok()) return place.status();
    if (absl::Status s = run_.checkpoint(*place); !s.ok()) return s;
  }
  return file_->Place(open_end_);
}

absl::StatusOr<bool> FileReader::TakeRecord() {
  record_line_ = file_->line() + 1;
  if (csv_) {
    size_t size = 0;
    absl::StatusOr<CsvParser::Outcome> outcome = ParseNext(*file_, *csv_, settled_, &size);
    if (!outcome.ok()) return outcome.status();
    if (*outcome == CsvParser::Outcome::kNeedMore) return false;
    const absl::string_view bytes = file_->buffered().substr(0, size);
    open_end_ = bytes.empty() || bytes.back() != '\n';
    absl::Status status =
        *outcome == CsvParser::Outcome::kBad ? Reject(bytes, csv_->problem()) : EmitCsv(bytes);
    if (!status.ok()) return status;
    file_->Take(size);
    return true;
  }
  for (;;) {
    const absl::string_view bytes = file_->buffered();
    const size_t end = bytes.find('\n');
    if (end == absl::string_view::npos && !file_->at_end()) {
      if (bytes.size() > kMaxRecord) {
        return absl::InvalidArgumentError(
            absl::StrCat("line ", record_line_, " is longer than ", kMaxRecord, " bytes"));
      }
      if (absl::Status s = file_->ReadMore(); !s.ok()) return s;
      continue;
    }
    if (bytes.empty() || (end == absl::string_view::npos && !EndsHere())) return false;
    open_end_ = end == absl::string_view::npos;
    const absl::string_view line = bytes.substr(0, end);
    if (absl::Status s = EmitJson(absl::StripAsciiWhitespace(line)); !s.ok()) return s;
    file_->Take(open_end_ ? line.size() : end + 1);
    return true;
  }
}

absl::Status FileReader::Reject(absl::string_view record, absl::string_view why) {
  const std::string text = JsonText(json(std::string(absl::StripTrailingAsciiWhitespace(record))));
  const std::string context = JsonText({{"file", run_.found.name}, {"line", record_line_}});
  const std::string reason =
      absl::StrCat("file ", run_.found.name, ", line ", record_line_, ": ", why);
  return run_.sink.DeadLetter(
      {.table = run_.found.table, .record_json = text, .reason = reason, .context_json = context});
}

absl::Status FileReader::EmitCsv(absl::string_view bytes) {
  const std::vector<CsvField>& fields = csv_->fields();
  if (fields.size() == 1 && fields[0].text.empty() && !fields[0].quoted) return absl::OkStatus();
  if (fields.size() != columns_.size()) {
    return Reject(
        bytes, absl::StrCat("it has ", fields.size(), " fields, the header has ", columns_.size()));
  }
  row_.clear();
  for (size_t i = 0; i < fields.size(); ++i) {
    const CsvField& field = fields[i];
    const CsvColumn& column = columns_[i];
    Value value;
    if (!field.quoted && field.text == run_.options.null_text) {
      value = Value::Null();
    } else if (column.type != kUndeclared) {
      absl::StatusOr<Value> read = ReadValue(field.text, column.type);
      if (!read.ok()) {
        return Reject(bytes, absl::StrCat("column ", column.name, " is ", read.status().message()));
      }
      value = *read;
    } else if (run_.options.infer && !field.quoted) {
      value = InferValue(field.text);
    } else {
      value = field.text;
    }
    row_.push_back({column.name, value});
  }
  if (!IsUtf8(bytes)) return Reject(bytes, "it is not UTF-8");
  return run_.sink.Upsert(run_.found.table, row_);
}

absl::StatusOr<Value> FileReader::JsonToValue(const rest::JsonValue& value, Type type) {
  using Kind = rest::JsonValue::Kind;
  if (value.kind == Kind::kNull) return Value::Null();
  if (value.kind == Kind::kNested) {
    if (type != kUndeclared && type != kJson && type != kString) {
      return absl::InvalidArgumentError("an object or a list");
    }
    return type == kString ? Value(value.text) : Value::Json(value.text);
  }
  if (value.kind == Kind::kBool) {
    if (type == kUndeclared || type == kBoolean) return Value(value.truth);
    if (type == kJson) return Value::Json(value.truth ? "true" : "false");
    return ReadValue(value.truth ? "true" : "false", type);
  }
  if (type == kJson && value.kind == Kind::kString) {
    kept_.push_back(JsonText(json(std::string(value.text))));
    return Value::Json(kept_.back());
  }
  if (type != kUndeclared) return ReadValue(value.text, type);
  if (value.kind == Kind::kString) return Value(value.text);
  int64_t whole = 0;
  if (absl::SimpleAtoi(value.text, &whole)) return Value(whole);
  if (value.text.find_first_of(".eE") == absl::string_view::npos) {
    return Value::Decimal(value.text);
  }
  double number = 0;
  if (!absl::SimpleAtod(value.text, &number)) return absl::InvalidArgumentError("not a number");
  return Value(number);
}

absl::Status FileReader::EmitJson(absl::string_view line) {
  if (line.empty()) return absl::OkStatus();
  if (!json::accept(line.begin(), line.end())) return Reject(line, "it is not one JSON text");
  std::string padded(line);
  padded.reserve(padded.size() + kPadding);
  if (absl::Status s = json_.Read(padded); !s.ok()) return Reject(line, s.message());
  row_.clear();
  kept_.clear();
  kept_.reserve(json_.fields().size());
  for (const rest::JsonField& field : json_.fields()) {
    absl::StatusOr<Value> value = JsonToValue(field.value, TypeOf(field.name));
    if (!value.ok()) {
      return Reject(line, absl::StrCat("column ", field.name, " is ", value.status().message()));
    }
    row_.push_back({field.name, *value});
  }
  return run_.sink.Upsert(run_.found.table, row_);
}

}  // namespace tidemark::files
