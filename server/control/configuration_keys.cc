#include "control/configuration_keys.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace tidemark {
namespace {

constexpr KeyType kSection = KeyType::kSection;
constexpr KeyType kText = KeyType::kText;
constexpr KeyType kInteger = KeyType::kInteger;
constexpr KeyType kNumber = KeyType::kNumber;
constexpr KeyType kBoolean = KeyType::kBoolean;
constexpr KeyType kDuration = KeyType::kDuration;

#define TIDEMARK_STRATEGIES \
  "last_write_wins|first_write_wins|source_wins|destination_wins|min|max|custom|manual_review"

// path, type, choices, not built, default, meaning, example[, minimum, maximum]
constexpr ConfigurationKey kKeys[] = {
    {"version", kInteger, "", "", "1", "The version of this file's format.", "1", 1, 1},
    {"name", kText, "", "", "the file's name",
     "The connection's name: letters, digits, \"_\", \"-\" and \".\". It names the state in the "
     "destination, so a renamed connection starts from the beginning.",
     "orders"},
    {"priority", kInteger, "", "", "0",
     "Larger is started first when more connections wait than a server runs at once.", "10", 0,
     1000},

    {"sync", kSection, "", "", "", "What is read, and where it goes.", ""},
    {"sync.source", kSection, "", "", "", "Where rows come from.", ""},
    {"sync.sources", KeyType::kAny, "", "*", "",
     "Several sources that feed the same tables, each under its own name.", "{a: {}}"},
    {"sync.source.name", kText, "", "", "the connector's name", "The source's name in reports.",
     "crm"},
    {"sync.source.type", kText, "database|api|file", "", "",
     "Picks the connector by the connection string when `connector` is not given: api is rest, "
     "database with sqlite:PATH or a path is sqlite, file is files.",
     "api"},
    {"sync.source.connector", kText, "", "", "by sync.source.type",
     "A plugin's id, the path of its .so file, the address of a running connector "
     "(grpc://HOST:PORT or unix:PATH), or ingest: programs push rows through a server.",
     "hello"},
    {"sync.source.connection", kText, "", "", "",
     "The connection string. The connector's option `connection`, or `base_url` for rest. Treated "
     "as a secret.",
     "http://127.0.0.1:5001"},
    {"sync.source.config", KeyType::kAny, "", "", "",
     "The options that the connector declares: `tidemark plugins show ID`.", "{limit: 3}"},
    {"sync.source.tables", KeyType::kTables, "", "", "every table",
     "The tables to read: names, globs (\"order*\"), or maps from a name to its settings. The "
     "first that matches counts.",
     "[user]"},
    {"sync.source.tables.*.primary_key", KeyType::kTextList, "", "", "the connector's",
     "The columns that identify a row, instead of those the connector declares.", "[id]"},
    {"sync.source.tables.*.write_mode", kText, "merge|append|history|overwrite",
     "append|history|overwrite", "merge", "How rows are written.", "append"},
    {"sync.source.tables.*.deletes", kText, "soft|hard", "", "sync.destination.deletes",
     "soft marks deleted rows in _tidemark_deleted, hard removes them.", "hard"},
    {"sync.source.tables.*.on_error", kText, "continue|stop", "", "sync.on_error",
     "What a row that cannot be written does: continue makes it a dead letter, stop ends its "
     "table at the last commit.",
     "stop"},
    {"sync.source.tables.*.schema_policy", kText, "evolve|freeze|quarantine", "freeze|quarantine",
     "sync.schema_policy", "What an incompatible change of the schema does.", "freeze"},
    {"sync.source.tables.*.existing", kText, "refuse|adopt|replace", "adopt|replace", "refuse",
     "What to do with a table of this name that Tidemark did not make.", "adopt"},
    {"sync.source.tables.*.update_missing", kText, "ignore|pending", "pending", "ignore",
     "What an update of a row that is not there does: ignore counts it as missing.", "pending"},
    {"sync.source.tables.*.stale_guard", kText, "auto|off", "", "auto",
     "auto does not apply a row whose cursor value is older than the stored one; off admits "
     "back-dated rows.",
     "off"},
    {"sync.source.tables.*.priority", kInteger, "", "*", "0", "Larger is read first.", "10"},
    {"sync.source.tables.*.full_every", kText, "", "*", "",
     "How often the table is read as a whole (\"week on sunday\").", "week on sunday"},
    {"sync.source.tables.*.parent", KeyType::kAny, "", "*", "",
     "The table whose deletes reach this one: {table, on, on_delete}.", "{table: a}"},
    {"sync.source.tables.*.columns", kSection, "", "", "", "Settings of columns.", ""},
    {"sync.source.tables.*.columns.exclude", KeyType::kTextList, "", "", "",
     "Columns that are not written.", "[ssn]"},
    {"sync.source.tables.*.columns.rename", KeyType::kTextMap, "", "", "",
     "Column of the source -> its name at the destination.", "{a: b}"},
    {"sync.source.tables.*.columns.type", KeyType::kTextMap, "", "", "",
     "Column of the source -> type: BOOLEAN, SHORT, INT, LONG, DECIMAL(p,s), FLOAT, DOUBLE, "
     "NAIVE_DATE, NAIVE_TIME, NAIVE_DATETIME, UTC_DATETIME, BINARY, XML, STRING or JSON.",
     "{a: \"DECIMAL(12,2)\"}"},

    {"sync.destination", kSection, "", "", "", "Where rows go.", ""},
    {"sync.destination.name", kText, "", "", "the destination's type",
     "The destination's name in reports.", "warehouse"},
    {"sync.destination.type", kText, "sqlite|database|data_warehouse|api|postgres",
     "data_warehouse|api|postgres", "by the connection",
     "The kind of destination; database picks by the connection string.", "sqlite"},
    {"sync.destination.connection", kText, "", "", "",
     "sqlite: the path of the database file, taken from this file's folder.", "other.db"},
    {"sync.destination.schema", kText, "", "", "main", "The schema to write to; sqlite: main.",
     "main"},
    {"sync.destination.deletes", kText, "soft|hard", "", "soft",
     "soft marks deleted rows in _tidemark_deleted, hard removes them.", "hard"},

    {"sync.cdc_method", kText, "auto|full|timestamp|version|changelog|trigger|polling|hybrid",
     "changelog|hybrid", "auto",
     "How changes are found. auto leaves it to the connector; full reads everything in every "
     "sync.",
     "full"},
    {"sync.frequency", kText, "", "", "manual",
     "When a server syncs by itself: realtime, hourly, daily, weekly, manual, \"every 5 minutes\" "
     "or a cron expression (\"30 6 * * mon-fri\"). `tidemark run` does one sync and says so.",
     "hourly"},
    {"sync.timezone", kText, "", "", "UTC",
     "The zone of hourly, daily, weekly and cron. A time that summer time skips runs at the end of "
     "the gap, one that it repeats runs once.",
     "Europe/Berlin"},
    {"sync.jitter", kDuration, "", "", "0 s",
     "Moves each start by a part of this, always the same one for a connection, so that many do "
     "not start in the same second. At most 24 hours.",
     "5 minutes"},
    {"sync.batch_size", kInteger, "", "", "1000",
     "Rows asked of the connector per page and checkpoint; not a limit of a transaction.", "500", 1,
     65536},
    {"sync.max_parallel_tables", kInteger, "", "", "1",
     "How many tables may be read at once. There is one lane: more is accepted with a notice.", "5",
     1, 1024},
    {"sync.priority", KeyType::kIntegerMap, "", "*", "", "Table -> number; larger is read first.",
     "{user: 10}"},
    {"sync.isolation", kText, "process|in_process", "", "process",
     "Where the plugin runs: in a process of its own, or (trusted plugins) in this one.",
     "in_process"},
    {"sync.sandbox", kText, "full|off", "", "full",
     "What a plugin's process may do. full: only the network and the files that the plugin says it "
     "needs, no other programs. off: whatever Tidemark itself may, with its environment.",
     "off"},
    {"sync.sandbox_paths", KeyType::kTextList, "", "", "",
     "Further files and folders that the plugin may read, taken from this file's folder.",
     "[/opt/lib]"},
    {"sync.sandbox_write_paths", KeyType::kTextList, "", "", "",
     "Further files and folders that the plugin may write, taken from this file's folder.",
     "[cache]"},
    {"sync.on_error", kText, "continue|stop", "", "continue",
     "What a row that cannot be written does: continue makes it a dead letter, stop ends its "
     "table at the last commit.",
     "stop"},
    {"sync.schema_policy", kText, "evolve|freeze|quarantine", "freeze|quarantine", "evolve",
     "What an incompatible change of the schema does.", "freeze"},
    {"sync.naming", kText, "source|snake_case|fivetran", "fivetran", "source",
     "Names at the destination: as the source gives them, or in snake case.", "snake_case"},
    {"sync.max_dead_letters", kInteger, "", "", "1000",
     "A sync with more dead letters than this stops.", "10", 0, 1e12},
    {"sync.stall_timeout", kDuration, "", "", "30 minutes",
     "A connector that says nothing for so long is stopped.", "5 minutes"},
    {"sync.plugin_memory", KeyType::kBytes, "", "", "1 GiB",
     "Resident memory that the plugin's process may use.", "256 MiB"},
    {"sync.max_rows_per_second", kInteger, "", "", "no limit",
     "Changes that the connection takes per second, in the mean; the connector or the program that "
     "pushes is held back. Producers share it. What a second allows may come at once.",
     "5000", 1, 1e12},
    {"sync.max_bytes_per_second", KeyType::kBytes, "", "", "no limit",
     "The same by the size of changes, as they are encoded in messages.", "10 MiB"},
    {"sync.text_nul", kText, "refuse|strip", "", "refuse",
     "What text with U+0000 in it does: the row is refused, or the character goes.", "strip"},
    {"sync.infer", kSection, "", "", "", "How types of undeclared columns are found.", ""},
    {"sync.infer.dates", kBoolean, "", "", "false",
     "Whether text of an undeclared column that looks like a date becomes one.", "true"},

    {"cdc", kSection, "", "", "",
     "Settings of the methods. Only those of the chosen sync.cdc_method are used.", ""},
    {"cdc.timestamp", kSection, "", "", "", "cdc_method timestamp.", ""},
    {"cdc.timestamp.updated_at_field", kText, "", "", "",
     "The column that says when a row last changed.", "updated_at"},
    {"cdc.timestamp.created_at_field", kText, "", "", "",
     "The column used where the updated_at_field is NULL.", "created_at"},
    {"cdc.timestamp.timezone", kText, "", "", "UTC", "The zone of times without an offset.",
     "Europe/Berlin"},
    {"cdc.timestamp.tolerance_window", kDuration, "", "", "",
     "How far before the last seen time each sync reads again, for rows that arrive late.",
     "5 minutes"},
    {"cdc.timestamp.buffer_hours", kNumber, "", "", "",
     "The same as tolerance_window: \"N hours\".", "2", 0, 1e6},
    {"cdc.timestamp.fold", kText, "earlier|later", "", "earlier",
     "Which of two equal local times at the end of summer time is meant.", "later"},
    {"cdc.timestamp.compare", kText, "auto|>=|>", "", "auto",
     "Whether rows with exactly the last seen time are read again; auto: by the precision.", ">"},
    {"cdc.timestamp.settle", kDuration, "", "", "",
     "How long a row must have been there before it is read.", "10 seconds"},
    {"cdc.timestamp.start", kText, "", "", "", "Where the first sync starts; default: everything.",
     "2024-01-01"},
    {"cdc.version", kSection, "", "", "", "cdc_method version.", ""},
    {"cdc.version.version_field", kText, "", "", "", "The column that grows with every change.",
     "version"},
    {"cdc.version.sequence_field", kText, "", "", "", "The column that orders equal versions.",
     "sequence_id"},
    {"cdc.changelog", kSection, "", "", "", "cdc_method changelog.", ""},
    {"cdc.changelog.type", kText, "mysql_binlog|postgres_wal|mongo_oplog", "", "",
     "Which log; must agree with the connector.", "postgres_wal"},
    {"cdc.changelog.position", kText, "", "", "last_processed_position",
     "last_processed_position, earliest, latest, or a position of that log.", "earliest"},
    {"cdc.polling", kSection, "", "", "", "cdc_method polling.", ""},
    {"cdc.polling.interval", kDuration, "", "", "1 minute", "The time between two polls.",
     "5 minutes"},
    {"cdc.polling.query", kText, "", "", "full compare",
     "One read-only statement with :last_sync, :now and :batch_size.",
     "SELECT * FROM table WHERE updated_at > :last_sync"},
    {"cdc.hybrid", kSection, "", "", "", "cdc_method hybrid.", ""},
    {"cdc.hybrid.methods", KeyType::kTextList, "", "", "", "The methods, in order.",
     "[changelog, polling]"},
    {"cdc.hybrid.on_gap", kText, "stop|resnapshot|polling", "", "stop",
     "What a gap in the log does.", "polling"},

    {"conflict_resolution", kSection, "", "", "",
     "Which source wins where several feed one table. With one source nothing of it is used.", ""},
    {"conflict_resolution.default_strategy", kText, TIDEMARK_STRATEGIES, "", "last_write_wins",
     "The strategy where no other is given.", "source_wins"},
    {"conflict_resolution.strategies", KeyType::kList, "", "", "", "Strategies of single fields.",
     ""},
    {"conflict_resolution.strategies[].table", kText, "", "", "", "A table; default: all.", "user"},
    {"conflict_resolution.strategies[].field", kText, "", "", "", "The field.", "email"},
    {"conflict_resolution.strategies[].fields", KeyType::kTextList, "", "", "",
     "Fields that are decided together.", "[email]"},
    {"conflict_resolution.strategies[].strategy", kText, TIDEMARK_STRATEGIES, "", "",
     "The strategy.", "source_wins"},
    {"conflict_resolution.strategies[].source_priority", KeyType::kTextList, "", "", "",
     "Sources, the strongest first.", "[system_a]"},
    {"conflict_resolution.strategies[].expression", kText, "", "", "",
     "The rule of strategy custom.", "max(a, b)"},
    {"conflict_resolution.source_priority", KeyType::kTextList, "", "", "the order of sources",
     "Sources, the strongest first.", "[system_a]"},
    {"conflict_resolution.tolerance", kSection, "", "", "", "When changes are in conflict.", ""},
    {"conflict_resolution.tolerance.time_window", kDuration, "", "", "1 hour",
     "Changes within this window use the default strategy.", "2 hours"},
    {"conflict_resolution.tolerance.manual_review_threshold", kNumber, "", "", "0.8",
     "Less confidence than this needs review.", "0.9", 0, 1},

    {"state", kSection, "", "", "", "Where the state is kept, and when.", ""},
    {"state.storage", kSection, "", "", "", "Where the state is kept.", ""},
    {"state.storage.type", kText, "destination|database|file|redis|sqlite|postgres", "",
     "destination",
     "destination keeps the state in the destination's own transactions, and nowhere else. Every "
     "other store gets the same versions before the source is told: a SQLite file, a folder of "
     "plain files, PostgreSQL or Redis; database picks by the connection.",
     "file"},
    {"state.storage.connection", kText, "", "", "",
     "sqlite: the path of a file, file: of a folder, both taken from this file's folder. postgres: "
     "postgresql://USER:PASSWORD@HOST:PORT/DATABASE or libpq's words. redis: "
     "redis://USER:PASSWORD@HOST:PORT/NUMBER or unix:PATH. Treated as a secret. Not used by "
     "destination.",
     "state.db"},
    {"state.storage.schema", kText, "", "", "public",
     "postgres: the schema of the tables, made where it is missing. Not used by others.",
     "tidemark"},
    {"state.storage.lease", kDuration, "", "", "30 seconds",
     "postgres and redis: how long a run that no longer answers keeps the connection from others. "
     "A run that has ended on this machine never does. Not used by others.",
     "1 minute"},
    {"state.storage.accept_weak_durability", kBoolean, "", "", "false",
     "postgres and redis: also use a server that may lose what it acknowledged (redis without "
     "appendonly yes and appendfsync always, postgres with fsync off). What is lost there comes "
     "back from the destination. Not used by others.",
     "true"},
    {"state.checkpointing", kSection, "", "", "", "When rows and state are committed.", ""},
    {"state.checkpointing.frequency", kText, "every_batch|every_n_records|time_based", "",
     "every_batch", "Commit as soon as nothing further has arrived, by records, or by time.",
     "every_n_records"},
    {"state.checkpointing.interval", kNumber, "", "", "10000 records, or 1 second",
     "Records of every_n_records, seconds of time_based; not used by every_batch.", "1000", 0.001,
     1e9},
    {"state.recovery", kSection, "", "", "", "What a damaged state does.", ""},
    {"state.recovery.validate_on_start", kBoolean, "", "", "true",
     "Verify the stored state before a sync (L0 to L3 of `tidemark state validate`). Hashes and "
     "chain (L0) are verified in any case.",
     "false"},
    {"state.recovery.auto_repair", kBoolean, "", "", "true",
     "Repair a damaged state where nothing is lost by it: each repair appends a version and is "
     "said in log and report. false: a damaged state stops the sync.",
     "false"},
    {"state.recovery.reset_on_corruption", kBoolean, "", "", "false",
     "Read everything again when a damaged state cannot be repaired, or when the source cannot go "
     "on from it.",
     "true"},
    {"state.recovery.on_unreadable_state", kText, "stop|full_sync", "", "stop",
     "What a state does that cannot be read: full_sync reads everything again, and what the source "
     "no longer has goes when that has succeeded.",
     "full_sync"},
    {"state.recovery.on_checkpoint_failure", kText, "stop|warn", "", "stop",
     "What a failing state.storage does: stop ends the sync after its attempts; warn keeps the "
     "rows, does not tell the source and ends as partial. Not used by destination, where rows and "
     "state "
     "are committed together.",
     "warn"},
    {"state.backup", kSection, "", "", "",
     "Backups of the state, in DATABASE.state-backups, made at the start of a run.", ""},
    {"state.backup.every", kDuration, "", "", "1 day",
     "A run whose newest backup is older than this makes one.", "2 days"},
    {"state.backup.keep", kInteger, "", "", "7",
     "How many are kept; the oldest go when a new one is written.", "3", 1, 10000},
};
#undef TIDEMARK_STRATEGIES

// "a.*.b[]" against "a.x.b[]".
bool Matches(absl::string_view pattern, absl::string_view path) {
  while (true) {
    const size_t pattern_dot = pattern.find('.');
    const size_t path_dot = path.find('.');
    const absl::string_view want = pattern.substr(0, pattern_dot);
    const absl::string_view have = path.substr(0, path_dot);
    if (want != "*" && want != have) return false;
    const bool last = pattern_dot == absl::string_view::npos;
    if (last || path_dot == absl::string_view::npos) {
      return last && path_dot == absl::string_view::npos;
    }
    pattern.remove_prefix(pattern_dot + 1);
    path.remove_prefix(path_dot + 1);
  }
}

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, replaced});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

KeyTable ConfigurationKeys() { return kKeys; }

const ConfigurationKey* FindConfigurationKey(absl::string_view path, KeyTable keys) {
  for (const ConfigurationKey& key : keys) {
    if (Matches(key.path, path)) return &key;
  }
  return nullptr;
}

std::vector<std::string> KeysBelow(absl::string_view path, KeyTable keys) {
  std::vector<std::string> names;
  for (const ConfigurationKey& key : keys) {
    absl::string_view full(key.path);
    const size_t dot = full.rfind('.');
    const absl::string_view parent = dot == absl::string_view::npos ? "" : full.substr(0, dot);
    const bool below = path.empty() ? parent.empty() : !parent.empty() && Matches(parent, path);
    if (!below) continue;
    const absl::string_view name = dot == absl::string_view::npos ? full : full.substr(dot + 1);
    if (name != "*") names.emplace_back(name);
  }
  return names;
}

std::string NearestName(absl::string_view word, const std::vector<std::string>& candidates) {
  const std::string lower = absl::AsciiStrToLower(word);
  std::string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(lower, absl::AsciiStrToLower(candidate));
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::vector<std::string> PathsEndingIn(absl::string_view name, KeyTable keys) {
  std::vector<std::string> paths;
  for (const ConfigurationKey& key : keys) {
    if (absl::EndsWith(key.path, absl::StrCat(".", name))) paths.emplace_back(key.path);
  }
  return paths;
}

const char* KeyTypeName(KeyType type) {
  switch (type) {
    case KeyType::kSection:
      return "section";
    case KeyType::kText:
      return "text";
    case KeyType::kInteger:
      return "integer";
    case KeyType::kNumber:
      return "number";
    case KeyType::kBoolean:
      return "true or false";
    case KeyType::kDuration:
      return "duration";
    case KeyType::kBytes:
      return "size";
    case KeyType::kTextList:
      return "list of texts";
    case KeyType::kTextMap:
      return "map of texts";
    case KeyType::kIntegerMap:
      return "map of integers";
    case KeyType::kAny:
      return "map";
    case KeyType::kAnything:
      return "any";
    case KeyType::kTables:
      return "list of tables";
    case KeyType::kList:
      return "list of maps";
  }
  return "";
}

}  // namespace tidemark
