// Logs and progress beside the plugin's messages: never between two of one write, never after
// Finished, never without bound.
#include "plugin_host/response_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/mutex.h"
#include "tidemark/v1/connector.pb.h"

namespace tidemark {
namespace {

v1::UpdateResponse Flush() {
  v1::UpdateResponse response;
  response.mutable_flush();
  return response;
}

v1::UpdateResponse Finished() {
  v1::UpdateResponse response;
  response.mutable_finished();
  return response;
}

// A receiver that is behind until it is let go.
class Gate {
 public:
  void Pass() {
    MutexLock lock(mutex_);
    ++waiting_;
    changed_.SignalAll();
    while (!open_) changed_.Wait(mutex_);
  }
  void AwaitWriter() {
    MutexLock lock(mutex_);
    while (waiting_ == 0) changed_.Wait(mutex_);
  }
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.SignalAll();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int waiting_ = 0;
  bool open_ = false;
};

TEST(ResponseStreamTest, WritesOneMessageAtATimeAndLosesNone) {
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  int logs = 0, flushes = 0;
  ResponseStream stream([&](const v1::UpdateResponse& response) {
    if (inside.fetch_add(1) != 0) overlapped = true;
    (response.has_log() ? logs : flushes) += 1;
    inside.fetch_sub(1);
    return true;
  });
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        if (t == 0) {
          EXPECT_TRUE(stream.Send(Flush()));
        } else {
          EXPECT_TRUE(stream.Log(1, "line"));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(stream.Finish(Finished()));
  EXPECT_FALSE(overlapped);
  EXPECT_EQ(logs, 1'500);
  EXPECT_EQ(flushes, 501);
}

TEST(ResponseStreamTest, LogsDoNotWaitForAReceiverThatIsBehind) {
  Gate gate;
  std::vector<v1::UpdateResponse> sent;
  ResponseStream stream([&](const v1::UpdateResponse& response) {
    gate.Pass();
    sent.push_back(response);
    return true;
  });
  std::thread writer([&] { EXPECT_TRUE(stream.Send(Flush())); });
  gate.AwaitWriter();
  const std::string line(1'000, 'x');
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(stream.Log(1, line));
  for (uint64_t i = 1; i <= 3; ++i) {
    v1::Progress progress;
    progress.set_rows_done(i);
    EXPECT_TRUE(stream.Progress(progress));
  }
  gate.Open();
  writer.join();
  ASSERT_EQ(sent.size(), 1u + 262 + 1 + 1);
  EXPECT_TRUE(sent[0].has_flush());
  EXPECT_EQ(sent[263].log().text(), "738 log lines were dropped: the receiver is behind");
  EXPECT_EQ(sent[264].progress().rows_done(), 3u) << "only the newest";
}

TEST(ResponseStreamTest, FinishedIsTheLastMessage) {
  std::vector<v1::UpdateResponse> sent;
  ResponseStream stream([&](const v1::UpdateResponse& response) {
    sent.push_back(response);
    return true;
  });
  EXPECT_TRUE(stream.Log(2, "bad \xff"));
  EXPECT_TRUE(stream.Finish(Finished()));
  EXPECT_FALSE(stream.Log(2, "late"));
  EXPECT_FALSE(stream.Progress(v1::Progress()));
  EXPECT_FALSE(stream.Send(Flush()));
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].log().text(), "bad \xef\xbf\xbd");
  EXPECT_TRUE(sent[1].has_finished());
}

TEST(ResponseStreamTest, WritesNothingMoreToAReceiverThatIsGone) {
  int writes = 0;
  ResponseStream stream([&](const v1::UpdateResponse&) {
    ++writes;
    return false;
  });
  EXPECT_FALSE(stream.Send(Flush()));
  EXPECT_FALSE(stream.Send(Flush()));
  EXPECT_FALSE(stream.Log(1, "x"));
  EXPECT_EQ(writes, 1);
}

}  // namespace
}  // namespace tidemark
