// A list of byte strings that may be longer than memory: verification keeps there the rows of
// tables that cannot be read in order, and the keys that differ. It spills to an unlinked temporary
// file.
#ifndef TIDEMARK_CONTROL_RECORD_SPOOL_H_
#define TIDEMARK_CONTROL_RECORD_SPOOL_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark {

// Confined to one thread. First everything is appended, then it is read, as often as one likes.
class RecordSpool {
 public:
  // More than `memory_bytes` go to the file.
  explicit RecordSpool(size_t memory_bytes = size_t{256} * 1024) : memory_bytes_(memory_bytes) {}
  RecordSpool(RecordSpool&&) = default;
  RecordSpool& operator=(RecordSpool&&) = default;

  // RESOURCE_EXHAUSTED: the temporary folder has no room.
  absl::Status Append(absl::string_view record);
  uint64_t count() const { return count_; }

  // Reading begins at the first record.
  absl::Status Rewind();
  // False: there is no further one.
  absl::StatusOr<bool> Next(std::string* record);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  absl::Status Spill();
  bool Take(char* bytes, size_t size);

  size_t memory_bytes_;
  std::string memory_;   // what is not in the file
  size_t position_ = 0;  // in memory_, when reading
  std::unique_ptr<std::FILE, Close> file_;
  uint64_t file_left_ = 0;  // bytes to be read
  uint64_t file_bytes_ = 0;
  uint64_t count_ = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_RECORD_SPOOL_H_
