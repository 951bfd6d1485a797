// A manifest is UTF-8 text, one JSON object per line:
//
//   manifest = first LF *( head LF oldest LF ) *( aside LF ) *( version LF ) *( audit LF ) last LF
//   first    = {"tidemark_state_manifest": 1, "connection": text, "commit": n, "previous": hex,
//               "epoch": n, "holder": text, "boot_id": text, "pid": n, "pid_start": n,
//               "acquired_at": us, "engine": text, "live": ranges}
//   ranges   = a text of comma-separated numbers and "first-last" of commits, ascending
//   head     = {"head": entry, ...}             ; of every entry (state/version_json.cc)
//   oldest   = {"oldest": entry, "version": n}  ; what history of that entry begins with
//   aside    = {"aside": entry, "version": n, "until": commit}
//   version  = {"entry": entry, ...}            ; appended by this commit (state/version_json.cc)
//   audit    = {"audit": action, "at": us, "of": entry, "by": text, "detail": text}
//   last     = {"end": number of lines before, "blake2b256": hex of the bytes before this line}
//
// "previous" is the BLAKE2b-256 of the whole manifest of the commit before, "" in the first one.
// Numbers are integers, times Unix microseconds UTC. A file without its last line is torn. A reader
// refuses a first line with a larger number than 1 and ignores members it does not know.
#include "state/file_manifest.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "core/digest.h"
#include "nlohmann/json.hpp"
#include "state/version_json.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kManifestFormat = 1;
constexpr char kSuffix[] = ".manifest";

std::string Line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string RangesText(const std::set<int64_t>& numbers) {
  std::string text;
  for (auto number = numbers.begin(); number != numbers.end();) {
    const int64_t first = *number;
    int64_t last = first;
    for (++number; number != numbers.end() && *number == last + 1; ++number) last = *number;
    absl::StrAppend(&text, text.empty() ? "" : ",", first);
    if (last > first) absl::StrAppend(&text, "-", last);
  }
  return text;
}

bool ParseRanges(absl::string_view text, std::set<int64_t>* numbers) {
  for (absl::string_view range : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> ends =
        absl::StrSplit(range, absl::MaxSplits('-', 1));
    int64_t first = 0;
    int64_t last = 0;
    if (!absl::SimpleAtoi(ends.first, &first) || first < 1) return false;
    if (ends.second.empty()) {
      last = first;
    } else if (!absl::SimpleAtoi(ends.second, &last) || last < first) {
      return false;
    }
    for (int64_t number = first; number <= last; ++number) numbers->insert(number);
  }
  return true;
}

std::string TextOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int64_t IntOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

Json Parse(absl::string_view line) { return Json::parse(line.begin(), line.end(), nullptr, false); }

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the manifest is damaged: ", what));
}

absl::Status ParseFirst(absl::string_view line, FileManifest* manifest) {
  const Json json = Parse(line);
  if (!json.is_object() || !json.contains("tidemark_state_manifest")) {
    return Damaged("its first line is not that of a manifest");
  }
  const int64_t format = IntOf(json, "tidemark_state_manifest");
  manifest->engine = TextOf(json, "engine");
  if (format > kManifestFormat) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it was written by a newer engine (", manifest->engine, ", state format ", format,
        ", this one knows ", kManifestFormat, "); install that engine or a newer one"));
  }
  manifest->connection = TextOf(json, "connection");
  manifest->commit = IntOf(json, "commit");
  manifest->previous = absl::HexStringToBytes(TextOf(json, "previous"));
  manifest->holder.epoch = IntOf(json, "epoch");
  manifest->holder.holder = TextOf(json, "holder");
  manifest->holder.boot_id = TextOf(json, "boot_id");
  manifest->holder.pid = IntOf(json, "pid");
  manifest->holder.pid_start = IntOf(json, "pid_start");
  manifest->holder.acquired_at_us = IntOf(json, "acquired_at");
  manifest->holder.expires_at_us = kNoTime;
  if (format != kManifestFormat || manifest->commit < 1 || manifest->holder.epoch < 1 ||
      !ParseRanges(TextOf(json, "live"), &manifest->live)) {
    return Damaged("its first line cannot be read");
  }
  return absl::OkStatus();
}

// A line of the middle.
absl::Status ParseLine(absl::string_view line, FileManifest* manifest) {
  if (absl::StartsWith(line, "{\"entry\":")) {
    absl::StatusOr<StateVersion> version = VersionFromLine(line);
    if (!version.ok()) return Damaged(version.status().message());
    version->connection = manifest->connection;
    manifest->versions.push_back(*std::move(version));
    return absl::OkStatus();
  }
  if (absl::StartsWith(line, "{\"head\":")) {
    absl::StatusOr<StateHead> head = HeadFromLine(line);
    if (!head.ok()) return Damaged(head.status().message());
    const std::string entry = head->entry;
    manifest->entries[entry].head = *std::move(head);
    return absl::OkStatus();
  }
  const Json json = Parse(line);
  if (!json.is_object()) return Damaged("a line is no JSON object");
  if (json.contains("oldest")) {
    manifest->entries[TextOf(json, "oldest")].oldest = IntOf(json, "version");
  } else if (json.contains("aside")) {
    manifest->asides.push_back(
        {TextOf(json, "aside"), IntOf(json, "version"), IntOf(json, "until")});
  } else if (json.contains("audit")) {
    manifest->audit.push_back({IntOf(json, "at"), TextOf(json, "audit"), TextOf(json, "of"),
                               TextOf(json, "by"), TextOf(json, "detail")});
  }
  return absl::OkStatus();
}

}  // namespace

std::string FormatManifest(const FileManifest& manifest) {
  const StateHolder& holder = manifest.holder;
  std::string text = Line({{"tidemark_state_manifest", kManifestFormat},
                           {"connection", manifest.connection},
                           {"commit", manifest.commit},
                           {"previous", Hex(manifest.previous)},
                           {"epoch", holder.epoch},
                           {"holder", holder.holder},
                           {"boot_id", holder.boot_id},
                           {"pid", holder.pid},
                           {"pid_start", holder.pid_start},
                           {"acquired_at", holder.acquired_at_us},
                           {"engine", manifest.engine},
                           {"live", RangesText(manifest.live)}});
  int64_t lines = 1;
  for (const auto& [name, entry] : manifest.entries) {
    absl::StrAppend(&text, HeadToLine(entry.head), "\n",
                    Line({{"oldest", name}, {"version", entry.oldest}}));
    lines += 2;
  }
  for (const FileManifest::Aside& aside : manifest.asides) {
    text += Line({{"aside", aside.entry}, {"version", aside.version}, {"until", aside.until}});
    ++lines;
  }
  for (const StateVersion& version : manifest.versions) {
    absl::StrAppend(&text, VersionToLine(version, absl::OkStatus()), "\n");
    ++lines;
  }
  for (const AuditRecord& record : manifest.audit) {
    text += Line({{"audit", record.action},
                  {"at", record.at_us},
                  {"of", record.entry},
                  {"by", record.by},
                  {"detail", record.detail}});
    ++lines;
  }
  text += Line({{"end", lines}, {"blake2b256", Hex(Blake2b256(text))}});
  return text;
}

absl::StatusOr<FileManifest> ParseManifest(absl::string_view bytes) {
  FileManifest manifest;
  // What a newer engine has written may end otherwise, so this comes first.
  absl::Status first = ParseFirst(bytes.substr(0, bytes.find('\n')), &manifest);
  if (absl::IsFailedPrecondition(first)) return first;
  const absl::string_view body =
      absl::EndsWith(bytes, "\n") ? bytes.substr(0, bytes.size() - 1) : absl::string_view();
  const size_t last = body.rfind('\n');
  if (last == absl::string_view::npos || !absl::StartsWith(body.substr(last + 1), "{\"end\":")) {
    return absl::DataLossError("the manifest is torn: its last line is missing");
  }
  const std::vector<absl::string_view> lines = absl::StrSplit(body.substr(0, last), '\n');
  const Json end = Parse(body.substr(last + 1));
  if (!end.is_object() || IntOf(end, "end") != static_cast<int64_t>(lines.size()) ||
      TextOf(end, "blake2b256") != Hex(Blake2b256(bytes.substr(0, last + 1)))) {
    return Damaged("it does not match its checksum");
  }
  if (!first.ok()) return first;
  for (size_t i = 1; i < lines.size(); ++i) {
    if (absl::Status s = ParseLine(lines[i], &manifest); !s.ok()) return s;
  }
  return manifest;
}

FileManifest SalvageManifest(absl::string_view bytes, absl::string_view connection) {
  FileManifest manifest;
  manifest.connection = std::string(connection);
  for (absl::string_view line : absl::StrSplit(bytes, '\n', absl::SkipEmpty())) {
    if (absl::StartsWith(line, "{\"entry\":")) ParseLine(line, &manifest).IgnoreError();
  }
  return manifest;
}

std::string ManifestName(int64_t commit) { return absl::StrFormat("%020d%s", commit, kSuffix); }

std::optional<int64_t> ParseManifestName(absl::string_view name) {
  int64_t commit = 0;
  if (name.size() != 20 + sizeof(kSuffix) - 1 || !absl::EndsWith(name, kSuffix) ||
      !absl::SimpleAtoi(name.substr(0, 20), &commit) || commit < 1) {
    return std::nullopt;
  }
  return commit;
}

}  // namespace tidemark
