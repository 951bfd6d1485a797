/* Extension tidemark.read/1 of the plugin ABI: rows of a table as they stand at the source now, by
 * their keys, by a range of keys, or all of them. For verification and repair.
 *
 * A plugin offers it by answering TIDEMARK_READ_EXTENSION in tidemark_plugin.extension() with a
 * tidemark_read_v1. C11 and C++20; memory, errors and growth are those of plugin_abi.h.
 *
 * ROWS. Whatever the mode, read() emits UPSERT rows of the asked table into the sink, each with all
 * key columns, and equal to what update() would send for that row. The sink is one of update():
 * emit, define_table, dead_letter (a record that cannot become a row), warn and wait with id 0 may
 * be called; checkpoint, table_done and flush are FAILED_PRECONDITION.
 *
 * KEYS. A key is the values of the table's key columns (TIDEMARK_COLUMN_KEY), in the order of the
 * columns; a value has the kind that its column's type holds. Never NULL.
 *
 * ORDER. Ranges mean one order, whatever the source sorts by otherwise: key column by key column;
 * numbers and times by size, false before true, text and bytes by their bytes (memcmp; the shorter
 * one first where one begins with the other). A table whose source cannot read in this order offers
 * no ranges.
 *
 * There is no count or hash of a range: it would have to be made of the values as the destination
 * stores them (names, types and left out columns are the connection's), which a source does not
 * know, and a source would read the range for it all the same. The host counts and hashes the rows
 * it receives.
 */
#ifndef TIDEMARK_READ_ABI_H_
#define TIDEMARK_READ_ABI_H_

#include "tidemark/plugin_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TIDEMARK_READ_EXTENSION "tidemark.read/1"

/* What a table offers, and (one of them) what is asked for. A table with RANGES is also read as a
 * whole, by a range without bounds. */
enum {
  TIDEMARK_READ_KEYS = 1,   /* the rows of these keys, in any order, each once; a key without a row
                               is passed over */
  TIDEMARK_READ_RANGES = 2, /* the rows of [lower, upper), ascending, each once */
  TIDEMARK_READ_WHOLE = 4   /* every row, in any order; the last of several for a key counts */
};

/* At most so many keys in one request. */
enum { TIDEMARK_MAX_READ_KEYS = 10000 };

/* Borrowed until read() returns.
 * keys: [key_count x key_columns] for KEYS, else NULL.
 * lower, upper: [key_columns] for RANGES, NULL: no bound; NULL otherwise.
 * limit: at most so many rows, the first of the range (RANGES); 0: all.
 * columns: [column_count] 1 selected, 0 not; NULL: all. Values of columns that are not selected are
 * ignored; key columns always count as selected. */
typedef struct {
  uint32_t struct_size;
  uint32_t table; /* its index in schema() */
  uint32_t mode;  /* TIDEMARK_READ_ */
  uint32_t flags;
  uint32_t key_count;
  uint32_t key_columns;
  const tidemark_value* keys;
  const tidemark_value* lower;
  const tidemark_value* upper;
  uint64_t limit;
  const uint8_t* columns;
  uint32_t column_count;
  uint32_t reserved;
} tidemark_read_request;

/* The extension's function table; constant for the life of the library. */
typedef struct {
  uint32_t struct_size;
  uint32_t reserved;
  /* [instance] After schema(). Sets *modes to the TIDEMARK_READ_ bits that the table offers, 0 for
   * none. No I/O. */
  tidemark_code (*modes)(tidemark_connector*, uint32_t table, uint32_t* modes, tidemark_error*);
  /* [update] After schema(); any number of times, one at a time, never beside update().
   * interrupt() ends it as it ends update(). UNIMPLEMENTED for a mode the table does not offer. */
  tidemark_code (*read)(tidemark_connector*, const tidemark_read_request*, const tidemark_sink*,
                        tidemark_error*);
} tidemark_read_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TIDEMARK_READ_ABI_H_ */
