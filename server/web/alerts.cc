#include "web/alerts.h"

#include <pthread.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/exit_code.h"
#include "core/digest.h"
#include "core/mutex.h"
#include "web/alert_channels.h"
#include "web/alert_delivery.h"
#include "web/alert_history.h"
#include "web/alert_judge.h"
#include "web/alert_store.h"

namespace tidemark {
namespace {

constexpr absl::Duration kTickEvery = absl::Seconds(5);
constexpr absl::Duration kTickPause = absl::Milliseconds(200);  // many syncs end at once
constexpr size_t kPage = 500;
constexpr size_t kLast = 20;

using Key = std::pair<std::string, std::string>;  // rule, connection

AlertDelivery::Channels MakeChannels(const AlertRules& rules, const Alerts::Parts& parts) {
  AlertDelivery::Channels channels;
  for (const AlertChannelSettings& channel : rules.channels) {
    channels[channel.name] = channel.webhook ? MakeWebhookChannel(*channel.webhook, parts.clock)
                             : channel.command
                                 ? MakeCommandChannel(*channel.command, parts.redactor)
                                 : MakeLogChannel(parts.log);
  }
  return channels;
}

std::vector<ConnectionEntry> ListAll(const ConnectionBook& book) {
  std::vector<ConnectionEntry> all;
  for (;;) {
    std::vector<ConnectionEntry> page = book.List(all.empty() ? "" : all.back().name, kPage);
    const bool last = page.size() < kPage;
    std::move(page.begin(), page.end(), std::back_inserter(all));
    if (last) return all;
  }
}

// How often something that is only counted happened within a window.
class GrowthWindow {
 public:
  explicit GrowthWindow(absl::Duration memory) : memory_(memory) {}

  void Observe(absl::Time now, uint64_t count) {
    if (count > last_) steps_.emplace_back(now, count - last_);
    last_ = count;
    while (!steps_.empty() && steps_.front().first < now - memory_) steps_.pop_front();
  }
  uint64_t Since(absl::Time from) const {
    uint64_t sum = 0;
    for (const auto& [at, count] : steps_) sum += at >= from ? count : 0;
    return sum;
  }

 private:
  const absl::Duration memory_;
  uint64_t last_ = 0;
  std::deque<std::pair<absl::Time, uint64_t>> steps_;
};

}  // namespace

struct Alerts::Work {
  Work(AlertRules loaded, Parts given, std::unique_ptr<AlertStore> opened)
      : rules(std::move(loaded)),
        parts(std::move(given)),
        store(std::move(opened)),
        history(rules.Memory()),
        refused(rules.Memory()),
        delivery(MakeChannels(rules, parts), {store.get(), parts.log, parts.clock}) {}

  absl::Status Tick();
  void Run();
  // The history of connections that were not looked at yet; without `mutex`.
  void Recall(const std::vector<ConnectionEntry>& connections);
  absl::Status RecallOne(const std::string& connection);
  AlertFacts FactsOf(const ConnectionEntry& connection);
  // What changes for one rule and connection; `text`: the condition holds.
  void Compare(const AlertRule& rule, const std::string& connection,
               const std::optional<std::string>& text, absl::Time now,
               std::vector<AlertStore::Change>* changes);
  void CloseGone(const std::set<std::string>& names, absl::Time now,
                 std::vector<AlertStore::Change>* changes);
  AlertNotice Notice(const AlertRule& rule, const Incident& incident, AlertEvent event,
                     absl::Time now) const;

  const AlertRules rules;
  const Parts parts;
  const std::unique_ptr<AlertStore> store;
  AlertHistory history;
  std::set<std::string> recalled;  // by the ticking thread only
  GrowthWindow refused;            // by the ticking thread only
  AlertDelivery delivery;
  std::thread ticking;

  Mutex tick_mutex;  // one tick at a time
  Mutex mutex;
  CondVar wake;
  std::map<Key, Incident> incidents ABSL_GUARDED_BY(mutex);
  bool poked ABSL_GUARDED_BY(mutex) = false;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
};

absl::StatusOr<std::unique_ptr<Alerts>> Alerts::Open(AlertRules rules, Parts parts) {
  for (const AlertRule& rule : rules.rules) {
    if (rule.condition == AlertCondition::kAuthenticationFailuresOver &&
        !parts.authentication_failures) {
      return AsUsage(absl::InvalidArgumentError(
          absl::StrCat("alert rule ", rule.name, ": this server does not count refused callers")));
    }
  }
  absl::StatusOr<std::unique_ptr<AlertStore>> store = AlertStore::Open(parts.catalog);
  if (!store.ok()) return store.status();
  std::vector<std::string> channels;
  channels.reserve(rules.channels.size());
  for (const AlertChannelSettings& channel : rules.channels) channels.push_back(channel.name);
  const absl::StatusOr<int64_t> lost = (*store)->KeepOnly(channels);
  if (!lost.ok()) return lost.status();
  if (*lost > 0) {
    parts.log->Write(LogLevel::kWarning, {},
                     absl::StrCat("alerts: ", *lost, " notices for channels that are gone"));
  }
  const absl::StatusOr<std::vector<Incident>> incidents = (*store)->Incidents();
  if (!incidents.ok()) return incidents.status();
  auto work = std::make_unique<Work>(std::move(rules), std::move(parts), *std::move(store));
  {
    MutexLock lock(work->mutex);
    for (const Incident& incident : *incidents) {
      work->incidents[{incident.rule, incident.connection}] = incident;
    }
  }
  return std::unique_ptr<Alerts>(new Alerts(std::move(work)));
}

Alerts::Alerts(std::unique_ptr<Work> work) : work_(std::move(work)) {}

Alerts::~Alerts() { Stop(); }

void Alerts::OnSyncEnded(const SyncEntry& sync, const SyncOutcome*) {
  work_->history.Add(sync);
  MutexLock lock(work_->mutex);
  work_->poked = true;
  work_->wake.SignalAll();
}

absl::Status Alerts::Tick() { return work_->Tick(); }

void Alerts::Start() {
  work_->delivery.Start();
  work_->ticking = std::thread([this] {
    pthread_setname_np(pthread_self(), "alerts");
    work_->Run();
  });
}

void Alerts::Stop() {
  {
    MutexLock lock(work_->mutex);
    work_->stopping = true;
    work_->wake.SignalAll();
  }
  if (work_->ticking.joinable()) work_->ticking.join();
  work_->delivery.Stop();
}

std::vector<std::string> Alerts::Incidents() const {
  std::vector<std::string> lines;
  MutexLock lock(work_->mutex);
  for (const auto& [key, incident] : work_->incidents) {
    if (incident.noticed_us == 0) continue;
    lines.push_back(absl::StrCat(incident.rule, incident.connection.empty() ? "" : " of ",
                                 incident.connection, ": ", incident.text));
  }
  return lines;
}

absl::Time Alerts::DeliverDue(const std::string& channel) {
  return work_->delivery.DeliverDue(channel);
}

void Alerts::Work::Run() {
  for (;;) {
    if (const absl::Status ticked = Tick(); !ticked.ok()) {
      parts.log->Write(LogLevel::kError, {}, absl::StrCat("alerts: ", ticked.message()));
    }
    MutexLock lock(mutex);
    wake.WaitFor(mutex, kTickPause);
    if (!stopping && !poked) wake.WaitFor(mutex, kTickEvery);
    if (stopping) return;
    poked = false;
  }
}

absl::Status Alerts::Work::Tick() {
  MutexLock one(tick_mutex);
  const std::vector<ConnectionEntry> connections = ListAll(*parts.connections);
  Recall(connections);
  const absl::Time now = parts.clock->Now();
  if (parts.authentication_failures) refused.Observe(now, parts.authentication_failures());
  std::vector<AlertStore::Change> changes;
  std::set<std::string> names;
  for (const ConnectionEntry& connection : connections) {
    names.insert(connection.name);
    AlertFacts facts = FactsOf(connection);
    for (const AlertRule& rule : rules.rules) {
      if (rule.condition == AlertCondition::kAuthenticationFailuresOver) continue;
      if (rule.within > absl::ZeroDuration()) {
        facts.sums = history.Sums(connection.name, now - rule.within);
      }
      const bool covered = rule.Covers(connection.name);
      Compare(rule, connection.name, covered ? Judge(rule, facts, now) : std::nullopt, now,
              &changes);
    }
  }
  for (const AlertRule& rule : rules.rules) {
    if (rule.condition != AlertCondition::kAuthenticationFailuresOver) continue;
    AlertFacts facts;
    facts.authentication_failures = refused.Since(now - rule.within);
    Compare(rule, "", Judge(rule, facts, now), now, &changes);
  }
  CloseGone(names, now, &changes);
  if (changes.empty()) return absl::OkStatus();
  if (absl::Status stored = store->Apply(changes); !stored.ok()) return stored;
  {
    MutexLock lock(mutex);
    for (const AlertStore::Change& change : changes) {
      const Key key = {change.incident.rule, change.incident.connection};
      if (change.over) {
        incidents.erase(key);
      } else {
        incidents[key] = change.incident;
      }
    }
  }
  delivery.Wake();
  return absl::OkStatus();
}

void Alerts::Work::Recall(const std::vector<ConnectionEntry>& connections) {
  for (const ConnectionEntry& connection : connections) {
    if (recalled.count(connection.name) != 0) continue;
    if (const absl::Status read = RecallOne(connection.name); !read.ok()) {
      parts.log->Write(LogLevel::kError, {connection.name, "", ""},
                       absl::StrCat("alerts: the history of syncs: ", read.message()));
      continue;
    }
    recalled.insert(connection.name);
  }
}

absl::Status Alerts::Work::RecallOne(const std::string& connection) {
  SyncQuery query;
  query.connection = connection;
  query.phases = {SyncPhase::kCompleted, SyncPhase::kPartial};
  query.limit = 1;
  const absl::StatusOr<std::vector<SyncEntry>> good = parts.syncs->List(query);
  if (!good.ok()) return good.status();
  const int64_t from_us = absl::ToUnixMicros(parts.clock->Now() - rules.Memory());
  std::vector<SyncEntry> past = *good;
  query.phases.push_back(SyncPhase::kFailed);
  // Without windows the newest that says something is enough, behind some that were interrupted.
  query.limit = rules.Memory() > absl::ZeroDuration() ? kPage : kLast;
  for (size_t read = 0; read < AlertHistory::kSyncs; read += query.limit) {
    const absl::StatusOr<std::vector<SyncEntry>> page = parts.syncs->List(query);
    if (!page.ok()) return page.status();
    past.insert(past.end(), page->begin(), page->end());
    if (page->size() < query.limit || page->back().queued_at_us < from_us) break;
    query.after = page->back().sync_id;
  }
  history.Recall(past);
  return absl::OkStatus();
}

AlertFacts Alerts::Work::FactsOf(const ConnectionEntry& connection) {
  AlertFacts facts;
  facts.paused = connection.paused;
  facts.known_since = absl::FromUnixMicros(connection.changed_at_us);
  facts.stale_after = connection.schedule.StaleAfter();
  facts.up_to_date = parts.metrics->UpToDate(connection.name);
  facts.last_success = history.LastSuccess(connection.name);
  facts.last_failure = history.LastFailure(connection.name);
  return facts;
}

AlertNotice Alerts::Work::Notice(const AlertRule& rule, const Incident& incident, AlertEvent event,
                                 absl::Time now) const {
  AlertNotice notice;
  notice.id = RandomHex(16);
  notice.event = event;
  notice.rule = rule.name;
  notice.severity = rule.severity;
  notice.connection = incident.connection;
  notice.text = incident.text;
  notice.since_us = incident.since_us;
  notice.at_us = absl::ToUnixMicros(now);
  return notice;
}

void Alerts::Work::Compare(const AlertRule& rule, const std::string& connection,
                           const std::optional<std::string>& text, absl::Time now,
                           std::vector<AlertStore::Change>* changes) {
  MutexLock lock(mutex);
  const auto found = incidents.find({rule.name, connection});
  if (!text.has_value()) {
    if (found == incidents.end()) return;
    AlertStore::Change change{found->second, true, std::nullopt, rule.channels};
    if (found->second.noticed_us != 0) {
      change.incident.text = absl::StrCat("over; it was: ", found->second.text);
      change.notice = Notice(rule, change.incident, AlertEvent::kRecovered, now);
    }
    changes->push_back(std::move(change));
    return;
  }
  const std::string safe = parts.redactor->Apply(*text);
  const int64_t now_us = absl::ToUnixMicros(now);
  const bool fresh = found == incidents.end();
  Incident incident = fresh ? Incident{rule.name, connection, now_us, 0, safe} : found->second;
  incident.text = safe;
  const bool noticed = incident.noticed_us != 0;
  const bool due = noticed ? now - absl::FromUnixMicros(incident.noticed_us) >= rule.repeat
                           : now - absl::FromUnixMicros(incident.since_us) >= rule.hold;
  if (!fresh) found->second.text = safe;
  if (!due && !fresh) return;
  AlertStore::Change change{incident, false, std::nullopt, rule.channels};
  if (due) {
    change.incident.noticed_us = now_us;
    change.notice =
        Notice(rule, change.incident, noticed ? AlertEvent::kRepeated : AlertEvent::kFiring, now);
  }
  changes->push_back(std::move(change));
}

// Incidents of rules or connections that are no more.
void Alerts::Work::CloseGone(const std::set<std::string>& names, absl::Time now,
                             std::vector<AlertStore::Change>* changes) {
  std::map<std::string, const AlertRule*> by_name;
  for (const AlertRule& rule : rules.rules) by_name[rule.name] = &rule;
  MutexLock lock(mutex);
  for (const auto& [key, incident] : incidents) {
    const auto rule = by_name.find(key.first);
    const bool connection_gone = !key.second.empty() && names.count(key.second) == 0;
    if (rule != by_name.end() && !connection_gone) continue;
    AlertStore::Change change{incident, true, std::nullopt, {}};
    if (rule != by_name.end() && incident.noticed_us != 0) {
      change.incident.text = absl::StrCat("the connection is gone; it was: ", incident.text);
      change.notice = Notice(*rule->second, change.incident, AlertEvent::kRecovered, now);
      change.channels = rule->second->channels;
    }
    if (connection_gone) {
      history.Forget(key.second);
      recalled.erase(key.second);
    }
    changes->push_back(std::move(change));
  }
}

}  // namespace tidemark
