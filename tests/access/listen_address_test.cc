#include "access/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark {
namespace {

using ::testing::HasSubstr;

TEST(ListenAddressTest, IsASocketOrHostAndPort) {
  struct Case {
    std::string text;
    std::string printed;
    bool is_unix;
    bool loopback;
  };
  const Case cases[] = {
      {"unix:/run/tidemark.sock", "unix:/run/tidemark.sock", true, false},
      {"unix:relative.sock", "unix:relative.sock", true, false},
      {"unix:" + std::string(107, 'p'), "unix:" + std::string(107, 'p'), true, false},
      {"127.0.0.1:7600", "127.0.0.1:7600", false, true},
      {"127.8.9.1:1", "127.8.9.1:1", false, true},
      {"localhost:0", "127.0.0.1:0", false, true},
      {"[::1]:65535", "[::1]:65535", false, true},
      {"[0:0:0:0:0:0:0:1]:1", "[0:0:0:0:0:0:0:1]:1", false, true},
      {"[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:1", false, true},
      // Reached from elsewhere, or possibly so.
      {"0.0.0.0:7600", "0.0.0.0:7600", false, false},
      {"[::]:7600", "[::]:7600", false, false},
      {"10.0.0.1:7600", "10.0.0.1:7600", false, false},
      {"128.0.0.1:7600", "128.0.0.1:7600", false, false},
      {"[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.1]:1", false, false},
      {"[::2]:1", "[::2]:1", false, false},
      {"example.org:443", "example.org:443", false, false},
      {"localhost.:1", "localhost.:1", false, false},
      {"localhost.example.org:1", "localhost.example.org:1", false, false},
      {"127.1:1", "127.1:1", false, false},
      {"0:1", "0:1", false, false},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<ListenAddress> parsed = ListenAddress::Parse(c.text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->Text(), c.printed);
    EXPECT_EQ(parsed->is_unix(), c.is_unix) << c.text;
    EXPECT_EQ(parsed->is_loopback(), c.loopback) << c.text;
  }
}

TEST(ListenAddressTest, RefusesWhatIsNone) {
  struct Case {
    std::string text;
    const char* problem;
  };
  const Case cases[] = {
      {"", "there is no port"},
      {"127.0.0.1", "there is no port"},
      {"127.0.0.1:", "the port is no number"},
      {"127.0.0.1:65536", "the port is no number"},
      {"127.0.0.1:-1", "the port is no number"},
      {"127.0.0.1: 1", "the port is no number"},
      {"127.0.0.1:http", "the port is no number"},
      {":7600", "there is no host"},
      {"::1:7600", "an IPv6 address needs brackets"},
      {"[::1:7600", "an IPv6 address needs brackets"},
      {"[127.0.0.1]:7600", "no IPv6 address"},
      {"[fe80::1%eth0]:7600", "no IPv6 address"},
      {"[]:1", "neither an address nor a name"},
      {"a b:1", "neither an address nor a name"},
      {"http://a:1", "needs brackets"},
      {"a/b:1", "neither an address nor a name"},
      {std::string("127.0.0.1\0:1", 12), "holds a zero byte"},
      {"unix:", "there is no path"},
      {"unix:@abstract", "has no permissions"},
      {std::string("unix:\0a", 7), "holds a zero byte"},
      {"unix:" + std::string(108, 'p'), "the path has 108 bytes, at most 107"},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<ListenAddress> parsed = ListenAddress::Parse(c.text);
    EXPECT_TRUE(absl::IsInvalidArgument(parsed.status())) << c.text;
    EXPECT_THAT(parsed.status().message(), HasSubstr(c.problem)) << c.text;
  }
}

TEST(CheckListenTest, OtherMachinesNeedTlsAndTokens) {
  struct Case {
    const char* address;
    ListenProtection protection;
    const char* missing;  // "": allowed
  };
  const Case cases[] = {
      {"unix:/run/t.sock", {}, ""},
      {"127.0.0.1:1", {}, ""},
      {"[::1]:1", {}, ""},
      {"localhost:1", {}, ""},
      {"0.0.0.0:1", {}, "without TLS and tokens"},
      {"0.0.0.0:1", {.tls = true}, "without tokens"},
      {"0.0.0.0:1", {.tokens = true}, "without TLS:"},
      {"0.0.0.0:1", {.tls = true, .tokens = true}, ""},
      {"[::]:1", {}, "without TLS and tokens"},
      {"example.org:1", {.tokens = true}, "without TLS:"},
      {"10.0.0.1:1", {}, "does not listen on 10.0.0.1:1"},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<ListenAddress> address = ListenAddress::Parse(c.address);
    ASSERT_TRUE(address.ok()) << address.status();
    const absl::Status checked = CheckListen(*address, c.protection);
    EXPECT_EQ(checked.ok(), *c.missing == '\0') << c.address << checked;
    if (!checked.ok()) {
      EXPECT_TRUE(absl::IsFailedPrecondition(checked));
      EXPECT_THAT(checked.message(), HasSubstr(c.missing));
    }
  }
}

}  // namespace
}  // namespace tidemark
