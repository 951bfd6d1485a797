#include "files/file_options.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cursors/calendar_span.h"
#include "nlohmann/json.hpp"

namespace tidemark::files {
namespace {

using nlohmann::json;

absl::Status Wrong(absl::string_view option, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("option ", option, ": ", why));
}

absl::StatusOr<std::vector<std::string>> TextList(const Config& config, const char* name) {
  std::vector<std::string> texts;
  const std::string text = config.GetJson(name);
  if (text.empty()) return texts;
  const json list = json::parse(text, nullptr, false);
  if (!list.is_array()) return Wrong(name, "it is no list of texts");
  for (const json& item : list) {
    if (!item.is_string()) return Wrong(name, "it is no list of texts");
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

absl::StatusOr<char> OneByte(const Config& config, const char* name, const char* otherwise) {
  std::string text = config.GetString(name, otherwise);
  if (text == "\\t" || text == "tab") text = "\t";
  if (text.size() != 1 || text == "\n" || text == "\r") return Wrong(name, "it is one character");
  return text[0];
}

bool IsRegular(const std::string& path) {
  struct stat about = {};
  return stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode);
}

bool IsFolder(const std::string& path) {
  struct stat about = {};
  return stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

// The ending in small letters, without its point; empty if there is none.
std::string EndingOf(absl::string_view name) {
  const size_t point = name.rfind('.');
  if (point == absl::string_view::npos || point == 0) return "";
  return absl::AsciiStrToLower(name.substr(point + 1));
}

bool IsNdjson(absl::string_view ending) {
  return ending == "ndjson" || ending == "jsonl" || ending == "json";
}

}  // namespace

absl::StatusOr<FileOptions> FileOptions::Read(const Config& config) {
  FileOptions out;
  const std::string connection = config.GetString("connection");
  absl::string_view path = connection;
  if (absl::ConsumePrefix(&path, "file:") && absl::StartsWith(path, "///")) path.remove_prefix(2);
  out.path = std::string(path);
  if (out.path.empty()) return Wrong("connection", "it names no file");
  out.table = config.GetString("table");
  const std::string format = config.GetString("format", "auto");
  out.format = format == "csv"      ? Format::kCsv
               : format == "ndjson" ? Format::kNdjson
                                    : Format::kAuto;
  auto key = TextList(config, "primary_key");
  if (!key.ok()) return key.status();
  out.primary_key = *std::move(key);
  auto names = TextList(config, "column_names");
  if (!names.ok()) return names.status();
  out.column_names = *std::move(names);
  if (const std::string text = config.GetJson("columns"); !text.empty()) {
    const json columns = json::parse(text, nullptr, false);
    if (!columns.is_object()) return Wrong("columns", "it is no map from a name to a type");
    for (const auto& item : columns.items()) {
      const auto type = item.value().is_string()
                            ? TypeText::Parse(item.value().get_ref<const std::string&>())
                            : std::nullopt;
      if (!type) return Wrong("columns", absl::StrCat(item.key(), " has an unknown type"));
      out.columns[item.key()] = *type;
    }
  }
  out.header = config.GetBool("header", true);
  out.typed_header = config.GetBool("typed_header");
  if (!out.header && out.column_names.empty() && out.format != Format::kNdjson) {
    return Wrong("column_names", "without a header it has to say what the columns are called");
  }
  auto delimiter = OneByte(config, "delimiter", ",");
  if (!delimiter.ok()) return delimiter.status();
  out.delimiter = *delimiter;
  auto quote = OneByte(config, "quote", "\"");
  if (!quote.ok()) return quote.status();
  out.quote = *quote;
  if (out.quote == out.delimiter) return Wrong("quote", "it is the delimiter, too");
  out.null_text = config.GetString("null_text");
  out.infer = config.GetBool("infer", true);
  auto settle = cursors::CalendarSpan::Parse(config.GetString("settle", "1 minute"));
  if (!settle.ok()) return Wrong("settle", settle.status().message());
  out.settle = settle->rest();
  return out;
}

absl::StatusOr<std::vector<FoundFile>> FindFiles(const FileOptions& options) {
  std::string pattern = options.path;
  const bool folder = IsFolder(pattern);
  if (folder) pattern = absl::StrCat(absl::StripSuffix(pattern, "/"), "/*");
  const size_t wildcard = pattern.find_first_of("*?[");
  const size_t slash = pattern.rfind('/', wildcard);
  const size_t fixed = slash == std::string::npos ? 0 : slash + 1;
  std::vector<FoundFile> files;
  glob_t found = {};
  const int code = glob(pattern.c_str(), GLOB_ERR, nullptr, &found);
  for (size_t i = 0; code == 0 && i < found.gl_pathc; ++i) {
    FoundFile file;
    file.path = found.gl_pathv[i];
    if (!IsRegular(file.path)) continue;
    file.name = file.path.substr(std::min(fixed, file.path.size()));
    const std::string base = file.path.substr(file.path.rfind('/') + 1);
    const std::string ending = EndingOf(base);
    if (folder && ending != "csv" && ending != "tsv" && !IsNdjson(ending)) continue;
    file.format = options.format != Format::kAuto ? options.format
                  : IsNdjson(ending)              ? Format::kNdjson
                                                  : Format::kCsv;
    file.table = !options.table.empty() ? options.table
                 : ending.empty()       ? base
                                        : base.substr(0, base.size() - ending.size() - 1);
    files.push_back(std::move(file));
  }
  globfree(&found);
  if (code != 0 && code != GLOB_NOMATCH) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot look for ", options.path, ": a folder cannot be read"));
  }
  if (files.empty()) {
    return absl::NotFoundError(absl::StrCat("there is no file ", options.path));
  }
  std::sort(files.begin(), files.end(),
            [](const FoundFile& a, const FoundFile& b) { return a.name < b.name; });
  return files;
}

}  // namespace tidemark::files
