#include "web/address_range.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace tidemark {
namespace {

struct V4Range {
  uint8_t first, second, third, fourth;
  int bits;
  AddressRange range;
};
// The special-purpose registry (RFC 6890 and its updates).
constexpr V4Range kV4[] = {
    {0, 0, 0, 0, 8, AddressRange::kReserved},       {10, 0, 0, 0, 8, AddressRange::kPrivate},
    {100, 64, 0, 0, 10, AddressRange::kPrivate},    {127, 0, 0, 0, 8, AddressRange::kLoopback},
    {169, 254, 0, 0, 16, AddressRange::kLinkLocal}, {172, 16, 0, 0, 12, AddressRange::kPrivate},
    {192, 0, 0, 0, 24, AddressRange::kReserved},    {192, 0, 2, 0, 24, AddressRange::kReserved},
    {192, 88, 99, 0, 24, AddressRange::kReserved},  {192, 168, 0, 0, 16, AddressRange::kPrivate},
    {198, 18, 0, 0, 15, AddressRange::kReserved},   {198, 51, 100, 0, 24, AddressRange::kReserved},
    {203, 0, 113, 0, 24, AddressRange::kReserved},  {224, 0, 0, 0, 3, AddressRange::kReserved},
};

AddressRange OfV4(const uint8_t* bytes) {
  const auto number = [](uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    return a << 24 | b << 16 | c << 8 | d;
  };
  const uint32_t address = number(bytes[0], bytes[1], bytes[2], bytes[3]);
  for (const V4Range& row : kV4) {
    const uint32_t network = number(row.first, row.second, row.third, row.fourth);
    if (((address ^ network) >> (32 - row.bits)) == 0) return row.range;
  }
  return AddressRange::kPublic;
}

bool StartsWith(const uint8_t* bytes, std::initializer_list<uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes);
}

AddressRange OfV6(const uint8_t* bytes) {
  constexpr std::array<uint8_t, 15> kZeros{};
  if (std::equal(kZeros.begin(), kZeros.end(), bytes)) {
    return bytes[15] == 1 ? AddressRange::kLoopback : AddressRange::kReserved;
  }
  // ::ffff:0:0/96 mapped, ::/96 compatible, 64:ff9b::/96 NAT64, 2002::/16 6to4.
  if (std::equal(kZeros.begin(), kZeros.begin() + 10, bytes) &&
      (StartsWith(bytes + 10, {0xff, 0xff}) || StartsWith(bytes + 10, {0, 0}))) {
    return OfV4(bytes + 12);
  }
  if (StartsWith(bytes, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return OfV4(bytes + 12);
  if (StartsWith(bytes, {0x20, 0x02})) return OfV4(bytes + 2);
  if ((bytes[0] & 0xfe) == 0xfc) return AddressRange::kPrivate;
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) return AddressRange::kLinkLocal;
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0xc0) return AddressRange::kPrivate;  // site-local
  if (StartsWith(bytes, {0x20, 0x01, 0x0d, 0xb8})) return AddressRange::kReserved;
  if (StartsWith(bytes, {0x20, 0x01}) && bytes[2] < 2)
    return AddressRange::kReserved;  // Teredo, ..
  // Only 2000::/3 is given out for global unicast.
  return (bytes[0] & 0xe0) == 0x20 ? AddressRange::kPublic : AddressRange::kReserved;
}

}  // namespace

AddressRange RangeOf(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof(v4));
    uint8_t bytes[4];
    std::memcpy(bytes, &v4.sin_addr, sizeof(bytes));
    return OfV4(bytes);
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof(v6));
    return OfV6(v6.sin6_addr.s6_addr);
  }
  return AddressRange::kReserved;
}

AddressRange RangeOf(absl::string_view literal) {
  const std::string text(literal);
  uint8_t bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) return OfV4(bytes);
  if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) return OfV6(bytes);
  return AddressRange::kReserved;
}

absl::string_view AddressRangeName(AddressRange range) {
  switch (range) {
    case AddressRange::kPublic:
      return "public";
    case AddressRange::kPrivate:
      return "private";
    case AddressRange::kLinkLocal:
      return "link_local";
    case AddressRange::kLoopback:
      return "loopback";
    case AddressRange::kReserved:
      return "reserved";
  }
  return "reserved";
}

}  // namespace tidemark
