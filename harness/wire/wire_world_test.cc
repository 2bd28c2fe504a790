// The wire as its users see it: actors' sockets, what the links do, what is told and captured.
#include "harness/wire/wire_world.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <random>
#include <set>
#include <sys/socket.h>
#include <tuple>

#include "harness/net/host_address.h"
#include "harness/real/sockaddr.h"
#include "harness/wire/wire_testing.h"

namespace netrig {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

using Links = std::map<std::string, LinkConfig>;

LinkConfig rule(LinkRule::Action action, std::set<uint64_t> nth) {
  LinkConfig link;
  link.rules.push_back({.nth = std::move(nth), .action = action});
  return link;
}

LinkConfig lossy(uint32_t ppm) {
  LinkConfig link;
  link.loss.ppm = ppm;
  return link;
}

// On whichever kind of port this machine has.
void in_network(const std::function<void(const SharedNetwork&)>& body) {
  in_network(WireNetworkOptions(), body);
}

Socket listener_of(TestWorld& world, uint16_t port, bool v6) {
  const Socket socket = world.server().socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0).value();
  EXPECT_EQ(outcome(world.server().bind(socket, world.at("server", port, v6))), "ok");
  EXPECT_EQ(outcome(world.server().listen(socket, 4)), "ok");
  return socket;
}

// `data` from client to server:80; what arrived until the end of the stream.
std::string transfer(TestWorld& world, const std::string& data, bool v6 = false) {
  const Socket listener = listener_of(world, 80, v6);
  std::string got;
  world.spawn("server", [&] {
    const auto accepted = world.server().accept(listener);
    ASSERT_EQ(outcome(accepted), "ok");
    std::string buffer(1 << 16, '\0');
    while (const auto size = world.server().recv(accepted->socket, buffer, 0)) {
      if (*size == 0) break;
      got.append(buffer, 0, *size);
    }
    world.server().close(accepted->socket);
    world.server().close(listener);
  });
  world.spawn("client", [&] {
    const Socket socket = world.client().socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0).value();
    ASSERT_EQ(outcome(world.client().connect(socket, world.at("server", 80, v6))), "ok");
    EXPECT_EQ(world.client().send(socket, data, 0), data.size());
    world.client().close(socket);
  });
  world.run();
  return got;
}

std::string octets(size_t size) {
  std::string data(size, '\0');
  for (size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 31 ^ i >> 8);
  return data;
}

// One datagram of `data` from client to server:53, and what came within 300 ms.
std::vector<std::string> exchange_datagram(TestWorld& world, const std::string& data, bool v6) {
  const int family = v6 ? AF_INET6 : AF_INET;
  const Socket server = world.server().socket(family, SOCK_DGRAM, 0).value();
  EXPECT_EQ(outcome(world.server().bind(server, world.at("server", 53, v6))), "ok");
  std::vector<std::string> got;
  world.spawn("server", [&, server] {
    world.server().setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 300'000);
    while (true) {
      std::string text = recv_text(world.server(), server, 65536);
      if (text == "EAGAIN") break;
      got.push_back(std::move(text));
    }
  });
  world.spawn("client", [&, family, v6] {
    const Socket socket = world.client().socket(family, SOCK_DGRAM, 0).value();
    EXPECT_EQ(outcome(world.client().sendto(socket, data, 0, world.at("server", 53, v6))), "ok");
  });
  world.run();
  return got;
}

std::string interface_of(const Recording& recording, const CapturedPacket& packet) {
  return recording.interfaces.at(packet.interface).name;
}

std::vector<std::string> comments(const Recording& recording) {
  std::vector<std::string> all;
  for (const auto& packet : recording.packets) all.push_back(packet.comment);
  return all;
}

class Wire : public testing::TestWithParam<PortKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Wire, both_kinds(), name_of_kind);

TEST_P(Wire, CarriesTcpBothWaysOverBothFamilies) {
  for (const bool v6 : {false, true}) {
    in_network({.kind = GetParam()}, [v6](const SharedNetwork& network) {
      WireTestWorld world(network);
      const Socket listener = listener_of(world, 80, v6);
      world.spawn("server step 1", [&] {
        const auto accepted = world.server().accept(listener);
        ASSERT_EQ(outcome(accepted), "ok");
        EXPECT_EQ(accepted->peer.address(), world.world->address("client", v6));
        EXPECT_EQ(recv_text(world.server(), accepted->socket), "ping");
        world.loop().set_activity("server step 2");
        world.server().send(accepted->socket, "pong", 0);
        EXPECT_EQ(recv_text(world.server(), accepted->socket), "");
        world.server().close(accepted->socket);
      });
      world.spawn("client step 1", [&, v6] {
        const Socket socket =
            world.client().socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0).value();
        ASSERT_EQ(outcome(world.client().connect(socket, world.at("server", 80, v6))), "ok");
        world.loop().set_activity("client step 2");
        world.client().send(socket, "ping", 0);
        EXPECT_EQ(recv_text(world.client(), socket), "pong");
        world.loop().set_activity("client step 3");
        world.client().close(socket);
      });
      world.run();
      const auto report = world.finish();
      EXPECT_EQ(report.counters.at("tcp_segments_dropped"), 0);
      expect_clean(world.recording);
      std::set<std::string> interfaces;
      for (const auto& packet : world.recording.packets) {
        interfaces.insert(interface_of(world.recording, packet));
      }
      EXPECT_THAT(interfaces, UnorderedElementsAre("client -> server", "server -> client"));
      EXPECT_THAT(comments(world.recording),
                  AllOf(Contains("client step 1"), Contains("client step 2"),
                        Contains("server step 2"), Contains("client step 3")));
    });
    if (IsSkipped()) return;
  }
}

TEST_P(Wire, CarriesDatagramsBothWaysOverBothFamilies) {
  for (const bool v6 : {false, true}) {
    in_network({.kind = GetParam()}, [v6](const SharedNetwork& network) {
      WireTestWorld world(network);
      const int family = v6 ? AF_INET6 : AF_INET;
      const Socket server = world.server().socket(family, SOCK_DGRAM, 0).value();
      ASSERT_EQ(outcome(world.server().bind(server, world.at("server", 53, v6))), "ok");
      world.spawn("server", [&] {
        std::string buffer(100, '\0');
        const auto got = world.server().recvfrom(server, buffer, 0);
        ASSERT_EQ(outcome(got), "ok");
        EXPECT_EQ(buffer.substr(0, got->size), "question");
        EXPECT_EQ(outcome(world.server().sendto(server, "answer", 0, got->from)), "ok");
      });
      world.spawn("client", [&, family, v6] {
        const Socket socket = world.client().socket(family, SOCK_DGRAM, 0).value();
        const Endpoint to = world.at("server", 53, v6);
        EXPECT_EQ(outcome(world.client().sendto(socket, "question", 0, to)), "ok");
        EXPECT_EQ(recv_text(world.client(), socket), "answer");
      });
      world.run();
      const auto report = world.finish();
      EXPECT_EQ(report.counters.at("datagrams_sent"), 2);
      EXPECT_EQ(report.counters.at("datagrams_dropped"), 0);
      ASSERT_EQ(world.observed.fates.size(), 2U);
      EXPECT_EQ(world.observed.fates[0].packet.direction, "client -> server");
      EXPECT_EQ(world.observed.fates[1].packet.direction, "server -> client");
      EXPECT_EQ(world.observed.arrivals.size(), 2U);
      EXPECT_EQ(world.recording.packets.size(), 2U);
      expect_clean(world.recording);
    });
    if (IsSkipped()) return;
  }
}

// A large packet of the kernel's goes in pieces: what each may suffer is its own.
TEST_P(Wire, ATransferOverALinkThatLosesDoublesAndReordersArrivesWhole) {
  in_network({.kind = GetParam()}, [](const SharedNetwork& network) {
    LinkConfig link = lossy(10'000);
    link.duplicate.ppm = 10'000;
    link.reorder.ppm = 10'000;
    link.corrupt.ppm = 10'000;
    link.delay = {1ms, 2ms};
    WireTestWorld world(network, {{"client -> server", link}, {"server -> client", link}});
    const std::string data = octets(size_t{1} << 20);
    EXPECT_TRUE(transfer(world, data) == data);
    const auto report = world.finish();
    EXPECT_GT(report.counters.at("tcp_segments_dropped"), 0);
    EXPECT_GT(report.counters.at("tcp_retransmissions"), 0);
    EXPECT_GE(report.counters.at("tcp_segments_sent"), 700) << "segments, not large packets";
    size_t wrong = 0;
    for (const auto& captured : world.recording.packets) {
      EXPECT_LE(captured.original_length, kWireMtu);
      const Packet packet = decoded(captured);
      EXPECT_TRUE(packet.ip_checksum_ok);
      const bool corrupted = captured.comment.find("corrupted") != std::string::npos;
      EXPECT_EQ(packet.transport_checksum_ok, !corrupted) << captured.comment;
      wrong += corrupted ? 1 : 0;
    }
    EXPECT_GT(wrong, 0U) << "TCP saw no damage";
  });
}

TEST(WireWorld, AConnectionsFirstSegmentThatIsLostIsSentAgain) {
  in_network([](const SharedNetwork& network) {
    WireTestWorld world(network, {{"client -> server", rule(LinkRule::Action::kDrop, {1})}});
    EXPECT_EQ(transfer(world, "ping"), "ping");
    world.finish();
    ASSERT_FALSE(world.observed.fates.empty());
    EXPECT_EQ(world.observed.fates[0].packet.flow, "tcp|server:80|1");
    EXPECT_EQ(world.observed.fates[0].packet.ordinal, 0U) << "the SYN, for the first time";
    EXPECT_EQ(world.observed.fates[0].fate.dropped, DropCause::kRule);
  });
}

TEST(WireWorld, RuleDropsExactlyTheDatagramsItNames) {
  in_network([](const SharedNetwork& network) {
    WireTestWorld world(network, {{"client -> server", rule(LinkRule::Action::kDrop, {2, 4})}});
    EXPECT_THAT(send_numbers(world, 5), ElementsAre("1", "3", "5"));
    const auto report = world.finish();
    EXPECT_THAT(world.observed.lost(), ElementsAre(2, 4));
    EXPECT_EQ(report.counters.at("datagrams_dropped"), 2);
    EXPECT_EQ(world.recording.packets.size(), 3U) << "a lost datagram is on no wire";
  });
}

TEST(WireWorld, DuplicateCorruptAndReorderReachTheReceiver) {
  in_network([](const SharedNetwork& network) {
    LinkConfig link;
    link.rules.push_back({.nth = {1}, .action = LinkRule::Action::kDuplicate});
    link.rules.push_back({.nth = {2}, .action = LinkRule::Action::kCorrupt});
    link.rules.push_back({.nth = {3}, .action = LinkRule::Action::kReorder});
    WireTestWorld world(network, {{"client -> server", link}});
    const auto got = send_numbers(world, 4);
    world.finish();
    ASSERT_EQ(got.size(), 5U);
    EXPECT_EQ(got[0], "1");
    EXPECT_EQ(got[1], "1");
    EXPECT_NE(got[2], "2");
    EXPECT_EQ(got[3], "4");
    EXPECT_EQ(got[4], "3");
    const auto& arrivals = world.observed.arrivals;
    ASSERT_EQ(arrivals.size(), 5U);
    EXPECT_EQ(arrivals[1].copy, 1U);
    EXPECT_TRUE(arrivals[2].corrupted);
    EXPECT_EQ(arrivals[3].packet.ordinal, 4U);
    EXPECT_EQ(arrivals[4].packet.ordinal, 3U);
    expect_clean(world.recording);
    EXPECT_THAT(comments(world.recording),
                AllOf(Contains(HasSubstr("duplicate")), Contains(HasSubstr("corrupted")),
                      Contains(HasSubstr("reordered"))));
  });
}

TEST(WireWorld, DelayIsKeptAndToldInTheCapture) {
  in_network([](const SharedNetwork& network) {
    LinkConfig link;
    link.delay = {20ms, 20ms};
    WireTestWorld world(network, {{"client -> server", link}});
    EXPECT_THAT(send_numbers(world, 3), ElementsAre("1", "2", "3"));
    const auto report = world.finish();
    ASSERT_EQ(world.observed.arrivals.size(), 3U);
    for (const auto& arrival : world.observed.arrivals) {
      EXPECT_GE(arrival.arrived_at - arrival.sent_at, 20ms);
      EXPECT_LT(arrival.arrived_at - arrival.sent_at, 70ms);
    }
    ASSERT_EQ(world.recording.packets.size(), 3U);
    EXPECT_EQ(world.recording.packets[0].comment, "client step 1; delayed 20ms");
    EXPECT_TRUE(report.counters.contains("late_timer_max_us"));
  });
}

// RFC 3168: CE where the socket's type of service says that it may be set, and nowhere else.
TEST(WireWorld, MarksWhatIsEcnCapable) {
  in_network([](const SharedNetwork& network) {
    WireTestWorld world(network, {{"client -> server", rule(LinkRule::Action::kMark, {2, 4})}});
    const Socket server = world.server().socket(AF_INET, SOCK_DGRAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(server, world.at("server", 53))), "ok");
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
      for (const int tos : {0xba, 0xba, 0xb8, 0xb8}) {
        world.client().setsockopt(socket, IPPROTO_IP, IP_TOS, tos);
        EXPECT_EQ(outcome(world.client().sendto(socket, "x", 0, world.at("server", 53))), "ok");
      }
    });
    world.run();
    world.finish();
    std::vector<int> classes;
    for (const auto& packet : world.recording.packets) {
      classes.push_back(decoded(packet).ip.traffic_class);
    }
    EXPECT_THAT(classes, ElementsAre(0xba, 0xbb, 0xb8, 0xb8));
    expect_clean(world.recording);
  });
}

TEST(WireWorld, ALargeDatagramGoesInFragmentsAndHasOneFate) {
  for (const bool v6 : {false, true}) {
    in_network([v6](const SharedNetwork& network) {
      WireTestWorld world(network);
      const std::string data = octets(20'000);
      const auto got = exchange_datagram(world, data, v6);
      const auto report = world.finish();
      ASSERT_EQ(got.size(), 1U);
      EXPECT_TRUE(got[0] == data);
      ASSERT_EQ(world.observed.fates.size(), 1U);
      EXPECT_EQ(world.observed.fates[0].size, 20'000U);
      EXPECT_EQ(world.observed.arrivals.size(), 1U);
      EXPECT_EQ(report.counters.at("datagrams_sent"), 1);
      EXPECT_EQ(world.recording.packets.size(), 14U);
      for (const auto& packet : world.recording.packets) EXPECT_LE(packet.original_length, 1500U);
    });
    if (testing::Test::IsSkipped()) return;
  }
}

TEST(WireWorld, FaultsOfALargeDatagramAreOfItAsAWhole) {
  using Action = LinkRule::Action;
  for (const Action action : {Action::kDrop, Action::kDuplicate, Action::kCorrupt}) {
    in_network([action](const SharedNetwork& network) {
      WireTestWorld world(network, {{"client -> server", rule(action, {1})}});
      const std::string data = octets(20'000);
      const auto got = exchange_datagram(world, data, false);
      world.finish();
      ASSERT_EQ(world.observed.fates.size(), 1U);
      ASSERT_EQ(got.size(), world.observed.fates[0].fate.copies);
      if (action == Action::kDrop) return EXPECT_TRUE(world.recording.packets.empty());
      ASSERT_EQ(got[0].size(), data.size());
      size_t different = 0;
      for (size_t i = 0; i < data.size(); ++i) different += got[0][i] != data[i] ? 1 : 0;
      EXPECT_EQ(different, action == Action::kCorrupt ? 1U : 0U);
    });
    if (testing::Test::IsSkipped()) return;
  }
}

// RFC 1191: the sender is told, whether the datagram was one packet or had come in fragments.
TEST(WireWorld, WhatIsTooLargeForALinkIsDroppedAndTheSenderTold) {
  for (const size_t size : {1200U, 20'000U}) {
    in_network([size](const SharedNetwork& network) {
      LinkConfig link;
      link.mtu = 1000;
      WireTestWorld world(network, {{"client -> server", link}});
      EXPECT_TRUE(exchange_datagram(world, octets(size), false).empty()) << size;
      world.finish();
      ASSERT_EQ(world.observed.fates.size(), 1U);
      EXPECT_EQ(world.observed.fates[0].fate.dropped, DropCause::kMtu);
    });
    if (testing::Test::IsSkipped()) return;
  }
}

TEST(WireWorld, TcpFindsTheWayThroughANarrowLink) {
  for (const bool v6 : {false, true}) {
    in_network([v6](const SharedNetwork& network) {
      LinkConfig link;
      link.mtu = 1300;
      WireTestWorld world(network, {{"client -> server", link}});
      const std::string data = octets(100'000);
      EXPECT_TRUE(transfer(world, data, v6) == data);
      world.finish();
      for (const auto& packet : world.recording.packets) {
        const bool to_server = interface_of(world.recording, packet) == "client -> server";
        EXPECT_LE(packet.original_length, to_server ? 1300U : 1500U);
      }
    });
    if (testing::Test::IsSkipped()) return;
  }
}

using Named = std::tuple<std::string, std::string, uint64_t, std::string>;

std::vector<Named> named_fates(const Observed& observed) {
  std::vector<Named> names;
  for (const FateRecord& record : observed.fates) {
    Fate fate = record.fate;
    fate.delay = Duration{0};  // queueing depends on the clock
    names.emplace_back(record.packet.direction.str(), record.packet.flow.str(),
                       record.packet.ordinal, format_fate(fate));
  }
  std::ranges::sort(names);
  return names;
}

// What a seed means, it means in every world.
TEST(WireWorld, DatagramsHaveTheNamesAndFatesThatTheyHaveOnLo) {
  in_network([](const SharedNetwork& network) {
    LinkConfig link = lossy(150'000);
    link.duplicate.ppm = 100'000;
    link.corrupt.ppm = 50'000;
    link.reorder.ppm = 50'000;
    const Links links{{"client -> server", link}, {"server -> client", link}};
    // Two sockets of the client in turns, and answers.
    const auto play = [](TestWorld& world) {
      const Socket server = world.server().socket(AF_INET, SOCK_DGRAM, 0).value();
      EXPECT_EQ(outcome(world.server().bind(server, world.at("server", 53))), "ok");
      world.spawn("server", [&world, server] {
        world.server().setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 200'000);
        std::string buffer(100, '\0');
        while (const auto got = world.server().recvfrom(server, buffer, 0)) {
          if (buffer[0] == '7') static_cast<void>(world.server().sendto(server, "7", 0, got->from));
        }
      });
      world.spawn("client", [&world] {
        const Socket one = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
        const Socket two = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
        const Endpoint to = world.at("server", 53);
        for (int i = 0; i < 100; ++i) {
          EXPECT_EQ(outcome(world.client().sendto(one, "1", 0, to)), "ok");
          EXPECT_EQ(outcome(world.client().sendto(two, std::string(2000, '2'), 0, to)), "ok");
        }
      });
      world.run();
      world.settle();
      world.finish();
      return named_fates(world.observed);
    };
    TestWorld real(links, 11);
    const auto on_lo = play(real);
    WireTestWorld wire(network, links, 11);
    const auto on_wire = play(wire);
    EXPECT_EQ(on_lo.size(), 200U);
    EXPECT_EQ(on_wire, on_lo);
    EXPECT_FALSE(wire.observed.lost().empty());
  });
}

TEST(WireWorld, CaptureBeforeTheFaultsHoldsWhatWasDropped) {
  in_network([](const SharedNetwork& network) {
    WireTestWorld world(network, {{"client -> server", rule(LinkRule::Action::kDrop, {2})}}, 7,
                        true);
    EXPECT_THAT(send_numbers(world, 3), ElementsAre("1", "3"));
    world.finish();
    EXPECT_THAT(comments(world.recording),
                ElementsAre("client step 1", "client step 1; dropped (rule)", "client step 1"));
    expect_clean(world.recording);
  });
}

TEST(WireWorld, CaptureBeforeTheFaultsHoldsALargeDatagramThatIsTooLarge) {
  in_network([](const SharedNetwork& network) {
    LinkConfig link;
    link.mtu = 1000;
    WireTestWorld world(network, {{"client -> server", link}}, 7, true);
    EXPECT_TRUE(exchange_datagram(world, octets(5'000), false).empty());
    world.finish();
    EXPECT_THAT(comments(world.recording), Contains(HasSubstr("dropped (too big)")));
  });
}

TEST(WireWorld, AFullQueueDropsAndTheKernelsRingIsNeverOne) {
  in_network([](const SharedNetwork& network) {
    LinkConfig link;
    link.rate = 1'000'000;
    link.queue_packets = 10;
    WireTestWorld world(network, {{"client -> server", link}});
    const Socket server = world.server().socket(AF_INET, SOCK_DGRAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(server, world.at("server", 53))), "ok");
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
      for (int i = 0; i < 30'000; ++i) {
        EXPECT_EQ(outcome(world.client().sendto(socket, "x", 0, world.at("server", 53))), "ok");
      }
    });
    world.run();
    const auto report = world.finish();  // which expects that nothing makes it invalid
    EXPECT_EQ(report.counters.at("datagrams_sent"), 30'000);
    EXPECT_GT(report.counters.at("datagrams_dropped"), 20'000);
  });
}

TEST(WireWorld, BothEndsWaitingIsToldWithinAFifthOfASecond) {
  in_network([](const SharedNetwork& network) {
    WireTestWorld world(network);
    const Socket listener = listener_of(world, 80, false);
    world.spawn("server", [&] {
      const auto accepted = world.server().accept(listener);
      recv_text(world.server(), accepted->socket);
    });
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_STREAM, 0).value();
      ASSERT_EQ(outcome(world.client().connect(socket, world.at("server", 80))), "ok");
      recv_text(world.client(), socket);
    });
    bool late = false;
    world.loop().watchdog(world.loop().now() + 10s, [&] { late = true; });
    EXPECT_EQ(world.loop().run(), Loop::Ended::kStuck);
    EXPECT_FALSE(late);
    world.finish();
  });
}

TEST(WireWorld, APortWithoutAListenerRefuses) {
  in_network([](const SharedNetwork& network) {
    WireTestWorld world(network);
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_STREAM, 0).value();
      EXPECT_EQ(outcome(world.client().connect(socket, world.at("server", 81))), "ECONNREFUSED");
      const Socket udp = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
      ASSERT_EQ(outcome(world.client().connect(udp, world.at("server", 81))), "ok");
      EXPECT_EQ(outcome(world.client().send(udp, "x", 0)), "ok");
      EXPECT_EQ(recv_text(world.client(), udp), "ECONNREFUSED");
    });
    world.run();
    world.finish();
  });
}

// ---- What a program with the rights of a host may do to the wire.

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
    packet.ip.protocol = kProtocolUdp;
  } else if (below(2) == 0) {
    packet.udp = UdpHeader{.source_port = static_cast<uint16_t>(below(65536)),
                           .destination_port = 53};
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

TEST_P(Wire, WhateverAHostSendsNothingBreaksAndTheOthersGoOn) {
  in_network({.kind = GetParam()}, [](const SharedNetwork& network) {
    LinkConfig link = lossy(100'000);
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
    const std::string data = octets(100'000);
    EXPECT_TRUE(transfer(world, data) == data) << "the hosts do not talk any more";
    // Packets that the kernel refuses at the other end make a run invalid, and that is right.
    const WorldReport report = world.world->finish();
    EXPECT_GT(report.counters.at("packets_sent"), 5'000);
    EXPECT_GT(report.counters.at("packets_to_nobody"), 100) << "what is no packet is counted";
    EXPECT_TRUE(read_capture_file("/tmp/out/capture.pcapng").has_value());
  });
}

TEST(WireWorld, FragmentsThatNeverBecomeADatagramDoNotPileUp) {
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
