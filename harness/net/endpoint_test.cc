#include "harness/net/endpoint.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

using std::string_literals::operator""s;

std::string respelled(std::string_view text) {
  return IpAddress::parse(text).value().to_string();
}

TEST(IpAddress, PrintsIpv6AsRfc5952Asks) {
  EXPECT_EQ(respelled("2001:0db8:0000:0000:0000:0000:0002:0001"), "2001:db8::2:1");
  EXPECT_EQ(respelled("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");  // one group: no ::
  EXPECT_EQ(respelled("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");           // the longest run
  EXPECT_EQ(respelled("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");     // the first of equals
  EXPECT_EQ(respelled("2001:DB8::AAAA"), "2001:db8::aaaa");
  EXPECT_EQ(respelled("::FFFF:192.0.2.1"), "::ffff:192.0.2.1");
  EXPECT_EQ(respelled("0:0:0:0:0:0:0:0"), "::");
  EXPECT_EQ(respelled("0:0:0:0:0:0:0:1"), "::1");
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (std::string_view text : {"", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.4 ",
                                "localhost", ":::", "1::2::3", "fe80::1%lo", "[::1]", "12345::"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse("127.0.0.1\0x"s));
  EXPECT_FALSE(IpAddress::parse(std::string(100'000, '1')));
}

TEST(IpAddress, KnowsLoopbackAndUnspecifiedOfBothFamilies) {
  EXPECT_TRUE(IpAddress::parse("127.255.0.9")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("128.0.0.1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("7f00::")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("0.0.0.0")->is_unspecified());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
  EXPECT_NE(*IpAddress::parse("0.0.0.0"), *IpAddress::parse("::"));
}

TEST(IpAddress, CountsHostOrderFromTheLeft) {
  EXPECT_EQ(IpAddress::v4(10, 1, 2, 3).v4_host_order(), 0x0a010203u);
  EXPECT_EQ(IpAddress::v4(0x0a010203), IpAddress::v4(10, 1, 2, 3));
}

TEST(Transport, HasTheNamesOfTheScenarioFormat) {
  for (Transport transport : {Transport::kTcp, Transport::kUdp, Transport::kUnixStream,
                              Transport::kUnixDgram, Transport::kUnixSeqpacket}) {
    EXPECT_EQ(transport_from_name(transport_name(transport)), transport);
  }
  EXPECT_EQ(transport_name(Transport::kUnixStream), "unix");
  EXPECT_FALSE(transport_from_name("TCP"));
}

TEST(Transport, KnowsBoundariesAndConnections) {
  EXPECT_TRUE(keeps_boundaries(Transport::kUdp) && !has_connections(Transport::kUdp));
  EXPECT_TRUE(!keeps_boundaries(Transport::kUnixStream) && has_connections(Transport::kTcp));
  EXPECT_TRUE(keeps_boundaries(Transport::kUnixSeqpacket) &&
              has_connections(Transport::kUnixSeqpacket));
  EXPECT_TRUE(is_unix(Transport::kUnixDgram) && !is_unix(Transport::kUdp));
}

TEST(Endpoint, ReadsBackWhatItPrints) {
  const std::pair<Endpoint, std::string> examples[] = {
      {Endpoint(IpAddress::v4(10, 0, 0, 1), 80), "10.0.0.1:80"},
      {Endpoint(*IpAddress::parse("::1"), 65535), "[::1]:65535"},
      {Endpoint(), "0.0.0.0:0"},
      {Endpoint::unix_path("/run/app.sock"), "unix:/run/app.sock"},
      {Endpoint::unix_abstract("name"), "unix:@name"},
      {Endpoint::unix_unnamed(), "unix:"}};
  for (const auto& [endpoint, text] : examples) {
    EXPECT_EQ(endpoint.to_string(), text);
    EXPECT_EQ(Endpoint::parse(text), endpoint) << text;
  }
}

TEST(Endpoint, TellsAnAbstractNameFromAFileThatStartsWithAt) {
  EXPECT_EQ(Endpoint::unix_abstract("x").path(), "\0x"s);
  EXPECT_TRUE(Endpoint::unix_abstract("x").is_abstract());
  EXPECT_FALSE(Endpoint::unix_unnamed().is_abstract());
  EXPECT_EQ(Endpoint::unix_path("@x").to_string(), "unix:./@x");
}

TEST(Endpoint, ExplainsWhatItCannotRead) {
  EXPECT_EQ(Endpoint::parse("10.0.0.1:65536").error(), "port 65536 is not in 0..65535");
  EXPECT_EQ(Endpoint::parse("10.0.0.1:-1").error(), "port -1 is not in 0..65535");
  EXPECT_EQ(Endpoint::parse("10.0.0.1:http").error(), "as a port, 'http' is not an integer");
  EXPECT_EQ(Endpoint::parse("10.0.0.1:").error(), "no port follows the colon");
  EXPECT_EQ(Endpoint::parse("10.0.0.1").error(),
            "no port in \"10.0.0.1\", as in 10.0.0.1:80 or [::1]:80");
  EXPECT_EQ(Endpoint::parse("[::1]").error(),
            "no port in \"[::1]\", as in 10.0.0.1:80 or [::1]:80");
  EXPECT_EQ(Endpoint::parse("[::1:80").error(), "no ] closes the [ in \"[::1:80\"");
  EXPECT_EQ(Endpoint::parse("server:80").error(),
            "\"server\" is neither an IPv4 nor an IPv6 address");
  EXPECT_TRUE(Endpoint::parse("::1:80").error().contains("brackets"));
  EXPECT_TRUE(Endpoint::parse("[10.0.0.1]:80").error().contains("brackets"));
  EXPECT_FALSE(Endpoint::parse("unix:/a\0b"s));
}

}  // namespace
}  // namespace netrig
