#include "harness/net/mapped_address.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}

TEST(MappedAddress, IsTheIpv4AddressBehindTheMappedPrefix) {
  EXPECT_EQ(mapped(address("192.0.2.1")), address("::ffff:192.0.2.1"));
  EXPECT_TRUE(is_mapped(address("::ffff:0.0.0.0")));
  EXPECT_EQ(unmapped(address("::ffff:192.0.2.1")), address("192.0.2.1"));
}

TEST(MappedAddress, LeavesEveryOtherAddressAsItIs) {
  // IPv4-compatible addresses (RFC 4291 2.5.5.1) and NAT64's are not mapped ones.
  for (const auto* text : {"192.0.2.1", "::192.0.2.1", "64:ff9b::192.0.2.1", "::1",
                           "::", "1::ffff:192.0.2.1", "::fffe:192.0.2.1"}) {
    EXPECT_FALSE(is_mapped(address(text))) << text;
    EXPECT_EQ(unmapped(address(text)), address(text)) << text;
  }
}

TEST(MappedAddress, KeepsPortsAndUnixPaths) {
  EXPECT_EQ(unmapped(Endpoint(address("::ffff:10.0.0.1"), 80)), Endpoint(address("10.0.0.1"), 80));
  EXPECT_EQ(unmapped(Endpoint::unix_path("/run/app.sock")), Endpoint::unix_path("/run/app.sock"));
}

}  // namespace
}  // namespace netrig
