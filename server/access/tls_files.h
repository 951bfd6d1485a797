// Certificate, key and client CA of the server as files: checked before they are used, and looked
// at for changes while the server runs.
#ifndef TIDEMARK_ACCESS_TLS_FILES_H_
#define TIDEMARK_ACCESS_TLS_FILES_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/clock.h"

namespace tidemark {

struct TlsPaths {
  std::string certificate;  // PEM: the server's own, then those between it and the root
  std::string key;          // PEM, without a passphrase
  std::string client_ca;    // PEM; empty: clients present no certificate
};

// What gRPC takes.
struct TlsMaterial {
  std::string certificate;  // PEM, as in the files
  std::string key;          // to be wiped
  std::string client_ca;
  absl::Time expires_at;              // the first certificate of all that expires
  std::vector<std::string> warnings;  // "expires in 3 days", for the log
};

// Confined to one thread.
class TlsFiles {
 public:
  static constexpr absl::Duration kWarnBefore = absl::Hours(24 * 14);

  // The clock must outlive it.
  TlsFiles(TlsPaths paths, Clock& clock) : paths_(std::move(paths)), clock_(clock) {}

  // Reads and checks the three: they exist, are PEM, the key is the certificate's and others cannot
  // read it, and nothing is expired or not yet valid. NOT_FOUND, PERMISSION_DENIED,
  // INVALID_ARGUMENT or FAILED_PRECONDITION name the file and what to do.
  absl::StatusOr<TlsMaterial> Read();

  // Whether a file is another one than at the last Read(), whatever came of that (device, inode,
  // size, time of change): then Read() again, and keep the material in use where it fails. Costs
  // three stat() calls.
  bool Changed() const;

 private:
  struct Mark {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = -1;
    int64_t changed_ns = 0;
    friend bool operator==(const Mark&, const Mark&) = default;
  };
  using Marks = std::array<Mark, 3>;

  static Mark MarkOf(const std::string& path);
  Marks CurrentMarks() const;

  const TlsPaths paths_;
  Clock& clock_;
  Marks marks_;
};

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_TLS_FILES_H_
