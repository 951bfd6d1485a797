#include "source/connector_address.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark {
namespace {

struct Case {
  std::string address;
  std::string target;  // empty: refused
};

TEST(ConnectorAddressTest, OnlyThisMachineWithoutTls) {
  const Case cases[] = {
      {"unix:/run/c.sock", "unix:/run/c.sock"},
      {"unix:relative.sock", "unix:relative.sock"},
      {"unix:", ""},
      {"unix:" + std::string(108, 'p'), ""},
      {"grpc://127.0.0.1:5001", "ipv4:127.0.0.1:5001"},
      {"grpc://127.8.9.10:1", "ipv4:127.8.9.10:1"},
      {"grpc://localhost:65535", "ipv4:127.0.0.1:65535"},
      {"grpc://[::1]:5001", "ipv6:[::1]:5001"},
      {"grpc://10.0.0.1:5001", ""},
      {"grpc://0.0.0.0:5001", ""},
      {"grpc://[::]:5001", ""},
      {"grpc://[2001:db8::1]:5001", ""},
      {"grpc://example.com:5001", ""},
      {"grpc://localhost.example.com:5001", ""},
      {"grpc://127.0.0.1.example.com:5001", ""},
      {"grpc://127.0.0.1", ""},
      {"grpc://127.0.0.1:", ""},
      {"grpc://127.0.0.1:0", ""},
      {"grpc://127.0.0.1:65536", ""},
      {"grpc://127.0.0.1:+1", ""},
      {"grpc://127.0.0.1: 1", ""},
      {"http://127.0.0.1:5001", ""},
      {"127.0.0.1:5001", ""},
      {"", ""},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<std::string> target = GrpcTarget(c.address);
    if (c.target.empty()) {
      EXPECT_EQ(target.status().code(), absl::StatusCode::kInvalidArgument) << c.address;
    } else {
      ASSERT_TRUE(target.ok()) << c.address << ": " << target.status();
      EXPECT_EQ(*target, c.target);
    }
  }
}

}  // namespace
}  // namespace tidemark
