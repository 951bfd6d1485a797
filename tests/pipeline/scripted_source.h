// A connector in memory that plays a script and notes what it is told.
#ifndef TIDEMARK_TESTS_PIPELINE_SCRIPTED_SOURCE_H_
#define TIDEMARK_TESTS_PIPELINE_SCRIPTED_SOURCE_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/change_source.h"
#include "tests/pipeline/fake_clock.h"
#include "tests/pipeline/rows.h"

namespace tidemark {

// One thing the source does when asked for the next event.
struct Move {
  std::optional<SourceEvent> event;
  absl::Duration wait;        // nothing arrives for so long
  absl::Status failure;       // Next fails
  std::function<void()> act;  // something happens outside
};
using Moves = std::deque<Move>;

inline Move Say(SourceEvent event) { return Move{std::move(event), {}, {}, {}}; }
inline Move Say(Rows&& rows) { return Say(SourceEvent(std::move(rows).Take())); }
inline Move WaitFor(absl::Duration wait) { return Move{{}, wait, {}, {}}; }
inline Move Break(absl::Status failure) { return Move{{}, {}, std::move(failure), {}}; }
inline Move Do(std::function<void()> act) { return Move{{}, {}, {}, std::move(act)}; }
inline Move Done(absl::Status status = absl::OkStatus(), std::vector<TableRows> sent = {}) {
  return Say(SourceEvent(Finished{std::move(status), std::move(sent)}));
}
// A checkpoint of the connection-wide entry.
Move Mark(uint64_t id, std::string body, std::vector<TableRows> rows = {});
// A checkpoint of tables' own entries: (table, body).
Move MarkTables(uint64_t id, std::vector<std::pair<std::string, std::string>> bodies);

template <typename... M>
Moves Script(M&&... moves) {
  Moves script;
  (script.push_back(std::forward<M>(moves)), ...);
  return script;
}

// What happens in all attempts of one sync.
struct Play {
  std::vector<TableSchema> tables;
  uint64_t capabilities = 0;
  // The script of one attempt; the instance begins with it.
  std::function<Moves(const UpdateStart&)> script;
  std::function<absl::Status(absl::Span<const StateEntry>)> validate;  // unset: OK

  // Noted.
  std::vector<UpdateStart> starts;
  std::vector<Acknowledgement> acknowledgements;
  int closed = 0;
  int cancelled = 0;
  absl::Status schema_failure;
  absl::Status close_failure;
};

class ScriptedSource final : public ChangeSource {
 public:
  ScriptedSource(Play& play, FakeClock& clock) : play_(play), clock_(clock) {}

  absl::StatusOr<ConnectorDescription> Describe() override;
  absl::Status Check() override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<TableSchema>> Schema() override;
  absl::Status ValidateState(absl::Span<const StateEntry> states) override {
    return play_.validate ? play_.validate(states) : absl::OkStatus();
  }
  absl::Status Start(const UpdateStart& start) override;
  absl::StatusOr<std::optional<SourceEvent>> Next(absl::Time deadline) override;
  void Acknowledge(const Acknowledgement& acknowledgement) override {
    play_.acknowledgements.push_back(acknowledgement);
  }
  absl::Status Close() override {
    ++play_.closed;
    return play_.close_failure;
  }
  void Cancel() override { ++play_.cancelled; }

 private:
  Play& play_;
  FakeClock& clock_;
  Moves moves_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_PIPELINE_SCRIPTED_SOURCE_H_
