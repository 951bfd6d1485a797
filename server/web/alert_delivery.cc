#include "web/alert_delivery.h"

#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

constexpr absl::Duration kLook = absl::Seconds(30);  // at the store without being woken
constexpr absl::Duration kStoreFailed = absl::Seconds(5);

absl::Duration PauseAfter(int64_t attempts) {
  const int64_t doublings = std::clamp<int64_t>(attempts - 1, 0, 20);
  return std::min(AlertDelivery::kFirstPause * (int64_t{1} << doublings),
                  AlertDelivery::kLongestPause);
}

bool MayHelp(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded;
}

}  // namespace

AlertDelivery::AlertDelivery(Channels channels, Parts parts)
    : channels_(std::move(channels)), parts_(parts) {}

AlertDelivery::~AlertDelivery() { Stop(); }

void AlertDelivery::Start() {
  for (const auto& [name, channel] : channels_) {
    threads_.emplace_back([this, name = name] {
      pthread_setname_np(pthread_self(), "alert");
      Run(name);
    });
  }
}

void AlertDelivery::Wake() {
  MutexLock lock(mutex_);
  ++wakes_;
  wake_.SignalAll();
}

void AlertDelivery::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

bool AlertDelivery::stopping() {
  MutexLock lock(mutex_);
  return stopping_;
}

void AlertDelivery::Run(const std::string& channel) {
  for (;;) {
    uint64_t seen = 0;
    {
      MutexLock lock(mutex_);
      seen = wakes_;
    }
    const absl::Time next = DeliverDue(channel);
    const absl::Duration wait = std::min(kLook, next - parts_.clock->Now());
    MutexLock lock(mutex_);
    if (!stopping_ && wakes_ == seen && wait > absl::ZeroDuration()) wake_.WaitFor(mutex_, wait);
    if (stopping_) return;
  }
}

absl::Time AlertDelivery::DeliverDue(const std::string& channel) {
  AlertChannel& out = *channels_.at(channel);
  for (;;) {
    absl::StatusOr<std::optional<PendingNotice>> first = parts_.store->First(channel);
    if (!first.ok()) {
      parts_.log->Write(LogLevel::kError, {},
                        absl::StrCat("alerts: the catalog: ", first.status().message()));
      return parts_.clock->Now() + kStoreFailed;
    }
    if (!first->has_value()) return absl::InfiniteFuture();
    const absl::Time next = absl::FromUnixMicros((*first)->next_us);
    if (next > parts_.clock->Now()) return next;
    if (stopping()) return absl::InfiniteFuture();
    const absl::Status sent = out.Send((*first)->notice);
    const absl::Status settled = Settle(channel, *std::move(*first), sent);
    if (!settled.ok()) {
      // It is given away once more then.
      parts_.log->Write(LogLevel::kError, {},
                        absl::StrCat("alerts: the catalog: ", settled.message()));
      return parts_.clock->Now() + kStoreFailed;
    }
  }
}

absl::Status AlertDelivery::Settle(const std::string& channel, PendingNotice pending,
                                   const absl::Status& sent) {
  if (sent.ok()) return parts_.store->Remove(pending.number);
  const absl::Time now = parts_.clock->Now();
  const absl::Duration age = now - absl::FromUnixMicros(pending.notice.at_us);
  const LogFields fields = {pending.notice.connection, "", ""};
  const std::string what = absl::StrCat("channel ", channel, ": ", sent.message());
  if (!MayHelp(sent) || age > kGiveUp) {
    parts_.log->Write(
        LogLevel::kError, fields,
        absl::StrCat("an alert was given up: ", what, "; it said: ", NoticeLine(pending.notice)));
    return parts_.store->Remove(pending.number);
  }
  ++pending.attempts;
  const absl::Duration pause = PauseAfter(pending.attempts);
  pending.next_us = absl::ToUnixMicros(now + pause);
  parts_.log->Write(LogLevel::kWarning, fields,
                    absl::StrCat("an alert could not be given away, again in ",
                                 absl::FormatDuration(pause), ": ", what));
  return parts_.store->Postpone(pending);
}

}  // namespace tidemark
