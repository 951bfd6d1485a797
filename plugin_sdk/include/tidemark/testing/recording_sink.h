// A host for tests: collects what a plugin emits, in memory.
#ifndef TIDEMARK_TESTING_RECORDING_SINK_H_
#define TIDEMARK_TESTING_RECORDING_SINK_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/testing/batch_rules.h"
#include "tidemark/testing/error_text.h"
#include "tidemark/testing/recording.h"

namespace tidemark_testing {

// The tidemark_host and the tidemark_sink of one instance. It checks the rules of plugin_abi.h and
// answers as a host does; what it had to refuse stands in violations(). Time stands still but for
// sleeps, which return at once. Confined to the test's thread, except for what the ABI calls
// [any-thread].
class RecordingSink {
 public:
  RecordingSink() {
    host_ = {sizeof(host_), TIDEMARK_ABI_VERSION, this, "recording", &Log, &Now, &Progress,
             &Extension};
    sink_.struct_size = sizeof(sink_);
    sink_.ctx = this;
    sink_.emit = &Emit;
    sink_.checkpoint = &Checkpoint;
    sink_.define_table = &DefineTable;
    sink_.dead_letter = &DeadLetter;
    sink_.table_done = &TableDone;
    sink_.warn = &Warn;
    sink_.flush = &Flush;
    sink_.durable = &Durable;
    sink_.wait = &Wait;
  }
  RecordingSink(const RecordingSink&) = delete;
  RecordingSink& operator=(const RecordingSink&) = delete;

  const tidemark_host* host() const { return &host_; }
  const tidemark_sink* sink() const { return &sink_; }

  // The tables of schema(), before update(). An error if they break a rule.
  absl::Status SetSchema(const tidemark_schema* schema);
  // The bounds of update(): sink calls outside of them, or on another thread, are refused.
  void BeginUpdate() { update_thread_ = std::this_thread::get_id(); }
  void EndUpdate() { update_thread_ = std::thread::id(); }

  // The n-th emit of the run (1, 2, ..) and all sink calls after it are answered with `code`.
  void RefuseEmit(size_t n, tidemark_code code, std::string text) {
    refuse_emit_ = n;
    refusal_ = {code, std::move(text)};
  }
  // What durable() says; by default the last checkpoint.
  void SetDurable(uint64_t id) {
    follow_checkpoints_ = false;
    durable_ = id;
  }
  void SetNowMicros(int64_t now_us) { now_us_ = now_us; }

  size_t emit_calls() const { return emit_calls_; }
  size_t flush_calls() const { return flush_calls_; }
  const std::vector<RecordedTable>& tables() const { return tables_; }
  const std::vector<RecordedChange>& changes() const { return changes_; }
  const std::vector<RecordedCheckpoint>& checkpoints() const { return checkpoints_; }
  const std::vector<RecordedDeadLetter>& dead_letters() const { return dead_letters_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  // Tables by name and what TableDone said of them.
  const std::map<std::string, absl::Status>& done() const { return done_; }
  // Rules that were broken, one sentence each.
  const std::vector<std::string>& violations() const { return violations_; }
  // Log lines; a copy, because any thread may log.
  std::vector<std::string> log() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return log_;
  }
  // The first `count` changes applied to `image`.
  void ApplyTo(TableImage* image, size_t count = SIZE_MAX) const {
    for (size_t i = 0; i < std::min(count, changes_.size()); ++i) {
      image->Apply(tables_[changes_[i].table], changes_[i]);
    }
  }
  TableImage Image() const {
    TableImage image;
    ApplyTo(&image);
    return image;
  }
  // The entries of state after the first `count` checkpoints, over those of `start`.
  std::vector<RecordedState> StatesAfter(size_t count, std::vector<RecordedState> start = {}) const;

 private:
  struct Refusal {
    tidemark_code code = TIDEMARK_OK;
    std::string text;
  };

  static RecordingSink* Self(const tidemark_sink* s) { return static_cast<RecordingSink*>(s->ctx); }
  static RecordingSink* Self(const tidemark_host* h) { return static_cast<RecordingSink*>(h->ctx); }

  // Whether a sink call may be made now.
  tidemark_code Enter(const char* call, tidemark_error* error) {
    if (update_thread_ != std::this_thread::get_id()) {
      const bool outside = update_thread_ == std::thread::id();
      const std::string text = absl::StrCat(
          call, outside ? " outside of update()" : " from another thread than update()'s");
      const std::lock_guard<std::mutex> lock(mutex_);
      violations_.push_back(text);
      return FillError(error, TIDEMARK_FAILED_PRECONDITION, text);
    }
    return refused_ ? FillError(error, refusal_.code, refusal_.text) : TIDEMARK_OK;
  }
  // Answers with an error; a broken rule ends the run.
  tidemark_code Break(const absl::Status& status, tidemark_error* error) {
    if (status.ok()) return TIDEMARK_OK;
    const std::lock_guard<std::mutex> lock(mutex_);
    violations_.push_back(std::string(status.message()));
    refused_ = true;
    refusal_ = {static_cast<tidemark_code>(status.code()), std::string(status.message())};
    return FillError(error, refusal_.code, refusal_.text);
  }
  absl::Status CheckTable(uint32_t table, bool may_be_none) const {
    if (table < tables_.size() || (may_be_none && table == TIDEMARK_NO_TABLE)) {
      return absl::OkStatus();
    }
    return absl::InternalError(absl::StrCat("unknown table ", table));
  }
  void Copy(const tidemark_batch& batch);
  absl::Status CopyCheckpoint(const tidemark_checkpoint& checkpoint);
  absl::Status CopyDefinition(const tidemark_table& table, uint32_t* index);

  static tidemark_code Emit(const tidemark_sink*, const tidemark_batch*, tidemark_error*);
  static tidemark_code Checkpoint(const tidemark_sink*, const tidemark_checkpoint*, uint64_t*,
                                  tidemark_error*);
  static tidemark_code DefineTable(const tidemark_sink*, const tidemark_table*, uint32_t*,
                                   tidemark_error*);
  static tidemark_code DeadLetter(const tidemark_sink*, const tidemark_dead_letter*,
                                  tidemark_error*);
  static tidemark_code TableDone(const tidemark_sink*, uint32_t, tidemark_code, tidemark_bytes,
                                 tidemark_error*);
  static tidemark_code Warn(const tidemark_sink*, uint32_t, tidemark_bytes, tidemark_error*);
  static tidemark_code Flush(const tidemark_sink*, tidemark_error*);
  static uint64_t Durable(const tidemark_sink* s) { return Self(s)->durable_; }
  static tidemark_code Wait(const tidemark_sink*, uint64_t, int64_t, tidemark_error*);
  static void Log(const tidemark_host*, int32_t, tidemark_bytes);
  static int64_t Now(const tidemark_host* h) { return Self(h)->now_us_; }
  static void Progress(const tidemark_host*, const tidemark_progress*) {}
  static const void* Extension(const tidemark_host*, const char*) { return nullptr; }

  tidemark_host host_ = {};
  tidemark_sink sink_ = {};
  std::thread::id update_thread_;
  size_t refuse_emit_ = 0;
  bool refused_ = false;
  Refusal refusal_;
  bool follow_checkpoints_ = true;
  std::atomic<uint64_t> durable_ = 0;
  std::atomic<int64_t> now_us_ = 1'700'000'000'000'000;

  size_t emit_calls_ = 0;
  size_t flush_calls_ = 0;
  std::vector<RecordedTable> tables_;
  std::vector<RecordedChange> changes_;
  std::vector<RecordedCheckpoint> checkpoints_;
  std::vector<RecordedDeadLetter> dead_letters_;
  std::vector<std::string> warnings_;
  std::map<std::string, absl::Status> done_;
  mutable std::mutex mutex_;
  std::vector<std::string> violations_;  // guarded by mutex_ while a run is on
  std::vector<std::string> log_;         // guarded by mutex_
};

}  // namespace tidemark_testing

#include "tidemark/testing/recording_sink_inline.h"  // IWYU pragma: export

#endif  // TIDEMARK_TESTING_RECORDING_SINK_H_
