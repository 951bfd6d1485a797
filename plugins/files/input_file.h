// A file that grows, and how far it was read.
#ifndef TIDEMARK_FILES_INPUT_FILE_H_
#define TIDEMARK_FILES_INPUT_FILE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace tidemark::files {

// How far a file was read, and what it looked like. A value; thread-compatible.
struct FilePlace {
  uint64_t offset = 0;      // bytes that were read, up to the end of a record
  uint64_t line = 0;        // lines before the offset
  uint64_t size = 0;        // of the whole file then
  int64_t modified_us = 0;  // since 1970
  std::string head;         // digest of the first bytes, at most 4096, that were read
  std::string tail;         // digest of the last ones
  bool open_end = false;    // the last record had no line end

  nlohmann::json ToJson() const;
  static std::optional<FilePlace> FromJson(const nlohmann::json& json);
};

// Reads a file up to the size it had when it was opened. Confined to one thread.
class InputFile {
 public:
  static absl::StatusOr<std::unique_ptr<InputFile>> Open(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  uint64_t size() const { return size_; }
  absl::Time modified() const { return absl::FromUnixMicros(modified_us_); }

  // Goes to a place; what follows is read from there.
  void Seek(uint64_t offset, uint64_t line);
  // Reads another block behind what is buffered; at_end() when there is none.
  absl::Status ReadMore();
  absl::string_view buffered() const { return absl::string_view(buffer_).substr(taken_); }
  // Whether what is buffered is all the rest.
  bool at_end() const { return read_ == size_; }
  // Takes bytes from the front of what is buffered, and counts their lines.
  void Take(size_t size);
  uint64_t offset() const { return offset_; }
  uint64_t line() const { return line_; }  // lines taken

  // The place behind what was taken.
  absl::StatusOr<FilePlace> Place(bool open_end) const;
  // Whether the bytes before the offset are those of the place, as far as its digests tell.
  absl::StatusOr<bool> Continues(const FilePlace& place) const;

 private:
  InputFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  absl::StatusOr<std::string> Bytes(uint64_t offset, uint64_t size) const;
  absl::StatusOr<std::string> HeadDigest(uint64_t offset) const;
  absl::StatusOr<std::string> TailDigest(uint64_t offset) const;

  const int fd_;
  const std::string path_;
  uint64_t size_ = 0;
  int64_t modified_us_ = 0;
  std::string buffer_;
  size_t taken_ = 0;     // of the buffer
  uint64_t read_ = 0;    // place in the file behind the buffer
  uint64_t offset_ = 0;  // place in the file of what is buffered
  uint64_t line_ = 0;
};

}  // namespace tidemark::files

#endif  // TIDEMARK_FILES_INPUT_FILE_H_
