// The conversation around update(): releasable bodies first, acknowledgements beside it, Finished,
// the final acknowledgement, destroy(), and only then the status.
#include "plugin_host/update_call.h"

#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plugin_host/in_process.h"
#include "tests/plugin_host/connector_client.h"

namespace tidemark {
namespace {

using Case = v1::UpdateResponse::ResponseCase;

class UpdateCallTest : public testing::Test {
 protected:
  UpdateCallTest() : host_(*ServeInProcess(TestPlugin("conversing"))), client_(host_.channel) {}

  static v1::Start Start(const char* mode) {
    v1::Start start;
    *start.mutable_configuration() = MakeConfiguration({{"mode", mode}});
    return start;
  }

  InProcessHost host_;
  ConnectorClient client_;
};

std::string NextLog(UpdateConversation& update) {
  const auto response = update.Next(Case::kLog);
  return response == nullptr ? "no further log" : response->log().text();
}

TEST_F(UpdateCallTest, ReleasableBodiesArriveBeforeUpdateBegins) {
  v1::Start start = Start("none");
  start.add_releasable()->set_body("old");
  UpdateConversation update(client_.stub(), start);
  EXPECT_EQ(NextLog(update), "durable 0, releasable old");
  EXPECT_EQ(NextLog(update), "update begins");
}

TEST_F(UpdateCallTest, AWaitEndsWithItsAcknowledgement) {
  UpdateConversation update(client_.stub(), Start("wait"));
  ASSERT_TRUE(update.Next(Case::kCheckpoint) != nullptr);
  update.Acknowledge(1, "was");
  EXPECT_EQ(NextLog(update), "durable 1, releasable was");
  const auto warning = update.Next(Case::kWarning);
  ASSERT_TRUE(warning != nullptr);
  EXPECT_EQ(warning->warning().text(), "the commit was seen");
}

TEST_F(UpdateCallTest, TheFinalAcknowledgementArrivesBeforeTheEnd) {
  testing::internal::CaptureStderr();
  UpdateConversation update(client_.stub(), Start("none"));
  ASSERT_TRUE(update.Next(Case::kFinished) != nullptr);
  update.Acknowledge(1);
  EXPECT_TRUE(update.Finish().ok());
  // Behind Finished nothing may be sent: what the plugin logs then stands on stderr.
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "plugin conversing: info: durable 1\nplugin conversing: info: destroyed\n");
}

TEST_F(UpdateCallTest, WhatWasNeverGivenIsNeverDurable) {
  UpdateConversation update(client_.stub(), Start("wait"));
  EXPECT_EQ(NextLog(update), "update begins");
  ASSERT_TRUE(update.Next(Case::kCheckpoint) != nullptr);
  update.Acknowledge(1'000'000);
  EXPECT_EQ(NextLog(update), "durable 1");
}

TEST_F(UpdateCallTest, CancellationInterruptsAPluginThatBlocks) {
  testing::internal::CaptureStderr();
  {
    UpdateConversation update(client_.stub(), Start("block"));
    ASSERT_TRUE(update.Next(Case::kCheckpoint) != nullptr);
    update.Cancel();
    EXPECT_EQ(update.Finish().error_code(), grpc::StatusCode::CANCELLED);
    host_ = {};  // waits for the plugin
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("plugin conversing: info: destroyed"));
}

TEST_F(UpdateCallTest, AServerThatIsGoneInterruptsAlsoAfterAnEarlyHalfClose) {
  testing::internal::CaptureStderr();
  {
    UpdateConversation update(client_.stub(), Start("block"));
    ASSERT_TRUE(update.Next(Case::kCheckpoint) != nullptr);
    update.HalfClose();
    update.Cancel();
    EXPECT_EQ(update.Finish().error_code(), grpc::StatusCode::CANCELLED);
    host_ = {};
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("plugin conversing: info: destroyed"));
}

TEST_F(UpdateCallTest, TheServiceStopsAnUpdateWhoseClientStays) {
  UpdateConversation update(client_.stub(), Start("block"));
  ASSERT_TRUE(update.Next(Case::kCheckpoint) != nullptr);
  host_ = {};
  EXPECT_EQ(update.Finish().error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace tidemark
