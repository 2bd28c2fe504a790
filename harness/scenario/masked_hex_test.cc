#include "harness/scenario/masked_hex.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

TEST(MaskedHex, OpenDigitsDoNotCount) {
  const auto masked = parse_masked_hex("45 ?? 4? 00");
  ASSERT_TRUE(masked);
  EXPECT_EQ(format_hex(masked->octets), "45 00 40 00");
  EXPECT_EQ(format_hex(masked->mask), "ff 00 f0 ff");
}

TEST(MaskedHex, IsShownAsItWasWritten) {
  const auto masked = parse_masked_hex("45??4?ff");
  ASSERT_TRUE(masked);
  EXPECT_EQ(format_masked_hex(masked->octets, masked->mask), "45 ?? 4? ff");
}

TEST(MaskedHex, HasTheMistakesOfHex) {
  EXPECT_EQ(parse_masked_hex("4g").error(), parse_hex("4g").error());
  EXPECT_FALSE(parse_masked_hex("45 ?"));
}

}  // namespace
}  // namespace netrig
