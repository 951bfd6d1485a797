// The ledger: a source that is its own oracle. Operation p = 0, 1, .. follows from p and the seed
// alone (ledger_model.py says the same in other words), the state is the next p, and what was
// acknowledged is pruned: an acknowledgement that came too early is a gap that no retry closes.
//
// Operation p, in this order:
//   events    upsert of key p: each stands there once, or is lost
//   accounts  one of few keys: upsert; p % 7 = 3 an update of n alone, p % 11 = 5 a delete
//   measures  p % 5 = 0: upsert of a value, a LONG in the first third of the operations, then a
//             DOUBLE, in the last third a STRING, once in an undeclared column and once in one
//             whose declaration grows with it; and with a new column after the first third
//   moves     p % 20 = 0: upsert of key p; p % 20 = 10: the row of p - 10 moves to 1000000 + p - 10
//   drafts    p < half: upsert of key p; at half: a truncate; from then on key p - half
//   a dead letter, p % 97 = 50, with the option dead_letters
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/faults/ledger/ledger_log.h"
#include "tests/faults/ledger/misfortune.h"
#include "tidemark/connector.h"

namespace tidemark::test {
namespace {

constexpr int64_t kMoved = 1'000'000;

struct Options {
  int64_t rows = 0;
  uint64_t seed = 0;
  int64_t accounts = 0;
  int64_t checkpoint_rows = 0;
  int64_t wait_every = 0;
  absl::Duration pause;
  bool dead_letters = false;
  bool tail = false;
  bool keeps_horizon = false;
};

// SplitMix64's finalizer.
uint64_t Mix(uint64_t seed, int64_t position) {
  uint64_t bits = seed * 0x9e3779b97f4a7c15u + static_cast<uint64_t>(position) + 1;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
  return bits ^ (bits >> 31);
}

class LedgerSource final : public Connector,
                           public Acknowledgeable,
                           public Checkable,
                           public Interruptible,
                           public StateValidator {
 public:
  LedgerSource(const Options& options, const std::string& log, Misfortune::Options misfortune)
      : options_(options), log_(log), misfortune_(std::move(misfortune)) {}
  ~LedgerSource() override { misfortune_.Meet("destroy").IgnoreError(); }

  static absl::StatusOr<std::unique_ptr<LedgerSource>> Create(const Config& config);
  absl::Status Check() override { return misfortune_.Meet("check"); }
  absl::StatusOr<tidemark::Schema> Schema() override;
  absl::Status ValidateState(absl::Span<const StateEntry> entries) override;
  absl::Status Update(const UpdateRequest& request, Sink& sink) override;
  void Acknowledged(const Acknowledgement& acknowledgement) override;
  void Interrupt() override { misfortune_.Meet("interrupt").IgnoreError(); }

 private:
  absl::StatusOr<int64_t> Resume(absl::string_view body) const;
  absl::Status Emit(int64_t position, Sink& sink);
  absl::Status EmitAccount(int64_t position, Sink& sink);
  absl::Status EmitMeasure(int64_t position, Sink& sink);
  absl::Status EmitMove(int64_t position, Sink& sink);
  absl::Status EmitDraft(int64_t position, Sink& sink);
  absl::Status EmitDeadLetter(int64_t position, Sink& sink);
  absl::Status Checkpoint(int64_t position, Sink& sink);

  const Options options_;
  LedgerLog log_;
  Misfortune misfortune_;
  // Position of checkpoint id i: start_ + i * checkpoint_rows, at most rows.
  int64_t start_ = 0;     // written before the first checkpoint
  int64_t third_ = 0;     // of the operations, as measures is declared now
  uint64_t durable_ = 0;  // [ack-thread]
  int64_t released_ = 0;  // [ack-thread]
};

absl::StatusOr<std::unique_ptr<LedgerSource>> LedgerSource::Create(const Config& config) {
  Options o;
  o.rows = config.GetInt64("rows");
  o.seed = static_cast<uint64_t>(config.GetInt64("seed"));
  o.accounts = config.GetInt64("accounts");
  o.checkpoint_rows = config.GetInt64("checkpoint_rows");
  o.wait_every = config.GetInt64("wait_every");
  o.pause = absl::Microseconds(config.GetInt64("pause_us"));
  o.dead_letters = config.GetBool("dead_letters");
  o.tail = config.GetBool("tail");
  o.keeps_horizon = config.GetString("prune") == "releasable";
  Misfortune::Options m;
  m.call = config.GetString("die_in");
  m.kind = config.GetString("die_how");
  m.at = config.GetInt64("die_at");
  m.marker = config.GetString("die_marker");
  m.always = config.GetBool("die_always");
  auto source = std::make_unique<LedgerSource>(o, config.GetString("log"), std::move(m));
  if (absl::Status met = source->misfortune_.Meet("create"); !met.ok()) return met;
  return source;
}

absl::StatusOr<tidemark::Schema> LedgerSource::Schema() {
  if (absl::Status met = misfortune_.Meet("schema"); !met.ok()) return met;
  return tidemark::Schema(
      {Table("events").Key("id", kLong).Column("body", kString),
       Table("accounts").Key("id", kLong).Column("n", kLong).Column("text", kString),
       Table("measures").Key("id", kLong).Column("value", kUndeclared).Column("grade", kLong),
       Table("moves").Key("id", kLong).Column("n", kLong),
       Table("drafts").Key("id", kLong).Column("n", kLong)});
}

absl::StatusOr<int64_t> LedgerSource::Resume(absl::string_view body) const {
  int64_t position = 0;
  if (!body.empty() && !absl::SimpleAtoi(body, &position)) {
    return absl::DataLossError("the state is no position of this ledger");
  }
  const int64_t pruned = log_.Pruned();
  if (position >= pruned) return position;
  return absl::FailedPreconditionError(
      absl::StrCat("GAP: operation ", position, " is gone, the first one still there is ", pruned));
}

absl::Status LedgerSource::ValidateState(absl::Span<const StateEntry> entries) {
  if (absl::Status met = misfortune_.Meet("validate_state"); !met.ok()) return met;
  for (const StateEntry& entry : entries) {
    if (auto position = Resume(entry.body); !position.ok()) return position.status();
  }
  return absl::OkStatus();
}

absl::Status LedgerSource::EmitAccount(int64_t position, Sink& sink) {
  const auto id =
      static_cast<int64_t>(Mix(options_.seed, position) % static_cast<uint64_t>(options_.accounts));
  if (position % 11 == 5) {
    if (absl::Status met = misfortune_.Meet("delete"); !met.ok()) return met;
    return sink.Delete("accounts", {{"id", id}});
  }
  if (position % 7 == 3) {
    if (absl::Status met = misfortune_.Meet("update_row"); !met.ok()) return met;
    return sink.Update("accounts", {{"id", id}, {"n", position}});
  }
  return sink.Upsert("accounts",
                     {{"id", id}, {"n", position}, {"text", absl::StrCat("of ", position)}});
}

absl::Status LedgerSource::EmitMeasure(int64_t position, Sink& sink) {
  if (position % 5 != 0) return absl::OkStatus();
  const int64_t third = position * 3 / options_.rows;
  if (third == 0) {
    return sink.Upsert("measures", {{"id", position}, {"value", position}, {"grade", position}});
  }
  if (third != third_) {
    if (absl::Status met = misfortune_.Meet("define_table"); !met.ok()) return met;
    auto grown = sink.Define(Table("measures").Column("grade", third == 1 ? kDouble : kString));
    if (!grown.ok()) return grown.status();
    third_ = third;
  }
  const std::string text = absl::StrCat("text ", position);
  const Value value =
      third == 1 ? Value(static_cast<double>(position) + 0.5) : Value(absl::string_view(text));
  return sink.Upsert(
      "measures",
      {{"id", position}, {"value", value}, {"grade", value}, {"extra", "beyond the first third"}});
}

absl::Status LedgerSource::EmitMove(int64_t position, Sink& sink) {
  if (position % 20 == 0) {
    return sink.Upsert("moves", {{"id", position}, {"n", position}});
  }
  if (position % 20 != 10) return absl::OkStatus();
  const Field before[] = {{"id", position - 10}};
  RowOptions<Field> options;
  options.before = before;
  return sink.Update("moves", {{"id", kMoved + position - 10}, {"n", position}}, options);
}

absl::Status LedgerSource::EmitDraft(int64_t position, Sink& sink) {
  const int64_t half = options_.rows / 2;
  if (position == half) {
    if (absl::Status met = misfortune_.Meet("truncate"); !met.ok()) return met;
    if (absl::Status s = sink.Truncate("drafts"); !s.ok()) return s;
  }
  const int64_t id = position < half ? position : position - half;
  return sink.Upsert("drafts", {{"id", id}, {"n", position}});
}

absl::Status LedgerSource::EmitDeadLetter(int64_t position, Sink& sink) {
  if (!options_.dead_letters || position % 97 != 50) return absl::OkStatus();
  if (absl::Status met = misfortune_.Meet("dead_letter"); !met.ok()) return met;
  const std::string record = absl::StrCat("{\"p\": ", position, "}");
  return sink.DeadLetter({"events", record, "this operation is no row"});
}

absl::Status LedgerSource::Emit(int64_t position, Sink& sink) {
  if (absl::Status met = misfortune_.Meet("upsert"); !met.ok()) return met;
  const std::string body = absl::StrFormat("%016x", Mix(options_.seed, position));
  if (absl::Status s = sink.Upsert("events", {{"id", position}, {"body", body}}); !s.ok()) {
    return s;
  }
  if (absl::Status s = EmitAccount(position, sink); !s.ok()) return s;
  if (absl::Status s = EmitMeasure(position, sink); !s.ok()) return s;
  if (absl::Status s = EmitMove(position, sink); !s.ok()) return s;
  if (absl::Status s = EmitDraft(position, sink); !s.ok()) return s;
  return EmitDeadLetter(position, sink);
}

absl::Status LedgerSource::Checkpoint(int64_t position, Sink& sink) {
  if (absl::Status s = log_.Append(absl::StrCat("sent ", position)); !s.ok()) return s;
  if (absl::Status met = misfortune_.Meet("checkpoint"); !met.ok()) return met;
  const std::string state = absl::StrCat(position);
  if (absl::Status s = sink.Checkpoint(state, state); !s.ok()) return s;
  const auto id = static_cast<int64_t>(sink.last_checkpoint());
  if (options_.wait_every > 0 && id % options_.wait_every == 0) {
    if (absl::Status met = misfortune_.Meet("wait"); !met.ok()) return met;
    if (absl::Status s = sink.Wait(sink.last_checkpoint()); !s.ok()) return s;
  }
  if (options_.pause == absl::ZeroDuration()) return absl::OkStatus();
  if (absl::Status met = misfortune_.Meet("sleep"); !met.ok()) return met;
  return sink.Sleep(options_.pause);
}

absl::Status LedgerSource::Update(const UpdateRequest& request, Sink& sink) {
  if (absl::Status met = misfortune_.Meet("update"); !met.ok()) return met;
  absl::StatusOr<int64_t> resumed = Resume(request.State());
  if (!resumed.ok()) return resumed.status();
  int64_t position = start_ = *resumed;
  absl::Status begun =
      log_.Append(absl::StrCat("start ", request.epoch(), " ", request.attempt(), " ", position));
  if (!begun.ok()) return begun;
  while (position < options_.rows) {
    const int64_t end = std::min(position + options_.checkpoint_rows, options_.rows);
    for (; position < end; ++position) {
      if (absl::Status s = Emit(position, sink); !s.ok()) return s;
    }
    if (absl::Status s = Checkpoint(position, sink); !s.ok()) return s;
  }
  if (options_.tail) {
    const Field before[] = {{"id", int64_t{0}}};
    RowOptions<Field> moved;
    moved.before = before;
    absl::Status s = sink.Update("moves", {{"id", -1}, {"n", -1}}, moved);
    if (!s.ok()) return s;
  }
  if (absl::Status met = misfortune_.Meet("warn"); !met.ok()) return met;
  if (absl::Status s = sink.Warn("that was all"); !s.ok()) return s;
  if (absl::Status met = misfortune_.Meet("table_done"); !met.ok()) return met;
  if (absl::Status s = sink.TableDone("events"); !s.ok()) return s;
  return misfortune_.Meet("end");
}

void LedgerSource::Acknowledged(const Acknowledgement& acknowledgement) {
  misfortune_.Meet("acknowledged").IgnoreError();
  if (acknowledgement.durable > durable_) {
    durable_ = acknowledgement.durable;
    const int64_t position =
        std::min(start_ + static_cast<int64_t>(durable_) * options_.checkpoint_rows, options_.rows);
    log_.Append(absl::StrCat("durable ", position)).IgnoreError();
    if (!options_.keeps_horizon) log_.Append(absl::StrCat("pruned ", position)).IgnoreError();
  }
  for (const StateEntry& entry : acknowledgement.releasable) {
    int64_t position = 0;
    if (!options_.keeps_horizon || !absl::SimpleAtoi(entry.body, &position)) continue;
    if (position <= released_) continue;
    released_ = position;
    log_.Append(absl::StrCat("pruned ", position)).IgnoreError();
  }
}

}  // namespace
}  // namespace tidemark::test

using LedgerSource = tidemark::test::LedgerSource;
TIDEMARK_EXPORT_CONNECTOR(
    LedgerSource, .id = "ledger", .version = "1.0.0",
    .description = "Operations that follow from a seed, pruned once they are acknowledged",
    .capabilities = tidemark::kCanRewind | tidemark::kNeedsFiles,
    .options = {{"log", tidemark::kString, tidemark::kRequired | tidemark::kWritesPath,
                 "the ledger's own file"},
                {"rows", tidemark::kLong, tidemark::Default("1000"), "operations in all"},
                {"seed", tidemark::kLong, tidemark::Default("1")},
                {"accounts", tidemark::kLong, tidemark::Default("50"), "keys of accounts"},
                {"checkpoint_rows", tidemark::kLong, tidemark::Default("50")},
                {"wait_every", tidemark::kLong, tidemark::Default("0"),
                 "waits for each n-th checkpoint to be committed; 0: never"},
                {"pause_us", tidemark::kLong, tidemark::Default("0"), "after each checkpoint"},
                {"dead_letters", tidemark::kBoolean, tidemark::Default("false")},
                {"tail", tidemark::kBoolean, tidemark::Default("false"),
                 "a change of a key behind the last checkpoint, in every run"},
                {"prune",
                 tidemark::kString,
                 tidemark::Default("durable"),
                 "what is forgotten: all that is committed, or what left the rollback horizon",
                 {"durable", "releasable"}},
                {"die_in", tidemark::kString, tidemark::kOptional, "a call; see misfortune.h"},
                {"die_how", tidemark::kString, tidemark::Default("kill")},
                {"die_at", tidemark::kLong, tidemark::Default("1")},
                {"die_marker", tidemark::kString, tidemark::kWritesPath},
                {"die_always", tidemark::kBoolean, tidemark::Default("false")}});
