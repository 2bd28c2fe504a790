// Datagrams on the wire: large ones, and their names and fates beside those on lo.
#include <algorithm>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <tuple>

#include "harness/wire/wire_path.h"
#include "harness/wire/wire_testing.h"

namespace netrig {
namespace {

using Links = std::map<std::string, LinkConfig>;

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

TEST(WireDatagrams, ALargeDatagramGoesInFragmentsAndHasOneFate) {
  for (const bool v6 : {false, true}) {
    in_network([v6](const SharedNetwork& network) {
      WireTestWorld world(network);
      const std::string data = varied_octets(20'000);
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

TEST(WireDatagrams, FaultsOfALargeDatagramAreOfItAsAWhole) {
  using Action = LinkRule::Action;
  for (const Action action : {Action::kDrop, Action::kDuplicate, Action::kCorrupt}) {
    in_network([action](const SharedNetwork& network) {
      WireTestWorld world(network, {{"client -> server", rule(action, {1})}});
      const std::string data = varied_octets(20'000);
      const auto got = exchange_datagram(world, data, false);
      world.finish();
      ASSERT_EQ(world.observed.fates.size(), 1U);
      ASSERT_EQ(got.size(), world.observed.fates[0].fate.copies);
      if (action == Action::kDrop) {
        EXPECT_TRUE(world.recording.packets.empty());
        return;
      }
      ASSERT_EQ(got[0].size(), data.size());
      size_t different = 0;
      for (size_t i = 0; i < data.size(); ++i) different += got[0][i] != data[i] ? 1 : 0;
      EXPECT_EQ(different, action == Action::kCorrupt ? 1U : 0U);
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
TEST(WireDatagrams, DatagramsHaveTheNamesAndFatesThatTheyHaveOnLo) {
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

}  // namespace
}  // namespace netrig
