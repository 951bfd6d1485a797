#include "service/sync_book.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/random_bits.h"

namespace tidemark {
namespace {

constexpr absl::Duration kEndedStays = absl::Minutes(1);
constexpr size_t kOpenedFeeds = 4;
// A caller who may see this many connections or fewer is answered from their own indexes.
constexpr size_t kFewConnections = 8;

}  // namespace

struct SyncBook::Watch::Listener {
  explicit Listener(std::function<void()> call) : on_event(std::move(call)) {}

  void Call() {
    MutexLock lock(mutex);
    if (!active) return;
    calling = std::this_thread::get_id();
    on_event();
    calling = std::thread::id();
  }
  void Deactivate() {
    // From within its own call the lock is ours already.
    if (calling.load() == std::this_thread::get_id()) {
      active = false;
      return;
    }
    MutexLock lock(mutex);
    active = false;
  }

  Mutex mutex;
  bool active = true;
  std::atomic<std::thread::id> calling{};
  const std::function<void()> on_event;
};

SyncBook::Watch::~Watch() { listener_->Deactivate(); }

SyncBook::SyncBook(Catalog* catalog, Clock* clock) : clock_(clock), history_(catalog) {}

SyncBook::~SyncBook() = default;

absl::StatusOr<std::unique_ptr<SyncBook>> SyncBook::Open(Catalog* catalog, Clock* clock) {
  std::unique_ptr<SyncBook> book(new SyncBook(catalog, clock));
  absl::StatusOr<std::vector<SyncEntry>> orphans = book->history_.Open(book->NowUs());
  if (!orphans.ok()) return orphans.status();
  book->interrupted_ = *std::move(orphans);
  absl::StatusOr<int64_t> newest = book->history_.NewestTime();
  if (!newest.ok()) return newest.status();
  absl::StatusOr<std::vector<SyncEntry>> last = book->history_.NewestOfEach();
  if (!last.ok()) return last.status();
  MutexLock lock(book->mutex_);
  book->newest_id_us_ = *newest;
  for (SyncEntry& entry : *last) {
    std::string connection = entry.connection;
    book->last_[std::move(connection)] = std::move(entry);
  }
  return book;
}

absl::StatusOr<SyncEntry> SyncBook::Add(SyncEntry record) {
  record.queued_at_us = NowUs();
  record.phase = SyncPhase::kQueued;
  {
    MutexLock lock(mutex_);
    newest_id_us_ = std::max(record.queued_at_us, newest_id_us_ + 1);
    record.sync_id = SyncIdOf(newest_id_us_, RandomBits::Real().Next());
    // Before it is in the catalog, so that a list never misses it.
    live_[record.sync_id].entry = record;
  }
  if (absl::Status status = history_.Insert(record); !status.ok()) {
    MutexLock lock(mutex_);
    live_.erase(record.sync_id);
    return status;
  }
  return record;
}

std::vector<std::shared_ptr<SyncBook::Watch::Listener>> SyncBook::Append(OpenSync& live,
                                                                         SyncFeedEvent event) {
  event.at_us = NowUs();
  live.feed.Add(std::move(event));
  std::vector<std::shared_ptr<Watch::Listener>> listeners;
  std::erase_if(live.listeners, [&listeners](const std::weak_ptr<Watch::Listener>& weak) {
    std::shared_ptr<Watch::Listener> listener = weak.lock();
    if (listener == nullptr) return true;
    listeners.push_back(std::move(listener));
    return false;
  });
  return listeners;
}

absl::StatusOr<SyncEntry> SyncBook::Start(const std::string& sync_id) {
  std::vector<std::shared_ptr<Watch::Listener>> listeners;
  SyncEntry entry;
  {
    MutexLock lock(mutex_);
    const auto found = live_.find(sync_id);
    if (found == live_.end() || HasEnded(found->second.entry.phase)) {
      return absl::NotFoundError(absl::StrCat("no sync ", sync_id, " waits"));
    }
    found->second.entry.phase = SyncPhase::kRunning;
    found->second.entry.started_at_us = NowUs();
    entry = found->second.entry;
    SyncFeedEvent event;
    event.kind = SyncFeedEvent::Kind::kStarted;
    event.record = entry;
    listeners = Append(found->second, std::move(event));
  }
  for (const auto& listener : listeners) listener->Call();
  return entry;
}

absl::Status SyncBook::End(const SyncEntry& record, absl::string_view report_json) {
  SyncFeedEvent event;
  event.kind = SyncFeedEvent::Kind::kEnded;
  event.record = record;
  if (event.record->ended_at_us == 0) event.record->ended_at_us = NowUs();
  const SyncEntry& entry = *event.record;
  std::string events;
  {
    MutexLock lock(mutex_);
    DropEnded();
    const auto found = live_.find(entry.sync_id);
    if (found == live_.end() || HasEnded(found->second.entry.phase)) {
      return absl::NotFoundError(absl::StrCat("no sync ", entry.sync_id, " runs"));
    }
    SyncFeed feed = found->second.feed;
    event.at_us = NowUs();
    feed.Add(event);
    events = feed.Document();
  }
  // Stored before anybody sees the end: who does asks for the report.
  absl::Status stored = history_.Finish(entry, report_json, events);
  std::vector<std::shared_ptr<Watch::Listener>> listeners;
  {
    MutexLock lock(mutex_);
    OpenSync& live = live_.find(entry.sync_id)->second;  // only what has ended goes
    live.entry = entry;
    ended_.emplace_back(clock_->Monotonic(), entry.sync_id);
    // The next one of the connection may have ended meanwhile.
    SyncEntry& last = last_[entry.connection];
    if (last.ended_at_us <= entry.ended_at_us) last = entry;
    listeners = Append(live, std::move(event));
  }
  for (const auto& listener : listeners) listener->Call();
  return stored;
}

void SyncBook::DropEnded() {
  const absl::Duration now = clock_->Monotonic();
  while (!ended_.empty() && now - ended_.front().first > kEndedStays) {
    live_.erase(ended_.front().second);
    ended_.pop_front();
  }
}

void SyncBook::Publish(const std::string& sync_id, SyncFeedEvent event) {
  std::vector<std::shared_ptr<Watch::Listener>> listeners;
  {
    MutexLock lock(mutex_);
    const auto found = live_.find(sync_id);
    if (found == live_.end() || found->second.feed.ended()) return;
    listeners = Append(found->second, std::move(event));
  }
  for (const auto& listener : listeners) listener->Call();
}

absl::StatusOr<SyncBook::FeedPage> SyncBook::Read(const std::string& sync_id, uint64_t after,
                                                  size_t limit) const {
  {
    MutexLock lock(mutex_);
    const auto found = live_.find(sync_id);
    if (found != live_.end()) return found->second.feed.Read(after, limit);
  }
  absl::StatusOr<std::shared_ptr<const SyncFeed>> feed = StoredFeed(sync_id);
  if (!feed.ok()) return feed.status();
  return (*feed)->Read(after, limit);
}

absl::StatusOr<std::shared_ptr<const SyncFeed>> SyncBook::StoredFeed(
    const std::string& sync_id) const {
  {
    MutexLock lock(mutex_);
    for (const auto& [id, feed] : opened_) {
      if (id == sync_id) return feed;
    }
  }
  absl::StatusOr<SyncEntry> entry = history_.Get(sync_id);
  if (!entry.ok()) return entry.status();
  absl::StatusOr<std::string> document = history_.Events(sync_id);
  if (!document.ok()) return document.status();
  absl::StatusOr<SyncFeed> feed = SyncFeed::FromDocument(*document, *entry);
  if (!feed.ok()) return feed.status();
  std::shared_ptr<const SyncFeed> shared = std::make_shared<SyncFeed>(*std::move(feed));
  MutexLock lock(mutex_);
  opened_.emplace_front(sync_id, shared);
  if (opened_.size() > kOpenedFeeds) opened_.pop_back();
  return shared;
}

std::shared_ptr<SyncBook::Watch> SyncBook::Subscribe(const std::string& sync_id,
                                                     std::function<void()> on_event) {
  auto listener = std::make_shared<Watch::Listener>(std::move(on_event));
  MutexLock lock(mutex_);
  const auto found = live_.find(sync_id);
  if (found != live_.end()) found->second.listeners.push_back(listener);
  return std::shared_ptr<Watch>(new Watch(std::move(listener)));
}

absl::StatusOr<SyncEntry> SyncBook::Get(absl::string_view sync_id) const {
  {
    MutexLock lock(mutex_);
    const auto found = live_.find(sync_id);
    if (found != live_.end()) return found->second.entry;
  }
  return history_.Get(sync_id);
}

absl::StatusOr<std::vector<SyncEntry>> SyncBook::List(const SyncQuery& query) const {
  const auto wanted = [&query](const SyncEntry& entry) {
    return (query.connection.empty() || entry.connection == query.connection) &&
           (!query.may_see || query.may_see(entry.connection)) &&
           (query.phases.empty() || std::find(query.phases.begin(), query.phases.end(),
                                              entry.phase) != query.phases.end()) &&
           entry.queued_at_us >= query.from_us && entry.queued_at_us < query.until_us &&
           (query.after.empty() || entry.sync_id < query.after);
  };
  if (!query.connection.empty() && query.may_see && !query.may_see(query.connection)) {
    return std::vector<SyncEntry>();
  }
  // Live ones first: one that ends meanwhile is found twice then, and never missed.
  std::map<std::string, SyncEntry, std::greater<>> found;
  std::vector<std::string> connections;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, live] : live_) {
      if (wanted(live.entry)) found.emplace(id, live.entry);
    }
    if (query.may_see && query.connection.empty()) {
      for (const auto& [name, last] : last_) {
        if (query.may_see(name)) connections.push_back(name);
      }
      if (connections.empty()) connections.emplace_back("/");  // no connection's name
      if (connections.size() > kFewConnections) connections.clear();
    }
  }
  absl::StatusOr<std::vector<SyncEntry>> ended = history_.List(query, connections);
  if (!ended.ok()) return ended;
  for (SyncEntry& entry : *ended) found.insert_or_assign(entry.sync_id, std::move(entry));
  std::vector<SyncEntry> page;
  for (auto& [id, entry] : found) {
    if (page.size() == query.limit) break;
    page.push_back(std::move(entry));
  }
  return page;
}

absl::StatusOr<std::string> SyncBook::Report(absl::string_view sync_id) const {
  return history_.Report(sync_id);
}

std::optional<SyncEntry> SyncBook::Last(absl::string_view connection) const {
  MutexLock lock(mutex_);
  const auto found = last_.find(connection);
  if (found == last_.end()) return std::nullopt;
  return found->second;
}

std::vector<SyncEntry> SyncBook::Live() const {
  std::vector<SyncEntry> entries;
  MutexLock lock(mutex_);
  for (const auto& [id, live] : live_) {
    if (!HasEnded(live.entry.phase)) entries.push_back(live.entry);
  }
  return entries;
}

absl::Status SyncBook::Prune(absl::Duration age, int64_t keep) {
  const int64_t now_us = NowUs();
  std::vector<std::string> connections;
  {
    MutexLock lock(mutex_);
    DropEnded();
    for (const auto& [name, last] : last_) connections.push_back(name);
  }
  const int64_t before_us =
      age == absl::InfiniteDuration() ? 0 : now_us - absl::ToInt64Microseconds(age);
  for (const std::string& connection : connections) {
    for (bool more = true; more;) {
      absl::StatusOr<bool> pruned = history_.PruneSome(connection, before_us, keep);
      if (!pruned.ok()) return pruned.status();
      more = *pruned;
    }
  }
  return history_.PruneEvents(now_us);
}

}  // namespace tidemark
