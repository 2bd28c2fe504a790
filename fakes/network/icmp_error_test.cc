#include "fakes/network/icmp_error.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

FakePacket datagram(BytePool& pool, bool v6, size_t size) {
  FakePacket packet;
  packet.from = 3;
  packet.to = 5;
  packet.source = *IpAddress::parse(v6 ? "fd00::1" : "10.0.0.1");
  packet.destination = *IpAddress::parse(v6 ? "fd00::2" : "10.0.0.2");
  packet.body = FakeUdp{40000, 53, pool.copy(Bytes(size, 'x'))};
  return packet;
}

TEST(IcmpError, GoesBackTheWayThePacketCameAndNamesItsEnds) {
  BytePool pool;
  const FakePacket answer =
      icmp_error(IcmpProblem::kPortUnreachable, datagram(pool, false, 10), 0, false);
  EXPECT_EQ(answer.from, 5u);
  EXPECT_EQ(answer.to, 3u);
  EXPECT_EQ(answer.source.to_string(), "10.0.0.2");
  const auto& error = std::get<FakeIcmpError>(answer.body);
  EXPECT_EQ(error.source.to_string(), "10.0.0.1:40000");
  EXPECT_EQ(error.destination.to_string(), "10.0.0.2:53");
  EXPECT_TRUE(error.quoted.empty());
}

TEST(IcmpError, HasTheTypeAndCodeOfItsFamily) {
  BytePool pool;
  const auto kind = [&](IcmpProblem problem, bool v6) {
    const FakePacket answer = icmp_error(problem, datagram(pool, v6, 1), 1280, false);
    const auto& error = std::get<FakeIcmpError>(answer.body);
    EXPECT_EQ(error.rest, 1280u);
    return std::pair<int, int>(error.type, error.code);
  };
  EXPECT_EQ(kind(IcmpProblem::kPortUnreachable, false), std::pair(3, 3));
  EXPECT_EQ(kind(IcmpProblem::kPortUnreachable, true), std::pair(1, 4));
  EXPECT_EQ(kind(IcmpProblem::kPacketTooBig, false), std::pair(3, 4));
  EXPECT_EQ(kind(IcmpProblem::kPacketTooBig, true), std::pair(2, 0));
}

// With its own headers: 20 or 40 of IP, 8 of ICMP.
TEST(IcmpError, QuotesNoMoreThanMakesTheLargestError) {
  BytePool pool;
  for (const bool v6 : {false, true}) {
    const FakePacket small =
        icmp_error(IcmpProblem::kPortUnreachable, datagram(pool, v6, 10), 0, true);
    EXPECT_EQ(small.payload(), ByteView(to_octets(datagram(pool, v6, 10))));
    const FakePacket large =
        icmp_error(IcmpProblem::kPortUnreachable, datagram(pool, v6, 1400), 0, true);
    EXPECT_EQ(to_octets(large).size(), v6 ? 1280u : 576u);
  }
}

}  // namespace
}  // namespace netrig
