#include "harness/sockets/timer_queue.h"

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace netrig {
namespace {

std::function<void()> nothing() {
  return [] {};
}

TEST(TimerQueue, TakesTheEarliestFirstAndOfOneInstantTheOldest) {
  TimerQueue queue;
  std::string order;
  queue.add(Instant{2ms}, true, [&] { order += 'c'; });
  queue.add(Instant{1ms}, true, [&] { order += 'a'; });
  queue.add(Instant{1ms}, true, [&] { order += 'b'; });
  while (queue.first() != Instant::max()) queue.take_first()();
  EXPECT_EQ(order, "abc");
}

TEST(TimerQueue, WhatIsAddedInARoundIsNotOfItAndMayBeCancelledInIt) {
  TimerQueue queue;
  queue.add(Instant{2ms}, true, nothing());
  queue.begin_round();
  const TimerId kept = queue.add(Instant{1ms}, true, nothing());
  const TimerId cancelled = queue.add(Instant{1ms}, true, nothing());
  EXPECT_EQ(queue.first(), Instant{2ms});
  EXPECT_TRUE(queue.cancel(cancelled));
  EXPECT_FALSE(queue.cancel(cancelled));
  queue.end_round();
  EXPECT_EQ(queue.first(), Instant{1ms});
  EXPECT_TRUE(queue.cancel(kept));
  EXPECT_EQ(queue.first(), Instant{2ms});
}

TEST(TimerQueue, NobodyWaitsForWatchdogs) {
  TimerQueue queue;
  queue.add(Instant{1ms}, false, nothing());
  EXPECT_EQ(queue.first_awaited(), Instant::max());
  const TimerId awaited = queue.add(Instant{2ms}, true, nothing());
  EXPECT_EQ(queue.first_awaited(), Instant{1ms});
  queue.cancel(awaited);
  EXPECT_EQ(queue.first_awaited(), Instant::max());
}

// The place of a timer is used again at once; its name is not.
TEST(TimerQueue, ATimerThatIsGoneCannotBeCancelledInPlaceOfANewerOne) {
  TimerQueue queue;
  const TimerId old = queue.add(Instant{1ms}, true, nothing());
  queue.take_first();
  const TimerId young = queue.add(Instant{1ms}, true, nothing());
  EXPECT_LT(old, young);
  EXPECT_FALSE(queue.cancel(old));
  EXPECT_TRUE(queue.cancel(young));
  EXPECT_FALSE(queue.cancel(0));
}

// Against a sorted map, with a generator of its own (no std:: distributions here).
TEST(TimerQueue, AgreesWithASortedMapWhateverComesAndGoes) {
  TimerQueue queue;
  std::map<std::pair<Instant, TimerId>, int> model;
  std::vector<std::pair<Instant, TimerId>> names;
  uint64_t random = 1;
  for (int i = 0; i < 20'000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const uint64_t draw = random >> 33;
    if (draw % 3 != 0) {
      const Instant when{Duration(static_cast<int64_t>(draw / 3 % 100))};
      names.emplace_back(when, queue.add(when, true, nothing()));
      model.emplace(names.back(), 0);
    } else if (draw % 2 == 0 && !names.empty()) {
      const auto& chosen = names[draw / 6 % names.size()];
      EXPECT_EQ(queue.cancel(chosen.second), model.erase(chosen) > 0);
    } else if (!model.empty()) {
      ASSERT_EQ(queue.first(), model.begin()->first.first);
      queue.take_first();
      model.erase(model.begin());
    }
    ASSERT_EQ(queue.first() != Instant::max(), !model.empty());
  }
}

}  // namespace
}  // namespace netrig
