#include "tests/service/push_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace tidemark::test {
namespace {

bool MayHelp(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return true;
    default:
      return false;
  }
}

absl::Status ErrorOf(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      absl::StrCat(Reason(status), ": ", status.error_message()));
}

}  // namespace

absl::Status PushClient::Define(v1::PushRequest table) {
  tables_.push_back(std::move(table));
  if (stream_ == nullptr) return Recover();
  return stream_->Send(tables_.back()) ? absl::OkStatus() : Recover();
}

absl::Status PushClient::Push(v1::PushRequest request) {
  if (stream_ == nullptr) {
    if (absl::Status status = Recover(); !status.ok()) return status;
  }
  DropAcknowledged(stream_->acknowledged());
  while (kept_.size() >= options_.window) {
    if (!stream_->AwaitAcknowledged(kept_.front().sequence())) {
      if (absl::Status status = Recover(); !status.ok()) return status;
    }
    DropAcknowledged(stream_->acknowledged());
  }
  request.set_sequence(++last_);
  kept_.push_back(std::move(request));
  return stream_->Send(kept_.back()) ? absl::OkStatus() : Recover();
}

absl::Status PushClient::Finish() {
  if (stream_ == nullptr) {
    if (absl::Status status = Recover(); !status.ok()) return status;
  }
  while (true) {
    stream_->HalfClose();
    const grpc::Status status = stream_->AwaitEnd();
    DropAcknowledged(stream_->acknowledged());
    if (status.ok()) {
      stream_ = nullptr;
      return kept_.empty() ? absl::OkStatus()
                           : absl::DataLossError(absl::StrCat(
                                 kept_.size(), " messages are not durable after the end"));
    }
    if (!MayHelp(status)) return ErrorOf(status);
    if (absl::Status recovered = Recover(); !recovered.ok()) return recovered;
  }
}

void PushClient::DropAcknowledged(uint64_t sequence) {
  while (!kept_.empty() && kept_.front().sequence() <= sequence) kept_.pop_front();
}

absl::Status PushClient::Connect() {
  if (channel_ == nullptr) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("grpc.max_reconnect_backoff_ms", 200);
    arguments.SetInt("grpc.initial_reconnect_backoff_ms", 50);
    arguments.SetInt("grpc.min_reconnect_backoff_ms", 50);
    channel_ =
        grpc::CreateCustomChannel(options_.address, grpc::InsecureChannelCredentials(), arguments);
  }
  ++streams_;
  stream_ = std::make_unique<PushConnection>(channel_, options_.token);
  stream_->SendStart(options_.connection, options_.producer, options_.mode);
  const std::optional<v1::Started> started = stream_->AwaitStarted();
  if (!started.has_value()) {
    const grpc::Status status = stream_->AwaitEnd();
    return MayHelp(status) ? absl::UnavailableError(status.error_message()) : ErrorOf(status);
  }
  const uint64_t durable = started->durable_sequence();
  if (!known_) last_ = durable;
  known_ = true;
  DropAcknowledged(durable);
  if (!kept_.empty() && kept_.front().sequence() != durable + 1) {
    return absl::DataLossError(
        absl::StrCat("the server is at ", durable, ", kept is ", kept_.front().sequence()));
  }
  for (const v1::PushRequest& table : tables_) {
    if (!stream_->Send(table)) return absl::UnavailableError("cut");
  }
  for (const v1::PushRequest& request : kept_) {
    if (!stream_->Send(request)) return absl::UnavailableError("cut");
  }
  return absl::OkStatus();
}

absl::Status PushClient::Recover() {
  const absl::Time until = absl::Now() + options_.patience;
  while (true) {
    if (stream_ != nullptr) {
      const grpc::Status status = stream_->AwaitEnd();
      DropAcknowledged(stream_->acknowledged());
      if (!status.ok() && !MayHelp(status)) return ErrorOf(status);
    }
    const absl::Status connected = Connect();
    if (connected.ok()) return connected;
    if (!absl::IsUnavailable(connected) || absl::Now() > until) return connected;
    channel_->WaitForConnected(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  }
}

}  // namespace tidemark::test
