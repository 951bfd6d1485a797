// The listeners: sockets, addresses, TLS, limits, health, reflection.
#include "service/grpc_server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <filesystem>

#include "absl/strings/match.h"
#include "tests/access/test_certificates.h"
#include "tests/service/control_fixture.h"

namespace tidemark {
namespace {

using ::testing::HasSubstr;

using test::ControlFixture;
using test::MakeCertificate;
using test::TestCertificate;

class GrpcServerTest : public ControlFixture {
 protected:
  absl::Status StartOn(const std::string& address,
                       std::optional<ListenSettings::Tls> tls = std::nullopt) {
    GrpcServer::Options options;
    options.listen.push_back({address, std::move(tls)});
    options.log = &log_;
    return GrpcServer::Start(std::move(options), {}).status();
  }
  static mode_t ModeOf(const std::string& path) {
    struct stat found = {};
    EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
    return found.st_mode & 0777;
  }
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = absl::StrCat(folder_, "/", name);
    const int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    EXPECT_EQ(::write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(file);
    return path;
  }
  static TestCertificate Certificate(const std::string& name) {
    return MakeCertificate(name, absl::Now() - absl::Hours(1), absl::Now() + absl::Hours(24 * 90));
  }
  ListenSettings::Tls Tls(const TestCertificate& server, const std::string& client_ca = "") {
    return {Write("server.pem", server.certificate), Write("server.key", server.key),
            client_ca.empty() ? "" : Write("clients.pem", client_ca)};
  }
  static std::shared_ptr<grpc::ChannelCredentials> Trusting(const std::string& root,
                                                            const TestCertificate* client) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = root;
    if (client != nullptr) {
      options.pem_cert_chain = client->certificate;
      options.pem_private_key = client->key;
    }
    return grpc::SslCredentials(options);
  }
  grpc::Status GetServer(const std::shared_ptr<grpc::Channel>& channel, const std::string& token) {
    grpc::ClientContext context;
    Prepare(&context, token);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    v1::Server server;
    return v1::Control::NewStub(channel)->GetServer(&context, v1::GetServerRequest(), &server);
  }
  // Of a unary call of another service, with a request of these bytes.
  static grpc::Status CallOther(const std::shared_ptr<grpc::Channel>& channel,
                                const std::string& method, const std::string& request) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    grpc::CompletionQueue queue;
    const grpc::Slice slice(request);
    const auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }
};

TEST_F(GrpcServerTest, TheSocketIsForItsUserAloneAndGoesWithTheServer) {
  Serve();
  EXPECT_EQ(ModeOf(folder_ + "/run/socket"), 0600);
  EXPECT_EQ(ModeOf(folder_ + "/run"), 0700);
  Stop();
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/run/socket"));
}

TEST_F(GrpcServerTest, ASocketThatNobodyAnswersOnIsReplaced) {
  std::filesystem::create_directory(folder_ + "/run");
  ::chmod((folder_ + "/run").c_str(), 0700);
  const int left = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  (folder_ + "/run/socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(left, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::close(left);
  Serve();
  EXPECT_TRUE(GetServer(Channel(socket()), "").ok());
}

TEST_F(GrpcServerTest, ASecondServerOnTheSocketIsRefused) {
  Serve();
  const absl::Status second = StartOn(socket());
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(second.message(), HasSubstr("another server answers there"));
  EXPECT_TRUE(GetServer(Channel(socket()), "").ok());
}

TEST_F(GrpcServerTest, AFileInThePlaceOfTheSocketStays) {
  Write("precious", "data");
  EXPECT_THAT(StartOn(absl::StrCat("unix:", folder_, "/precious")).message(),
              HasSubstr("no socket"));
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/precious"));
}

TEST_F(GrpcServerTest, AFolderThatOthersMayWriteToIsRefused) {
  std::filesystem::create_directory(folder_ + "/open");
  ASSERT_EQ(::chmod((folder_ + "/open").c_str(), 0777), 0);
  EXPECT_THAT(StartOn(absl::StrCat("unix:", folder_, "/open/socket")).message(),
              HasSubstr("others may write"));
}

TEST_F(GrpcServerTest, OtherAddressesNeedTls) {
  for (const char* address : {"0.0.0.0:0", "[::]:0", "10.1.2.3:0"}) {
    const absl::Status status = StartOn(address);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << address;
    EXPECT_THAT(status.message(), HasSubstr("TLS")) << address;
  }
}

TEST_F(GrpcServerTest, APortThatIsTakenIsSaid) {
  Serve();
  EXPECT_THAT(StartOn(tcp_).message(), HasSubstr(absl::StrCat("cannot listen on ", tcp_)));
}

TEST_F(GrpcServerTest, TlsServesWhoTrustsItAndNobodyInPlaintext) {
  const TestCertificate server = Certificate("localhost");
  Serve(Tls(server));
  const std::string token = Token(Role::kViewer);
  EXPECT_TRUE(
      GetServer(Channel(tcp_, Trusting(server.certificate, nullptr), "localhost"), token).ok());
  EXPECT_FALSE(GetServer(Channel(tcp_), token).ok());
  EXPECT_FALSE(
      GetServer(Channel(tcp_, Trusting(Certificate("localhost").certificate, nullptr), "localhost"),
                token)
          .ok());
  EXPECT_FALSE(
      GetServer(Channel(tcp_, Trusting(server.certificate, nullptr), "other.example"), token).ok());
}

TEST_F(GrpcServerTest, AChangedCertificateIsTakenWithoutARestart) {
  const TestCertificate first = Certificate("localhost");
  std::atomic<bool> refused{false};
  log_.SetTap([&refused](LogLevel level, const LogFields&, absl::string_view text) {
    if (level == LogLevel::kError && absl::StrContains(text, "not taken")) refused = true;
  });
  Serve(Tls(first));
  const std::string token = Token(Role::kViewer);
  ASSERT_TRUE(
      GetServer(Channel(tcp_, Trusting(first.certificate, nullptr), "localhost"), token).ok());
  const TestCertificate second = Certificate("localhost");
  Tls(second);
  Await([&] {
    return GetServer(Channel(tcp_, Trusting(second.certificate, nullptr), "localhost"), token).ok();
  });
  // One that does not fit its key is not taken.
  Write("server.pem", Certificate("localhost").certificate);
  Await([&refused] { return refused.load(); });
  EXPECT_TRUE(
      GetServer(Channel(tcp_, Trusting(second.certificate, nullptr), "localhost"), token).ok());
}

TEST_F(GrpcServerTest, WithAClientCaClientsNeedACertificateOfIt) {
  const TestCertificate server = Certificate("localhost");
  const TestCertificate client = Certificate("worker");
  Serve(Tls(server, client.certificate));
  const std::string token = Token(Role::kViewer);
  const TestCertificate stranger = Certificate("worker");
  EXPECT_TRUE(
      GetServer(Channel(tcp_, Trusting(server.certificate, &client), "localhost"), token).ok());
  EXPECT_FALSE(
      GetServer(Channel(tcp_, Trusting(server.certificate, nullptr), "localhost"), token).ok());
  EXPECT_FALSE(
      GetServer(Channel(tcp_, Trusting(server.certificate, &stranger), "localhost"), token).ok());
  // The certificate alone is nobody that the server knows.
  EXPECT_EQ(
      GetServer(Channel(tcp_, Trusting(server.certificate, &client), "localhost"), "").error_code(),
      grpc::UNAUTHENTICATED);
}

TEST_F(GrpcServerTest, LargeAndCompressedRequestsAreRefused) {
  Serve();
  v1::ApplyConnectionRequest request;
  request.set_yaml(std::string(5 << 20, '#'));
  v1::ApplyConnectionResponse response;
  EXPECT_EQ(Call(*admin_, &Stub::ApplyConnection, request, &response).error_code(),
            grpc::RESOURCE_EXHAUSTED);
  request.set_yaml(std::string(1 << 20, '#'));
  grpc::ClientContext context;
  Prepare(&context, "");
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  EXPECT_EQ(admin_->ApplyConnection(&context, request, &response).error_code(),
            grpc::UNIMPLEMENTED);
}

TEST_F(GrpcServerTest, HealthIsToldWithoutAToken) {
  Serve();
  const std::string control = "\x0a\x13tidemark.v1.Control";  // HealthCheckRequest{service: ..}
  EXPECT_TRUE(CallOther(Channel(tcp_), "/grpc.health.v1.Health/Check", "").ok());
  EXPECT_TRUE(CallOther(Channel(tcp_), "/grpc.health.v1.Health/Check", control).ok());
  EXPECT_TRUE(CallOther(Channel(socket()), "/grpc.health.v1.Health/Check", control).ok());
}

TEST_F(GrpcServerTest, ReflectionIsOfferedOnTheUnixSocketAloneAndOnlyWhenAskedFor) {
  const char* const method = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  Serve();
  EXPECT_EQ(CallOther(Channel(socket()), method, "").error_code(), grpc::UNIMPLEMENTED);
  EXPECT_EQ(CallOther(Channel(tcp_), method, "").error_code(), grpc::UNIMPLEMENTED);
  Stop();
  Serve(std::nullopt, true);
  EXPECT_NE(CallOther(Channel(socket()), method, "").error_code(), grpc::UNIMPLEMENTED);
  EXPECT_EQ(CallOther(Channel(tcp_), method, "").error_code(), grpc::UNIMPLEMENTED);
}

TEST_F(GrpcServerTest, ChannelzIsNotServed) {
  Serve();
  EXPECT_EQ(CallOther(Channel(socket()), "/grpc.channelz.v1.Channelz/GetServers", "").error_code(),
            grpc::UNIMPLEMENTED);
}

}  // namespace
}  // namespace tidemark
