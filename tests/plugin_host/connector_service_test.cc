// The Connector service over real plugins, in this process.
#include "plugin_host/connector_service.h"

#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "core/status_context.h"
#include "plugin_host/in_process.h"
#include "tests/plugin_host/connector_client.h"
#include "wire/change_messages.h"

namespace tidemark {
namespace {

using testing::HasSubstr;
using Case = v1::UpdateResponse::ResponseCase;

// A service over one plugin; declared before the client that uses it.
struct Served {
  explicit Served(const std::string& path) : host(*ServeInProcess(path)), client(host.channel) {}
  InProcessHost host;
  ConnectorClient client;
};

TEST(ConnectorServiceTest, DescribesThePlugin) {
  Served hello(ShippedPlugin("hello"));
  const auto description = hello.client.Describe();
  ASSERT_TRUE(description.ok()) << description.status();
  EXPECT_EQ(description->id(), "hello");
  EXPECT_EQ(description->options(0).default_value(), "3");
}

TEST(ConnectorServiceTest, RunsHelloFromTheFirstWordToTheStatus) {
  Served hello(ShippedPlugin("hello"));
  const auto schema = hello.client.Schema({{"worlds", "3"}});
  ASSERT_TRUE(schema.ok()) << schema.status();
  EXPECT_EQ(schema->tables(0).name(), "hello");
  EXPECT_TRUE(schema->tables(0).columns(0).key());

  const UpdateResult result = hello.client.Update({{"worlds", "3"}});
  ASSERT_TRUE(result.status.ok()) << result.status.error_message();
  EXPECT_EQ(result.verdict(), absl::OkStatus());
  EXPECT_EQ(result.rows(), 3u);
  EXPECT_EQ(result.responses.back().response_case(), Case::kFinished) << "the last message";
  EXPECT_EQ(result.finished_count, 1);
  EXPECT_EQ(result.finished.sent(0).rows(), 3u);
  const v1::RowBatch& rows = result.responses.front().row_batch();
  ChangeBatch batch;
  ASSERT_EQ(RowBatchFromMessage(rows, &batch), absl::OkStatus());
  EXPECT_EQ(batch.row(2)[1].view(), "Hello, world 3!");
}

TEST(ConnectorServiceTest, GivesStatesToTheConnector) {
  Served hello(ShippedPlugin("hello"));
  EXPECT_EQ(hello.client.Update({{"worlds", "5"}}, "4").rows(), 2u);
  const UpdateResult damaged = hello.client.Update({{"worlds", "5"}}, "four");
  EXPECT_TRUE(damaged.status.ok());
  EXPECT_EQ(damaged.verdict(), absl::DataLossError("the state is not the number of a world"));
}

TEST(ConnectorServiceTest, NumbersCheckpointsAndCountsRowsBetweenThem) {
  Served counting(TestPlugin("counting_c"));
  const UpdateResult result =
      counting.client.Update({{"rows", "250"}, {"checkpoint_interval", "100"}});
  EXPECT_EQ(result.verdict(), absl::OkStatus());
  std::vector<uint64_t> ids, rows;
  for (const v1::UpdateResponse& response : result.responses) {
    if (!response.has_checkpoint()) continue;
    ids.push_back(response.checkpoint().id());
    rows.push_back(response.checkpoint().rows_since_last(0).rows());
  }
  EXPECT_EQ(ids, (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(rows, (std::vector<uint64_t>{100, 100, 50}));
  EXPECT_EQ(result.finished.sent(0).rows(), 250u);
}

TEST(ConnectorServiceTest, AnswersChecksWithTheConnectorsOwnVerdict) {
  Served counting(TestPlugin("counting_c"));
  EXPECT_EQ(counting.client.Check({{"rows", "12"}}).status, absl::OkStatus());
  const CallResult bad_luck = counting.client.Check({{"rows", "13"}});
  EXPECT_EQ(bad_luck.status, absl::FailedPreconditionError("13 rows bring bad luck"));
  EXPECT_TRUE(bad_luck.verdict);
  // The configuration was another one: so is the instance.
  EXPECT_EQ(counting.client.Check({{"rows", "14"}}).status, absl::OkStatus());
  const CallResult refused = counting.client.Check({{"rows", "-1"}});
  EXPECT_EQ(refused.status,
            absl::InvalidArgumentError("rows and checkpoint_interval are positive"));
  EXPECT_EQ(counting.client.ValidateState({{"rows", "1"}}, "77").status, absl::OkStatus());
  EXPECT_EQ(counting.client.ValidateState({{"rows", "1"}}, "x").status,
            absl::DataLossError("the state is not a number"));
}

TEST(ConnectorServiceTest, FailuresBeforeUpdateAreVerdictsToo) {
  Served counting(TestPlugin("counting_c"));
  const UpdateResult result = counting.client.Update({{"rows", "-1"}});
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(result.verdict(),
            absl::InvalidArgumentError("rows and checkpoint_interval are positive"));
  EXPECT_EQ(result.finished_count, 1);
}

TEST(ConnectorServiceTest, UpdateBeginsWithStart) {
  Served counting(TestPlugin("counting_c"));
  grpc::ClientContext context;
  const auto stream = counting.client.stub()->Update(&context);
  v1::UpdateRequest request;
  request.mutable_acknowledgement();
  stream->Write(request);
  v1::UpdateResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(VerdictFromMessage(response.finished(), ""),
            absl::InvalidArgumentError("the first request of Update must be Start"));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

// A single polling thread serves unary calls beside an Update that waits for its reader.
TEST(ConnectorServiceTest, UnaryCallsAreAnsweredWhileUpdateIsHeldBack) {
  Served counting(TestPlugin("counting_c"));
  v1::Start start;
  *start.mutable_configuration() = MakeConfiguration({{"rows", "100000000"}});
  UpdateConversation update(counting.client.stub(), start);
  ASSERT_TRUE(update.Next() != nullptr) << "it runs, and nobody reads on";
  std::vector<std::thread> callers;
  callers.reserve(4);
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      EXPECT_TRUE(counting.client.Describe().ok());
      EXPECT_EQ(counting.client.Check({{"rows", "1"}}).status, absl::OkStatus());
      EXPECT_TRUE(counting.client.Schema({{"rows", "1"}}).ok());
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_TRUE(update.Next(Case::kCheckpoint) != nullptr) << "and goes on";
}

TEST(ConnectorServiceTest, CancellationEndsAnUpdateThatIsHeldBack) {
  Served counting(TestPlugin("counting_c"));
  v1::Start start;
  *start.mutable_configuration() = MakeConfiguration({{"rows", "100000000"}});
  UpdateConversation update(counting.client.stub(), start);
  ASSERT_TRUE(update.Next() != nullptr);
  update.Cancel();
  EXPECT_EQ(update.Finish().error_code(), grpc::StatusCode::CANCELLED);
  // The destructor of the service waits until the plugin has returned.
}

TEST(ConnectorServiceTest, AClientThatClosesEarlyStillGetsEverything) {
  Served counting(TestPlugin("counting_c"));
  v1::Start start;
  *start.mutable_configuration() = MakeConfiguration({{"rows", "1000"}});
  UpdateConversation update(counting.client.stub(), start);
  update.HalfClose();
  const auto finished = update.Next(Case::kFinished);
  ASSERT_TRUE(finished != nullptr);
  EXPECT_EQ(finished->finished().sent(0).rows(), 1000u);
  EXPECT_TRUE(update.Finish().ok());
}

// ---- plugins that do wrong --------------------------------------------------------------------

struct Wrong {
  const char* mode;
  absl::StatusCode code;
  const char* text;
};

const Wrong kWrongs[] = {
    {"batch_small", absl::StatusCode::kInternal,
     "plugin misbehaved: tidemark_batch.struct_size is 4, must be at least 64"},
    {"batch_zero_size", absl::StatusCode::kInternal, "tidemark_batch.struct_size is 0"},
    {"unknown_op", absl::StatusCode::kInternal,
     "plugin misbehaved: row 0: unknown operation 77 (table t)"},
    {"unknown_op_bit", absl::StatusCode::kInternal, "row 0: unknown operation 65"},
    {"wrong_table", absl::StatusCode::kInternal, "a batch of table 12345, there are 1 tables"},
    {"too_many_rows", absl::StatusCode::kInternal, "a batch of 65537 rows, at most 65536"},
    {"too_many_columns", absl::StatusCode::kInternal, "a batch of 3 columns, the table has 2"},
    {"null_values", absl::StatusCode::kInternal, "tidemark_batch.values is NULL"},
    {"null_ops", absl::StatusCode::kInternal, "tidemark_batch.ops is NULL"},
    {"unknown_value_kind", absl::StatusCode::kInternal,
     "row 0: column 1: unknown kind of value 99"},
    {"null_text", absl::StatusCode::kInternal, "row 0: column 1: a text whose data is NULL"},
    {"bad_bool", absl::StatusCode::kInternal, "row 0: column 1: a BOOL of 2"},
    {"unchanged_in_upsert", absl::StatusCode::kInvalidArgument,
     "row 0, column 1: UNCHANGED in an upsert or snapshot"},
    {"unchanged_in_snapshot", absl::StatusCode::kInvalidArgument,
     "row 0, column 1: UNCHANGED in an upsert or snapshot"},
    {"before_descending", absl::StatusCode::kInternal,
     "tidemark_batch.before_rows[1] is 0, must ascend below 2"},
    {"before_beyond", absl::StatusCode::kInternal,
     "tidemark_batch.before_rows[0] is 5, must ascend below 1"},
    {"before_missing", absl::StatusCode::kInternal, "tidemark_batch.before_rows or before is NULL"},
    {"meta_small", absl::StatusCode::kInternal, "tidemark_batch.meta_size is 8"},
    {"row_too_large", absl::StatusCode::kInvalidArgument, "bytes, at most 62914560"},
    {"state_too_large", absl::StatusCode::kInvalidArgument,
     "a state entry has 10485761 bytes, at most 10485760"},
    {"state_small", absl::StatusCode::kInternal, "tidemark_checkpoint.states has elements of 8"},
    {"checkpoint_small", absl::StatusCode::kInternal, "tidemark_checkpoint.struct_size is 8"},
    {"checkpoint_empty", absl::StatusCode::kInternal, "a checkpoint without a state entry"},
    {"checkpoint_twice_same", absl::StatusCode::kInternal,
     "a checkpoint carries the entry \"\" twice"},
    {"state_bad_cursor", absl::StatusCode::kInvalidArgument,
     "the connection-wide state entry: its cursor is not UTF-8"},
    {"define_long_name", absl::StatusCode::kInvalidArgument, "has 256 bytes, at most 255"},
    {"define_null_name", absl::StatusCode::kInvalidArgument, "a table has no name"},
    {"define_bad_utf8", absl::StatusCode::kInvalidArgument, "a table's name is not UTF-8"},
    {"define_bad_type", absl::StatusCode::kInternal, "column a has unknown type 16"},
    {"define_small", absl::StatusCode::kInternal, "tidemark_table.struct_size is 8"},
    {"define_unknown_flag", absl::StatusCode::kInternal,
     "tidemark_column.flags asks for something this host does not know (bits 10000)"},
    {"other_thread", absl::StatusCode::kInternal, "plugin misbehaved: emit from another thread"},
    {"raw_exception", absl::StatusCode::kInternal,
     "plugin misbehaved: update() threw across the ABI"},
    {"error_overflow", absl::StatusCode::kInternal, ""},
    {"error_bad_utf8", absl::StatusCode::kInternal, "bad \xef\xbf\xbd\xef\xbf\xbd text"},
};

class WrongPluginTest : public testing::TestWithParam<Wrong> {};

TEST_P(WrongPluginTest, EndsInAClearErrorAndHurtsNobody) {
  Served misbehaving(TestPlugin("misbehaving"));
  const UpdateResult result = misbehaving.client.Update({{"mode", GetParam().mode}});
  ASSERT_TRUE(result.status.ok()) << result.status.error_message();
  EXPECT_EQ(result.verdict().code(), GetParam().code);
  EXPECT_THAT(std::string(result.verdict().message()), HasSubstr(GetParam().text));
  EXPECT_EQ(result.finished_count, 1);
  // The next run of the same host is a good one.
  const UpdateResult good = misbehaving.client.Update({{"mode", "none"}, {"after_rows", "10"}});
  EXPECT_EQ(good.verdict(), absl::OkStatus());
  EXPECT_EQ(good.rows(), 10u);
}

INSTANTIATE_TEST_SUITE_P(Modes, WrongPluginTest, testing::ValuesIn(kWrongs),
                         [](const auto& test) { return std::string(test.param.mode); });

struct WrongSchema {
  const char* mode;
  const char* text;
};

const WrongSchema kWrongSchemas[] = {
    {"schema_null", "plugin misbehaved: schema() said OK and gave no schema"},
    {"schema_small", "tidemark_schema.struct_size is 4"},
    {"schema_table_stride", "tidemark_schema.tables has elements of 8 bytes"},
    {"schema_null_tables", "tidemark_schema.tables is NULL, count is 2"},
    {"schema_twice_same_table", "the schema has the table t twice"},
    {"schema_twice_same_column", "table t has the column id twice"},
    {"schema_bad_type", "column name has unknown type 16"},
    {"schema_bad_utf8", "table t, column 1: the name is not UTF-8"},
    {"schema_null_name", "a table has no name"},
    {"schema_long_name", "has 256 bytes, at most 255"},
    {"schema_unknown_flag", "tidemark_table.flags asks for something"},
    {"schema_fails", "no schema today"},
    {"create_fails", "create fails as asked"},
    {"create_null", "plugin misbehaved: create() said OK and gave no connector"},
};

TEST(WrongSchemaTest, EachIsRefusedBeforeAnyRow) {
  Served misbehaving(TestPlugin("misbehaving"));
  for (const WrongSchema& c : kWrongSchemas) {
    SCOPED_TRACE(c.mode);
    const auto schema = misbehaving.client.Schema({{"mode", c.mode}});
    ASSERT_FALSE(schema.ok());
    EXPECT_THAT(std::string(schema.status().message()), HasSubstr(c.text));
    const UpdateResult result = misbehaving.client.Update({{"mode", c.mode}});
    EXPECT_EQ(result.verdict(), schema.status());
    EXPECT_EQ(result.rows(), 0u);
  }
}

TEST(WrongPluginVerdictTest, ConnectorsOwnErrorsKeepCodeAndWait) {
  Served misbehaving(TestPlugin("misbehaving"));
  for (int code = 1; code <= 18; ++code) {
    const UpdateResult result = misbehaving.client.Update(
        {{"mode", "fail"}, {"code", std::to_string(code)}, {"retry_after_us", "2500000"}});
    EXPECT_EQ(result.verdict().code(), CodeFromNumber(code));
    EXPECT_THAT(std::string(result.verdict().message()), HasSubstr("failed as asked"));
    EXPECT_EQ(RetryAfter(result.verdict()), absl::Milliseconds(2500));
  }
}

TEST(WrongPluginVerdictTest, ExceptionsOfTheCppLayerAreErrors) {
  Served throwing(TestPlugin("throwing"));
  EXPECT_THAT(std::string(throwing.client.Check({{"where", "create"}}).status.message()),
              HasSubstr("thrown in create"));
  EXPECT_THAT(std::string(throwing.client.Check({{"where", "check"}}).status.message()),
              HasSubstr("thrown in check"));
  EXPECT_THAT(std::string(throwing.client.Schema({{"where", "schema"}}).status().message()),
              HasSubstr("thrown in schema"));
  EXPECT_THAT(
      std::string(
          throwing.client.ValidateState({{"where", "validate_state"}}, "1").status.message()),
      HasSubstr("thrown in validate_state"));
  const UpdateResult update = throwing.client.Update({{"where", "update"}});
  EXPECT_EQ(update.verdict().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(update.verdict().message()), HasSubstr("thrown in update"));
  EXPECT_EQ(throwing.client.Update({{"where", "acknowledged"}}).verdict(), absl::OkStatus());
}

TEST(WrongPluginVerdictTest, ASinkAnswersAfterUpdateAndTakesNothing) {
  Served misbehaving(TestPlugin("misbehaving"));
  testing::internal::CaptureStderr();
  const UpdateResult result = misbehaving.client.Update({{"mode", "sink_after_update"}});
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("plugin misbehaving: warning: emit after update answered 9"));
  EXPECT_EQ(result.finished_count, 1);
}

TEST(InProcessTest, APluginThatCannotBeLoadedIsAnErrorAtOnce) {
  EXPECT_THAT(std::string(ServeInProcess("/nowhere/x.so").status().message()),
              HasSubstr("cannot load plugin /nowhere/x.so"));
}

}  // namespace
}  // namespace tidemark
