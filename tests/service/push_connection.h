// One stream of a program that pushes, for tests: sends what it is told, right or wrong, and notes
// every answer.
#ifndef TIDEMARK_TESTS_SERVICE_PUSH_CONNECTION_H_
#define TIDEMARK_TESTS_SERVICE_PUSH_CONNECTION_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "core/mutex.h"
#include "tidemark/v1/ingest.grpc.pb.h"

namespace tidemark::test {

// Send, HalfClose: one thread. The rest is thread-safe.
class PushConnection {
 public:
  explicit PushConnection(const std::shared_ptr<grpc::Channel>& channel,
                          const std::string& token = "");
  ~PushConnection();  // cuts
  PushConnection(const PushConnection&) = delete;
  PushConnection& operator=(const PushConnection&) = delete;

  // False: the call is over.
  bool Send(const v1::PushRequest& request) { return stream_->Write(request); }
  bool SendStart(const std::string& connection, const std::string& producer,
                 v1::CheckpointMode mode = v1::CHECKPOINT_MODE_EVERY_MESSAGE);
  void HalfClose() { stream_->WritesDone(); }
  void Cut() { context_.TryCancel(); }

  // nullopt: the call ended without, or it did not come in time.
  std::optional<v1::Started> AwaitStarted();
  bool AwaitAcknowledged(uint64_t sequence);
  bool AwaitWarning(const std::string& part);
  bool AwaitRowErrors(size_t count);
  grpc::Status AwaitEnd();

  bool over() const;
  uint64_t acknowledged() const;
  int64_t state_version() const;  // of the last acknowledgement
  std::vector<v1::RowError> row_errors() const;
  std::optional<v1::Ended> ended() const;

 private:
  void ReadAll();
  bool Await(const std::function<bool()>& met);

  grpc::ClientContext context_;
  const std::unique_ptr<v1::Ingest::Stub> stub_;
  const std::unique_ptr<grpc::ClientReaderWriterInterface<v1::PushRequest, v1::PushResponse>>
      stream_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::optional<v1::Started> started_;
  v1::Acknowledged acknowledged_;
  std::vector<v1::RowError> row_errors_;
  std::vector<std::string> warnings_;
  std::optional<v1::Ended> ended_;
  std::optional<grpc::Status> status_;
  std::thread reader_;
};

// Of the answer's google.rpc details.
std::string Reason(const grpc::Status& status);
std::map<std::string, std::string> Facts(const grpc::Status& status);

// Messages.
v1::PushRequest TableRequest(uint32_t index, const std::string& name);  // id LONG key, name STRING
v1::PushRequest RowsRequest(uint64_t sequence, const std::string& table, int64_t first,
                            int64_t count, const std::string& text = "x");
// The same rows in the packed form.
v1::PushRequest BatchRequest(uint64_t sequence, uint32_t table, int64_t first, int64_t count,
                             const std::string& text = "x");
v1::PushRequest CheckpointRequest(uint64_t sequence, const std::string& state);

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVICE_PUSH_CONNECTION_H_
