// The wire as its users see it: actors' sockets, what the links do, what is told and captured.
#include "harness/wire/wire_world.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <set>
#include <sys/socket.h>

#include "harness/net/host_address.h"
#include "harness/wire/wire_testing.h"

namespace netrig {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

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
    const std::string data = varied_octets(size_t{1} << 20);
    EXPECT_TRUE(transfer(world, data) == data);
    const auto report = world.finish();
    EXPECT_GT(report.counters.at("tcp_segments_dropped"), 0);
    EXPECT_GT(report.counters.at("tcp_retransmissions"), 0);
    EXPECT_GE(report.counters.at("tcp_segments_sent"), 700) << "segments, not large packets";
    size_t wrong = 0;
    for (const auto& captured : world.recording.packets) {
      EXPECT_LE(captured.original_length, 1500U);
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

TEST(WireWorld, TcpFindsTheWayThroughANarrowLink) {
  for (const bool v6 : {false, true}) {
    in_network([v6](const SharedNetwork& network) {
      LinkConfig link;
      link.mtu = 1300;
      WireTestWorld world(network, {{"client -> server", link}});
      const std::string data = varied_octets(100'000);
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
    const auto report = world.world->finish();
    for (const std::string& reason : report.invalid) {  // a slow machine may be late
      EXPECT_EQ(reason.find("kernel"), std::string::npos) << reason;
    }
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

// What a closed socket still has to say is sent again by the kernel, as long as it takes: it is no
// deadlock that nobody else moves.
TEST(WireWorld, AFarewellThatIsLostIsNoDeadlock) {
  in_network([](const SharedNetwork& network) {
    LinkConfig link;
    // SYN, ACK, FIN, FIN
    link.rules.push_back({.nth = {3, 4}, .action = LinkRule::Action::kDrop});
    WireTestWorld world(network, {{"client -> server", link}});
    const Socket listener = listener_of(world, 80, false);
    world.spawn("server", [&] {
      const auto accepted = world.server().accept(listener);
      ASSERT_EQ(outcome(accepted), "ok");
      EXPECT_EQ(recv_text(world.server(), accepted->socket), "");
    });
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_STREAM, 0).value();
      ASSERT_EQ(outcome(world.client().connect(socket, world.at("server", 80))), "ok");
      world.client().close(socket);
    });
    world.run();
    EXPECT_EQ(world.observed.lost().size(), 2U);
    world.world->finish();
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

}  // namespace
}  // namespace netrig
