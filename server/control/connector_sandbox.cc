#include "control/connector_sandbox.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/file_system.h"
#include "plugin_host/sandbox.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;

// The path in a setting, as connection strings spell it.
std::string PathIn(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "sqlite:") || absl::ConsumePrefix(&text, "file:")) {
    if (absl::StartsWith(text, "///")) text.remove_prefix(2);
  }
  return std::string(text);
}

// What has to be open for a path that is read: itself, or of a pattern the folder before it.
std::string ReadRoot(const std::string& path) {
  const size_t wildcard = path.find_first_of("*?[");
  std::error_code error;
  if (wildcard == std::string::npos || fs::exists(path, error)) return AbsolutePath(path);
  const size_t slash = path.rfind('/', wildcard);
  return AbsolutePath(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

std::string WriteRoot(const std::string& path) {
  std::error_code error;
  return AbsolutePath(fs::is_directory(path, error) ? path : FolderOf(path));
}

// Nobody who names a file beside the root means to open everything.
void Add(std::string path, std::vector<std::string>* paths) {
  if (path != "/") paths->push_back(std::move(path));
}

}  // namespace

std::string AbsolutePath(absl::string_view path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(std::string(path), error);
  std::string text = absolute.lexically_normal().string();
  if (text.size() > 1 && absl::EndsWith(text, "/")) text.pop_back();
  return error ? std::string(path) : text;
}

SandboxPolicy DescribingSandbox(const SourceSettings& source) {
  SandboxPolicy policy;
  policy.enabled = source.sandbox;
  policy.read_paths = source.sandbox_paths;
  return policy;
}

SandboxPolicy ConnectorSandbox(const SourceSettings& source,
                               const ConnectorDescription& description,
                               absl::Span<const Setting> settings) {
  SandboxPolicy policy = DescribingSandbox(source);
  policy.write_paths = source.sandbox_write_paths;
  policy.network = (description.capabilities & kNeedsNetwork) != 0;
  policy.capabilities = description.capabilities;
  if ((description.capabilities & kNeedsFiles) == 0) return policy;
  for (const ConnectorDescription::Option& option : description.options) {
    if (!option.reads_path && !option.writes_path) continue;
    for (const Setting& setting : settings) {
      if (setting.name != option.name || setting.text.empty()) continue;
      const std::string path = PathIn(setting.text);
      if (option.writes_path) {
        Add(WriteRoot(path), &policy.write_paths);
      } else {
        Add(ReadRoot(path), &policy.read_paths);
      }
    }
  }
  return policy;
}

std::vector<std::string> SandboxWarnings(const SandboxPolicy& policy) {
  std::vector<std::string> warnings;
  if (!policy.enabled) return warnings;
  for (const std::string& gap : SandboxGaps()) {
    warnings.push_back(absl::StrCat("sandbox: partial: ", gap));
  }
  return warnings;
}

}  // namespace tidemark
