#include "rest/rest_options.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "rest/endpoint_options.h"
#include "rest/option_reader.h"

namespace tidemark::rest {
namespace {

using nlohmann::json;

// A JSON option as a member of one object, so that errors name it.
json Parsed(const Config& config, const char* name) {
  const std::string text = config.GetJson(name);
  return text.empty() ? json() : json::parse(text, nullptr, false);
}

RequestTemplate ReadLogin(OptionReader login, const RequestTemplate& base,
                          const std::vector<std::string>& known, http::Secrets* secrets) {
  RequestTemplate request = base;
  request.SetMethod(login.Text("method", "POST"));
  auto path = TextTemplate::Parse(login.RequiredText("path"), known);
  if (!path.ok()) login.Fail("path", path.status().message());
  if (path.ok()) request.SetPath(*std::move(path));
  const json body = login.Any("body");
  for (const auto& item : body.items()) {
    if (body.is_object() && item.value().is_string() && http::SpeaksOfSecrets(item.key())) {
      secrets->Add(item.value().get<std::string>());
    }
  }
  if (!body.is_null()) {
    // Taken as it stands: a password may hold braces.
    json escaped = body;
    for (json& member : escaped) {
      if (!member.is_string()) continue;
      std::string text;
      for (const char c : member.get<std::string>()) text.append(c == '{' ? 2 : 1, c);
      member = text;
    }
    const absl::Status set = request.SetBody(std::move(escaped), known);
    if (!set.ok()) login.Fail("body", set.message());
  }
  login.Finish();
  return request;
}

AuthOptions ReadAuth(OptionReader auth, const RequestTemplate& base,
                     const std::vector<std::string>& known, http::Secrets* secrets) {
  using Type = AuthOptions::Type;
  AuthOptions out;
  out.type = auth.OneOf<Type>("type", {{"none", Type::kNone},
                                       {"bearer", Type::kBearer},
                                       {"basic", Type::kBasic},
                                       {"api_key", Type::kApiKey},
                                       {"headers", Type::kHeaders},
                                       {"session", Type::kSession}});
  switch (out.type) {
    case Type::kNone:
      break;
    case Type::kBearer:
      out.token = auth.RequiredText("token");
      break;
    case Type::kBasic:
      out.username = auth.RequiredText("username");
      out.password = auth.Text("password");
      break;
    case Type::kApiKey:
      out.key = auth.RequiredText("key");
      out.in_query = auth.OneOf<bool>("in", {{"header", false}, {"query", true}});
      out.name = auth.Text("name", out.in_query ? "api_key" : "Authorization");
      out.prefix = auth.Text("prefix");
      break;
    case Type::kHeaders:
      out.headers = auth.Pairs("headers");
      if (out.headers.empty()) auth.Fail("headers", "it is missing");
      break;
    case Type::kSession: {
      OptionReader login = auth.Child("login");
      out.token_pointer = login.Text("token", "/token");
      out.login = ReadLogin(login, base, known, secrets);
      out.name = auth.Text("name", "Authorization");
      out.prefix = auth.Text("prefix");
      break;
    }
  }
  auth.Finish();
  for (const std::string& secret : {out.token, out.password, out.key}) secrets->Add(secret);
  for (const auto& [name, value] : out.headers) secrets->Add(value);
  return out;
}

absl::Duration Positive(OptionReader& reader, const char* name, const Config& config) {
  auto span = cursors::CalendarSpan::Parse(config.GetString(name));
  if (!span.ok()) {
    reader.Fail(name, span.status().message());
  } else if (span->months() != 0 || span->rest() <= absl::ZeroDuration()) {
    reader.Fail(name, "it has to be more than 0 and without months");
  }
  return span.ok() ? span->rest() : absl::Seconds(1);
}

void ReadClient(OptionReader& reader, const Config& config, RestOptions* out) {
  out->client.timeout = Positive(reader, "timeout", config);
  out->client.connect_timeout = Positive(reader, "connect_timeout", config);
  out->client.max_response_bytes = config.GetInt64("max_response_bytes");
  if (out->client.max_response_bytes < 1) reader.Fail("max_response_bytes", "it is less than 1");
  out->client.ca_file = config.GetString("ca_file");
  const int64_t retries = config.GetInt64("max_retries");
  if (retries < 0 || retries > 1000) reader.Fail("max_retries", "it is not between 0 and 1000");
  out->retry.max_retries = static_cast<int>(std::clamp<int64_t>(retries, 0, 1000));
  out->retry.first_delay = Positive(reader, "retry_delay", config);
  out->retry.max_wait = Positive(reader, "max_wait", config);
}

}  // namespace

absl::StatusOr<RestOptions> RestOptions::Read(const Config& config) {
  RestOptions out;
  absl::Status error;
  OptionReader top(json::object(), "", &error);
  ReadClient(top, config, &out);
  const absl::StatusOr<http::Url> base = http::Url::Parse(config.GetString("base_url"));
  if (!base.ok()) top.Fail("base_url", base.status().message());
  if (!error.ok()) return error;

  RequestTemplate request(*base);
  std::vector<std::string> known = RequestTemplate::KnownVariables();
  Variables variables;
  json members = json::object();
  for (const char* name : {"headers", "query", "variables", "auth", "pagination", "endpoints"}) {
    members[name] = Parsed(config, name);
    if (members[name].is_discarded()) top.Fail(name, "it is not JSON");
  }
  OptionReader reader(members, "", &error);
  for (auto& [name, value] : reader.Pairs("variables")) {
    known.push_back(name);
    if (http::SpeaksOfSecrets(name)) out.secrets.Add(value);
    variables[name] = value;
  }
  request.SetVariables(std::move(variables));
  const RequestTemplate bare = request;
  AddRequestParts(reader, known, &request, &out.secrets);
  out.auth = ReadAuth(reader.Child("auth"), bare, known, &out.secrets);
  const EndpointDefaults defaults = ReadDefaults(config, reader);
  for (OptionReader endpoint : reader.Children("endpoints")) {
    out.endpoints.push_back(ReadEndpoint(endpoint, request, known, defaults, &out.secrets));
  }
  if (out.endpoints.empty()) reader.Fail("endpoints", "there is none: say what to read");
  for (const EndpointOptions& endpoint : out.endpoints) {
    const auto same = [&endpoint](const EndpointOptions& e) { return e.table == endpoint.table; };
    if (std::count_if(out.endpoints.begin(), out.endpoints.end(), same) > 1) {
      reader.Fail("endpoints", absl::StrCat("the table ", endpoint.table, " is there twice"));
    }
  }
  if (!error.ok()) return out.secrets.Redact(error);
  return out;
}

}  // namespace tidemark::rest
