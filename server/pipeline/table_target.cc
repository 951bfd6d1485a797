#include "pipeline/table_target.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pipeline/table_rules.h"

namespace tidemark {
namespace {

bool Excluded(const TableRule& rule, const std::string& column) {
  return std::find(rule.exclude_columns.begin(), rule.exclude_columns.end(), column) !=
         rule.exclude_columns.end();
}

std::string ColumnName(const TableRule& rule, Naming naming, const std::string& source) {
  const auto renamed = rule.rename_columns.find(source);
  return renamed != rule.rename_columns.end() ? renamed->second : ApplyNaming(naming, source);
}

// What stands there already never narrows; whether values are checked or inferred is the
// connector's word of today.
ColumnType Joined(const ColumnType& stored, const ColumnType& now) {
  ColumnType joined = Widen(stored, now);
  joined.declared = now.declared;
  joined.max_abs = std::max(stored.max_abs, now.max_abs);
  return joined;
}

ColumnType TypeOf(const Column& column) {
  ColumnType type = column.type;
  if (type.type == DataType::kUndeclared) return ColumnType();
  type.declared = true;
  return type;
}

// LONG and the date types are stored so that their order is the order of their text.
bool Guardable(DataType type) {
  return type == DataType::kLong || type == DataType::kNaiveDate ||
         type == DataType::kNaiveDatetime || type == DataType::kUtcDatetime;
}

TargetColumn IdColumn() {
  TargetColumn id;
  id.name = kIdColumn;
  id.type.type = DataType::kString;
  id.type.declared = true;
  id.key = true;
  return id;
}

}  // namespace

absl::StatusOr<TableTarget> TableTarget::Create(const TableSchema& table, const TableRule& rule,
                                                Naming naming, const DestinationLimits& limits,
                                                const TargetTable* stored) {
  TableTarget result;
  result.source_ = WithRule(table, rule);
  result.rule_ = rule;
  result.naming_ = naming;
  result.limits_ = limits;
  result.keyless_ = rule.primary_key.has_value()
                        ? rule.primary_key->empty()
                        : std::none_of(result.source_.columns.begin(), result.source_.columns.end(),
                                       [](const Column& column) { return column.key; });
  result.target_.name = ApplyNaming(naming, table.name);
  result.target_.source_name = QualifiedName(table);
  result.target_.deletes = rule.deletes;
  result.target_.existing = rule.existing;
  if (result.keyless_) result.target_.columns.push_back(IdColumn());
  if (stored != nullptr) {
    for (TargetColumn column : stored->columns) {
      if (column.name == kIdColumn || Excluded(rule, column.source_name)) continue;
      column.key = false;  // the connector's word of today
      result.target_.columns.push_back(std::move(column));
    }
  }
  for (size_t i = 0; i < result.source_.columns.size(); ++i) {
    if (absl::Status placed = result.Place(i); !placed.ok()) return placed;
  }
  if (absl::Status checked = result.CheckLimits(); !checked.ok()) return checked;
  result.Finish();
  return result;
}

absl::Status TableTarget::Place(size_t source_column) {
  const Column& column = source_.columns[source_column];
  if (Excluded(rule_, column.name)) {
    if (column.key) {
      return absl::FailedPreconditionError(absl::StrCat(
          "table ", target_.source_name, ": the key column ", column.name, " cannot be excluded"));
    }
    places_.push_back(kDropped);
    return absl::OkStatus();
  }
  const std::string name = ColumnName(rule_, naming_, column.name);
  for (size_t i = 0; i < target_.columns.size(); ++i) {
    TargetColumn& standing = target_.columns[i];
    if (!absl::EqualsIgnoreCase(standing.name, name)) continue;
    const bool taken = std::find(places_.begin(), places_.end(), i) != places_.end();
    if (standing.source_name == column.name && !taken) {
      standing.type = Joined(standing.type, TypeOf(column));
      standing.key = column.key;
      standing.sensitive = column.sensitive;
      places_.push_back(static_cast<uint32_t>(i));
      return absl::OkStatus();
    }
    return absl::FailedPreconditionError(absl::StrCat(
        "table ", target_.source_name, ": the columns ",
        standing.source_name.empty() ? standing.name : standing.source_name, " and ", column.name,
        " would both be called ", name, " at the destination; rename or exclude one of them"));
  }
  TargetColumn placed;
  placed.name = name;
  placed.source_name = column.name;
  placed.type = TypeOf(column);
  placed.key = column.key;
  placed.sensitive = column.sensitive;
  places_.push_back(static_cast<uint32_t>(target_.columns.size()));
  target_.columns.push_back(std::move(placed));
  return absl::OkStatus();
}

absl::Status TableTarget::Grow(const TableSchema& table) {
  const auto misbehaved = [this](absl::string_view what) {
    return absl::InternalError(absl::StrCat("plugin misbehaved: a later definition of table ",
                                            target_.source_name, " ", what));
  };
  if (QualifiedName(table) != target_.source_name) return misbehaved("has another name");
  if (table.columns.size() < source_.columns.size()) return misbehaved("has fewer columns");
  TableSchema grown = WithRule(table, rule_);
  for (size_t i = 0; i < source_.columns.size(); ++i) {
    const Column& column = grown.columns[i];
    if (column.name != source_.columns[i].name) {
      return misbehaved(absl::StrCat("calls column ", source_.columns[i].name, " ", column.name));
    }
    if (column.key != source_.columns[i].key) {
      return misbehaved(absl::StrCat("changes the key at column ", column.name));
    }
    if (places_[i] == kDropped) continue;
    TargetColumn& standing = target_.columns[places_[i]];
    standing.type = Joined(standing.type, TypeOf(column));
    standing.sensitive = standing.sensitive || column.sensitive;
  }
  const size_t known = source_.columns.size();
  source_ = std::move(grown);
  for (size_t i = known; i < source_.columns.size(); ++i) {
    if (source_.columns[i].key && !rule_.primary_key.has_value()) {
      return misbehaved(absl::StrCat("adds the key column ", source_.columns[i].name));
    }
    if (absl::Status placed = Place(i); !placed.ok()) return placed;
  }
  if (absl::Status checked = CheckLimits(); !checked.ok()) return checked;
  Finish();
  return absl::OkStatus();
}

absl::Status TableTarget::CheckKey() const {
  const std::vector<std::string> absent = AbsentKeyColumns(source_, rule_);
  if (absent.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("table ", target_.source_name, ": primary_key names ",
                   absl::StrJoin(absent, ", "), ", which the source does not have"));
}

absl::Status TableTarget::CheckLimits() const {
  const auto refuse = [this](absl::string_view what) {
    return absl::FailedPreconditionError(absl::StrCat("table ", target_.source_name, ": ", what));
  };
  const auto name_problem = [this](const std::string& name) -> std::string {
    if (name.empty()) return "has an empty name at the destination";
    if (name.find('\0') != std::string::npos) return "has a NUL character in its name";
    if (limits_.max_name_bytes != 0 && name.size() > limits_.max_name_bytes) {
      return absl::StrCat("has a name of ", name.size(), " bytes; the destination holds ",
                          limits_.max_name_bytes);
    }
    if (absl::StartsWithIgnoreCase(name, "_tidemark_")) {
      return "has a name that starts with the reserved _tidemark_; rename it";
    }
    return "";
  };
  if (std::string problem = name_problem(target_.name); !problem.empty()) return refuse(problem);
  // The system columns _tidemark_synced and _tidemark_deleted come on top.
  const size_t columns = target_.columns.size() + 2;
  if (limits_.max_columns != 0 && columns > limits_.max_columns) {
    return refuse(absl::StrCat("has ", columns, " columns with the system columns; the destination",
                               " holds ", limits_.max_columns, ": exclude some"));
  }
  for (const TargetColumn& column : target_.columns) {
    if (column.name == kIdColumn && column.source_name.empty()) continue;
    if (std::string problem = name_problem(column.name); !problem.empty()) {
      return refuse(absl::StrCat("column ", column.source_name, " ", problem));
    }
  }
  return absl::OkStatus();
}

void TableTarget::Finish() {
  identity_ = places_.size() == target_.columns.size();
  for (size_t i = 0; identity_ && i < places_.size(); ++i) identity_ = places_[i] == i;
  ChooseGuard();
}

void TableTarget::ChooseGuard() {
  target_.stale_guard.reset();
  guard_warning_.clear();
  if (rule_.stale_guard == StaleGuard::kOff || keyless_) return;
  std::optional<size_t> found;
  for (size_t i = 0; i < places_.size(); ++i) {
    if (!source_.columns[i].cursor || places_[i] == kDropped) continue;
    if (found.has_value()) {
      guard_warning_ = "the stale guard is off: the table has more than one cursor column";
      return;
    }
    found = places_[i];
  }
  if (!found.has_value()) return;
  const TargetColumn& column = target_.columns[*found];
  if (Guardable(column.type.type)) {
    target_.stale_guard = found;
  } else if (column.type.type != DataType::kUndeclared) {
    guard_warning_ =
        absl::StrCat("the stale guard is off: the cursor column ", column.source_name, " is ",
                     DataTypeName(column.type.type), " and not LONG or a date type");
  }
}

bool TableTarget::Creatable() const {
  if (!AbsentKeyColumns(source_, rule_).empty()) return false;
  bool anything = false;
  for (const TargetColumn& column : target_.columns) {
    const bool known = column.type.type != DataType::kUndeclared;
    if (column.key && !known) return false;
    if (known && column.name != kIdColumn) anything = true;
  }
  return anything;
}

void TableTarget::SetType(uint32_t column, const ColumnType& type) {
  target_.columns[column].type = type;
  ChooseGuard();
}

void TableTarget::SetMaxAbs(uint32_t column, uint64_t max_abs) {
  target_.columns[column].type.max_abs = max_abs;
}

absl::Status CheckTableNames(const std::vector<const TargetTable*>& targets) {
  std::map<std::string, const TargetTable*> seen;
  for (const TargetTable* target : targets) {
    const auto [standing, fresh] = seen.emplace(absl::AsciiStrToLower(target->name), target);
    if (fresh) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "the tables ", standing->second->source_name, " and ", target->source_name,
        " would both be called ", target->name, " at the destination; leave one of them out"));
  }
  return absl::OkStatus();
}

}  // namespace tidemark
