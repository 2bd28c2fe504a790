#include "fakes/network/event_queue.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace netrig {
namespace {

Instant at(Duration since_start) {
  return Instant{since_start};
}

struct Fired {
  EventQueue queue;
  std::vector<std::string> names;
  std::vector<std::unique_ptr<Alarm>> alarms;

  Alarm& add(const std::string& name, EventClass event_class = EventClass::kTimer,
             uint32_t host = 0) {
    alarms.push_back(
        std::make_unique<Alarm>(queue, event_class, host, [this, name] { names.push_back(name); }));
    return *alarms.back();
  }
  std::vector<std::string> all() {
    while (!queue.empty()) queue.fire_next();
    return names;
  }
};

TEST(EventQueue, FiresInOrderOfTimeThenClassThenHostThenSetting) {
  Fired fired;
  fired.add("timer of host 1, set first", EventClass::kTimer, 1).set(at(2ms));
  fired.add("timer of host 0", EventClass::kTimer, 0).set(at(2ms));
  fired.add("arrival at host 9", EventClass::kArrival, 9).set(at(2ms));
  fired.add("timer of host 1, set second", EventClass::kTimer, 1).set(at(2ms));
  fired.add("earlier", EventClass::kTimer, 5).set(at(1ms));
  EXPECT_EQ(fired.all(), (std::vector<std::string>{"earlier", "arrival at host 9",
                                                   "timer of host 0", "timer of host 1, set first",
                                                   "timer of host 1, set second"}));
}

TEST(EventQueue, MovesAnAlarmThatIsSetAgain) {
  Fired fired;
  Alarm& first = fired.add("first");
  first.set(at(1ms));
  fired.add("second").set(at(2ms));
  first.set(at(3ms));
  EXPECT_EQ(fired.queue.size(), 2u);
  EXPECT_EQ(fired.queue.next(), at(2ms));
  EXPECT_EQ(fired.all(), (std::vector<std::string>{"second", "first"}));
}

TEST(EventQueue, AnAlarmSetAgainForTheSameTimeComesLast) {
  Fired fired;
  Alarm& first = fired.add("first");
  first.set(at(1ms));
  fired.add("second").set(at(1ms));
  first.set(at(1ms));
  EXPECT_EQ(fired.all(), (std::vector<std::string>{"second", "first"}));
}

TEST(EventQueue, ForgetsAlarmsThatAreClearedSetToNeverOrDestroyed) {
  Fired fired;
  Alarm& cleared = fired.add("cleared");
  Alarm& never = fired.add("never");
  fired.add("destroyed").set(at(1ms));
  cleared.set(at(1ms));
  never.set(at(1ms));
  cleared.clear();
  never.set(Instant::max());
  fired.alarms.pop_back();
  EXPECT_FALSE(cleared.is_set());
  EXPECT_TRUE(fired.queue.empty());
  EXPECT_EQ(fired.queue.next(), Instant::max());
}

TEST(EventQueue, AnAlarmMaySetItselfAgainFromItsOwnFiring) {
  EventQueue queue;
  int fired = 0;
  Alarm* self = nullptr;
  Alarm alarm(queue, EventClass::kTimer, 0, [&] {
    EXPECT_FALSE(self->is_set());
    if (++fired < 3) self->set(self->when() + 1ms);
  });
  self = &alarm;
  alarm.set(at(1ms));
  while (!queue.empty()) queue.fire_next();
  EXPECT_EQ(fired, 3);
  EXPECT_EQ(alarm.when(), at(3ms));
}

// The heap against a sorted list, with settings, moves and removals in a fixed pattern.
TEST(EventQueue, AgreesWithASortedListOverManyChanges) {
  Fired fired;
  std::vector<std::pair<Instant, std::string>> expected;
  uint64_t state = 1;
  const auto next = [&](uint64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % bound;
  };
  std::vector<Alarm*> alarms;
  for (int i = 0; i < 500; ++i) alarms.push_back(&fired.add(std::to_string(i)));
  for (int change = 0; change < 5000; ++change) {
    Alarm& alarm = *alarms[next(alarms.size())];
    if (next(4) == 0) {
      alarm.clear();
    } else {
      alarm.set(at(Duration(static_cast<int64_t>(next(1'000'000'000)))));
    }
  }
  for (size_t i = 0; i < alarms.size(); ++i) {
    if (alarms[i]->is_set()) expected.emplace_back(alarms[i]->when(), std::to_string(i));
  }
  std::ranges::sort(expected);
  std::vector<std::string> names;
  for (const auto& entry : expected) names.push_back(entry.second);
  EXPECT_EQ(fired.all(), names);
}

}  // namespace
}  // namespace netrig
