#include "wire/call_status.h"

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/status_context.h"
#include "core/text.h"

namespace tidemark {
namespace {

constexpr char kVerdictTrailer[] = "tidemark-verdict";
constexpr char kRetryAfterTrailer[] = "tidemark-retry-after-us";

std::optional<absl::string_view> Trailer(const grpc::ClientContext& context, const char* name) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(name);
  if (found == trailers.end()) return std::nullopt;
  return absl::string_view(found->second.data(), found->second.size());
}

// Bytes of the character at `p`, 1..4, or 0 where there is no UTF-8 character.
size_t CharacterBytes(const char* p, size_t left) {
  const auto lead = static_cast<uint8_t>(*p);
  const size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return bytes <= left && IsUtf8(absl::string_view(p, bytes)) ? bytes : 0;
}

}  // namespace

std::string MessageText(absl::string_view text) {
  if (IsUtf8(text)) return std::string(text);
  std::string clean;
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = CharacterBytes(text.data() + i, text.size() - i);
    if (bytes == 0) {
      clean.append("\xef\xbf\xbd");  // U+FFFD
      ++i;
    } else {
      clean.append(text.data() + i, bytes);
      i += bytes;
    }
  }
  return clean;
}

std::string StatusText(absl::string_view text) {
  std::string clean(CutUtf8(MessageText(text.substr(0, kMaxStatusBytes + 4)), kMaxStatusBytes));
  for (char& c : clean) {
    const auto byte = static_cast<uint8_t>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) c = ' ';
  }
  return clean;
}

absl::StatusCode CodeFromNumber(int32_t code) {
  return code >= 0 && code <= 16 ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown;
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), StatusText(status.message()));
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(CodeFromNumber(static_cast<int32_t>(status.error_code())),
                      StatusText(status.error_message()));
}

grpc::Status AnswerCall(const absl::Status& status, grpc::ServerContext* context) {
  if (status.ok()) return grpc::Status::OK;
  context->AddTrailingMetadata(kVerdictTrailer, "1");
  if (const std::optional<absl::Duration> wait = RetryAfter(status)) {
    context->AddTrailingMetadata(kRetryAfterTrailer,
                                 absl::StrCat(absl::ToInt64Microseconds(*wait)));
  }
  return ToGrpcStatus(status);
}

CallResult ResultOfCall(const grpc::Status& status, const grpc::ClientContext& context) {
  CallResult result{FromGrpcStatus(status), status.ok()};
  if (status.ok()) return result;
  result.verdict = Trailer(context, kVerdictTrailer).has_value();
  int64_t wait_us = 0;
  if (const std::optional<absl::string_view> text = Trailer(context, kRetryAfterTrailer);
      text.has_value() && absl::SimpleAtoi(*text, &wait_us) && wait_us > 0) {
    result.status = WithRetryAfter(result.status, absl::Microseconds(wait_us));
  }
  return result;
}

}  // namespace tidemark
