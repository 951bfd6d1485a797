#include "access/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/text.h"

namespace tidemark {
namespace {

absl::Status Bad(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "listen address \"", absl::CHexEscape(text.substr(0, 120)), "\": ", what,
      "; write for example unix:/run/tidemark/tidemark.sock, 127.0.0.1:7600 or [::1]:7600"));
}

bool IsLoopback4(const in_addr& address) { return (ntohl(address.s_addr) >> 24) == 127; }

bool IsLoopback6(const in6_addr& address) {
  return IN6_IS_ADDR_LOOPBACK(&address) ||
         (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == 127);
}

bool IsHostName(absl::string_view host) {
  return !host.empty() && host.size() <= 253 && host[0] != '-' && host[0] != '.' &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.';
         });
}

}  // namespace

absl::StatusOr<ListenAddress> ListenAddress::Parse(absl::string_view text) {
  // Whoever reads on as C text would see another address.
  if (HasNul(text)) return Bad(text, "it holds a zero byte");
  ListenAddress address;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    if (rest.empty()) return Bad(text, "there is no path behind \"unix:\"");
    if (rest[0] == '@') {
      return Bad(text, "an abstract socket has no permissions that would protect it");
    }
    if (rest.size() >= sizeof(sockaddr_un::sun_path)) {
      return Bad(text, absl::StrCat("the path has ", rest.size(), " bytes, at most ",
                                    sizeof(sockaddr_un::sun_path) - 1));
    }
    address.path_ = std::string(rest);
    return address;
  }
  const size_t colon = rest.rfind(':');
  if (colon == absl::string_view::npos) return Bad(text, "there is no port");
  absl::string_view host = rest.substr(0, colon);
  const absl::string_view port = rest.substr(colon + 1);
  uint32_t number = 0;
  const bool digits =
      !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), [](char c) {
        return absl::ascii_isdigit(static_cast<unsigned char>(c));
      });
  if (!digits || !absl::SimpleAtoi(port, &number) || number > 65535) {
    return Bad(text, "the port is no number from 0 to 65535");
  }
  address.port_ = static_cast<uint16_t>(number);
  if (host == "localhost") host = "127.0.0.1";
  in_addr ipv4;
  in6_addr ipv6;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  address.host_ = std::string(bracketed ? host.substr(1, host.size() - 2) : host);
  if (bracketed) {
    if (inet_pton(AF_INET6, address.host_.c_str(), &ipv6) != 1) {
      return Bad(text, "between the brackets stands no IPv6 address");
    }
    address.loopback_ = IsLoopback6(ipv6);
  } else if (host.find(':') != absl::string_view::npos) {
    return Bad(text, "an IPv6 address needs brackets");
  } else if (inet_pton(AF_INET, address.host_.c_str(), &ipv4) == 1) {
    address.loopback_ = IsLoopback4(ipv4);
  } else if (!IsHostName(host)) {
    return Bad(text, host.empty() ? "there is no host; for every address of the machine write "
                                    "0.0.0.0 or [::], with TLS and tokens"
                                  : "the host is neither an address nor a name");
  }
  return address;
}

std::string ListenAddress::Text() const {
  if (is_unix()) return absl::StrCat("unix:", path_);
  if (host_.find(':') != std::string::npos) return absl::StrCat("[", host_, "]:", port_);
  return absl::StrCat(host_, ":", port_);
}

absl::Status CheckListen(const ListenAddress& address, const ListenProtection& protection) {
  if (address.is_unix() || address.is_loopback()) return absl::OkStatus();
  if (protection.tls && protection.tokens) return absl::OkStatus();
  const absl::string_view missing = protection.tls      ? "tokens"
                                    : protection.tokens ? "TLS"
                                                        : "TLS and tokens";
  return absl::FailedPreconditionError(
      absl::StrCat("the server does not listen on ", address.Text(), " without ", missing,
                   ": other machines reach it there; configure ", missing,
                   ", or listen on a unix socket or a loopback address"));
}

}  // namespace tidemark
