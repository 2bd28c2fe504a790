// Whole transfers over a lossy link, against the bands that models and ns-3 give.
#include <gtest/gtest.h>

#include "fakes/tcp/transfer_testing.h"

namespace netrig::tcp {
namespace {

TEST(TransferTest, ALinkWithoutLossIsFilled) {
  for (const auto kind : {CongestionKind::kReno, CongestionKind::kCubic}) {
    SimulationOptions options;
    options.octets = 100'000'000;
    options.sender.congestion = kind;
    const auto result = Simulation(options).run();
    ASSERT_TRUE(result.finished && result.content_right);
    EXPECT_GE(result.goodput_mbit(options.octets), 94.5) << congestion_name(kind);
    EXPECT_EQ(result.counters.retransmitted_segments, result.dropped);
  }
}

struct Band {
  CongestionKind kind;
  uint32_t loss_ppm;
  double low, high;
};

TEST(TransferTest, GoodputUnderLossIsWhatModelsAndSimulatorsSay) {
  for (const Band& band :
       {Band{CongestionKind::kReno, 1000, 19.0, 29.0}, Band{CongestionKind::kReno, 10000, 6.0, 9.2},
        Band{CongestionKind::kCubic, 1000, 21.5, 32.0},
        Band{CongestionKind::kCubic, 10000, 5.6, 9.2}}) {
    double sum = 0;
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      SimulationOptions options;
      options.octets = 100'000'000;
      options.sender.congestion = band.kind;
      options.loss_ppm = band.loss_ppm;
      options.seed = seed;
      const auto result = Simulation(options).run();
      ASSERT_TRUE(result.finished && result.content_right);
      EXPECT_EQ(result.counters.retransmitted_segments, result.dropped);
      sum += result.goodput_mbit(options.octets);
    }
    EXPECT_GE(sum / 5, band.low) << congestion_name(band.kind) << " " << band.loss_ppm;
    EXPECT_LE(sum / 5, band.high) << congestion_name(band.kind) << " " << band.loss_ppm;
  }
}

TEST(TransferTest, WithoutSackEverythingStillArrives) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SimulationOptions options;
    options.octets = 3'000'000;
    options.loss_ppm = 20'000;
    options.seed = seed;
    options.sender.sack = false;
    const auto result = Simulation(options).run();
    EXPECT_TRUE(result.finished && result.content_right);
  }
}

TEST(TransferTest, HeavyLossOnlySlowsItDown) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SimulationOptions options;
    options.octets = 300'000;
    options.loss_ppm = 300'000;
    options.seed = seed;
    const auto result = Simulation(options).run();
    EXPECT_TRUE(result.finished && result.content_right);
    EXPECT_GE(result.counters.retransmitted_segments, result.dropped);
  }
}

// Every 50th segment comes 8 ms late: beyond the first few, nothing is taken for lost.
TEST(TransferTest, ReorderingWidensTheWindowForIt) {
  SimulationOptions options;
  options.octets = 20'000'000;
  options.extra_delay = [](uint64_t ordinal, const Transmission&) {
    return ordinal % 50 == 49 ? Duration(4ms) : Duration(0);
  };
  const auto result = Simulation(options).run();
  ASSERT_TRUE(result.finished && result.content_right);
  EXPECT_GT(result.goodput_mbit(options.octets), 50.0);
}

}  // namespace
}  // namespace netrig::tcp
