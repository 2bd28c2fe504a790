#include "fakes/tcp/rtt_estimator.h"

#include <gtest/gtest.h>

namespace netrig::tcp {
namespace {

TEST(RttEstimatorTest, TheFirstRtoIsASecond) {
  EXPECT_EQ(RttEstimator(200ms, 120s).rto(), 1s);  // RFC 6298 2.1
}

TEST(RttEstimatorTest, TheFirstSampleCountsThreefoldAboveTheFloor) {
  RttEstimator rtt(200ms, 120s);
  rtt.sample(50ms, 1, 1);
  EXPECT_EQ(rtt.rto(), 250ms);  // Linux's floor holds for the variance, not for the sum
  RttEstimator slow(200ms, 120s);
  slow.sample(300ms, 1, 1);
  EXPECT_EQ(slow.rto(), 900ms);  // RFC 6298 2.2: R + 4 * R/2
}

TEST(RttEstimatorTest, ASteadyRoundTripBringsTheRtoDownToTheFloor) {
  RttEstimator rtt(200ms, 120s);
  for (uint64_t i = 0; i < 200; ++i) rtt.sample(300ms, i * 2 + 1, i * 2 + 2);
  EXPECT_EQ(rtt.srtt(), 300ms);
  EXPECT_NEAR(static_cast<double>(rtt.rto().count()), 500e6, 1e6);
}

TEST(RttEstimatorTest, DoublingStopsAtTheLargest) {
  RttEstimator rtt(200ms, 120s);
  for (int i = 0; i < 10; ++i) rtt.double_rto();
  EXPECT_EQ(rtt.rto(), 120s);
}

TEST(WindowedMinimumTest, TheMinimumIsForgottenAfterFiveMinutes) {
  WindowedMinimum minimum;
  minimum.add(Instant(0s), 10ms);
  minimum.add(Instant(100s), 20ms);
  EXPECT_EQ(minimum.get(), 10ms);
  for (int i = 110; i <= 310; i += 10) minimum.add(Instant(1s * i), 20ms);
  EXPECT_EQ(minimum.get(), 20ms);
}

}  // namespace
}  // namespace netrig::tcp
