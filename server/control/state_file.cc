#include "control/state_file.h"

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "control/config_node.h"
#include "core/text.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kMember[] = "tidemark_state";

Json Parsed(absl::string_view text) {
  return Json::parse(text.data(), text.data() + text.size(), nullptr, false);
}

bool IsJsonObject(absl::string_view text) {
  const Json json = text.empty() ? Json() : Parsed(text);
  return json.is_object();
}

std::string Text(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return "";
  const std::string* text = found->get_ptr<const std::string*>();
  return text == nullptr ? "" : *text;
}

Json EntryJson(const StateEntry& entry) {
  Json json = {{"schema", entry.schema}, {"table", entry.table}};
  if (IsJsonObject(entry.body)) {
    json["body_json"] = Parsed(entry.body);
  } else if (IsUtf8(entry.body)) {
    json["body"] = entry.body;
  } else {
    json["body_base64"] = absl::Base64Escape(entry.body);
  }
  if (!entry.cursor.empty()) json["cursor"] = entry.cursor;
  json["format"] = entry.format;
  return json;
}

absl::StatusOr<StateEntry> ParseEntry(const std::string& label, const Json& json) {
  StateEntry entry;
  if (!json.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat(label, ": an entry is no object"));
  }
  entry.schema = Text(json, "schema");
  entry.table = Text(json, "table");
  entry.cursor = Text(json, "cursor");
  entry.body = Text(json, "body");
  if (const auto body = json.find("body_json"); body != json.end()) {
    entry.body = DumpJson(*body, -1);
  } else if (json.contains("body_base64") &&
             !absl::Base64Unescape(Text(json, "body_base64"), &entry.body)) {
    return absl::InvalidArgumentError(absl::StrCat(label, ": body_base64 is no base64"));
  }
  if (const auto format = json.find("format");
      format != json.end() && format->is_number_unsigned()) {
    entry.format = format->get<uint32_t>();
  }
  return entry;
}

}  // namespace

std::string FormatStateFile(const std::vector<StateEntry>& entries) {
  if (entries.empty()) return "{}\n";
  if (entries.size() == 1 && entries[0].connection_wide()) {
    if (entries[0].body.empty()) return "{}\n";
    if (IsJsonObject(entries[0].body) && !Parsed(entries[0].body).contains(kMember)) {
      return absl::StrCat(entries[0].body, "\n");
    }
  }
  Json json = {{kMember, 1}, {"entries", Json::array()}};
  for (const StateEntry& entry : entries) json["entries"].push_back(EntryJson(entry));
  return absl::StrCat(DumpJson(json, 2), "\n");
}

absl::StatusOr<std::vector<StateEntry>> ParseStateFile(const std::string& label,
                                                       absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  const Json json = text.empty() ? Json::object() : Parsed(text);
  if (!json.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat(label, ": a state is one JSON object"));
  }
  std::vector<StateEntry> entries;
  if (!json.contains(kMember)) {
    StateEntry entry;
    if (!json.empty()) entry.body = std::string(text);
    entries.push_back(std::move(entry));
    return entries;
  }
  const auto list = json.find("entries");
  if (list == json.end() || !list->is_array()) {
    return absl::InvalidArgumentError(absl::StrCat(label, ": \"entries\" must be a list"));
  }
  for (const Json& item : *list) {
    absl::StatusOr<StateEntry> entry = ParseEntry(label, item);
    if (!entry.ok()) return entry.status();
    entries.push_back(*std::move(entry));
  }
  return entries;
}

bool SameStateBody(absl::string_view a, absl::string_view b) {
  if (a == b) return true;
  const Json left = a.empty() ? Json::object() : Parsed(a);
  const Json right = b.empty() ? Json::object() : Parsed(b);
  return !left.is_discarded() && !right.is_discarded() && left == right;
}

}  // namespace tidemark
