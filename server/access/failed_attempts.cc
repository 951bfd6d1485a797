#include "access/failed_attempts.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/status_context.h"

namespace tidemark {
namespace {

std::string Ipv6Prefix(const in6_addr& address) {
  char text[INET6_ADDRSTRLEN];
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    return inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof(text));
  }
  in6_addr prefix = {};
  std::memcpy(prefix.s6_addr, address.s6_addr, 8);
  return absl::StrCat(inet_ntop(AF_INET6, &prefix, text, sizeof(text)), "/64");
}

}  // namespace

std::string PeerAddress(absl::string_view peer) {
  if (absl::StartsWith(peer, "unix:")) return "unix";  // the path is our own socket's
  std::string text = absl::StrReplaceAll(
      peer, {{"%5B", "["}, {"%5b", "["}, {"%5D", "]"}, {"%5d", "]"}, {"%25", "%"}});
  absl::string_view host = text;
  if (!absl::ConsumePrefix(&host, "ipv4:")) absl::ConsumePrefix(&host, "ipv6:");
  if (!host.empty() && host[0] == '[') {
    host = host.substr(1, host.find(']') - 1);
  } else if (std::count(host.begin(), host.end(), ':') == 1) {
    host = host.substr(0, host.find(':'));
  }
  host = host.substr(0, host.find('%'));  // the interface of a link-local address
  in6_addr ipv6;
  std::string literal(host);
  if (inet_pton(AF_INET6, literal.c_str(), &ipv6) == 1) return Ipv6Prefix(ipv6);
  return literal;
}

absl::Status FailedAttempts::Check(absl::string_view peer) {
  absl::Duration left;
  {
    MutexLock lock(mutex_);
    const auto found = by_address_.find(peer);
    if (found == by_address_.end()) return absl::OkStatus();
    left = found->second->paused_until - clock_.Monotonic();
  }
  if (left <= absl::ZeroDuration()) return absl::OkStatus();
  left = absl::Ceil(left, absl::Seconds(1));
  return WithRetryAfter(absl::ResourceExhaustedError(
                            absl::StrCat("too many failed attempts from ", peer, "; try again in ",
                                         absl::ToInt64Seconds(left), " s with a valid token")),
                        left);
}

void FailedAttempts::AddFailure(absl::string_view peer) {
  MutexLock lock(mutex_);
  const absl::Duration now = clock_.Monotonic();
  const auto found = by_address_.find(peer);
  if (found != by_address_.end()) {
    peers_.splice(peers_.begin(), peers_, found->second);
  } else {
    if (peers_.size() >= kPeers) {
      by_address_.erase(peers_.back().address);
      peers_.pop_back();
    }
    peers_.emplace_front();
    peers_.front().address = std::string(peer);
    by_address_.emplace(peers_.front().address, peers_.begin());
  }
  Peer& failed = peers_.front();
  const size_t slot = failed.failures % kFailures;
  if (failed.failures > 0) {
    const absl::Duration last = failed.times[(failed.failures - 1) % kFailures];
    if (now - last >= kForgetAfter) failed.pause = absl::ZeroDuration();
  }
  failed.times[slot] = now;
  ++failed.failures;
  if (now < failed.paused_until) return;  // was under way when the pause began
  // The ring now holds kFailures failures, the oldest of them in the next slot.
  const bool full = failed.failures >= kFailures;
  const absl::Duration first = failed.times[failed.failures % kFailures];
  if (failed.pause > absl::ZeroDuration()) {
    failed.pause = std::min(failed.pause * 2, kLongestPause);
  } else if (full && now - first < kWindow) {
    failed.pause = kFirstPause;
  } else {
    return;
  }
  failed.paused_until = now + failed.pause;
}

size_t FailedAttempts::size() const {
  MutexLock lock(mutex_);
  return peers_.size();
}

}  // namespace tidemark
