// Reads what a connection says about one endpoint.
#ifndef TIDEMARK_REST_ENDPOINT_OPTIONS_H_
#define TIDEMARK_REST_ENDPOINT_OPTIONS_H_

#include <string>
#include <vector>

#include "http/secrets.h"
#include "nlohmann/json.hpp"
#include "rest/option_reader.h"
#include "rest/request_template.h"
#include "rest/rest_options.h"
#include "tidemark/config.h"

namespace tidemark::rest {

// What endpoints take where they say nothing.
struct EndpointDefaults {
  nlohmann::json pagination;
  IncrementalOptions incremental;
  bool has_tolerance = false;
};

// From the options of the connection: pagination, buffer_hours and cdc.timestamp.*.
EndpointDefaults ReadDefaults(const Config& config, OptionReader& reader);

// Adds the members "headers" and "query" to `request`, and what looks like a credential in them to
// `secrets`.
void AddRequestParts(OptionReader& reader, const std::vector<std::string>& known,
                     RequestTemplate* request, http::Secrets* secrets);

// `base`: the request with what all endpoints share.
EndpointOptions ReadEndpoint(OptionReader& reader, const RequestTemplate& base,
                             const std::vector<std::string>& known,
                             const EndpointDefaults& defaults, http::Secrets* secrets);

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_ENDPOINT_OPTIONS_H_
