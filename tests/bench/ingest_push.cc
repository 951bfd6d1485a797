#include "tests/bench/ingest_push.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/change_batch.h"
#include "core/clock.h"
#include "generator/rows.h"
#include "tests/service/push_client.h"
#include "tests/service/push_server.h"
#include "wire/row_codec.h"

namespace tidemark {
namespace {

constexpr uint64_t kRowsPerMessage = 1'000;
constexpr char kConnection[] = "pushed";

v1::PushRequest Definition() {
  v1::PushRequest request;
  v1::Table* table = request.mutable_table()->mutable_table();
  table->set_name("rows");
  const auto add = [table](const char* name, v1::DataType type) {
    v1::Column* column = table->add_columns();
    column->set_name(name);
    column->set_type(type);
    return column;
  };
  add("id", v1::DATA_TYPE_LONG)->set_key(true);
  add("account", v1::DATA_TYPE_LONG);
  add("amount", v1::DATA_TYPE_DOUBLE);
  v1::Column* price = add("price", v1::DATA_TYPE_DECIMAL);
  price->set_precision(12);
  price->set_scale(2);
  add("active", v1::DATA_TYPE_BOOLEAN);
  add("code", v1::DATA_TYPE_STRING);
  add("name", v1::DATA_TYPE_STRING);
  add("updated_at", v1::DATA_TYPE_UTC_DATETIME);
  add("day", v1::DATA_TYPE_NAIVE_DATE);
  add("payload", v1::DATA_TYPE_JSON);
  return request;
}

void AddPacked(const generator_row& row, v1::RowBatch* batch) {
  const std::array<Value, 10> values = {
      Value::Int64(row.id),
      Value::Int64(row.account),
      Value::Double(row.amount),
      Value::Text(ValueKind::kDecimal, absl::string_view(row.price, row.price_size)),
      Value::Bool(row.active != 0),
      Value::String(absl::string_view(row.code, GENERATOR_CODE)),
      Value::String(absl::string_view(row.name, GENERATOR_NAME)),
      Value::Int(ValueKind::kTimestamp, row.updated_at_us),
      Value::Int(ValueKind::kDate, row.day),
      Value::Text(ValueKind::kJson, absl::string_view(row.payload, GENERATOR_PAYLOAD))};
  std::string* const rows = batch->mutable_rows();
  const size_t begin = rows->size();
  rows->resize(begin + EncodedRowBound(values));
  char* const end = EncodeRow(values, rows->data() + begin);
  rows->resize(static_cast<size_t>(end - rows->data()));
  batch->mutable_ops()->push_back(static_cast<char>(ChangeKind::kUpsert));
  batch->set_row_count(batch->row_count() + 1);
}

void AddReadable(const generator_row& row, v1::Rows* rows) {
  v1::Row* out = rows->add_rows();
  out->set_table("rows");
  auto& values = *out->mutable_values();
  values["id"].set_int64(row.id);
  values["account"].set_int64(row.account);
  values["amount"].set_double_(row.amount);
  values["price"].set_decimal(row.price, row.price_size);
  values["updated_at"].set_timestamp_us(row.updated_at_us);
  values["day"].set_date_days(row.day);
  values["active"].set_bool_(row.active != 0);
  values["code"].set_string(row.code, GENERATOR_CODE);
  values["name"].set_string(row.name, GENERATOR_NAME);
  values["payload"].set_json(row.payload, GENERATOR_PAYLOAD);
}

}  // namespace

absl::StatusOr<PushResult> PushRows(const std::string& folder, uint64_t rows, bool readable) {
  std::ofstream(absl::StrCat(folder, "/", kConnection, ".yaml"))
      << "name: " << kConnection << "\nsync:\n  source: {connector: ingest}\n"
      << "  destination: {connection: \"" << folder << "/bench.db\"}\n";
  auto server = test::PushServer::Open(folder);
  if (!server.ok()) return server.status();
  test::PushClient::Options options;
  options.address = (*server)->address();
  options.connection = kConnection;
  options.producer = "bench";
  options.window = 64;
  test::PushClient client(std::move(options));
  const absl::Duration begin = Clock::Real().Monotonic();
  if (absl::Status defined = client.Define(Definition()); !defined.ok()) return defined;
  for (uint64_t first = 0; first < rows; first += kRowsPerMessage) {
    v1::PushRequest request;
    const uint64_t end = std::min(rows, first + kRowsPerMessage);
    for (uint64_t position = first; position < end; ++position) {
      generator_row row;
      generator_fill(1, 0, static_cast<int64_t>(position + 1), &row);
      if (readable) {
        AddReadable(row, request.mutable_rows());
      } else {
        AddPacked(row, request.mutable_row_batch());
      }
    }
    if (!readable) request.mutable_row_batch()->set_column_count(10);
    if (absl::Status pushed = client.Push(std::move(request)); !pushed.ok()) return pushed;
  }
  if (absl::Status finished = client.Finish(); !finished.ok()) return finished;
  return PushResult{.rows = rows, .elapsed = Clock::Real().Monotonic() - begin};
}

}  // namespace tidemark
