#include "harness/base/time_scale.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

TimeScale times(std::string_view factor) {
  auto scale = TimeScale::parse(factor);
  EXPECT_TRUE(scale) << scale.error();
  return scale.value_or(TimeScale());
}

TEST(TimeScale, MultipliesLimits) {
  EXPECT_EQ(times("2").limit(250ms), 500ms);
  EXPECT_EQ(times("1.5").limit(1s), 1500ms);
  EXPECT_EQ(times("2.5").limit(3ns), 7ns);
  EXPECT_EQ(times("1000").limit(1h), 1000h);
  EXPECT_EQ(times("1.000001").limit(1s), 1s + 1us);
  EXPECT_EQ(times("3").limit(0s), 0s);
}

TEST(TimeScale, LeavesEverythingAsItIsByDefault) {
  EXPECT_TRUE(TimeScale().is_one());
  EXPECT_EQ(TimeScale().limit(1234567891ns), 1234567891ns);
}

TEST(TimeScale, NeverTouchesALowEnd) {
  EXPECT_EQ(times("4").upper_bound({10ms, 20ms}), (Range<Duration>{10ms, 80ms}));
}

// A range without an upper end has the largest duration there is.
TEST(TimeScale, DoesNotOverflow) {
  const Range<Duration> open{1s, Duration::max()};
  EXPECT_EQ(times("1000").upper_bound(open), open);
  EXPECT_GT(times("1000").limit(std::chrono::hours(24 * 365 * 50)), Duration{0});
  EXPECT_LT(times("1000").limit(std::chrono::hours(24 * 365 * 50)), Duration::max() / 2);
}

TEST(TimeScale, ReadsWhatItPrints) {
  for (const char* factor : {"1", "2", "1.5", "10", "999.999999", "1000", "1.000001"}) {
    EXPECT_EQ(times(factor).text(), factor);
  }
  EXPECT_EQ(times("2.50").text(), "2.5");
}

TEST(TimeScale, RefusesWhatIsNoFactor) {
  for (const char* text : {"", "0", "0.5", "0.999999", "-1", "+2", "1.", ".5", "1e3", "2x", "1001",
                           "1000.000001", "1.0000001", "1.2.3", "nan", "99999999999999999999"}) {
    EXPECT_FALSE(TimeScale::parse(text)) << text;
  }
}

}  // namespace
}  // namespace netrig
