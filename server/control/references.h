// References in configuration text: ${env:NAME}, ${NAME}, ${NAME:-default}, ${file:PATH},
// ${secret:NAME} (of a server), $$.
#ifndef TIDEMARK_CONTROL_REFERENCES_H_
#define TIDEMARK_CONTROL_REFERENCES_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "control/config_node.h"

namespace tidemark {

// Looks a variable up; nullopt: not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// Looks a secret of the server up. Errors name it and say what to do.
using SecretLookup = std::function<absl::StatusOr<std::string>(absl::string_view name)>;

// Where values come from. What is not there is refused where a reference asks for it.
struct ReferenceSources {
  Environment environment;  // null: ${env:NAME} and ${NAME} are refused
  bool files = true;        // false: ${file:PATH} is refused
  SecretLookup secret;      // null: ${secret:NAME} is refused
};

// The process's environment, then `more` (a .env file).
Environment ProcessEnvironment(std::map<std::string, std::string> more);

// NAME=value lines; "export " and quotes around the value are allowed, # begins a comment.
// INVALID_ARGUMENT names label and line.
absl::StatusOr<std::map<std::string, std::string>> ParseDotEnv(absl::string_view label,
                                                               absl::string_view text);

// Replaces the references in every scalar of `node`. Files are read beneath `folder` when their
// path is relative. Appends one "line N: ..." problem per reference that has no value (texts of
// problems never hold values), and to `secrets` every value that came from a file, from the
// server's secrets, or from a variable whose name says it is one (NamesSecret).
void ResolveReferences(const ReferenceSources& sources, const std::string& folder, ConfigNode* node,
                       std::vector<std::string>* problems, std::vector<std::string>* secrets);

// True for API_TOKEN, clientSecret, password, ..KEY and the like.
bool NamesSecret(absl::string_view name);

// A whole file of at most `max_bytes`. NOT_FOUND, PERMISSION_DENIED or OUT_OF_RANGE name the path.
absl::StatusOr<std::string> ReadTextFile(const std::string& path, size_t max_bytes);
// Replaces the file in one step (written beside it and renamed).
absl::Status WriteTextFile(const std::string& path, absl::string_view text);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_REFERENCES_H_
