#include "state/version_json.h"

#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "nlohmann/json.hpp"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct CountName {
  const char* name;
  uint64_t ChangeCounts::* count;
};
constexpr std::array<CountName, 11> kCounts = {{
    {"inserted", &ChangeCounts::inserted},
    {"updated", &ChangeCounts::updated},
    {"deleted", &ChangeCounts::deleted},
    {"unchanged", &ChangeCounts::unchanged},
    {"superseded", &ChangeCounts::superseded},
    {"missing", &ChangeCounts::missing},
    {"conflict", &ChangeCounts::conflict},
    {"late_queue", &ChangeCounts::late_queue},
    {"dead_letter", &ChangeCounts::dead_letter},
    {"deleted_by_truncate", &ChangeCounts::deleted_by_truncate},
    {"duplicates_collapsed", &ChangeCounts::duplicates_collapsed},
}};

std::string Line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Reads members of one line; the first problem stays.
class Members {
 public:
  explicit Members(absl::string_view line)
      : json_(Json::parse(line.begin(), line.end(), nullptr, false)) {
    if (!json_.is_object()) status_ = absl::DataLossError("it is no JSON object");
  }

  std::string Text(const char* name) {
    const Json* member = Find(name);
    if (member == nullptr) return "";
    if (!member->is_string()) return Wrong(name, "no text"), "";
    return member->get<std::string>();
  }
  int64_t Int(const char* name) {
    const Json* member = Find(name);
    if (member == nullptr) return 0;
    if (!member->is_number_integer()) return Wrong(name, "no integer"), 0;
    return member->get<int64_t>();
  }
  std::string Bytes(const char* name) {
    const std::string hex = Text(name);
    bool good = hex.size() % 2 == 0;
    for (const char c : hex) good = good && absl::ascii_isxdigit(static_cast<unsigned char>(c));
    if (!good) return Wrong(name, "no hexadecimal bytes"), "";
    return absl::HexStringToBytes(hex);
  }
  std::string Base64(const char* name) {
    std::string bytes;
    if (!absl::Base64Unescape(Text(name), &bytes)) Wrong(name, "no base64");
    return bytes;
  }
  int64_t Time(const char* name) {
    const Json* member = Find(name);
    return member == nullptr || member->is_null() ? kNoTime : Int(name);
  }
  bool Has(const char* name) const { return json_.is_object() && json_.contains(name); }
  void Wrong(const char* name, const char* what) {
    if (status_.ok()) status_ = absl::DataLossError(absl::StrCat("\"", name, "\" is ", what));
  }
  const absl::Status& status() const { return status_; }

 private:
  const Json* Find(const char* name) {
    if (!status_.ok()) return nullptr;
    const auto found = json_.find(name);
    if (found != json_.end()) return &*found;
    Wrong(name, "missing");
    return nullptr;
  }

  const Json json_;
  absl::Status status_;
};

}  // namespace

std::string VersionToLine(const StateVersion& version, const absl::Status& readable) {
  Json json = {{"entry", version.entry},
               {"version", version.version},
               {"parent", version.parent},
               {"epoch", version.epoch},
               {"kind", std::string(StateKindName(version.kind))},
               {"format", version.format},
               {"body_hash", Hex(version.body_hash)},
               {"prev_chain", Hex(version.prev_chain)},
               {"chain", Hex(version.chain)},
               {"sync_id", version.sync_id},
               {"group_id", version.group_id}};
  for (const CountName& count : kCounts) json[count.name] = version.counts.*count.count;
  json["cursor"] = version.cursor;
  json["watermark"] = version.watermark_us == kNoTime ? Json() : Json(version.watermark_us);
  json["created_at"] = version.created_at_us;
  json["engine"] = version.engine;
  json["body"] = absl::Base64Escape(version.body);
  if (!readable.ok()) json["unreadable"] = std::string(readable.message());
  return Line(json);
}

absl::StatusOr<StateVersion> VersionFromLine(absl::string_view line) {
  Members members(line);
  if (members.Has("unreadable")) {
    return absl::DataLossError(absl::StrCat("a version of entry \"", members.Text("entry"),
                                            "\" was damaged when the backup was made (",
                                            members.Text("unreadable"), ")"));
  }
  StateVersion version;
  version.entry = members.Text("entry");
  version.version = members.Int("version");
  version.parent = members.Int("parent");
  version.epoch = members.Int("epoch");
  const std::optional<StateKind> kind = ParseStateKind(members.Text("kind"));
  if (!kind.has_value()) members.Wrong("kind", "no kind of version");
  version.kind = kind.value_or(StateKind::kNormal);
  version.format = static_cast<uint32_t>(members.Int("format"));
  version.body_hash = members.Bytes("body_hash");
  version.prev_chain = members.Bytes("prev_chain");
  version.chain = members.Bytes("chain");
  version.sync_id = members.Text("sync_id");
  version.group_id = members.Text("group_id");
  for (const CountName& count : kCounts) {
    version.counts.*count.count = static_cast<uint64_t>(members.Int(count.name));
  }
  version.cursor = members.Text("cursor");
  version.watermark_us = members.Time("watermark");
  version.created_at_us = members.Int("created_at");
  version.engine = members.Text("engine");
  version.body = members.Base64("body");
  if (!members.status().ok()) return members.status();
  return version;
}

std::string HeadToLine(const StateHead& head) {
  return Line({{"head", head.entry},
               {"schema", head.schema},
               {"table", head.table},
               {"version", head.version},
               {"chain", Hex(head.chain)},
               {"anchor", Hex(head.anchor)}});
}

absl::StatusOr<StateHead> HeadFromLine(absl::string_view line) {
  Members members(line);
  StateHead head;
  head.entry = members.Text("head");
  head.schema = members.Text("schema");
  head.table = members.Text("table");
  head.version = members.Int("version");
  head.chain = members.Bytes("chain");
  head.anchor = members.Bytes("anchor");
  if (!members.status().ok()) return members.status();
  return head;
}

}  // namespace tidemark
