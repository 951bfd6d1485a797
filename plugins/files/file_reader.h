// Reads the records of one file into rows.
#ifndef TIDEMARK_FILES_FILE_READER_H_
#define TIDEMARK_FILES_FILE_READER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "files/csv_parser.h"
#include "files/file_options.h"
#include "files/input_file.h"
#include "rest/json_record.h"
#include "tidemark/sink.h"

namespace tidemark::files {

// The columns of a CSV file, by its header or the options.
struct CsvColumn {
  std::string name;
  Type type = kUndeclared;
  int32_t precision = 0;
  int32_t scale = 0;
};
// INVALID_ARGUMENT if two have one name or one has none. Afterwards the file stands before its
// first row.
absl::StatusOr<std::vector<CsvColumn>> ReadColumns(InputFile& file, const FileOptions& options);

// Confined to one thread; borrows what it was given.
class FileReader {
 public:
  struct Run {
    const FoundFile& found;
    const FileOptions& options;
    Sink& sink;
    absl::Time now;
    uint64_t page_rows = 1000;
    // Commits what was emitted, with the place of this file.
    std::function<absl::Status(const FilePlace&)> checkpoint;
  };

  explicit FileReader(Run run) : run_(std::move(run)) {}

  // From `known` on, if the file goes on from there, else from the start. Ends behind the last
  // whole record; a last record without a line end is taken when the file has been left alone for
  // options.settle.
  absl::StatusOr<FilePlace> Read(const std::optional<FilePlace>& known);

 private:
  // Finds where to begin; false: there is nothing new.
  absl::StatusOr<bool> Begin(const std::optional<FilePlace>& known);
  // Takes one record off the front, or asks for more.
  absl::StatusOr<bool> TakeRecord();
  absl::Status EmitCsv(absl::string_view bytes);
  absl::Status EmitJson(absl::string_view line);
  absl::StatusOr<Value> JsonToValue(const rest::JsonValue& value, Type type);
  Type TypeOf(absl::string_view column) const;
  absl::Status Reject(absl::string_view record, absl::string_view why);
  // Whether a record without a line end may be taken.
  bool EndsHere() const { return file_->at_end() && settled_; }

  const Run run_;
  std::unique_ptr<InputFile> file_;
  bool settled_ = false;
  bool open_end_ = false;  // the last record that was taken had no line end
  uint64_t record_line_ = 0;
  std::vector<CsvColumn> columns_;
  std::optional<CsvParser> csv_;
  rest::JsonRecord json_;
  std::vector<Field> row_;
  std::vector<std::string> kept_;  // texts that row_ views
  uint64_t rows_ = 0;
};

}  // namespace tidemark::files

#endif  // TIDEMARK_FILES_FILE_READER_H_
