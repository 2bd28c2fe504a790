// Faults with memory and delays by distributions: link.h against the closed forms.
#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <numbers>
#include <vector>

#include "harness/link/link.h"
#include "harness/link/link_passage.h"

namespace netrig::link_test {
namespace {

constexpr uint64_t kPackets = 100'000;

Probability percent(double value) {
  return {static_cast<uint32_t>(std::lround(value * 10'000))};
}

std::vector<double> indicator(const Passage& passage, bool (*chosen)(const Fate&)) {
  std::vector<double> values;
  for (const Fate& fate : passage.fates) values.push_back(chosen(fate) ? 1 : 0);
  return values;
}

// In milliseconds; packets are so far apart that none waits for the one before.
std::vector<double> delays(const DelayDistribution& distribution) {
  LinkConfig config;
  config.distribution = distribution;
  std::vector<double> values;
  for (const Fate& fate : pass(config, kPackets, 10s).fates) {
    values.push_back(static_cast<double>(fate.delay.count()) / 1e6);
  }
  return values;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double autocorrelation(const std::vector<double>& values, size_t lag) {
  const double middle = mean(values);
  double together = 0, alone = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    alone += (values[i] - middle) * (values[i] - middle);
    if (i >= lag) together += (values[i] - middle) * (values[i - lag] - middle);
  }
  return together / alone;
}

double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[static_cast<size_t>(share * static_cast<double>(values.size()))];
}

double mean_run(const std::vector<double>& lost) {
  double runs = 0, all = 0;
  for (size_t i = 0; i < lost.size(); ++i) {
    all += lost[i];
    if (lost[i] != 0 && (i == 0 || lost[i - 1] == 0)) ++runs;
  }
  return all / runs;
}

// ---- correlation

TEST(LinkCorrelation, KeepsTheShareAndCorrelatesByItsPowers) {
  LinkConfig config;
  config.loss = percent(10);
  config.loss_correlation = percent(60);
  const std::vector<double> lost = indicator(pass(config, kPackets), is_lost);
  // The variance of the mean is that of independent draws times (1 + c) / (1 - c) = 4.
  EXPECT_NEAR(mean(lost), 0.1, 5 * 2 * std::sqrt(0.1 * 0.9 / kPackets));
  EXPECT_NEAR(autocorrelation(lost, 1), 0.6, 0.02);
  EXPECT_NEAR(autocorrelation(lost, 2), 0.36, 0.02);
  EXPECT_NEAR(autocorrelation(lost, 4), 0.1296, 0.02);
  // A loss is followed by another with c + (1 - c) p.
  EXPECT_NEAR(mean_run(lost), 1 / (1 - 0.6 - 0.4 * 0.1), 0.08);
}

TEST(LinkCorrelation, WorksForDuplicateCorruptAndReorderEachByItself) {
  LinkConfig config;
  config.duplicate = config.corrupt = config.reorder = percent(20);
  config.duplicate_correlation = percent(80);
  config.corrupt_correlation = percent(40);
  config.reorder_correlation = percent(20);
  const Passage passage = pass(config, kPackets);
  const auto duplicated = indicator(passage, is_duplicated);
  const auto corrupted = indicator(passage, is_corrupted);
  const auto reordered = indicator(passage, is_reordered);
  EXPECT_NEAR(mean(duplicated), 0.2, 0.015);
  EXPECT_NEAR(mean(corrupted), 0.2, 0.01);
  EXPECT_NEAR(mean(reordered), 0.2, 0.01);
  EXPECT_NEAR(autocorrelation(duplicated, 1), 0.8, 0.02);
  EXPECT_NEAR(autocorrelation(corrupted, 1), 0.4, 0.02);
  EXPECT_NEAR(autocorrelation(reordered, 1), 0.2, 0.02);
}

TEST(LinkCorrelation, OfNothingLeavesTheDrawsAsTheyAre) {
  LinkConfig plain, bursts;
  plain.loss = bursts.loss = percent(10);
  bursts.duplicate_correlation = percent(50);  // gives the link a memory, and loss no use for it
  EXPECT_EQ(pass(plain, 1000).ordinals_where(is_lost), pass(bursts, 1000).ordinals_where(is_lost));
}

// What other flows do between two packets of a flow moves nothing in it.
TEST(LinkMemory, IsKeptForEachFlowAlone) {
  LinkConfig config;
  config.gemodel = GilbertElliott{.good_to_bad = percent(5), .bad_to_good = percent(20)};
  config.distribution = DelayDistribution{.table = normal_table(),
                                          .mean = 50ms,
                                          .jitter = 5ms,
                                          .correlation = percent(90),
                                          .normal = true};
  const auto fates_of_first = [&](int others_between) {
    Link link = link_with(config);
    std::vector<Fate> fates;
    uint64_t other = 0;
    for (uint64_t n = 1; n <= 2000; ++n) {
      const Instant now = at(n * 1s);
      fates.push_back(link.offer(now, packet(n)));
      for (int i = 0; i < others_between; ++i) {
        OfferedPacket offered = packet(++other);
        offered.stream = flow_stream("client -> server", "udp|server:53|2");
        link.offer(now + 500ms, offered);
      }
      link.take_due(now + 900ms);
    }
    return fates;
  };
  EXPECT_EQ(fates_of_first(0), fates_of_first(3));
}

TEST(LinkMemory, MovesOnWithPacketsThatARuleDropsOrACutStops) {
  LinkConfig config;
  config.gemodel = GilbertElliott{.good_to_bad = percent(10), .bad_to_good = percent(10)};
  const std::vector<uint64_t> lost = pass(config, 2000).ordinals_where(is_lost);
  LinkConfig ruled = config;
  ruled.rules = {{.nth = {100, 101, 102}, .action = Action::kDrop}};
  ruled.changes = {{.at = 200ms, .cut = true}, {.at = 300ms, .cut = false}};
  std::vector<uint64_t> later_lost, later_lost_ruled;
  std::ranges::copy_if(lost, std::back_inserter(later_lost), [](uint64_t n) { return n > 400; });
  std::ranges::copy_if(pass(ruled, 2000).ordinals_where(is_lost),
                       std::back_inserter(later_lost_ruled), [](uint64_t n) { return n > 400; });
  EXPECT_EQ(later_lost, later_lost_ruled);
  EXPECT_GT(later_lost.size(), 500u);
}

// ---- Gilbert and Elliott

TEST(LinkGilbertElliott, LosesInBurstsOfOneByR) {
  LinkConfig config;
  config.gemodel = GilbertElliott{.good_to_bad = percent(2), .bad_to_good = percent(25)};
  const std::vector<double> lost = indicator(pass(config, kPackets), is_lost);
  EXPECT_NEAR(mean(lost), 0.02 / 0.27, 0.005);
  EXPECT_NEAR(mean_run(lost), 4, 0.15);
  // The state two packets apart is correlated by 1 - p - r a packet.
  EXPECT_NEAR(autocorrelation(lost, 1), 0.73, 0.02);
  EXPECT_NEAR(autocorrelation(lost, 3), 0.73 * 0.73 * 0.73, 0.03);
}

TEST(LinkGilbertElliott, LosesInBothStatesWithTheirOwnProbability) {
  LinkConfig config;
  config.gemodel = GilbertElliott{.good_to_bad = percent(1),
                                  .bad_to_good = percent(4),
                                  .loss_in_bad = percent(50),
                                  .loss_in_good = percent(5)};
  const std::vector<double> lost = indicator(pass(config, kPackets), is_lost);
  EXPECT_NEAR(mean(lost), 0.2 * 0.5 + 0.8 * 0.05, 0.01);
  // Cov = pi (1 - pi) (1 - p - r)^k (difference of the losses)^2
  const double variance = mean(lost) * (1 - mean(lost));
  EXPECT_NEAR(autocorrelation(lost, 1), 0.2 * 0.8 * 0.95 * 0.45 * 0.45 / variance, 0.02);
}

TEST(LinkGilbertElliott, BeginsInTheGoodState) {
  LinkConfig config;
  config.gemodel = GilbertElliott{.good_to_bad = percent(100), .bad_to_good = percent(0)};
  EXPECT_EQ(pass(config, 4).ordinals_where(is_lost), (std::vector<uint64_t>{2, 3, 4}));
}

// ---- four states

// The chain's share of time in each state, by going on until it stands still.
std::array<double, 4> steady(const FourStateLoss& chain) {
  const auto p = [](Probability of) { return of.ppm / 1e6; };
  std::array<double, 4> now = {1, 0, 0, 0};
  for (int i = 0; i < 10'000; ++i) {
    const auto [a, b, c, d] = now;
    now = {a * (1 - p(chain.p13) - p(chain.p14)) + c * p(chain.p31) + d,
           b * (1 - p(chain.p23)) + c * p(chain.p32),
           a * p(chain.p13) + b * p(chain.p23) + c * (1 - p(chain.p31) - p(chain.p32)),
           a * p(chain.p14)};
  }
  return now;
}

TEST(LinkFourStates, LosesWhatTheChainsSteadyStateSays) {
  LinkConfig config;
  config.loss_states = FourStateLoss{.p13 = percent(2),
                                     .p31 = percent(20),
                                     .p32 = percent(30),
                                     .p23 = percent(40),
                                     .p14 = percent(1)};
  const std::vector<double> lost = indicator(pass(config, kPackets), is_lost);
  const auto share = steady(*config.loss_states);
  EXPECT_NEAR(mean(lost), share[2] + share[3], 0.005);
  // Two in a row: a burst that goes on, or an end of one by delivered ones is none.
  double both = 0;
  for (size_t i = 1; i < lost.size(); ++i) both += lost[i] * lost[i - 1];
  EXPECT_NEAR(both / kPackets, share[2] * 0.5, 0.005);
}

TEST(LinkFourStates, StateFourIsOneLossAlone) {
  LinkConfig config;
  config.loss_states = FourStateLoss{.p14 = percent(100)};
  EXPECT_EQ(pass(config, 6).ordinals_where(is_lost), (std::vector<uint64_t>{1, 3, 5}));
}

// ---- gap

TEST(LinkGap, ReordersEachNthPacketOfAFlow) {
  LinkConfig config;
  config.reorder = percent(100);
  config.reorder_gap = 5;
  EXPECT_EQ(pass(config, 16).ordinals_where(is_reordered), (std::vector<uint64_t>{5, 10, 15}));
}

TEST(LinkGap, LeavesAtLeastSoManyBetweenIfChanceHasASay) {
  LinkConfig config;
  config.reorder = percent(25);
  config.reorder_gap = 5;
  const auto reordered = pass(config, kPackets).ordinals_where(is_reordered);
  for (size_t i = 1; i < reordered.size(); ++i) ASSERT_GE(reordered[i] - reordered[i - 1], 5u);
  // Four that cannot be chosen, and 1/p until one is.
  EXPECT_NEAR(static_cast<double>(kPackets) / static_cast<double>(reordered.size()), 8, 0.1);
}

TEST(LinkEarlyReorder, SendsThePacketBeforeThoseUnderWay) {
  LinkConfig config = with_rule({.nth = {3}, .action = Action::kReorder});
  config.delay = {10ms, 10ms};
  config.reorder_early = true;
  const Passage passage = pass(config, 4);
  EXPECT_EQ(passage.handles(), (std::vector<uint64_t>{3, 1, 2, 4}));
  EXPECT_EQ(passage.fates[2].delay, 0ms);
  EXPECT_EQ(passage.departures[1].due, at(10ms));
  EXPECT_EQ(passage.departures[3].due, at(13ms));
}

// ---- distributions

TEST(LinkDistribution, NormalDelaysHaveNormalQuantiles) {
  const auto values =
      delays({.table = normal_table(), .mean = 50ms, .jitter = 10ms, .normal = true});
  EXPECT_NEAR(mean(values), 50, 0.1);
  EXPECT_NEAR(quantile(values, 0.5), 50, 0.15);
  EXPECT_NEAR(quantile(values, 0.8413447), 60, 0.2);
  EXPECT_NEAR(quantile(values, 0.0227501), 30, 0.3);
  EXPECT_NEAR(quantile(values, 0.99), 50 + 23.26, 0.4);
}

TEST(LinkDistribution, ParetoDelaysHaveParetosQuantiles) {
  const auto values = delays({.table = pareto_table(), .mean = 50ms, .jitter = 10ms});
  for (const double share : {0.01, 0.25, 0.5, 0.9, 0.99}) {
    const double expected = 50 + 10 * 4.0 / 3 * (std::pow(1 - share, -1.0 / 3) - 1.5);
    EXPECT_NEAR(quantile(values, share), expected, share > 0.95 ? 2 : 0.3) << share;
  }
  EXPECT_GE(*std::ranges::min_element(values), 50 - 10 * 2.0 / 3 - 0.01);
}

TEST(LinkDistribution, UniformDelaysReachTheJitterEitherWay) {
  const auto values = delays({.mean = 50ms, .jitter = 10ms});
  for (const double share : {0.1, 0.5, 0.9}) {
    EXPECT_NEAR(quantile(values, share), 40 + 20 * share, 0.2) << share;
  }
  EXPECT_NEAR(*std::ranges::min_element(values), 40, 0.01);
  EXPECT_NEAR(*std::ranges::max_element(values), 60, 0.01);
}

TEST(LinkDistribution, ATableIsWhatItsFileSays) {
  const auto table = parse_quantile_table("-8192 0 0 8192");
  const auto values = delays({.table = *table, .mean = 50ms, .jitter = 10ms});
  EXPECT_NEAR(static_cast<double>(std::ranges::count(values, 40.0)) / kPackets, 0.25, 0.006);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(values, 50.0)) / kPackets, 0.5, 0.006);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(values, 60.0)) / kPackets, 0.25, 0.006);
}

TEST(LinkDistribution, NeverDelaysByLessThanNothing) {
  const auto values =
      delays({.table = normal_table(), .mean = 1ms, .jitter = 10ms, .normal = true});
  EXPECT_EQ(*std::ranges::min_element(values), 0);
}

TEST(LinkDistribution, CorrelationKeepsItNormalAndActsByItsPowers) {
  const auto values = delays({.table = normal_table(),
                              .mean = 50ms,
                              .jitter = 10ms,
                              .correlation = percent(80),
                              .normal = true});
  // The variance of the mean is that of independent delays times (1 + c) / (1 - c) = 9.
  EXPECT_NEAR(mean(values), 50, 5 * 3 * 10 / std::sqrt(kPackets));
  EXPECT_NEAR(quantile(values, 0.8413447), 60, 0.5);
  EXPECT_NEAR(quantile(values, 0.1586553), 40, 0.5);
  EXPECT_NEAR(autocorrelation(values, 1), 0.8, 0.01);
  EXPECT_NEAR(autocorrelation(values, 3), 0.512, 0.02);
  EXPECT_NEAR(autocorrelation(values, 10), 0.107, 0.03);
}

TEST(LinkDistribution, CorrelationKeepsOthersAsTheyAreToo) {
  const auto uniform = delays({.mean = 50ms, .jitter = 10ms, .correlation = percent(80)});
  EXPECT_NEAR(quantile(uniform, 0.1), 42, 0.5);
  EXPECT_NEAR(quantile(uniform, 0.9), 58, 0.5);
  // Of places in the normal distribution, as seen in uniform ones: 6/pi asin(c/2).
  EXPECT_NEAR(autocorrelation(uniform, 1), 6 / std::numbers::pi * std::asin(0.4), 0.02);
  const auto pareto =
      delays({.table = pareto_table(), .mean = 50ms, .jitter = 10ms, .correlation = percent(50)});
  EXPECT_NEAR(quantile(pareto, 0.5), 50 + 10 * 4.0 / 3 * (std::pow(0.5, -1.0 / 3) - 1.5), 0.3);
  EXPECT_GT(autocorrelation(pareto, 1), 0.3);
}

TEST(LinkDistribution, DoesNotReorder) {
  LinkConfig config;
  config.distribution = DelayDistribution{.table = pareto_table(), .mean = 20ms, .jitter = 10ms};
  const std::vector<uint64_t> arrivals = pass(config, 5000, 100us).handles();
  EXPECT_TRUE(std::ranges::is_sorted(arrivals));
}

// What a seed means is the same in every build: integers alone decide.
TEST(LinkDistribution, DrawsWhatItDrewBefore) {
  LinkConfig config;
  config.distribution = DelayDistribution{
      .table = paretonormal_table(), .mean = 20ms, .jitter = 10ms, .correlation = percent(25)};
  std::vector<int64_t> found;
  for (const Fate& fate : pass(config, 6, 1s).fates) found.push_back(fate.delay.count());
  EXPECT_EQ(found, (std::vector<int64_t>{15'491'943, 14'278'564, 11'857'910, 24'301'758, 8'280'029,
                                         14'613'037}));
}

}  // namespace
}  // namespace netrig::link_test
