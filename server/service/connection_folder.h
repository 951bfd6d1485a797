// A folder of connection files as texts. Anything may lie in it; nothing in it stops the others.
#ifndef TIDEMARK_SERVICE_CONNECTION_FOLDER_H_
#define TIDEMARK_SERVICE_CONNECTION_FOLDER_H_

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/clock.h"

namespace tidemark {

inline constexpr size_t kMaxDefinition = 1024 * 1024;  // bytes of one definition

struct ConnectionFile {
  std::string path;
  // The same object as long as the content is the same; null: it cannot be read.
  std::shared_ptr<const std::string> text;
  std::string problem;  // why it cannot be read: "PATH: ..."
};

// Reads *.yaml and *.yml that begin with no dot (temporary files of editors do), and nothing in the
// folders below. Links are followed as far as they are relative and stay within the folder, as
// those of a mounted ConfigMap do. One that leads out of it is a problem of its file: whoever may
// write to the folder may not make this user read other files. Confined to one thread at a time.
class ConnectionFolder {
 public:
  ConnectionFolder(std::string folder, Clock* clock);

  const std::string& path() const { return folder_; }

  // Every file, sorted by path. Reads again only what looks changed (size, times, inode). The
  // folder cannot be listed or holds more than 10,000 files: an error, and what was read stays.
  absl::StatusOr<std::vector<ConnectionFile>> Read();

  // Whether Read() would find something else; looks at times only, about 1 ms for 1,000 files.
  bool Changed();
  // The next Changed() is true.
  void Forget() { forgotten_ = true; }

  // Of the .env file beside them, as Read() found them; the last good ones while it is broken.
  const std::map<std::string, std::string>& variables() const { return variables_; }
  const std::string& variables_problem() const { return variables_problem_; }

 private:
  // What tells that a file was written to. `fresh`: so recently that a further write may leave no
  // trace in its times.
  struct Stamp {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t bytes = 0;
    int64_t modified_ns = 0;
    int64_t changed_ns = 0;
    bool fresh = false;

    bool Same(const Stamp& other) const;
  };
  struct Known {
    Stamp stamp;
    ConnectionFile file;
  };
  struct Content {
    Stamp stamp;
    std::string text;
    std::string problem;
  };

  absl::StatusOr<std::vector<std::string>> Names() const;
  Stamp StampOf(const struct stat& status) const;
  Stamp Look(const std::string& path) const;
  Content ReadFile(const std::string& name) const;
  void ReadVariables();

  const std::string folder_;
  Clock* const clock_;
  bool forgotten_ = true;
  std::map<std::string, Known> known_;  // by path
  Stamp variables_stamp_;
  std::map<std::string, std::string> variables_;
  std::string variables_problem_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONNECTION_FOLDER_H_
