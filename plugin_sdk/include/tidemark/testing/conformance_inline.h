// Definitions of Conformance; included by conformance.h only.
#ifndef TIDEMARK_TESTING_CONFORMANCE_INLINE_H_
#define TIDEMARK_TESTING_CONFORMANCE_INLINE_H_

#include "tidemark/testing/conformance.h"

namespace tidemark_testing {

inline absl::Status Conformance::CheckTable() {
  const auto bad = [](absl::string_view text) { return absl::InternalError(text); };
  if (plugin_.struct_size < offsetof(tidemark_plugin, options) + sizeof(void*)) {
    return bad("struct_size of the plugin's table is too small");
  }
  if (plugin_.abi_version >> 16 != TIDEMARK_ABI_VERSION >> 16) {
    return bad(absl::StrCat("the plugin was built for ABI ", plugin_.abi_version >> 16));
  }
  if (!TIDEMARK_HAS(tidemark_plugin, &plugin_, update) || plugin_.create == nullptr ||
      plugin_.destroy == nullptr || plugin_.schema == nullptr || plugin_.update == nullptr) {
    return bad("create, destroy, schema or update is missing");
  }
  if (plugin_.id == nullptr || plugin_.id[0] == '\0' || plugin_.version == nullptr) {
    return bad("id or version is missing");
  }
  for (const char* c = plugin_.id; *c != '\0'; ++c) {
    if (!absl::ascii_islower(static_cast<unsigned char>(*c)) &&
        !absl::ascii_isdigit(static_cast<unsigned char>(*c)) && !std::strchr("._-", *c)) {
      return bad("id has another character than a-z 0-9 . _ -");
    }
  }
  if (plugin_.option_count > 0 &&
      (plugin_.options == nullptr || plugin_.option_size < sizeof(tidemark_option))) {
    return bad("the options have a stride that is too small");
  }
  const char* p = reinterpret_cast<const char*>(plugin_.options);
  for (uint32_t i = 0; i < plugin_.option_count; ++i, p += plugin_.option_size) {
    const auto& o = *reinterpret_cast<const tidemark_option*>(p);
    if (o.name == nullptr || o.name[0] == '\0') return bad("an option has no name");
    if (o.help == nullptr || o.help[0] == '\0') {
      return bad(absl::StrCat("option ", o.name, " has no help"));
    }
    if ((o.flags & TIDEMARK_OPTION_REQUIRED) != 0 && o.default_value != nullptr) {
      return bad(absl::StrCat("option ", o.name, " is required and has a default"));
    }
  }
  return absl::OkStatus();
}

inline absl::Status Conformance::CheckSchema() {
  PluginRun run(plugin_, settings_);
  if (absl::Status s = run.Open(); !s.ok()) return s;
  const std::vector<RecordedTable> first = run.sink().tables();
  if (absl::Status s = run.Schema(); !s.ok()) return s;
  if (run.sink().tables() != first) return absl::InternalError("a second call gave another schema");
  PluginRun other(plugin_, settings_);
  if (absl::Status s = other.Open(); !s.ok()) return s;
  if (other.sink().tables() != first) {
    return absl::InternalError("a second instance gave another schema");
  }
  note_ = absl::StrCat(first.size(), " tables");
  return absl::OkStatus();
}

inline absl::Status Conformance::CheckPlainRun() {
  plain_ = std::make_unique<PluginRun>(plugin_, settings_);
  if (absl::Status s = plain_->Open(); !s.ok()) return s;
  absl::Status status = plain_->Update();
  if (absl::Status s = Violations(plain_->sink()); !s.ok()) return s;
  if (!status.ok()) return status;
  image_ = plain_->sink().Image();
  const RecordingSink& sink = plain_->sink();
  if (!sink.changes().empty() && sink.checkpoints().empty()) {
    return absl::InternalError("rows were emitted and no checkpoint: nothing would be resumed");
  }
  note_ =
      absl::StrCat(sink.changes().size(), " changes, ", sink.checkpoints().size(), " checkpoints");
  return absl::OkStatus();
}

inline absl::Status Conformance::CheckRepeat() {
  // On the instance that has run already, and on its own state: nothing may be lost.
  PluginRun run(plugin_, settings_);
  if (absl::Status s = run.Open(); !s.ok()) return s;
  if (absl::Status s = run.Update(); !s.ok()) return s;
  const size_t checkpoints = run.sink().checkpoints().size();
  if (absl::Status s = run.Update(run.sink().StatesAfter(checkpoints)); !s.ok()) return s;
  if (absl::Status s = Violations(run.sink()); !s.ok()) return s;
  return Differ(image_, run.sink().Image(), "a second run on the state of the first");
}

inline absl::Status Conformance::ResumeFrom(size_t checkpoint) {
  const RecordingSink& plain = plain_->sink();
  PluginRun run(plugin_, settings_);
  if (absl::Status s = run.Open(); !s.ok()) return s;
  const std::vector<RecordedState> states = plain.StatesAfter(checkpoint);
  if (absl::Status s = run.ValidateState(states); !s.ok()) return s;
  if (absl::Status s = run.Update(states); !s.ok()) return s;
  if (absl::Status s = Violations(run.sink()); !s.ok()) return s;
  TableImage image;
  plain.ApplyTo(&image, plain.checkpoints()[checkpoint - 1].changes);
  run.sink().ApplyTo(&image);
  return Differ(image_, image, absl::StrCat("resumed from checkpoint ", checkpoint));
}

inline absl::Status Conformance::CheckResume() {
  const std::vector<size_t> trials = Spread(plain_->sink().checkpoints().size());
  for (const size_t checkpoint : trials) {
    if (absl::Status s = ResumeFrom(checkpoint); !s.ok()) {
      return absl::Status(s.code(), absl::StrCat("checkpoint ", checkpoint, ": ", s.message()));
    }
  }
  note_ = absl::StrCat(trials.size(), " checkpoints tried");
  return absl::OkStatus();
}

inline absl::Status Conformance::CancelAt(size_t emit) {
  const size_t threads = CountThreads();
  PluginRun run(plugin_, settings_);
  if (absl::Status s = run.Open(); !s.ok()) return s;
  run.sink().RefuseEmit(emit, TIDEMARK_CANCELLED, "cancelled by the test");
  const absl::Status status = run.Update();
  if (absl::Status s = Violations(run.sink()); !s.ok()) return s;
  if (run.sink().emit_calls() < emit) return absl::OkStatus();  // It batches otherwise this time.
  if (!absl::IsCancelled(status)) {
    return absl::InternalError(
        absl::StrCat("update() returned ", status.ToString(), " instead of CANCELLED"));
  }
  run.Close();
  if (!ThreadsEnded(threads)) return absl::InternalError("a thread is still there after destroy()");
  return absl::OkStatus();
}

inline absl::Status Conformance::CheckCancel() {
  const std::vector<size_t> trials = Spread(plain_->sink().emit_calls());
  for (const size_t emit : trials) {
    if (absl::Status s = CancelAt(emit); !s.ok()) {
      return absl::Status(s.code(), absl::StrCat("emit ", emit, ": ", s.message()));
    }
  }
  note_ = absl::StrCat(trials.size(), " emits tried");
  return absl::OkStatus();
}

inline absl::Status Conformance::CheckDamagedState() {
  const std::vector<RecordedState> good =
      plain_->sink().StatesAfter(plain_->sink().checkpoints().size());
  if (good.empty()) {
    note_ = "no state to damage";
    return absl::OkStatus();
  }
  const std::string damaged[] = {"\xff\xfe{]damaged", "{", std::string("\0\0", 2)};
  for (const std::string& body : damaged) {
    std::vector<RecordedState> states = good;
    for (RecordedState& s : states) s.body = body;
    PluginRun run(plugin_, settings_);
    if (absl::Status s = run.Open(); !s.ok()) return s;
    if (plugin_.validate_state != nullptr && run.ValidateState(states).ok()) {
      return absl::InternalError("validate_state() accepts a damaged state");
    }
    const absl::Status status = run.Update(states);
    if (status.ok()) return absl::InternalError("update() goes on from a damaged state");
    if (status.message().empty()) {
      return absl::InternalError("a damaged state is refused without words");
    }
    if (absl::IsInternal(status) || absl::IsUnknown(status)) {
      return absl::InternalError(
          absl::StrCat("a damaged state looks like a bug, not like DATA_LOSS: ", status.message()));
    }
  }
  return absl::OkStatus();
}

inline absl::Status Conformance::CheckReads() {
  PluginRun run(plugin_, settings_);
  if (run.reading() == nullptr) {
    note_ = "the plugin does not offer " TIDEMARK_READ_EXTENSION;
    return absl::OkStatus();
  }
  if (run.reading()->modes == nullptr || run.reading()->read == nullptr) {
    return absl::InternalError(TIDEMARK_READ_EXTENSION " has no modes() or no read()");
  }
  if (absl::Status s = run.Open(); !s.ok()) return s;
  const auto tables = static_cast<uint32_t>(run.sink().tables().size());
  for (uint32_t i = 0; i < tables; ++i) {
    if (absl::Status s = ReadCheck(run, i, image_).Check(); !s.ok()) return s;
  }
  note_ = absl::StrCat(tables, " tables");
  return absl::OkStatus();
}

inline absl::Status Conformance::CheckSecrets() {
  const std::vector<std::string> secrets = settings_.Secrets(plugin_);
  if (secrets.empty()) note_ = "no secret is set";
  const RecordingSink& sink = plain_->sink();
  std::vector<std::string> texts = sink.log();
  texts.insert(texts.end(), sink.warnings().begin(), sink.warnings().end());
  for (const RecordedDeadLetter& d : sink.dead_letters()) {
    texts.insert(texts.end(), {d.reason, d.context_json});
  }
  for (const RecordedCheckpoint& c : sink.checkpoints()) {
    for (const RecordedState& s : c.states) texts.insert(texts.end(), {s.body, s.cursor});
  }
  for (const std::string& secret : secrets) {
    for (const std::string& text : texts) {
      if (!secret.empty() && absl::StrContains(text, secret)) {
        return absl::InternalError("a secret stands in a log line, a warning or a state");
      }
    }
  }
  return absl::OkStatus();
}

inline absl::Status Conformance::Differ(const TableImage& want, const TableImage& got,
                                        absl::string_view how) {
  const std::vector<std::string> a = want.Lines();
  const std::vector<std::string> b = got.Lines();
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string expected = i < a.size() ? a[i] : "nothing further";
    const std::string found = i < b.size() ? b[i] : "nothing further";
    if (expected == found) continue;
    return absl::InternalError(absl::StrCat(how, ": the tables differ; one run to the end has ",
                                            expected, ", this one has ", found));
  }
  return absl::OkStatus();
}

inline size_t Conformance::CountThreads() {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return 0;
  size_t count = 0;
  while (const dirent* entry = readdir(tasks)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(tasks);
  return count;
}

inline bool Conformance::ThreadsEnded(size_t expected) {
  // A joined thread is listed for a moment longer.
  for (int i = 0; i < 1000; ++i) {
    if (CountThreads() <= expected) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

inline std::vector<size_t> Conformance::Spread(size_t total) {
  const size_t count = std::min(total, kTrials);
  std::vector<size_t> numbers;
  numbers.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    numbers.push_back(count == 1 ? 1 : 1 + i * (total - 1) / (count - 1));
  }
  return numbers;
}

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTING_CONFORMANCE_INLINE_H_
