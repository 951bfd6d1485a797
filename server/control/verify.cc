#include "control/verify.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/exit_code.h"
#include "core/status_context.h"
#include "pipeline/row_text.h"
#include "pipeline/table_rules.h"

namespace tidemark {
namespace {

constexpr double kMassDeleteShare = 0.3;
constexpr uint64_t kFewRows = 10;  // so many deletes need no further question
// What SQLite itself allows; a sync checks again.
constexpr DestinationLimits kLimits = {2000, 255, uint64_t{1} << 30};

ConformSettings SettingsOf(const SyncOptions& options, const TableRule& rule) {
  ConformSettings settings;
  settings.rule = rule;
  settings.naming = options.naming;
  settings.limits = kLimits;
  settings.conversion.strip_text_nul = options.strip_text_nul;
  settings.conversion.keeps_nan = kLimits.keeps_nan;
  settings.conversion.keeps_infinity = kLimits.keeps_infinity;
  settings.conversion.max_value_bytes = kLimits.max_value_bytes;
  settings.infer_dates = options.infer_dates;
  return settings;
}

bool Asked(const std::vector<std::string>& tables, const TableSchema& table) {
  return tables.empty() ||
         std::any_of(tables.begin(), tables.end(), [&table](const std::string& pattern) {
           return GlobMatches(pattern, QualifiedName(table)) || GlobMatches(pattern, table.name);
         });
}

// The key as people know it: 7, or ["a",7].
absl::StatusOr<std::string> KeyText(const SourceRows& source, absl::string_view key) {
  std::deque<std::string> texts;
  absl::StatusOr<std::vector<Value>> values = DecodeKey(key, &texts);
  if (!values.ok()) return values.status();
  std::vector<NamedColumn> columns;
  for (const size_t column : source.key()) {
    const TargetColumn& target = source.target().target().columns[column];
    columns.push_back({target.name, true, target.sensitive});
  }
  return RecordId(columns, *values);
}

absl::Status CannotRead(const Engine& engine) {
  return absl::UnimplementedError(absl::StrCat(
      "connector ", engine.description().id, " cannot read rows beside a sync (it does not offer ",
      kReadExtension, "), so there is nothing to compare the destination with"));
}

bool CanRead(const ConnectorDescription& description) {
  return std::find(description.extensions.begin(), description.extensions.end(), kReadExtension) !=
         description.extensions.end();
}

}  // namespace

struct Verifier::Work {
  uint32_t number = 0;
  std::unique_ptr<SourceRows> source;
  std::unique_ptr<StoredImages> stored;
  ComparisonWays ways;
  std::deque<std::string> texts;  // of StoredRow's last result

  absl::StatusOr<TableRepair::StoredRow> StoredRow(absl::string_view key) {
    TableRepair::StoredRow result;
    texts.clear();
    const std::vector<TargetColumn>& columns = source->target().target().columns;
    absl::Status read = stored->ReadKey(key, [&](const RowImage&, absl::Span<const Value> row) {
      for (size_t i = 0; i < row.size(); ++i) {
        if (columns[i].source_name.empty()) continue;
        Value value = row[i];
        if (value.is_text()) {
          value = Value::Text(value.kind, texts.emplace_back(value.view()));
        }
        result.emplace_back(columns[i].source_name, value);
      }
      return absl::OkStatus();
    });
    if (!read.ok()) return read;
    return result;
  }
};

Verifier::Verifier(Engine& engine) : engine_(engine) {}
Verifier::~Verifier() = default;

absl::Status Verifier::Open() {
  works_.clear();
  verdicts_.clear();
  only_stored_.clear();
  reader_ = nullptr;
  if (!CanRead(engine_.description())) return CannotRead(engine_);
  absl::StatusOr<std::unique_ptr<ChangeSource>> source = engine_.OpenSource();
  if (!source.ok()) return source.status();
  source_ = *std::move(source);
  absl::StatusOr<std::vector<TableSchema>> schema = source_->Schema();
  if (!schema.ok()) return schema.status();
  schema_ = *std::move(schema);
  absl::StatusOr<std::unique_ptr<DestinationReader>> reader =
      OpenReader(engine_.connection().destination.path);
  if (!reader.ok()) return reader.status();
  reader_ = *std::move(reader);
  absl::StatusOr<std::vector<StoredTable>> stored = reader_->Tables(engine_.connection().name);
  if (!stored.ok()) return AsLocal(stored.status());
  stored_ = *std::move(stored);
  return absl::OkStatus();
}

absl::Status Verifier::Verify(const VerifyOptions& options,
                              const std::function<void(const std::string&)>& progress) {
  if (absl::Status status = Open(); !status.ok()) return status;
  for (uint32_t i = 0; i < schema_.size(); ++i) {
    const TableRule* rule = RuleOf(engine_.connection().options, schema_[i]);
    if (rule == nullptr || !Asked(options.tables, schema_[i])) continue;
    if (progress) progress(QualifiedName(schema_[i]));
    VerifyTable(i, *rule, options.listed);
  }
  if (options.tables.empty()) FindOnlyStored();
  if (!verdicts_.empty()) return absl::OkStatus();
  return AsUsage(absl::NotFoundError(
      options.tables.empty()
          ? std::string("the connection selects no table of the connector")
          : absl::StrCat("the connection has no table ", options.tables.front())));
}

void Verifier::FindOnlyStored() {
  for (const StoredTable& stored : stored_) {
    const std::string& name = stored.table.source_name;
    if (std::none_of(schema_.begin(), schema_.end(),
                     [&name](const TableSchema& table) { return QualifiedName(table) == name; })) {
      only_stored_.push_back(name);
    }
  }
}

absl::StatusOr<std::unique_ptr<Verifier::Work>> Verifier::OpenTable(uint32_t number,
                                                                    const TableRule& rule) {
  const TableSchema& table = schema_[number];
  if (table.reads == 0) {
    return absl::UnimplementedError(
        "the connector cannot read this table beside a sync; its documentation says what it needs");
  }
  const TargetTable* stored = nullptr;
  for (const StoredTable& standing : stored_) {
    if (standing.table.source_name == QualifiedName(table)) stored = &standing.table;
  }
  auto work = std::make_unique<Work>();
  work->number = number;
  const ConformSettings settings = SettingsOf(engine_.connection().options, rule);
  absl::StatusOr<std::unique_ptr<SourceRows>> source =
      SourceRows::Create(*source_, number, table, settings, stored);
  if (!source.ok()) return source.status();
  work->source = *std::move(source);
  absl::StatusOr<std::unique_ptr<StoredImages>> images =
      StoredImages::Open(stored, *work->source, settings.conversion,
                         [this](const TargetTable& standing, const std::vector<size_t>& key) {
                           return reader_->OpenRows(standing, key);
                         });
  if (!images.ok()) return images.status();
  work->stored = *std::move(images);
  work->ways = WaysToCompare(table, *work->source);
  return work;
}

void Verifier::VerifyTable(uint32_t number, const TableRule& rule, size_t listed) {
  TableVerdict& verdict = verdicts_.emplace_back();
  works_.emplace_back();
  verdict.table = QualifiedName(schema_[number]);
  absl::StatusOr<std::unique_ptr<Work>> work = OpenTable(number, rule);
  if (!work.ok()) {
    verdict.status = work.status();
    return;
  }
  verdict.destination_table = (*work)->source->target().target().name;
  verdict.by_ranges = (*work)->ways.ranges;
  if (!(*work)->ways.ranges && !(*work)->ways.whole.has_value()) {
    verdict.status = absl::UnimplementedError(
        "the connector reads single rows of this table only, and nothing finds the others");
    return;
  }
  absl::StatusOr<TableDifferences> found =
      TableComparison(*(*work)->source, *(*work)->stored, (*work)->ways).Run();
  if (!found.ok()) {
    verdict.status = found.status();
    return;
  }
  verdict.differences = *std::move(found);
  verdict.by_ranges = verdict.differences.ranges > 0;
  verdict.status = ListKeys(**work, &verdict, listed);
  works_.back() = *std::move(work);
}

absl::Status Verifier::ListKeys(Work& work, TableVerdict* verdict, size_t listed) {
  RecordSpool& keys = verdict->differences.keys;
  if (absl::Status status = keys.Rewind(); !status.ok()) return status;
  std::string record;
  while (true) {
    const absl::StatusOr<bool> more = keys.Next(&record);
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    std::vector<std::string>& list = DifferenceOf(record) == Difference::kMissing ? verdict->missing
                                     : DifferenceOf(record) == Difference::kExtra
                                         ? verdict->extra
                                         : verdict->different;
    if (list.size() >= listed) continue;
    absl::StatusOr<std::string> text = KeyText(*work.source, KeyOf(record));
    if (!text.ok()) return text.status();
    list.push_back(*std::move(text));
  }
}

bool Verifier::equal() const {
  return std::all_of(verdicts_.begin(), verdicts_.end(),
                     [](const TableVerdict& verdict) { return verdict.equal(); });
}

bool Verifier::differences_found() const {
  return std::any_of(verdicts_.begin(), verdicts_.end(), [](const TableVerdict& verdict) {
    return verdict.status.ok() && verdict.differences.total() > 0;
  });
}

absl::Status Verifier::first_error() const {
  for (const TableVerdict& verdict : verdicts_) {
    if (!verdict.status.ok()) {
      return WithContext(absl::StrCat("table ", verdict.table), verdict.status);
    }
  }
  return absl::OkStatus();
}

RepairPlan Verifier::Plan() const {
  RepairPlan plan;
  for (const TableVerdict& verdict : verdicts_) {
    if (!verdict.status.ok()) continue;
    const TableDifferences& found = verdict.differences;
    plan.upserts += found.missing + found.different;
    if (found.extra == 0) continue;
    if (found.unreadable.without_key > 0) {
      plan.kept.push_back(
          absl::StrCat(verdict.table, ": ", found.extra, " extra rows stay, because ",
                       found.unreadable.without_key,
                       " records of the source could not be read and the rows may be theirs"));
      continue;
    }
    plan.deletes += found.extra;
    const auto share = static_cast<double>(found.extra) / static_cast<double>(found.stored_rows);
    if (found.extra > kFewRows && share > kMassDeleteShare)
      plan.mass_deletes.push_back(verdict.table);
  }
  return plan;
}

absl::StatusOr<SyncOutcome> Verifier::Repair(
    const std::function<void(const SyncProgress&)>& progress, Interrupt* interrupt) {
  RunRequest request;
  std::vector<TableRepair> repairs;
  for (size_t i = 0; i < verdicts_.size(); ++i) {
    TableVerdict& verdict = verdicts_[i];
    if (!verdict.status.ok() || verdict.differences.total() == 0) continue;
    Work& work = *works_[i];
    TableRepair& repair = repairs.emplace_back();
    repair.number = work.number;
    repair.name = verdict.table;
    repair.keys = &verdict.differences.keys;
    repair.by_keys = work.ways.keys;
    repair.whole = work.ways.whole.value_or(kReadWhole);
    repair.upserts = verdict.differences.missing + verdict.differences.different > 0;
    repair.deletes =
        verdict.differences.extra > 0 && verdict.differences.unreadable.without_key == 0;
    const TargetTable& target = work.source->target().target();
    for (const size_t column : work.source->key()) {
      repair.key_columns.push_back(target.columns[column].source_name);
    }
    if (work.source->target().keyless()) {
      repair.stored_row = [&work](absl::string_view key) -> absl::StatusOr<TableRepair::StoredRow> {
        return work.StoredRow(key);
      };
    }
    request.tables.push_back(verdict.table);
  }
  source_ = nullptr;  // the sync starts its own
  request.repair = [this, &repairs]() -> absl::StatusOr<std::unique_ptr<ChangeSource>> {
    absl::StatusOr<std::unique_ptr<ChangeSource>> inner = engine_.OpenSource();
    if (!inner.ok()) return inner.status();
    return std::make_unique<RepairSource>(*std::move(inner), repairs);
  };
  return engine_.Run(request, progress, interrupt);
}

absl::StatusOr<SampleVerdict> Verifier::Sample(size_t count) {
  if (absl::Status status = Open(); !status.ok()) return status;
  SampleVerdict verdict;
  for (uint32_t i = 0; i < schema_.size(); ++i) {
    const TableRule* rule = RuleOf(engine_.connection().options, schema_[i]);
    const std::string name = QualifiedName(schema_[i]);
    const bool stored = std::any_of(
        stored_.begin(), stored_.end(),
        [&name](const StoredTable& standing) { return standing.table.source_name == name; });
    if (rule == nullptr || !stored) continue;
    absl::StatusOr<std::unique_ptr<Work>> work = OpenTable(i, *rule);
    if (!work.ok() && !absl::IsUnimplemented(work.status())) return work.status();
    if (!work.ok() || !(*work)->ways.keys) {
      verdict.skipped.push_back(absl::StrCat(name, ": its rows cannot be read by key"));
      continue;
    }
    absl::Status sampled = SampleTable(**work, name, count, &verdict);
    if (!sampled.ok()) return WithContext(absl::StrCat("table ", name), sampled);
  }
  return verdict;
}

absl::Status Verifier::SampleTable(Work& work, const std::string& name, size_t count,
                                   SampleVerdict* verdict) {
  constexpr size_t kListed = 20;
  struct Sampled {
    RowImage image;
    bool deleted;
  };
  std::vector<Sampled> rows;
  absl::Status read = work.stored->ReadNewest(static_cast<int64_t>(std::min(count, kMaxReadKeys)),
                                              [&rows](RowImage image, bool deleted) {
                                                rows.push_back({std::move(image), deleted});
                                                return absl::OkStatus();
                                              });
  if (!read.ok() || rows.empty()) return read;
  ReadStart start;
  start.mode = kReadKeys;
  std::deque<std::deque<std::string>> texts;
  for (const Sampled& row : rows) {
    absl::StatusOr<std::vector<Value>> key = DecodeKey(row.image.key, &texts.emplace_back());
    if (!key.ok()) return key.status();
    start.keys.insert(start.keys.end(), key->begin(), key->end());
    ++start.key_count;
  }
  std::map<std::string, RowImage> at_source;
  read = work.source->Read(start, [&at_source](RowImage row) {
    std::string key = row.key;
    at_source.insert_or_assign(std::move(key), std::move(row));
    return absl::OkStatus();
  });
  if (!read.ok()) return read;
  for (const Sampled& row : rows) {
    ++verdict->sampled;
    const auto source = at_source.find(row.image.key);
    const bool there = source != at_source.end();
    uint64_t* count_of = &verdict->equal;
    if (row.deleted) {
      if (there) count_of = &verdict->back;
    } else if (!there) {
      count_of = &verdict->gone;
    } else if (!SameContent(source->second, row.image)) {
      count_of = &verdict->changed;
    }
    ++*count_of;
    if (count_of == &verdict->equal || verdict->unlike.size() >= kListed) continue;
    absl::StatusOr<std::string> text = KeyText(*work.source, row.image.key);
    if (!text.ok()) return text.status();
    verdict->unlike.push_back(absl::StrCat(name, ": ", *text));
  }
  return absl::OkStatus();
}

absl::StatusOr<SampleVerdict> VerifySample(Engine& engine, size_t count) {
  return Verifier(engine).Sample(count);
}

}  // namespace tidemark
