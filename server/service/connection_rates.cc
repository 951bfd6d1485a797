#include "service/connection_rates.h"

namespace tidemark {

std::shared_ptr<RateLimit> ConnectionRates::Of(const std::string& connection,
                                               const RateLimits& limits, absl::Duration now) {
  MutexLock lock(mutex_);
  std::erase_if(rates_, [now](const auto& rate) {
    return rate.second.use_count() == 1 && rate.second->Owed(now) == absl::ZeroDuration();
  });
  if (!limits.any()) return nullptr;
  std::shared_ptr<RateLimit>& rate = rates_[connection];
  if (rate == nullptr || rate->limits() != limits) rate = std::make_shared<RateLimit>(limits);
  return rate;
}

}  // namespace tidemark
