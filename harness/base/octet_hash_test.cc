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

TEST(OctetHash, WordsThatChangePlacesAreNotTheSame) {
  std::set<uint64_t> seen;
  for (size_t from = 0; from < 128; from += 8) {
    Bytes octets(128, '\0');
    octets.replace(from, 8, "whatever");
    EXPECT_TRUE(seen.insert(hash_octets(octets)).second) << from;
  }
}

TEST(OctetHash, BlocksThatChangePlacesAreNotTheSame) {
  const Bytes a(64, 'a');
  const Bytes b(64, 'b');
  EXPECT_NE(hash_octets(a + b), hash_octets(b + a));
}

// What a fingerprint was yesterday it is tomorrow.
TEST(OctetHash, ItIsTheSameEverywhere) {
  EXPECT_EQ(hash_octets(""), 0xa9116829040680eeu);
  EXPECT_EQ(hash_octets("netrig"), 0xb2069db8b274fa84u);
}

}  // namespace
}  // namespace netrig
