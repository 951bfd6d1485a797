// What the configuration asks of the connector.
#ifndef TIDEMARK_FILES_FILE_OPTIONS_H_
#define TIDEMARK_FILES_FILE_OPTIONS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "files/value_text.h"
#include "tidemark/config.h"

namespace tidemark::files {

enum class Format { kAuto, kCsv, kNdjson };

struct FileOptions {
  std::string path;   // with * ? [..], or a folder
  std::string table;  // empty: each file's name without its ending
  Format format = Format::kAuto;
  std::vector<std::string> primary_key;
  std::map<std::string, TypeText> columns;  // declared types
  bool header = true;
  bool typed_header = false;
  std::vector<std::string> column_names;  // without a header
  char delimiter = ',';
  char quote = '"';
  std::string null_text;  // unquoted
  bool infer = true;
  absl::Duration settle;  // for a last line without an end

  // INVALID_ARGUMENT names the option.
  static absl::StatusOr<FileOptions> Read(const Config& config);
};

// A file to read. name: its path below the part of the option that has no wildcard.
struct FoundFile {
  std::string path;
  std::string name;
  std::string table;
  Format format = Format::kCsv;
};

// By name. NOT_FOUND when there is none.
absl::StatusOr<std::vector<FoundFile>> FindFiles(const FileOptions& options);

}  // namespace tidemark::files

#endif  // TIDEMARK_FILES_FILE_OPTIONS_H_
