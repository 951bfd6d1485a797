// Which file of a folder has which connection's name.
#ifndef TIDEMARK_SERVICE_CONNECTION_NAMES_H_
#define TIDEMARK_SERVICE_CONNECTION_NAMES_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tidemark {

struct NameRequest {
  std::string path;
  std::string name;   // that the file asks for
  std::string known;  // that it had before; may be empty
};

struct GivenName {
  std::string name;
  std::string problem;  // not empty: another one has the name that was asked for
};

// By path. The first by path gets the name it asks for, unless a connection of the API has it;
// others go on under the name they had, or get one that is free. All names differ. REQUIRES: sorted
// by path.
std::map<std::string, GivenName> GiveNames(
    const std::vector<NameRequest>& files,
    const std::function<bool(const std::string& name)>& is_of_api);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONNECTION_NAMES_H_
