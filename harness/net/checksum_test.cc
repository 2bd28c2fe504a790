#include "harness/net/checksum.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

TEST(InternetChecksum, AgreesWithTheExampleOfRfc1071) {
  // RFC 1071 section 3: the sum of 00 01 f2 03 f4 f5 f6 f7 is ddf2.
  EXPECT_EQ(internet_checksum(parse_hex("00 01 f2 03 f4 f5 f6 f7").value()), 0xFFFF ^ 0xddf2);
}

TEST(InternetChecksum, PadsAnOddOctetWithZero) {
  EXPECT_EQ(internet_checksum(parse_hex("01 02 03").value()),
            internet_checksum(parse_hex("01 02 03 00").value()));
  EXPECT_EQ(internet_checksum(""), 0xFFFF);
}

TEST(InternetChecksum, ChainsPartialSums) {
  const Bytes whole = parse_hex("12 34 56 78 9a bc de f0").value();
  const uint32_t first = 0xFFFFu & ~internet_checksum(whole.substr(0, 4));
  EXPECT_EQ(internet_checksum(whole.substr(4), first), internet_checksum(whole));
}

TEST(InternetChecksum, DoesNotOverflowOnAMegabyte) {
  EXPECT_EQ(internet_checksum(Bytes(1 << 20, '\xff')), 0);
}

TEST(PseudoHeader, SumsAddressesProtocolAndLength) {
  EXPECT_EQ(pseudo_header_sum(IpAddress::v4(10, 0, 0, 1), IpAddress::v4(10, 0, 0, 2), 17, 9),
            0x0a00u + 0x0001u + 0x0a00u + 0x0002u + 17u + 9u);
  const IpAddress loopback = *IpAddress::parse("::1");
  EXPECT_EQ(pseudo_header_sum(loopback, loopback, 6, 0x10002), 1u + 1u + 6u + 1u + 2u);
}

}  // namespace
}  // namespace netrig
