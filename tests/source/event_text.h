// Events of a ChangeSource in words, for tests to compare.
#ifndef TIDEMARK_TESTS_SOURCE_EVENT_TEXT_H_
#define TIDEMARK_TESTS_SOURCE_EVENT_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/change_source.h"

namespace tidemark {

// "0: upsert(1 'a') delete(2 null)", "define 1 orders(id:LONG:key, x:UNDECLARED)",
// "checkpoint 1 'body'", "finished OK", ...
std::string EventText(const SourceEvent& event);

// Everything up to Finished, or the error that ended it.
struct Drained {
  std::vector<std::string> events;  // EventText; the last is Finished when status is OK
  absl::Status status;
};
Drained DrainEvents(ChangeSource& source);

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SOURCE_EVENT_TEXT_H_
