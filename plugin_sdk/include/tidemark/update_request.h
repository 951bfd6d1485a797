// What a run of Update() is asked for: from which state, which tables, how much.
#ifndef TIDEMARK_UPDATE_REQUEST_H_
#define TIDEMARK_UPDATE_REQUEST_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tidemark/host.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/schema.h"

namespace tidemark {
inline namespace sdk_v1 {

// One committed entry of state. The views are valid as long as what they came from.
struct StateEntry {
  absl::string_view schema;  // schema and table empty: the connection-wide entry
  absl::string_view table;
  absl::string_view body;
  absl::string_view cursor;
  uint32_t format = 0;
  uint32_t kind = TIDEMARK_STATE_NORMAL;
  uint64_t version = 0;  // 0: none yet
  absl::Time committed_at = absl::InfinitePast();
  absl::Time watermark = absl::InfinitePast();
};

// How a table is to be read in this run.
enum class Mode : uint32_t {
  kSkip = TIDEMARK_SELECT_SKIP,
  kIncremental = TIDEMARK_SELECT_INCREMENTAL,
  kFull = TIDEMARK_SELECT_FULL,  // from the start, whatever the state says
};

namespace internal {

inline absl::Time FromMicros(int64_t us) {
  if (us == TIDEMARK_NO_TIME) return absl::InfinitePast();
  if (us == INT64_MAX) return absl::InfiniteFuture();
  return absl::FromUnixMicros(us);
}
inline int64_t ToMicros(absl::Time time) {
  if (time == absl::InfinitePast()) return TIDEMARK_NO_TIME;
  if (time == absl::InfiniteFuture()) return INT64_MAX;
  return absl::ToUnixMicros(time);
}

inline StateEntry ToEntry(const tidemark_state& s) {
  return {FromBytes(s.schema),
          FromBytes(s.table),
          FromBytes(s.body),
          FromBytes(s.cursor),
          s.format,
          s.kind,
          s.version,
          FromMicros(s.committed_at_us),
          FromMicros(s.watermark_us)};
}

// The entries of a C array with its own stride.
inline std::vector<StateEntry> ToEntries(const tidemark_state* states, uint32_t stride,
                                         uint32_t count) {
  std::vector<StateEntry> entries;
  entries.reserve(count);
  const char* p = reinterpret_cast<const char*>(states);
  for (uint32_t i = 0; i < count; ++i, p += stride) {
    entries.push_back(ToEntry(*reinterpret_cast<const tidemark_state*>(p)));
  }
  return entries;
}

}  // namespace internal

// Valid during Update(); so is every view it returns. Thread-compatible.
class UpdateRequest {
 public:
  // `schema` is what the connector declared; `cancelled` is set when the host interrupts.
  UpdateRequest(const tidemark_update_request& raw, const Schema& schema,
                const std::atomic<bool>& cancelled)
      : raw_(raw),
        schema_(schema),
        cancelled_(cancelled),
        states_(internal::ToEntries(raw.states, raw.state_size, raw.state_count)) {}

  // The body of the connection-wide entry, or of a table's; empty: never committed.
  absl::string_view State() const { return Entry("").body; }
  absl::string_view State(absl::string_view table, absl::string_view schema = "") const {
    return Entry(table, schema).body;
  }
  // All of an entry; version 0: never committed.
  StateEntry Entry(absl::string_view table, absl::string_view schema = "") const {
    for (const StateEntry& e : states_) {
      if (e.table == table && e.schema == schema) return e;
    }
    return {};
  }
  const std::vector<StateEntry>& entries() const { return states_; }

  // How a table is to be read. Tables not declared in the schema: the mode of new tables.
  Mode ModeOf(absl::string_view table, absl::string_view schema = "") const {
    const size_t index = TableIndex(table, schema);
    if (index == schema_.tables().size()) return static_cast<Mode>(raw_.new_tables);
    const tidemark_selection* s = SelectionAt(index);
    return s == nullptr ? Mode::kIncremental : static_cast<Mode>(s->mode);
  }
  bool Selected(absl::string_view table, absl::string_view schema = "") const {
    return ModeOf(table, schema) != Mode::kSkip;
  }
  // Values of columns that are not selected are ignored, so asking is an optimisation.
  bool ColumnSelected(absl::string_view table, absl::string_view column,
                      absl::string_view schema = "") const {
    const size_t index = TableIndex(table, schema);
    if (index == schema_.tables().size()) return true;
    const tidemark_selection* s = SelectionAt(index);
    if (s == nullptr || s->columns == nullptr) return true;
    const auto& columns = schema_.tables()[index].columns();
    for (size_t i = 0; i < columns.size() && i < s->column_count; ++i) {
      if (columns[i].name == column) return s->columns[i] != 0;
    }
    return true;
  }

  // Whether the host asked to stop. Sink calls answer CANCELLED then, too.
  bool Cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  absl::string_view connection() const { return internal::FromBytes(raw_.connection); }
  absl::string_view sync_id() const { return internal::FromBytes(raw_.sync_id); }
  uint64_t epoch() const { return raw_.epoch; }
  uint32_t attempt() const { return raw_.attempt; }  // 1, 2, ...
  // What is emitted will be thrown away.
  bool dry_run() const { return (raw_.flags & TIDEMARK_REQUEST_DRY_RUN) != 0; }
  // Go on waiting for changes until cancelled.
  bool continuous() const { return (raw_.flags & TIDEMARK_REQUEST_CONTINUOUS) != 0; }
  // The asked rows for each page and checkpoint.
  uint32_t page_rows(uint32_t otherwise = 1000) const {
    return raw_.page_rows == 0 ? otherwise : raw_.page_rows;
  }
  // Only changes of [from, until); infinite where there is no bound.
  absl::Time from() const { return internal::FromMicros(raw_.from_us); }
  absl::Time until() const { return internal::FromMicros(raw_.until_us); }

 private:
  // The table's index, or the number of tables when it is not declared.
  size_t TableIndex(absl::string_view table, absl::string_view schema) const {
    size_t i = 0;
    for (const Table& t : schema_.tables()) {
      if (t.name() == table && t.schema() == schema) break;
      ++i;
    }
    return i;
  }
  const tidemark_selection* SelectionAt(size_t index) const {
    if (index >= raw_.selection_count) return nullptr;
    return reinterpret_cast<const tidemark_selection*>(
        reinterpret_cast<const char*>(raw_.selections) + index * raw_.selection_size);
  }

  const tidemark_update_request& raw_;
  const Schema& schema_;
  const std::atomic<bool>& cancelled_;
  std::vector<StateEntry> states_;
};

}  // namespace sdk_v1
}  // namespace tidemark

#endif  // TIDEMARK_UPDATE_REQUEST_H_
