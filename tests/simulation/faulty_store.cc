#include "tests/simulation/faulty_store.h"

#include "absl/strings/str_cat.h"

namespace tidemark {

absl::Status FaultyStore::Fault(const char* call, uint64_t weight, absl::Status status) {
  if (world_.ended) return absl::UnavailableError("the process has ended");
  if (!world_.dice.Chance(weight)) return absl::OkStatus();
  world_.trace.Add(absl::StrCat("store, ", call, ": ", status.message()));
  ++world_.faults;
  return status;
}

absl::Status FaultyStore::Append(absl::Span<const VersionAppend> appends,
                                 absl::Span<const AuditRecord> audit) {
  absl::Status fault = Fault("append", world_.habits.answers_not, Unanswered());
  if (fault.ok()) {
    fault = Fault("append", world_.habits.full, absl::ResourceExhaustedError("the disk is full"));
  }
  if (!fault.ok()) return fault;
  if (absl::Status appended = real_->Append(appends, audit); !appended.ok()) {
    world_.trace.Add(absl::StrCat("store, append: ", appended.ToString()));
    return appended;
  }
  const int64_t now_us = absl::ToUnixMicros(world_.clock.Now());
  for (const VersionAppend& append : appends) {
    world_.durable.Add(append.version, now_us);
    world_.trace.Add(absl::StrCat("store, version ", append.version.version, " of \"",
                                  append.version.entry, "\" at ", append.version.body));
  }
  return Fault("append", world_.habits.answer_lost,
               absl::AbortedError("whether it was stored is not known"));
}

}  // namespace tidemark
