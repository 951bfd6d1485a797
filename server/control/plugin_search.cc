#include "control/plugin_search.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "control/configuration_keys.h"
#include "control/exit_code.h"

namespace tidemark {
namespace {

constexpr char kSystemFolder[] = "/usr/lib/tidemark/plugins";

std::string Stem(const std::string& path) { return std::filesystem::path(path).stem().string(); }

}  // namespace

PluginSearch PluginSearch::FromEnvironment(const std::string& plugin_path) {
  PluginSearch search;
  const auto add = [&search](absl::string_view list) {
    for (absl::string_view folder : absl::StrSplit(list, ':', absl::SkipEmpty())) {
      search.folders.emplace_back(folder);
    }
  };
  add(plugin_path);
  if (const char* path = std::getenv("TIDEMARK_PLUGIN_PATH"); path != nullptr) add(path);
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    search.host_binary = (self.parent_path() / "tidemark-plugin-host").string();
    search.folders.push_back((self.parent_path().parent_path() / "plugins").string());
  }
  if (const char* home = std::getenv("XDG_DATA_HOME"); home != nullptr && *home != '\0') {
    search.folders.push_back(absl::StrCat(home, "/tidemark/plugins"));
  } else if (const char* user = std::getenv("HOME"); user != nullptr && *user != '\0') {
    search.folders.push_back(absl::StrCat(user, "/.local/share/tidemark/plugins"));
  }
  search.folders.emplace_back(kSystemFolder);
  return search;
}

std::vector<std::string> ListPluginFiles(const PluginSearch& search) {
  std::vector<std::string> files;
  std::set<std::string> names;
  for (const std::string& folder : search.folders) {
    std::error_code error;
    std::vector<std::string> here;
    for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
      if (it->path().extension() == ".so") here.push_back(it->path().string());
    }
    std::sort(here.begin(), here.end());
    for (std::string& path : here) {
      if (names.insert(Stem(path)).second) files.push_back(std::move(path));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const std::string& a, const std::string& b) { return Stem(a) < Stem(b); });
  return files;
}

absl::StatusOr<std::string> FindPlugin(const PluginSearch& search, const std::string& id,
                                       const PluginDescriber& describe) {
  const std::vector<std::string> files = ListPluginFiles(search);
  std::vector<std::string> known;
  for (const std::string& file : files) {
    if (Stem(file) == id) return file;
    known.push_back(Stem(file));
  }
  for (const std::string& file : files) {
    const absl::StatusOr<ConnectorDescription> description = describe(file);
    if (!description.ok()) continue;
    if (description->id == id) return file;
    known.push_back(description->id);
  }
  std::string text = absl::StrCat("no plugin \"", id, "\"");
  const std::string nearest = NearestName(id, known);
  if (!nearest.empty()) absl::StrAppend(&text, "; did you mean \"", nearest, "\"?");
  absl::StrAppend(&text, " Searched ", absl::StrJoin(search.folders, ", "),
                  " (--plugin-path adds folders; `tidemark plugins list` shows what is there)");
  return AsUsage(absl::NotFoundError(text));
}

}  // namespace tidemark
