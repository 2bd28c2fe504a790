#include "fakes/network/fake_loop.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace netrig {
namespace {

Instant at(Duration since_start) {
  return Instant{since_start};
}

TEST(FakeLoop, JumpsToTheNextTimerWithoutWaiting) {
  FakeLoop loop;
  loop.spawn("sleeper", [&] { loop.sleep_until(at(24h)); });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(loop.now(), at(24h));
}

TEST(FakeLoop, IsStuckOnceNeitherEventNorTimerIsLeft) {
  FakeLoop loop;
  loop.spawn("waits for ever", [&] { loop.park(); });
  loop.watchdog(at(1h), [] { ADD_FAILURE() << "no reason to wait"; });
  EXPECT_EQ(loop.run(), Loop::Ended::kStuck);
  EXPECT_EQ(loop.now(), at(0s));
}

TEST(FakeLoop, AWatchdogEndsARunWhoseEventsNeverEnd) {
  FakeLoop loop;
  Alarm* self = nullptr;
  Alarm alarm(loop.events(), EventClass::kTimer, 0, [&] { self->set(loop.now() + 1s); });
  self = &alarm;
  alarm.set(at(1s));
  loop.spawn("waits for ever", [&] { loop.park(); });
  loop.watchdog(at(10500ms), [&] { loop.stop(); });
  EXPECT_EQ(loop.run(), Loop::Ended::kStopped);
  EXPECT_EQ(loop.now(), at(10500ms));
}

TEST(FakeLoop, FiresEventsOfAnInstantBeforeItsTimers) {
  FakeLoop loop;
  std::vector<std::string> order;
  Alarm first(loop.events(), EventClass::kArrival, 0, [&] { order.push_back("event 1"); });
  Alarm second(loop.events(), EventClass::kTimer, 0, [&] { order.push_back("event 2"); });
  loop.at(at(1ms), [&] { order.push_back("timer"); });
  first.set(at(1ms));
  second.set(at(1ms));
  loop.run_until([&] { return order.size() == 3; });
  EXPECT_EQ(order, (std::vector<std::string>{"event 1", "event 2", "timer"}));
}

// The second event of the instant comes although the first made a fiber runnable, and the timer of
// that instant must still not overtake it: whoever it wakes was served in time.
TEST(FakeLoop, AFiberRunsBetweenEventsOfAnInstantButNoTimerDoes) {
  FakeLoop loop;
  std::vector<std::string> order;
  const FiberId early = loop.spawn("early", [&] {
    loop.park();
    order.push_back("early");
  });
  Loop::Woken woken = Loop::Woken::kDeadline;
  const FiberId late = loop.spawn("late", [&] {
    woken = loop.park(at(1ms));
    order.push_back("late");
  });
  Alarm first(loop.events(), EventClass::kArrival, 0, [&] { loop.wake(early); });
  Alarm second(loop.events(), EventClass::kArrival, 0, [&] {
    order.push_back("event");
    loop.wake(late);
  });
  first.set(at(1ms));
  second.set(at(1ms));
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(order, (std::vector<std::string>{"early", "event", "late"}));
  EXPECT_EQ(woken, Loop::Woken::kWoken);
}

TEST(FakeLoop, RunsEventsAloneUpToALimit) {
  FakeLoop loop;
  int fired = 0;
  Alarm* self = nullptr;
  Alarm alarm(loop.events(), EventClass::kTimer, 0, [&] {
    ++fired;
    self->set(loop.now() + 1ms);
  });
  self = &alarm;
  alarm.set(at(1ms));
  loop.at(at(1ms), [] { ADD_FAILURE() << "a timer fired"; });
  loop.run_events(at(5ms), [] { return false; });
  EXPECT_EQ(fired, 5);
  EXPECT_EQ(loop.now(), at(5ms));
  loop.run_events(at(9ms), [&] { return fired == 7; });
  EXPECT_EQ(loop.now(), at(7ms));
}

TEST(FakeLoop, GivesItsPulseWhileAFiberSpins) {
  FakeLoop loop;
  int pulses = 0;
  loop.set_pulse([&] {
    if (++pulses == 3) loop.stop();
  });
  loop.spawn("spins", [&] {
    while (true) loop.yield();
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kStopped);
  EXPECT_EQ(pulses, 3);
}

TEST(FakeLoop, AsksWhetherItIsDoneBeforeTimeMovesOn) {
  FakeLoop loop;
  int fired = 0;
  Alarm first(loop.events(), EventClass::kTimer, 0, [&] { ++fired; });
  Alarm second(loop.events(), EventClass::kTimer, 0, [&] { ++fired; });
  first.set(at(1ms));
  second.set(at(2ms));
  EXPECT_EQ(loop.run_until([&] { return fired == 1; }), Loop::Ended::kFinished);
  EXPECT_EQ(loop.now(), at(1ms));
}

}  // namespace
}  // namespace netrig
