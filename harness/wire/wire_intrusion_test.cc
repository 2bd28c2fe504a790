// What a program with the rights of a host may do to the wire.
#include <algorithm>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <random>
#include <sys/socket.h>

#include "harness/net/host_address.h"
#include "harness/wire/wire_path.h"
#include "harness/wire/wire_testing.h"

namespace netrig {
namespace {

// A packet socket (packet(7)) on the host's device: what it sends comes out of the port.
class Intruder {
 public:
  Intruder(WireNetwork& network, size_t host, bool with_offload) {
    network.enter(host);
    socket_ = Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = with_offload ? 1 : 0;
    ::setsockopt(socket_.get(), SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(::if_nametoindex("eth0"));
    EXPECT_GT(address.sll_ifindex, 0);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    network.enter({});
    ethernet_ = network.kind() == PortKind::kPacket;
    with_offload_ = with_offload;
  }
  bool send(const virtio_net_hdr& offload, ByteView packet) {
    std::string all;
    if (with_offload_) all.append(reinterpret_cast<const char*>(&offload), sizeof(offload));
    if (ethernet_) all.append("\2\0\0\0\0\1\2\0\0\0\0\1\x08\0", 14);
    all.append(packet);
    return ::send(socket_.get(), all.data(), all.size(), 0) > 0;
  }

 private:
  Fd socket_;
  bool ethernet_ = false;
  bool with_offload_ = false;
};

// Octets that look like a packet from client to server, with some wrong.
Bytes nearly_a_packet(std::mt19937& chance) {
  const auto below = [&](size_t limit) { return static_cast<size_t>(chance() % limit); };
  Packet packet;
  const bool v6 = below(2) == 0;
  packet.ip.source = host_address(1, v6, false);
  packet.ip.destination = host_address(2, v6, false);
  if (below(3) == 0) {
    packet.ip.more_fragments = below(2) == 0;
    packet.ip.fragment_offset = static_cast<uint16_t>(below(8191) * 8);
    packet.ip.identification = static_cast<uint32_t>(below(50));
    packet.ip.protocol = below(2) == 0 ? kProtocolUdp : kProtocolTcp;
  } else if (below(2) == 0) {
    packet.udp =
        UdpHeader{.source_port = static_cast<uint16_t>(below(65536)), .destination_port = 53};
  } else {
    packet.tcp = TcpHeader{.source_port = static_cast<uint16_t>(below(65536)),
                           .destination_port = 80,
                           .sequence = static_cast<uint32_t>(chance()),
                           .flags = static_cast<uint8_t>(below(256))};
  }
  packet.payload = Bytes(below(1400), 'x');
  packet.payload_length = static_cast<uint32_t>(packet.payload.size());
  Bytes all = encode_packet(packet);
  for (size_t changes = below(4); changes > 0 && !all.empty(); --changes) {
    all[below(std::min<size_t>(all.size(), 60))] = static_cast<char>(chance());
  }
  if (below(4) == 0) all.resize(below(all.size() + 1));
  return all;
}

class Intrusion : public testing::TestWithParam<PortKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Intrusion, both_kinds(), name_of_kind);

TEST_P(Intrusion, WhateverAHostSendsNothingBreaksAndTheOthersGoOn) {
  in_network({.kind = GetParam()}, [](const SharedNetwork& network) {
    LinkConfig link = lossy(50'000);
    link.duplicate.ppm = 100'000;
    link.corrupt.ppm = 100'000;
    link.mtu = 1200;
    link.delay = {Duration{0}, 1ms};
    WireTestWorld world(network, {{"client -> server", link}}, 7, true);
    std::mt19937 chance(1);
    Intruder plain(*network, 0, false);
    Intruder offloading(*network, 0, true);
    size_t sent = 0;
    world.spawn("intruder", [&] {
      for (int i = 0; i < 20'000; ++i) {
        if (i % 100 == 0) world.loop().sleep_until(world.loop().now() + 1ms);
        virtio_net_hdr offload{};
        if (chance() % 2 == 0) {
          offload = {.flags = static_cast<uint8_t>(chance() % 2),
                     .gso_type = static_cast<uint8_t>(chance() % 6),
                     .hdr_len = static_cast<uint16_t>(chance() % 100),
                     .gso_size = static_cast<uint16_t>(chance() % 2000),
                     .csum_start = static_cast<uint16_t>(chance() % 100),
                     .csum_offset = static_cast<uint16_t>(chance() % 20)};
        }
        Intruder& intruder = chance() % 2 == 0 ? plain : offloading;
        sent += intruder.send(offload, nearly_a_packet(chance)) ? 1 : 0;
      }
    });
    world.run();
    EXPECT_GT(sent, 10'000U);
    const std::string data = varied_octets(100'000);
    EXPECT_TRUE(transfer(world, data) == data) << "the hosts do not talk any more";
    // Packets that the kernel refuses at the other end make a run invalid, and that is right.
    const WorldReport report = world.world->finish();
    EXPECT_GT(report.counters.at("packets_sent"), 5'000);
    EXPECT_GT(report.counters.at("packets_to_nobody"), 100) << "what is no packet is counted";
    EXPECT_TRUE(read_capture_file("/tmp/out/capture.pcapng").has_value());
  });
}

// As a datagram, it is decided on as a whole, and a link's MTU is one reason to drop it.
TEST(IntrusionOfFragments, OfATcpSegmentThatIsTooLargeForTheLinkIsDropped) {
  in_network([](const SharedNetwork& network) {
    LinkConfig link;
    link.mtu = 1000;
    WireTestWorld world(network, {{"client -> server", link}}, 7, true);
    Intruder intruder(*network, 0, false);
    world.spawn("intruder", [&] {
      Packet segment;
      segment.ip.source = host_address(1, false, false);
      segment.ip.destination = host_address(2, false, false);
      segment.tcp = TcpHeader{.source_port = 1, .destination_port = 80, .flags = kTcpAck};
      const Bytes whole = encode_packet([&] {
        segment.payload = Bytes(1200, 'x');
        return segment;
      }());
      segment.tcp.reset();
      segment.ip.protocol = kProtocolTcp;
      for (const auto& [begin, size] : {std::pair(0U, 800U), std::pair(800U, 420U)}) {
        segment.ip.fragment_offset = static_cast<uint16_t>(begin);
        segment.ip.more_fragments = begin == 0;
        segment.payload = whole.substr(20 + begin, size);
        EXPECT_TRUE(intruder.send({}, encode_packet(segment)));
      }
      world.loop().sleep_until(world.loop().now() + 20ms);
    });
    world.run();
    EXPECT_FALSE(world.world->packets_under_way());
    ASSERT_EQ(world.observed.fates.size(), 1U);
    EXPECT_EQ(world.observed.fates[0].fate.dropped, DropCause::kMtu);
    EXPECT_EQ(transfer(world, "still there"), "still there");
    world.world->finish();
  });
}

TEST(IntrusionOfFragments, ThatNeverBecomeADatagramDoesNotPileUp) {
  in_network([](const SharedNetwork& network) {
    WireTestWorld world(network);
    Intruder intruder(*network, 0, false);
    world.spawn("intruder", [&] {
      for (uint32_t i = 0; i < 20'000; ++i) {
        if (i % 100 == 0) world.loop().sleep_until(world.loop().now() + 1ms);
        Packet packet;
        packet.ip.source = host_address(1, false, false);
        packet.ip.destination = host_address(2, false, false);
        packet.ip.protocol = kProtocolUdp;
        packet.ip.more_fragments = true;
        packet.ip.identification = i;
        packet.payload = Bytes(1000, 'x');
        packet.payload_length = 1000;
        intruder.send({}, encode_packet(packet));
      }
    });
    world.run();
    EXPECT_FALSE(world.world->packets_under_way());
    EXPECT_EQ(transfer(world, "still there"), "still there");
    world.world->finish();
  });
}

}  // namespace
}  // namespace netrig
