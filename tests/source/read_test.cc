// Rows read beside a sync: what a client makes of what a peer says.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "tests/source/client_fixture.h"
#include "tests/source/event_text.h"

namespace tidemark {
namespace {

using ReadStream = ScriptedConnector::ReadStream;
using Texts = std::vector<std::string>;

class ReadTest : public ClientFixture {
 protected:
  // Serves a connector that answers each read with these messages.
  void Answer(std::vector<v1::UpdateResponse> responses) {
    connector_.read = [responses = std::move(responses)](const v1::ReadRequest&,
                                                         ReadStream* stream) {
      for (const v1::UpdateResponse& response : responses) stream->Write(response);
      return grpc::Status::OK;
    };
    Connect();
  }
  Drained Read() {
    const absl::Status begun = source_->StartRead(ReadStart());
    return begun.ok() ? DrainEvents(*source_) : Drained{{}, begun};
  }
};

TEST_F(ReadTest, TheRequestCarriesModeKeysAndColumns) {
  v1::ReadRequest seen;
  connector_.read = [&seen](const v1::ReadRequest& request, ReadStream* stream) {
    seen = request;
    stream->Write(FinishedMessage());
    return grpc::Status::OK;
  };
  Connect();
  ReadStart start;
  start.mode = kReadRanges;
  start.lower = {Value::Int64(3)};
  start.limit = 5;
  start.columns = {true, false};
  ASSERT_EQ(source_->StartRead(start), absl::OkStatus());
  EXPECT_EQ(DrainEvents(*source_).events, Texts{"finished OK"});
  EXPECT_EQ(seen.mode(), v1::READ_MODE_RANGES);
  EXPECT_EQ(seen.lower(), std::string("\x03\x03\0\0\0\0\0\0\0", 9));
  EXPECT_EQ(seen.upper(), "");
  EXPECT_EQ(seen.limit(), 5u);
  EXPECT_EQ(seen.columns_size(), 2);
}

TEST_F(ReadTest, EachReadBeginsWithTheTablesOfTheSchema) {
  v1::UpdateResponse wider;
  wider.mutable_table_definition()->set_index(0);
  v1::Table* table = wider.mutable_table_definition()->mutable_table();
  table->set_name("t");
  for (const char* name : {"id", "name", "more"}) {
    v1::Column* column = table->add_columns();
    column->set_name(name);
    column->set_key(std::string(name) == "id");
  }
  Answer({wider, UpsertBatch(0, 1, "a"), FinishedMessage()});
  for (int i = 0; i < 2; ++i) {
    const Drained drained = Read();
    EXPECT_EQ(drained.status, absl::OkStatus());
    EXPECT_EQ(drained.events,
              (Texts{"define 0 t(id:UNDECLARED:key, name:UNDECLARED, more:UNDECLARED)",
                     "0: upsert(1 'a')", "finished OK"}));
  }
}

TEST_F(ReadTest, APeerWithoutReadIsToldApartInWords) {
  Connect();
  const Drained drained = Read();
  EXPECT_EQ(drained.status.code(), absl::StatusCode::kUnimplemented) << drained.status;
  EXPECT_TRUE(absl::StrContains(drained.status.message(), "does not know Read")) << drained.status;
}

TEST_F(ReadTest, WhatBelongsToASyncHasNoPlaceInARead) {
  v1::UpdateResponse done, flush, deletion = UpsertBatch(0, 1, "a");
  done.mutable_table_done();
  flush.mutable_flush();
  deletion.mutable_row_batch()->set_ops("\x03");
  for (const v1::UpdateResponse& response : {CheckpointMessage(1, "s"), done, flush, deletion}) {
    Answer({response, FinishedMessage()});
    const Drained drained = Read();
    EXPECT_EQ(drained.status.code(), absl::StatusCode::kDataLoss) << response.DebugString();
  }
}

TEST_F(ReadTest, AnEndWithoutFinishedIsDataLoss) {
  Answer({UpsertBatch(0, 1, "a")});
  EXPECT_EQ(Read().status.code(), absl::StatusCode::kDataLoss);
}

TEST_F(ReadTest, ASourceWithoutReadsSaysSo) {
  class Plain final : public ChangeSource {
    absl::StatusOr<ConnectorDescription> Describe() override { return ConnectorDescription(); }
    absl::Status Check() override { return absl::OkStatus(); }
    absl::StatusOr<std::vector<TableSchema>> Schema() override {
      return std::vector<TableSchema>();
    }
    absl::Status ValidateState(absl::Span<const StateEntry>) override { return absl::OkStatus(); }
    absl::Status Start(const UpdateStart&) override { return absl::OkStatus(); }
    absl::StatusOr<std::optional<SourceEvent>> Next(absl::Time) override { return std::nullopt; }
    void Acknowledge(const Acknowledgement&) override {}
    absl::Status Close() override { return absl::OkStatus(); }
    void Cancel() override {}
  };
  Plain plain;
  const absl::Status status = static_cast<ChangeSource&>(plain).StartRead(ReadStart());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_TRUE(absl::StrContains(status.message(), kReadExtension)) << status;
}

}  // namespace
}  // namespace tidemark
