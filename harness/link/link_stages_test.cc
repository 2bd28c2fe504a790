// Rate, queue, delay, reorder and the limits: stages 6 to 8 of link.h.
#include <gtest/gtest.h>
#include <map>
#include <vector>

#include "harness/link/link.h"
#include "harness/link/link_passage.h"

namespace netrig::link_test {
namespace {

// ---- rate and queue

TEST(LinkRate, SendsOnePacketAfterTheOther) {
  LinkConfig config;
  config.rate = 1'024'000;  // 128 octets, header included, take 1 ms
  const Passage passage = pass(config, 3, 0ms);
  EXPECT_EQ(passage.departures[0].due, at(1ms));
  EXPECT_EQ(passage.departures[1].due, at(2ms));
  EXPECT_EQ(passage.departures[2].due, at(3ms));
  EXPECT_EQ(passage.fates[2].delay, 3ms);
}

TEST(LinkRate, RoundsUpToTheNanosecondAndDoesNotOverflow) {
  LinkConfig config;
  config.rate = 3'000'000'000;
  Link fast = link_with(config);
  EXPECT_EQ(fast.offer(at(0ms), packet(1)).delay, 342ns);  // 128 * 8 / 3 = 341.33
  config.rate = 1;
  Link slow = link_with(config);
  for (uint64_t n = 1; n <= 5; ++n) slow.offer(at(0ms), packet(n, 0xFFFFFFFF));
  EXPECT_EQ(slow.next_due(), Instant::max());
}

TEST(LinkQueue, DropsExactlyWhatFindsItFull) {
  LinkConfig config;
  config.rate = 1'024'000;
  config.queue_packets = 3;
  Link link = link_with(config);
  // At one instant: three fit, the one being sent included.
  for (uint64_t n = 1; n <= 5; ++n) {
    const Fate fate = link.offer(at(0ms), packet(n));
    EXPECT_EQ(fate.dropped, n <= 3 ? DropCause::kNone : DropCause::kQueue) << n;
  }
  // The first is sent until 1 ms: a nanosecond earlier the queue is full, then one place is free.
  EXPECT_EQ(link.offer(at(1ms - 1ns), packet(6)).dropped, DropCause::kQueue);
  EXPECT_EQ(link.offer(at(1ms), packet(7)).delay, 3ms);
  EXPECT_EQ(link.offer(at(1ms), packet(8)).dropped, DropCause::kQueue);
  EXPECT_EQ(link.take_due(at(10ms)).size(), 4u);
}

TEST(LinkQueue, LosesTheShareThatExceedsTheRate) {
  LinkConfig config;
  config.rate = 512'000;  // 2 ms a packet, offered every 1 ms: of 1000 every second one passes
  config.queue_packets = 10;
  const Passage passage = pass(config, 1000);
  // 500 sent while packets are offered, and what the queue still holds then.
  EXPECT_EQ(passage.departures.size(), 509u);
}

TEST(LinkQueue, MayTakeTheOriginalAndRefuseTheDuplicate) {
  LinkConfig config;
  config.rate = 1'024'000;
  config.queue_packets = 1;
  config.duplicate = {1'000'000};
  Link link = link_with(config);
  const Fate fate = link.offer(at(0ms), packet(1));
  EXPECT_EQ(fate.dropped, DropCause::kNone);
  EXPECT_EQ(fate.copies, 1u);
  EXPECT_TRUE(fate.copy_dropped);
  EXPECT_TRUE(link.take_due(at(1ms)).at(0).last);
}

TEST(LinkQueue, HasNoLimitWithoutARate) {
  LinkConfig config;
  config.queue_packets = 1;
  config.delay = {1s, 1s};
  EXPECT_EQ(pass(config, 100, 0ms).departures.size(), 100u);
}

// ---- delay

TEST(LinkDelay, IsExactIfFixed) {
  LinkConfig config;
  config.delay = {20ms, 20ms};
  Link link = link_with(config);
  EXPECT_EQ(link.offer(at(3ms), packet(1)).delay, 20ms);
  EXPECT_EQ(link.next_due(), at(23ms));
  EXPECT_TRUE(link.take_due(at(23ms - 1ns)).empty());
  EXPECT_EQ(link.take_due(at(23ms)).size(), 1u);
}

TEST(LinkDelay, IsUniformBetweenBothEndsIfPacketsAreFarApart) {
  LinkConfig config;
  config.delay = {15ns, 24ns};
  std::map<int64_t, uint64_t> counts;
  for (const Fate& fate : pass(config, 10'000).fates) ++counts[fate.delay.count()];
  EXPECT_EQ(counts.size(), 10u);
  EXPECT_EQ(counts.begin()->first, 15);
  EXPECT_EQ(counts.rbegin()->first, 24);
  for (const auto& [delay, count] : counts) expect_rate(count, 10'000, 0.1);
}

TEST(LinkDelay, NeverReordersByJitterAlone) {
  LinkConfig config;
  config.delay = {0ms, 50ms};
  const Passage passage = pass(config, 10'000, 100us);
  for (size_t i = 1; i < passage.departures.size(); ++i) {
    ASSERT_LT(passage.departures[i - 1].handle, passage.departures[i].handle);
    ASSERT_LE(passage.departures[i - 1].due, passage.departures[i].due);
  }
}

// ---- reorder

TEST(LinkReorder, HoldsAPacketUntilTheNextHasPassed) {
  LinkConfig config = with_rule({.nth = {1}, .action = Action::kReorder});
  config.delay = {20ms, 20ms};
  Link link = link_with(config);
  EXPECT_TRUE(link.offer(at(0ms), packet(1)).reordered);
  EXPECT_TRUE(link.take_due(at(20ms)).empty());
  link.offer(at(5ms), packet(2));
  EXPECT_EQ(link.next_due(), at(25ms));
  const std::vector<Departure> departures = link.take_due(at(25ms));
  ASSERT_EQ(departures.size(), 2u);
  EXPECT_EQ(departures[0].handle, 2u);
  EXPECT_EQ(departures[1].handle, 1u);
  EXPECT_EQ(departures[1].due, at(25ms));  // right after it
}

TEST(LinkReorder, LeavesRightAfterThePacketThatPassedIt) {
  // 1 is held; 2 and 3 are due at one instant: 1 leaves between them.
  EXPECT_EQ(pass(with_rule({.nth = {1}, .action = Action::kReorder}), 3, 0ms).handles(),
            (std::vector<uint64_t>{2, 1, 3}));
}

TEST(LinkReorder, AHeldPacketLetsNoOtherHeldPacketGo) {
  EXPECT_EQ(pass(with_rule({.nth = {1, 2, 3}, .action = Action::kReorder}), 5).handles(),
            (std::vector<uint64_t>{4, 1, 2, 3, 5}));
}

TEST(LinkReorder, HoldsAPacketNoLongerThanTheLimit) {
  LinkConfig config = with_rule({.nth = {1}, .action = Action::kReorder});
  config.delay = {20ms, 20ms};
  Link link = link_with(config);
  link.offer(at(0ms), packet(1));
  EXPECT_EQ(link.next_due(), at(20ms) + kReorderHoldMax);
  EXPECT_TRUE(link.take_due(at(20ms) + kReorderHoldMax - 1ns).empty());
  const std::vector<Departure> departures = link.take_due(at(20ms) + kReorderHoldMax);
  ASSERT_EQ(departures.size(), 1u);
  EXPECT_EQ(departures[0].due, at(20ms) + kReorderHoldMax);
}

TEST(LinkReorder, GivesTheSameOrderHoweverLateItIsAsked) {
  LinkConfig config;
  config.reorder = {300'000};
  config.duplicate = {100'000};
  config.delay = {0ms, 9ms};
  config.rules = {{.nth = {5, 50, 51}, .action = Action::kDelay, .delay = 300ms}};
  Link late = link_with(config);
  for (uint64_t n = 1; n <= 500; ++n) late.offer(at(n * 1ms - 1ms), packet(n));
  std::vector<uint64_t> handles;
  for (const Departure& departure : late.take_due(at(1h))) handles.push_back(departure.handle);
  EXPECT_EQ(handles, pass(config, 500).handles());
}

TEST(LinkReorder, ReordersExactlyAsManyAsRfc4737Counts) {
  LinkConfig config;
  config.reorder = {50'000};
  config.loss = {100'000};
  config.delay = {15ms, 25ms};
  const Passage passage = pass(config, 100'000);
  // The last packet that is not held lets every other go; what follows it was held for nothing.
  uint64_t held = 0, last_held = 0;
  for (size_t i = 0; i < passage.fates.size(); ++i) {
    held += passage.fates[i].reordered ? 1 : 0;
    const bool passes = !is_dropped(passage.fates[i]);
    last_held = passage.fates[i].reordered ? last_held + 1 : passes ? 0 : last_held;
  }
  EXPECT_EQ(reordered_by_rfc4737(passage.handles()), held - last_held);
  expect_rate(passage.ordinals_where(is_reordered).size(), 90'000, 0.05);
}

TEST(LinkReorder, HoldsBothCopiesSoThatADuplicateDoesNotHideIt) {
  LinkConfig config = with_rule({.nth = {1}, .action = Action::kReorder});
  config.rules.push_back({.nth = {1}, .action = Action::kDuplicate});
  EXPECT_EQ(pass(config, 3).handles(), (std::vector<uint64_t>{2, 1, 1, 3}));
}

TEST(LinkReorder, DoesNotHoldWhatWasOvertakenBeforeItsDueTime) {
  LinkConfig config = with_rule({.nth = {1}, .action = Action::kReorder});
  config.rules.push_back({.nth = {1}, .action = Action::kDelay, .delay = 30ms});
  const Passage passage = pass(config, 3, 10ms);
  EXPECT_EQ(passage.handles(), (std::vector<uint64_t>{2, 3, 1}));
  EXPECT_EQ(passage.departures[2].due, at(30ms));
}

TEST(LinkReorder, EndsAHoldInTheOrderOfOffersIfAnotherIsDueThen) {
  // 1 is held until 100 ms, when 2 is due: 1 leaves first.
  EXPECT_EQ(pass(with_rule({.nth = {1}, .action = Action::kReorder}), 2, 100ms).handles(),
            (std::vector<uint64_t>{1, 2}));
  // 1 is due at 100 ms by a rule, 2 is held until then: again 1 leaves first.
  LinkConfig config = with_rule({.nth = {1}, .action = Action::kDelay, .delay = 100ms});
  config.rules.push_back({.nth = {2}, .action = Action::kReorder});
  EXPECT_EQ(pass(config, 2, 0ms).handles(), (std::vector<uint64_t>{1, 2}));
}

// ---- limits

TEST(LinkLimit, DropsBeyondThePacketsUnderWay) {
  LinkConfig config;
  config.delay = {1h, 1h};
  Link link = link_with(config);
  for (uint64_t n = 1; n <= kPacketsUnderWayMax; ++n) {
    ASSERT_FALSE(is_dropped(link.offer(at(0ms), packet(n))));
  }
  EXPECT_EQ(link.offer(at(0ms), packet(1)).dropped, DropCause::kQueue);
  EXPECT_EQ(link.take_due(at(1h)).size(), kPacketsUnderWayMax);
  EXPECT_FALSE(is_dropped(link.offer(at(1h), packet(1))));
}

TEST(LinkLimit, HoldsAnEndlessDelayWithoutOverflow) {
  LinkConfig config;
  config.delay = {Duration::max(), Duration::max()};
  config.reorder = {1'000'000};
  config.rules = {{.action = Action::kDelay, .delay = Duration::max()}};
  Link link = link_with(config);
  link.offer(at(1h), packet(1));
  EXPECT_EQ(link.next_due(), Instant::max());
}

}  // namespace
}  // namespace netrig::link_test
