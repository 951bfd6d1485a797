#include "service/call_error.h"

#include <google/protobuf/any.pb.h>
#include <grpcpp/support/status.h>

#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "control/exit_code.h"
#include "core/status_context.h"
#include "core/text.h"
#include "google/rpc/error_details.pb.h"
#include "wire/call_status.h"

namespace tidemark {
namespace {

// A payload under such a name is the bytes of the message of that name, as google.protobuf.Any has
// it.
constexpr char kPrefix[] = "type.googleapis.com/";
constexpr char kInfo[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kFields[] = "type.googleapis.com/google.rpc.BadRequest";
constexpr char kDomain[] = "tidemark";
// Peers refuse answers of more than 8 KiB of headers, where a text stands as often as three times
// and each byte of it takes up to three.
constexpr size_t kMaxMessage = 2'000;
constexpr size_t kMaxRepeated = 400;

template <typename Message>
Message PayloadOf(const absl::Status& status, const char* name) {
  Message message;
  if (const auto bytes = status.GetPayload(name); bytes.has_value()) {
    if (!message.ParseFromString(std::string(*bytes))) message.Clear();
  }
  return message;
}

absl::string_view ReasonOfEngine(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      return "SOURCE_REFUSED";
    case absl::StatusCode::kPermissionDenied:
      return ExitCodeOf(status) == ExitCode::kAuthentication ? "SOURCE_REFUSED" : "FILE_REFUSED";
    case absl::StatusCode::kUnimplemented:
      return "NOT_BUILT";
    default:
      return absl::string_view();
  }
}

}  // namespace

absl::Status WithReason(absl::Status status, absl::string_view reason, const ErrorFacts& facts) {
  if (status.ok()) return status;
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kDomain);
  for (const auto& [name, value] : facts) (*info.mutable_metadata())[name] = MessageText(value);
  status.SetPayload(kInfo, absl::Cord(info.SerializeAsString()));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  return PayloadOf<google::rpc::ErrorInfo>(status, kInfo).reason();
}

absl::Status WithField(absl::Status status, absl::string_view field) {
  if (status.ok()) return status;
  auto request = PayloadOf<google::rpc::BadRequest>(status, kFields);
  google::rpc::BadRequest::FieldViolation* violation = request.add_field_violations();
  violation->set_field(std::string(field));
  violation->set_description(StatusText(status.message()));
  status.SetPayload(kFields, absl::Cord(request.SerializeAsString()));
  return status;
}

absl::Status BadField(absl::string_view field, absl::string_view text) {
  return WithField(absl::InvalidArgumentError(absl::StrCat(field, ": ", text)), field);
}

absl::Status EngineError(const absl::Status& status) {
  if (status.ok() || !ReasonOf(status).empty()) return status;
  ErrorFacts facts = {{"code", absl::StatusCodeToString(status.code())},
                      {"exit_code", absl::StrCat(static_cast<int>(ExitCodeOf(status)))}};
  const absl::string_view reason = ReasonOfEngine(status);
  if (reason.empty()) {
    return WithReason(status, absl::StatusCodeToString(status.code()), facts);
  }
  absl::Status refused = absl::FailedPreconditionError(status.message());
  status.ForEachPayload([&refused](absl::string_view name, const absl::Cord& bytes) {
    refused.SetPayload(name, bytes);
  });
  return WithReason(std::move(refused), reason, facts);
}

grpc::Status AnswerStatus(const absl::Status& status, const Redactor* redactor) {
  if (status.ok()) return grpc::Status::OK;
  absl::Status answered = status;
  if (ReasonOf(answered).empty()) {
    answered = WithReason(std::move(answered), absl::StatusCodeToString(status.code()));
  }
  const auto shown = [redactor](absl::string_view text, size_t limit) {
    const std::string hidden = redactor == nullptr ? std::string(text) : redactor->Apply(text);
    return std::string(CutUtf8(StatusText(hidden), limit));
  };
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(shown(status.message(), kMaxRepeated));
  answered.ForEachPayload([&](absl::string_view name, const absl::Cord& bytes) {
    if (!absl::StartsWith(name, kPrefix)) return;
    google::protobuf::Any* detail = details.add_details();
    detail->set_type_url(std::string(name));
    if (name == kFields) {  // descriptions repeat the text
      auto fields = PayloadOf<google::rpc::BadRequest>(answered, kFields);
      for (auto& violation : *fields.mutable_field_violations()) {
        violation.set_description(shown(violation.description(), kMaxRepeated));
      }
      detail->set_value(fields.SerializeAsString());
    } else {
      detail->set_value(std::string(bytes));
    }
  });
  if (const std::optional<absl::Duration> wait = RetryAfter(status)) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(*wait));
    retry.mutable_retry_delay()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(*wait % absl::Seconds(1))));
    details.add_details()->PackFrom(retry);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      shown(status.message(), kMaxMessage), details.SerializeAsString());
}

}  // namespace tidemark
