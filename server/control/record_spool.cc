#include "control/record_spool.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

absl::Status FileError(absl::string_view what) {
  return absl::ResourceExhaustedError(absl::StrCat(
      "a temporary file for the comparison cannot be ", what, ": ", std::strerror(errno),
      "; make room for temporary files, or verify one table at a time"));
}

}  // namespace

absl::Status RecordSpool::Append(absl::string_view record) {
  const auto size = static_cast<uint32_t>(record.size());
  memory_.append(reinterpret_cast<const char*>(&size), sizeof(size));
  memory_.append(record.data(), record.size());
  ++count_;
  return memory_.size() > memory_bytes_ ? Spill() : absl::OkStatus();
}

absl::Status RecordSpool::Spill() {
  if (file_ == nullptr) {
    file_.reset(std::tmpfile());
    if (file_ == nullptr) return FileError("made");
  }
  if (std::fwrite(memory_.data(), 1, memory_.size(), file_.get()) != memory_.size()) {
    return FileError("written");
  }
  file_bytes_ += memory_.size();
  memory_.clear();
  return absl::OkStatus();
}

absl::Status RecordSpool::Rewind() {
  position_ = 0;
  file_left_ = file_bytes_;
  if (file_ == nullptr) return absl::OkStatus();
  if (std::fflush(file_.get()) != 0) return FileError("written");
  if (std::fseek(file_.get(), 0, SEEK_SET) != 0) return FileError("read");
  return absl::OkStatus();
}

bool RecordSpool::Take(char* bytes, size_t size) {
  if (size == 0) return true;
  if (file_left_ > 0) {  // a record lies whole in the file or in memory
    file_left_ -= std::min<uint64_t>(file_left_, size);
    return std::fread(bytes, 1, size, file_.get()) == size;
  }
  if (memory_.size() - position_ < size) return false;
  std::memcpy(bytes, memory_.data() + position_, size);
  position_ += size;
  return true;
}

absl::StatusOr<bool> RecordSpool::Next(std::string* record) {
  if (file_left_ == 0 && position_ == memory_.size()) return false;
  uint32_t size = 0;
  if (!Take(reinterpret_cast<char*>(&size), sizeof(size))) return FileError("read");
  record->resize(size);
  if (!Take(record->data(), size)) return FileError("read");
  return true;
}

}  // namespace tidemark
