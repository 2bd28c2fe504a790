// Rules and random faults: stages 1 to 5 of link.h.
#include "harness/link/link.h"

#include <gtest/gtest.h>
#include <set>
#include <vector>

#include "harness/link/link_passage.h"

namespace netrig::link_test {
namespace {

TEST(Link, PassesEverythingAtOnceIfItsParametersDoNothing) {
  EXPECT_TRUE(LinkConfig{}.is_transparent());
  Link link = link_with({});
  EXPECT_TRUE(link.offer(at(5ms), packet(1)).delivered_untouched());
  EXPECT_EQ(link.next_due(), at(5ms));
  const std::vector<Departure> departures = link.take_due(at(5ms));
  ASSERT_EQ(departures.size(), 1u);
  EXPECT_EQ(departures[0].handle, 1u);
  EXPECT_EQ(departures[0].due, at(5ms));
  EXPECT_TRUE(departures[0].last);
  EXPECT_TRUE(link.empty());
}

TEST(Link, IsNotTransparentWithAnyFault) {
  LinkConfig delay, loss, duplicate, corrupt, reorder, rate;
  delay.delay = {0ms, 1ms};
  loss.loss = duplicate.duplicate = corrupt.corrupt = reorder.reorder = {1};
  rate.rate = 1;
  for (const LinkConfig& config : {delay, loss, duplicate, corrupt, reorder, rate, with_rule({})}) {
    EXPECT_FALSE(config.is_transparent());
  }
}

// ---- rules

TEST(LinkRules, DropExactlyTheNthPackets) {
  const Passage passage = pass(with_rule({.nth = {2, 5}, .action = Action::kDrop}), 6);
  EXPECT_EQ(passage.ordinals_where(is_dropped), (std::vector<uint64_t>{2, 5}));
  EXPECT_EQ(passage.handles(), (std::vector<uint64_t>{1, 3, 4, 6}));
  EXPECT_EQ(passage.fates[1].dropped, DropCause::kRule);
  EXPECT_EQ(passage.fates[1].copies, 0u);
}

TEST(LinkRules, ApplyToEveryPacketWithoutNth) {
  EXPECT_TRUE(pass(with_rule({.action = Action::kDrop}), 5).departures.empty());
}

TEST(LinkRules, CountOnlyPacketsOfTheirProtocolButOverAllFlows) {
  Link link = link_with(with_rule({.match = Transport::kUdp, .nth = {2}}));
  OfferedPacket other = packet(1);
  other.transport = Transport::kUnixDgram;
  EXPECT_FALSE(is_dropped(link.offer(at(0ms), packet(1))));
  EXPECT_FALSE(is_dropped(link.offer(at(0ms), other)));
  OfferedPacket second_flow = packet(1);
  second_flow.stream = flow_stream("client -> server", "udp|server:53|2");
  EXPECT_TRUE(is_dropped(link.offer(at(0ms), second_flow)));
}

TEST(LinkRules, CountNoPacketWithoutATransport) {
  Link link = link_with(with_rule({.nth = {1}}));
  OfferedPacket icmp = packet(1);
  icmp.transport = std::nullopt;
  EXPECT_FALSE(is_dropped(link.offer(at(0ms), icmp)));
  EXPECT_TRUE(is_dropped(link.offer(at(0ms), packet(1))));
}

TEST(LinkRules, CountWhatOtherRulesDrop) {
  LinkConfig config = with_rule({.nth = {1}, .action = Action::kDrop});
  config.rules.push_back({.nth = {2}, .action = Action::kDuplicate});
  const Passage passage = pass(config, 3);
  EXPECT_EQ(passage.ordinals_where(is_dropped), std::vector<uint64_t>{1});
  EXPECT_EQ(passage.ordinals_where(is_duplicated), std::vector<uint64_t>{2});
}

TEST(LinkRules, ActAsTheStagesDo) {
  EXPECT_EQ(pass(with_rule({.nth = {2}, .action = Action::kDuplicate}), 3).handles(),
            (std::vector<uint64_t>{1, 2, 2, 3}));
  EXPECT_EQ(pass(with_rule({.nth = {2}, .action = Action::kReorder}), 4).handles(),
            (std::vector<uint64_t>{1, 3, 2, 4}));
  EXPECT_EQ(
      pass(with_rule({.nth = {2}, .action = Action::kCorrupt}), 3).ordinals_where(is_corrupted),
      std::vector<uint64_t>{2});
}

TEST(LinkRules, DelayLetsTheFollowingPacketsOvertake) {
  LinkConfig config = with_rule({.nth = {1}, .action = Action::kDelay, .delay = 30ms});
  config.delay = {20ms, 20ms};
  const Passage passage = pass(config, 3, 10ms);
  EXPECT_EQ(passage.handles(), (std::vector<uint64_t>{2, 3, 1}));
  EXPECT_EQ(passage.fates[0].delay, 50ms);
  EXPECT_EQ(passage.departures[0].due, at(30ms));
  EXPECT_EQ(passage.departures[2].due, at(50ms));
}

// ---- random faults

TEST(LinkLoss, IsWithinFiveSigmaOverAHundredThousandPackets) {
  LinkConfig config;
  config.loss = {100'000};
  const Passage passage = pass(config, 100'000);
  expect_rate(passage.ordinals_where(is_lost).size(), 100'000, 0.1);
}

TEST(LinkLoss, LosesTheSamePacketsForTheSameSeedAndOthersForAnother) {
  LinkConfig config;
  config.loss = {100'000};
  const std::vector<uint64_t> lost = pass(config, 100).ordinals_where(is_lost);
  // As chance_test.cc pins them: the link's name for its draws is a promise too.
  EXPECT_EQ(lost, (std::vector<uint64_t>{10, 20, 21, 29, 39, 40, 44, 63, 75, 80, 83, 87}));
  EXPECT_EQ(pass(config, 100, 17us).ordinals_where(is_lost), lost);  // time plays no part
  EXPECT_NE(pass(config, 100, 1ms, kSeed + 1).ordinals_where(is_lost), lost);
}

TEST(LinkLoss, DependsOnDirectionFlowAndOrdinalAlone) {
  LinkConfig config;
  config.loss = {500'000};
  auto losses = [&](const std::string& direction, const std::string& flow, bool backwards) {
    Link link(kSeed, direction, config);
    std::vector<bool> lost(200);
    for (uint64_t i = 0; i < lost.size(); ++i) {
      const uint64_t ordinal = backwards ? lost.size() - i : i + 1;
      OfferedPacket offered = packet(ordinal);
      offered.stream = flow_stream(direction, flow);
      lost[ordinal - 1] = is_lost(link.offer(at(0ms), offered));
    }
    return lost;
  };
  EXPECT_EQ(losses("a -> b", "udp|b:1|1", false), losses("a -> b", "udp|b:1|1", true));
  EXPECT_NE(losses("a -> b", "udp|b:1|1", false), losses("b -> a", "udp|b:1|1", false));
  EXPECT_NE(losses("a -> b", "udp|b:1|1", false), losses("a -> b", "udp|b:1|2", false));
}

TEST(LinkFaults, AddingOneMovesNoDrawOfAnother) {
  LinkConfig alone;
  alone.loss = {100'000};
  LinkConfig all = alone;
  all.duplicate = all.corrupt = all.reorder = {300'000};
  all.delay = {0ms, 40ms};
  all.rate = 100'000'000;
  const Passage a = pass(alone, 5000), b = pass(all, 5000);
  EXPECT_EQ(a.ordinals_where(is_lost), b.ordinals_where(is_lost));

  LinkConfig duplicate;
  duplicate.duplicate = {300'000};
  const std::vector<uint64_t> alone_duplicated =
      pass(duplicate, 5000).ordinals_where(is_duplicated);
  std::vector<uint64_t> expected;
  for (uint64_t ordinal : alone_duplicated) {
    if (!is_lost(b.fates[ordinal - 1])) expected.push_back(ordinal);
  }
  EXPECT_EQ(b.ordinals_where(is_duplicated), expected);
}

TEST(LinkDuplicate, FollowsItsOriginalAndTheSecondToLeaveIsTheLast) {
  LinkConfig config;
  config.duplicate = {200'000};
  const Passage passage = pass(config, 20'000);
  expect_rate(passage.ordinals_where(is_duplicated).size(), 20'000, 0.2);
  for (size_t i = 0; i < passage.departures.size(); ++i) {
    const Departure& departure = passage.departures[i];
    const bool duplicated = is_duplicated(passage.fates[departure.handle - 1]);
    if (!duplicated) {
      EXPECT_TRUE(departure.copy == 0 && departure.last);
      continue;
    }
    ASSERT_LT(i + 1, passage.departures.size());
    const Departure& copy = passage.departures[++i];
    EXPECT_TRUE(departure.copy == 0 && !departure.last);
    EXPECT_TRUE(copy.handle == departure.handle && copy.copy == 1 && copy.last);
  }
}

TEST(LinkDuplicate, HasADelayOfItsOwn) {
  LinkConfig config;
  config.duplicate = {1'000'000};
  config.delay = {0ms, 10ms};
  int apart = 0;
  const Passage passage = pass(config, 100, 20ms);
  for (size_t i = 0; i < passage.departures.size(); i += 2) {
    EXPECT_LE(passage.departures[i].due, passage.departures[i + 1].due);
    apart += passage.departures[i].due < passage.departures[i + 1].due ? 1 : 0;
  }
  EXPECT_GT(apart, 30);  // half of them, where the copy drew more than the original
}

TEST(LinkCorrupt, FlipsOneBitOfThePayloadOfTheOriginalOnly) {
  LinkConfig config;
  config.corrupt = {500'000};
  config.duplicate = {1'000'000};
  const Passage passage = pass(config, 20'000);
  expect_rate(passage.ordinals_where(is_corrupted).size(), 20'000, 0.5);
  std::set<uint64_t> bits;
  for (const Departure& departure : passage.departures) {
    const Fate& fate = passage.fates[departure.handle - 1];
    EXPECT_EQ(departure.corrupt_bit, departure.copy == 0 ? fate.corrupt_bit : BitPosition());
    if (departure.corrupt_bit) bits.insert(*departure.corrupt_bit);
  }
  EXPECT_EQ(bits.size(), 800u);  // every bit of 100 octets is met in 10,000 draws, and no other
  EXPECT_EQ(*bits.rbegin(), 799u);
}

TEST(LinkCorrupt, LeavesAnEmptyPacketAlone) {
  LinkConfig config;
  config.corrupt = {1'000'000};
  Link link = link_with(config);
  EXPECT_TRUE(link.offer(at(0ms), packet(1, 0)).delivered_untouched());
  EXPECT_LT(*link.offer(at(0ms), packet(2, 1)).corrupt_bit, 8u);
}

}  // namespace
}  // namespace netrig::link_test
