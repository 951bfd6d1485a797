#include "remote_server.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "control/exit_code.h"
#include "control/references.h"
#include "google/rpc/error_details.pb.h"

namespace tidemark {
namespace {

constexpr size_t kMaxFile = 1024 * 1024;
constexpr int kMaxAnswerBytes = 64 * 1024 * 1024;
constexpr int kMetadataBytes = 32 * 1024;

// Only programs of this machine answer there.
bool IsLocal(absl::string_view address) {
  return absl::StartsWith(address, "unix:") || absl::StartsWith(address, "127.") ||
         absl::StartsWith(address, "localhost:") || absl::StartsWith(address, "[::1]:");
}

absl::StatusOr<std::string> TokenOf(const ServerOptions& options) {
  if (options.token_file.empty()) {
    const char* token = std::getenv("TIDEMARK_TOKEN");
    return std::string(token == nullptr ? "" : token);
  }
  absl::StatusOr<std::string> text = ReadTextFile(options.token_file, kMaxFile);
  if (!text.ok()) return AsUsage(text.status());
  return std::string(absl::StripAsciiWhitespace(*text));
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> CredentialsOf(
    const ServerOptions& options) {
  const bool tls = !options.ca.empty() || !options.certificate.empty() ||
                   (!IsLocal(options.address) && !options.plaintext);
  if (!tls) return grpc::InsecureChannelCredentials();
  if (options.certificate.empty() != options.key.empty()) {
    return AsUsage(absl::InvalidArgumentError("give --client-certificate and --client-key both"));
  }
  grpc::SslCredentialsOptions tls_options;
  const std::pair<const std::string*, std::string*> files[] = {
      {&options.ca, &tls_options.pem_root_certs},
      {&options.certificate, &tls_options.pem_cert_chain},
      {&options.key, &tls_options.pem_private_key}};
  for (const auto& [path, text] : files) {
    if (path->empty()) continue;
    absl::StatusOr<std::string> read = ReadTextFile(*path, kMaxFile);
    if (!read.ok()) return AsUsage(read.status());
    *text = *std::move(read);
  }
  return grpc::SslCredentials(tls_options);
}

google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details())) return info;
  for (const google::protobuf::Any& detail : details.details()) {
    if (detail.UnpackTo(&info)) return info;
  }
  info.Clear();
  return info;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RemoteServer>> RemoteServer::Open(const ServerOptions& options) {
  auto server = std::unique_ptr<RemoteServer>(new RemoteServer);
  server->address_ = options.address;
  absl::StatusOr<std::string> token = TokenOf(options);
  if (!token.ok()) return token.status();
  server->token_ = *std::move(token);
  absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials = CredentialsOf(options);
  if (!credentials.ok()) return credentials.status();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // Bit 0 is "identity": an answer that is compressed is refused before it is opened.
  arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);
  server->stub_ =
      v1::Control::NewStub(grpc::CreateCustomChannel(options.address, *credentials, arguments));
  return server;
}

void RemoteServer::Prepare(grpc::ClientContext* context, absl::Duration timeout) const {
  if (!token_.empty()) context->AddMetadata("authorization", absl::StrCat("Bearer ", token_));
  if (timeout != absl::InfiniteDuration()) {
    context->set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
  }
}

absl::Status RemoteServer::StatusOf(const grpc::Status& status) const {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  std::string text = status.error_message();
  const google::rpc::ErrorInfo info = InfoOf(status);
  if (info.domain() != "tidemark") {  // not the server's word, but the way there
    text = absl::StrCat("server ", address_, ": ", text);
  }
  const auto exit_code = info.metadata().find("exit_code");
  int number = -1;
  if (exit_code != info.metadata().end() && absl::SimpleAtoi(exit_code->second, &number)) {
    switch (static_cast<ExitCode>(number)) {
      case ExitCode::kUsage:
        return AsUsage(absl::Status(code, text));
      case ExitCode::kAuthentication:
        return absl::UnauthenticatedError(text);
      default:
        return AsLocal(absl::Status(code, text));
    }
  }
  if (code == absl::StatusCode::kInvalidArgument) return AsUsage(absl::Status(code, text));
  return absl::Status(code, text);
}

std::string ErrorFact(const grpc::Status& status, const std::string& name) {
  const google::rpc::ErrorInfo info = InfoOf(status);
  if (name.empty()) return info.reason();
  const auto found = info.metadata().find(name);
  return found == info.metadata().end() ? "" : found->second;
}

}  // namespace tidemark
