// Which part of the address space an address belongs to, so that a webhook cannot be pointed at
// machines that only this one reaches (metadata services, databases, this machine itself).
#ifndef TIDEMARK_WEB_ADDRESS_RANGE_H_
#define TIDEMARK_WEB_ADDRESS_RANGE_H_

#include <sys/socket.h>

#include "absl/strings/string_view.h"

namespace tidemark {

enum class AddressRange {
  kPublic,
  kPrivate,    // RFC 1918, RFC 6598 (100.64/10), unique local IPv6
  kLinkLocal,  // 169.254/16 (where clouds answer with credentials), fe80::/10
  kLoopback,
  kReserved,  // unspecified, multicast, documentation, benchmarks, future use; no IP at all
};

// IPv4 addresses inside of IPv6 ones (mapped, compatible, NAT64, 6to4, Teredo) count as what they
// hold, or as reserved.
AddressRange RangeOf(const sockaddr& address);
// Of a literal ("10.0.0.1", "fe80::1"); kReserved for other texts.
AddressRange RangeOf(absl::string_view literal);

absl::string_view AddressRangeName(AddressRange range);  // "private", "link_local", ...

}  // namespace tidemark

#endif  // TIDEMARK_WEB_ADDRESS_RANGE_H_
