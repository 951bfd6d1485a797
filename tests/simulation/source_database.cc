#include "tests/simulation/source_database.h"

#include <algorithm>

namespace tidemark {
namespace {

constexpr uint64_t kKeys = 12;

}  // namespace

void SourceDatabase::Grow(uint64_t changes) {
  for (uint64_t i = 0; i < changes; ++i) {
    maker_.Next(static_cast<uint32_t>(dice_.Pick(kSimulatedTables)), 0, kKeys);
  }
}

bool SourceDatabase::Reaches(const std::string& entry, uint64_t position) const {
  const auto forgotten = forgotten_.find(entry);
  return forgotten == forgotten_.end() || position >= forgotten->second;
}

void SourceDatabase::Forget(const std::string& entry, uint64_t position) {
  uint64_t& forgotten = forgotten_[entry];
  forgotten = std::max(forgotten, position);
}

}  // namespace tidemark
