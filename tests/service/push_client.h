// A program that pushes and does not give up, for tests and the bench: it keeps what is not
// acknowledged and sends it again on a new stream, as ingest.proto says clients do.
#ifndef TIDEMARK_TESTS_SERVICE_PUSH_CLIENT_H_
#define TIDEMARK_TESTS_SERVICE_PUSH_CLIENT_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/service/push_connection.h"

namespace tidemark::test {

// Confined to one thread.
class PushClient {
 public:
  struct Options {
    std::string address;
    std::string connection;
    std::string producer;
    std::string token;
    v1::CheckpointMode mode = v1::CHECKPOINT_MODE_EVERY_MESSAGE;
    size_t window = 256;  // messages that may wait for their acknowledgement
    absl::Duration patience = absl::Seconds(60);  // with a server that does not answer
  };

  explicit PushClient(Options options) : options_(std::move(options)) {}

  // Sent at once and again on every new stream; takes no number.
  absl::Status Define(v1::PushRequest table);
  // Numbers the message and sends it, after others where a stream was lost; waits while too many
  // are not acknowledged. An error is the server's, one that trying again does not help.
  absl::Status Push(v1::PushRequest request);
  // Everything is durable when it is OK.
  absl::Status Finish();

  uint64_t streams() const { return streams_; }  // begun until now

 private:
  absl::Status Connect();
  // The stream is over: a new one, where that helps.
  absl::Status Recover();
  void DropAcknowledged(uint64_t sequence);

  const Options options_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<PushConnection> stream_;
  std::vector<v1::PushRequest> tables_;
  std::deque<v1::PushRequest> kept_;  // not acknowledged
  uint64_t last_ = 0;                 // number of the last message
  bool known_ = false;                // the first Started came
  uint64_t streams_ = 0;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVICE_PUSH_CLIENT_H_
