#include "source/connector_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/failpoint.h"
#include "core/status_context.h"
#include "wire/call_status.h"
#include "wire/row_codec.h"
#include "wire/schema_messages.h"
#include "wire/state_messages.h"
#include "wire/value_messages.h"

namespace tidemark {
namespace {

// How long after a broken connection its process may take to be seen ending.
constexpr absl::Duration kEndSeen = absl::Seconds(2);

v1::SelectionMode ToMessage(SelectionMode mode) { return static_cast<v1::SelectionMode>(mode); }

void StartToMessage(const UpdateStart& start, v1::Start* message) {
  StateEntriesToMessages(start.states, message->mutable_states());
  StateEntriesToMessages(start.releasable, message->mutable_releasable());
  for (const TableSelection& selection : start.selections) {
    v1::Selection* out = message->add_selections();
    out->set_mode(ToMessage(selection.mode));
    for (const bool selected : selection.columns) out->add_columns(selected);
  }
  message->set_new_tables(ToMessage(start.new_tables));
  message->set_connection(start.connection);
  message->set_sync_id(start.sync_id);
  message->set_epoch(start.epoch);
  message->set_attempt(start.attempt);
  message->set_dry_run(start.dry_run);
  message->set_continuous(start.continuous);
  message->set_page_rows(start.page_rows);
  message->set_from_us(start.from_us);
  message->set_until_us(start.until_us);
}

// INVALID_ARGUMENT for what can be in no request.
absl::Status ReadToMessage(const ReadStart& start, v1::ReadRequest* message) {
  const auto pack = [](const std::vector<Value>& values, std::string* out) {
    for (const Value& value : values) EncodeValue(value, out);
  };
  message->set_table(start.table);
  message->set_mode(static_cast<v1::ReadMode>(start.mode));
  pack(start.keys, message->mutable_keys());
  pack(start.lower, message->mutable_lower());
  pack(start.upper, message->mutable_upper());
  message->set_key_count(start.key_count);
  message->set_limit(start.limit);
  for (const bool selected : start.columns) message->add_columns(selected);
  if (message->ByteSizeLong() > kMaxMessageBytes) {
    return absl::InvalidArgumentError("the keys to read are more than a message holds");
  }
  return absl::OkStatus();
}

}  // namespace

ConnectorClient::ConnectorClient(const ConnectorLaunch& launch,
                                 std::shared_ptr<grpc::Channel> channel,
                                 std::unique_ptr<ConnectorChild> child, std::shared_ptr<void> owner,
                                 Peer peer)
    : label_(launch.label),
      settings_(launch.settings),
      limits_(launch.limits),
      stall_(launch.limits.stall),
      peer_(peer),
      owner_(std::move(owner)),
      child_(std::move(child)),
      channel_(std::move(channel)),
      stub_(v1::Connector::NewStub(channel_)),
      decoder_(launch.label) {}

ConnectorClient::~ConnectorClient() {
  CloseChannel();
  // Time to come to an end; none is left where it has had its time already.
  if (child_ != nullptr) EndChild();
}

// Cancels what runs. A child sees its socket end (a Python child's is the owner's): it comes to an
// end in order.
void ConnectorClient::CloseChannel() {
  DropStream();
  stub_.reset();
  channel_.reset();
  if (child_ != nullptr) owner_.reset();
}

// Outside of the lock: the end of a call may take its time, and Cancel must not wait for it.
void ConnectorClient::DropStream() {
  std::unique_ptr<UpdateStream> stream;
  {
    MutexLock lock(mutex_);
    stream = std::move(stream_);
  }
}

absl::StatusOr<ConnectorDescription> ConnectorClient::Describe() {
  if (absl::Status s = Failpoint("connector.describe"); !s.ok()) return s;
  const v1::DescribeRequest request;
  v1::DescribeResponse response;
  absl::Status status = Call(
      "Describe", limits_.describe, false,
      [&](grpc::ClientContext* context) { return stub_->Describe(context, request, &response); });
  if (!status.ok()) return status;
  absl::StatusOr<ConnectorDescription> description = DescriptionFromMessage(response);
  if (!description.ok()) {
    return Fail(absl::InternalError(
        absl::StrCat(label_, " describes itself wrongly: ", description.status().message())));
  }
  return description;
}

absl::Status ConnectorClient::Check() {
  if (absl::Status s = Failpoint("connector.check"); !s.ok()) return s;
  v1::CheckRequest request;
  v1::CheckResponse response;
  SettingsToMessage(settings_, request.mutable_configuration());
  return Call("Check", limits_.check, true, [&](grpc::ClientContext* context) {
    return stub_->Check(context, request, &response);
  });
}

absl::StatusOr<std::vector<TableSchema>> ConnectorClient::Schema() {
  if (absl::Status s = Failpoint("connector.schema"); !s.ok()) return s;
  v1::SchemaRequest request;
  v1::SchemaResponse response;
  SettingsToMessage(settings_, request.mutable_configuration());
  absl::Status status = Call("Schema", limits_.schema, false, [&](grpc::ClientContext* context) {
    return stub_->Schema(context, request, &response);
  });
  if (!status.ok()) return status;
  absl::StatusOr<std::vector<TableSchema>> tables = SchemaFromMessage(response);
  if (!tables.ok()) {
    return Fail(absl::InternalError(
        absl::StrCat(label_, " gave a wrong schema: ", tables.status().message())));
  }
  decoder_.SetTables(*tables);
  return tables;
}

absl::Status ConnectorClient::ValidateState(absl::Span<const StateEntry> states) {
  if (absl::Status s = Failpoint("connector.validate_state"); !s.ok()) return s;
  v1::ValidateStateRequest request;
  v1::ValidateStateResponse response;
  SettingsToMessage(settings_, request.mutable_configuration());
  StateEntriesToMessages(states, request.mutable_states());
  return Call("ValidateState", limits_.check, true, [&](grpc::ClientContext* context) {
    return stub_->ValidateState(context, request, &response);
  });
}

absl::Status ConnectorClient::Start(const UpdateStart& start) {
  if (!failure_.ok()) return failure_;
  if (closed_) return absl::FailedPreconditionError(absl::StrCat(label_, " is closed"));
  if (absl::Status s = Failpoint("connector.start"); !s.ok()) return s;
  v1::UpdateRequest request;
  SettingsToMessage(settings_, request.mutable_start()->mutable_configuration());
  StartToMessage(start, request.mutable_start());
  // One that waits for changes may be silent for as long as there are none.
  if (start.continuous) stall_ = absl::InfiniteDuration();
  MutexLock lock(mutex_);
  if (cancelled_) return Cancelled();
  stream_ = std::make_unique<UpdateStream>(channel_, request);
  return absl::OkStatus();
}

absl::Status ConnectorClient::StartRead(const ReadStart& start) {
  if (!failure_.ok()) return failure_;
  if (closed_) return absl::FailedPreconditionError(absl::StrCat(label_, " is closed"));
  v1::ReadRequest request;
  SettingsToMessage(settings_, request.mutable_configuration());
  if (absl::Status status = ReadToMessage(start, &request); !status.ok()) return status;
  DropStream();
  decoder_.BeginRead(start.table);
  streaming_ = "Read";
  timeout_ = start.timeout;
  MutexLock lock(mutex_);
  if (cancelled_) return Cancelled();
  stream_ = std::make_unique<UpdateStream>(channel_, request, absl::Now() + start.timeout);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<SourceEvent>> ConnectorClient::Next(absl::Time deadline) {
  if (!failure_.ok()) return failure_;
  if (stream_ == nullptr) return absl::FailedPreconditionError("Next before Start");
  while (true) {
    if (IsCancelled()) return Fail(Cancelled());
    absl::StatusOr<std::optional<SourceEvent>> event = decoder_.Pop();
    if (!event.ok()) return Fail(WithContext(label_, event.status()));
    if (event->has_value()) return event;
    std::unique_ptr<StreamMessage> message;
    switch (stream_->Read(deadline, stall_, &message)) {
      case UpdateStream::Outcome::kMessage:
        break;
      case UpdateStream::Outcome::kNothingYet:
        return std::nullopt;
      case UpdateStream::Outcome::kStalled:
        return Fail(Late("sent nothing", stall_));
      case UpdateStream::Outcome::kEnded:
        return Fail(ExplainEnd());
      case UpdateStream::Outcome::kCancelled:
        return Fail(Cancelled());
    }
    if (absl::Status s = Failpoint("connector.read"); !s.ok()) return Fail(s);
    absl::Status status = decoder_.Push(std::move(message), stream_->pool());
    if (!status.ok()) return Fail(WithContext(label_, status));
  }
}

void ConnectorClient::Acknowledge(const Acknowledgement& acknowledgement) {
  PassFailpoint("connector.acknowledge");
  if (stream_ != nullptr) stream_->Acknowledge(acknowledgement);
}

absl::Status ConnectorClient::Close() {
  if (!failure_.ok()) return failure_;
  if (closed_) return absl::OkStatus();
  if (stream_ != nullptr) {
    if (absl::Status s = Failpoint("connector.close"); !s.ok()) return Fail(s);
    stream_->HalfClose();
    std::unique_ptr<StreamMessage> message;
    switch (stream_->Read(absl::Now() + limits_.interrupt, absl::InfiniteDuration(), &message)) {
      case UpdateStream::Outcome::kMessage:
        return Fail(absl::DataLossError(
            absl::StrCat(label_, decoder_.finished() ? ": it sent a message after Finished"
                                                     : ": closed before Finished")));
      case UpdateStream::Outcome::kCancelled:
        return Fail(Cancelled());
      case UpdateStream::Outcome::kEnded:
        if (!stream_->status().ok() || !decoder_.finished()) return Fail(ExplainEnd());
        break;
      default:
        return Fail(Late("did not end its call after Finished", limits_.interrupt));
    }
  }
  closed_ = true;
  CloseChannel();
  if (child_ == nullptr) return absl::OkStatus();
  const bool killed = EndChild();
  if (absl::Status failure = child_->Failure(); !failure.ok()) return Fail(std::move(failure));
  if (!killed) return absl::OkStatus();
  return Fail(Late("did not end its process after its last call", limits_.interrupt));
}

// True when it had to be killed.
bool ConnectorClient::EndChild() {
  const absl::Time begin = absl::Now();
  child_->KillAfter(limits_.interrupt, /*expected=*/true);
  child_->WaitForEnd(absl::InfiniteDuration());
  return absl::Now() - begin >= limits_.interrupt;
}

void ConnectorClient::Cancel() {
  PassFailpoint("connector.cancel");
  MutexLock lock(mutex_);
  cancelled_ = true;
  if (active_ != nullptr) active_->TryCancel();
  if (stream_ != nullptr) stream_->Cancel();
  if (child_ != nullptr) child_->KillAfter(limits_.interrupt);
}

bool ConnectorClient::IsCancelled() {
  MutexLock lock(mutex_);
  return cancelled_;
}

absl::Status ConnectorClient::Call(absl::string_view name, absl::Duration timeout, bool optional,
                                   absl::FunctionRef<grpc::Status(grpc::ClientContext*)> call) {
  if (!failure_.ok()) return failure_;
  if (closed_) return absl::FailedPreconditionError(absl::StrCat(label_, " is closed"));
  grpc::ClientContext context;
  const absl::Time begin = absl::Now();
  context.set_deadline(absl::ToChronoTime(begin + timeout));
  {
    MutexLock lock(mutex_);
    if (cancelled_) return Cancelled();
    active_ = &context;
  }
  const grpc::Status status = call(&context);
  {
    MutexLock lock(mutex_);
    active_ = nullptr;
  }
  if (status.ok()) return absl::OkStatus();
  const bool late =
      status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED && absl::Now() - begin >= timeout;
  if (late) return Fail(Late(absl::StrCat("did not answer ", name), timeout));
  const CallResult result = ResultOfCall(status, context);
  const bool missing = status.error_code() == grpc::StatusCode::UNIMPLEMENTED && !result.verdict;
  if (missing && optional) return absl::OkStatus();
  return Explain(name, status, result);
}

absl::Status ConnectorClient::Explain(absl::string_view during, const grpc::Status& status,
                                      const CallResult& result) {
  if (IsCancelled()) return Fail(Cancelled());
  if (result.verdict) return WithContext(label_, result.status);
  if (IsBroken(status)) {
    if (absl::Status failure = ChildFailure(during, kEndSeen); !failure.ok()) {
      return Fail(failure);
    }
  }
  if (IsBroken(status) || status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    return Fail(ExplainStatus(during, status));
  }
  return WithContext(label_, result.status);  // of a connector whose host sets no mark
}

// How the stream ended without Finished.
absl::Status ConnectorClient::ExplainEnd() {
  if (IsCancelled()) return Cancelled();
  const grpc::Status& status = stream_->status();
  if (!status.ok()) {
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED &&
        timeout_ != absl::InfiniteDuration()) {
      return Late(absl::StrCat("did not end ", streaming_), timeout_);
    }
    absl::Status failure =
        ChildFailure(streaming_, IsBroken(status) ? kEndSeen : absl::ZeroDuration());
    return failure.ok() ? ExplainStatus(streaming_, status) : failure;
  }
  return absl::DataLossError(absl::StrCat(
      label_, ": the connector stopped without saying so (it ended its call without Finished)"));
}

// gRPC's own UNAVAILABLE looks like one of the peer, but then the connection is no more.
bool ConnectorClient::IsBroken(const grpc::Status& status) {
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return false;
  switch (peer_) {
    case Peer::kChild:
      return true;  // its host marks what the plugin says
    case Peer::kAddress:
      return channel_->GetState(false) != GRPC_CHANNEL_READY;
    case Peer::kInProcess:
      return false;
  }
  return false;
}

// The connection may break a moment before the end of the process is seen.
absl::Status ConnectorClient::ChildFailure(absl::string_view during, absl::Duration wait) {
  if (child_ == nullptr) return absl::OkStatus();
  child_->WaitForEnd(wait);
  absl::Status failure = child_->Failure();
  if (failure.ok()) return failure;
  return absl::Status(failure.code(), absl::StrCat(failure.message(), " (during ", during, ")"));
}

absl::Status ConnectorClient::ExplainStatus(absl::string_view during, const grpc::Status& status) {
  const std::string text = StatusText(status.error_message());
  switch (status.error_code()) {
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::UnimplementedError(absl::StrCat(
          label_, ": it does not know ", during,
          " of tidemark.v1.Connector: it is no connector, or made for another version (", text,
          ")"));
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      // gRPC's word for a message over the limit of wire/transport.h.
      return absl::DataLossError(
          absl::StrCat(label_, ": it sent more than is accepted during ", during, ": ", text));
    case grpc::StatusCode::DATA_LOSS:
      return absl::DataLossError(absl::StrCat(label_, ": ", during, " ended: ", text));
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
      return absl::InternalError(absl::StrCat(label_, ": ", during, " failed: ", text));
    default:
      return absl::AbortedError(
          absl::StrCat(label_, ": the connection broke during ", during, ": ",
                       absl::StatusCodeToString(FromGrpcStatus(status).code()), " ", text));
  }
}

absl::Status ConnectorClient::Cancelled() const {
  return AsTransportFailure(absl::CancelledError(absl::StrCat(label_, ": cancelled")));
}

absl::Status ConnectorClient::Late(absl::string_view what, absl::Duration limit) {
  return absl::DeadlineExceededError(
      absl::StrCat(label_, " ", what, " within ", absl::FormatDuration(limit)));
}

absl::Status ConnectorClient::Fail(absl::Status failure) {
  if (!failure_.ok()) return failure_;
  failure_ = AsTransportFailure(std::move(failure));
  // It hangs or talks nonsense: no reason to wait for it. A cancelled one has its time.
  if (child_ != nullptr && failure_.code() != absl::StatusCode::kCancelled) {
    child_->KillAfter(absl::ZeroDuration());
  }
  return failure_;
}

}  // namespace tidemark
