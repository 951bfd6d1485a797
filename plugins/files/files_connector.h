// Reads CSV and NDJSON files.
#ifndef TIDEMARK_FILES_FILES_CONNECTOR_H_
#define TIDEMARK_FILES_FILES_CONNECTOR_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "files/file_options.h"
#include "files/input_file.h"
#include "tidemark/abilities.h"
#include "tidemark/connector.h"

namespace tidemark::files {

inline constexpr uint32_t kStateFormat = 1;

// The places of a table's files by name. State: {"format": 1, "files": {name: {"offset", "line",
// "size", "modified", "head", "tail"}}}.
using FilePlaces = std::map<std::string, FilePlace>;

// DATA_LOSS if it is damaged, FAILED_PRECONDITION if it is of a newer format.
absl::StatusOr<FilePlaces> ReadPlaces(absl::string_view table, absl::string_view body);

// The connector of files.so. Threads: as abilities.h says for each call.
class FilesConnector final : public Connector, public Checkable, public StateValidator {
 public:
  static absl::StatusOr<std::unique_ptr<FilesConnector>> Create(const Config& config);

  absl::StatusOr<tidemark::Schema> Schema() override;
  absl::Status Check() override { return Schema().status(); }
  absl::Status Update(const UpdateRequest& request, Sink& sink) override;
  absl::Status ValidateState(absl::Span<const StateEntry> entries) override;

 private:
  explicit FilesConnector(FileOptions options) : options_(std::move(options)) {}

  absl::Status UpdateTable(const std::string& table, const std::vector<FoundFile>& files,
                           const UpdateRequest& request, Sink& sink);

  const FileOptions options_;
  std::map<std::string, std::vector<FoundFile>> tables_;  // as Schema() last saw them
};

}  // namespace tidemark::files

#endif  // TIDEMARK_FILES_FILES_CONNECTOR_H_
