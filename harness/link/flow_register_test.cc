#include "harness/link/flow_register.h"

#include <gtest/gtest.h>

#include "harness/link/link.h"

namespace netrig {
namespace {

TEST(FlowRegister, NumbersFlowsOfAServiceOnADirectionInOrderOfAppearance) {
  FlowRegister flows;
  const auto first = flows.flow("a -> b", "udp|b:53", "1>b:53");
  const auto second = flows.flow("a -> b", "udp|b:53", "2>b:53");
  const auto other_way = flows.flow("b -> a", "udp|b:53", "b:53>2");
  const auto other_service = flows.flow("a -> b", "udp|b:54", "2>b:54");
  EXPECT_EQ(flows.name(first), "udp|b:53|1");
  EXPECT_EQ(flows.name(second), "udp|b:53|2");
  EXPECT_EQ(flows.name(other_way), "udp|b:53|1");
  EXPECT_EQ(flows.direction(other_way), "b -> a");
  EXPECT_EQ(flows.name(other_service), "udp|b:54|1");
  EXPECT_EQ(flows.flow("a -> b", "udp|b:53", "1>b:53"), first);
}

TEST(FlowRegister, CountsThePacketsOfEachFlowFromOne) {
  FlowRegister flows;
  const auto first = flows.flow("a -> b", "udp|b:53", "1");
  const auto second = flows.flow("a -> b", "udp|b:53", "2");
  EXPECT_EQ(flows.next_ordinal(first), 1u);
  EXPECT_EQ(flows.next_ordinal(first), 2u);
  EXPECT_EQ(flows.next_ordinal(second), 1u);
}

// Seeds keep their meaning: the stream is the hash of what a journal shows.
TEST(FlowRegister, DrawsFromTheStreamOfDirectionAndName) {
  FlowRegister flows;
  const auto flow = flows.flow("client -> server", "udp|server:53", "1");
  EXPECT_EQ(flows.stream(flow), stable_hash("client -> server|udp|server:53|1"));
}

}  // namespace
}  // namespace netrig
