// core <-> proto: each conversion there and back, and each limit with its error.
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/status_context.h"
#include "core/type.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/v1/connector.pb.h"
#include "wire/change_messages.h"
#include "wire/row_codec.h"
#include "wire/schema_messages.h"
#include "wire/state_messages.h"
#include "wire/value_messages.h"

namespace tidemark {
namespace {

Column MakeColumn(const std::string& name, DataType type = DataType::kLong) {
  Column column;
  column.name = name;
  column.type.type = type;
  column.type.declared = type != DataType::kUndeclared;
  return column;
}

TableSchema MakeTable(const std::string& name, std::vector<Column> columns) {
  TableSchema table;
  table.name = name;
  table.columns = std::move(columns);
  return table;
}

// The numbers of the three places where they are written down are the same.
TEST(MessagesTest, NumbersAgreeWithCoreAndTheAbi) {
  for (int type = 0; type <= TIDEMARK_TYPE_JSON; ++type) {
    EXPECT_EQ(v1::DataType_Name(static_cast<v1::DataType>(type)),
              absl::StrCat("DATA_TYPE_", DataTypeName(static_cast<DataType>(type))));
  }
  EXPECT_EQ(v1::DataType_MAX, TIDEMARK_TYPE_JSON);
  EXPECT_EQ(static_cast<int>(DataType::kUtcDatetime), TIDEMARK_TYPE_UTC_DATETIME);
  EXPECT_EQ(static_cast<int>(DataType::kBinary), TIDEMARK_TYPE_BINARY);
  EXPECT_EQ(static_cast<int>(ChangeKind::kUpsert), v1::CHANGE_KIND_UPSERT);
  EXPECT_EQ(static_cast<int>(ChangeKind::kSnapshot), v1::CHANGE_KIND_SNAPSHOT);
  EXPECT_EQ(v1::CHANGE_KIND_SNAPSHOT, static_cast<int>(TIDEMARK_SNAPSHOT));
  EXPECT_EQ(v1::CHANGE_KIND_TRUNCATE, static_cast<int>(TIDEMARK_TRUNCATE));
  EXPECT_EQ(static_cast<int>(ValueKind::kNaiveTimestamp), TIDEMARK_NAIVE_TIMESTAMP);
  EXPECT_EQ(static_cast<int>(ValueKind::kJson), TIDEMARK_JSON);
  EXPECT_EQ(kOnErrorContinue, TIDEMARK_ON_ERROR_CONTINUE);
  EXPECT_EQ(v1::SELECTION_MODE_FULL, static_cast<int>(TIDEMARK_SELECT_FULL));
  EXPECT_EQ(kMaxRowsPerBatch, static_cast<uint32_t>(TIDEMARK_MAX_BATCH_ROWS));
  EXPECT_EQ(kMaxEncodedRowBytes, static_cast<size_t>(TIDEMARK_MAX_ROW_BYTES));
  EXPECT_EQ(kMaxStateBytes, static_cast<size_t>(TIDEMARK_MAX_STATE_BYTES));
  EXPECT_EQ(kMaxNameBytes, static_cast<size_t>(TIDEMARK_MAX_NAME_BYTES));
  EXPECT_EQ(kNoTime, TIDEMARK_NO_TIME);
  EXPECT_EQ(kUnknownEventTime, TIDEMARK_NO_TIME);
}

TEST(MessagesTest, ReadableValuesComeBack) {
  using K = ValueKind;
  const Value values[] = {Value::Null(),
                          Value::Bool(true),
                          Value::Bool(false),
                          Value::Int64(-5),
                          Value::Double(0.1),
                          Value::Text(K::kDecimal, "1.10"),
                          Value::String(""),
                          Value::Text(K::kBytes, "\xff"),
                          Value::Text(K::kJson, "[1]"),
                          Value::Int(K::kDate, 3),
                          Value::Int(K::kTime, 4),
                          Value::Int(K::kTimestamp, 5),
                          Value::Int(K::kNaiveTimestamp, 6)};
  for (const Value& value : values) {
    v1::Value message;
    ValueToMessage(value, &message);
    const absl::StatusOr<Value> back = ValueFromMessage(message);
    ASSERT_TRUE(back.ok());
    EXPECT_TRUE(SameValue(*back, value)) << message.DebugString();
  }
}

TEST(MessagesTest, SettingsComeBackAndNeedNames) {
  Setting text{"token", ValueKind::kString, 0, 0, "secret"};
  Setting number{"pages", ValueKind::kInt64, 7, 0, ""};
  Setting fraction{"rate", ValueKind::kDouble, 0, 2.5, ""};
  v1::Configuration message;
  SettingsToMessage({text, number, fraction}, &message);
  const absl::StatusOr<std::vector<Setting>> back = SettingsFromMessage(message);
  ASSERT_TRUE(back.ok());
  ASSERT_EQ(back->size(), 3u);
  EXPECT_EQ((*back)[0].text, "secret");
  EXPECT_EQ((*back)[1].i64, 7);
  EXPECT_EQ((*back)[2].f64, 2.5);
  message.add_settings();
  EXPECT_EQ(SettingsFromMessage(message).status(),
            absl::InvalidArgumentError("a setting without a name, or with U+0000 in it"));
}

TEST(MessagesTest, TablesComeBack) {
  TableSchema table = MakeTable(
      "orders", {MakeColumn("id"), MakeColumn("price"), MakeColumn("any", DataType::kUndeclared)});
  table.schema = "shop";
  table.columns[0].key = true;
  table.columns[0].cursor = true;
  table.columns[1].type.type = DataType::kDecimal;
  table.columns[1].type.precision = 12;
  table.columns[1].type.scale = 2;
  table.columns[1].sensitive = true;
  v1::SchemaResponse message;
  SchemaToMessage({table}, &message);
  const absl::StatusOr<std::vector<TableSchema>> back = SchemaFromMessage(message);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, std::vector<TableSchema>{table});
}

TEST(MessagesTest, BadTablesAreRefusedInWords) {
  struct Case {
    TableSchema table;
    std::string error;
  };
  const std::string long_name(256, 'n');
  std::vector<Case> cases = {
      {MakeTable("", {}), "a table has no name"},
      {MakeTable("\xff", {}), "a table's name is not UTF-8"},
      {MakeTable(std::string("a\0b", 3), {}), "a table's name holds U+0000"},
      {MakeTable(long_name, {}),
       absl::StrCat("a table's name \"", std::string(40, 'n'), "...\" has 256 bytes, at most 255")},
      {MakeTable("t", {MakeColumn("a"), MakeColumn("")}), "table t, column 1 has no name"},
      {MakeTable("t", {MakeColumn("\xc3")}), "table t, column 0: the name is not UTF-8"},
      {MakeTable("t", {MakeColumn("a"), MakeColumn("a")}), "table t has the column a twice"},
      {MakeTable("t", {MakeColumn("a", static_cast<DataType>(16))}),
       "table t, column 0 (a) has unknown type 16"},
  };
  Case scale{MakeTable("t", {MakeColumn("a", DataType::kDecimal)}),
             "table t, column 0 (a) has precision 2 and scale 3"};
  scale.table.columns[0].type.precision = 2;
  scale.table.columns[0].type.scale = 3;
  cases.push_back(scale);
  for (const Case& c : cases) {
    EXPECT_EQ(CheckTable(c.table), absl::InvalidArgumentError(c.error));
  }
  v1::SchemaResponse twice;
  twice.add_tables()->set_name("t");
  twice.add_tables()->set_name("t");
  EXPECT_EQ(SchemaFromMessage(twice).status(),
            absl::InvalidArgumentError("the schema has the table t twice"));
  v1::Table unknown;
  unknown.set_name("t");
  unknown.add_columns()->set_name("c");
  unknown.mutable_columns(0)->set_type(static_cast<v1::DataType>(99));
  EXPECT_EQ(TableFromMessage(unknown).status(),
            absl::InvalidArgumentError("table t, column c has unknown type 99"));
}

TEST(MessagesTest, DescriptionsComeBack) {
  ConnectorDescription description;
  description.id = "rest";
  description.version = "1.2.3";
  description.description = "reads";
  description.capabilities = kCanRewind | kNeedsNetwork;
  description.state_format = 4;
  description.options.push_back(
      {"url", DataType::kString, true, true, true, true, "d", "h", "l", {"a", "b"}, "{}"});
  v1::DescribeResponse message;
  DescriptionToMessage(description, &message);
  const absl::StatusOr<ConnectorDescription> back = DescriptionFromMessage(message);
  ASSERT_TRUE(back.ok());
  v1::DescribeResponse again;
  DescriptionToMessage(*back, &again);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(message, again));
  EXPECT_TRUE(back->options[0].required && back->options[0].secret);
  EXPECT_TRUE(back->options[0].reads_path && back->options[0].writes_path);
  *message.add_options() = message.options(0);
  EXPECT_EQ(DescriptionFromMessage(message).status(),
            absl::InvalidArgumentError("option url is given twice"));
}

StateEntry Entry(const std::string& table, const std::string& body) {
  StateEntry entry;
  entry.table = table;
  entry.body = body;
  return entry;
}

TEST(MessagesTest, CheckpointsAndAcknowledgementsComeBack) {
  Checkpoint checkpoint;
  checkpoint.id = 3;
  checkpoint.states = {Entry("", "whole"), Entry("t", std::string("\0\xff", 2))};
  checkpoint.states[1].cursor = "2024";
  checkpoint.states[1].watermark_us = -1;
  checkpoint.states[1].version = 9;
  checkpoint.rows_since_last = {{0, 5}, {4, 1}};
  v1::Checkpoint message;
  CheckpointToMessage(checkpoint, &message);
  const absl::StatusOr<Checkpoint> back = CheckpointFromMessage(message);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->id, 3u);
  ASSERT_EQ(back->states.size(), 2u);
  EXPECT_EQ(back->states[1].body, checkpoint.states[1].body);
  EXPECT_EQ(back->states[1].watermark_us, -1);
  EXPECT_EQ(back->states[0].watermark_us, kNoTime) << "absent is not 0";
  EXPECT_EQ(back->states[0].committed_at_us, kNoTime);
  ASSERT_EQ(back->rows_since_last.size(), 2u);
  EXPECT_EQ(back->rows_since_last[1].table, 4u);

  v1::Acknowledgement acknowledgement;
  AcknowledgementToMessage({.durable = 8, .releasable = checkpoint.states}, &acknowledgement);
  const absl::StatusOr<Acknowledgement> ack = AcknowledgementFromMessage(acknowledgement);
  ASSERT_TRUE(ack.ok());
  EXPECT_EQ(ack->durable, 8u);
  EXPECT_EQ(ack->releasable.size(), 2u);
}

TEST(MessagesTest, BadCheckpointsAreRefusedInWords) {
  v1::Checkpoint message;
  message.add_states()->set_body("x");
  EXPECT_EQ(CheckpointFromMessage(message).status(),
            absl::InvalidArgumentError("a checkpoint with id 0"));
  message.set_id(2);
  EXPECT_TRUE(CheckpointFromMessage(message).ok());
  message.add_states();
  EXPECT_EQ(
      CheckpointFromMessage(message).status(),
      absl::InvalidArgumentError("checkpoint 2 carries the connection-wide state entry twice"));
  message.mutable_states(1)->set_schema("s");
  EXPECT_EQ(CheckpointFromMessage(message).status(),
            absl::InvalidArgumentError("a state entry names a schema and no table"));
  message.mutable_states(1)->set_table("t");
  message.mutable_states(1)->set_body(std::string(kMaxStateBytes + 1, 'x'));
  EXPECT_EQ(CheckpointFromMessage(message).status(),
            absl::InvalidArgumentError("state entry \"s.t\" has 10485761 bytes, at most 10485760"));
  message.clear_states();
  EXPECT_EQ(CheckpointFromMessage(message).status(),
            absl::InvalidArgumentError("checkpoint 2 carries no state entry"));
}

v1::RowBatch GoodBatch() {
  v1::RowBatch batch;
  batch.set_table(1);
  batch.set_row_count(2);
  batch.set_column_count(1);
  batch.set_ops(std::string({TIDEMARK_UPSERT, TIDEMARK_UPDATE}));
  EncodeValue(Value::Int64(1), batch.mutable_rows());
  EncodeValue(Value::Unchanged(), batch.mutable_rows());
  batch.add_before_rows(1);
  EncodeValue(Value::Int64(7), batch.mutable_before());
  EncodeMeta(std::vector<RowMeta>(2), batch.mutable_meta());
  return batch;
}

TEST(MessagesTest, PackedBatchesAreReadWhole) {
  const v1::RowBatch message = GoodBatch();
  ChangeBatch batch;
  ASSERT_EQ(RowBatchFromMessage(message, &batch), absl::OkStatus());
  EXPECT_EQ(batch.table, 1u);
  EXPECT_EQ(batch.kind(1), ChangeKind::kUpdate);
  EXPECT_EQ(batch.row(0)[0].i64, 1);
  EXPECT_TRUE(batch.row(1)[0].is_unchanged());
  EXPECT_EQ(batch.before_rows, std::vector<uint32_t>{1});
  EXPECT_EQ(batch.before_row(0)[0].i64, 7);
  EXPECT_EQ(batch.meta.size(), 2u);
  EXPECT_EQ(batch.encoded_bytes, 2u + 10 + 9 + 48);
}

TEST(MessagesTest, MalformedBatchesAreDataLossInWords) {
  struct Case {
    const char* error;
    void (*spoil)(v1::RowBatch*);
  };
  const Case cases[] = {
      {"a batch of 0 rows, must be 1 to 65536", [](v1::RowBatch* b) { b->set_row_count(0); }},
      {"a batch of 65537 rows, must be 1 to 65536",
       [](v1::RowBatch* b) { b->set_row_count(65'537); }},
      {"2 operations for 3 rows", [](v1::RowBatch* b) { b->set_row_count(3); }},
      {"row 1: unknown operation 6", [](v1::RowBatch* b) { b->set_ops("\x01\x06"); }},
      {"row 0: unknown operation 128", [](v1::RowBatch* b) { b->set_ops("\x80\x02"); }},
      {"row 1, column 0: UNCHANGED in a full row", [](v1::RowBatch* b) { b->set_ops("\x01\x01"); }},
      {"row 1, column 0: UNCHANGED in a full row", [](v1::RowBatch* b) { b->set_ops("\x01\x85"); }},
      {"1 bytes follow the last of 2 rows",
       [](v1::RowBatch* b) { b->mutable_rows()->push_back(0); }},
      {"before_rows[0] = 2 is not ascending below 2",
       [](v1::RowBatch* b) { b->set_before_rows(0, 2); }},
      {"before_rows[1] = 1 is not ascending below 2",
       [](v1::RowBatch* b) { b->add_before_rows(1); }},
      {"before: 1 rows of 1 columns do not fit into 0 bytes",
       [](v1::RowBatch* b) { b->clear_before(); }},
      {"stamps of 47 bytes for 2 rows, must be 48",
       [](v1::RowBatch* b) { b->mutable_meta()->resize(47); }},
  };
  for (const Case& c : cases) {
    v1::RowBatch message = GoodBatch();
    c.spoil(&message);
    ChangeBatch batch;
    EXPECT_EQ(RowBatchFromMessage(message, &batch), absl::DataLossError(c.error));
  }
}

TEST(MessagesTest, VerdictsKeepCodeTextAndWait) {
  v1::Finished message;
  VerdictToMessage(
      WithRetryAfter(absl::ResourceExhaustedError("slow down"), absl::Milliseconds(1500)),
      &message);
  EXPECT_EQ(message.retry_after_us(), 1'500'000);
  const absl::Status verdict = VerdictFromMessage(message, "");
  EXPECT_EQ(verdict.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(verdict.message(), "slow down");
  EXPECT_EQ(RetryAfter(verdict), absl::Milliseconds(1500));
  message.set_error_column("price");
  EXPECT_EQ(VerdictFromMessage(message, "orders").message(),
            "table orders, column price: slow down");
  message.set_code(99);
  EXPECT_EQ(VerdictFromMessage(message, "").code(), absl::StatusCode::kUnknown);
  VerdictToMessage(absl::OkStatus(), &message);
  EXPECT_EQ(VerdictFromMessage(message, ""), absl::OkStatus());
}

TEST(MessagesTest, DeadLettersComeBack) {
  DeadLetter letter;
  letter.key_json = "{\"id\":1}";
  letter.change_json = "{}";
  letter.reason = "too long";
  letter.code = absl::StatusCode::kOutOfRange;
  letter.context_json = "{\"url\":\"x\"}";
  v1::DeadLetter message;
  DeadLetterToMessage(letter, 5, &message);
  EXPECT_EQ(message.table(), 5u);
  const DeadLetter back = DeadLetterFromMessage(message);
  EXPECT_EQ(back.key_json, letter.key_json);
  EXPECT_EQ(back.change_json, letter.change_json);
  EXPECT_EQ(back.reason, letter.reason);
  EXPECT_EQ(back.code, letter.code);
  EXPECT_EQ(back.context_json, letter.context_json);
}

}  // namespace
}  // namespace tidemark
