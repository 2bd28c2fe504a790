#include "harness/base/chance.h"

#include <cmath>
#include <gtest/gtest.h>
#include <set>
#include <vector>

namespace netrig {
namespace {

using std::string_literals::operator""s;

const uint64_t kStream = stable_hash("client -> server|udp|server:53|1");

TEST(Philox, AnswersTheKnownVectorsOfItsAuthors) {
  // kat_vectors of Random123, philox4x32 with 10 rounds.
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// The constants were computed by an independent program: whoever changes them changes what every
// seed in every bug report means.
TEST(Chance, MeansTheSameBySeedForEver) {
  const Chance chance(7, kStream);
  EXPECT_EQ(kStream, 0x936f784f5a2514a6u);
  EXPECT_EQ(stable_hash(""), 0xefd01f60ba992926u);
  EXPECT_EQ(chance.draw32(3, Purpose::kLoss), 0x75fe6711u);
  EXPECT_EQ(chance.draw64((5ULL << 32) + 9, Purpose::kPayload, 2), 0x1c3dfbdc71a69faeu);
  EXPECT_EQ(format_hex(chance.bytes(20, 1, Purpose::kPayload)),
            "60 2c 02 38 8f bb d1 72 df ba 71 ce 00 d2 f9 bb 8f 57 e5 ff");
  std::vector<uint64_t> lost;
  for (uint64_t n = 1; n <= 100; ++n) {
    if (chance.happens({100'000}, n, Purpose::kLoss)) lost.push_back(n);
  }
  EXPECT_EQ(lost, (std::vector<uint64_t>{10, 20, 21, 29, 39, 40, 44, 63, 75, 80, 83, 87}));
}

TEST(Chance, ChangesWithEveryOneOfItsArguments) {
  const std::set<uint64_t> draws = {
      Chance(1, 1).draw64(1, Purpose::kLoss),         Chance(2, 1).draw64(1, Purpose::kLoss),
      Chance(1, 2).draw64(1, Purpose::kLoss),         Chance(1, 1).draw64(2, Purpose::kLoss),
      Chance(1, 1).draw64(1, Purpose::kDelay),        Chance(1, 1).draw64(1, Purpose::kLoss, 1),
      Chance(1, 1).draw64(1ULL << 32, Purpose::kLoss)};
  EXPECT_EQ(draws.size(), 7u);
}

TEST(Chance, GivesAShorterTextTheSameStart) {
  const Chance chance(1, 2);
  EXPECT_TRUE(
      chance.bytes(1000, 1, Purpose::kPayload).starts_with(chance.bytes(37, 1, Purpose::kPayload)));
  EXPECT_EQ(chance.bytes(0, 1, Purpose::kPayload), "");
}

TEST(Chance, NeverHappensAtZeroAndAlwaysAtOneHundredPercent) {
  const Chance chance(1, 2);
  for (uint64_t n = 0; n < 10'000; ++n) {
    ASSERT_FALSE(chance.happens({0}, n, Purpose::kLoss));
    ASSERT_TRUE(chance.happens({1'000'000}, n, Purpose::kLoss));
  }
}

TEST(Chance, DrawsBelowItsBoundAndReachesEveryValue) {
  const Chance chance(1, 2);
  std::vector<int> counts(10);
  constexpr int kDraws = 100'000;
  for (uint64_t n = 0; n < kDraws; ++n) ++counts.at(chance.below(10, n, Purpose::kDelay));
  const double sigma = std::sqrt(kDraws * 0.1 * 0.9);
  for (int count : counts) EXPECT_NEAR(count, kDraws * 0.1, 5 * sigma);
  EXPECT_EQ(chance.below(1, 5, Purpose::kDelay), 0u);
}

}  // namespace
}  // namespace netrig
