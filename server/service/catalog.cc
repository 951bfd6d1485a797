#include "service/catalog.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/failpoint.h"
#include "core/file_system.h"
#include "core/time_text.h"
#include "service/connection_rows.h"

namespace tidemark {
namespace {

constexpr int64_t kApplicationId = 0x746d4361;  // "tmCa", PRAGMA application_id
// Larger files are not read as a whole at each start; SQLite still checks every page it uses.
constexpr off_t kMaxCheckedBytes = off_t{256} << 20;

// Step N leads from user_version N to N + 1.
using Step = absl::Status (*)(SqliteConnection& catalog);
constexpr Step kSteps[] = {&CreateConnectionRows};
constexpr int64_t kVersion = std::size(kSteps);

absl::StatusOr<int64_t> Number(SqliteConnection& catalog, absl::string_view sql) {
  absl::StatusOr<SqliteStatement*> query = catalog.Query(sql);
  if (!query.ok()) return query.status();
  absl::StatusOr<bool> row = catalog.Next(**query);
  if (!row.ok()) return row.status();
  const int64_t number = *row ? (*query)->Int(0) : 0;
  (*query)->Reset();
  return number;
}

absl::Status Damaged(absl::string_view path, absl::string_view found) {
  return absl::DataLossError(absl::StrCat(
      path, " is damaged (", found,
      "); nothing was changed. Restore a copy of it, or move it away and start again: connections "
      "of the folder come back by themselves, those of the API, tokens, secrets and the history of "
      "syncs must be made again; what stands at the destinations is not touched"));
}

absl::Status CheckIntegrity(SqliteConnection& catalog) {
  struct stat status = {};
  if (stat(catalog.path().c_str(), &status) == 0 && status.st_size > kMaxCheckedBytes) {
    return absl::OkStatus();
  }
  absl::StatusOr<SqliteStatement*> query = catalog.Query("PRAGMA quick_check(1)");
  if (!query.ok()) return query.status();
  absl::StatusOr<bool> row = catalog.Next(**query);
  if (!row.ok()) return row.status();
  const std::string found = *row ? (*query)->String(0) : "no answer";
  (*query)->Reset();
  return found == "ok" ? absl::OkStatus() : absl::DataLossError(found);
}

absl::Status TakeSteps(SqliteConnection& catalog) {
  if (absl::Status status = catalog.Run("BEGIN EXCLUSIVE"); !status.ok()) return status;
  absl::StatusOr<int64_t> version = Number(catalog, "PRAGMA user_version");
  absl::StatusOr<int64_t> application = Number(catalog, "PRAGMA application_id");
  absl::StatusOr<int64_t> tables = Number(catalog, "SELECT count(*) FROM sqlite_schema");
  for (const absl::Status& status : {version.status(), application.status(), tables.status()}) {
    if (!status.ok()) return status;
  }
  const bool empty = *application == 0 && *version == 0 && *tables == 0;
  if (!empty && *application != kApplicationId) {
    return absl::FailedPreconditionError(
        absl::StrCat(catalog.path(), " is no catalog of Tidemark; choose another data folder"));
  }
  if (*version > kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        catalog.path(), " was written by a newer version of Tidemark (format ", *version,
        ", this one knows ", kVersion, "); start that version, or restore a copy made before it"));
  }
  for (int64_t step = *version; step < kVersion; ++step) {
    if (absl::Status status = kSteps[step](catalog); !status.ok()) return status;
  }
  if (*version < kVersion) {
    const std::string sql = absl::StrCat("PRAGMA application_id = ", kApplicationId,
                                         "; PRAGMA user_version = ", kVersion);
    if (absl::Status status = catalog.Execute(sql); !status.ok()) return status;
  }
  return catalog.Run("COMMIT");
}

absl::Status Prepare(SqliteConnection& catalog) {
  // WAL with FULL: what was committed is there after a loss of power (reference: SQLite, wal.html).
  // The history of syncs only grows and is hardly read: few pages of it are worth their memory.
  for (const char* pragma :
       {"PRAGMA trusted_schema=OFF", "PRAGMA cell_size_check=ON", "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL", "PRAGMA cache_size=-512"}) {
    if (absl::Status status = catalog.Execute(pragma); !status.ok()) return status;
  }
  if (absl::Status status = CheckIntegrity(catalog); !status.ok()) return status;
  absl::Status status = TakeSteps(catalog);
  if (!catalog.autocommit()) catalog.Run("ROLLBACK").IgnoreError();
  catalog.DropStatements();  // those of before the steps
  return status;
}

absl::Status CheckFolder(const std::string& folder) {
  struct stat status = {};
  if (stat(folder.c_str(), &status) != 0) {
    return absl::UnavailableError(absl::StrCat(folder, ": ", std::strerror(errno)));
  }
  if (status.st_uid != geteuid()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the data folder ", folder, " belongs to user ", status.st_uid,
                     ", and this is user ", geteuid(), "; start the server as its owner"));
  }
  if ((status.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the data folder ", folder,
        " is open to others, and secrets lie in it; close it (chmod 0700 ", folder, ")"));
  }
  return absl::OkStatus();
}

// Made before SQLite would make it with the mode of the process's mask; its -wal and -shm take the
// mode of the file.
absl::Status MakePrivate(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " cannot be opened (", std::strerror(errno), "); it must be a file of this user"));
  }
  const bool closed = fchmod(fd, 0600) == 0;
  const int error = errno;
  close(fd);
  if (closed) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(path, ": ", std::strerror(error)));
}

}  // namespace

// An OFD lock: gone with the process, whatever ends it. The file stays, with who has it.
class Catalog::FolderLock {
 public:
  static absl::StatusOr<std::unique_ptr<FolderLock>> Acquire(const std::string& folder,
                                                             absl::Time now) {
    const std::string path = absl::StrCat(folder, "/lock");
    std::unique_ptr<FolderLock> held(
        new FolderLock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)));
    if (held->fd_ < 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("the lock file ", path, " cannot be made (", std::strerror(errno), ")"));
    }
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (fcntl(held->fd_, F_OFD_SETLK, &lock) != 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("another server", held->Holder(), " has the data folder ", folder,
                       " open; stop it, or give this one a folder of its own"));
    }
    const std::string self = absl::StrCat(getpid(), " ", FormatReportTime(now), "\n");
    if (ftruncate(held->fd_, 0) != 0 || pwrite(held->fd_, self.data(), self.size(), 0) < 0) {
      return absl::ResourceExhaustedError(
          absl::StrCat(path, " cannot be written (", std::strerror(errno), ")"));
    }
    return held;
  }
  ~FolderLock() {
    if (fd_ >= 0) close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int fd) : fd_(fd) {}

  // " (pid 12, since 2026-01-01T00:00:00Z)"; nothing in the moment before it is written.
  std::string Holder() const {
    char text[64];
    const ssize_t bytes = pread(fd_, text, sizeof(text), 0);
    if (bytes <= 0 || text[bytes - 1] != '\n') return "";
    const std::pair<std::string, std::string> parts = absl::StrSplit(
        absl::string_view(text, static_cast<size_t>(bytes) - 1), absl::MaxSplits(' ', 1));
    return absl::StrCat(" (pid ", parts.first, ", since ", parts.second, ")");
  }

  const int fd_;
};

Catalog::Catalog(std::string folder, std::unique_ptr<FolderLock> lock,
                 std::unique_ptr<SqliteConnection> connection)
    : folder_(std::move(folder)), lock_(std::move(lock)), connection_(std::move(connection)) {}

Catalog::~Catalog() = default;

absl::StatusOr<std::unique_ptr<Catalog>> Catalog::Open(const std::string& folder, Clock* clock) {
  if (absl::Status s = FileSystem::Real().MakeFolder(folder); !s.ok()) return s;
  char resolved[PATH_MAX];
  if (realpath(folder.c_str(), resolved) == nullptr) {
    return absl::UnavailableError(absl::StrCat(folder, ": ", std::strerror(errno)));
  }
  const std::string real = resolved;
  if (absl::Status s = CheckFolder(real); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<FolderLock>> lock = FolderLock::Acquire(real, clock->Now());
  if (!lock.ok()) return lock.status();
  const std::string path = absl::StrCat(real, "/catalog.db");
  if (absl::Status s = MakePrivate(path); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<SqliteConnection>> connection =
      SqliteConnection::Open(path, SqliteConnection::Mode::kReadWrite);
  absl::Status status = connection.ok() ? Prepare(**connection) : connection.status();
  if (absl::IsDataLoss(status)) return Damaged(path, status.message());
  if (!status.ok()) return status;
  return std::unique_ptr<Catalog>(new Catalog(real, *std::move(lock), *std::move(connection)));
}

absl::Status Catalog::With(const std::function<absl::Status(SqliteConnection&)>& work) {
  MutexLock lock(mutex_);
  absl::Status status = work(*connection_);
  if (connection_->autocommit()) return status;
  connection_->Run("ROLLBACK").IgnoreError();
  return status.ok() ? absl::InternalError("a transaction of the catalog was left open") : status;
}

absl::Status Catalog::Transaction(const std::function<absl::Status(SqliteConnection&)>& work) {
  return With([&work](SqliteConnection& catalog) {
    absl::Status status = catalog.Run("BEGIN IMMEDIATE");
    if (status.ok()) status = Failpoint("catalog.begun");
    if (status.ok()) status = work(catalog);
    if (status.ok()) status = Failpoint("catalog.before_commit");
    if (status.ok()) status = catalog.Run("COMMIT");
    if (status.ok()) PassFailpoint("catalog.committed");
    return status;
  });
}

}  // namespace tidemark
