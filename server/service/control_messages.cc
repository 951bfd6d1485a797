#include "service/control_messages.h"

#include <google/protobuf/util/field_mask_util.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/call_error.h"
#include "service/yaml_secrets.h"
#include "wire/call_status.h"

namespace tidemark {
namespace {

using google::protobuf::util::FieldMaskUtil;

constexpr int64_t kMicros = 1'000'000;

// What stands in the way of a connection, worst first.
struct Health {
  v1::ConnectionHealth health = v1::CONNECTION_HEALTH_OK;
  std::string problem;
};

Health HealthOf(const ConnectionEntry& entry, const ConnectionStanding& standing,
                const std::optional<SyncEntry>& last, bool runs, absl::Time now) {
  if (!entry.problem.empty() && !entry.usable) return {v1::CONNECTION_HEALTH_BROKEN, entry.problem};
  if (standing.breaker_open) {
    return {v1::CONNECTION_HEALTH_BROKEN,
            absl::StrCat("after ", standing.failures_in_a_row,
                         " failures in a row no sync begins by itself; resume the connection when "
                         "the cause is gone",
                         last.has_value() && !last->error.empty() ? ": " : "",
                         last.has_value() ? last->error : "")};
  }
  if (!entry.problem.empty()) return {v1::CONNECTION_HEALTH_DEGRADED, entry.problem};
  const absl::Time since = absl::FromUnixMicros(
      last.has_value() ? std::max(last->ended_at_us, entry.changed_at_us) : entry.changed_at_us);
  const absl::Duration stale = entry.schedule.StaleAfter();
  if (!entry.paused && !runs && now - since > stale) {
    return {v1::CONNECTION_HEALTH_STALE,
            absl::StrCat("no sync has ended for ",
                         absl::FormatDuration(absl::Trunc(now - since, absl::Seconds(1))))};
  }
  if (last.has_value() && last->phase == SyncPhase::kFailed) {
    return {v1::CONNECTION_HEALTH_DEGRADED, last->error};
  }
  if (last.has_value() && last->phase == SyncPhase::kPartial) {
    return {v1::CONNECTION_HEALTH_DEGRADED,
            last->error.empty() ? "the last sync was partial; its report says why" : last->error};
  }
  return {};
}

}  // namespace

void SetTime(int64_t us, google::protobuf::Timestamp* time) {
  int64_t seconds = us / kMicros;
  int64_t rest = us % kMicros;
  if (rest < 0) {
    rest += kMicros;
    --seconds;
  }
  time->set_seconds(seconds);
  time->set_nanos(static_cast<int32_t>(rest * 1000));
}

void SetTime(absl::Time at, google::protobuf::Timestamp* time) {
  SetTime(absl::ToUnixMicros(at), time);
}

int64_t MicrosOf(const google::protobuf::Timestamp& time) {
  return time.seconds() * kMicros + time.nanos() / 1000;
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixMicros(MicrosOf(time));
}

void ToMessage(const ChangeCounts& counts, v1::RowCounts* message) {
  message->set_inserted(counts.inserted);
  message->set_updated(counts.updated);
  message->set_deleted(counts.deleted);
  message->set_unchanged(counts.unchanged);
  message->set_superseded(counts.superseded);
  message->set_missing(counts.missing);
  message->set_conflicts(counts.conflict);
  message->set_late_queued(counts.late_queue);
  message->set_dead_letters(counts.dead_letter);
  message->set_deleted_by_truncate(counts.deleted_by_truncate);
}

void ToMessage(const SyncEntry& sync, v1::Sync* message) {
  message->set_sync_id(sync.sync_id);
  message->set_connection(sync.connection);
  message->set_status(static_cast<v1::SyncStatus>(sync.phase));
  message->set_trigger(static_cast<v1::SyncTrigger>(sync.trigger));
  SetTime(sync.queued_at_us, message->mutable_queued_at());
  if (sync.started_at_us != 0) SetTime(sync.started_at_us, message->mutable_started_at());
  if (sync.ended_at_us != 0) SetTime(sync.ended_at_us, message->mutable_ended_at());
  message->set_full(sync.full);
  ToMessage(sync.counts, message->mutable_counts());
  message->set_bytes(sync.bytes);
  message->set_commits(sync.commits);
  message->set_retries(static_cast<uint32_t>(sync.retries));
  message->set_error(MessageText(sync.error));
  if (sync.error_code != absl::StatusCode::kOk) {
    message->set_error_code(absl::StatusCodeToString(sync.error_code));
  }
  message->set_interrupted(sync.interrupted);
  message->set_producer(sync.producer);
  message->set_started_by(MessageText(sync.started_by));
}

void ToMessage(const SyncFeedEvent& event, v1::SyncEvent* message) {
  message->set_sequence(event.sequence);
  SetTime(event.at_us, message->mutable_at());
  switch (event.kind) {
    case SyncFeedEvent::Kind::kStarted:
      ToMessage(event.record.value_or(SyncEntry()), message->mutable_started());
      break;
    case SyncFeedEvent::Kind::kEnded:
      ToMessage(event.record.value_or(SyncEntry()), message->mutable_ended());
      break;
    case SyncFeedEvent::Kind::kProgress: {
      v1::ProgressEvent* progress = message->mutable_progress();
      progress->set_table(MessageText(event.table));
      progress->set_rows(event.rows);
      progress->set_rows_per_second(event.rows_per_second);
      progress->set_elapsed_seconds(event.elapsed_seconds);
      progress->set_phase(MessageText(event.phase));
      if (event.lag_seconds.has_value()) progress->set_lag_seconds(*event.lag_seconds);
      break;
    }
    case SyncFeedEvent::Kind::kLog: {
      v1::LogEvent* log = message->mutable_log();
      log->set_level(static_cast<v1::LogEvent::Level>(std::clamp(event.level, 0, 3)));
      log->set_table(MessageText(event.table));
      log->set_text(MessageText(event.text));
      break;
    }
  }
}

void ToMessage(const ConnectionEntry& entry, const ControlParts& parts,
               v1::ConnectionRecord* message) {
  message->set_name(entry.name);
  message->set_origin(entry.origin == ConnectionOrigin::kFolder ? v1::CONNECTION_ORIGIN_FOLDER
                                                                : v1::CONNECTION_ORIGIN_API);
  if (entry.yaml != nullptr) {
    message->set_yaml(MessageText(parts.redactor->Apply(WithoutSecrets(*entry.yaml))));
  }
  message->set_version(entry.version);
  SetTime(entry.changed_at_us, message->mutable_changed_at());
  message->set_paused(entry.paused);
  message->set_schedule(entry.schedule.text());
  message->set_connector(MessageText(entry.connector));
  message->set_destination_type(MessageText(entry.destination_type));
  const ConnectionStanding standing =
      parts.standing ? parts.standing(entry.name) : ConnectionStanding();
  if (standing.next_sync_at != absl::InfiniteFuture() && !entry.paused) {
    SetTime(standing.next_sync_at, message->mutable_next_sync_at());
  }
  message->set_failures_in_a_row(standing.failures_in_a_row);
  const std::optional<std::string> running = parts.runner->BusyWith(entry.name);
  message->set_running_sync_id(running.value_or(""));
  const std::optional<SyncEntry> last = parts.syncs->Last(entry.name);
  if (last.has_value()) {
    message->set_last_sync_id(last->sync_id);
    message->set_last_sync_status(static_cast<v1::SyncStatus>(last->phase));
  }
  const Health health = HealthOf(entry, standing, last, running.has_value(), parts.clock->Now());
  message->set_health(health.health);
  message->set_problem(MessageText(parts.redactor->Apply(health.problem)));
}

absl::Status ReportToMessage(const std::string& json, v1::SyncReportDocument* message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  message->Clear();
  const auto status = google::protobuf::util::JsonStringToMessage(json, message, options);
  if (status.ok()) return absl::OkStatus();
  message->Clear();
  return absl::InternalError(
      absl::StrCat("the stored report cannot be read: ", std::string(status.message())));
}

absl::Status CheckMask(const google::protobuf::FieldMask& mask,
                       const google::protobuf::Descriptor& descriptor) {
  for (const std::string& path : mask.paths()) {
    if (!FieldMaskUtil::GetFieldDescriptors(&descriptor, path, nullptr)) {
      return BadField("read_mask",
                      absl::StrCat("\"", path, "\" is no field of ", descriptor.full_name()));
    }
  }
  return absl::OkStatus();
}

void ApplyMask(const google::protobuf::FieldMask& mask, google::protobuf::Message* message) {
  if (mask.paths_size() > 0) FieldMaskUtil::TrimMessage(mask, message);
}

}  // namespace tidemark
