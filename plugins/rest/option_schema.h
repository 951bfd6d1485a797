// The shapes of the options that are lists and objects, as JSON Schema.
#ifndef TIDEMARK_REST_OPTION_SCHEMA_H_
#define TIDEMARK_REST_OPTION_SCHEMA_H_

namespace tidemark::rest {

// "x-secret": true marks credentials. The texts live as long as the plugin.
const char* TextsSchema();        // query, variables
const char* SecretTextsSchema();  // headers: they may hold credentials
const char* AuthSchema();
const char* PaginationSchema();
const char* EndpointsSchema();

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_OPTION_SCHEMA_H_
