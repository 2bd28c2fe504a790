#include "fakes/tcp/cubic.h"

#include <gtest/gtest.h>

namespace netrig::tcp {
namespace {

TEST(CubicTest, TheCubeRootIsTheLargestNumberWhoseCubeFits) {
  EXPECT_EQ(cube_root(0), 0u);
  EXPECT_EQ(cube_root(1), 1u);
  EXPECT_EQ(cube_root(7), 1u);
  EXPECT_EQ(cube_root(8), 2u);
  EXPECT_EQ(cube_root(UINT64_MAX), 2642245u);
  for (uint64_t root = 2; root < 2'000'000; root += 977) {
    EXPECT_EQ(cube_root(root * root * root), root);
    EXPECT_EQ(cube_root(root * root * root - 1), root - 1);
  }
}

AckedSegments acked_at(Instant now, uint32_t segments) {
  AckedSegments acked;
  acked.now = now;
  acked.acked = segments;
  acked.rtt = acked.srtt = 100ms;
  return acked;
}

TEST(CubicTest, ALossTakesThreeTenths) {
  Cubic cubic;
  CongestionWindow window{.cwnd = 100, .ssthresh = 100};
  EXPECT_EQ(cubic.ssthresh_after_loss(Instant(0s), window), 70u);
  window.cwnd = 2;
  EXPECT_EQ(cubic.ssthresh_after_loss(Instant(0s), window), 2u);
}

// RFC 9438 equation (2): K = cbrt(1000 * 0.3 / 0.4) = 9.09 s until the old window is back, then a
// plateau, then growth again.
TEST(CubicTest, TheOldWindowIsBackAfterKSeconds) {
  Cubic cubic;
  CongestionWindow window{.cwnd = 1000, .ssthresh = 1000};
  window.ssthresh = window.cwnd = cubic.ssthresh_after_loss(Instant(0s), window);
  Instant now(0s);
  const auto run_to = [&](Instant end) {
    for (; now < end; now += 100ms) cubic.on_ack(window, acked_at(now, window.cwnd));
  };
  run_to(Instant(4500ms));  // half of K: seven eighths of the way
  EXPECT_NEAR(window.cwnd, 962, 8);
  run_to(Instant(9s));
  EXPECT_NEAR(window.cwnd, 1000, 3);
  run_to(Instant(18s));
  EXPECT_NEAR(window.cwnd, 1300, 20);
}

TEST(CubicTest, ASmallWindowGrowsAsRenoWould) {
  Cubic cubic;  // RFC 9438 4.3: 9/17 of a segment a round trip
  CongestionWindow window{.cwnd = 20, .ssthresh = 20};
  window.ssthresh = window.cwnd = cubic.ssthresh_after_loss(Instant(0s), window);
  for (int trip = 0; trip < 9; ++trip) {
    cubic.on_ack(window, acked_at(Instant(1ms * trip), window.cwnd));
  }
  EXPECT_NEAR(window.cwnd, 18, 1);
}

TEST(CubicTest, AnUnusedWindowDoesNotGrow) {
  Cubic cubic;
  CongestionWindow window;
  AckedSegments acked = acked_at(Instant(1s), 10);
  acked.cwnd_limited = false;
  cubic.on_ack(window, acked);
  EXPECT_EQ(window.cwnd, 10u);
}

}  // namespace
}  // namespace netrig::tcp
