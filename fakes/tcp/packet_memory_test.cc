#include "fakes/tcp/packet_memory.h"

#include <gtest/gtest.h>

namespace netrig::tcp {
namespace {

TEST(SendPackets, FillTheLastPacketUntilItIsSent) {
  SendPackets packets;
  EXPECT_EQ(packets.room(1000), 0u);
  packets.open(300);
  EXPECT_EQ(packets.room(1000), 700u);
  packets.extend(200);
  EXPECT_EQ(packets.room(1000), 500u);
  EXPECT_EQ(packets.overhead(), kPacketOverhead);
  packets.sent(501);
  EXPECT_EQ(packets.room(1000), 0u);
}

// tso_fragment(): what goes out and what stays are two packets from then on.
TEST(SendPackets, AreSplitWhereTheWindowEnds) {
  SendPackets packets;
  packets.open(1000);
  packets.open(1000);
  packets.sent(1401);
  EXPECT_EQ(packets.overhead(), 3 * kPacketOverhead);
  EXPECT_EQ(packets.room(1000), 400u);
  packets.acknowledged(1400);
  EXPECT_EQ(packets.overhead(), 2 * kPacketOverhead);
  packets.acknowledged(1401);
  EXPECT_EQ(packets.overhead(), kPacketOverhead);
}

TEST(ReceivePackets, AreJoinedUpToSeventeenPieces) {
  ReceivePackets packets;
  for (int i = 0; i < 35; ++i) packets.add(1448, false);
  EXPECT_EQ(packets.memory(), 35u * 1448 + 3 * kPacketOverhead);
  packets.take(17 * 1448 - 1);  // a packet is let go with its last octet
  EXPECT_EQ(packets.memory(), 35u * 1448 + 3 * kPacketOverhead);
  packets.take(1);
  EXPECT_EQ(packets.memory(), 18u * 1448 + 2 * kPacketOverhead);
  packets.take(18 * 1448);
  EXPECT_EQ(packets.memory(), 0u);
}

TEST(ReceivePackets, AreNotJoinedToWhatTheSenderStillHolds) {
  ReceivePackets packets;
  packets.add(100, true);
  packets.add(100, true);
  EXPECT_EQ(packets.memory(), 200 + 2 * kPacketOverhead);
  packets.acknowledged();
  packets.add(100, true);
  EXPECT_EQ(packets.memory(), 300 + 2 * kPacketOverhead);
}

}  // namespace
}  // namespace netrig::tcp
