#include "remote_watch.h"

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "control/report.h"
#include "progress_line.h"

namespace tidemark {
namespace {

using Stub = v1::Control::Stub;

constexpr int kAttempts = 20;  // in a row without an event
constexpr absl::Duration kPause = absl::Milliseconds(500);

// Turns Ctrl-C into StopSync while the calling thread waits for events.
class Stopper {
 public:
  Stopper(RemoteServer& server, const std::string& sync_id, Interrupt* interrupt, bool stops,
          std::atomic<grpc::ClientContext*>* watch)
      : thread_([this, &server, sync_id, interrupt, stops, watch] {
          int seen = interrupt->count();
          while (!ended_) {
            absl::SleepFor(absl::Milliseconds(50));
            if (interrupt->count() == seen) continue;
            seen = interrupt->count();
            if (!stops) {
              if (grpc::ClientContext* context = watch->load()) context->TryCancel();
              continue;
            }
            v1::StopSyncRequest request;
            request.set_sync_id(sync_id);
            request.set_now(seen > 1);
            v1::Sync sync;
            server.Call(&Stub::StopSync, request, &sync).IgnoreError();
          }
        }) {}
  ~Stopper() {
    ended_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

LogLevel LevelOf(v1::LogEvent::Level level) {
  switch (level) {
    case v1::LogEvent::LEVEL_DEBUG:
      return LogLevel::kDebug;
    case v1::LogEvent::LEVEL_WARNING:
      return LogLevel::kWarning;
    case v1::LogEvent::LEVEL_ERROR:
      return LogLevel::kError;
    default:
      return LogLevel::kInfo;
  }
}

void ShowEvent(RemoteCommand& call, const v1::Sync& sync, const v1::SyncEvent& event,
               ProgressLine* line) {
  if (event.has_progress()) {
    SyncProgress progress;
    progress.table = event.progress().table();
    progress.rows = event.progress().rows();
    progress.elapsed = absl::Seconds(event.progress().elapsed_seconds());
    progress.phase = event.progress().phase();
    line->Show(progress);
  } else if (event.has_log()) {
    call.session.log().Write(LevelOf(event.log().level()),
                             {sync.connection(), sync.sync_id(), event.log().table()},
                             event.log().text());
  }
}

absl::StatusOr<v1::Sync> GetSync(RemoteCommand& call, const std::string& sync_id) {
  v1::GetSyncRequest request;
  request.set_sync_id(sync_id);
  v1::Sync sync;
  absl::Status status = call.server.Call(&Stub::GetSync, request, &sync);
  if (!status.ok()) return status;
  return sync;
}

bool HasEnded(const v1::Sync& sync) { return sync.status() >= v1::SYNC_STATUS_COMPLETED; }

}  // namespace

absl::StatusOr<v1::Sync> WatchSync(RemoteCommand& call, const std::string& sync_id, bool stops) {
  Interrupt* interrupt = call.session.WatchInterrupts();
  std::atomic<grpc::ClientContext*> watched{nullptr};
  const Stopper stopper(call.server, sync_id, interrupt, stops, &watched);
  ProgressLine line(call.session.quiet());
  uint64_t after = 0;
  v1::Sync sync;
  sync.set_sync_id(sync_id);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    grpc::ClientContext context;
    call.server.Prepare(&context, absl::InfiniteDuration());
    v1::WatchSyncRequest request;
    request.set_sync_id(sync_id);
    request.set_after_sequence(after);
    watched = &context;
    const std::unique_ptr<grpc::ClientReader<v1::SyncEvent>> reader =
        call.server.stub().WatchSync(&context, request);
    v1::SyncEvent event;
    while (reader->Read(&event)) {
      after = event.sequence();
      attempt = 0;
      if (event.has_started()) sync = event.started();
      if (event.has_ended()) sync = event.ended();
      ShowEvent(call, sync, event, &line);
    }
    watched = nullptr;
    const grpc::Status status = reader->Finish();
    if (HasEnded(sync)) return sync;
    if (!stops && interrupt->count() > 0) return sync;
    const bool lost = status.error_code() == grpc::OUT_OF_RANGE;  // events, not the sync
    if (status.ok() || lost) {
      absl::StatusOr<v1::Sync> now = GetSync(call, sync_id);
      if (!now.ok() || HasEnded(*now)) return now;
      uint64_t oldest = 0;
      if (lost && absl::SimpleAtoi(ErrorFact(status, "oldest"), &oldest) && oldest > 0) {
        after = oldest - 1;
        continue;
      }
    } else if (status.error_code() != grpc::UNAVAILABLE) {
      return call.server.StatusOf(status);
    }
    absl::SleepFor(kPause);
    if (attempt + 1 == kAttempts) return call.server.StatusOf(status);
  }
  return GetSync(call, sync_id);
}

ExitCode ShowEnded(RemoteCommand& call, const v1::Sync& sync) {
  v1::GetReportRequest request;
  request.set_sync_id(sync.sync_id());
  v1::GetReportResponse response;
  absl::Status status = call.server.Call(&Stub::GetReport, request, &response);
  if (!status.ok() && !absl::IsNotFound(status)) return call.session.Fail(status);
  const nlohmann::ordered_json report =
      nlohmann::ordered_json::parse(response.json(), nullptr, false);
  // A sync that could not begin has nothing to report to people.
  const bool began = sync.status() != v1::SYNC_STATUS_FAILED || sync.commits() > 0 ||
                     (report.is_object() && report.contains("tables") && !report["tables"].empty());
  if (call.session.json() && report.is_object()) {
    call.session.Print(response.json() + "\n");
  } else if (began && report.is_object()) {
    call.session.Print(ReportText(report));
  }
  if (sync.interrupted()) {
    call.session.Note("Interrupted. Everything up to the last commit is kept; run again to go on.");
    return ExitCode::kInterrupted;
  }
  if (sync.status() == v1::SYNC_STATUS_COMPLETED) return ExitCode::kDone;
  if (sync.status() == v1::SYNC_STATUS_PARTIAL) return ExitCode::kPartial;
  const bool refused =
      sync.error_code() == "UNAUTHENTICATED" || sync.error_code() == "PERMISSION_DENIED";
  const ExitCode code = call.session.Fail(refused ? absl::UnauthenticatedError(sync.error())
                                                  : absl::UnknownError(sync.error()));
  return code == ExitCode::kDone ? ExitCode::kFailed : code;
}

}  // namespace tidemark
