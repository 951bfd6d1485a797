#include "control/references.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace tidemark {
namespace {

constexpr size_t kMaxReferencedFile = 1024 * 1024;

bool IsName(absl::string_view name) {
  if (name.empty() || absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) return false;
  for (const char c : name) {
    if (c != '_' && !absl::ascii_isalnum(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

absl::Status Refused(absl::string_view reference) {
  return absl::PermissionDeniedError(
      absl::StrCat("${", reference,
                   "} may not be used here: a definition that came through the API sees neither "
                   "the server's environment nor its files; store the value as a secret of the "
                   "server and write ${secret:NAME}"));
}

absl::StatusOr<std::string> SecretValue(const SecretLookup& lookup, absl::string_view name,
                                        std::vector<std::string>* secrets) {
  if (lookup == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("${secret:", name,
                     "} is kept by a server, and this is none; write ${env:NAME} or ${file:PATH}, "
                     "or apply the connection to a server"));
  }
  absl::StatusOr<std::string> value = lookup(name);
  if (value.ok()) secrets->push_back(*value);
  return value;
}

// The value of what stands between "${" and "}". On failure the error's text has no value in it.
absl::StatusOr<std::string> ReferenceValue(const ReferenceSources& sources,
                                           const std::string& folder, absl::string_view reference,
                                           std::vector<std::string>* secrets) {
  if (absl::ConsumePrefix(&reference, "secret:")) {
    return SecretValue(sources.secret, reference, secrets);
  }
  if (absl::StartsWith(reference, "file:")) {
    if (!sources.files) return Refused(reference);
    std::string path(reference.substr(5));
    if (!absl::StartsWith(path, "/")) path = absl::StrCat(folder, "/", path);
    absl::StatusOr<std::string> text = ReadTextFile(path, kMaxReferencedFile);
    if (!text.ok()) return text;
    while (absl::EndsWith(*text, "\n") || absl::EndsWith(*text, "\r")) text->pop_back();
    secrets->push_back(*text);
    return text;
  }
  const absl::string_view whole = reference;
  absl::ConsumePrefix(&reference, "env:");
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(reference, absl::MaxSplits(":-", 1));
  const bool has_default = absl::StrContains(reference, ":-");
  if (!IsName(parts.first)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"${", reference,
                     "}\" is no reference; write ${NAME}, ${env:NAME}, ${NAME:-default}, "
                     "${file:PATH} or ${secret:NAME} ($$ stands for one $)"));
  }
  if (sources.environment == nullptr) return Refused(whole);
  std::optional<std::string> value = sources.environment(std::string(parts.first));
  if (has_default && (!value.has_value() || value->empty())) return std::string(parts.second);
  if (!value.has_value()) {
    return absl::NotFoundError(absl::StrCat("the variable ", parts.first,
                                            " is not set; export it, or write it into a .env file "
                                            "beside this one"));
  }
  if (NamesSecret(parts.first)) secrets->push_back(*value);
  return *std::move(value);
}

absl::StatusOr<std::string> Replace(const ReferenceSources& sources, const std::string& folder,
                                    absl::string_view text, std::vector<std::string>* secrets) {
  std::string out;
  while (!text.empty()) {
    const size_t dollar = text.find('$');
    if (dollar == absl::string_view::npos) break;
    absl::StrAppend(&out, text.substr(0, dollar));
    text.remove_prefix(dollar);
    if (absl::ConsumePrefix(&text, "$$")) {
      out.push_back('$');
    } else if (absl::StartsWith(text, "${")) {
      const size_t close = text.find('}');
      if (close == absl::string_view::npos) {
        return absl::InvalidArgumentError("a reference \"${\" is not closed by \"}\"");
      }
      absl::StatusOr<std::string> value =
          ReferenceValue(sources, folder, text.substr(2, close - 2), secrets);
      if (!value.ok()) return value;
      absl::StrAppend(&out, *value);
      text.remove_prefix(close + 1);
    } else {
      out.push_back('$');
      text.remove_prefix(1);
    }
  }
  absl::StrAppend(&out, text);
  return out;
}

}  // namespace

bool NamesSecret(absl::string_view name) {
  const std::string upper = absl::AsciiStrToUpper(name);
  for (const char* word : {"TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "KEY"}) {
    if (absl::StrContains(upper, word)) return true;
  }
  return false;
}

Environment ProcessEnvironment(std::map<std::string, std::string> more) {
  return [more = std::move(more)](const std::string& name) -> std::optional<std::string> {
    if (const char* value = std::getenv(name.c_str()); value != nullptr) return value;
    const auto found = more.find(name);
    if (found == more.end()) return std::nullopt;
    return found->second;
  };
}

absl::StatusOr<std::map<std::string, std::string>> ParseDotEnv(absl::string_view label,
                                                               absl::string_view text) {
  std::map<std::string, std::string> values;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    absl::ConsumePrefix(&line, "export ");
    const size_t equals = line.find('=');
    if (equals == absl::string_view::npos || !IsName(line.substr(0, equals))) {
      return absl::InvalidArgumentError(absl::StrCat(label, ":", number, ": expected NAME=value"));
    }
    absl::string_view value = absl::StripAsciiWhitespace(line.substr(equals + 1));
    if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0]) {
      value = value.substr(1, value.size() - 2);
    } else if (const size_t comment = value.find(" #"); comment != absl::string_view::npos) {
      value = absl::StripAsciiWhitespace(value.substr(0, comment));
    }
    values[std::string(line.substr(0, equals))] = std::string(value);
  }
  return values;
}

void ResolveReferences(const ReferenceSources& sources, const std::string& folder, ConfigNode* node,
                       std::vector<std::string>* problems, std::vector<std::string>* secrets) {
  if (node->is_scalar() && absl::StrContains(node->text, "$")) {
    absl::StatusOr<std::string> text = Replace(sources, folder, node->text, secrets);
    if (text.ok()) {
      node->text = *std::move(text);
    } else {
      problems->push_back(absl::StrCat("line ", node->line, ": ", text.status().message()));
    }
  }
  for (ConfigNode& item : node->items) {
    ResolveReferences(sources, folder, &item, problems, secrets);
  }
  for (ConfigNode::Entry& entry : node->entries) {
    ResolveReferences(sources, folder, &entry.value, problems, secrets);
  }
}

absl::StatusOr<std::string> ReadTextFile(const std::string& path, size_t max_bytes) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) {
    const std::string text = absl::StrCat(path, ": ", std::strerror(errno));
    return errno == EACCES ? absl::PermissionDeniedError(text) : absl::NotFoundError(text);
  }
  if (S_ISDIR(status.st_mode)) {
    return absl::NotFoundError(absl::StrCat(path, ": this is a folder, not a file"));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return absl::PermissionDeniedError(absl::StrCat(path, ": ", std::strerror(errno)));
  }
  std::string text;
  char buffer[65536];
  while (in.read(buffer, sizeof(buffer)), in.gcount() > 0) {
    text.append(buffer, static_cast<size_t>(in.gcount()));
    if (text.size() > max_bytes) {
      return absl::OutOfRangeError(absl::StrCat(path, ": larger than ", max_bytes, " bytes"));
    }
  }
  return text;
}

absl::Status WriteTextFile(const std::string& path, absl::string_view text) {
  const std::string temporary = absl::StrCat(path, ".", getpid(), ".new");
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (!out) {
      const int error = errno;
      std::remove(temporary.c_str());
      return absl::UnavailableError(
          absl::StrCat("cannot write ", path, ": ", std::strerror(error)));
    }
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    std::remove(temporary.c_str());
    return absl::UnavailableError(absl::StrCat("cannot write ", path, ": ", std::strerror(error)));
  }
  return absl::OkStatus();
}

}  // namespace tidemark
