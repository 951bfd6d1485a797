#include "files/input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "cursors/text_digest.h"

namespace tidemark::files {
namespace {

constexpr uint64_t kBlock = 256 * 1024;
constexpr uint64_t kDigested = 4096;

absl::Status FileError(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", what, " ", path));
}

}  // namespace

nlohmann::json FilePlace::ToJson() const {
  nlohmann::json json = {{"offset", offset},        {"line", line}, {"size", size},
                         {"modified", modified_us}, {"head", head}, {"tail", tail}};
  if (open_end) json["open_end"] = true;
  return json;
}

std::optional<FilePlace> FilePlace::FromJson(const nlohmann::json& json) {
  FilePlace place;
  if (!json.is_object()) return std::nullopt;
  const auto number = [&json](const char* name, auto* out) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_number_integer()) return false;
    *out = found->template get<std::decay_t<decltype(*out)>>();
    return true;
  };
  const auto text = [&json](const char* name, std::string* out) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_string()) return false;
    *out = found->get<std::string>();
    return true;
  };
  if (!number("offset", &place.offset) || !number("line", &place.line) ||
      !number("size", &place.size) || !number("modified", &place.modified_us) ||
      !text("head", &place.head) || !text("tail", &place.tail)) {
    return std::nullopt;
  }
  place.open_end = json.contains("open_end");
  return place;
}

absl::StatusOr<std::unique_ptr<InputFile>> InputFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError("open", path);
  auto file = absl::WrapUnique(new InputFile(fd, path));
  struct stat about = {};
  if (fstat(fd, &about) != 0) return FileError("look at", path);
  file->size_ = static_cast<uint64_t>(about.st_size);
  file->modified_us_ = int64_t{about.st_mtim.tv_sec} * 1'000'000 + about.st_mtim.tv_nsec / 1000;
  return file;
}

InputFile::~InputFile() { close(fd_); }

void InputFile::Seek(uint64_t offset, uint64_t line) {
  buffer_.clear();
  taken_ = 0;
  read_ = offset_ = std::min(offset, size_);
  line_ = line;
}

absl::Status InputFile::ReadMore() {
  buffer_.erase(0, taken_);
  taken_ = 0;
  absl::StatusOr<std::string> bytes = Bytes(read_, std::min(kBlock, size_ - read_));
  if (!bytes.ok()) return bytes.status();
  if (bytes->empty() && read_ < size_) {
    return absl::AbortedError(absl::StrCat(path_, " became shorter while it was read"));
  }
  buffer_ += *bytes;
  read_ += bytes->size();
  return absl::OkStatus();
}

void InputFile::Take(size_t size) {
  const absl::string_view bytes = buffered().substr(0, size);
  line_ += static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
  taken_ += bytes.size();
  offset_ += bytes.size();
}

absl::StatusOr<std::string> InputFile::Bytes(uint64_t offset, uint64_t size) const {
  std::string bytes(size, '\0');
  size_t have = 0;
  while (have < size) {
    const ssize_t n =
        pread(fd_, bytes.data() + have, size - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FileError("read", path_);
    if (n == 0) break;
    have += static_cast<size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

absl::StatusOr<std::string> InputFile::HeadDigest(uint64_t offset) const {
  absl::StatusOr<std::string> bytes = Bytes(0, std::min(offset, kDigested));
  if (!bytes.ok()) return bytes.status();
  return cursors::TextDigest(*bytes);
}

absl::StatusOr<std::string> InputFile::TailDigest(uint64_t offset) const {
  const uint64_t size = std::min(offset, kDigested);
  absl::StatusOr<std::string> bytes = Bytes(offset - size, size);
  if (!bytes.ok()) return bytes.status();
  return cursors::TextDigest(*bytes);
}

absl::StatusOr<FilePlace> InputFile::Place(bool open_end) const {
  absl::StatusOr<std::string> head = HeadDigest(offset_);
  if (!head.ok()) return head.status();
  absl::StatusOr<std::string> tail = TailDigest(offset_);
  if (!tail.ok()) return tail.status();
  return FilePlace{.offset = offset_,
                   .line = line_,
                   .size = size_,
                   .modified_us = modified_us_,
                   .head = *std::move(head),
                   .tail = *std::move(tail),
                   .open_end = open_end};
}

absl::StatusOr<bool> InputFile::Continues(const FilePlace& place) const {
  if (place.offset > size_) return false;
  // Written over without growing.
  if (size_ == place.size && modified_us_ != place.modified_us) return false;
  absl::StatusOr<std::string> head = HeadDigest(place.offset);
  if (!head.ok()) return head.status();
  absl::StatusOr<std::string> tail = TailDigest(place.offset);
  if (!tail.ok()) return tail.status();
  return *head == place.head && *tail == place.tail;
}

}  // namespace tidemark::files
