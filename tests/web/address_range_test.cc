#include "web/address_range.h"

#include "gtest/gtest.h"

namespace tidemark {
namespace {

TEST(AddressRange, OfLiterals) {
  const struct {
    const char* literal;
    AddressRange range;
  } kRows[] = {
      {"8.8.8.8", AddressRange::kPublic},
      {"9.255.255.255", AddressRange::kPublic},
      {"11.0.0.0", AddressRange::kPublic},
      {"172.15.255.255", AddressRange::kPublic},
      {"172.32.0.0", AddressRange::kPublic},
      {"192.167.255.255", AddressRange::kPublic},
      {"100.63.255.255", AddressRange::kPublic},
      {"100.128.0.0", AddressRange::kPublic},
      {"223.255.255.255", AddressRange::kPublic},
      {"10.0.0.0", AddressRange::kPrivate},
      {"10.255.255.255", AddressRange::kPrivate},
      {"172.16.0.0", AddressRange::kPrivate},
      {"172.31.255.255", AddressRange::kPrivate},
      {"192.168.0.1", AddressRange::kPrivate},
      {"100.64.0.1", AddressRange::kPrivate},
      {"127.0.0.1", AddressRange::kLoopback},
      {"127.255.255.255", AddressRange::kLoopback},
      {"169.254.169.254", AddressRange::kLinkLocal},
      {"0.0.0.0", AddressRange::kReserved},
      {"0.1.2.3", AddressRange::kReserved},
      {"192.0.0.1", AddressRange::kReserved},
      {"198.18.0.1", AddressRange::kReserved},
      {"224.0.0.1", AddressRange::kReserved},
      {"240.0.0.1", AddressRange::kReserved},
      {"255.255.255.255", AddressRange::kReserved},
      {"2606:4700::1111", AddressRange::kPublic},
      {"2001:4860:4860::8888", AddressRange::kPublic},
      {"::1", AddressRange::kLoopback},
      {"::", AddressRange::kReserved},
      {"fe80::1", AddressRange::kLinkLocal},
      {"febf::1", AddressRange::kLinkLocal},
      {"fec0::1", AddressRange::kPrivate},
      {"fc00::1", AddressRange::kPrivate},
      {"fd12:3456::1", AddressRange::kPrivate},
      {"ff02::1", AddressRange::kReserved},
      {"2001:db8::1", AddressRange::kReserved},
      {"2001::1", AddressRange::kReserved},  // Teredo
      {"4000::1", AddressRange::kReserved},
      // IPv4 inside of IPv6 is what it holds.
      {"::ffff:127.0.0.1", AddressRange::kLoopback},
      {"::ffff:169.254.169.254", AddressRange::kLinkLocal},
      {"::ffff:8.8.8.8", AddressRange::kPublic},
      {"::10.0.0.1", AddressRange::kPrivate},
      {"64:ff9b::169.254.169.254", AddressRange::kLinkLocal},
      {"64:ff9b::8.8.8.8", AddressRange::kPublic},
      {"2002:7f00:1::", AddressRange::kLoopback},
      {"2002:a9fe:a9fe::1", AddressRange::kLinkLocal},
      // No addresses.
      {"localhost", AddressRange::kReserved},
      {"", AddressRange::kReserved},
      {"127.1", AddressRange::kReserved},
  };
  for (const auto& row : kRows) EXPECT_EQ(RangeOf(row.literal), row.range) << row.literal;
}

TEST(AddressRange, OtherFamiliesAreReserved) {
  sockaddr address{};
  address.sa_family = AF_UNIX;
  EXPECT_EQ(RangeOf(address), AddressRange::kReserved);
}

}  // namespace
}  // namespace tidemark
