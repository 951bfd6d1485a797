// The rules of plugin_abi.h that a batch, a table and a checkpoint must keep.
#ifndef TIDEMARK_TESTING_BATCH_RULES_H_
#define TIDEMARK_TESTING_BATCH_RULES_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/testing/recording.h"
#include "tidemark/utf8.h"

namespace tidemark_testing {

// What plugin_abi.h asks of a text.
inline bool IsText(absl::string_view s) {
  return tidemark::IsUtf8(s) && s.find('\0') == absl::string_view::npos;
}

inline absl::Status CheckName(const char* name, absl::string_view what) {
  const size_t size = name == nullptr ? 0 : std::strlen(name);
  if (size == 0) return absl::InternalError(absl::StrCat("a ", what, " has no name"));
  if (size > TIDEMARK_MAX_NAME_BYTES) {
    return absl::InternalError(absl::StrCat("the name of a ", what, " is longer than ",
                                            TIDEMARK_MAX_NAME_BYTES, " bytes"));
  }
  if (!IsText(name)) {
    return absl::InternalError(absl::StrCat("the name of a ", what, " is not UTF-8"));
  }
  return absl::OkStatus();
}

// Copies a table after checking it.
inline absl::Status CopyTable(const tidemark_table& table, RecordedTable* out) {
  if (!TIDEMARK_HAS(tidemark_table, &table, columns) ||
      (table.column_count > 0 &&
       (table.columns == nullptr || table.column_size < sizeof(tidemark_column)))) {
    return absl::InternalError("a tidemark_table or its columns are too small");
  }
  if (absl::Status s = CheckName(table.name, "table"); !s.ok()) return s;
  out->schema = table.schema == nullptr ? "" : table.schema;
  out->name = table.name;
  out->columns.clear();
  const char* p = reinterpret_cast<const char*>(table.columns);
  for (uint32_t i = 0; i < table.column_count; ++i, p += table.column_size) {
    const auto& c = *reinterpret_cast<const tidemark_column*>(p);
    if (absl::Status s = CheckName(c.name, "column"); !s.ok()) return s;
    for (const RecordedColumn& other : out->columns) {
      if (other.name == c.name) {
        return absl::InternalError(absl::StrCat("table ", table.name, " has two columns ", c.name));
      }
    }
    if (c.type > TIDEMARK_TYPE_JSON || (c.flags >> 16) != 0) {
      return absl::InternalError(
          absl::StrCat("column ", table.name, ".", c.name, " has an unknown type or flag"));
    }
    out->columns.push_back({c.name, c.type, c.flags, c.precision, c.scale});
  }
  return absl::OkStatus();
}

// Whether a value is well-formed; the text says what is wrong.
inline absl::Status CheckValue(const tidemark_value& v) {
  const bool has_data = v.type >= TIDEMARK_DECIMAL && v.type <= TIDEMARK_JSON;
  if (v.type > TIDEMARK_NAIVE_TIMESTAMP) {
    return absl::InternalError(absl::StrCat("unknown kind of value ", v.type));
  }
  if (has_data && v.length > 0 && v.u.data == nullptr) {
    return absl::InternalError("a text without data");
  }
  if (has_data && v.type != TIDEMARK_BYTES && v.length > 0 &&
      !IsText(absl::string_view(v.u.data, v.length))) {
    return absl::InvalidArgumentError("a text is not UTF-8 or has U+0000");
  }
  if (v.type == TIDEMARK_BOOL && v.u.i64 != 0 && v.u.i64 != 1) {
    return absl::InvalidArgumentError("a boolean is neither 0 nor 1");
  }
  if (v.type == TIDEMARK_TIME && (v.u.i64 < 0 || v.u.i64 > 86'400'000'000)) {
    return absl::InvalidArgumentError("a time of day is beyond 24:00");
  }
  return absl::OkStatus();
}

// Whether the sizes and pointers of a batch can be trusted.
inline absl::Status CheckShape(const tidemark_batch& b, const std::vector<RecordedTable>& tables) {
  const auto bad = [](const auto&... text) { return absl::InternalError(absl::StrCat(text...)); };
  if (!TIDEMARK_HAS(tidemark_batch, &b, before)) return bad("a tidemark_batch is too small");
  if (b.table >= tables.size()) return bad("a batch is for unknown table ", b.table);
  const RecordedTable& table = tables[b.table];
  if (b.column_count > table.columns.size()) {
    return bad("a batch has ", b.column_count, " columns, table ", table.name, " has ",
               table.columns.size());
  }
  if (b.row_count > TIDEMARK_MAX_BATCH_ROWS) {
    return bad("a batch has ", b.row_count, " rows, more than ", TIDEMARK_MAX_BATCH_ROWS);
  }
  if (b.row_count > 0 && (b.ops == nullptr || (b.column_count > 0 && b.values == nullptr))) {
    return bad("a batch has no ops or no values");
  }
  if (b.meta != nullptr && b.meta_size < sizeof(tidemark_row_meta)) {
    return bad("the stride of meta is too small");
  }
  if (b.before_count > 0 && (b.before_rows == nullptr || b.before == nullptr)) {
    return bad("a batch has no before images where it says so");
  }
  for (uint32_t i = 0; i < b.before_count; ++i) {
    if (b.before_rows[i] >= b.row_count || (i > 0 && b.before_rows[i] <= b.before_rows[i - 1])) {
      return bad("the rows of before images are not ascending row numbers");
    }
  }
  return absl::OkStatus();
}

// Whether the rows of a batch are well-formed. REQUIRES: CheckShape() is OK.
inline absl::Status CheckRows(const tidemark_batch& b) {
  for (uint32_t r = 0; r < b.row_count; ++r) {
    const uint8_t op = b.ops[r] & static_cast<uint8_t>(~TIDEMARK_ON_ERROR_CONTINUE);
    if (op < TIDEMARK_UPSERT || op > TIDEMARK_SNAPSHOT) {
      return absl::InternalError(absl::StrCat("row ", r, " has unknown op ", b.ops[r]));
    }
    if (op == TIDEMARK_TRUNCATE) continue;
    for (uint32_t c = 0; c < b.column_count; ++c) {
      const tidemark_value& v = b.values[size_t{r} * b.column_count + c];
      if (v.type == TIDEMARK_UNCHANGED && (op == TIDEMARK_UPSERT || op == TIDEMARK_SNAPSHOT)) {
        return absl::InvalidArgumentError(
            absl::StrCat("row ", r, " is a full row and leaves column ", c, " unchanged"));
      }
      if (absl::Status s = CheckValue(v); !s.ok()) {
        return absl::Status(s.code(), absl::StrCat("row ", r, ", column ", c, ": ", s.message()));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTING_BATCH_RULES_H_
