// What every connector must get right, tried out.
#ifndef TIDEMARK_TESTING_CONFORMANCE_H_
#define TIDEMARK_TESTING_CONFORMANCE_H_

#include <dirent.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/testing/plugin_run.h"
#include "tidemark/testing/read_check.h"
#include "tidemark/testing/recording.h"
#include "tidemark/testing/settings.h"

namespace tidemark_testing {

// One rule and whether it holds; OK also where it does not apply (`note` says so then).
struct ConformanceCheck {
  std::string name;
  absl::Status status;
  std::string note;
};

// Runs a plugin against its own behaviour. The source must stay as it is meanwhile, and have at
// least a few rows. Confined to one thread.
class Conformance {
 public:
  Conformance(const tidemark_plugin& plugin, Settings settings)
      : plugin_(plugin), settings_(std::move(settings)) {}

  // All checks; the later ones only if a plain run succeeds.
  std::vector<ConformanceCheck> Run() {
    checks_.clear();
    Try("the plugin's table is complete", [this] { return CheckTable(); });
    if (!checks_.back().status.ok()) return std::move(checks_);
    Try("the schema is the same each time", [this] { return CheckSchema(); });
    Try("a run emits only what the rules allow", [this] { return CheckPlainRun(); });
    if (!checks_.back().status.ok()) return std::move(checks_);
    Try("a run repeated gives the same tables", [this] { return CheckRepeat(); });
    Try("resuming from every checkpoint gives the same tables", [this] { return CheckResume(); });
    Try("cancelling at every emit ends the run and its threads", [this] { return CheckCancel(); });
    Try("a damaged state is refused with words", [this] { return CheckDamagedState(); });
    Try("reading by keys and ranges gives the rows that update() sends",
        [this] { return CheckReads(); });
    Try("no secret is shown", [this] { return CheckSecrets(); });
    return std::move(checks_);
  }

 private:
  // At most this many checkpoints and emits are tried, evenly spread.
  static constexpr size_t kTrials = 50;

  void Try(std::string name, const std::function<absl::Status()>& body) {
    note_.clear();
    absl::Status status = body();
    checks_.push_back({std::move(name), std::move(status), std::move(note_)});
  }

  absl::Status CheckTable();
  absl::Status CheckSchema();
  absl::Status CheckPlainRun();
  absl::Status CheckRepeat();
  absl::Status CheckResume();
  absl::Status CheckCancel();
  absl::Status CheckDamagedState();
  absl::Status CheckReads();
  absl::Status CheckSecrets();
  absl::Status ResumeFrom(size_t checkpoint);
  absl::Status CancelAt(size_t emit);

  // The rules a run broke, as an error.
  static absl::Status Violations(const RecordingSink& sink) {
    if (sink.violations().empty()) return absl::OkStatus();
    return absl::InternalError(sink.violations().front());
  }
  static absl::Status Differ(const TableImage& want, const TableImage& got, absl::string_view how);
  // The threads of this process, once those that are ending have ended.
  static size_t CountThreads();
  static bool ThreadsEnded(size_t expected);
  // `count` numbers spread over 1..total, with both ends.
  static std::vector<size_t> Spread(size_t total);

  const tidemark_plugin& plugin_;
  Settings settings_;
  std::vector<ConformanceCheck> checks_;
  std::string note_;
  // Of the plain run.
  std::unique_ptr<PluginRun> plain_;
  TableImage image_;
};

inline std::vector<ConformanceCheck> RunConformance(const tidemark_plugin& plugin,
                                                    Settings settings) {
  return Conformance(plugin, std::move(settings)).Run();
}

// The failed checks, one line each; empty: the plugin conforms.
inline std::string Failures(const std::vector<ConformanceCheck>& checks) {
  std::string text;
  for (const ConformanceCheck& c : checks) {
    if (!c.status.ok()) absl::StrAppend(&text, c.name, ": ", c.status.ToString(), "\n");
  }
  return text;
}

}  // namespace tidemark_testing

#include "tidemark/testing/conformance_inline.h"  // IWYU pragma: export

#endif  // TIDEMARK_TESTING_CONFORMANCE_H_
