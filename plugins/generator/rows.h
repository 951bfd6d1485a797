/* The generator's rows: ten columns whose values follow from a seed, a variant and a key alone.
 * Plain C, so that a benchmark without Tidemark writes exactly the same rows. Thread-safe. */
#ifndef TIDEMARK_PLUGINS_GENERATOR_ROWS_H_
#define TIDEMARK_PLUGINS_GENERATOR_ROWS_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  GENERATOR_PRICE_MAX = 14, /* bytes of the longest price */
  GENERATOR_CODE = 20,
  GENERATOR_NAME = 60,
  GENERATOR_PAYLOAD = 80
};

/* Text is ASCII without a terminator. */
typedef struct {
  int64_t id;            /* LONG, the key: 1.. */
  int64_t account;       /* LONG */
  double amount;         /* DOUBLE, finite */
  int64_t updated_at_us; /* UTC_DATETIME, microseconds since 1970; later in a later variant */
  int64_t day;           /* NAIVE_DATE, days since 1970 */
  uint32_t active;       /* BOOLEAN, 0 or 1 */
  uint32_t price_size;
  char price[GENERATOR_PRICE_MAX + 2]; /* DECIMAL(12,2), [price_size] */
  char code[GENERATOR_CODE];           /* STRING */
  char name[GENERATOR_NAME];           /* STRING */
  char payload[GENERATOR_PAYLOAD];     /* JSON, an object */
} generator_row;

/* The row with this id. All columns but id differ between variants (active and day may agree by
 * chance). REQUIRES: variant <= 10,000. */
void generator_fill(uint64_t seed, uint64_t variant, int64_t id, generator_row* row);

/* The id at `position` of [0, count) in a shuffled order that depends on seed and count: each of
 * 1..count comes once. In ascending order it would be position + 1. */
int64_t generator_shuffled_id(uint64_t seed, uint64_t position, uint64_t count);

/* The inverse: the position in [0, count) of an id in 1..count. */
uint64_t generator_shuffled_position(uint64_t seed, int64_t id, uint64_t count);

/* A number in [0, 1) that follows from its arguments, for shares. */
double generator_share(uint64_t seed, uint64_t purpose, uint64_t position);

#ifdef __cplusplus
}
#endif

#endif /* TIDEMARK_PLUGINS_GENERATOR_ROWS_H_ */
