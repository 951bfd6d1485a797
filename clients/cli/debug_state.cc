#include "debug_state.h"

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "control/exit_code.h"
#include "control/references.h"
#include "control/state_file.h"

namespace tidemark {
namespace {

constexpr size_t kMaxState = 64 * 1024 * 1024;
constexpr int64_t kAllVersions = 1'000'000;

// Every stored version of the connection with its body, newest first; none without a database.
absl::StatusOr<std::vector<StateVersion>> StoredVersions(const Engine& engine) {
  if (access(kDebugDatabase, F_OK) != 0) return std::vector<StateVersion>();
  absl::StatusOr<std::unique_ptr<DestinationReader>> reader = OpenReader(kDebugDatabase);
  if (!reader.ok()) return reader.status();
  auto versions = (*reader)->StateLog(engine.connection().name, std::nullopt, true, kAllVersions);
  // A file without bookkeeping, or a connection that never synced, holds no versions.
  if (absl::IsNotFound(versions.status())) return std::vector<StateVersion>();
  if (!versions.ok()) return AsLocal(versions.status());
  return versions;
}

StateEntry EntryOf(const StateVersion& version) {
  StateEntry entry;
  const size_t dot = version.entry.find('.');
  if (dot != std::string::npos) entry.schema = version.entry.substr(0, dot);
  entry.table = dot == std::string::npos ? version.entry : version.entry.substr(dot + 1);
  entry.body = version.body;
  entry.cursor = version.cursor;
  entry.format = version.format;
  return entry;
}

std::vector<StateEntry> Current(const std::vector<StateVersion>& versions) {
  std::vector<StateEntry> entries;
  for (const StateVersion& version : versions) {
    bool newer = false;
    for (const StateEntry& entry : entries) newer = newer || EntryName(entry) == version.entry;
    if (!newer) entries.push_back(EntryOf(version));
  }
  return entries;
}

enum class Standing { kCurrent, kOlder, kNew };

// Where a state that somebody gives stands among the stored versions of its entry.
Standing StandingOf(const StateEntry& entry, const std::vector<StateVersion>& versions) {
  bool first = true;
  for (const StateVersion& version : versions) {
    if (version.entry != EntryName(entry)) continue;
    if (SameStateBody(version.body, entry.body)) {
      return first ? Standing::kCurrent : Standing::kOlder;
    }
    first = false;
  }
  // The empty state is what every entry began with.
  if (!SameStateBody(entry.body, "")) return Standing::kNew;
  return first ? Standing::kCurrent : Standing::kOlder;
}

absl::StatusOr<std::string> Import(Engine& engine, const std::vector<StateEntry>& entries,
                                   const std::string& why) {
  if (absl::Status status = engine.ImportStates(entries); !status.ok()) return status;
  return absl::StrCat("state: ", why, " (a version of kind import)");
}

// files/state.json is gone: the user starts over.
absl::StatusOr<std::string> StartOver(Engine& engine, const std::vector<StateVersion>& versions) {
  std::vector<StateEntry> emptied;
  for (StateEntry& entry : Current(versions)) {
    if (entry.body.empty()) continue;
    entry.body.clear();
    entry.cursor.clear();
    emptied.push_back(std::move(entry));
  }
  // Written before the sync, so that a killed sync does not look like a deleted file.
  if (absl::Status status = WriteTextFile(kDebugState, "{}\n"); !status.ok()) {
    return AsLocal(status);
  }
  if (emptied.empty()) return "";
  return Import(engine, emptied, absl::StrCat(kDebugState, " was deleted, starting from {}"));
}

}  // namespace

absl::Status CheckDebugOutput(const Engine& engine) {
  if (access(kDebugDatabase, F_OK) != 0) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<DestinationReader>> reader = OpenReader(kDebugDatabase);
  // A file that cannot be read is named by the sync itself.
  if (!reader.ok()) return absl::OkStatus();
  const absl::StatusOr<std::vector<std::string>> names = (*reader)->Connections();
  if (!names.ok() || names->empty()) return absl::OkStatus();
  for (const std::string& name : *names) {
    if (name == engine.connection().name) return absl::OkStatus();
  }
  return AsUsage(absl::FailedPreconditionError(
      absl::StrCat(kDebugDatabase, " holds the output of ", names->front(), ", not of ",
                   engine.connection().name,
                   "; `tidemark reset` removes it, or work in another "
                   "folder")));
}

absl::StatusOr<std::string> TakeDebugState(Engine& engine, const std::string& path) {
  absl::StatusOr<std::vector<StateVersion>> versions = StoredVersions(engine);
  if (!versions.ok()) return versions.status();
  std::string from = path;
  if (const char* variable = std::getenv("FIVETRAN_STATE");
      from.empty() && variable != nullptr && *variable != '\0') {
    from = variable;
  }
  if (from.empty()) {
    if (access(kDebugState, F_OK) != 0) return StartOver(engine, *versions);
    from = kDebugState;
  }
  absl::StatusOr<std::string> text = absl::StripLeadingAsciiWhitespace(from).substr(0, 1) == "{"
                                         ? std::exchange(from, "FIVETRAN_STATE")
                                         : ReadTextFile(from, kMaxState);
  if (!text.ok()) return AsUsage(text.status());
  absl::StatusOr<std::vector<StateEntry>> entries = ParseStateFile(from, *text);
  if (!entries.ok()) return AsUsage(entries.status());
  std::vector<StateEntry> news;
  bool older = false;
  for (StateEntry& entry : *entries) {
    const Standing standing = StandingOf(entry, *versions);
    older = older || standing == Standing::kOlder;
    if (standing == Standing::kNew) news.push_back(std::move(entry));
  }
  if (!news.empty()) return Import(engine, news, absl::StrCat("taken from ", from));
  if (!older) return "";
  return absl::StrCat("state: ", from, " is older than what ", kDebugDatabase,
                      " holds and is ignored; delete ", kDebugState, " to start over");
}

absl::Status WriteDebugState(const Engine& engine) {
  absl::StatusOr<std::vector<StateVersion>> versions = StoredVersions(engine);
  if (!versions.ok()) return versions.status();
  return AsLocal(WriteTextFile(kDebugState, FormatStateFile(Current(*versions))));
}

}  // namespace tidemark
