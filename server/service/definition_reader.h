// What a definition means on a server: the connection it describes, within what its origin may ask
// for.
#ifndef TIDEMARK_SERVICE_DEFINITION_READER_H_
#define TIDEMARK_SERVICE_DEFINITION_READER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "control/connection.h"
#include "control/references.h"
#include "service/connection_entry.h"

namespace tidemark {

// What one text turned out to be.
struct ExaminedDefinition {
  std::shared_ptr<const std::string> text;  // null: the file cannot be read
  std::string name;                         // empty: it gives none
  ConnectionEntry entry;  // usable or with a problem; without name, version and pause
  std::vector<std::string> warnings;
};

// Thread-safe: keeps nothing between calls.
class DefinitionReader {
 public:
  // `data_folder` is the catalog's, without links.
  DefinitionReader(std::string data_folder, SecretLookup secret);

  // Where relative paths of definitions of the API begin; made by whoever stores one.
  const std::string& api_folder() const { return api_folder_; }

  // `file` is how messages call it: the path of a file of the folder, "connection NAME" of the API.
  // `variables` are those of the folder's .env. IsUsage() holds for every error, each problem a
  // line.
  absl::StatusOr<Connection> Read(ConnectionOrigin origin, const std::string& file,
                                  absl::string_view yaml,
                                  const std::map<std::string, std::string>& variables) const;
  // The same without secrets, and never an error.
  ExaminedDefinition Examine(ConnectionOrigin origin, const std::string& file,
                             std::shared_ptr<const std::string> text,
                             const std::map<std::string, std::string>& variables) const;

 private:
  absl::Status CheckLimits(ConnectionOrigin origin, const Connection& connection) const;
  bool IsReserved(const std::string& path) const;

  const std::string data_folder_;
  const std::string api_folder_;
  const SecretLookup secret_;
};

// The `name` that a text gives, also where the rest of it is not valid; empty: none that could be
// one.
std::string NameInDefinition(absl::string_view yaml);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_DEFINITION_READER_H_
