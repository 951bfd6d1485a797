#include "source/connector_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tidemark {
namespace {

absl::Status Wrong(absl::string_view address, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("address ", address, ": ", why, "; write unix:PATH or grpc://127.0.0.1:PORT"));
}

// "ipv4:127.0.0.1" or "ipv6:[::1]"; empty for anything but this machine.
std::string Loopback(absl::string_view host) {
  if (host == "localhost") return "ipv4:127.0.0.1";
  in_addr v4;
  if (inet_pton(AF_INET, std::string(host).c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127 ? absl::StrCat("ipv4:", host) : "";
  }
  if (!absl::ConsumePrefix(&host, "[") || !absl::ConsumeSuffix(&host, "]")) return "";
  in6_addr v6;
  if (inet_pton(AF_INET6, std::string(host).c_str(), &v6) != 1) return "";
  return IN6_IS_ADDR_LOOPBACK(&v6) ? absl::StrCat("ipv6:[", host, "]") : "";
}

}  // namespace

absl::StatusOr<std::string> GrpcTarget(absl::string_view address) {
  absl::string_view rest = address;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    if (rest.empty()) return Wrong(address, "there is no path");
    if (rest.size() >= sizeof(sockaddr_un::sun_path)) {
      return Wrong(address, absl::StrCat("the path has ", rest.size(),
                                         " bytes, a socket's path has at most ",
                                         sizeof(sockaddr_un::sun_path) - 1));
    }
    return absl::StrCat("unix:", rest);
  }
  if (!absl::ConsumePrefix(&rest, "grpc://")) return Wrong(address, "unknown kind of address");
  const size_t colon = rest.rfind(':');
  if (colon == absl::string_view::npos) return Wrong(address, "there is no port");
  uint32_t port = 0;
  const absl::string_view port_text = rest.substr(colon + 1);
  if (port_text.find_first_not_of("0123456789") != absl::string_view::npos ||
      !absl::SimpleAtoi(port_text, &port) || port == 0 || port > 65'535) {
    return Wrong(address, "the port is not a number of 1 to 65535");
  }
  const std::string host = Loopback(rest.substr(0, colon));
  if (host.empty()) {
    return Wrong(address, "without TLS only this machine (127.0.0.1, [::1]) is accepted");
  }
  return absl::StrCat(host, ":", port);
}

}  // namespace tidemark
