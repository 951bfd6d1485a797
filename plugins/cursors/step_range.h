// Ranges of numbers that are read one after the other.
#ifndef TIDEMARK_CURSORS_STEP_RANGE_H_
#define TIDEMARK_CURSORS_STEP_RANGE_H_

#include <cstdint>
#include <limits>
#include <optional>

namespace tidemark::cursors {

// Walks over [start, limit] in ranges of a given width, both ends inclusive. Without a limit the
// walk ends after a number of empty ranges in a row: identifiers have gaps. The cursor is the
// largest number read, so the next run starts behind it and reads what was empty again.
// REQUIRES: start >= 0. Thread-compatible.
class StepRange {
 public:
  struct Options {
    int64_t start = 1;  // of the first run
    int64_t width = 1000;
    int64_t empty_to_stop = 1;                    // ranges in a row
    std::optional<int64_t> limit = std::nullopt;  // the largest number there can be
  };

  // `cursor`: the largest number read by earlier runs.
  StepRange(const Options& options, std::optional<int64_t> cursor);

  bool done() const;
  int64_t first() const { return first_; }
  int64_t last() const;

  // Goes on behind this range. `largest`: the largest number found in it, none if it was empty.
  void Advance(std::optional<int64_t> largest);
  std::optional<int64_t> cursor() const { return cursor_; }

 private:
  int64_t Limit() const { return options_.limit.value_or(std::numeric_limits<int64_t>::max()); }

  Options options_;
  std::optional<int64_t> cursor_;
  int64_t first_;
  int64_t empty_ = 0;
  bool exhausted_ = false;
};

}  // namespace tidemark::cursors

#endif  // TIDEMARK_CURSORS_STEP_RANGE_H_
