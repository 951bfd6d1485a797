#include "tests/plugin_sdk/plugins/misbehaving_modes.h"

#include <cstring>
#include <functional>
#include <map>
#include <vector>

namespace misbehaving {
namespace {

constexpr size_t kColumnCount = 2;

tidemark_value Int(int64_t i) {
  tidemark_value v = {TIDEMARK_INT64, 0, {i}};
  return v;
}
tidemark_value Text(const std::string& s, uint32_t type = TIDEMARK_STRING) {
  tidemark_value v = {type, static_cast<uint32_t>(s.size()), {0}};
  v.u.data = s.data();
  return v;
}
tidemark_value Kind(uint32_t type, int64_t i) {
  tidemark_value v = {type, 0, {i}};
  return v;
}

// A good batch of one upsert that a mode may spoil. Owns what the batch points to.
struct Draft {
  explicit Draft(int64_t id) {
    values = {Int(id), Text(text)};
    Bind();
  }
  void Bind() {
    batch.ops = ops.data();
    batch.values = values.data();
  }

  std::string text = "a name";
  std::vector<uint8_t> ops = {TIDEMARK_UPSERT};
  std::vector<tidemark_value> values;
  std::vector<tidemark_row_meta> meta = std::vector<tidemark_row_meta>(2);
  std::vector<uint32_t> before_rows;
  std::vector<tidemark_value> before;
  tidemark_batch batch = {sizeof(tidemark_batch),
                          0,
                          1,
                          kColumnCount,
                          nullptr,
                          nullptr,
                          nullptr,
                          0,
                          0,
                          nullptr,
                          nullptr};
};

void SetName(Draft& d, const std::string& text, uint32_t type = TIDEMARK_STRING) {
  d.text = text;
  d.values[1] = Text(d.text, type);
}
void SetBefore(Draft& d, std::vector<uint32_t> rows) {
  d.before_rows = std::move(rows);
  d.before.assign(d.before_rows.size() * kColumnCount, Int(1));
  d.batch.before_count = static_cast<uint32_t>(d.before_rows.size());
  d.batch.before_rows = d.before_rows.data();
  d.batch.before = d.before.data();
}
void Repeat(Draft& d, size_t rows) {
  const std::vector<tidemark_value> row = d.values;
  for (size_t i = 1; i < rows; ++i) {
    d.ops.push_back(TIDEMARK_UPSERT);
    d.values.insert(d.values.end(), row.begin(), row.end());
    d.values[i * kColumnCount].u.i64 += static_cast<int64_t>(i);
  }
  d.batch.row_count = static_cast<uint32_t>(rows);
  d.Bind();
}

using Spoil = std::function<void(Draft&)>;

// Wrong structure (a bug of the plugin: INTERNAL) and wrong values (a dead letter).
const std::map<std::string, Spoil>& Batches() {
  static const auto* const modes = new std::map<std::string, Spoil>{
      // structure
      {"batch_small", [](Draft& d) { d.batch.struct_size = 4; }},
      {"batch_zero_size", [](Draft& d) { d.batch.struct_size = 0; }},
      {"unknown_op", [](Draft& d) { d.ops[0] = 77; }},
      {"unknown_op_bit", [](Draft& d) { d.ops[0] = TIDEMARK_UPSERT | 0x40; }},
      {"wrong_table", [](Draft& d) { d.batch.table = 12345; }},
      {"no_rows", [](Draft& d) { d.batch.row_count = 0; }},
      {"too_many_rows", [](Draft& d) { Repeat(d, TIDEMARK_MAX_BATCH_ROWS + 1); }},
      {"too_many_columns",
       [](Draft& d) {
         d.values.push_back(Int(3));
         d.batch.column_count = 3;
         d.Bind();
       }},
      {"null_values", [](Draft& d) { d.batch.values = nullptr; }},
      {"null_ops", [](Draft& d) { d.batch.ops = nullptr; }},
      {"unknown_value_kind", [](Draft& d) { d.values[1].type = 99; }},
      {"null_text",
       [](Draft& d) {
         d.values[1].u.data = nullptr;
         d.values[1].length = 10;
       }},
      {"unchanged_in_upsert", [](Draft& d) { d.values[1] = Kind(TIDEMARK_UNCHANGED, 0); }},
      {"unchanged_in_snapshot",
       [](Draft& d) {
         d.ops[0] = TIDEMARK_SNAPSHOT;
         d.values[1] = Kind(TIDEMARK_UNCHANGED, 0);
       }},
      {"before_descending",
       [](Draft& d) {
         Repeat(d, 2);
         SetBefore(d, {1, 0});
       }},
      {"before_beyond", [](Draft& d) { SetBefore(d, {5}); }},
      {"before_missing",
       [](Draft& d) {
         SetBefore(d, {0});
         d.batch.before = nullptr;
       }},
      {"meta_small",
       [](Draft& d) {
         d.batch.meta = d.meta.data();
         d.batch.meta_size = 8;
       }},
      {"row_too_large", [](Draft& d) { SetName(d, std::string(61u << 20, 'x')); }},
      // values
      {"bad_utf8", [](Draft& d) { SetName(d, "caf\xe9"); }},
      {"nul_text", [](Draft& d) { SetName(d, std::string("a\0b", 3)); }},
      {"bad_decimal", [](Draft& d) { SetName(d, "12,5", TIDEMARK_DECIMAL); }},
      {"bad_json", [](Draft& d) { SetName(d, "{\"a\":", TIDEMARK_JSON); }},
      {"bad_bool", [](Draft& d) { d.values[1] = Kind(TIDEMARK_BOOL, 2); }},
      {"time_beyond", [](Draft& d) { d.values[1] = Kind(TIDEMARK_TIME, 86'400'000'001); }},
      {"null_key", [](Draft& d) { d.values[0] = Kind(TIDEMARK_NULL, 0); }},
      {"text_for_long",
       [](Draft& d) {
         d.text = "not a number";
         d.values[0] = Text(d.text);
       }},
  };
  return *modes;
}

tidemark_state State(const std::string& body) {
  tidemark_state s = {};
  s.body = {body.data(), body.size()};
  s.watermark_us = TIDEMARK_NO_TIME;
  return s;
}

tidemark_code Send(const tidemark_sink* sink, std::vector<tidemark_state> states,
                   tidemark_error* error, uint32_t state_size = sizeof(tidemark_state),
                   uint32_t struct_size = sizeof(tidemark_checkpoint)) {
  const tidemark_checkpoint c = {struct_size, state_size, static_cast<uint32_t>(states.size()), 0,
                                 states.data()};
  uint64_t id = 0;
  return sink->checkpoint(sink, &c, &id, error);
}

tidemark_code WrongCheckpoint(const Turn& turn, tidemark_error* error) {
  const std::string body = "7";
  if (turn.mode == "state_too_large") {
    const std::string large((10u << 20) + 1, 's');
    return Send(turn.sink, {State(large)}, error);
  }
  if (turn.mode == "state_of_unknown_table") {
    tidemark_state s = State(body);
    s.table = {"nobody", 6};
    return Send(turn.sink, {s}, error);
  }
  if (turn.mode == "state_small") return Send(turn.sink, {State(body)}, error, 8);
  if (turn.mode == "checkpoint_small") {
    return Send(turn.sink, {State(body)}, error, sizeof(tidemark_state), 8);
  }
  if (turn.mode == "checkpoint_empty") return Send(turn.sink, {}, error);
  if (turn.mode == "checkpoint_twice_same") {
    return Send(turn.sink, {State(body), State(body)}, error);
  }
  if (turn.mode == "state_bad_cursor") {
    tidemark_state s = State(body);
    s.cursor = {"\xff", 1};
    return Send(turn.sink, {s}, error);
  }
  return TIDEMARK_UNIMPLEMENTED;
}

tidemark_code WrongDefinition(const Turn& turn, tidemark_error* error) {
  const std::string long_name(256, 'n');
  tidemark_column column = {"a", TIDEMARK_TYPE_LONG, 0, 0, 0};
  tidemark_table table = {sizeof(table), sizeof(column), 1, 0, "", "u", &column};
  if (turn.mode == "define_long_name") table.name = long_name.c_str();
  if (turn.mode == "define_null_name") table.name = nullptr;
  if (turn.mode == "define_bad_utf8") table.name = "\xff";
  if (turn.mode == "define_bad_type") column.type = 16;
  if (turn.mode == "define_small") table.struct_size = 8;
  if (turn.mode == "define_unknown_flag") column.flags = 1u << 16;
  uint32_t index = 0;
  return turn.sink->define_table(turn.sink, &table, &index, error);
}

}  // namespace

tidemark_code EmitRows(const tidemark_sink* sink, int64_t first, int64_t count,
                       tidemark_error* error) {
  if (count == 0) return TIDEMARK_OK;
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(count));
  for (int64_t n = first; n < first + count; ++n) names.push_back("name " + std::to_string(n));
  std::vector<tidemark_value> values;
  for (int64_t n = first; n < first + count; ++n) {
    values.push_back(Int(n));
    values.push_back(Text(names[static_cast<size_t>(n - first)]));
  }
  const std::vector<uint8_t> ops(static_cast<size_t>(count), TIDEMARK_UPSERT);
  const tidemark_batch batch = {sizeof(batch), 0,          static_cast<uint32_t>(count),
                                kColumnCount,  ops.data(), values.data(),
                                nullptr,       0,          0,
                                nullptr,       nullptr};
  return sink->emit(sink, &batch, error);
}

tidemark_code Checkpoint(const tidemark_sink* sink, int64_t n, tidemark_error* error) {
  const std::string body = std::to_string(n);
  tidemark_state state = State(body);
  state.cursor = state.body;
  return Send(sink, {state}, error);
}

tidemark_code Nonsense(const Turn& turn, tidemark_error* error) {
  const auto spoil = Batches().find(turn.mode);
  if (spoil != Batches().end()) {
    Draft draft(turn.next);
    spoil->second(draft);
    const tidemark_code code = turn.sink->emit(turn.sink, &draft.batch, error);
    return code != TIDEMARK_OK ? code : Checkpoint(turn.sink, turn.next + 1, error);
  }
  if (turn.mode.rfind("define_", 0) == 0) return WrongDefinition(turn, error);
  return WrongCheckpoint(turn, error);
}

void WrongSchema(const std::string& mode, const tidemark_schema** schema) {
  static tidemark_column columns[2];
  static tidemark_table tables[2];
  static tidemark_schema wrong;
  // Anew for each call: modes of one process must not mix.
  columns[0] = {"id", TIDEMARK_TYPE_LONG, TIDEMARK_COLUMN_KEY, 0, 0};
  columns[1] = {"name", TIDEMARK_TYPE_STRING, 0, 0, 0};
  tables[0] = {sizeof(tidemark_table), sizeof(tidemark_column), 2, 0, "", "t", columns};
  tables[1] = {sizeof(tidemark_table), sizeof(tidemark_column), 2, 0, "", "u", columns};
  wrong = {sizeof(tidemark_schema), sizeof(tidemark_table), 2, 0, tables};
  static const std::string long_name(256, 'n');
  if (mode == "schema_null") {
    *schema = nullptr;
    return;
  }
  if (mode.rfind("schema_", 0) != 0) return;
  *schema = &wrong;
  if (mode == "schema_small") wrong.struct_size = 4;
  if (mode == "schema_table_stride") wrong.table_size = 8;
  if (mode == "schema_null_tables") wrong.tables = nullptr;
  if (mode == "schema_twice_same_table") tables[1].name = "t";
  if (mode == "schema_twice_same_column") columns[1].name = "id";
  if (mode == "schema_bad_type") columns[1].type = 16;
  if (mode == "schema_bad_utf8") columns[1].name = "\xff";
  if (mode == "schema_null_name") tables[1].name = nullptr;
  if (mode == "schema_long_name") tables[1].name = long_name.c_str();
  if (mode == "schema_unknown_flag") tables[1].flags = 1u << 16;
}

}  // namespace misbehaving
