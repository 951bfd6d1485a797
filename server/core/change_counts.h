// Invariant I5: every change received is counted in exactly one of these.
#ifndef TIDEMARK_CORE_CHANGE_COUNTS_H_
#define TIDEMARK_CORE_CHANGE_COUNTS_H_

#include <cstdint>

namespace tidemark {

struct ChangeCounts {
  uint64_t inserted = 0;
  uint64_t updated = 0;
  uint64_t deleted = 0;
  uint64_t unchanged = 0;   // equal row, or the truncate itself
  uint64_t superseded = 0;  // older than what is stored, or replaced by a key change
  uint64_t missing = 0;     // update or delete of a row that is not there
  uint64_t conflict = 0;
  uint64_t late_queue = 0;
  uint64_t dead_letter = 0;

  // Outside the sum: rows that a truncate deleted at the end, repeated keyless rows (which are
  // inside `unchanged` as well), and updates of rows that are not there (inside `missing`; not
  // kept in the state's history).
  uint64_t deleted_by_truncate = 0;
  uint64_t duplicates_collapsed = 0;
  uint64_t missing_updates = 0;

  uint64_t Sum() const {
    return inserted + updated + deleted + unchanged + superseded + missing + conflict + late_queue +
           dead_letter;
  }
  ChangeCounts& operator+=(const ChangeCounts& other) {
    inserted += other.inserted;
    updated += other.updated;
    deleted += other.deleted;
    unchanged += other.unchanged;
    superseded += other.superseded;
    missing += other.missing;
    conflict += other.conflict;
    late_queue += other.late_queue;
    dead_letter += other.dead_letter;
    deleted_by_truncate += other.deleted_by_truncate;
    duplicates_collapsed += other.duplicates_collapsed;
    missing_updates += other.missing_updates;
    return *this;
  }
  friend bool operator==(const ChangeCounts&, const ChangeCounts&) = default;
};

}  // namespace tidemark

#endif  // TIDEMARK_CORE_CHANGE_COUNTS_H_
