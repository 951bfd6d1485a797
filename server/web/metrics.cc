#include "web/metrics.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <utility>

#include "absl/strings/strip.h"
#include "control/version.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"
#include "web/resource_use.h"

namespace tidemark {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr size_t kPage = 500;
constexpr const char* kOthers = "(others)";

struct Label {
  const char* name;
  std::string value;
};

// One number of a connection; nullopt: not known, and no series.
struct TallyMetric {
  const char* name;
  MetricType type;
  const char* help;
  std::optional<double> (*value)(const ConnectionTally&);
};

std::optional<double> Number(uint64_t value) { return static_cast<double>(value); }

constexpr TallyMetric kTallyMetrics[] = {
    {"tidemark_bytes_total", MetricType::Counter, "Encoded bytes of committed rows.",
     [](const ConnectionTally& t) { return Number(t.totals().bytes); }},
    {"tidemark_commits_total", MetricType::Counter, "Transactions committed at the destination.",
     [](const ConnectionTally& t) { return Number(t.totals().commits); }},
    {"tidemark_checkpoints_total", MetricType::Counter,
     "Checkpoints of the connector in committed groups.",
     [](const ConnectionTally& t) { return Number(t.totals().checkpoints); }},
    {"tidemark_retries_total", MetricType::Counter, "Further attempts within syncs.",
     [](const ConnectionTally& t) { return Number(t.totals().retries); }},
    {"tidemark_plugin_restarts_total", MetricType::Counter,
     "Further attempts after the connector's process had ended.",
     [](const ConnectionTally& t) { return Number(t.restarts()); }},
    {"tidemark_dead_letters_total", MetricType::Counter, "Changes kept as dead letters.",
     [](const ConnectionTally& t) { return Number(t.totals().counts.dead_letter); }},
    {"tidemark_conflicts_total", MetricType::Counter, "Changes that conflicted with other ones.",
     [](const ConnectionTally& t) { return Number(t.totals().counts.conflict); }},
    {"tidemark_late_rows_total", MetricType::Counter,
     "Changes behind the watermark of their table.",
     [](const ConnectionTally& t) { return Number(t.late_rows()); }},
    {"tidemark_state_versions_total", MetricType::Counter, "State versions written by syncs.",
     [](const ConnectionTally& t) { return Number(t.state_versions()); }},
    {"tidemark_state_bytes", MetricType::Gauge,
     "Size of the connector's state after the last sync.",
     [](const ConnectionTally& t) {
       return t.state_bytes() ? Number(*t.state_bytes()) : std::nullopt;
     }},
    {"tidemark_syncs_running", MetricType::Gauge, "Syncs and Ingest streams running now.",
     [](const ConnectionTally& t) { return Number(t.running()); }},
    {"tidemark_last_sync_failed", MetricType::Gauge,
     "1 when the sync that ended last failed, otherwise 0.",
     [](const ConnectionTally& t) {
       return t.last_failed() ? Number(*t.last_failed() ? 1 : 0) : std::nullopt;
     }},
    {"tidemark_last_sync_duration_seconds", MetricType::Gauge,
     "How long the sync that ended last took.",
     [](const ConnectionTally& t) {
       return t.last_duration() ? std::optional(absl::ToDoubleSeconds(*t.last_duration()))
                                : std::nullopt;
     }},
    {"tidemark_up_to_date_timestamp_seconds", MetricType::Gauge,
     "Unix time for which the destination holds what the source had then.",
     [](const ConnectionTally& t) {
       return t.up_to_date()
                  ? std::optional(absl::ToDoubleSeconds(*t.up_to_date() - absl::UnixEpoch()))
                  : std::nullopt;
     }},
};

struct RowKind {
  const char* name;
  uint64_t ChangeCounts::* count;
};
constexpr RowKind kRowKinds[] = {
    {"inserted", &ChangeCounts::inserted},      {"updated", &ChangeCounts::updated},
    {"deleted", &ChangeCounts::deleted},        {"unchanged", &ChangeCounts::unchanged},
    {"superseded", &ChangeCounts::superseded},  {"missing", &ChangeCounts::missing},
    {"conflict", &ChangeCounts::conflict},      {"late", &ChangeCounts::late_queue},
    {"dead_letter", &ChangeCounts::dead_letter}};
constexpr const char* kStatuses[ConnectionTally::kStatuses] = {"completed", "partial", "failed"};

// The families of one scrape, in the order they were begun.
class Families {
 public:
  void Begin(const char* name, MetricType type, const char* help) {
    MetricFamily& family = families_.emplace_back();
    family.name = name;
    family.type = type;
    family.help = help;
  }
  // A series of the family begun last.
  void Add(const std::vector<Label>& labels, double value) {
    ClientMetric metric = WithLabels(labels);
    (families_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) =
        value;
    families_.back().metric.push_back(std::move(metric));
  }
  void AddHistogram(const std::vector<Label>& labels, const LatencyCounts& latency) {
    ClientMetric metric = WithLabels(labels);
    uint64_t sum = 0;
    for (size_t i = 0; i < latency.counts.size(); ++i) {
      sum += latency.counts[i];
      metric.histogram.bucket.push_back({sum, i < LatencyCounts::kBounds.size()
                                                  ? LatencyCounts::kBounds[i]
                                                  : std::numeric_limits<double>::infinity()});
    }
    metric.histogram.sample_count = sum;
    metric.histogram.sample_sum = latency.sum_seconds;
    families_.back().metric.push_back(std::move(metric));
  }
  void AddOne(const char* name, MetricType type, const char* help, std::optional<double> value) {
    Begin(name, type, help);
    if (value.has_value()) Add({}, *value);
  }
  // Families without a series are left out.
  std::string Text() {
    families_.erase(std::remove_if(families_.begin(), families_.end(),
                                   [](const MetricFamily& f) { return f.metric.empty(); }),
                    families_.end());
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  static ClientMetric WithLabels(const std::vector<Label>& labels) {
    ClientMetric metric;
    for (const Label& label : labels) metric.label.push_back({label.name, label.value});
    return metric;
  }

  std::vector<MetricFamily> families_;
};

using Tallies = std::vector<std::pair<std::string, ConnectionTally>>;

void AddTallies(const Tallies& tallies, absl::Time now, Families* out) {
  out->Begin("tidemark_rows_total", MetricType::Counter,
             "Committed changes by what became of them.");
  for (const auto& [name, tally] : tallies) {
    for (const RowKind& kind : kRowKinds) {
      out->Add({{"connection", name}, {"kind", kind.name}},
               static_cast<double>(tally.totals().counts.*kind.count));
    }
  }
  out->Begin("tidemark_syncs_total", MetricType::Counter, "Ended syncs.");
  for (const auto& [name, tally] : tallies) {
    for (size_t i = 0; i < ConnectionTally::kStatuses; ++i) {
      out->Add({{"connection", name}, {"status", kStatuses[i]}},
               static_cast<double>(tally.syncs()[i]));
    }
  }
  out->Begin("tidemark_commit_latency_seconds", MetricType::Histogram,
             "How long commits at the destination took.");
  for (const auto& [name, tally] : tallies) {
    out->AddHistogram({{"connection", name}}, tally.totals().commit_latency);
  }
  for (const TallyMetric& metric : kTallyMetrics) {
    out->Begin(metric.name, metric.type, metric.help);
    for (const auto& [name, tally] : tallies) {
      const std::optional<double> value = metric.value(tally);
      if (value.has_value()) out->Add({{"connection", name}}, *value);
    }
  }
  out->Begin("tidemark_lag_seconds", MetricType::Gauge,
             "Seconds since the destination was known to hold all that the source had.");
  for (const auto& [name, tally] : tallies) {
    if (!tally.up_to_date().has_value()) continue;
    out->Add({{"connection", name}},
             std::max(0.0, absl::ToDoubleSeconds(now - *tally.up_to_date())));
  }
}

void AddConnections(const std::vector<ConnectionEntry>& connections, Families* out) {
  const size_t own = std::min(connections.size(), Metrics::kConnections);
  out->Begin("tidemark_connection_paused", MetricType::Gauge,
             "1 when the connection does not start by itself, otherwise 0.");
  for (size_t i = 0; i < own; ++i) {
    out->Add({{"connection", connections[i].name}}, connections[i].paused ? 1 : 0);
  }
  out->Begin("tidemark_connection_valid", MetricType::Gauge,
             "0 when the connection's definition has a problem, otherwise 1.");
  for (size_t i = 0; i < own; ++i) {
    out->Add({{"connection", connections[i].name}}, connections[i].problem.empty() ? 1 : 0);
  }
  out->AddOne("tidemark_connections", MetricType::Gauge, "Connections of this server.",
              Number(connections.size()));
}

void AddServer(const std::vector<SyncEntry>& live, Families* out) {
  uint64_t queued = 0;
  for (const SyncEntry& sync : live) queued += sync.phase == SyncPhase::kQueued ? 1 : 0;
  out->AddOne("tidemark_queue_length", MetricType::Gauge, "Syncs that wait to begin.",
              Number(queued));
  out->Begin("tidemark_build_info", MetricType::Gauge, "1, with the version as a label.");
  out->Add({{"version", std::string(absl::StripPrefix(EngineVersion(), "tidemark "))}}, 1);

  const ResourceUse use = ReadResourceUse();
  const auto number = [](const std::optional<uint64_t>& value) {
    return value ? Number(*value) : std::nullopt;
  };
  out->AddOne("tidemark_plugin_processes", MetricType::Gauge, "Processes of plugins.",
              number(use.plugins));
  out->AddOne("tidemark_plugin_resident_memory_bytes", MetricType::Gauge,
              "Memory of the processes of plugins.", number(use.plugin_resident_bytes));
  out->AddOne("process_resident_memory_bytes", MetricType::Gauge, "Memory of the server.",
              number(use.resident_bytes));
  out->AddOne("process_cpu_seconds_total", MetricType::Counter,
              "Processor time of the server, user and system.", use.cpu_seconds);
  out->AddOne("process_open_fds", MetricType::Gauge, "Open files and sockets of the server.",
              number(use.open_files));
  out->AddOne("process_max_fds", MetricType::Gauge, "How many it may open.",
              number(use.max_open_files));
  out->AddOne("process_start_time_seconds", MetricType::Gauge, "Unix time of the server's start.",
              use.started_unix_seconds);
}

}  // namespace

Metrics::Metrics(Parts parts) : parts_(parts) {}

void Metrics::OnSyncStarted(const SyncEntry& sync) {
  bool endless = sync.trigger == SyncTrigger::kIngest;
  if (!endless) {
    const absl::StatusOr<ConnectionEntry> entry = parts_.connections->Get(sync.connection);
    endless = entry.ok() && entry->schedule.kind() == Schedule::Kind::kRealtime;
  }
  MutexLock lock(mutex_);
  tallies_[sync.connection].Begin(sync, endless);
}

void Metrics::OnSyncProgress(const SyncEntry& sync, const SyncProgress& progress) {
  MutexLock lock(mutex_);
  tallies_[sync.connection].Progress(sync, progress, parts_.clock->Now());
}

void Metrics::OnSyncEnded(const SyncEntry& sync, const SyncOutcome* outcome) {
  MutexLock lock(mutex_);
  tallies_[sync.connection].End(sync, outcome);
}

std::optional<absl::Time> Metrics::UpToDate(const std::string& connection) {
  Recall(connection);
  MutexLock lock(mutex_);
  return tallies_[connection].up_to_date();
}

std::string Metrics::Exposition() {
  const std::vector<ConnectionEntry> connections = Connections();
  Forget(connections);
  Tallies tallies;
  ConnectionTally others;
  for (const ConnectionEntry& connection : connections) {
    const bool own = tallies.size() < kConnections;
    if (own) Recall(connection.name);
    MutexLock lock(mutex_);
    const ConnectionTally& tally = tallies_[connection.name];
    if (own) {
      tallies.emplace_back(connection.name, tally);
    } else {
      others.Merge(tally);
    }
  }
  if (connections.size() > kConnections) tallies.emplace_back(kOthers, others);
  Families families;
  AddTallies(tallies, parts_.clock->Now(), &families);
  AddConnections(connections, &families);
  AddServer(parts_.syncs->Live(), &families);
  return families.Text();
}

std::vector<ConnectionEntry> Metrics::Connections() const {
  std::vector<ConnectionEntry> all;
  for (;;) {
    std::vector<ConnectionEntry> page =
        parts_.connections->List(all.empty() ? "" : all.back().name, kPage);
    const bool last = page.size() < kPage;
    std::move(page.begin(), page.end(), std::back_inserter(all));
    if (last) return all;
  }
}

void Metrics::Recall(const std::string& connection) {
  {
    MutexLock lock(mutex_);
    if (tallies_[connection].recalled()) return;
  }
  SyncQuery query;
  query.connection = connection;
  query.phases = {SyncPhase::kCompleted, SyncPhase::kPartial};
  query.limit = 1;
  const std::optional<SyncEntry> last = parts_.syncs->Last(connection);
  const absl::StatusOr<std::vector<SyncEntry>> good = parts_.syncs->List(query);
  if (!good.ok()) return;  // asked again with the next scrape
  MutexLock lock(mutex_);
  ConnectionTally& tally = tallies_[connection];
  if (last.has_value()) tally.Recall(*last);
  for (const SyncEntry& sync : *good) tally.Recall(sync);
  tally.SetRecalled();
}

void Metrics::Forget(const std::vector<ConnectionEntry>& known) {
  std::set<std::string> names;
  for (const ConnectionEntry& connection : known) names.insert(connection.name);
  MutexLock lock(mutex_);
  for (auto tally = tallies_.begin(); tally != tallies_.end();) {
    tally = names.count(tally->first) == 0 && tally->second.running() == 0 ? tallies_.erase(tally)
                                                                           : std::next(tally);
  }
}

}  // namespace tidemark
