#include "harness/run/blackboard.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "harness/sockets/loop_testing.h"

namespace netrig {
namespace {

TEST(Blackboard, WhoeverAsksForAPromisedValueWaitsUntilItIsSet) {
  TestLoop loop;
  Blackboard blackboard(loop);
  blackboard.promise("token");
  std::string order;
  loop.spawn("reader", [&] {
    const auto value = blackboard.get("token");
    ASSERT_TRUE(value) << value.error();
    order += "read " + std::get<Bytes>(*value);
  });
  loop.spawn("writer", [&] {
    loop.sleep_until(loop.now() + 10ms);
    order += "set, ";
    blackboard.set("token", Bytes("abc"));
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(order, "set, read abc");
}

TEST(Blackboard, AValueThatNobodyPromisedIsAnErrorAtOnce) {
  TestLoop loop;
  Blackboard blackboard(loop);
  loop.spawn("reader", [&] { EXPECT_FALSE(blackboard.get("nobody")); });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
}

TEST(Blackboard, WaitingForAValueEndsWithTheFibersDeadline) {
  TestLoop loop;
  Blackboard blackboard(loop);
  blackboard.promise("late");
  loop.spawn("reader", [&] {
    loop.set_deadline(loop.now() + 5ms);
    const auto value = blackboard.get("late");
    ASSERT_FALSE(value);
    EXPECT_NE(value.error().find("late"), std::string::npos);
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
}

TEST(Blackboard, ABarrierHoldsEverybodyUntilTheLastOneComes) {
  TestLoop loop;
  Blackboard blackboard(loop);
  blackboard.expect_at_barrier("all", 3);
  int arrived = 0;
  std::vector<int> seen;
  for (int i = 1; i <= 3; ++i) {
    loop.spawn("actor", [&, i] {
      loop.sleep_until(loop.now() + i * 10ms);
      ++arrived;
      EXPECT_TRUE(blackboard.arrive("all"));
      seen.push_back(arrived);
    });
  }
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  EXPECT_EQ(seen, (std::vector{3, 3, 3}));
}

TEST(Blackboard, ABarrierCanBeUsedAgainInTheNextRound) {
  TestLoop loop;
  Blackboard blackboard(loop);
  blackboard.expect_at_barrier("round", 2);
  std::string order;
  for (const char c : {'a', 'b'}) {
    loop.spawn("actor", [&, c] {
      for (int round = 1; round <= 3; ++round) {
        if (c == 'b') loop.sleep_until(loop.now() + 10ms);
        ASSERT_TRUE(blackboard.arrive("round"));
        order += c;
      }
    });
  }
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
  for (size_t i = 0; i < order.size(); i += 2) EXPECT_NE(order[i], order[i + 1]) << order;
  EXPECT_EQ(order.size(), 6U);
}

TEST(Blackboard, WhoeverLeavesABarrierAtItsDeadlineIsNoLongerCounted) {
  TestLoop loop;
  Blackboard blackboard(loop);
  blackboard.expect_at_barrier("all", 2);
  loop.spawn("impatient", [&] {
    loop.set_deadline(loop.now() + 5ms);
    EXPECT_FALSE(blackboard.arrive("all"));
    EXPECT_EQ(blackboard.missing_at_barrier("all"), 2U);
  });
  EXPECT_EQ(loop.run(), Loop::Ended::kFinished);
}

TEST(Blackboard, AnEndpointIsToldByTheNameOfWhoSitsThere) {
  TestLoop loop;
  Blackboard blackboard(loop);
  const Endpoint endpoint(IpAddress::v4(10, 0, 0, 1), 5001);
  EXPECT_EQ(blackboard.who(endpoint), "10.0.0.1:5001");
  blackboard.sits_at(endpoint, "server");
  EXPECT_EQ(blackboard.who(endpoint), "server");
}

}  // namespace
}  // namespace netrig
