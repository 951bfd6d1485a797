// What of a table a run reads, and what it remembers for the next one.
#ifndef TIDEMARK_REST_TABLE_CURSOR_H_
#define TIDEMARK_REST_TABLE_CURSOR_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "rest/json_record.h"
#include "rest/pager.h"
#include "rest/rest_options.h"
#include "rest/text_template.h"

namespace tidemark::rest {

// One strategy of incremental reading. Confined to one thread.
class TableCursor {
 public:
  enum class Verdict { kDeliver, kSkip };

  virtual ~TableCursor() = default;

  // Goes on to the next range to ask for; false when everything was read.
  virtual bool NextRange() = 0;
  // What the requests of the range ask for.
  virtual void AddTo(Variables* variables, Parameters* parameters) const = 0;
  // The key a keyset begins behind.
  virtual std::optional<std::string> After() const { return std::nullopt; }
  // Takes note of a record with the text `text`, and says what to do with it.
  // FAILED_PRECONDITION if the API does not answer what was asked.
  virtual absl::StatusOr<Verdict> Observe(const JsonRecord& record, absl::string_view text) = 0;
  // All pages of the range were read.
  virtual void RangeRead() {}

  // Whether a run could go on from State() in the middle of a range.
  virtual bool ResumesWithinRange() const { return false; }
  // For the next run: a JSON object.
  virtual nlohmann::json State() const = 0;
  // The readable high-water mark, for reports; empty if there is none.
  virtual std::string HighWater() const { return ""; }
  // Every change up to here was read.
  virtual absl::Time Watermark() const { return absl::InfinitePast(); }

  // The API could not answer for the range. Whether it was made smaller; its reading starts again.
  virtual bool Shrink() { return false; }
  virtual bool shrinkable() const { return false; }

  // What was odd about the records, for a warning; empty: nothing.
  virtual std::string Oddities() const { return ""; }
  // For the log: "timestamp updatedAt >= 2024-01-15T08:30:00Z".
  virtual std::string Describe() const = 0;
};

struct CursorRun {
  nlohmann::json state;  // of an earlier run; null: none
  absl::Time now;
  absl::Time from = absl::InfinitePast();  // only changes of [from, until)
  absl::Time until = absl::InfiniteFuture();
  bool deletes = false;  // the endpoint lists deleted records
};

// DATA_LOSS for a state that cannot be read, FAILED_PRECONDITION for one of another strategy.
absl::StatusOr<std::unique_ptr<TableCursor>> MakeCursor(const IncrementalOptions& options,
                                                        const CursorRun& run);

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_TABLE_CURSOR_H_
