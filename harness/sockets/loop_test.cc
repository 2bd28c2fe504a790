#include "harness/sockets/loop.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "harness/sockets/loop_testing.h"

namespace netrig {
namespace {

Instant at_ms(int64_t milliseconds) {
  return Instant(std::chrono::milliseconds(milliseconds));
}

TEST(Loop, RunsFibersInOrderOfSpawning) {
  TestLoop loop;
  std::string order;
  for (const char c : {'a', 'b', 'c'}) loop.spawn("f", [&order, c] { order += c; });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(order, "abc");
}

TEST(Loop, YieldLetsEveryOtherRunnableFiberRunOnce) {
  TestLoop loop;
  std::string order;
  for (const char c : {'a', 'b', 'c'}) {
    loop.spawn("f", [&, c] {
      order += c;
      loop.yield();
      order += c;
    });
  }
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(order, "abcabc");
}

TEST(Loop, TimersOfOneInstantFireInOrderOfCreation) {
  TestLoop loop;
  std::string order;
  loop.at(at_ms(2), [&] { order += 'c'; });
  loop.at(at_ms(1), [&] { order += 'a'; });
  loop.at(at_ms(1), [&] { order += 'b'; });
  EXPECT_EQ(loop.run_until([&] { return order.size() == 3; }), Loop::Ended::kFinished);
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(loop.now(), at_ms(2));
}

TEST(Loop, CancelledTimerDoesNotFireAndAFiredOneCannotBeCancelled) {
  TestLoop loop;
  int fired = 0;
  const TimerId first = loop.at(at_ms(1), [&] { ++fired; });
  const TimerId second = loop.at(at_ms(2), [&] { ++fired; });
  EXPECT_TRUE(loop.cancel(first));
  EXPECT_FALSE(loop.cancel(first));
  loop.run_until([&] { return fired > 0; });
  EXPECT_EQ(loop.now(), at_ms(2));
  EXPECT_FALSE(loop.cancel(second));
}

TEST(Loop, TimerThatATimerAddsForNowWaitsForTheNextTurn) {
  TestLoop loop;
  int turn_of_second = 0;
  loop.at(at_ms(1), [&] {
    const int turn = loop.turns;
    loop.at(at_ms(1), [&, turn] { turn_of_second = loop.turns - turn; });
  });
  loop.run_until([&] { return turn_of_second > 0; });
  EXPECT_EQ(turn_of_second, 1);
}

TEST(Loop, ParkReturnsWhenWoken) {
  TestLoop loop;
  auto woken = Loop::Woken::kDeadline;
  const FiberId waiter = loop.spawn("waiter", [&] { woken = loop.park(at_ms(100)); });
  loop.spawn("waker", [&] {
    loop.sleep_until(at_ms(5));
    loop.wake(waiter);
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(woken, Loop::Woken::kWoken);
  EXPECT_EQ(loop.now(), at_ms(5));
}

TEST(Loop, ParkGivesUpAtItsOwnDeadlineOrTheFibersWhicheverIsFirst) {
  TestLoop loop;
  loop.spawn("f", [&] {
    EXPECT_EQ(loop.park(at_ms(3)), Loop::Woken::kDeadline);
    EXPECT_EQ(loop.now(), at_ms(3));
    loop.set_deadline(at_ms(7));
    EXPECT_EQ(loop.park(at_ms(50)), Loop::Woken::kDeadline);
    EXPECT_EQ(loop.now(), at_ms(7));
    EXPECT_EQ(loop.park(), Loop::Woken::kDeadline);
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(loop.now(), at_ms(7));
}

TEST(Loop, DeadlineBelongsToTheFiberAndAScopeNeverExtendsIt) {
  TestLoop loop;
  loop.spawn("a", [&] {
    const DeadlineScope outer(loop, at_ms(10));
    {
      const DeadlineScope inner(loop, at_ms(20));
      EXPECT_EQ(loop.deadline(), at_ms(10));
      loop.yield();
      EXPECT_EQ(loop.deadline(), at_ms(10));
    }
  });
  loop.spawn("b", [&] { EXPECT_EQ(loop.deadline(), Instant::max()); });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
}

TEST(Loop, SleepIsCutShortByTheFibersDeadlineAndSaysSo) {
  TestLoop loop;
  loop.spawn("f", [&] {
    EXPECT_EQ(loop.sleep_until(at_ms(4)), Loop::Woken::kWoken);
    loop.set_deadline(at_ms(6));
    EXPECT_EQ(loop.sleep_until(at_ms(9)), Loop::Woken::kDeadline);
  });
  loop.run();
  EXPECT_EQ(loop.now(), at_ms(6));
}

TEST(Loop, FiberInheritsItsMakersActivityAndKeepsItsOwn) {
  TestLoop loop;
  std::string child;
  std::string parent;
  loop.spawn("parent", [&] {
    loop.set_activity("client step 1");
    loop.spawn("child", [&] {
      child = loop.activity();
      loop.set_activity("other");
    });
    loop.yield();
    loop.yield();
    parent = loop.activity();
  });
  loop.run();
  EXPECT_EQ(child, "client step 1");
  EXPECT_EQ(parent, "client step 1");
  EXPECT_EQ(loop.activity(), "");
}

TEST(Loop, IsStuckWhenFibersWaitForEver) {
  TestLoop loop;
  loop.spawn("f", [&] { loop.park(); });
  EXPECT_EQ(loop.run(), Loop::Ended::kStuck);
  EXPECT_EQ(loop.fiber_count(), 1u);
}

TEST(Loop, WatchdogIsNoReasonToWait) {
  TestLoop loop;
  bool barked = false;
  loop.watchdog(at_ms(50), [&] { barked = true; });
  loop.spawn("f", [&] { loop.park(); });
  EXPECT_EQ(loop.run(), Loop::Ended::kStuck);
  EXPECT_FALSE(barked);
}

TEST(Loop, WatchdogFiresInTimeWhileSomethingStillHappens) {
  TestLoop loop;
  Instant barked{};
  loop.watchdog(at_ms(50), [&] {
    barked = loop.now();
    loop.stop();
  });
  loop.spawn("f", [&] {
    while (true) loop.sleep_until(loop.now() + 20ms);
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kStopped);
  EXPECT_EQ(barked, at_ms(50));
}

TEST(Loop, RunUntilStopsAsSoonAsItsConditionHolds) {
  TestLoop loop;
  loop.spawn("f", [&] {
    while (true) loop.sleep_until(loop.now() + 1ms);
  });
  EXPECT_EQ(loop.run_until([&] { return loop.now() >= at_ms(5); }), Loop::Ended::kFinished);
  EXPECT_EQ(loop.now(), at_ms(5));
}

TEST(Loop, RunGoesOnWhileTheOutsideMayWakeAFiber) {
  TestLoop loop;
  const FiberId fiber = loop.spawn("f", [&] { loop.park(); });
  int asked = 0;
  loop.outside = [&] {
    if (++asked == 3) loop.wake(fiber);
    return true;
  };
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(asked, 3);
}

TEST(Loop, JoinReturnsWhenTheOtherEndsAndAtOnceIfItHas) {
  TestLoop loop;
  std::vector<Instant> joined;
  const FiberId worker = loop.spawn("worker", [&] { loop.sleep_until(at_ms(5)); });
  loop.spawn("joiner", [&] {
    EXPECT_EQ(loop.join(worker), Loop::Woken::kWoken);
    joined.push_back(loop.now());
    EXPECT_EQ(loop.join(worker), Loop::Woken::kWoken);
    joined.push_back(loop.now());
  });
  loop.run();
  EXPECT_EQ(joined, (std::vector<Instant>{at_ms(5), at_ms(5)}));
}

TEST(Loop, JoinGivesUpAtTheDeadlineAndIsForgotten) {
  TestLoop loop;
  const FiberId worker = loop.spawn("worker", [&] { loop.sleep_until(at_ms(50)); });
  loop.spawn("joiner", [&] {
    {
      const DeadlineScope scope(loop, at_ms(5));
      EXPECT_EQ(loop.join(worker), Loop::Woken::kDeadline);
    }
    // If the worker still knew its joiner, this sleep would be cut at 50 ms; sleep_until hides
    // that, a bare park does not.
    EXPECT_EQ(loop.park(at_ms(60)), Loop::Woken::kDeadline);
    EXPECT_EQ(loop.now(), at_ms(60));
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
}

TEST(Loop, DestroyUnwindsFibersThatWaitOnEachOther) {
  TestLoop loop;
  int unwound = 0;
  FiberId first = 0;
  FiberId second = 0;
  struct Count {
    TestLoop& loop;
    int& unwound;
    FiberId& other;
    ~Count() {
      ++unwound;
      EXPECT_TRUE(loop.unwinding());
      loop.wake(other);
      // A destructor that would like to wait is told that time is up.
      EXPECT_EQ(loop.park(), Loop::Woken::kDeadline);
    }
  };
  first = loop.spawn("first", [&] {
    const Count count{loop, unwound, second};
    loop.join(second);
  });
  second = loop.spawn("second", [&] {
    const Count count{loop, unwound, first};
    loop.join(first);
  });
  loop.spawn("third", [&] { loop.park(at_ms(1000)); });
  EXPECT_EQ(loop.run_until([&] { return true; }), Loop::Ended::kFinished);
  loop.destroy_fibers();
  EXPECT_EQ(unwound, 2);
  EXPECT_EQ(loop.fiber_count(), 0u);
  // The parked fiber's timer went with it: nothing is left that could happen.
  EXPECT_EQ(loop.run_until([] { return false; }), Loop::Ended::kFinished);
  EXPECT_EQ(loop.now(), Instant{});
}

TEST(Loop, TenThousandFibersRunAtOnce) {
  TestLoop loop;
  int ended = 0;
#ifdef __SANITIZE_THREAD__
  const int fibers = 500;  // ThreadSanitizer keeps more than a megabyte for each
#else
  const int fibers = 10'000;
#endif
  for (int i = 0; i < fibers; ++i) {
    loop.spawn("f", [&] {
      loop.sleep_until(at_ms(1));
      ++ended;
    });
  }
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(ended, fibers);
}

}  // namespace
}  // namespace netrig
