// Rows by name become batches; tables and columns that were not declared are defined before them.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "source/event_decoder.h"
#include "tests/source/event_text.h"

namespace tidemark {
namespace {

using Values = std::map<std::string, std::string>;  // "" is NULL

class ReadableRowsTest : public testing::Test {
 protected:
  ReadableRowsTest() {
    TableSchema table;
    table.name = "t";
    table.columns.resize(2);
    table.columns[0].name = "id";
    table.columns[0].key = true;
    table.columns[0].type.type = DataType::kString;
    table.columns[1].name = "name";
    table.columns[1].type.type = DataType::kString;
    decoder_.SetTables({table});
  }

  static void Put(const Values& from, google::protobuf::Map<std::string, v1::Value>* to) {
    for (const auto& [name, text] : from) {
      v1::Value& value = (*to)[name];
      if (!text.empty()) value.set_string(text);
    }
  }
  v1::Row* Add(const std::string& table, const Values& values,
               v1::ChangeKind kind = v1::CHANGE_KIND_UNSPECIFIED) {
    v1::Row* row = rows_.mutable_rows()->add_rows();
    row->set_table(table);
    row->set_kind(kind);
    Put(values, row->mutable_values());
    return row;
  }

  // Decodes the rows added since the last call.
  std::vector<std::string> Decode() {
    auto message = std::make_unique<StreamMessage>();
    message->response.Swap(&rows_);
    rows_.Clear();
    const absl::Status status = decoder_.Push(std::move(message), pool_);
    EXPECT_TRUE(status.ok()) << status;
    std::vector<std::string> events;
    while (true) {
      absl::StatusOr<std::optional<SourceEvent>> event = decoder_.Pop();
      if (!event.ok()) {
        events.push_back(event.status().ToString());
        return events;
      }
      if (!event->has_value()) return events;
      events.push_back(EventText(**event));
    }
  }

  v1::UpdateResponse rows_;
  EventDecoder decoder_{"plugin r"};
  std::shared_ptr<MessagePool> pool_ = std::make_shared<MessagePool>();
};

using Events = std::vector<std::string>;

TEST_F(ReadableRowsTest, EachKindSaysWhatIsNotGiven) {
  Add("t", {{"id", "1"}});
  Add("t", {{"id", "2"}, {"name", "b"}}, v1::CHANGE_KIND_UPSERT);
  Add("t", {{"id", "3"}}, v1::CHANGE_KIND_UPDATE);
  Add("t", {{"id", "4"}}, v1::CHANGE_KIND_DELETE);
  Add("t", {}, v1::CHANGE_KIND_TRUNCATE);
  Add("t", {{"id", "5"}, {"name", ""}}, v1::CHANGE_KIND_SNAPSHOT);
  EXPECT_EQ(Decode(), Events{"0: upsert('1' null) upsert('2' 'b') update('3' unchanged) "
                             "delete('4' null) truncate(null null) snapshot('5' null)"});
}

TEST_F(ReadableRowsTest, StampsBeforeImagesAndErrorsTravel) {
  Add("t", {{"id", "1"}});
  v1::Row* row = Add("t", {{"id", "2"}}, v1::CHANGE_KIND_UPDATE);
  Put({{"id", "9"}}, row->mutable_before());
  row->set_sequence(77);
  row->set_on_error_continue(true);
  Add("t", {{"id", "3"}});
  EXPECT_EQ(Decode(), Events{"0: upsert('1' null) update*('2' unchanged before '9' unchanged @77) "
                             "upsert('3' null)"});
}

// Without a key `before` is the full old row: what it does not name was NULL.
TEST_F(ReadableRowsTest, AnOldRowWithoutAKeyIsComplete) {
  Add("u", {{"x", "1"}, {"y", "2"}});
  Put({{"x", "1"}}, Add("u", {}, v1::CHANGE_KIND_DELETE)->mutable_before());
  Put({{"y", "2"}}, Add("u", {{"y", "3"}}, v1::CHANGE_KIND_UPDATE)->mutable_before());
  EXPECT_EQ(Decode(), (Events{"define 1 u(x:UNDECLARED, y:UNDECLARED)",
                              "1: upsert('1' '2') delete(null null before '1' null) "
                              "update(unchanged '3' before null '2')"}));
}

TEST_F(ReadableRowsTest, NewColumnsAreDefinedOnceInTheOrderOfTheirNames) {
  Add("t", {{"id", "1"}, {"zeta", "z"}, {"alpha", "a"}, {"mid", "m"}});
  Add("t", {{"id", "2"}, {"beta", "b"}});
  EXPECT_EQ(Decode(),
            (Events{"define 0 t(id:STRING:key, name:STRING, alpha:UNDECLARED, beta:UNDECLARED, "
                    "mid:UNDECLARED, zeta:UNDECLARED)",
                    "0: upsert('1' null 'a' null 'm' 'z') upsert('2' null null 'b' null null)"}));
  Add("t", {{"id", "3"}, {"mid", "m"}});
  EXPECT_EQ(Decode(), Events{"0: upsert('3' null null null 'm' null)"});
  Add("t", {{"id", "4"}, {"aardvark", "last"}});
  EXPECT_EQ(Decode().size(), 2u);
}

// Consecutive rows of one table are one batch; order between tables is kept.
TEST_F(ReadableRowsTest, NewTablesGetTheNextNumber) {
  Add("t", {{"id", "1"}});
  Add("u", {{"x", "1"}});
  Add("u", {{"x", "2"}});
  Add("u", {{"x", "3"}})->set_schema("s");
  Add("t", {{"id", "2"}});
  EXPECT_EQ(Decode(),
            (Events{"0: upsert('1' null)", "define 1 u(x:UNDECLARED)", "1: upsert('1') upsert('2')",
                    "define 2 s.u(x:UNDECLARED)", "2: upsert('3')", "0: upsert('2' null)"}));
}

TEST_F(ReadableRowsTest, WhatIsWrongNamesTableAndRow) {
  Add("t", {{"id", "1"}});
  Add("t", {{"id", "1"}}, static_cast<v1::ChangeKind>(12));
  EXPECT_EQ(Decode(), Events{"DATA_LOSS: table t, row 1: unknown kind of change 12"});
}

TEST_F(ReadableRowsTest, ALongColumnNameIsRefused) {
  Add("t", {{std::string(256, 'c'), "1"}});
  const Events events = Decode();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].substr(0, 9), "DATA_LOSS");
}

// Many empty rows of a wide table would be a thousand times their message in memory.
TEST_F(ReadableRowsTest, WideTablesAreCutIntoSmallBatches) {
  Values wide;
  for (int i = 0; i < 1'000; ++i) wide[absl::StrCat("c", i)] = "x";
  Add("t", wide);
  for (int i = 0; i < 5'000; ++i) Add("t", {});
  const size_t most = ReadableRows::kBatchValues / 1'002;
  auto message = std::make_unique<StreamMessage>();
  message->response.Swap(&rows_);
  ASSERT_TRUE(decoder_.Push(std::move(message), pool_).ok());
  size_t rows = 0;
  while (true) {
    absl::StatusOr<std::optional<SourceEvent>> event = decoder_.Pop();
    ASSERT_TRUE(event.ok()) << event.status();
    if (!event->has_value()) break;
    if (const auto* batch = std::get_if<ChangeBatch>(&**event)) {
      EXPECT_LE(batch->row_count, most);
      rows += batch->row_count;
    }
  }
  EXPECT_EQ(rows, 5'001u);
}

// Batches of one message share it, whoever is destroyed first.
TEST_F(ReadableRowsTest, BatchesKeepTheirMessage) {
  Add("t", {{"id", "first"}});
  Add("u", {{"x", "second"}});
  auto message = std::make_unique<StreamMessage>();
  message->response.Swap(&rows_);
  ASSERT_TRUE(decoder_.Push(std::move(message), pool_).ok());
  std::vector<ChangeBatch> batches;
  while (true) {
    absl::StatusOr<std::optional<SourceEvent>> event = decoder_.Pop();
    ASSERT_TRUE(event.ok());
    if (!event->has_value()) break;
    if (auto* batch = std::get_if<ChangeBatch>(&**event)) batches.push_back(std::move(*batch));
  }
  ASSERT_EQ(batches.size(), 2u);
  batches.erase(batches.begin());
  EXPECT_EQ(batches[0].row(0)[0].view(), "second");
}

}  // namespace
}  // namespace tidemark
