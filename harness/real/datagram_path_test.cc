// Links and what they do to datagrams, and how these are named and counted.
#include "harness/real/datagram_path.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "harness/net/packet.h"
#include "harness/real/real_testing.h"

namespace netrig {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

LinkConfig lossy(uint32_t ppm) {
  LinkConfig link;
  link.loss.ppm = ppm;
  return link;
}

TEST(DatagramPath, LossFollowsTheSeedAlone) {
  in_sandbox([] {
    std::vector<std::vector<uint64_t>> lost;
    for (const uint64_t seed : {7u, 7u, 8u}) {
      TestWorld world({{"client -> server", lossy(100'000)}}, seed);
      const auto got = send_numbers(world, 200);
      const auto report = world.finish();
      lost.push_back(world.observed.lost());
      EXPECT_EQ(got.size() + lost.back().size(), 200u);
      EXPECT_EQ(report.counters.at("datagrams_dropped"), static_cast<int64_t>(lost.back().size()));
      EXPECT_EQ(world.recording.packets.size(), got.size()) << "a lost datagram is on no wire";
    }
    EXPECT_FALSE(lost[0].empty());
    EXPECT_EQ(lost[0], lost[1]);
    EXPECT_NE(lost[0], lost[2]);
  });
}

TEST(DatagramPath, RuleDropsExactlyTheDatagramsItNames) {
  in_sandbox([] {
    LinkConfig link;
    link.rules.push_back({.match = Transport::kUdp, .nth = {2, 4}});
    TestWorld world({{"client -> server", link}});
    EXPECT_THAT(send_numbers(world, 5), ElementsAre("1", "3", "5"));
    world.finish();
    EXPECT_THAT(world.observed.lost(), ElementsAre(2, 4));
    EXPECT_EQ(world.observed.fates[0].packet.direction, "client -> server");
    EXPECT_EQ(world.observed.fates[0].packet.flow, "udp|server:53|1");
    EXPECT_EQ(world.observed.fates[4].packet.ordinal, 5u);
  });
}

// RFC 3168: CE where the socket's type of service says that it may be set, and nowhere else.
TEST(DatagramPath, MarksWhatIsEcnCapable) {
  in_sandbox([] {
    LinkConfig link;
    link.rules.push_back({.nth = {2, 4}, .action = LinkRule::Action::kMark});
    TestWorld world({{"client -> server", link}});
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
    EXPECT_TRUE(world.observed.fates[1].fate.marked);
    EXPECT_FALSE(world.observed.fates[3].fate.marked);
  });
}

TEST(DatagramPath, DelayIsKeptAndToldInTheCapture) {
  in_sandbox([] {
    LinkConfig link;
    link.delay = {20ms, 20ms};
    TestWorld world({{"client -> server", link}});
    EXPECT_THAT(send_numbers(world, 3), ElementsAre("1", "2", "3"));
    world.finish();
    ASSERT_EQ(world.observed.arrivals.size(), 3u);
    for (const auto& arrival : world.observed.arrivals) {
      EXPECT_GE(arrival.arrived_at - arrival.sent_at, 20ms);
      EXPECT_LT(arrival.arrived_at - arrival.sent_at, 70ms);
    }
    ASSERT_EQ(world.recording.packets.size(), 3u);
    EXPECT_EQ(world.recording.packets[0].comment, "client step 1; delayed 20ms");
  });
}

TEST(DatagramPath, DuplicateCorruptAndReorderReachTheReceiver) {
  in_sandbox([] {
    LinkConfig link;
    link.rules.push_back({.nth = {1}, .action = LinkRule::Action::kDuplicate});
    link.rules.push_back({.nth = {2}, .action = LinkRule::Action::kCorrupt});
    link.rules.push_back({.nth = {3}, .action = LinkRule::Action::kReorder});
    TestWorld world({{"client -> server", link}});
    const auto got = send_numbers(world, 4);
    world.finish();
    ASSERT_EQ(got.size(), 5u);
    EXPECT_EQ(got[0], "1");
    EXPECT_EQ(got[1], "1");
    EXPECT_NE(got[2], "2");
    EXPECT_EQ(got[3], "4");
    EXPECT_EQ(got[4], "3");
    const auto& arrivals = world.observed.arrivals;
    ASSERT_EQ(arrivals.size(), 5u);
    EXPECT_EQ(arrivals[1].copy, 1u);
    EXPECT_TRUE(arrivals[2].corrupted);
    EXPECT_EQ(arrivals[3].packet.ordinal, 4u);
    EXPECT_EQ(arrivals[4].packet.ordinal, 3u);
    expect_clean(world.recording);
  });
}

TEST(DatagramPath, DelayedDatagramOutlivesItsSocket) {
  in_sandbox([] {
    LinkConfig link;
    link.delay = {20ms, 20ms};
    TestWorld world({{"client -> server", link}});
    const Socket server = world.server().socket(AF_INET, SOCK_DGRAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(server, world.at("server", 53))), "ok");
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
      EXPECT_EQ(outcome(world.client().sendto(socket, "last words", 0, world.at("server", 53))),
                "ok");
      EXPECT_EQ(outcome(world.client().close(socket)), "ok");
      EXPECT_TRUE(world.world->packets_under_way());
    });
    world.spawn("server", [&] { EXPECT_EQ(recv_text(world.server(), server), "last words"); });
    world.run();
    world.finish();
  });
}

TEST(DatagramPath, LinkWithFaultsStillAnswersTheKernelsErrors) {
  in_sandbox([] {
    TestWorld world({{"client -> server", lossy(1'000'000)}});
    world.spawn("client", [&] {
      SocketApi& api = world.client();
      const Socket socket = api.socket(AF_INET, SOCK_DGRAM, 0).value();
      const Endpoint server = world.at("server", 53);
      EXPECT_EQ(outcome(api.sendto(socket, std::string(65508, 'x'), 0, server)), "EMSGSIZE");
      EXPECT_EQ(outcome(api.sendto(socket, "x", 0, world.at("server", 0))), "EINVAL");
      EXPECT_EQ(outcome(api.send(socket, "x", 0)), "EDESTADDRREQ");
      EXPECT_EQ(outcome(api.sendto(socket, "x", 0, server)), "ok") << "dropped without a word";
      EXPECT_EQ(outcome(api.shutdown(socket, SHUT_WR)), "ENOTCONN");
    });
    world.run();
    const auto report = world.finish();
    EXPECT_EQ(report.counters.at("datagrams_sent"), 1);
    EXPECT_TRUE(world.recording.packets.empty());
  });
}

TEST(DatagramPath, RepliesAreAFlowOfTheServiceToo) {
  in_sandbox([] {
    TestWorld world({{"server -> client", lossy(1)}});
    const Socket server = world.server().socket(AF_INET, SOCK_DGRAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(server, world.at("server", 53))), "ok");
    world.spawn("server", [&] {
      for (int i = 0; i < 2; ++i) {
        std::string buffer(100, '\0');
        const auto got = world.server().recvfrom(server, buffer, 0);
        ASSERT_EQ(outcome(got), "ok");
        EXPECT_EQ(outcome(world.server().sendto(server, "answer", 0, got->from)), "ok");
      }
    });
    for (int i = 0; i < 2; ++i) {
      world.spawn("client", [&] {
        const Socket socket = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
        world.client().sendto(socket, "question", 0, world.at("server", 53));
        EXPECT_EQ(recv_text(world.client(), socket), "answer");
      });
    }
    world.run();
    world.finish();
    std::multimap<std::string, std::string> flows;
    for (const auto& fate : world.observed.fates) {
      flows.emplace(fate.packet.direction, fate.packet.flow);
    }
    EXPECT_THAT(flows, ElementsAre(std::pair("client -> server", "udp|server:53|1"),
                                   std::pair("client -> server", "udp|server:53|2"),
                                   std::pair("server -> client", "udp|server:53|1"),
                                   std::pair("server -> client", "udp|server:53|2")));
  });
}

TEST(DatagramPath, UnixDatagramsPassTheLinkToo) {
  in_sandbox([] {
    LinkConfig link;
    link.rules.push_back({.match = Transport::kUnixDgram, .nth = {1}});
    TestWorld world({{"client -> server", link}});
    const auto path = Endpoint::unix_path("/run/log");
    const Socket server = world.server().socket(AF_UNIX, SOCK_DGRAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(server, path)), "ok");
    world.spawn("client", [&] {
      SocketApi& api = world.client();
      const Socket socket = api.socket(AF_UNIX, SOCK_DGRAM, 0).value();
      EXPECT_EQ(outcome(api.sendto(socket, "one", 0, path)), "ok");
      EXPECT_EQ(outcome(api.sendto(socket, "two", 0, path)), "ok");
      EXPECT_EQ(outcome(api.sendto(socket, "x", 0, Endpoint::unix_path("/run/no"))), "ENOENT");
    });
    world.spawn("server", [&] { EXPECT_EQ(recv_text(world.server(), server), "two"); });
    world.run();
    world.finish();
    EXPECT_THAT(world.observed.lost(), ElementsAre(1));
    EXPECT_EQ(world.observed.fates[0].packet.flow, "unix_dgram|server:/run/log|1");
    ASSERT_EQ(world.recording.packets.size(), 1u);
    EXPECT_EQ(decoded(world.recording.packets[0]).payload, "two");
    EXPECT_EQ(world.recording.interfaces.back().name, "unix:/run/log");
  });
}

TEST(DatagramPath, StreamsAcrossFaultsAreUnsupportedAndSayWhichFault) {
  in_sandbox([] {
    TestWorld world({{"server -> client", lossy(1000)}});
    const Socket listener = world.server().socket(AF_INET, SOCK_STREAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(listener, world.at("server", 80))), "ok");
    ASSERT_EQ(outcome(world.server().listen(listener, 1)), "ok");
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_STREAM, 0).value();
      EXPECT_EQ(outcome(world.client().connect(socket, world.at("server", 80))), "EOPNOTSUPP");
    });
    world.run();
    const auto report = world.finish();
    ASSERT_EQ(report.unsupported.size(), 1u);
    EXPECT_THAT(report.unsupported[0], HasSubstr("loss on server -> client"));
  });
}

TEST(DatagramPath, RuleForUdpAloneLeavesStreamsAlone) {
  in_sandbox([] {
    LinkConfig link;
    link.rules.push_back({.match = Transport::kUdp, .nth = {1}});
    TestWorld world({{"client -> server", link}});
    const Socket listener = world.server().socket(AF_INET, SOCK_STREAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(listener, world.at("server", 80))), "ok");
    ASSERT_EQ(outcome(world.server().listen(listener, 1)), "ok");
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_STREAM, 0).value();
      EXPECT_EQ(outcome(world.client().connect(socket, world.at("server", 80))), "ok");
    });
    world.run();
    EXPECT_TRUE(world.finish().unsupported.empty());
  });
}

TEST(DatagramPath, DatagramsThatNobodyReadAreToldAsUnread) {
  in_sandbox([] {
    TestWorld world;
    const Socket server = world.server().socket(AF_INET, SOCK_DGRAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(server, world.at("server", 53))), "ok");
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
      for (const char* text : {"one", "two", "three"}) {
        world.client().sendto(socket, text, 0, world.at("server", 53));
      }
      EXPECT_EQ(recv_text(world.server(), server), "one");
    });
    world.run();
    world.finish();
    std::vector<bool> read;
    for (const auto& arrival : world.observed.arrivals) read.push_back(arrival.read);
    EXPECT_THAT(read, ElementsAre(true, false, false));
  });
}

// The kernel's receive buffer overflows: those that it dropped must not be taken for read.
TEST(DatagramPath, DatagramsLostInTheReceiveBufferDoNotArrive) {
  in_sandbox([] {
    TestWorld world;
    const Socket server = world.server().socket(AF_INET, SOCK_DGRAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(server, world.at("server", 53))), "ok");
    ASSERT_EQ(outcome(world.server().setsockopt(server, SOL_SOCKET, SO_RCVBUF, 4096)), "ok");
    std::vector<std::string> got;
    world.spawn("both", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
      for (int i = 0; i < 100; ++i) {
        world.client().sendto(socket, std::to_string(i) + std::string(500, ' '), 0,
                              world.at("server", 53));
      }
      world.server().set_nonblocking(server, true);
      for (std::string text; (text = recv_text(world.server(), server)) != "EAGAIN";) {
        got.push_back(text);
      }
      world.client().sendto(socket, "after", 0, world.at("server", 53));
      EXPECT_EQ(recv_text(world.server(), server), "after");
    });
    world.run();
    world.finish();
    EXPECT_LT(got.size(), 100u);
    ASSERT_EQ(world.observed.arrivals.size(), got.size() + 1);
    EXPECT_EQ(world.observed.arrivals.back().packet.ordinal, 101u);
  });
}

}  // namespace
}  // namespace netrig
