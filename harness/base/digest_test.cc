#include "harness/base/digest.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

std::string hex_of(const char* name, ByteView octets, bool little_endian = false) {
  return format_hex(checksum_of(*checksum_from_name(name), octets, little_endian));
}

// The check values of the algorithms' catalogues are those of "123456789".
TEST(Digest, ChecksumsHaveTheirPublishedCheckValues) {
  EXPECT_EQ(hex_of("crc32", "123456789"), "cb f4 39 26");
  EXPECT_EQ(hex_of("crc32c", "123456789"), "e3 06 92 83");
  EXPECT_EQ(hex_of("adler32", "Wikipedia"), "11 e6 03 98");
  EXPECT_EQ(hex_of("xor8", "123456789"), "31");
  EXPECT_EQ(hex_of("sum8", "123456789"), "dd");
}

// RFC 1071, section 3: 00 01 f2 03 f4 f5 f6 f7 sum up to ddf2.
TEST(Digest, TheInternetChecksumIsTheOneOfTheRfcsExample) {
  EXPECT_EQ(hex_of("internet", *parse_hex("0001f203f4f5f6f7")), "22 0d");
  EXPECT_EQ(hex_of("internet", *parse_hex("0001f203f4f5f6f7220d")), "00 00");
  EXPECT_EQ(hex_of("internet", "a"), "9e ff");  // an odd octet is the high one of its word
}

// FIPS 180-4's examples of "abc", and the empty message.
TEST(Digest, DigestsAreThoseOfTheStandardsExamples) {
  EXPECT_EQ(hex_of("sha1", "abc"), "a9 99 3e 36 47 06 81 6a ba 3e 25 71 78 50 c2 6c 9c d0 d8 9d");
  EXPECT_EQ(hex_of("sha256", "abc"),
            "ba 78 16 bf 8f 01 cf ea 41 41 40 de 5d ae 22 23 b0 03 61 a3 96 17 7a 9c b4 10 ff 61 "
            "f2 00 15 ad");
  EXPECT_TRUE(hex_of("sha256", "").starts_with("e3 b0 c4 42"));
}

TEST(Digest, TheOrderOfOctetsTurnsNumbersAndLeavesDigestsAlone) {
  EXPECT_EQ(hex_of("crc32", "123456789", true), "26 39 f4 cb");
  EXPECT_EQ(hex_of("sha1", "abc", true), hex_of("sha1", "abc"));
}

TEST(Digest, EveryNameHasItsSize) {
  for (const std::string& name : checksum_names()) {
    const Checksum checksum = *checksum_from_name(name);
    EXPECT_EQ(checksum_of(checksum, "some octets").size(), checksum_octets(checksum)) << name;
  }
  EXPECT_FALSE(checksum_from_name("crc64"));
}

}  // namespace
}  // namespace netrig
