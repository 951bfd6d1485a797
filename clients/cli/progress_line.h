// Progress of long work on stderr: one line that is rewritten on a terminal, plain lines when
// piped.
#ifndef TIDEMARK_CLIENTS_CLI_PROGRESS_LINE_H_
#define TIDEMARK_CLIENTS_CLI_PROGRESS_LINE_H_

#include "absl/time/time.h"
#include "control/engine.h"

namespace tidemark {

// Confined to one thread. The destructor clears the line.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(const SyncProgress& progress);
  // Empties the line so that something else can be written.
  void Clear();

 private:
  const bool quiet_;
  const bool terminal_;
  bool drawn_ = false;
  absl::Duration next_;  // of SyncProgress::elapsed, for plain lines
};

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_PROGRESS_LINE_H_
