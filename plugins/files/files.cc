// The plugin's description: every option with its type, default and meaning.
#include "files/files_connector.h"
#include "tidemark/connector.h"

namespace {

using tidemark::Default, tidemark::kBoolean, tidemark::kJson, tidemark::kOptional,
    tidemark::kReadsPath, tidemark::kRequired, tidemark::kString;
using tidemark::files::FilesConnector;

constexpr char kTexts[] = R"({"type": "array", "items": {"type": "string"}})";

tidemark::PluginDescription Describe() {
  return {
      .id = "files",
      .version = "1.0.0",
      .description = "Local CSV and NDJSON files",
      .capabilities = tidemark::kCanTableState | tidemark::kCanRewind | tidemark::kNeedsFiles,
      .state_format = tidemark::files::kStateFormat,
      .options = {
          {"connection", kString, kRequired | kReadsPath,
           "path of a file, with * ? [..] for several, or of a folder"},
          {"table", kString, kOptional,
           "one table for all files; otherwise each file's name without its ending"},
          {"format",
           kString,
           Default("auto"),
           "auto: .ndjson, .jsonl and .json are NDJSON, everything else is CSV",
           {"auto", "csv", "ndjson"}},
          {.name = "primary_key",
           .type = kJson,
           .presence = kOptional,
           .help = "the columns that identify a row",
           .json_schema = kTexts},
          {.name = "columns",
           .type = kJson,
           .presence = kOptional,
           .help = "types of columns: {amount: \"DECIMAL(12,2)\", at: UTC_DATETIME}",
           .json_schema = R"({"type": "object", "additionalProperties": {"type": "string"}})"},
          {"header", kBoolean, Default("true"), "whether the first record of a CSV file is names"},
          {"typed_header", kBoolean, Default("false"), "whether the names are written name:TYPE"},
          {.name = "column_names",
           .type = kJson,
           .presence = kOptional,
           .help = "the columns of CSV files without a header, in their order",
           .json_schema = kTexts},
          {"delimiter", kString, Default(","), "between the fields of CSV; tab for a tabulator"},
          {"quote", kString, Default("\""), "around fields of CSV"},
          {"null_text", kString, kOptional,
           "what stands for NULL in a CSV field without quotes; nothing at all by default"},
          {"infer", kBoolean, Default("true"),
           "numbers of CSV without a declared type become numbers where they read back the same"},
          {"settle", kString, Default("1 minute"),
           "how long a file has to be left alone before a last line without an end is read"},
      }};
}

}  // namespace

TIDEMARK_EXPORT_CONNECTOR(FilesConnector, Describe());
