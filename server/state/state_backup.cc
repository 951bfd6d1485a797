#include "state/state_backup.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/digest.h"
#include "core/failpoint.h"
#include "core/time_text.h"
#include "nlohmann/json.hpp"
#include "state/chain_verifier.h"
#include "state/version_json.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kPieceBytes = 1024 * 1024;
constexpr char kSuffix[] = ".backup";
constexpr size_t kTimeLength = 23;  // 20240115T103000.000000Z
constexpr int kAttempts = 3;
constexpr int64_t kAbandonedUs = 3'600'000'000;

// "2024-01-15T10:30:00.000000Z" without its separators, as it stands in names of files.
std::string NameTime(int64_t us) {
  std::string text = FormatUtcMicros(us);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::optional<int64_t> ParseNameTime(absl::string_view text) {
  if (text.size() != kTimeLength || text[8] != 'T') return std::nullopt;
  const absl::StatusOr<ParsedTime> time =
      ParseTime(absl::StrCat(text.substr(0, 4), "-", text.substr(4, 2), "-", text.substr(6, 5), ":",
                             text.substr(11, 2), ":", text.substr(13)));
  if (!time.ok()) return std::nullopt;
  return time->us;
}

// A connection's name as it stands in names of files: that of a producer holds a '/'.
std::string NameOfFile(absl::string_view connection) {
  return absl::StrReplaceAll(connection, {{"/", "~"}});
}

// The time in "CONNECTION.TIME.backup"; nullopt: another file.
std::optional<int64_t> TimeOfName(absl::string_view name, absl::string_view connection) {
  if (!absl::ConsumeSuffix(&name, kSuffix) || !absl::ConsumePrefix(&name, NameOfFile(connection)) ||
      !absl::ConsumePrefix(&name, ".")) {
    return std::nullopt;
  }
  return ParseNameTime(name);
}

// Appends lines to a file and to a digest, a piece at a time.
class LineWriter {
 public:
  LineWriter(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  absl::Status Add(const std::string& line) {
    absl::StrAppend(&piece_, line, "\n");
    ++lines_;
    return piece_.size() < kPieceBytes ? absl::OkStatus() : Flush();
  }
  // The last line, and everything to the disk.
  absl::Status Finish() {
    digest_.AddBytes(piece_);
    absl::StrAppend(&piece_,
                    Json({{"lines", lines_}, {"blake2b256", Hex(digest_.Finish())}}).dump(), "\n");
    if (absl::Status status = files_.Append(path_, piece_); !status.ok()) return status;
    return files_.SyncFile(path_);
  }

 private:
  absl::Status Flush() {
    digest_.AddBytes(piece_);
    absl::Status status = files_.Append(path_, piece_);
    piece_.clear();
    return status;
  }

  FileSystem& files_;
  const std::string path_;
  std::string piece_;
  Digest digest_{32};
  uint64_t lines_ = 0;
};

// The history of an entry ends where its head stands.
absl::Status CheckEnd(const StateHead& head, const ChainVerifier& verifier) {
  if (verifier.last_version() == head.version && verifier.last_chain() == head.chain) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat("entry \"", head.entry, "\" stands at version ",
                                          head.version, " but its history ends at ",
                                          verifier.last_version()));
}

// `soundness` keeps the first thing that does not verify.
absl::Status WriteVersions(StateStore& store, const StateHead& head, LineWriter* out,
                           absl::Status* soundness) {
  ChainVerifier verifier(head.anchor);
  VersionQuery query;
  query.entry = head.entry;
  absl::Status status = store.ReadVersions(query, [&](StoredVersion& stored) -> absl::Status {
    // Versions behind the head came while this was read. An entry without a head keeps them all.
    if (head.version > 0 && stored.version.version > head.version) return absl::OkStatus();
    soundness->Update(stored.readable);
    if (soundness->ok()) *soundness = verifier.Add(stored.version);
    return out->Add(VersionToLine(stored.version, stored.readable));
  });
  if (status.ok() && soundness->ok()) *soundness = CheckEnd(head, verifier);
  return status;
}

bool SameAnchors(const std::vector<StateHead>& before, const std::vector<StateHead>& after) {
  for (const StateHead& head : before) {
    const auto found = std::find_if(after.begin(), after.end(), [&head](const StateHead& other) {
      return other.entry == head.entry;
    });
    if (found == after.end() || found->anchor != head.anchor) return false;
  }
  return true;
}

// ABORTED: retention moved an anchor meanwhile.
absl::Status WriteLines(StateStore& store, FileSystem& files, const std::string& path,
                        const BackupOptions& options, absl::Status* soundness) {
  *soundness = absl::OkStatus();
  absl::StatusOr<std::vector<StateHead>> heads = store.Heads();
  if (!heads.ok()) return heads.status();
  if (heads->empty()) {
    return absl::NotFoundError(absl::StrCat(store.Describe(), " holds no state of connection \"",
                                            options.connection, "\" yet"));
  }
  if (absl::Status status = files.WriteNew(path, ""); !status.ok()) return status;
  LineWriter out(files, path);
  absl::Status status = out.Add(Json({{"tidemark_state_backup", kBackupFormat},
                                      {"connection", options.connection},
                                      {"store", store.Describe()},
                                      {"created_at", FormatUtcMicros(options.now_us)},
                                      {"engine", options.engine}})
                                    .dump(-1, ' ', false, Json::error_handler_t::replace));
  for (const StateHead& head : *heads) {
    if (status.ok()) status = out.Add(HeadToLine(head));
    if (status.ok()) status = WriteVersions(store, head, &out, soundness);
  }
  if (status.ok()) status = out.Finish();
  if (!status.ok()) return status;
  absl::StatusOr<std::vector<StateHead>> after = store.Heads();
  if (!after.ok()) return after.status();
  if (SameAnchors(*heads, *after)) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("the history of connection \"", options.connection,
                                         "\" was shortened while it was backed up; try again"));
}

// What a killed backup left.
void RemoveAbandoned(FileSystem& files, const BackupOptions& options) {
  absl::StatusOr<std::vector<std::string>> names = files.List(options.folder);
  if (!names.ok()) return;
  for (const std::string& full : *names) {
    absl::string_view name = full;
    if (!absl::ConsumePrefix(&name, ".") || !absl::ConsumeSuffix(&name, ".tmp")) continue;
    const std::optional<int64_t> time = TimeOfName(name, options.connection);
    if (!time.has_value() || options.now_us - *time < kAbandonedUs) continue;
    files.Remove(absl::StrCat(options.folder, "/", full)).IgnoreError();
  }
}

absl::Status Rotate(FileSystem& files, const BackupOptions& options) {
  absl::StatusOr<std::vector<BackupFile>> backups =
      ListBackups(files, options.folder, options.connection);
  if (!backups.ok()) return backups.status();
  const size_t keep = static_cast<size_t>(std::max(options.keep, 1));
  for (size_t i = 0; i + keep < backups->size(); ++i) {
    absl::Status status = files.Remove((*backups)[i].path);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
  }
  return absl::OkStatus();
}

// The lines of a backup file after its checksum was verified.
absl::StatusOr<std::vector<absl::string_view>> CheckedLines(const std::string& path,
                                                            absl::string_view text) {
  const auto damaged = [&path](absl::string_view what) {
    return absl::DataLossError(
        absl::StrCat(path, " is damaged: ", what, "; take another backup of the same folder"));
  };
  if (!absl::StartsWith(text, "{\"tidemark_state_backup\":")) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is no backup of a state"));
  }
  if (!absl::ConsumeSuffix(&text, "\n")) return damaged("it ends in the middle of a line");
  const size_t last = text.rfind('\n');
  if (last == absl::string_view::npos) return damaged("it has one line only");
  const absl::string_view covered = text.substr(0, last + 1);
  const absl::string_view end = text.substr(last + 1);
  const Json trailer = Json::parse(end.begin(), end.end(), nullptr, false);
  if (!trailer.is_object() || !trailer.contains("blake2b256") || !trailer.contains("lines")) {
    return damaged("its last line is missing");
  }
  std::vector<absl::string_view> lines;
  for (size_t begin = 0; begin < covered.size();) {
    const size_t newline = covered.find('\n', begin);
    lines.push_back(covered.substr(begin, newline - begin));
    begin = newline + 1;
  }
  if (trailer["blake2b256"] != Hex(Blake2b256(covered)) || trailer["lines"] != lines.size()) {
    return damaged("its checksum does not fit its content");
  }
  return lines;
}

absl::Status ReadHeader(const std::string& path, absl::string_view line, StateBackup* backup) {
  const Json header = Json::parse(line.begin(), line.end(), nullptr, false);
  const auto text = [&header](const char* name) {
    const auto found = header.find(name);
    return found != header.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!header.is_object() || !header["tidemark_state_backup"].is_number_integer()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is no backup of a state"));
  }
  backup->engine = text("engine");
  const int64_t format = header["tidemark_state_backup"].get<int64_t>();
  if (format > kBackupFormat) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " was written by a newer engine (", backup->engine, ", backup format ", format,
        "; this one knows ", kBackupFormat, "): install that engine or a newer one"));
  }
  backup->connection = text("connection");
  backup->store = text("store");
  const absl::StatusOr<ParsedTime> created = ParseTime(text("created_at"));
  if (format != kBackupFormat || !created.ok()) {
    return absl::DataLossError(absl::StrCat(path, ": its first line is no header of a backup"));
  }
  backup->created_at_us = created->us;
  return absl::OkStatus();
}

absl::Status ReadEntries(absl::Span<const absl::string_view> lines, StateBackup* backup) {
  for (const absl::string_view line : lines) {
    if (absl::StartsWith(line, "{\"head\":")) {
      absl::StatusOr<StateHead> head = HeadFromLine(line);
      if (!head.ok()) return head.status();
      backup->entries.push_back({*std::move(head), {}});
      continue;
    }
    absl::StatusOr<StateVersion> version = VersionFromLine(line);
    if (!version.ok()) return version.status();
    if (backup->entries.empty() || backup->entries.back().head.entry != version->entry) {
      return absl::DataLossError("a version stands before the head of its entry");
    }
    version->connection = backup->connection;
    backup->entries.back().versions.push_back(*std::move(version));
  }
  return absl::OkStatus();
}

// L0 of semantics.md section 7: the state was whole when it was backed up.
absl::Status VerifyEntries(const StateBackup& backup) {
  for (const BackupEntry& entry : backup.entries) {
    ChainVerifier verifier(entry.head.anchor);
    for (const StateVersion& version : entry.versions) {
      if (absl::Status status = verifier.Add(version); !status.ok()) return status;
    }
    if (absl::Status status = CheckEnd(entry.head, verifier); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

std::string BackupFolder(absl::string_view store_path) {
  return absl::StrCat(store_path, ".state-backups");
}

absl::StatusOr<std::vector<BackupFile>> ListBackups(FileSystem& files, const std::string& folder,
                                                    absl::string_view connection) {
  absl::StatusOr<std::vector<std::string>> names = files.List(folder);
  if (absl::IsNotFound(names.status())) return std::vector<BackupFile>();
  if (!names.ok()) return names.status();
  std::vector<BackupFile> backups;
  for (const std::string& name : *names) {
    const std::optional<int64_t> time = TimeOfName(name, connection);
    if (time.has_value()) backups.push_back({absl::StrCat(folder, "/", name), *time});
  }
  std::sort(backups.begin(), backups.end(), [](const BackupFile& a, const BackupFile& b) {
    return a.created_at_us < b.created_at_us;
  });
  return backups;
}

absl::StatusOr<std::string> WriteBackup(StateStore& store, FileSystem& files,
                                        const BackupOptions& given) {
  BackupOptions options = given;
  if (absl::Status status = files.MakeFolder(options.folder); !status.ok()) return status;
  absl::StatusOr<std::vector<BackupFile>> backups =
      ListBackups(files, options.folder, options.connection);
  if (!backups.ok()) return backups.status();
  // The newest one has the last name, also after the clock was set back.
  if (!backups->empty()) {
    options.now_us = std::max(options.now_us, backups->back().created_at_us + 1);
  }
  RemoveAbandoned(files, options);
  const std::string name =
      absl::StrCat(NameOfFile(options.connection), ".", NameTime(options.now_us), kSuffix);
  const std::string temporary = absl::StrCat(options.folder, "/.", name, ".tmp");
  std::string path = absl::StrCat(options.folder, "/", name);
  absl::Status status;
  absl::Status soundness;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    status = WriteLines(store, files, temporary, options, &soundness);
    if (status.ok()) break;
    files.Remove(temporary).IgnoreError();
    if (!absl::IsAborted(status)) return status;
  }
  if (status.ok() && !options.damaged_too) status = soundness;
  if (status.ok()) status = Failpoint("backup.rename");
  if (status.ok()) status = files.RenameNew(temporary, path);
  if (!status.ok()) {
    files.Remove(temporary).IgnoreError();
    return status;
  }
  if (status = files.SyncFolder(options.folder); !status.ok()) return status;
  if (status = Failpoint("backup.rotate"); !status.ok()) return status;
  // Only once the new one is durable.
  if (soundness.ok()) status = Rotate(files, options);
  if (!status.ok()) return status;
  return path;
}

absl::StatusOr<StateBackup> ReadBackup(FileSystem& files, const std::string& path) {
  absl::StatusOr<std::string> text = files.Read(path);
  if (!text.ok()) return text.status();
  absl::StatusOr<std::vector<absl::string_view>> lines = CheckedLines(path, *text);
  if (!lines.ok()) return lines.status();
  StateBackup backup;
  if (absl::Status status = ReadHeader(path, lines->front(), &backup); !status.ok()) return status;
  absl::Status status = ReadEntries(absl::MakeConstSpan(*lines).subspan(1), &backup);
  if (status.ok()) status = VerifyEntries(backup);
  if (status.ok()) return backup;
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message(),
                                                  "; take another backup of the same folder"));
}

}  // namespace tidemark
