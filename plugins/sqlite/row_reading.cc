#include "sqlite/row_reading.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "sqlite/table_run.h"

namespace tidemark::sqlite {
namespace {

// The key columns in the order of the table, as read_abi.h counts them.
std::vector<size_t> KeyColumns(const TableDefinition& table) {
  std::vector<size_t> columns = table.key;
  std::sort(columns.begin(), columns.end());
  return columns;
}

class RowReading {
 public:
  RowReading(Database* database, const TableDefinition* table, const ReadRequest* request,
             Sink* sink)
      : database_(*database),
        table_(*table),
        request_(*request),
        sink_(*sink),
        key_(KeyColumns(table_)) {}

  absl::Status Read() {
    absl::StatusOr<TableRef> target = sink_.Find(table_.name);
    if (!target.ok()) return target.status();
    absl::StatusOr<Transaction> transaction = Transaction::Read(database_);
    if (!transaction.ok()) return transaction.status();
    const std::string select =
        absl::StrCat("SELECT ", table_.ColumnList(), " FROM main.", Quoted(table_.name));
    if (request_.mode() == kReadKeys) return ReadKeys(select, *target);
    if (request_.mode() == kReadRanges) return ReadRange(select, *target);
    absl::StatusOr<Statement> statement = database_.Prepare(select);
    if (!statement.ok()) return statement.status();
    return EmitAll(*statement, *target);
  }

 private:
  std::string KeyList() const {
    return absl::StrJoin(key_, ", ", [this](std::string* out, size_t column) {
      absl::StrAppend(out, Quoted(table_.columns[column].name), " COLLATE BINARY");
    });
  }

  absl::Status ReadKeys(const std::string& select, const TableRef& target) {
    std::vector<std::string> conditions;
    for (size_t i = 0; i < key_.size(); ++i) {
      const std::string name = Quoted(table_.columns[key_[i]].name);
      // The first part finds the row in the index, the second tells letters of other case apart.
      conditions.push_back(
          absl::StrCat(name, " = ?", i + 1, " AND ", name, " = ?", i + 1, " COLLATE BINARY"));
    }
    absl::StatusOr<Statement> statement =
        database_.Prepare(absl::StrCat(select, " WHERE ", absl::StrJoin(conditions, " AND ")));
    if (!statement.ok()) return statement.status();
    for (size_t k = 0; k < request_.key_count(); ++k) {
      int index = 0;
      for (const Value& value : request_.key(k)) statement->Bind(++index, ToCell(value));
      if (absl::Status s = EmitAll(*statement, target); !s.ok()) return s;
      statement->Reset();
    }
    return absl::OkStatus();
  }

  absl::Status ReadRange(const std::string& select, const TableRef& target) {
    std::string sql = absl::StrCat(select, " WHERE 1");
    int parameters = 0;
    const auto bound = [&](const char* compare, size_t size) {
      std::vector<std::string> places;
      places.reserve(size);
      for (size_t i = 0; i < size; ++i) places.push_back(absl::StrCat("?", ++parameters));
      absl::StrAppend(&sql, " AND (", KeyList(), ") ", compare, " (", absl::StrJoin(places, ", "),
                      ")");
    };
    if (!request_.lower().empty()) bound(">=", request_.lower().size());
    if (!request_.upper().empty()) bound("<", request_.upper().size());
    absl::StrAppend(&sql, " ORDER BY ", KeyList());
    if (request_.limit() > 0) absl::StrAppend(&sql, " LIMIT ", request_.limit());
    absl::StatusOr<Statement> statement = database_.Prepare(sql);
    if (!statement.ok()) return statement.status();
    int index = 0;
    for (const Value& value : request_.lower()) statement->Bind(++index, ToCell(value));
    for (const Value& value : request_.upper()) statement->Bind(++index, ToCell(value));
    return EmitAll(*statement, target);
  }

  absl::Status EmitAll(Statement& statement, const TableRef& target) {
    for (;;) {
      absl::StatusOr<bool> row = statement.Step();
      if (!row.ok()) return row.status();
      if (!*row) return absl::OkStatus();
      values_.clear();
      for (int i = 0; i < statement.column_count(); ++i) values_.push_back(statement.ToValue(i));
      if (absl::Status s = sink_.Upsert(target, values_); !s.ok()) return s;
    }
  }

  Database& database_;
  const TableDefinition& table_;
  const ReadRequest& request_;
  Sink& sink_;
  const std::vector<size_t> key_;
  std::vector<Value> values_;
};

}  // namespace

uint32_t ModesOf(const TableDefinition& table) {
  uint32_t modes = kReadWhole;
  if (table.key.empty()) return modes;
  const auto is_any = [&](size_t column) {
    return table.columns[column].affinity == Affinity::kBlob &&
           !(table.strict && absl::EqualsIgnoreCase(table.columns[column].declared, "BLOB"));
  };
  if (std::none_of(table.key.begin(), table.key.end(), is_any)) {
    modes |= kReadKeys;
    if (table.integer_key || table.strict) modes |= kReadRanges;
  }
  return modes;
}

absl::Status ReadRowsNow(Database& database, const TableDefinition& table,
                         const ReadRequest& request, Sink& sink) {
  return RowReading(&database, &table, &request, &sink).Read();
}

}  // namespace tidemark::sqlite
