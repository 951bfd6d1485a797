#include "control/dead_letters.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "control/change_text.h"
#include "control/exit_code.h"
#include "control/letter_source.h"
#include "pipeline/table_rules.h"

namespace tidemark {
namespace {

constexpr int64_t kAllLetters = std::numeric_limits<int64_t>::max();

std::vector<std::string> KeyColumns(const std::vector<StoredTable>& tables,
                                    const std::string& table) {
  std::vector<std::string> keys;
  for (const StoredTable& stored : tables) {
    if (stored.table.source_name != table) continue;
    for (const TargetColumn& column : stored.table.columns) {
      if (column.key && !column.source_name.empty()) keys.push_back(column.source_name);
    }
  }
  return keys;
}

// The source's table as the destination remembers it.
TableSchema SchemaOf(const StoredTable& stored) {
  TableSchema table;
  const std::string& name = stored.table.source_name;
  const size_t dot = name.find('.');
  if (dot != std::string::npos) table.schema = name.substr(0, dot);
  table.name = dot == std::string::npos ? name : name.substr(dot + 1);
  for (size_t i = 0; i < stored.table.columns.size(); ++i) {
    const TargetColumn& target = stored.table.columns[i];
    if (target.source_name.empty()) continue;  // of the engine
    Column& column = table.columns.emplace_back();
    column.name = target.source_name;
    column.type = target.type;
    column.key = target.key;
    column.sensitive = target.sensitive;
    column.cursor = stored.table.stale_guard == i;
  }
  return table;
}

// Columns that the destination has not met yet: their types follow from the values.
void AddColumns(const std::vector<ChangeField>& fields, TableSchema* table) {
  for (const ChangeField& field : fields) {
    const bool known =
        std::any_of(table->columns.begin(), table->columns.end(),
                    [&field](const Column& column) { return column.name == field.column; });
    if (!known) table->columns.emplace_back().name = field.column;
  }
}

class Boxing {
 public:
  Boxing(Engine& engine, std::vector<StoredTable> stored)
      : engine_(engine), stored_(std::move(stored)) {
    box_.description = engine.description();
  }

  // INVALID_ARGUMENT, NOT_FOUND: why this letter cannot be replayed.
  absl::Status Add(const StoredDeadLetter& stored) {
    if (stored.letter.change_json.empty()) {
      return absl::InvalidArgumentError(
          "it holds no change, only what the connector said; `tidemark dead-letters edit` puts one "
          "in");
    }
    absl::StatusOr<ChangeText> change = ParseChangeText(stored.letter.change_json);
    if (!change.ok()) return change.status();
    absl::StatusOr<uint32_t> table = TableOf(stored.letter.table);
    if (!table.ok()) return table.status();
    TableSchema grown = box_.tables[*table];
    AddColumns(change->values, &grown);
    AddColumns(change->before, &grown);
    if (absl::Status whole = ChangeToBatch(*change, grown).status(); !whole.ok()) return whole;
    box_.tables[*table] = std::move(grown);
    box_.letters.push_back({stored, *table, *std::move(change)});
    return absl::OkStatus();
  }

  LetterBox* box() { return &box_; }

 private:
  absl::StatusOr<uint32_t> TableOf(const std::string& name) {
    for (uint32_t i = 0; i < box_.tables.size(); ++i) {
      if (QualifiedName(box_.tables[i]) == name) return i;
    }
    std::optional<TableSchema> found;
    for (const TableSchema& table : FromSource()) {
      if (QualifiedName(table) == name) found = table;
    }
    for (const StoredTable& stored : stored_) {
      if (stored.table.source_name != name) continue;
      TableSchema known = SchemaOf(stored);
      if (!found.has_value()) found.emplace(TableSchema{known.schema, known.name, {}});
      for (Column& column : known.columns) {
        const bool declared =
            std::any_of(found->columns.begin(), found->columns.end(),
                        [&column](const Column& other) { return other.name == column.name; });
        if (!declared) found->columns.push_back(std::move(column));
      }
    }
    if (!found.has_value()) {
      return absl::NotFoundError(
          absl::StrCat("its table \"", name, "\" is neither at the destination nor at the source"));
    }
    if (RuleOf(engine_.connection().options, *found) == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("its table ", name, " is not one of sync.source.tables any more"));
    }
    box_.tables.push_back(*std::move(found));
    return static_cast<uint32_t>(box_.tables.size() - 1);
  }

  // What the source declares today. One that cannot be asked does not matter: the destination
  // remembers what it declared.
  const std::vector<TableSchema>& FromSource() {
    if (!asked_.has_value()) {
      absl::StatusOr<std::vector<TableSchema>> tables = engine_.Schema();
      asked_ = tables.ok() ? *std::move(tables) : std::vector<TableSchema>();
    }
    return *asked_;
  }

  Engine& engine_;
  const std::vector<StoredTable> stored_;
  std::optional<std::vector<TableSchema>> asked_;
  LetterBox box_;
};

// The letters that were asked for, oldest first.
absl::StatusOr<std::vector<StoredDeadLetter>> Chosen(DestinationReader& reader,
                                                     const std::string& connection,
                                                     absl::Span<const int64_t> ids) {
  std::vector<StoredDeadLetter> letters;
  if (ids.empty()) {
    auto all = reader.DeadLetters(connection, kAllLetters);
    if (!all.ok()) return all.status();
    for (StoredDeadLetter& letter : *all) {
      if (letter.status == "new") letters.push_back(std::move(letter));
    }
    if (letters.empty()) {
      return absl::NotFoundError(
          absl::StrCat("connection \"", connection, "\" has no dead letter that waits"));
    }
  }
  for (const int64_t id : ids) {
    auto letter = reader.DeadLetterById(id);
    if (!letter.ok()) return letter.status();
    if (letter->connection != connection) {
      return absl::NotFoundError(
          absl::StrCat("dead letter ", id, " is of connection \"", letter->connection, "\""));
    }
    letters.push_back(*std::move(letter));
  }
  std::sort(letters.begin(), letters.end(),
            [](const StoredDeadLetter& a, const StoredDeadLetter& b) { return a.id < b.id; });
  letters.erase(std::unique(letters.begin(), letters.end(),
                            [](const StoredDeadLetter& a, const StoredDeadLetter& b) {
                              return a.id == b.id;
                            }),
                letters.end());
  return letters;
}

}  // namespace

absl::Status EditLetter(DestinationReader& reader, int64_t id, absl::string_view change) {
  absl::StatusOr<StoredDeadLetter> stored = reader.DeadLetterById(id);
  if (!stored.ok()) return AsLocal(stored.status());
  absl::StatusOr<ChangeText> parsed = ParseChangeText(change);
  if (!parsed.ok()) return AsUsage(parsed.status());
  absl::StatusOr<std::vector<StoredTable>> tables = reader.Tables(stored->connection);
  if (!tables.ok()) return AsLocal(tables.status());
  const std::vector<std::string> keys = KeyColumns(*tables, stored->letter.table);
  const std::string key = keys.empty() ? stored->letter.key_json : KeyOf(*parsed, keys);
  return AsLocal(reader.EditDeadLetter(id, key, std::string(absl::StripAsciiWhitespace(change))));
}

absl::StatusOr<ReplayedLetters> ReplayLetters(
    Engine& engine, absl::Span<const int64_t> ids,
    const std::function<void(const SyncProgress&)>& progress, Interrupt* interrupt) {
  const Connection& connection = engine.connection();
  auto reader = OpenReader(connection.destination.path);
  if (!reader.ok()) return reader.status();
  auto letters = Chosen(**reader, connection.name, ids);
  if (!letters.ok()) return AsLocal(letters.status());
  auto tables = (*reader)->Tables(connection.name);
  if (!tables.ok()) return AsLocal(tables.status());
  ReplayedLetters result;
  Boxing boxing(engine, *std::move(tables));
  for (const StoredDeadLetter& letter : *letters) {
    absl::Status added = boxing.Add(letter);
    if (!added.ok()) result.refused.push_back({letter.id, std::string(added.message())});
  }
  LetterBox& box = *boxing.box();
  if (box.letters.empty()) {
    return AsLocal(absl::FailedPreconditionError(
        absl::StrCat("dead letter ", result.refused.front().id,
                     " cannot be replayed: ", result.refused.front().reason)));
  }
  RunRequest request;
  request.replay = &box;
  auto outcome = engine.Run(request, progress, interrupt);
  if (!outcome.ok()) return outcome.status();
  result.outcome = *std::move(outcome);
  // What a sync that did not reach its end made durable stays new: once more changes nothing.
  if (result.outcome.commits == 0 || result.outcome.interrupted || !result.outcome.error.ok()) {
    return result;
  }
  for (const Letter& letter : box.letters) {
    const int64_t id = letter.stored.id;
    if (box.failed.count(id) != 0) {
      result.failed.push_back(id);
      continue;
    }
    // A replay that dies before this marks nothing; the next one changes nothing (Invariant I4).
    if (absl::Status s = (*reader)->MarkDeadLetter(id, "replayed"); !s.ok()) return AsLocal(s);
    result.replayed.push_back(id);
  }
  return result;
}

}  // namespace tidemark
