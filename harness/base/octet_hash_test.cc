#include "harness/base/octet_hash.h"

#include <gtest/gtest.h>
#include <set>

namespace netrig {
namespace {

// Every length around the block and word sizes, and every single flipped bit, must show.
TEST(OctetHash, EveryOctetAndTheLengthCount) {
  std::set<uint64_t> seen;
  for (size_t length = 0; length <= 200; ++length) {
    EXPECT_TRUE(seen.insert(hash_octets(Bytes(length, '\0'))).second) << length;
  }
  for (size_t i = 0; i < 200; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes octets(200, '\0');
      octets[i] = static_cast<char>(1 << bit);
      EXPECT_TRUE(seen.insert(hash_octets(octets)).second) << i << " " << bit;
    }
  }
}

TEST(OctetHash, BlocksThatChangePlacesAreNotTheSame) {
  const Bytes a(64, 'a');
  const Bytes b(64, 'b');
  EXPECT_NE(hash_octets(a + b), hash_octets(b + a));
}

// What a fingerprint was yesterday it is tomorrow.
TEST(OctetHash, ItIsTheSameEverywhere) {
  EXPECT_EQ(hash_octets(""), 0x3de90008a04d4760u);
  EXPECT_EQ(hash_octets("netrig"), 0xcd9d00278791c669u);
}

}  // namespace
}  // namespace netrig
