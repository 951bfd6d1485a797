// Reads at the plugin's host: what a request may ask, what read() may say, who offers none.
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "plugin_host/abi_writer.h"
#include "plugin_host/in_process.h"
#include "plugin_host/plugin_sink.h"
#include "tests/plugin_host/connector_client.h"
#include "tidemark/v1/connector.pb.h"
#include "wire/change_messages.h"
#include "wire/row_codec.h"

namespace tidemark {
namespace {

using testing::HasSubstr;

std::vector<TableSchema> Tables() {
  TableSchema table;
  table.name = "t";
  table.columns.resize(3);
  table.columns[0].name = "a";
  table.columns[1].name = "note";
  table.columns[2].name = "b";
  table.columns[0].key = table.columns[2].key = true;
  table.reads = kReadKeys | kReadRanges;
  TableSchema unread;
  unread.name = "u";
  unread.columns.resize(1);
  unread.columns[0].name = "x";
  return {table, unread};
}

std::string Packed(const std::vector<Value>& values) {
  std::string bytes;
  for (const Value& value : values) EncodeValue(value, &bytes);
  return bytes;
}

class AbiReadTest : public testing::Test {
 protected:
  absl::Status Fill() { return read_.Fill(request_, tables_); }
  PluginTables tables_{Tables()};
  v1::ReadRequest request_;
  AbiRead read_;
};

TEST_F(AbiReadTest, KeysAreTheValuesOfTheKeyColumns) {
  request_.set_mode(v1::READ_MODE_KEYS);
  request_.set_key_count(2);
  request_.set_keys(
      Packed({Value::Int64(1), Value::String("x"), Value::Int64(2), Value::String("yy")}));
  request_.set_limit(5);
  request_.add_columns(true);
  ASSERT_EQ(Fill(), absl::OkStatus());
  const tidemark_read_request& given = *read_.get();
  EXPECT_EQ(given.struct_size, sizeof(given));
  EXPECT_EQ(given.key_columns, 2u);
  EXPECT_EQ(given.key_count, 2u);
  EXPECT_EQ(given.keys[2].u.i64, 2);
  EXPECT_EQ(std::string(given.keys[3].u.data, given.keys[3].length), "yy");
  EXPECT_EQ(given.lower, nullptr);
  EXPECT_EQ(given.limit, 0u) << "of ranges only";
  EXPECT_EQ(given.column_count, 1u);
}

TEST_F(AbiReadTest, BoundsAreKeysOrNothing) {
  request_.set_mode(v1::READ_MODE_RANGES);
  request_.set_upper(Packed({Value::Int64(9), Value::String("")}));
  request_.set_limit(5);
  ASSERT_EQ(Fill(), absl::OkStatus());
  EXPECT_EQ(read_.get()->lower, nullptr);
  EXPECT_EQ(read_.get()->upper[0].u.i64, 9);
  EXPECT_EQ(read_.get()->limit, 5u);
}

TEST_F(AbiReadTest, WhatCannotBeAskedIsRefusedInWords) {
  const std::string key = Packed({Value::Int64(1), Value::String("x")});
  const struct {
    const char* what;
    std::function<void()> change;
    const char* said;
  } cases[] = {
      {"table", [&] { request_.set_table(2); }, "no table number 2"},
      {"mode", [&] { request_.set_mode(static_cast<v1::ReadMode>(3)); }, "no way to read"},
      {"no mode", [&] { request_.set_mode(v1::READ_MODE_UNSPECIFIED); }, "no way to read"},
      {"whole", [&] { request_.set_mode(v1::READ_MODE_WHOLE); }, "cannot read table t as a whole"},
      {"unread", [&] { request_.set_table(1); }, "cannot read table u by keys"},
      {"no keys", [&] { request_.set_key_count(0); }, "0 keys to read"},
      {"too many", [&] { request_.set_key_count(10'001); }, "10001 keys to read"},
      {"short", [&] { request_.set_key_count(2); }, "keys to read"},
      {"long", [&] { request_.set_keys(key + "x"); }, "keys to read"},
      {"null", [&] { request_.set_keys(Packed({Value::Int64(1), Value::Null()})); }, "no value"},
      {"bound",
       [&] {
         request_.set_mode(v1::READ_MODE_RANGES);
         request_.set_lower(Packed({Value::Int64(1)}));
       },
       "keys to read"},
  };
  for (const auto& c : cases) {
    request_.Clear();
    request_.set_mode(v1::READ_MODE_KEYS);
    request_.set_key_count(1);
    request_.set_keys(key);
    c.change();
    EXPECT_THAT(std::string(Fill().message()), HasSubstr(c.said)) << c.what;
  }
}

// The sink of a read, as a plugin sees it.
class ReadSinkTest : public testing::Test {
 protected:
  ReadSinkTest()
      : stream_([](const v1::UpdateResponse&) { return true; }),
        plugin_sink_(&tables_, &stream_, &acknowledged_, 0u),
        sink_(&plugin_sink_.abi()) {
    plugin_sink_.Begin();
  }
  tidemark_code Emit(uint32_t table, uint8_t op) {
    const tidemark_value value = {TIDEMARK_INT64, 0, {1}};
    tidemark_batch batch{};
    batch.struct_size = sizeof(batch);
    batch.table = table;
    batch.row_count = batch.column_count = 1;
    batch.ops = &op;
    batch.values = &value;
    return sink_->emit(sink_, &batch, error_.abi());
  }
  PluginTables tables_{Tables()};
  ResponseStream stream_;
  AcknowledgedCheckpoint acknowledged_;
  PluginSink plugin_sink_;
  const tidemark_sink* const sink_;
  PluginError error_;
};

TEST_F(ReadSinkTest, TakesUpsertsOfTheTable) {
  EXPECT_EQ(Emit(0, TIDEMARK_UPSERT), TIDEMARK_OK);
  EXPECT_EQ(plugin_sink_.failure(), absl::OkStatus());
  EXPECT_EQ(plugin_sink_.sent().at(0).rows, 1u);
}

TEST_F(ReadSinkTest, RefusesOtherRows) {
  EXPECT_EQ(Emit(1, TIDEMARK_UPSERT), TIDEMARK_INTERNAL);
  EXPECT_THAT(std::string(plugin_sink_.failure().message()), HasSubstr("rows of u"));
}

TEST_F(ReadSinkTest, RefusesOtherChanges) {
  EXPECT_EQ(Emit(0, TIDEMARK_DELETE), TIDEMARK_INTERNAL);
  EXPECT_THAT(std::string(plugin_sink_.failure().message()), HasSubstr("another change"));
}

TEST_F(ReadSinkTest, RefusesWhatBelongsToASync) {
  const tidemark_checkpoint checkpoint{sizeof(checkpoint), sizeof(tidemark_state), 0, 0, nullptr};
  EXPECT_EQ(sink_->checkpoint(sink_, &checkpoint, nullptr, error_.abi()),
            TIDEMARK_FAILED_PRECONDITION);
  EXPECT_THAT(std::string(plugin_sink_.failure().message()), HasSubstr("checkpoint in read()"));
  EXPECT_NE(sink_->flush(sink_, error_.abi()), TIDEMARK_OK);
  EXPECT_NE(sink_->table_done(sink_, 0, TIDEMARK_OK, {nullptr, 0}, error_.abi()), TIDEMARK_OK);
}

// The last message of a read.
absl::Status Verdict(ConnectorClient& client, const v1::ReadRequest& request) {
  grpc::ClientContext context;
  auto stream = client.stub()->Read(&context, request);
  v1::UpdateResponse response;
  absl::Status verdict = absl::UnknownError("no Finished");
  while (stream->Read(&response)) {
    if (response.has_finished()) verdict = VerdictFromMessage(response.finished(), "");
  }
  EXPECT_TRUE(stream->Finish().ok());
  return verdict;
}

TEST(ReadCallTest, APluginWithoutTheExtensionSaysSo) {
  const InProcessHost host = *ServeInProcess(ShippedPlugin("hello"));
  ConnectorClient client(host.channel);
  EXPECT_EQ(client.Describe()->extensions_size(), 0);
  v1::ReadRequest request;
  *request.mutable_configuration() = MakeConfiguration({{"worlds", "3"}});
  request.set_mode(v1::READ_MODE_WHOLE);
  const absl::Status verdict = Verdict(client, request);
  EXPECT_EQ(verdict.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(verdict.message()), HasSubstr("tidemark.read/1"));
}

TEST(ReadCallTest, AConfigurationThatIsRefusedIsTheVerdict) {
  const InProcessHost host = *ServeInProcess(ShippedPlugin("generator"));
  ConnectorClient client(host.channel);
  v1::ReadRequest request;
  *request.mutable_configuration() = MakeConfiguration({{"count", "-1"}});
  request.set_mode(v1::READ_MODE_RANGES);
  EXPECT_THAT(std::string(Verdict(client, request).message()), HasSubstr("count"));
}

}  // namespace
}  // namespace tidemark
