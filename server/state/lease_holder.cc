#include "state/lease_holder.h"

#include <sys/stat.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "core/status_context.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

std::string Entry(absl::string_view entry) {
  return entry.empty() ? "the connection-wide entry" : absl::StrCat("entry \"", entry, "\"");
}

}  // namespace

HolderIdentity LeaseIdentity() {
  HolderIdentity self = CurrentProcess();
  struct stat space = {};
  if (stat("/proc/self/ns/pid", &space) == 0) absl::StrAppend(&self.boot_id, "/", space.st_ino);
  return self;
}

bool HolderIsGone(const StateHolder& holder) {
  if (holder.boot_id.empty() || holder.pid <= 0) return false;
  if (holder.boot_id != LeaseIdentity().boot_id) return false;
  std::ifstream file(absl::StrCat("/proc/", holder.pid, "/stat"));
  std::string line;
  if (!std::getline(file, line)) return true;
  // The second field is the program's name in parentheses and may hold blanks.
  const size_t end = line.rfind(')');
  if (end == std::string::npos) return false;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(line).substr(end + 1), ' ', absl::SkipEmpty());
  if (fields.empty()) return false;
  if (fields[0] == "Z" || fields[0] == "X") return true;
  int64_t start = 0;
  return fields.size() > 19 && absl::SimpleAtoi(fields[19], &start) && start != holder.pid_start;
}

absl::Status HeldByAnother(absl::string_view connection, absl::string_view store,
                           const StateHolder& holder) {
  return AsHeldElsewhere(absl::FailedPreconditionError(absl::StrCat(
      "connection \"", connection, "\" in ", store, " is being worked on by ", holder.holder,
      " (pid ", holder.pid, ") since ", FormatReportTime(holder.acquired_at_us),
      "; its lease ends at ", FormatReportTime(holder.expires_at_us),
      " unless it is renewed: wait for its end, stop it, or take over")));
}

absl::Status FencedBy(absl::string_view connection, absl::string_view store,
                      const StateHolder& holder, int64_t epoch) {
  return absl::FailedPreconditionError(absl::StrCat(
      "FENCED: connection \"", connection, "\" in ", store, " was taken over by ",
      holder.epoch == 0
          ? std::string("nobody: its lease row is gone")
          : absl::StrCat(holder.holder, " at ", FormatReportTime(holder.acquired_at_us)),
      " (epoch ", holder.epoch, ", ours is ", epoch, "); nothing was written there"));
}

absl::Status Diverged(absl::string_view connection, absl::string_view store,
                      absl::string_view entry, int64_t expected) {
  return absl::DataLossError(absl::StrCat(
      "DIVERGED: the state of connection \"", connection, "\" in ", store, ", ", Entry(entry),
      ", is not at version ", expected,
      ", on which this one builds; nothing was written there. Run `tidemark state log` to see who "
      "wrote it"));
}

}  // namespace tidemark
