// A connector behind a gRPC channel as the pipeline's ChangeSource.
#ifndef TIDEMARK_SOURCE_CONNECTOR_CLIENT_H_
#define TIDEMARK_SOURCE_CONNECTOR_CLIENT_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/mutex.h"
#include "pipeline/change_source.h"
#include "source/connector_child.h"
#include "source/connector_launch.h"
#include "source/event_decoder.h"
#include "source/update_stream.h"
#include "tidemark/v1/connector.grpc.pb.h"
#include "wire/call_status.h"

namespace tidemark {

// The same for every placement; `child` is there for Peer::kChild only. Threads and order of calls:
// pipeline/change_source.h.
class ConnectorClient final : public ChangeSource {
 public:
  enum class Peer { kChild, kAddress, kInProcess };
  // `owner` is released after the last use of `channel`.
  ConnectorClient(const ConnectorLaunch& launch, std::shared_ptr<grpc::Channel> channel,
                  std::unique_ptr<ConnectorChild> child, std::shared_ptr<void> owner, Peer peer);
  ~ConnectorClient() override;

  absl::StatusOr<ConnectorDescription> Describe() override;
  absl::Status Check() override;
  absl::StatusOr<std::vector<TableSchema>> Schema() override;
  absl::Status ValidateState(absl::Span<const StateEntry> states) override;
  absl::Status Start(const UpdateStart& start) override;
  absl::Status StartRead(const ReadStart& start) override;
  absl::StatusOr<std::optional<SourceEvent>> Next(absl::Time deadline) override;
  void Acknowledge(const Acknowledgement& acknowledgement) override;
  absl::Status Close() override;
  void Cancel() override;

 private:
  // One unary call with its deadline. UNIMPLEMENTED by a peer is OK where `optional`.
  absl::Status Call(absl::string_view name, absl::Duration timeout, bool optional,
                    absl::FunctionRef<grpc::Status(grpc::ClientContext*)> call);
  // Why a call failed, from the most certain cause to the least.
  absl::Status Explain(absl::string_view during, const grpc::Status& status,
                       const CallResult& result);
  absl::Status ExplainEnd();
  absl::Status ExplainStatus(absl::string_view during, const grpc::Status& status);
  absl::Status ChildFailure(absl::string_view during, absl::Duration wait);
  bool IsBroken(const grpc::Status& status);
  absl::Status Cancelled() const;
  absl::Status Late(absl::string_view what, absl::Duration limit);
  // Keeps the failure for later calls, marks it, and ends a child that is of no more use.
  absl::Status Fail(absl::Status failure);
  bool IsCancelled();
  void CloseChannel();
  void DropStream();
  bool EndChild();

  const std::string label_;
  const std::vector<Setting> settings_;
  const ConnectorLimits limits_;
  absl::Duration stall_;
  const Peer peer_;
  std::shared_ptr<void> owner_;
  const std::unique_ptr<ConnectorChild> child_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Connector::Stub> stub_;
  EventDecoder decoder_;
  const char* streaming_ = "Update";                   // the call of stream_
  absl::Duration timeout_ = absl::InfiniteDuration();  // of stream_
  absl::Status failure_;  // the first of the stream; every later Next and Close returns it
  bool closed_ = false;

  Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* active_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of the unary call under way
  // Set and reset under the lock, so that Cancel finds it alive; else used by the apply thread.
  std::unique_ptr<UpdateStream> stream_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_CONNECTOR_CLIENT_H_
