#include "service/ingest_service.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>
#include <pthread.h>

#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/mutex.h"
#include "core/status_context.h"
#include "service/call_error.h"
#include "service/call_pool.h"
#include "service/ingest_answers.h"
#include "service/ingest_sync.h"
#include "service/raw_service.h"
#include "source/push_call.h"
#include "source/push_message.h"
#include "tidemark/v1/ingest.pb.h"

namespace tidemark {
namespace {

constexpr char kPush[] = "/tidemark.v1.Ingest/Push";
constexpr size_t kCheckingThreads = 2;  // they look into the catalog
constexpr size_t kWaitingChecks = 4'096;

absl::Status TooMany(absl::string_view text) {
  return WithReason(WithRetryAfter(absl::ResourceExhaustedError(text), absl::Seconds(1)),
                    "TOO_MANY_STREAMS");
}

}  // namespace

class IngestService::Work final : public PushCall::Keeper {
 public:
  Work(Parts parts, IngestLimits limits)
      : parts_(parts), limits_(limits), pool_(kCheckingThreads, kWaitingChecks) {
    watcher_ = std::thread([this] { Watch(); });
    pthread_setname_np(watcher_.native_handle(), "ingest-watch");
  }

  ~Work() override {
    BeginStop();
    pool_.Stop();
    std::map<std::thread::id, std::thread> threads;
    {
      MutexLock lock(mutex_);
      stopped_ = true;
      changed_.SignalAll();
      while (running_ > 0) changed_.Wait(mutex_);
      threads.swap(threads_);
    }
    watcher_.join();
    for (auto& [id, thread] : threads) thread.join();
  }

  // A new call; on a thread of gRPC.
  PushCall::Reactor* Open(grpc::CallbackServerContext* context) {
    std::shared_ptr<PushCall> call = PushCall::Open(context, this);
    auto stream = std::make_shared<Stream>();
    stream->call = call;
    absl::Status refused;
    {
      MutexLock lock(mutex_);
      streams_[call.get()] = stream;
      if (stopping_) {
        refused = ShuttingDown();
      } else if (CountBefore(Phase::kChecking) > limits_.half_open) {
        refused = TooMany("the server has too many streams that have not begun; try again later");
      }
    }
    if (refused.ok() && !pool_.Run([this, stream] { Admit(stream); })) {
      refused = TooMany("the server is busy; try again later");
    }
    if (!refused.ok()) End(stream, refused);
    return call->reactor();
  }

  void BeginStop() {
    std::vector<std::shared_ptr<Stream>> waiting;
    {
      MutexLock lock(mutex_);
      stopping_ = true;
      for (auto& [call, stream] : streams_) {
        if (stream->phase == Phase::kRunning) EndBy(*stream, ShuttingDown());
        if (stream->phase != Phase::kHalfOpen) continue;
        stream->phase = Phase::kEnding;
        waiting.push_back(stream);
      }
      for (auto& [name, producer] : producers_) {
        if (producer.waiting == nullptr) continue;
        waiting.push_back(std::exchange(producer.waiting, nullptr));
      }
    }
    for (const std::shared_ptr<Stream>& stream : waiting) End(stream, ShuttingDown());
  }

  // ---- PushCall::Keeper ------------------------------------------------------------------------

  void OnFirst(const std::shared_ptr<PushCall>& call, std::unique_ptr<PushMessage> first) override {
    std::shared_ptr<Stream> stream;
    {
      MutexLock lock(mutex_);
      const auto found = streams_.find(call.get());
      if (found == streams_.end() || found->second->phase != Phase::kHalfOpen) return;
      stream = found->second;
      stream->phase = Phase::kChecking;
    }
    std::shared_ptr<PushMessage> message = std::move(first);
    if (!pool_.Run([this, stream, message] { Check(stream, *message); })) {
      End(stream, TooMany("the server is busy; try again later"));
    }
  }

  void OnCut(const std::shared_ptr<PushCall>& call) override {
    std::shared_ptr<Stream> idle;
    {
      MutexLock lock(mutex_);
      const auto found = streams_.find(call.get());
      if (found == streams_.end()) return;
      Stream& stream = *found->second;
      stream.cut = true;
      if (stream.phase == Phase::kWaiting) producers_[stream.name].waiting = nullptr;
      if (stream.phase == Phase::kHalfOpen || stream.phase == Phase::kWaiting) {
        stream.phase = Phase::kEnding;
        idle = found->second;
      }
    }
    if (idle != nullptr) End(idle, absl::CancelledError("the client is gone"));
  }

  void OnDone(const std::shared_ptr<PushCall>& call) override {
    MutexLock lock(mutex_);
    streams_.erase(call.get());
  }

 private:
  enum class Phase {
    kAdmitting,  // on the pool: who calls?
    kHalfOpen,   // its first message is not there
    kChecking,   // on the pool: may it begin?
    kWaiting,    // for the end of another stream of its producer
    kRunning,    // has a thread
    kEnding,     // was told its end
  };
  // Fields change under mutex_ only, except what says otherwise.
  struct Stream {
    std::shared_ptr<PushCall> call;
    Phase phase = Phase::kAdmitting;
    absl::Duration since;                  // of kHalfOpen and kEnding
    bool cut = false;                      // the client is gone
    std::optional<AdmittedCall> admitted;  // written in kAdmitting and kChecking, then constant
    absl::Duration admitted_at;
    PushStart start;                 // written in kChecking, then constant
    std::string name;                // "<connection>/<producer>"; likewise
    Interrupt* interrupt = nullptr;  // of its sync, while that runs
    absl::Status ended_by;           // why the server ended it
  };
  struct Producer {
    std::shared_ptr<Stream> running;
    std::shared_ptr<Stream> waiting;
  };

  // ---- before the sync -------------------------------------------------------------------------

  void Admit(const std::shared_ptr<Stream>& stream) {
    absl::StatusOr<AdmittedCall> admitted = parts_.gate->Admit(stream->call->context(), kPush);
    if (!admitted.ok()) {
      End(stream, admitted.status());
      return;
    }
    absl::Status refused;
    {
      MutexLock lock(mutex_);
      stream->admitted = *std::move(admitted);
      stream->admitted_at = stream->since = parts_.clock->Monotonic();
      if (stopping_) {
        refused = ShuttingDown();
      } else if (stream->cut) {
        refused = absl::CancelledError("the client is gone");
      } else {
        stream->phase = Phase::kHalfOpen;
      }
    }
    if (!refused.ok()) {
      End(stream, refused);
      return;
    }
    stream->call->Begin();
  }

  void Check(const std::shared_ptr<Stream>& stream, const PushMessage& first) {
    absl::Status status = CheckFirst(first);
    if (status.ok()) {
      stream->start = first.start;
      stream->name = absl::StrCat(first.start.connection, "/", first.start.producer);
      status = parts_.gate->Allow(*stream->admitted, first.start.connection);
    }
    if (status.ok()) {
      absl::StatusOr<ConnectionEntry> connection = parts_.connections->Get(first.start.connection);
      status = connection.ok() ? CheckPushed(*connection) : connection.status();
    }
    if (status.ok()) status = Enter(stream);
    if (status.ok()) return;
    parts_.gate->Record(*stream->admitted, status);
    End(stream, status);
  }

  // The stream begins, or waits for the end of the one it fences.
  absl::Status Enter(const std::shared_ptr<Stream>& stream) {
    std::shared_ptr<Stream> fenced;
    {
      MutexLock lock(mutex_);
      if (stopping_) return ShuttingDown();
      if (stream->cut) return absl::CancelledError("the client is gone");
      Producer& producer = producers_[stream->name];
      if (producer.running == nullptr) {
        if (absl::Status begun = StartThread(stream, &producer); !begun.ok()) {
          producers_.erase(stream->name);
          return begun;
        }
      } else {
        EndBy(*producer.running, Fenced());
        fenced = std::exchange(producer.waiting, stream);
        stream->phase = Phase::kWaiting;
      }
    }
    if (fenced != nullptr) End(fenced, Fenced());
    stream->call->Proceed();
    return absl::OkStatus();
  }

  absl::Status StartThread(const std::shared_ptr<Stream>& stream, Producer* producer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (running_ >= limits_.streams) {
      return TooMany(absl::StrCat("the server has ", running_,
                                  " Ingest streams already (limits.ingest_streams)"));
    }
    try {
      std::thread thread([this, name = stream->name] { Serve(name); });
      pthread_setname_np(thread.native_handle(), "ingest");
      threads_.emplace(thread.get_id(), std::move(thread));
    } catch (const std::system_error&) {
      return TooMany("the server has no thread for another stream; try again later");
    }
    ++running_;
    producer->running = stream;
    stream->phase = Phase::kRunning;
    return absl::OkStatus();
  }

  // ---- the sync --------------------------------------------------------------------------------

  // The streams of one producer, one after the other; on a thread of its own.
  void Serve(const std::string& name) {
    std::shared_ptr<Stream> stream;
    {
      MutexLock lock(mutex_);
      stream = producers_[name].running;
    }
    while (stream != nullptr) {
      RunStream(*stream);
      MutexLock lock(mutex_);
      Producer& producer = producers_[name];
      stream = producer.running = std::exchange(producer.waiting, nullptr);
      if (stream != nullptr) {
        stream->phase = Phase::kRunning;
      } else {
        producers_.erase(name);
        ended_.push_back(std::this_thread::get_id());
        --running_;
        changed_.SignalAll();
      }
    }
  }

  void RunStream(Stream& stream) {
    IngestSync sync;
    sync.runner = parts_.runner;
    sync.stream = stream.call.get();
    sync.clock = parts_.clock;
    sync.start = stream.start;
    sync.started_by = stream.admitted->principal.name;
    sync.idle = limits_.idle;
    sync.open_idle = limits_.open_idle;
    sync.running = [this, &stream](Interrupt* interrupt) { SetInterrupt(stream, interrupt); };
    IngestRun run = RunIngest(sync);
    {
      MutexLock lock(mutex_);
      stream.interrupt = nullptr;  // also when it threw
      run.end.ended_by = stream.ended_by;
    }
    if (run.end.interrupted && run.end.ended_by.ok()) run.end.ended_by = WhyStopped(stream);
    const absl::Status answer = AnswerOf(run.end, run.session.get());
    parts_.gate->Record(*stream.admitted, answer);
    if (!answer.ok()) {
      Finish(stream, answer);
      return;
    }
    SetEnding(stream);
    stream.call->FinishWell(run.session->durable_sequence(), run.session->state_version());
  }

  void SetInterrupt(Stream& stream, Interrupt* interrupt) {
    MutexLock lock(mutex_);
    stream.interrupt = interrupt;
    if (interrupt != nullptr && !stream.ended_by.ok()) interrupt->Request();
  }

  // The connection may have been paused, changed or deleted: then its syncs are stopped.
  absl::Status WhyStopped(const Stream& stream) {
    const absl::StatusOr<ConnectionEntry> connection =
        parts_.connections->Get(stream.start.connection);
    if (!connection.ok()) return connection.status();
    if (absl::Status pushed = CheckPushed(*connection); !pushed.ok()) return pushed;
    MutexLock lock(mutex_);
    return stopping_ ? ShuttingDown() : StreamStopped();
  }

  // ---- the end ---------------------------------------------------------------------------------

  // Ends a stream that has no sync.
  void End(const std::shared_ptr<Stream>& stream, const absl::Status& status) {
    Finish(*stream, status);
  }

  void Finish(Stream& stream, const absl::Status& status) {
    SetEnding(stream);
    stream.call->Finish(AnswerStatus(status, parts_.redactor));
  }

  void SetEnding(Stream& stream) {
    MutexLock lock(mutex_);
    stream.phase = Phase::kEnding;
    stream.since = parts_.clock->Monotonic();
  }

  // The first one counts.
  static void EndBy(Stream& stream, const absl::Status& status) {
    if (stream.ended_by.ok()) stream.ended_by = status;
    if (stream.interrupt != nullptr && stream.interrupt->count() == 0) stream.interrupt->Request();
  }

  // ---- looking after streams -------------------------------------------------------------------

  size_t CountBefore(Phase phase) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    size_t count = 0;
    for (const auto& [call, stream] : streams_) count += stream->phase < phase ? 1 : 0;
    return count;
  }

  void Watch() {
    while (true) {
      std::vector<std::shared_ptr<Stream>> late;
      std::vector<std::shared_ptr<Stream>> stuck;
      std::vector<std::shared_ptr<Stream>> to_ask;
      std::vector<std::thread> ended;
      {
        MutexLock lock(mutex_);
        if (!stopped_) changed_.WaitFor(mutex_, limits_.look);
        if (stopped_) return;
        const absl::Duration now = parts_.clock->Monotonic();
        for (auto& [call, stream] : streams_) {
          if (stream->phase == Phase::kHalfOpen && now - stream->since >= limits_.start) {
            stream->phase = Phase::kEnding;
            late.push_back(stream);
          } else if (stream->phase == Phase::kEnding && now - stream->since >= limits_.finish) {
            stuck.push_back(stream);
          } else if (stream->phase == Phase::kRunning &&
                     now - stream->admitted_at >= limits_.readmit) {
            stream->admitted_at = now;
            to_ask.push_back(stream);
          }
        }
        for (const std::thread::id id : std::exchange(ended_, {})) {
          ended.push_back(std::move(threads_.extract(id).mapped()));
        }
      }
      for (std::thread& thread : ended) thread.join();
      for (const std::shared_ptr<Stream>& stream : stuck) stream->call->Abort();
      for (const std::shared_ptr<Stream>& stream : late) {
        End(stream,
            WithReason(absl::DeadlineExceededError(absl::StrCat(
                           "no PushStart came within ", absl::FormatDuration(limits_.start))),
                       "START_TIMEOUT"));
      }
      for (const std::shared_ptr<Stream>& stream : to_ask) {
        absl::Status still = parts_.gate->StillAdmitted(*stream->admitted);
        if (!absl::IsUnauthenticated(still) && !absl::IsPermissionDenied(still)) continue;
        MutexLock lock(mutex_);
        EndBy(*stream, still);
      }
    }
  }

  const Parts parts_;
  const IngestLimits limits_;
  CallPool pool_;
  std::thread watcher_;

  Mutex mutex_;
  CondVar changed_;
  std::map<const PushCall*, std::shared_ptr<Stream>> streams_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Producer> producers_ ABSL_GUARDED_BY(mutex_);
  std::map<std::thread::id, std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread::id> ended_ ABSL_GUARDED_BY(mutex_);  // to be joined
  int running_ ABSL_GUARDED_BY(mutex_) = 0;                     // threads
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

IngestService::IngestService(Parts parts, IngestLimits limits)
    : work_(std::make_unique<Work>(parts, limits)) {}
IngestService::~IngestService() = default;

std::unique_ptr<grpc::Service> IngestService::NewService() {
  return std::make_unique<RawService>(
      *v1::PushRequest::descriptor()->file()->FindServiceByName("Ingest"),
      [work = work_.get()](grpc::CallbackServerContext* context,
                           const google::protobuf::MethodDescriptor& method) {
        return method.name() == "Push" ? work->Open(context) : nullptr;
      });
}

void IngestService::BeginStop() { work_->BeginStop(); }

}  // namespace tidemark
