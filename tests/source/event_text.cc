#include "tests/source/event_text.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tidemark {
namespace {

std::string ValueText(const Value& value) {
  switch (value.kind) {
    case ValueKind::kNull:
      return "null";
    case ValueKind::kUnchanged:
      return "unchanged";
    case ValueKind::kBool:
      return value.i64 != 0 ? "true" : "false";
    case ValueKind::kDouble:
      return absl::StrCat(value.f64);
    case ValueKind::kDate:
      return absl::StrCat("date ", value.i64);
    case ValueKind::kTime:
      return absl::StrCat("time ", value.i64);
    case ValueKind::kTimestamp:
      return absl::StrCat("timestamp ", value.i64);
    case ValueKind::kNaiveTimestamp:
      return absl::StrCat("naive ", value.i64);
    case ValueKind::kInt64:
      return absl::StrCat(value.i64);
    case ValueKind::kDecimal:
      return absl::StrCat("decimal ", value.view());
    case ValueKind::kJson:
      return absl::StrCat("json ", value.view());
    case ValueKind::kBytes:
      return absl::StrCat("bytes ", value.view());
    case ValueKind::kString:
      return absl::StrCat("'", value.view(), "'");
  }
  return "?";
}

std::string RowText(absl::Span<const Value> row) {
  return absl::StrJoin(row, " ", [](std::string* out, const Value& value) {
    absl::StrAppend(out, ValueText(value));
  });
}

struct Describer {
  std::string operator()(const ChangeBatch& batch) const {
    static constexpr const char* kKinds[] = {"?",      "upsert",   "update",
                                             "delete", "truncate", "snapshot"};
    std::string text = absl::StrCat(batch.table, ":");
    size_t before = 0;
    for (uint32_t i = 0; i < batch.row_count; ++i) {
      absl::StrAppend(&text, " ", kKinds[static_cast<size_t>(batch.kind(i))],
                      batch.on_error_continue(i) ? "*" : "", "(", RowText(batch.row(i)));
      if (before < batch.before_rows.size() && batch.before_rows[before] == i) {
        absl::StrAppend(&text, " before ", RowText(batch.before_row(before++)));
      }
      if (!batch.meta.empty() && batch.meta[i].sequence != 0) {
        absl::StrAppend(&text, " @", batch.meta[i].sequence);
      }
      absl::StrAppend(&text, ")");
    }
    return text;
  }
  std::string operator()(const TableDefinition& definition) const {
    return absl::StrCat("define ", definition.index, " ", QualifiedName(definition.table), "(",
                        absl::StrJoin(definition.table.columns, ", ",
                                      [](std::string* out, const Column& column) {
                                        absl::StrAppend(out, column.name, ":",
                                                        DataTypeName(column.type.type),
                                                        column.key ? ":key" : "");
                                      }),
                        ")");
  }
  std::string operator()(const Checkpoint& checkpoint) const {
    std::string text = absl::StrCat("checkpoint ", checkpoint.id);
    for (const StateEntry& state : checkpoint.states) {
      absl::StrAppend(&text, " ", EntryName(state), "'", state.body, "'");
    }
    for (const TableRows& rows : checkpoint.rows_since_last) {
      absl::StrAppend(&text, " ", rows.table, "=", rows.rows);
    }
    return text;
  }
  std::string operator()(const SourceDeadLetter& letter) const {
    return absl::StrCat("dead letter ", letter.letter.reason);
  }
  std::string operator()(const TableDone& done) const {
    return absl::StrCat("done ", done.table, " ", done.status.ToString());
  }
  std::string operator()(const SourceWarning& warning) const {
    return absl::StrCat("warning ", warning.text);
  }
  std::string operator()(const FlushRequest&) const { return "flush"; }
  std::string operator()(const SourceProgress& progress) const {
    return absl::StrCat("progress ", progress.rows_done, "/", progress.rows_total);
  }
  std::string operator()(const SourceLog& log) const {
    return absl::StrCat("log ", log.level, " ", log.text);
  }
  std::string operator()(const Finished& finished) const {
    return absl::StrCat("finished ",
                        finished.status.ok()
                            ? "OK"
                            : absl::StrCat(absl::StatusCodeToString(finished.status.code()), " ",
                                           finished.status.message()));
  }
};

}  // namespace

std::string EventText(const SourceEvent& event) { return std::visit(Describer(), event); }

Drained DrainEvents(ChangeSource& source) {
  Drained drained;
  while (true) {
    absl::StatusOr<std::optional<SourceEvent>> event = source.Next(absl::InfiniteFuture());
    if (!event.ok()) {
      drained.status = event.status();
      return drained;
    }
    if (!event->has_value()) continue;
    drained.events.push_back(EventText(**event));
    if (std::holds_alternative<Finished>(**event)) return drained;
  }
}

}  // namespace tidemark
