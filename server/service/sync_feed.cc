#include "service/sync_feed.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "control/config_node.h"
#include "nlohmann/json.hpp"

namespace tidemark {
namespace {

constexpr size_t kTextBytes = 8 * 1024;
constexpr size_t kTableNames = 10'000;  // names kept; further ones are shown as none
constexpr char kOldestPayload[] = "tidemark/oldest_event";

}  // namespace

std::optional<uint64_t> OldestKept(const absl::Status& status) {
  const auto payload = status.GetPayload(kOldestPayload);
  uint64_t oldest = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &oldest)) {
    return std::nullopt;
  }
  return oldest;
}

uint32_t SyncFeed::TableNumber(const std::string& name) {
  // The same table as last time, nearly always.
  if (tables_.back() == name) return static_cast<uint32_t>(tables_.size() - 1);
  const auto found = std::find(tables_.begin(), tables_.end(), name);
  if (found != tables_.end()) return static_cast<uint32_t>(found - tables_.begin());
  if (tables_.size() >= kTableNames) return 0;
  tables_.push_back(name);
  return static_cast<uint32_t>(tables_.size() - 1);
}

void SyncFeed::Add(SyncFeedEvent event) {
  if (ended_) return;
  Stored stored;
  stored.at_us = event.at_us;
  stored.rows = event.rows;
  stored.elapsed_seconds = event.elapsed_seconds;
  stored.rows_per_second = static_cast<float>(event.rows_per_second);
  if (event.lag_seconds.has_value()) stored.lag_seconds = static_cast<float>(*event.lag_seconds);
  stored.table = TableNumber(event.table);
  stored.kind = event.kind;
  stored.level = static_cast<int16_t>(event.level);
  stored.text =
      event.kind == SyncFeedEvent::Kind::kLog ? std::move(event.text) : std::move(event.phase);
  if (stored.text.size() > kTextBytes) {
    stored.text.resize(kTextBytes);
    stored.text += "...";
  }
  if (event.kind == SyncFeedEvent::Kind::kStarted) started_ = std::move(event.record);
  if (event.kind == SyncFeedEvent::Kind::kEnded) {
    final_ = std::move(event.record);
    ended_ = true;
  }
  events_.push_back(std::move(stored));
  if (events_.size() <= kFeedEvents) return;
  events_.pop_front();
  ++first_;
}

SyncFeedEvent SyncFeed::Open(size_t index) const {
  const Stored& stored = events_[index];
  SyncFeedEvent event;
  event.sequence = first_ + index;
  event.at_us = stored.at_us;
  event.kind = stored.kind;
  switch (stored.kind) {
    case SyncFeedEvent::Kind::kStarted:
      event.record = started_;
      break;
    case SyncFeedEvent::Kind::kEnded:
      event.record = final_;
      break;
    case SyncFeedEvent::Kind::kProgress:
      event.rows = stored.rows;
      event.rows_per_second = static_cast<double>(stored.rows_per_second);
      event.elapsed_seconds = stored.elapsed_seconds;
      event.phase = stored.text;
      if (stored.lag_seconds >= 0) event.lag_seconds = static_cast<double>(stored.lag_seconds);
      break;
    case SyncFeedEvent::Kind::kLog:
      event.level = stored.level;
      event.text = stored.text;
      break;
  }
  event.table = tables_[stored.table];
  return event;
}

absl::StatusOr<SyncFeedPage> SyncFeed::Read(uint64_t after, size_t limit) const {
  if (after + 1 < first_) {
    absl::Status gone = absl::OutOfRangeError(absl::StrCat(
        "the events after ", after, " are no longer kept; the oldest one is ", first_));
    gone.SetPayload(kOldestPayload, absl::Cord(absl::StrCat(first_)));
    return gone;
  }
  SyncFeedPage page;
  page.oldest = events_.empty() ? 0 : first_;
  const uint64_t newest = first_ + events_.size() - 1;
  for (uint64_t next = after + 1; next <= newest && page.events.size() < limit; ++next) {
    page.events.push_back(Open(static_cast<size_t>(next - first_)));
  }
  page.ended = ended_ && after + page.events.size() >= newest;
  return page;
}

std::string SyncFeed::Document() const {
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  for (const Stored& e : events_) {
    events.push_back({static_cast<int>(e.kind), e.at_us, e.rows, e.elapsed_seconds,
                      e.rows_per_second, e.lag_seconds, e.table, static_cast<int>(e.level),
                      e.text});
  }
  return DumpJson({{"first", first_}, {"tables", tables_}, {"events", std::move(events)}}, -1);
}

absl::StatusOr<SyncFeed> SyncFeed::FromDocument(absl::string_view text, const SyncEntry& record) {
  const nlohmann::json document = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  SyncFeed feed;
  try {
    feed.first_ = document.at("first").get<uint64_t>();
    feed.tables_ = document.at("tables").get<std::vector<std::string>>();
    for (const nlohmann::json& row : document.at("events")) {
      Stored& e = feed.events_.emplace_back();
      e.kind = static_cast<SyncFeedEvent::Kind>(row.at(0).get<int>());
      e.at_us = row.at(1).get<int64_t>();
      e.rows = row.at(2).get<uint64_t>();
      e.elapsed_seconds = row.at(3).get<double>();
      e.rows_per_second = row.at(4).get<float>();
      e.lag_seconds = row.at(5).get<float>();
      e.table = row.at(6).get<uint32_t>();
      e.level = static_cast<int16_t>(row.at(7).get<int>());
      e.text = row.at(8).get<std::string>();
      if (e.table >= feed.tables_.size()) e.table = 0;
    }
  } catch (const nlohmann::json::exception&) {
    return absl::InternalError(
        absl::StrCat("the stored events of sync ", record.sync_id, " cannot be read"));
  }
  if (feed.tables_.empty()) feed.tables_ = {""};
  feed.started_ = feed.final_ = record;
  feed.started_->phase = SyncPhase::kRunning;
  feed.started_->ended_at_us = 0;
  feed.ended_ = true;
  return feed;
}

}  // namespace tidemark
