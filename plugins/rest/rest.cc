// The plugin's description: every option with its type, default and meaning.
#include "rest/option_schema.h"
#include "rest/rest_connector.h"
#include "tidemark/connector.h"

namespace {

using tidemark::Default, tidemark::kJson, tidemark::kLong, tidemark::kOptional, tidemark::kRequired,
    tidemark::kString;
using tidemark::rest::RestConnector;

tidemark::Option Json(const char* name, tidemark::Presence presence, const char* help,
                      const char* schema) {
  return {.name = name, .type = kJson, .presence = presence, .help = help, .json_schema = schema};
}

tidemark::PluginDescription Describe() {
  using namespace tidemark::rest;  // NOLINT(google-build-using-namespace)
  return {
      .id = "rest",
      .version = "1.0.0",
      .description = "Any HTTP API that answers in JSON, by configuration alone",
      .capabilities = tidemark::kCanTableState | tidemark::kCanRewind | tidemark::kNeedsNetwork |
                      tidemark::kNeedsFiles,
      .options = {
          {"base_url", kString, kRequired, "what all paths begin with, http:// or https://"},
          Json("endpoints", kRequired, "what to read: one object for each table",
               EndpointsSchema()),
          Json("auth", kOptional, "how the API knows us", AuthSchema()),
          Json("headers", kOptional, "sent with every request", SecretTextsSchema()),
          Json("query", kOptional, "parameters of every request; a key belongs into auth",
               TextsSchema()),
          Json("variables", kOptional, "texts for {name} in paths, headers, parameters and bodies",
               TextsSchema()),
          Json("pagination", kOptional, "of endpoints that say nothing of it", PaginationSchema()),
          {"timeout", kString, Default("60 seconds"), "for a whole request"},
          {"connect_timeout", kString, Default("10 seconds"), "until the connection stands"},
          {"max_response_bytes", kLong, Default("67108864"),
           "a larger answer is an error; an answer is held in memory"},
          {"max_retries", kLong, Default("3"),
           "how often a request is made again before the engine decides"},
          {"retry_delay", kString, Default("500 ms"), "before the first retry; doubled each time"},
          {"max_wait", kString, Default("60 seconds"),
           "the longest Retry-After that is waited for here; a longer one is left to the engine"},
          {"ca_file", kString, tidemark::kReadsPath,
           "certificates to trust instead of the system's"},
          {"buffer_hours", tidemark::kDouble, kOptional,
           "how far behind the last timestamp each run looks again"},
          {"cdc.timestamp.updated_at_field", kString, kOptional, "the cursor of all endpoints"},
          {"cdc.timestamp.created_at_field", kString, kOptional,
           "used where the cursor's field is null"},
          {"cdc.timestamp.timezone", kString, kOptional, "of times without an offset; UTC"},
          {"cdc.timestamp.fold",
           kString,
           kOptional,
           "which of two times where clocks go back",
           {"earlier", "later"}},
          {"cdc.timestamp.tolerance_window", kString, kOptional, "the same as buffer_hours"},
          {"cdc.timestamp.compare",
           kString,
           kOptional,
           "whether rows at the cursor come again",
           {"auto", ">=", ">"}},
          {"cdc.timestamp.settle", kString, kOptional,
           "rows newer than this do not move the cursor yet"},
          {"cdc.timestamp.start", kString, kOptional, "where the first run begins"},
      }};
}

}  // namespace

TIDEMARK_EXPORT_CONNECTOR(RestConnector, Describe());
