// The plugin's description: every option with its type, default and meaning.
#include "sqlite/sqlite_connector.h"
#include "sqlite/table_run.h"
#include "tidemark/connector.h"

namespace {

using tidemark::Default, tidemark::kBoolean, tidemark::kDouble, tidemark::kOptional,
    tidemark::kRequired, tidemark::kString, tidemark::kWritesPath;
using tidemark::sqlite::SqliteConnector;

tidemark::PluginDescription Describe() {
  return {
      .id = "sqlite",
      .version = "1.0.0",
      .description = "Tables of a SQLite database file",
      .capabilities = tidemark::kCanTableState | tidemark::kCanRewind | tidemark::kNeedsFiles,
      .state_format = tidemark::sqlite::kStateFormat,
      .options = {
          {"connection", kString, kRequired | kWritesPath,
           "path of the database file, or sqlite:PATH"},
          {"cdc_method",
           kString,
           kOptional,
           "how changes are found; filled from sync.cdc_method",
           {"auto", "full", "timestamp", "version", "trigger", "polling"}},
          {"keyset_field", kString, kOptional,
           "for tables that only grow: the column that new rows get larger numbers in"},
          {"install_triggers", kBoolean, Default("false"),
           "cdc_method trigger may make its change table and triggers in the source database"},
          {"query_cursor_field", kString, kOptional,
           "the column of cdc.polling.query whose largest value is :last_sync"},
          {"query_time_format",
           kString,
           Default("sqlite"),
           "how :now and :last_sync are written: 2024-01-15 10:30:00, 2024-01-15T10:30:00Z, "
           "seconds",
           {"sqlite", "iso", "unix", "unix_ms"}},
          {"max_delete_share", kDouble, Default("0.3"),
           "more rows than this share gone since the last sync stop the table"},
          {"busy_timeout", kString, Default("10 seconds"),
           "how long another program's lock is waited for"},
          {"cdc.timestamp.updated_at_field", kString, kOptional,
           "the column that says when a row last changed"},
          {"cdc.timestamp.created_at_field", kString, kOptional,
           "the column used where updated_at_field is NULL"},
          {"cdc.timestamp.timezone", kString, kOptional, "of times without an offset; UTC"},
          {"cdc.timestamp.fold",
           kString,
           kOptional,
           "which of two times where clocks go back",
           {"earlier", "later"}},
          {"cdc.timestamp.tolerance_window", kString, kOptional,
           "how far before the cursor each sync reads again"},
          {"cdc.timestamp.compare",
           kString,
           kOptional,
           "whether rows with exactly the cursor's time are read again; auto: they are",
           {"auto", ">=", ">"}},
          {"cdc.timestamp.settle", kString, kOptional,
           "how long a transaction of a writer may take; 5 seconds"},
          {"cdc.timestamp.start", kString, kOptional, "where the first sync begins; everything"},
          {"cdc.polling.query", kString, kOptional,
           "one statement that reads, with {table}, :last_sync, :now and :batch_size; without it "
           "all rows are compared"},
          {"cdc.polling.interval", kString, kOptional,
           "the time between two polls; a single sync polls once"},
          {"cdc.version.version_field", kString, kOptional,
           "the column that grows, over the whole table, with every change"},
          {"cdc.version.sequence_field", kString, kOptional,
           "the column that orders equal versions"},
      }};
}

}  // namespace

TIDEMARK_EXPORT_CONNECTOR(SqliteConnector, Describe());
