// Stage 7 of link.h: overheads, limits, traces, CoDel and marks.
#include "harness/link/send_queue.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "harness/link/link.h"
#include "harness/link/link_passage.h"
#include "harness/link/sending_time.h"

namespace netrig::link_test {
namespace {

std::vector<uint64_t> dropped_for(const Passage& passage, DropCause cause) {
  std::vector<uint64_t> ordinals;
  for (size_t i = 0; i < passage.fates.size(); ++i) {
    if (passage.fates[i].dropped == cause) ordinals.push_back(i + 1);
  }
  return ordinals;
}

// ---- overhead

TEST(CountedOctets, AreNetems) {
  EXPECT_EQ(counted_octets({}, 128), 128u);
  EXPECT_EQ(counted_octets({.packet_overhead = 14}, 128), 142u);
  EXPECT_EQ(counted_octets({.packet_overhead = -200}, 128), 0u);
  EXPECT_EQ(counted_octets({.cell_size = 48, .cell_overhead = 5}, 96), 106u);
  EXPECT_EQ(counted_octets({.cell_size = 48, .cell_overhead = 5}, 97), 159u);
  // ATM's AAL5: a trailer of 8 octets, in cells of 48 with 5 of header.
  EXPECT_EQ(counted_octets({.packet_overhead = 8, .cell_size = 48, .cell_overhead = 5}, 1500),
            32u * 53);
}

TEST(LinkRate, CountsItsOverheadInTime) {
  LinkConfig config;
  config.rate = 1'024'000;
  config.overhead = {.packet_overhead = 128};
  EXPECT_EQ(pass(config, 3, 0ms).fates[2].delay, 6ms);
}

TEST(LinkRate, IsExactOverALongTime) {
  LinkConfig config;
  config.rate = 10'000'000;
  config.queue_packets = 0;
  const Passage passage = pass(config, 50'000, 10us);  // 128 octets: 102.4 us each
  EXPECT_EQ(passage.departures.back().due, at(50'000 * 102'400ns));
}

// ---- limits in octets and time

TEST(LinkQueue, IsLimitedInOctetsWithTheOneBeingSent) {
  LinkConfig config;
  config.rate = 1'024'000;  // 1 ms for the 128 octets of each
  config.queue_packets = 0;
  config.queue_octets = 3 * 128 + 127;
  EXPECT_EQ(dropped_for(pass(config, 5, 0ms), DropCause::kQueue), (std::vector<uint64_t>{4, 5}));
  config.queue_octets = 4 * 128;
  EXPECT_EQ(dropped_for(pass(config, 5, 0ms), DropCause::kQueue), (std::vector<uint64_t>{5}));
  Link link = link_with(config);
  for (uint64_t n = 1; n <= 4; ++n) link.offer(at(0ms), packet(n));
  EXPECT_TRUE(is_dropped(link.offer(at(1ms - 1ns), packet(5))));
  EXPECT_FALSE(is_dropped(link.offer(at(1ms), packet(6))));
}

TEST(LinkQueue, IsLimitedInTimeByTheWait) {
  LinkConfig config;
  config.rate = 1'024'000;
  config.queue_packets = 0;
  config.queue_time = 3ms;  // so the fourth may wait for three others, the fifth not for four
  EXPECT_EQ(dropped_for(pass(config, 6, 0ms), DropCause::kQueue), (std::vector<uint64_t>{5, 6}));
}

// ---- traces

LinkConfig with_trace(std::vector<uint32_t> milliseconds) {
  LinkConfig config;
  config.trace = std::make_shared<const DeliveryTrace>(std::move(milliseconds));
  return config;
}

TEST(LinkTrace, SendsAtItsInstantsOnly) {
  Link link = link_with(with_trace({2, 10}));
  EXPECT_EQ(link.offer(at(0ms), packet(1, 1472)).delay, 2ms);  // 1500 octets
  EXPECT_EQ(link.offer(at(0ms), packet(2, 1472)).delay, 10ms);
  EXPECT_EQ(link.offer(at(1ms), packet(3, 1472)).delay, 11ms);  // it begins anew: 12 ms
  EXPECT_EQ(link.offer(at(100ms), packet(4, 1472)).delay, 2ms);
}

TEST(LinkTrace, HasTheTracesGoodput) {
  // 3 opportunities in 10 ms, offered 10 of 1500 octets: 30 % get through, less what queues.
  LinkConfig config = with_trace({1, 5, 10});
  config.queue_packets = 20;
  Link link = link_with(config);
  std::vector<Departure> departures;
  for (uint64_t n = 1; n <= 10'000; ++n) {
    link.offer(at(n * 1ms), packet(n, 1472));
    link.take_due(at(n * 1ms), departures);
  }
  EXPECT_NEAR(static_cast<double>(departures.size()), 3000, 1);
}

TEST(LinkTrace, IsLimitedByTheQueueAsARateIs) {
  LinkConfig config = with_trace({10});
  config.queue_packets = 2;
  Link link = link_with(config);
  EXPECT_FALSE(is_dropped(link.offer(at(0ms), packet(1, 1472))));
  EXPECT_FALSE(is_dropped(link.offer(at(0ms), packet(2, 1472))));
  EXPECT_EQ(link.offer(at(0ms), packet(3, 1472)).dropped, DropCause::kQueue);
  EXPECT_FALSE(is_dropped(link.offer(at(10ms), packet(4, 1472))));
}

TEST(LinkTrace, GoesOnWhereItIsWhenSomethingElseChanges) {
  LinkConfig config = with_trace({10, 20, 30, 40});
  LinkConfig lossless = config;
  lossless.duplicate = {0};
  config.changes = {{.at = 1ms, .parameters = std::make_shared<const LinkConfig>(lossless)}};
  Link link = link_with(config);
  EXPECT_EQ(link.offer(at(0ms), packet(1, 1472)).delay, 10ms);
  EXPECT_EQ(link.offer(at(0ms), packet(2, 1472)).delay, 20ms);
  EXPECT_EQ(link.offer(at(1ms), packet(3, 1472)).delay, 29ms);
}

TEST(LinkTrace, BeginsBehindWhatWasQueuedForARate) {
  LinkConfig config;
  config.rate = 1'000'000;  // 12 ms for 1500 octets
  config.changes = {
      {.at = 1ms, .parameters = std::make_shared<const LinkConfig>(with_trace({10}))}};
  Link link = link_with(config);
  EXPECT_EQ(link.offer(at(0ms), packet(1, 1472)).delay, 12ms);
  EXPECT_EQ(link.offer(at(1ms), packet(2, 1472)).delay, 19ms);  // not at 10 ms
}

// ---- CoDel

LinkConfig codel_link(bool ecn = false) {
  LinkConfig config;
  config.rate = 10'000'000;
  config.queue_packets = 1000;
  config.codel = CodelParameters{.ecn = ecn};
  return config;
}

OfferedPacket large(uint64_t n, bool ecn_capable = false) {
  OfferedPacket offered = packet(n, 1222);  // 1250 octets: 1 ms at 10 Mbit/s
  offered.ecn_capable = ecn_capable;
  return offered;
}

TEST(LinkCodel, LetsABurstPassThatIsGoneWithinAnInterval) {
  Link link = link_with(codel_link());
  for (uint64_t n = 1; n <= 90; ++n) {
    EXPECT_FALSE(is_dropped(link.offer(at(0ms), large(n)))) << n;  // the last waits 89 ms
  }
}

// RFC 8289 5.3: the first drop an interval after the wait was first too long, the next ones after
// interval / sqrt(2), interval / sqrt(3), ...
TEST(LinkCodel, DropsAtTheInstantsOfItsControlLaw) {
  Link link = link_with(codel_link());
  std::vector<double> dropped_at;  // of the turn, in ms, while the queue is never short
  double begin = 0;
  for (uint64_t n = 1; n <= 600; ++n) {
    const Fate fate = link.offer(at(0ms), large(n));
    if (is_dropped(fate)) {
      ASSERT_EQ(fate.dropped, DropCause::kCodel);
      dropped_at.push_back(begin);
    } else {
      begin = static_cast<double>((fate.delay).count()) / 1e6;
    }
  }
  ASSERT_GE(dropped_at.size(), 10u);
  // The packet whose turn is at 5 ms is the first to have waited for 5 ms.
  double expected = 105;
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_NEAR(dropped_at[i], std::ceil(expected), 1) << i;
    expected += 100 / std::sqrt(static_cast<double>(i) + 1);
  }
}

// A sender that halves its rate when it loses something, as Reno does, beside a queue for 1000.
std::vector<double> waits_of_a_reno(const LinkConfig& config, bool ecn_capable) {
  Link link = link_with(config);
  std::vector<double> waits;
  Instant now = at(0ms);
  double window = 10, in_round = 0;
  bool halved = false;
  Duration round = 20ms;
  for (uint64_t n = 1; n <= 60'000; ++n) {
    now += Duration(static_cast<int64_t>(static_cast<double>(round.count()) / window));
    const Fate fate = link.offer(now, large(n, ecn_capable));
    link.take_due(now);
    if (is_dropped(fate) || fate.marked) {
      if (!halved) window = std::max(window / 2, 2.0);
      halved = true;
    } else {
      round = 20ms + fate.delay;
      if (n > 10'000) waits.push_back(static_cast<double>((fate.delay - 1ms).count()) / 1e6);
    }
    if (++in_round >= window) {
      window += halved ? 0 : 1;
      in_round = 0;
      halved = false;
    }
  }
  std::ranges::sort(waits);
  return waits;
}

TEST(LinkCodel, KeepsTheWaitNearItsTarget) {
  LinkConfig tail_drop = codel_link();
  tail_drop.codel.reset();
  const auto with = waits_of_a_reno(codel_link(), false);
  const auto without = waits_of_a_reno(tail_drop, false);
  EXPECT_LT(with[with.size() / 2], 10);  // the target is 5 ms
  EXPECT_GT(with[with.size() / 2], 1);
  EXPECT_GT(without[without.size() / 2], 100);
}

TEST(LinkCodel, MarksInsteadOfDroppingWhatIsEcnCapable) {
  const auto offer_all = [](bool ecn, bool capable) {
    Link link = link_with(codel_link(ecn));
    int dropped = 0, marked = 0;
    for (uint64_t n = 1; n <= 400; ++n) {
      const Fate fate = link.offer(at(0ms), large(n, capable));
      dropped += fate.dropped == DropCause::kCodel ? 1 : 0;
      marked += fate.marked ? 1 : 0;
    }
    int left_marked = 0;
    for (const Departure& departure : link.take_due(at(10s))) left_marked += departure.mark ? 1 : 0;
    EXPECT_EQ(left_marked, marked);
    return std::pair(dropped > 0, marked > 0);
  };
  EXPECT_EQ(offer_all(true, true), std::pair(false, true));
  EXPECT_EQ(offer_all(true, false), std::pair(true, false));
  EXPECT_EQ(offer_all(false, true), std::pair(true, false));
}

TEST(LinkCodel, DropsNothingFromAQueueOfOnePacket) {
  LinkConfig config = codel_link();
  config.rate = 100'000;  // 100 ms a packet: every one waits for longer than the target
  Link link = link_with(config);
  for (uint64_t n = 1; n <= 100; ++n) {
    EXPECT_FALSE(is_dropped(link.offer(at((n - 1) / 2 * 200ms), large(n)))) << n;
  }
}

// A copy that CoDel drops leaves the other one; the original's damage goes with the original.
TEST(LinkCodel, DropsCopiesOneByOne) {
  LinkConfig config = codel_link();
  config.duplicate = config.corrupt = {1'000'000};
  Link link = link_with(config);
  int halves = 0;
  for (uint64_t n = 1; n <= 200; ++n) {
    const Fate fate = link.offer(at(0ms), large(n));
    if (!fate.copy_dropped) continue;
    ++halves;
    EXPECT_EQ(fate.copy_cause, DropCause::kCodel);
    EXPECT_EQ(fate.copies, 1u);
  }
  EXPECT_GT(halves, 0);
  for (const Departure& departure : link.take_due(at(10s))) {
    EXPECT_EQ(departure.corrupt_bit.has_value(), departure.copy == 0);
  }
  EXPECT_TRUE(link.empty());
}

// ---- rules

TEST(LinkRules, MarkWhatIsEcnCapableAndNothingElse) {
  Link link = link_with(with_rule({.action = Action::kMark}));
  EXPECT_TRUE(link.offer(at(0ms), large(1, true)).marked);
  EXPECT_TRUE(link.offer(at(0ms), large(2, false)).delivered_untouched());
  const auto departures = link.take_due(at(0ms));
  EXPECT_TRUE(departures[0].mark);
  EXPECT_FALSE(departures[1].mark);
}

OfferedPacket of_flow(uint64_t ordinal, uint64_t number, uint16_t port, uint32_t size = 100) {
  OfferedPacket offered = packet(ordinal, size);
  offered.flow_number = number;
  offered.service = port;
  offered.service_port = port;
  return offered;
}

TEST(LinkRules, MatchByPortFlowAndSize) {
  const auto drops = [](LinkRule rule, const OfferedPacket& offered) {
    Link link = link_with(with_rule(std::move(rule)));
    return is_dropped(link.offer(at(0ms), offered));
  };
  EXPECT_TRUE(drops({.port = 53}, of_flow(1, 1, 53)));
  EXPECT_FALSE(drops({.port = 53}, of_flow(1, 1, 54)));
  EXPECT_TRUE(drops({.flow = 2}, of_flow(1, 2, 53)));
  EXPECT_FALSE(drops({.flow = 2}, of_flow(1, 1, 53)));
  EXPECT_TRUE(drops({.size = Range<int64_t>{100, 200}}, of_flow(1, 1, 53)));
  EXPECT_FALSE(drops({.size = Range<int64_t>{101, 200}}, of_flow(1, 1, 53)));
}

TEST(LinkRules, CountAgainAfterEveryN) {
  EXPECT_EQ(pass(with_rule({.every = 3}), 10).ordinals_where(is_dropped),
            (std::vector<uint64_t>{3, 6, 9}));
  EXPECT_EQ(pass(with_rule({.nth = {1, 2}, .every = 4}), 10).ordinals_where(is_dropped),
            (std::vector<uint64_t>{1, 2, 5, 6, 9, 10}));
}

TEST(LinkRules, CountEachFlowApartIfTheySaySo) {
  const auto dropped = [](bool per_flow) {
    Link link = link_with(with_rule({.nth = {2}, .per_flow = per_flow}));
    std::vector<std::pair<uint64_t, uint64_t>> found;
    for (uint64_t n = 1; n <= 3; ++n) {
      for (uint64_t flow = 1; flow <= 2; ++flow) {
        if (is_dropped(link.offer(at(0ms), of_flow(n, flow, 53)))) found.emplace_back(flow, n);
      }
    }
    return found;
  };
  EXPECT_EQ(dropped(false), (std::vector<std::pair<uint64_t, uint64_t>>{{2, 1}}));
  EXPECT_EQ(dropped(true), (std::vector<std::pair<uint64_t, uint64_t>>{{1, 2}, {2, 2}}));
}

// ---- changes

TEST(LinkChanges, CutTheDirectionFromTheirInstantOn) {
  LinkConfig config;
  config.changes = {{.at = 3ms, .cut = true}, {.at = 5ms, .cut = false}};
  EXPECT_FALSE(config.is_transparent());
  const Passage passage = pass(config, 8);  // the n-th is offered at n - 1 ms
  EXPECT_EQ(dropped_for(passage, DropCause::kPartition), (std::vector<uint64_t>{4, 5}));
}

TEST(LinkChanges, LetWhatIsUnderWayArrive) {
  LinkConfig config;
  config.delay = {10ms, 10ms};
  config.changes = {{.at = 1ms, .cut = true}};
  EXPECT_EQ(pass(config, 3).handles(), std::vector<uint64_t>{1});
}

TEST(LinkChanges, ReplaceTheParametersAndKeepTheRules) {
  LinkConfig slow;
  slow.delay = {50ms, 50ms};
  LinkConfig config = with_rule({.nth = {2, 6}, .action = Action::kDrop});
  config.changes = {{.at = 3ms, .parameters = std::make_shared<const LinkConfig>(slow)},
                    {.at = 5ms, .parameters = std::make_shared<const LinkConfig>()}};
  const Passage passage = pass(config, 8);
  std::vector<int64_t> delays;
  for (const Fate& fate : passage.fates) delays.push_back(fate.delay / 1ms);
  // The sixth is dropped; those behind are held up by those before them, which keep their delay.
  EXPECT_EQ(delays, (std::vector<int64_t>{0, 0, 0, 50, 50, 0, 48, 47}));
  EXPECT_EQ(passage.ordinals_where(is_dropped), (std::vector<uint64_t>{2, 6}));
}

TEST(LinkChanges, AreAllMadeIfSeveralHavePassed) {
  LinkConfig lossy;
  lossy.loss = {1'000'000};
  LinkConfig config;
  config.changes = {{.at = 1ms, .cut = true},
                    {.at = 2ms, .parameters = std::make_shared<const LinkConfig>(lossy)},
                    {.at = 2ms, .cut = false}};
  Link link = link_with(config);
  EXPECT_FALSE(is_dropped(link.offer(at(0ms), packet(1))));
  EXPECT_EQ(link.offer(at(1s), packet(2)).dropped, DropCause::kLoss);
}

TEST(LinkConfigFaults, AreNamedAlsoIfTheyComeLater) {
  LinkConfig config;
  EXPECT_EQ(config.first_fault(Transport::kTcp), "");
  config.changes = {{.at = 1s, .cut = true}};
  EXPECT_EQ(config.first_fault(Transport::kTcp), "a partition");
  LinkConfig slow;
  slow.trace = std::make_shared<const DeliveryTrace>(std::vector<uint32_t>{1});
  config.changes = {{.at = 1s, .parameters = std::make_shared<const LinkConfig>(slow)}};
  EXPECT_EQ(config.first_fault(Transport::kTcp), "trace");
  LinkConfig tcp_alone;
  tcp_alone.mtu = 600;
  EXPECT_EQ(tcp_alone.first_fault(Transport::kTcp), "mtu");
  EXPECT_EQ(tcp_alone.first_fault(Transport::kUdp), "");
  EXPECT_FALSE(tcp_alone.is_transparent());
}

}  // namespace
}  // namespace netrig::link_test
