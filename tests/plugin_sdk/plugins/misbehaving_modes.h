// The ways in which misbehaving.cc says something wrong.
#ifndef TIDEMARK_TESTS_PLUGIN_SDK_PLUGINS_MISBEHAVING_MODES_H_
#define TIDEMARK_TESTS_PLUGIN_SDK_PLUGINS_MISBEHAVING_MODES_H_

#include <cstdint>
#include <string>

#include "tidemark/plugin_abi.h"

namespace misbehaving {

// Rows (n, "name n") for n in [first, first + count), as one upsert batch.
tidemark_code EmitRows(const tidemark_sink* sink, int64_t first, int64_t count,
                       tidemark_error* error);
// A connection-wide checkpoint whose body is `n` as text.
tidemark_code Checkpoint(const tidemark_sink* sink, int64_t n, tidemark_error* error);

struct Turn {
  std::string mode;
  const tidemark_sink* sink;
  int64_t next;  // the id of the next row
};

// One wrong sink call, and the code it was answered with. UNIMPLEMENTED: no such mode.
tidemark_code Nonsense(const Turn& turn, tidemark_error* error);

// Replaces *schema by a wrong one for the modes schema_...
void WrongSchema(const std::string& mode, const tidemark_schema** schema);

}  // namespace misbehaving

#endif  // TIDEMARK_TESTS_PLUGIN_SDK_PLUGINS_MISBEHAVING_MODES_H_
