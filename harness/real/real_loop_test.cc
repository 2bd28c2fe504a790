#include "harness/real/real_loop.h"

#include <array>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace netrig {
namespace {

struct Pair {
  Fd a;
  Fd b;
};

Pair make_pair_of_sockets() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

TEST(RealLoop, WaitReadyReturnsWhenTheOtherEndWrites) {
  RealLoop loop;
  const auto pair = make_pair_of_sockets();
  char byte = 0;
  loop.spawn("reader", [&] {
    EXPECT_EQ(loop.wait_ready(pair.a.get(), EPOLLIN), Loop::Woken::kWoken);
    EXPECT_EQ(::read(pair.a.get(), &byte, 1), 1);
  });
  loop.spawn("writer", [&] {
    loop.sleep_until(loop.now() + 5ms);
    EXPECT_EQ(::write(pair.b.get(), "x", 1), 1);
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(byte, 'x');
}

TEST(RealLoop, WaitReadyGivesUpAtTheDeadlineAndNotBefore) {
  RealLoop loop;
  const auto pair = make_pair_of_sockets();
  loop.spawn("reader", [&] {
    const Instant deadline = loop.now() + 20ms;
    EXPECT_EQ(loop.wait_ready(pair.a.get(), EPOLLIN, deadline), Loop::Woken::kDeadline);
    EXPECT_GE(loop.now(), deadline);
    EXPECT_LT(loop.now(), deadline + 1s);
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
}

// A descriptor that stays ready for what nobody waits for must not wake the loop again and again.
TEST(RealLoop, SleepsThoughAnUnwantedEventHolds) {
  RealLoop loop;
  const auto pair = make_pair_of_sockets();
  int turns = 0;
  loop.each_turn([&] { ++turns; });
  loop.spawn("f", [&] {
    EXPECT_EQ(loop.wait_ready(pair.a.get(), EPOLLOUT), Loop::Woken::kWoken);
    EXPECT_EQ(loop.wait_ready(pair.a.get(), EPOLLIN, loop.now() + 30ms), Loop::Woken::kDeadline);
    loop.sleep_until(loop.now() + 30ms);
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_LT(turns, 12);
}

TEST(RealLoop, SleepsThoughTheOtherEndHungUp) {
  RealLoop loop;
  auto pair = make_pair_of_sockets();
  int turns = 0;
  loop.each_turn([&] { ++turns; });
  loop.spawn("f", [&] {
    EXPECT_EQ(loop.wait_ready(pair.a.get(), EPOLLOUT), Loop::Woken::kWoken);
    pair.b.reset();
    loop.sleep_until(loop.now() + 30ms);
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_LT(turns, 8);
}

TEST(RealLoop, ForgettingADescriptorWakesWhoWaitsForIt) {
  RealLoop loop;
  auto pair = make_pair_of_sockets();
  bool woken = false;
  loop.spawn("reader",
             [&] { woken = loop.wait_ready(pair.a.get(), EPOLLIN) == Loop::Woken::kWoken; });
  loop.spawn("closer", [&] {
    loop.forget(pair.a.get());
    pair.a.reset();
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_TRUE(woken);
}

TEST(RealLoop, DestroyedWaiterIsForgotten) {
  RealLoop loop;
  const auto pair = make_pair_of_sockets();
  loop.spawn("reader", [&] { loop.wait_ready(pair.a.get(), EPOLLIN); });
  loop.run_until([] { return true; });
  loop.destroy_fibers();
  EXPECT_EQ(::write(pair.b.get(), "x", 1), 1);
  // The event finds no waiter; a stale entry would be used after its stack is gone.
  loop.spawn("f", [&] { loop.sleep_until(loop.now() + 5ms); });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
}

TEST(RealLoop, WatchCallsBackOutsideFibersUntilUnwatched) {
  RealLoop loop;
  const auto pair = make_pair_of_sockets();
  int calls = 0;
  loop.watch(pair.a.get(), [&] {
    EXPECT_FALSE(loop.inside_fiber());
    if (++calls == 3) loop.unwatch(pair.a.get());
  });
  EXPECT_EQ(::write(pair.b.get(), "x", 1), 1);
  loop.spawn("f", [&] { loop.sleep_until(loop.now() + 20ms); });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(calls, 3);
}

TEST(RealLoop, FibersThatKeepYieldingDoNotStarveAWaitingOne) {
  RealLoop loop;
  const auto pair = make_pair_of_sockets();
  bool read = false;
  loop.spawn("reader", [&] {
    loop.wait_ready(pair.a.get(), EPOLLIN);
    read = true;
  });
  loop.spawn("busy", [&] {
    EXPECT_EQ(::write(pair.b.get(), "x", 1), 1);
    for (int i = 0; i < 1000 && !read; ++i) loop.yield();
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_TRUE(read);
}

TEST(RealLoop, IsStuckSoonAfterEverybodyWaitsForNothing) {
  RealLoop loop;
  const auto pair = make_pair_of_sockets();
  loop.spawn("reader", [&] { loop.wait_ready(pair.a.get(), EPOLLIN); });
  EXPECT_EQ(loop.run(), Loop::Ended::kStuck);
  EXPECT_GE(loop.now(), Instant{});
  loop.run_until([] { return true; });
  EXPECT_LT(loop.now(), Instant(200ms));
  EXPECT_GE(loop.now(), Instant(RealLoop::kQuietPeriod));
}

TEST(RealLoop, IsNotStuckWhileAPredicateHopes) {
  RealLoop loop;
  const auto pair = make_pair_of_sockets();
  int asked = 0;
  loop.might_happen_if([&] {
    if (++asked == 3) {
      EXPECT_EQ(::write(pair.b.get(), "x", 1), 1);
    }
    return asked <= 3;
  });
  loop.spawn("reader", [&] { loop.wait_ready(pair.a.get(), EPOLLIN); });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(asked, 3);
}

TEST(RealLoop, SleepsAreOnTimeToAMillisecondAsARule) {
  RealLoop loop;
  std::vector<Duration> late;
  loop.spawn("f", [&] {
    for (int i = 0; i < 50; ++i) {
      const Instant when = loop.now() + 1ms;
      loop.sleep_until(when);
      late.push_back(loop.now() - when);
    }
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  std::ranges::sort(late);
  EXPECT_GE(late.front(), Duration{0});
  EXPECT_LT(late[late.size() / 2], 5ms);  // the median: a busy machine may delay some
}

}  // namespace
}  // namespace netrig
