#include "harness/capture/link_layer.h"

#include <gtest/gtest.h>

#include "harness/capture/capture_testing.h"

namespace netrig {
namespace {

using testing::udp_octets;

constexpr const char* kMacs = "01 02 03 04 05 06 11 12 13 14 15 16 ";

Bytes hex(const std::string& text) {
  return parse_hex(text).value();
}

TEST(StripLinkLayer, FindsIpBehindEveryHeaderThatItKnows) {
  const Bytes v4 = udp_octets("four");
  const Bytes v6 = udp_octets("six", true);
  const std::string macs = kMacs;
  struct Case {
    uint16_t link_type;
    std::string header;
    const Bytes& packet;
  };
  const std::vector<Case> cases = {
      {0, "02 00 00 00", v4},
      {0, "00 00 00 02", v4},
      {0, "1e 00 00 00", v6},
      {108, "00 00 00 18", v6},
      {1, macs + "08 00", v4},
      {1, macs + "86 dd", v6},
      {1, macs + "81 00 00 05 08 00", v4},
      {1, macs + "88 a8 00 05 81 00 00 06 86 dd", v6},
      {1, macs + "88 64 11 00 00 01 00 40 00 21", v4},
      {1, macs + "81 00 00 05 88 64 11 00 00 01 00 40 00 57", v6},
      {1, macs + "00 40 aa aa 03 00 00 00 08 00", v4},
      {9, "ff 03 00 21", v4},
      {9, "00 57", v6},
      {9, "21", v4},
      {12, "", v4},
      {101, "", v4},
      {101, "", v6},
      {113, "00 00 00 01 00 06 01 02 03 04 05 06 00 00 08 00", v4},
      {228, "", v4},
      {229, "", v6},
      {276, "86 dd 00 00 00 00 00 01 00 01 00 06 01 02 03 04 05 06 00 00", v6},
  };
  for (const Case& c : cases) {
    const Bytes frame = hex(c.header) + c.packet;
    EXPECT_TRUE(link_type_known(c.link_type));
    EXPECT_EQ(strip_link_layer(c.link_type, frame), c.packet) << c.link_type << ": " << c.header;
    // Cut anywhere: never more than what is there, never a read outside (the sanitizer watches).
    for (size_t length = 0; length < frame.size(); ++length) {
      const Bytes cut = frame.substr(0, length);
      EXPECT_LE(strip_link_layer(c.link_type, cut).size(), cut.size());
    }
  }
}

TEST(StripLinkLayer, FindsNothingInFramesWithoutIp) {
  const std::string macs = kMacs;
  EXPECT_TRUE(strip_link_layer(1, hex(macs + "08 06") + Bytes(28, '\1')).empty());  // ARP
  EXPECT_TRUE(strip_link_layer(1, hex(macs + "08 00")).empty());
  EXPECT_TRUE(strip_link_layer(1, hex(macs + "88 63") + Bytes(28, '\1')).empty());  // PPPoE setup
  EXPECT_TRUE(strip_link_layer(9, hex("ff 03 c0 21") + Bytes(28, '\1')).empty());   // LCP
  EXPECT_TRUE(strip_link_layer(101, Bytes(28, '\x20')).empty());
  EXPECT_TRUE(strip_link_layer(147, udp_octets("x")).empty());
  EXPECT_FALSE(link_type_known(147));
}

TEST(StripLinkLayer, LeavesEthernetsPaddingOut) {
  const Bytes v4 = udp_octets("four");
  const Bytes v6 = udp_octets("six", true);
  const std::string macs = kMacs;
  EXPECT_EQ(strip_link_layer(1, hex(macs + "08 00") + v4 + Bytes(14, '\0')), v4);
  EXPECT_EQ(strip_link_layer(1, hex(macs + "86 dd") + v6 + Bytes(4, '\0')), v6);
  // RAW has no padding: everything is kept, so that a capture reads back as it was written.
  EXPECT_EQ(strip_link_layer(101, v4 + Bytes(14, '\0')), v4 + Bytes(14, '\0'));
}

}  // namespace
}  // namespace netrig
