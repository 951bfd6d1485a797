#include "sqlite/change_capture.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tidemark::sqlite {
namespace {

// SQLite functions take 127 arguments ("Limits In SQLite", section 6).
constexpr size_t kColumnsPerObject = 60;
constexpr int kSlice = 10'000;  // rows removed in one transaction

constexpr char kTables[] = R"(
CREATE TABLE IF NOT EXISTS main._tidemark_changes(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  ts TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  tbl TEXT NOT NULL, op TEXT NOT NULL, pk TEXT NOT NULL, old TEXT, new TEXT);
CREATE INDEX IF NOT EXISTS main._tidemark_changes_tbl ON _tidemark_changes(tbl);
CREATE TABLE IF NOT EXISTS main._tidemark_capture(
  tbl TEXT PRIMARY KEY NOT NULL, id TEXT NOT NULL, pruned INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS main._tidemark_consumers(
  consumer TEXT NOT NULL, tbl TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (consumer, tbl));
CREATE TRIGGER IF NOT EXISTS main._tidemark_pruned AFTER DELETE ON _tidemark_changes BEGIN
  UPDATE _tidemark_capture SET pruned = max(pruned, OLD.seq) WHERE tbl = OLD.tbl; END;
)";

// A value that JSON has no kind for, as an object that says its kind.
std::string CellJson(const std::string& value) {
  return absl::StrCat("CASE typeof(", value, ") WHEN 'blob' THEN json_object('$b', hex(", value,
                      ")) WHEN 'real' THEN json_object('$r', printf('%!.17g', ", value, ")) ELSE ",
                      value, " END");
}

absl::StatusOr<bool> HasTable(Database& database, absl::string_view name) {
  absl::StatusOr<int64_t> count =
      database.Number("SELECT count(*) FROM main.sqlite_schema WHERE type = 'table' AND name = ?1",
                      {Cell::Text(name)});
  if (!count.ok()) return count.status();
  return *count > 0;
}

}  // namespace

ChangeCapture::ChangeCapture(const TableDefinition* table, std::string consumer)
    : table_(*table), consumer_(std::move(consumer)) {}

std::string ChangeCapture::RowJson(absl::string_view prefix) const {
  std::vector<std::string> objects;
  for (size_t i = 0; i < table_.columns.size(); i += kColumnsPerObject) {
    std::vector<std::string> members;
    for (size_t j = i; j < std::min(i + kColumnsPerObject, table_.columns.size()); ++j) {
      const std::string& name = table_.columns[j].name;
      members.push_back(
          absl::StrCat(Literal(name), ", ", CellJson(absl::StrCat(prefix, Quoted(name)))));
    }
    objects.push_back(absl::StrCat("json_object(", absl::StrJoin(members, ", "), ")"));
  }
  if (objects.size() == 1) return objects[0];
  return absl::StrCat("json_array(", absl::StrJoin(objects, ", "), ")");
}

std::string ChangeCapture::KeyJson(absl::string_view prefix) const {
  std::vector<std::string> members;
  members.reserve(table_.key.size());
  for (const size_t column : table_.key) {
    members.push_back(CellJson(absl::StrCat(prefix, Quoted(table_.columns[column].name))));
  }
  return absl::StrCat("json_array(", absl::StrJoin(members, ", "), ")");
}

// For each unique index: which rows of the table, with another key, a NEW row may replace. Of the
// key's own index that can only be rows whose key is equal by its collation alone.
absl::StatusOr<std::vector<std::string>> ChangeCapture::ConflictConditions(
    Database& database) const {
  auto indexes = database.Prepare(
      "SELECT i.name, x.name, x.coll FROM pragma_index_list(?1) i, pragma_index_xinfo(i.name) x "
      "WHERE i.\"unique\" AND x.key AND (i.origin <> 'pk' OR EXISTS (SELECT 1 FROM "
      "pragma_index_xinfo(i.name) y WHERE y.key AND y.coll <> 'BINARY')) ORDER BY i.name, x.seqno");
  if (!indexes.ok()) return indexes.status();
  indexes->Bind(1, table_.name);
  std::vector<std::string> conditions;
  std::string index;
  bool usable = false;
  for (;;) {
    auto row = indexes->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    if (indexes->Text(0) != index) {
      index = std::string(indexes->Text(0));
      conditions.emplace_back();
      usable = true;
    }
    if (indexes->IsNull(1)) usable = false;  // An expression: README.md names this gap.
    if (!usable) {
      conditions.back().clear();
      continue;
    }
    const std::string column = Quoted(indexes->Text(1));
    absl::StrAppend(&conditions.back(), conditions.back().empty() ? "" : " AND ", "t.", column,
                    " = NEW.", column, " COLLATE ", Quoted(indexes->Text(2)));
  }
  conditions.erase(std::remove(conditions.begin(), conditions.end(), ""), conditions.end());
  return conditions;
}

absl::StatusOr<std::vector<std::string>> ChangeCapture::TriggersFor(Database& database) const {
  absl::StatusOr<std::vector<std::string>> conflicts = ConflictConditions(database);
  if (!conflicts.ok()) return conflicts.status();
  const std::string table = Quoted(table_.name);
  const auto trigger = [&](absl::string_view letter, absl::string_view event,
                           absl::string_view body) {
    return absl::StrCat("CREATE TRIGGER ",
                        Quoted(absl::StrCat("_tidemark_", letter, "_", table_.name)), " ", event,
                        " ON ", table, " BEGIN ", body, " END");
  };
  const auto insert = [&](absl::string_view op, absl::string_view pk, absl::string_view old_row,
                          absl::string_view new_row) {
    return absl::StrCat("INSERT INTO _tidemark_changes(tbl, op, pk, old, new) VALUES (",
                        Literal(table_.name), ", '", op, "', ", pk, ", ", old_row, ", ", new_row,
                        ");");
  };
  const std::string old_row = keeps_old() ? RowJson("OLD.") : "NULL";
  std::vector<std::string> sql = {
      trigger("c", "AFTER INSERT", insert("c", KeyJson("NEW."), "NULL", RowJson("NEW."))),
      trigger("u", "AFTER UPDATE", insert("u", KeyJson("OLD."), old_row, RowJson("NEW."))),
      trigger("d", "AFTER DELETE", insert("d", KeyJson("OLD."), old_row, "NULL"))};
  // An updated row does not stand in its own way.
  const std::string not_old =
      table_.key.empty() ? absl::StrCat("t.", table_.row_order[0], " <> OLD.", table_.row_order[0])
                         : absl::StrCat(KeyJson("t."), " <> ", KeyJson("OLD."));
  std::string on_insert, on_update;
  for (const std::string& condition : *conflicts) {
    const std::string maybe = absl::StrCat(
        "INSERT INTO _tidemark_changes(tbl, op, pk, old) SELECT ", Literal(table_.name), ", 'm', ",
        KeyJson("t."), ", ", keeps_old() ? RowJson("t.") : "NULL", " FROM ", table, " AS t WHERE ",
        condition,
        table_.key.empty() ? "" : absl::StrCat(" AND ", KeyJson("t."), " <> ", KeyJson("NEW.")));
    absl::StrAppend(&on_insert, maybe, ";");
    absl::StrAppend(&on_update, maybe, " AND ", not_old, ";");
  }
  if (!conflicts->empty()) {
    sql.push_back(trigger("m", "BEFORE INSERT", on_insert));
    sql.push_back(trigger("n", "BEFORE UPDATE", on_update));
  }
  return sql;
}

absl::StatusOr<ChangeCapture::Place> ChangeCapture::Look(Database& database) const {
  Place place;
  for (const char* name : {"_tidemark_changes", "_tidemark_capture", "_tidemark_consumers"}) {
    absl::StatusOr<bool> has = HasTable(database, name);
    if (!has.ok()) return has.status();
    if (!*has) return place;
  }
  auto capture = database.Prepare("SELECT id, pruned FROM main._tidemark_capture WHERE tbl = ?1");
  if (!capture.ok()) return capture.status();
  capture->Bind(1, table_.name);
  auto row = capture->Step();
  if (!row.ok()) return row.status();
  if (*row) {
    place.id = std::string(capture->Text(0));
    place.pruned = capture->Int(1);
  }
  absl::StatusOr<int64_t> last =
      database.Number("SELECT seq FROM main.sqlite_sequence WHERE name = '_tidemark_changes'");
  if (!last.ok()) return last.status();
  place.last = *last;

  absl::StatusOr<std::vector<std::string>> expected = TriggersFor(database);
  if (!expected.ok()) return expected.status();
  auto triggers = database.Prepare(
      "SELECT sql FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE "
      "AND name LIKE '\\_tidemark\\_%' ESCAPE '\\'");
  if (!triggers.ok()) return triggers.status();
  triggers->Bind(1, table_.name);
  size_t found = 0;
  bool other = false;
  for (;;) {
    auto next = triggers->Step();
    if (!next.ok()) return next.status();
    if (!*next) break;
    const bool known = std::count(expected->begin(), expected->end(), triggers->Text(0)) > 0;
    found += known ? 1 : 0;
    other = other || !known;
  }
  absl::StatusOr<int64_t> consumers = database.Number(
      "SELECT count(*) FROM main._tidemark_consumers WHERE consumer = ?1 AND tbl = ?2",
      {Cell::Text(consumer_), Cell::Text(table_.name)});
  if (!consumers.ok()) return consumers.status();
  const bool as_expected = found == expected->size() && !other && !place.id.empty();
  if (!as_expected) place.id.clear();
  place.installed = as_expected && *consumers > 0;
  return place;
}

absl::Status ChangeCapture::Install(Database& writer, int64_t seen) const {
  absl::StatusOr<Transaction> transaction = Transaction::Write(writer);
  if (!transaction.ok()) return transaction.status();
  absl::StatusOr<Place> place = Look(writer);
  if (!place.ok()) return place.status();
  if (place->id.empty()) {
    if (absl::Status s = writer.Execute(kTables); !s.ok()) return s;
    auto stale = writer.Prepare(
        "SELECT name FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE "
        "NOCASE AND name LIKE '\\_tidemark\\_%' ESCAPE '\\'");
    if (!stale.ok()) return stale.status();
    stale->Bind(1, table_.name);
    std::string sql;
    for (;;) {
      auto row = stale->Step();
      if (!row.ok()) return row.status();
      if (!*row) break;
      absl::StrAppend(&sql, "DROP TRIGGER main.", Quoted(stale->Text(0)), ";");
    }
    stale->Reset();
    absl::StatusOr<std::vector<std::string>> triggers = TriggersFor(writer);
    if (!triggers.ok()) return triggers.status();
    for (const std::string& trigger : *triggers) absl::StrAppend(&sql, trigger, ";");
    absl::StrAppend(&sql, "INSERT INTO main._tidemark_capture(tbl, id) VALUES (",
                    Literal(table_.name),
                    ", lower(hex(randomblob(16)))) ON CONFLICT (tbl) DO UPDATE SET id = "
                    "excluded.id, pruned = 0;"
                    // What they know is of the triggers before: they read all rows again.
                    "DELETE FROM main._tidemark_consumers WHERE tbl = ",
                    Literal(table_.name), ";");
    if (absl::Status s = writer.Execute(sql); !s.ok()) return s;
  }
  auto consumer = writer.Prepare(
      "INSERT INTO main._tidemark_consumers(consumer, tbl, seq) VALUES (?1, ?2, ?3) "
      "ON CONFLICT DO NOTHING");
  if (!consumer.ok()) return consumer.status();
  consumer->Bind(1, consumer_).Bind(2, table_.name).Bind(3, seen);
  if (absl::Status s = consumer->Finish(); !s.ok()) return s;
  return transaction->Commit();
}

absl::Status ChangeCapture::Release(Database& writer, int64_t seq) const {
  for (bool more = true; more;) {
    absl::StatusOr<Transaction> transaction = Transaction::Write(writer);
    if (!transaction.ok()) return transaction.status();
    auto consumer = writer.Prepare(
        "UPDATE main._tidemark_consumers SET seq = max(seq, ?3) WHERE consumer = ?1 AND tbl = ?2");
    if (!consumer.ok()) return consumer.status();
    consumer->Bind(1, consumer_).Bind(2, table_.name).Bind(3, seq);
    if (absl::Status s = consumer->Finish(); !s.ok()) return s;
    // Invariant I2: what any consumer may come back to stays.
    auto slice = writer.Prepare(
        "DELETE FROM main._tidemark_changes WHERE seq IN (SELECT seq FROM main._tidemark_changes "
        "WHERE tbl = ?1 AND seq < (SELECT min(seq) FROM main._tidemark_consumers WHERE tbl = ?1) "
        "ORDER BY seq LIMIT ?2)");
    if (!slice.ok()) return slice.status();
    slice->Bind(1, table_.name).Bind(2, kSlice);
    if (absl::Status s = slice->Finish(); !s.ok()) return s;
    more = sqlite3_changes(writer.handle()) == kSlice;
    if (absl::Status s = transaction->Commit(); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace tidemark::sqlite
