// The sink as a plugin sees it: the C functions of tidemark_sink, over a stream that remembers.
#include "plugin_host/plugin_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "tidemark/v1/connector.pb.h"

namespace tidemark {
namespace {

using testing::HasSubstr;
using Case = v1::UpdateResponse::ResponseCase;

tidemark_bytes Bytes(const std::string& text) { return {text.data(), text.size()}; }

std::vector<TableSchema> OneTable() {
  TableSchema table;
  table.name = "t";
  table.columns.resize(2);
  table.columns[0].name = "id";
  table.columns[0].key = true;
  table.columns[0].type = {DataType::kLong, 0, 0, true, 0};
  table.columns[1].name = "note";
  return {table};
}

class PluginSinkTest : public testing::Test {
 protected:
  PluginSinkTest()
      : tables_(OneTable()),
        stream_([this](const v1::UpdateResponse& response) {
          sent_.push_back(response);
          return !gone_;
        }),
        plugin_sink_(&tables_, &stream_, &acknowledged_),
        sink_(&plugin_sink_.abi()) {
    plugin_sink_.Begin();
  }

  tidemark_code Emit(int64_t id, uint8_t op = TIDEMARK_UPSERT) {
    const tidemark_value values[2] = {{TIDEMARK_INT64, 0, {id}}, {TIDEMARK_NULL, 0, {0}}};
    tidemark_batch batch{};
    batch.struct_size = sizeof(batch);
    batch.row_count = 1;
    batch.column_count = 2;
    batch.ops = &op;
    batch.values = values;
    return sink_->emit(sink_, &batch, error_.abi());
  }

  tidemark_code Checkpoint(const std::string& body, uint64_t* id) {
    tidemark_state state{};
    state.body = Bytes(body);
    state.watermark_us = TIDEMARK_NO_TIME;
    const tidemark_checkpoint checkpoint{sizeof(checkpoint), sizeof(state), 1, 0, &state};
    return sink_->checkpoint(sink_, &checkpoint, id, error_.abi());
  }

  tidemark_code Define(const char* name, std::vector<tidemark_column> columns, uint32_t* index) {
    const tidemark_table table{
        sizeof(table), sizeof(tidemark_column), static_cast<uint32_t>(columns.size()), 0, nullptr,
        name,          columns.data()};
    return sink_->define_table(sink_, &table, index, error_.abi());
  }

  std::string Error(tidemark_code code) { return error_.ToStatus(code, "call").ToString(); }

  PluginTables tables_;
  std::vector<v1::UpdateResponse> sent_;
  bool gone_ = false;
  ResponseStream stream_;
  AcknowledgedCheckpoint acknowledged_;
  PluginSink plugin_sink_;
  const tidemark_sink* const sink_;
  PluginError error_;
};

TEST_F(PluginSinkTest, CountsRowsPerCheckpointAndInAll) {
  uint64_t id = 0;
  EXPECT_EQ(Emit(1), TIDEMARK_OK);
  EXPECT_EQ(Emit(2, TIDEMARK_TRUNCATE), TIDEMARK_OK);
  EXPECT_EQ(Checkpoint("a", &id), TIDEMARK_OK);
  EXPECT_EQ(id, 1u);
  EXPECT_EQ(Checkpoint("b", &id), TIDEMARK_OK);
  EXPECT_EQ(id, 2u);
  EXPECT_EQ(Emit(3), TIDEMARK_OK);
  ASSERT_EQ(sent_.size(), 5u);
  ASSERT_EQ(sent_[2].checkpoint().rows_since_last_size(), 1);
  EXPECT_EQ(sent_[2].checkpoint().rows_since_last(0).rows(), 2u);
  EXPECT_EQ(sent_[3].checkpoint().rows_since_last_size(), 0);
  ASSERT_EQ(plugin_sink_.sent().size(), 1u);
  EXPECT_EQ(plugin_sink_.sent()[0].rows, 3u);
}

TEST_F(PluginSinkTest, DefinesTablesOnceAndOnlyGrowsThem) {
  const tidemark_column id{"id", TIDEMARK_TYPE_UNDECLARED, 0, 0, 0};
  const tidemark_column note{"note", TIDEMARK_TYPE_STRING, 0, 0, 0};
  const tidemark_column more{"more", TIDEMARK_TYPE_INT, TIDEMARK_COLUMN_SENSITIVE, 0, 0};
  uint32_t index = 99;
  // Known, nothing new: no message.
  EXPECT_EQ(Define("t", {id}, &index), TIDEMARK_OK);
  EXPECT_EQ(index, 0u);
  EXPECT_TRUE(sent_.empty());
  // A type declared, a column appended; what was known stays.
  EXPECT_EQ(Define("t", {more, note}, &index), TIDEMARK_OK);
  ASSERT_EQ(sent_.size(), 1u);
  const v1::Table& grown = sent_[0].table_definition().table();
  ASSERT_EQ(grown.columns_size(), 3);
  EXPECT_TRUE(grown.columns(0).key());
  EXPECT_EQ(grown.columns(0).type(), v1::DATA_TYPE_LONG);
  EXPECT_EQ(grown.columns(1).type(), v1::DATA_TYPE_STRING);
  EXPECT_EQ(grown.columns(2).name(), "more");
  EXPECT_TRUE(grown.columns(2).sensitive());
  // Wider, then narrower again.
  const tidemark_column wide{"more", TIDEMARK_TYPE_LONG, 0, 0, 0};
  EXPECT_EQ(Define("t", {wide}, &index), TIDEMARK_OK);
  ASSERT_EQ(sent_.size(), 2u);
  EXPECT_EQ(sent_[1].table_definition().table().columns(2).type(), v1::DATA_TYPE_LONG);
  EXPECT_EQ(Define("t", {more}, &index), TIDEMARK_OK);
  EXPECT_EQ(sent_.size(), 2u);
  // Another table takes the next number.
  EXPECT_EQ(Define("u", {note}, &index), TIDEMARK_OK);
  EXPECT_EQ(index, 1u);
  EXPECT_EQ(sent_[2].table_definition().index(), 1u);
}

TEST_F(PluginSinkTest, TheKeyOfATableCannotChange) {
  const tidemark_column key{"note", TIDEMARK_TYPE_STRING, TIDEMARK_COLUMN_KEY, 0, 0};
  uint32_t index = 0;
  const tidemark_code code = Define("t", {key}, &index);
  EXPECT_EQ(code, TIDEMARK_FAILED_PRECONDITION);
  EXPECT_THAT(Error(code), HasSubstr("table t, column note: the key of a table cannot change"));
}

TEST_F(PluginSinkTest, NothingIsAcceptedAfterAnError) {
  EXPECT_EQ(Emit(1, 99), TIDEMARK_INTERNAL);
  const tidemark_code code = Emit(2);
  EXPECT_EQ(code, TIDEMARK_FAILED_PRECONDITION);
  EXPECT_THAT(Error(code), HasSubstr("nothing is accepted after an error: plugin misbehaved"));
  EXPECT_EQ(plugin_sink_.failure().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(plugin_sink_.failure_place().row, 0);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(PluginSinkTest, OtherThreadsAreRefusedAndRemembered) {
  tidemark_code code = TIDEMARK_OK;
  std::thread([&] { code = Emit(1); }).join();
  EXPECT_EQ(code, TIDEMARK_FAILED_PRECONDITION);
  EXPECT_EQ(plugin_sink_.failure(),
            absl::InternalError("plugin misbehaved: emit from another thread"));
  EXPECT_TRUE(sent_.empty());
}

TEST_F(PluginSinkTest, AnswersOutsideUpdate) {
  plugin_sink_.End();
  EXPECT_EQ(Emit(1), TIDEMARK_FAILED_PRECONDITION);
  EXPECT_EQ(sink_->wait(sink_, 0, 1, nullptr), TIDEMARK_FAILED_PRECONDITION);
  EXPECT_EQ(sink_->durable(sink_), 0u);
}

TEST_F(PluginSinkTest, ErrorsFitTheBufferTheyAreGiven) {
  char buffer[10];
  tidemark_error small{};
  small.struct_size = sizeof(small);
  small.capacity = sizeof(buffer);
  small.message = buffer;
  EXPECT_EQ(sink_->flush(sink_, nullptr), TIDEMARK_OK);
  EXPECT_EQ(sink_->warn(sink_, 7, {nullptr, 0}, &small), TIDEMARK_INTERNAL);
  EXPECT_EQ(std::string(buffer, small.length), "plugin mis");
  // A struct of a plugin that knows only its first fields.
  tidemark_error old{};
  old.struct_size = offsetof(tidemark_error, length);
  old.length = 77;
  EXPECT_EQ(sink_->flush(sink_, &old), TIDEMARK_FAILED_PRECONDITION);
  EXPECT_EQ(old.length, 77u);
}

TEST_F(PluginSinkTest, TextOfTheSourceIsMadeUtf8) {
  const std::string garbage = "caf\xe9", json = "{}";
  tidemark_dead_letter letter{};
  letter.struct_size = sizeof(letter);
  letter.table = 0;
  letter.code = 99;
  letter.record_json = Bytes(garbage);
  letter.key_json = Bytes(json);
  letter.reason = Bytes(garbage);
  EXPECT_EQ(sink_->dead_letter(sink_, &letter, error_.abi()), TIDEMARK_OK);
  EXPECT_EQ(sink_->warn(sink_, TIDEMARK_NO_TABLE, Bytes(garbage), error_.abi()), TIDEMARK_OK);
  EXPECT_EQ(sink_->table_done(sink_, 0, TIDEMARK_UNAVAILABLE, Bytes(garbage), error_.abi()),
            TIDEMARK_OK);
  ASSERT_EQ(sent_.size(), 3u);
  EXPECT_EQ(sent_[0].dead_letter().record_json(), "caf\xef\xbf\xbd");
  EXPECT_EQ(sent_[0].dead_letter().code(), TIDEMARK_UNKNOWN);
  EXPECT_EQ(sent_[1].warning().text(), "caf\xef\xbf\xbd");
  EXPECT_EQ(sent_[2].table_done().code(), TIDEMARK_UNAVAILABLE);
}

TEST_F(PluginSinkTest, ALargeStateIsWarnedOfOnce) {
  uint64_t id = 0;
  const std::string large((1u << 20) + 1, 's');
  EXPECT_EQ(Checkpoint(large, &id), TIDEMARK_OK);
  EXPECT_EQ(Checkpoint(large, &id), TIDEMARK_OK);
  ASSERT_EQ(sent_.size(), 3u);
  EXPECT_EQ(sent_[0].response_case(), Case::kWarning);
  EXPECT_THAT(sent_[0].warning().text(),
              HasSubstr("the state of the connection has grown above 1048576 bytes"));
}

TEST_F(PluginSinkTest, WaitsForWhatWasGiven) {
  uint64_t id = 0;
  EXPECT_EQ(Checkpoint("a", &id), TIDEMARK_OK);
  EXPECT_EQ(sink_->wait(sink_, 0, 1'000, error_.abi()), TIDEMARK_OK) << "a sleep";
  const tidemark_code late = sink_->wait(sink_, 1, 1'000, error_.abi());
  EXPECT_EQ(late, TIDEMARK_DEADLINE_EXCEEDED);
  EXPECT_THAT(Error(late), HasSubstr("checkpoint 1 was not committed within 1ms"));
  std::thread committing([&] { acknowledged_.Advance(1); });
  EXPECT_EQ(sink_->wait(sink_, 1, -1, error_.abi()), TIDEMARK_OK);
  committing.join();
  EXPECT_EQ(sink_->durable(sink_), 1u);
  EXPECT_EQ(plugin_sink_.failure(), absl::OkStatus()) << "a timeout is no failure of the run";
  EXPECT_EQ(sink_->wait(sink_, 2, -1, error_.abi()), TIDEMARK_INTERNAL) << "it would never come";
}

TEST_F(PluginSinkTest, CancellationWakesAWaitAndStopsEverything) {
  std::thread cancelling([&] { acknowledged_.Cancel(); });
  EXPECT_EQ(sink_->wait(sink_, 0, -1, error_.abi()), TIDEMARK_CANCELLED);
  cancelling.join();
  EXPECT_EQ(Emit(1), TIDEMARK_CANCELLED);
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(plugin_sink_.failure(), absl::OkStatus());
}

TEST_F(PluginSinkTest, AReceiverThatIsGoneCancels) {
  gone_ = true;
  EXPECT_EQ(Emit(1), TIDEMARK_CANCELLED);
}

TEST_F(PluginSinkTest, FlagsOfTheHighHalfAreRefused) {
  tidemark_state state{};
  const tidemark_checkpoint checkpoint{sizeof(checkpoint), sizeof(state), 1, 1u << 20, &state};
  EXPECT_EQ(sink_->checkpoint(sink_, &checkpoint, nullptr, error_.abi()), TIDEMARK_INTERNAL);
  EXPECT_THAT(plugin_sink_.failure().ToString(), HasSubstr("tidemark_checkpoint.flags"));
}

}  // namespace
}  // namespace tidemark
