#include "control/python_interpreter.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace tidemark {
namespace {

bool Runs(const std::string& path) { return access(path.c_str(), X_OK) == 0; }

// Empty where the variable is not set.
std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

absl::StatusOr<std::string> FindPython(const std::string& connector_file) {
  if (std::string chosen = Variable("TIDEMARK_PYTHON"); !chosen.empty()) {
    if (Runs(chosen)) return chosen;
    return absl::NotFoundError(
        absl::StrCat("TIDEMARK_PYTHON: ", chosen, " is no program that can be run"));
  }
  const std::string folder = std::filesystem::path(connector_file).parent_path().string();
  for (const char* environment : {".venv", "venv"}) {
    std::string path = absl::StrCat(folder, "/", environment, "/bin/python3");
    if (Runs(path)) return path;
  }
  for (const absl::string_view part : absl::StrSplit(Variable("PATH"), ':', absl::SkipEmpty())) {
    std::string path = absl::StrCat(part, "/python3");
    if (Runs(path)) return path;
  }
  return absl::NotFoundError(
      "a connector in Python needs python3: there is none on PATH, and no .venv beside the "
      "connector; name one in TIDEMARK_PYTHON");
}

}  // namespace tidemark
