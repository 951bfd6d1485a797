#include "service/connection_names.h"

#include "absl/strings/str_cat.h"
#include "control/connection.h"

namespace tidemark {

std::map<std::string, GivenName> GiveNames(
    const std::vector<NameRequest>& files,
    const std::function<bool(const std::string& name)>& is_of_api) {
  std::map<std::string, std::string> owners;  // name -> path
  std::map<std::string, GivenName> given;
  std::vector<const NameRequest*> losers;
  for (const NameRequest& file : files) {
    std::string whose = "a connection of the API";
    if (!is_of_api(file.name)) {
      const auto [owner, fresh] = owners.emplace(file.name, file.path);
      if (fresh) {
        given[file.path].name = file.name;
        continue;
      }
      whose = owner->second;
    }
    given[file.path].problem = absl::StrCat(file.path, ": name: \"", file.name,
                                            "\" is the name of ", whose, "; give this one another");
    losers.push_back(&file);
  }
  for (const NameRequest* file : losers) {
    std::string name = file->known;
    const std::string base = DefaultConnectionName(file->path);
    for (int i = 1; name.empty() || is_of_api(name) || !owners.emplace(name, file->path).second;
         ++i) {
      name = i == 1 ? base : absl::StrCat(base.substr(0, 90), "-", i);
    }
    given[file->path].name = name;
  }
  return given;
}

}  // namespace tidemark
