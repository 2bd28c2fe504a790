#include "harness/real/packet_comments.h"

#include <gtest/gtest.h>

#include "harness/real/checksum_offload.h"

namespace netrig {
namespace {

const Endpoint kClient(IpAddress::v4(10, 0, 0, 1), 40000);
const Endpoint kServer(IpAddress::v4(10, 0, 0, 2), 80);

Packet tcp(const Endpoint& from, const Endpoint& to, uint8_t flags, uint32_t sequence,
           size_t length = 0, uint32_t acknowledgement = 0) {
  Packet packet;
  packet.ip.source = from.address();
  packet.ip.destination = to.address();
  packet.ip.protocol = kProtocolTcp;
  packet.tcp = TcpHeader{.source_port = from.port(),
                         .destination_port = to.port(),
                         .sequence = sequence,
                         .acknowledgement = acknowledgement,
                         .flags = flags,
                         .window = 1000,
                         .urgent_pointer = 0,
                         .options = {}};
  packet.payload = Bytes(length, 'x');
  packet.payload_length = static_cast<uint32_t>(length);
  return packet;
}

Packet udp(const Endpoint& from, const Endpoint& to) {
  Packet packet;
  packet.ip.source = from.address();
  packet.ip.destination = to.address();
  packet.ip.protocol = kProtocolUdp;
  packet.udp = UdpHeader{from.port(), to.port()};
  packet.payload = "data!";
  packet.payload_length = 5;
  return packet;
}

TEST(PacketComments, SegmentNamesEveryWriteWhoseOctetsItCarries) {
  PacketComments comments;
  comments.tcp_connecting(kClient, kServer, "connect");
  comments.tcp_wrote(kClient, kServer, 10, "first");
  comments.tcp_wrote(kClient, kServer, 10, "second");
  EXPECT_EQ(comments.comment_for(tcp(kClient, kServer, kTcpSyn, 1000)), "connect");
  EXPECT_EQ(comments.comment_for(tcp(kClient, kServer, kTcpAck, 1001, 10)), "first");
  EXPECT_EQ(comments.comment_for(tcp(kClient, kServer, kTcpAck, 1006, 10)), "first\nsecond");
  EXPECT_EQ(comments.comment_for(tcp(kClient, kServer, kTcpAck, 1011, 10)), "second");
  EXPECT_EQ(comments.comment_for(tcp(kClient, kServer, kTcpAck, 1021)), "");
}

TEST(PacketComments, SequenceNumbersMayWrapAround) {
  PacketComments comments;
  comments.tcp_connecting(kClient, kServer, "connect");
  comments.tcp_wrote(kClient, kServer, 1000, "first");
  comments.tcp_wrote(kClient, kServer, 1000, "second");
  comments.comment_for(tcp(kClient, kServer, kTcpSyn, 0xffffff00));
  EXPECT_EQ(comments.comment_for(tcp(kClient, kServer, kTcpAck, 0xffffff01, 1000)), "first");
  EXPECT_EQ(comments.comment_for(tcp(kClient, kServer, kTcpAck, 0xffffff01 + 1000u, 1000)),
            "second");
}

TEST(PacketComments, SynAckNamesWhoListensEvenOnAllAddresses) {
  PacketComments comments;
  comments.tcp_listening(Endpoint(IpAddress(), 80), "listen");
  EXPECT_EQ(comments.comment_for(tcp(kServer, kClient, kTcpSyn | kTcpAck, 5)), "listen");
}

TEST(PacketComments, NewSynOfAProcessForgetsTheOldConnection) {
  PacketComments comments;
  comments.tcp_wrote(kClient, kServer, 10, "old");
  comments.comment_for(tcp(kClient, kServer, kTcpSyn, 1000));
  EXPECT_EQ(comments.comment_for(tcp(kClient, kServer, kTcpAck, 1001, 10)), "old");
  comments.comment_for(tcp(kClient, kServer, kTcpSyn, 9000));
  EXPECT_EQ(comments.comment_for(tcp(kClient, kServer, kTcpAck, 9001, 10)), "");
}

TEST(PacketComments, FarewellIsMissingUntilTheFinIsAcknowledged) {
  PacketComments comments;
  comments.comment_for(tcp(kClient, kServer, kTcpSyn, 1000));
  comments.comment_for(tcp(kServer, kClient, kTcpSyn | kTcpAck, 5000, 0, 1001));
  EXPECT_FALSE(comments.farewells_missing()) << "nobody of ours closed";
  comments.tcp_closing(kClient, kServer, "close");
  EXPECT_TRUE(comments.farewells_missing());
  EXPECT_EQ(comments.comment_for(tcp(kClient, kServer, kTcpFin | kTcpAck, 1001, 0, 5001)), "close");
  EXPECT_TRUE(comments.farewells_missing());
  comments.comment_for(tcp(kServer, kClient, kTcpAck, 5001, 0, 1001));
  EXPECT_TRUE(comments.farewells_missing());
  comments.comment_for(tcp(kServer, kClient, kTcpAck, 5001, 0, 1002));
  EXPECT_FALSE(comments.farewells_missing());
}

TEST(PacketComments, ResetIsAFarewellToo) {
  PacketComments comments;
  comments.comment_for(tcp(kClient, kServer, kTcpSyn, 1000));
  comments.comment_for(tcp(kServer, kClient, kTcpSyn | kTcpAck, 5000, 0, 1001));
  comments.tcp_closing(kClient, kServer, "close");
  EXPECT_EQ(comments.comment_for(tcp(kClient, kServer, kTcpRst, 1001)), "close");
  EXPECT_FALSE(comments.farewells_missing());
}

TEST(PacketComments, DatagramsTakeTheirCommentsInOrder) {
  PacketComments comments;
  comments.udp_emitted(40000, kServer, "one");
  comments.udp_emitted(40000, kServer, "two");
  EXPECT_EQ(comments.comment_for(udp(kClient, kServer)), "one");
  EXPECT_EQ(comments.comment_for(udp(kClient, kServer)), "two");
  EXPECT_EQ(comments.comment_for(udp(kClient, kServer)), "");
}

TEST(PacketComments, ConcernsOnlyPortsThatWereTold) {
  PacketComments comments;
  EXPECT_FALSE(comments.concerns(udp(kClient, kServer)));
  comments.port_used(80);
  EXPECT_TRUE(comments.concerns(udp(kClient, kServer)));
  EXPECT_TRUE(comments.concerns(udp(kServer, kClient)));
}

// ---- checksums that lo left out

TEST(ChecksumOffload, CompletesThePartialSumAndNothingElse) {
  for (Packet packet : {tcp(kClient, kServer, kTcpAck, 1, 7), udp(kClient, kServer)}) {
    const Bytes good = encode_packet(packet);
    const size_t field = 20 + (packet.tcp ? 16 : 6);
    const size_t length = good.size() - 20;
    Bytes pseudo = good.substr(12, 8);
    pseudo.append({0, static_cast<char>(packet.ip.protocol), 0, static_cast<char>(length)});
    const auto sum = static_cast<uint16_t>(~internet_checksum(pseudo));
    Bytes partial = good;
    partial[field] = static_cast<char>(sum >> 8);
    partial[field + 1] = static_cast<char>(sum & 0xff);
    complete_checksum(partial);
    EXPECT_EQ(partial, good);

    Bytes wrong = good;
    wrong[field + 1] = static_cast<char>(wrong[field + 1] ^ 1);
    const Bytes before = wrong;
    complete_checksum(wrong);
    EXPECT_EQ(wrong, before) << "a wrong checksum is evidence";
  }
}

TEST(ChecksumOffload, CompletesWhatAnIcmpErrorQuotesAndItsOwnChecksumWithIt) {
  const Bytes good = encode_packet(udp(kClient, kServer));
  Bytes quoted = good;
  Bytes pseudo = good.substr(12, 8);
  pseudo.append({0, static_cast<char>(kProtocolUdp), 0, static_cast<char>(good.size() - 20)});
  const auto sum = static_cast<uint16_t>(~internet_checksum(pseudo));
  quoted[26] = static_cast<char>(sum >> 8);
  quoted[27] = static_cast<char>(sum & 0xff);
  Packet error;
  error.ip.source = kServer.address();
  error.ip.destination = kClient.address();
  error.ip.protocol = kProtocolIcmp;
  error.icmp = IcmpHeader{.type = 3, .code = 3};
  error.payload = quoted;
  Bytes captured = encode_packet(error);
  complete_checksum(captured);
  error.payload = good;
  EXPECT_EQ(captured, encode_packet(error));
}

TEST(ChecksumOffload, LeavesWhatIsCutOffAlone) {
  const Bytes good = encode_packet(tcp(kClient, kServer, kTcpAck, 1, 7));
  for (size_t size = 0; size < good.size(); ++size) {
    Bytes cut = good.substr(0, size);
    complete_checksum(cut);
    EXPECT_EQ(cut, good.substr(0, size));
  }
}

}  // namespace
}  // namespace netrig
