#include "harness/link/quantile_table.h"

#include <cmath>
#include <gtest/gtest.h>
#include <numbers>
#include <numeric>

namespace netrig {
namespace {

double normal_share(double below) {
  return 0.5 * std::erfc(-below / std::numbers::sqrt2);
}

double in_jitters(int64_t value) {
  return static_cast<double>(value) / static_cast<double>(kQuantileScale);
}

// The table is computed in integers; what it should be is computed with libm here.
TEST(NormalTable, IsTheNormalDistributionsQuantiles) {
  const auto table = normal_table();
  ASSERT_EQ(table->size(), 4096u);
  for (size_t i = 0; i < table->size(); ++i) {
    const double share = (static_cast<double>(i) + 0.5) / 4096;
    // Half a unit of the table to either side is the best that it can be; a whole one is asked.
    EXPECT_LE(normal_share(in_jitters((*table)[i] - 1)), share) << i;
    EXPECT_GE(normal_share(in_jitters((*table)[i] + 1)), share) << i;
  }
}

TEST(NormalTable, HasTheMeanAndTheDeviationThatItPromises) {
  const auto table = normal_table();
  double sum = 0, squares = 0;
  for (const int32_t value : table->values()) {
    sum += in_jitters(value);
    squares += in_jitters(value) * in_jitters(value);
  }
  EXPECT_EQ(sum, 0);
  EXPECT_NEAR(squares / 4096, 1, 0.002);
}

TEST(ParetoTable, IsNetemsParetoDistribution) {
  const auto table = pareto_table();
  ASSERT_EQ(table->size(), 4096u);
  double sum = 0;
  for (size_t i = 0; i < table->size(); ++i) {
    const double above = 1 - (static_cast<double>(i) + 0.5) / 4096;
    EXPECT_NEAR((*table)[i], 8192 * 4.0 / 3 * (std::pow(above, -1.0 / 3) - 1.5), 1) << i;
    sum += in_jitters((*table)[i]);
  }
  EXPECT_NEAR(sum / 4096, 0, 0.01);  // what is beyond the last quantile is missing
}

TEST(ParetonormalTable, MixesQuantileByQuantile) {
  const auto mixed = paretonormal_table(), normal = normal_table(), pareto = pareto_table();
  for (size_t i = 0; i < mixed->size(); ++i) {
    EXPECT_NEAR((*mixed)[i], 0.25 * (*normal)[i] + 0.75 * (*pareto)[i], 1) << i;
  }
}

TEST(QuantileTable, FindsThePositionOfItsOwnQuantiles) {
  const auto table = normal_table();
  for (const size_t i : {0u, 1u, 1000u, 2048u, 4094u}) {
    const double position = table->position_of((*table)[i]) / 4294967296.0;
    EXPECT_NEAR(position, (static_cast<double>(i) + 0.5) / 4096, 0.3 / 4096) << i;
  }
  EXPECT_EQ(table->position_of(-1'000'000), 0u);
  EXPECT_EQ(table->position_of(1'000'000), 0xFFFFFFFFu);
  EXPECT_NEAR(table->position_of(0) / 4294967296.0, 0.5, 1e-6);
}

TEST(QuantileTable, GivesEachEntryTheSameShareOfPositions) {
  const QuantileTable table({1, 2, 3});
  EXPECT_EQ(table.at(0), 1);
  EXPECT_EQ(table.at(0x55555555), 1);
  EXPECT_EQ(table.at(0x55555556), 2);
  EXPECT_EQ(table.at(0xFFFFFFFF), 3);
}

TEST(QuantileFile, IsReadAsIproute2WritesIt) {
  const auto table = parse_quantile_table("# a comment 5\n\n -32768 -1\t0\r\n# 7\n 32767\n");
  ASSERT_TRUE(table);
  EXPECT_EQ((*table)->values(), (std::vector<int32_t>{-32768, -1, 0, 32767}));
}

TEST(QuantileFile, TellsWhatIsWrongWithIt) {
  EXPECT_EQ(parse_quantile_table("").error(), "it holds no values");
  EXPECT_EQ(parse_quantile_table("# only\n").error(), "it holds no values");
  const std::string other = "holds something else than integers in -32768..32767";
  EXPECT_EQ(parse_quantile_table("1 2\n3 x\n").error(), "its line 2 " + other);
  EXPECT_EQ(parse_quantile_table("32768").error(), "its line 1 " + other);
  EXPECT_EQ(parse_quantile_table("1.5").error(), "its line 1 " + other);
  EXPECT_EQ(parse_quantile_table(std::string(100, '9')).error(), "its line 1 " + other);
  std::string many;
  for (size_t i = 0; i <= kQuantilesMax; ++i) many += "1 ";
  EXPECT_EQ(parse_quantile_table(many).error(), "it has more than 16384 values");
}

TEST(ScaledDelay, RoundsAsNetemDoesAndIsNeverNegative) {
  EXPECT_EQ(scaled_delay(10ms, 5ms, 8192), 15ms);
  EXPECT_EQ(scaled_delay(10ms, 5ms, -8192), 5ms);
  EXPECT_EQ(scaled_delay(10ms, 1ns, 4096), 10ms + 1ns);  // half is rounded away from zero
  EXPECT_EQ(scaled_delay(10ms, 1ns, -4096), 10ms - 1ns);
  EXPECT_EQ(scaled_delay(10ms, 1ns, 4095), 10ms);
  EXPECT_EQ(scaled_delay(1ms, 5ms, -8192), 0ns);
  EXPECT_EQ(scaled_delay(Duration::max(), Duration::max(), 300'000), Duration::max());
}

}  // namespace
}  // namespace netrig
