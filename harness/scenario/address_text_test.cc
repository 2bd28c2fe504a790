#include "harness/scenario/address_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace netrig {
namespace {

// "tcp6 host=server ip=::1 port=80 path=..." with what is set, or the error.
std::string shape(std::string_view text) {
  auto address = parse_address(text);
  if (!address) return "error: " + address.error().message;
  std::string shape = std::string(transport_name(address->transport)) + (address->v6 ? " v6" : "");
  if (!address->host.empty()) shape += " host=" + address->host;
  if (address->ip) shape += " ip=" + address->ip->to_string();
  if (address->port) shape += fmt::format(" port={}", *address->port);
  if (address->abstract) shape += " abstract";
  for (const Template::Segment& segment : address->path.segments) {
    shape +=
        segment.variable.empty() ? " [" + segment.literal + "]" : " <" + segment.variable + ">";
  }
  return shape;
}

TEST(AddressText, ReadsEveryForm) {
  EXPECT_EQ(shape("tcp"), "tcp");
  EXPECT_EQ(shape("udp6"), "udp v6");
  EXPECT_EQ(shape("tcp://:8080"), "tcp port=8080");
  EXPECT_EQ(shape("tcp6://:80"), "tcp v6 port=80");
  EXPECT_EQ(shape("udp://server:53"), "udp host=server port=53");
  EXPECT_EQ(shape("udp://10.0.0.1:0"), "udp ip=10.0.0.1 port=0");
  EXPECT_EQ(shape("tcp://[::1]:80"), "tcp v6 ip=::1 port=80");
  EXPECT_EQ(shape("tcp://[::1]"), "tcp v6 ip=::1");
  EXPECT_EQ(shape("tcp://server"), "tcp host=server");
  EXPECT_EQ(shape("unix:a/b.sock"), "unix [a/b.sock]");
  EXPECT_EQ(shape("unix:///run/x"), "unix [/run/x]");
  EXPECT_EQ(shape("unix:@name"), "unix abstract [name]");
  EXPECT_EQ(shape("unix://${tmp}/x"), "unix <tmp> [/x]");
  EXPECT_EQ(shape("unix_seqpacket:${tmp}/${i}.sock"), "unix_seqpacket <tmp> [/] <i> [.sock]");
}

TEST(AddressText, RefusesPortsThatDoNotExist) {
  EXPECT_EQ(shape("tcp://:65536"), "error: port 65536 is out of range");
  EXPECT_EQ(shape("tcp://:-1"), "error: port -1 is out of range");
  EXPECT_EQ(shape("tcp://:http"), "error: 'http' is not a port");
  EXPECT_EQ(shape("tcp://server:"), "error: '' is not a port");
  EXPECT_EQ(shape("tcp://server:80/"), "error: '80/' is not a port");
  EXPECT_EQ(shape("tcp://:99999999999999999999"), "error: '99999999999999999999' is not a port");
}

TEST(AddressText, RefusesMalformedHosts) {
  EXPECT_EQ(shape("tcp://::1:80"), "error: '::1' is not an IPv6 address in brackets");
  EXPECT_EQ(shape("tcp://[10.0.0.1]:80"), "error: '10.0.0.1' is not an IPv6 address");
  EXPECT_EQ(shape("tcp://[]:80"), "error: '' is not an IPv6 address");
  EXPECT_EQ(shape("tcp://[::1"), "error: '[' is never closed");
  EXPECT_EQ(shape("tcp://[::1]80"), "error: after ']' comes ':' and a port, not '80'");
  EXPECT_EQ(shape("tcp://a b:80"), "error: 'a b' is neither an IP address nor a host's name");
  EXPECT_EQ(shape("udp6://10.0.0.1:80"),
            "error: '10.0.0.1' is an IPv4 address, and udp6 is asked for");
  EXPECT_EQ(shape("tcp:80"), "error: 'tcp:' goes on with '//'");
  EXPECT_EQ(shape("tcp://${server.address}:80"),
            "error: only the path of a Unix socket can hold a variable of the run");
}

TEST(AddressText, NamesTheNearestTransport) {
  auto address = parse_address("upd://:53");
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().message, "unknown transport 'upd'");
  EXPECT_EQ(address.error().hint, "did you mean 'udp'?");
}

TEST(AddressText, RefusesPathsThatNoSocketCanHave) {
  EXPECT_EQ(shape("unix:"), "error: the path is empty");
  EXPECT_EQ(shape("unix:@"), "error: the path is empty");
  EXPECT_EQ(shape("unix://run/x"), "error: after 'unix://' comes a path from the root");
  EXPECT_EQ(shape(std::string("unix:a\0b", 8)), "error: a path cannot hold a NUL");
  EXPECT_NE(shape("unix:" + std::string(107, 'a')).find("unix ["), std::string::npos);
  EXPECT_EQ(shape("unix:" + std::string(108, 'a')),
            "error: the path has 108 octets, a Unix socket takes 107");
}

}  // namespace
}  // namespace netrig
