// `tidemark explain KEY`, `tidemark schema` and `tidemark reset`.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "commands.h"
#include "control/configuration_schema.h"

namespace tidemark {
namespace {

struct ResetOptions {
  std::string file;
  bool yes = false;
};

// What `debug` leaves in files/: the database with its journal and locks, and the state.
std::vector<std::string> DebugOutput() {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator it("files", error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (absl::StartsWith(name, "warehouse.db") || absl::StartsWith(name, ".warehouse.db") ||
        name == "state.json") {
      paths.push_back(it->path().string());
    }
  }
  return paths;
}

// Whether a running sync holds the lock file at `path`.
bool IsLocked(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool locked = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(fd);
  return locked;
}

ExitCode Reset(Session& session, const ResetOptions& options) {
  if (!options.file.empty()) {
    return session.Fail(AsUsage(absl::InvalidArgumentError(absl::StrCat(
        "reset removes what `tidemark debug` wrote into files/ here; it does not touch the "
        "destination of ",
        options.file))));
  }
  const std::vector<std::string> paths = DebugOutput();
  if (paths.empty()) {
    session.Note("Nothing to remove: there is no output of `tidemark debug` in files/.");
    if (session.json()) session.PrintJson({{"removed", paths}});
    return ExitCode::kDone;
  }
  for (const std::string& path : paths) {
    if (absl::EndsWith(path, ".lock") && IsLocked(path)) {
      return session.Fail(absl::FailedPreconditionError(
          absl::StrCat("a sync is working on files/warehouse.db (", path, "); end it first")));
    }
  }
  if (!options.yes && !Confirm(absl::StrCat("Remove ", absl::StrJoin(paths, ", "), "?"))) {
    return session.Fail(
        AsUsage(absl::FailedPreconditionError("nothing was removed; answer y, or give --yes")));
  }
  for (const std::string& path : paths) {
    std::error_code error;
    std::filesystem::remove(path, error);
    if (error) {
      return session.Fail(AsLocal(absl::FailedPreconditionError(
          absl::StrCat("cannot remove ", path, ": ", error.message()))));
    }
  }
  session.Note(absl::StrCat("Removed ", absl::StrJoin(paths, ", "), "."));
  if (session.json()) session.PrintJson({{"removed", paths}});
  return ExitCode::kDone;
}

}  // namespace

void AddConfigurationCommands(CLI::App& app, Action* action) {
  auto key = std::make_shared<std::string>();
  CLI::App* explain = app.add_subcommand("explain", "Explain a key of a connection file");
  explain->add_option("KEY", *key, "sync.batch_size, or its last part")->required();
  explain->callback([key, action] {
    *action = [key](Session& session) {
      absl::StatusOr<std::string> text = ExplainKey(*key);
      if (!text.ok()) return session.Fail(text.status());
      if (session.json()) {
        session.PrintJson({{"key", *key}, {"text", *text}});
      } else {
        session.Print(*text);
      }
      return ExitCode::kDone;
    };
  });
  app.add_subcommand("schema", "Print the JSON Schema of connection files")->callback([action] {
    *action = [](Session& session) {
      session.PrintJson(ConfigurationSchema());
      return ExitCode::kDone;
    };
  });
}

void AddResetCommand(CLI::App& app, Action* action) {
  auto options = std::make_shared<ResetOptions>();
  CLI::App* command = app.add_subcommand("reset", "Remove the output of `debug` in this folder");
  command->add_option("FILE", options->file, "Refused: a connection's destination is never reset");
  command->add_flag("-y,--yes", options->yes, "Do not ask");
  command->callback([options, action] {
    *action = [options](Session& session) { return Reset(session, *options); };
  });
}

}  // namespace tidemark
