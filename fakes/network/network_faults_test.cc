// What the simulated network tells a link of its packets, and what it does with marks and cuts.
#include <gtest/gtest.h>
#include <optional>

#include "fakes/network/network_testing.h"

namespace netrig::network_test {
namespace {

LinkConfig with_rule(LinkRule rule) {
  LinkConfig config;
  config.rules.push_back(std::move(rule));
  return config;
}

TEST(NetworkMarks, SetCeInDatagramsAndSegmentsThatAreEcnCapable) {
  TestNetwork net(with_link("client -> server", with_rule({.action = LinkRule::Action::kMark})));
  for (const uint8_t traffic_class : {0x00, 0x02, 0xb9}) {
    FakePacket datagram = net.udp(0, 1, "x");
    std::get<FakeUdp>(datagram.body).traffic_class = traffic_class;
    net.network.send(std::move(datagram));
  }
  for (const tcp::Ecn ecn : {tcp::Ecn::kNotEct, tcp::Ecn::kEct0}) {
    tcp::Segment segment = net.data(0, "x");
    segment.ecn = ecn;
    net.network.send(net.segment(std::move(segment)));
  }
  net.run();
  ASSERT_EQ(net.server.arrived.size(), 5u);
  std::vector<int> classes;
  for (const Arrived& each : net.server.arrived) {
    classes.push_back(to_packet(each.packet).ip.traffic_class);
  }
  EXPECT_EQ(classes, (std::vector<int>{0x00, 0x03, 0xbb, 0x00, 0x03}));
  EXPECT_FALSE(net.observer.fates[0].fate.marked);
  EXPECT_TRUE(net.observer.fates[1].fate.marked);
}

TEST(NetworkRules, KnowTheServiceAndTheNumberOfAFlow) {
  TestNetwork net(with_link("client -> server", with_rule({.port = 53, .flow = 2})));
  for (const char* ends : {"1", "2", "3"}) {
    FakePacket datagram = net.udp(0, 1, ends);
    datagram.flow = net.network.flow(0, 1, "udp|server:53", ends);
    net.network.send(std::move(datagram));
  }
  FakePacket other = net.udp(0, 1, "other");
  net.network.flow(0, 1, "udp|server:54", "1");
  other.flow = net.network.flow(0, 1, "udp|server:54", "2");
  net.network.send(std::move(other));
  net.run();
  EXPECT_EQ(net.server.payloads(), (std::vector<std::string>{"1", "3", "other"}));
}

TEST(NetworkCuts, StopEverythingFromTheirInstantOn) {
  LinkConfig config;
  config.delay = {5ms, 5ms};
  config.changes = {{.at = 10ms, .cut = true}, {.at = 20ms, .cut = false}};
  TestNetwork net(with_link("client -> server", config));
  for (const Duration when : {8ms, 12ms, 20ms}) {
    net.loop.at(Instant{when},
                [&net, when] { net.network.send(net.udp(0, 1, std::to_string(when / 1ms))); });
  }
  net.run();
  EXPECT_EQ(net.server.payloads(), (std::vector<std::string>{"8", "20"}));
  EXPECT_EQ(net.observer.fates[1].fate.dropped, DropCause::kPartition);
}

TEST(NetworkCuts, CrossFaultsBeforeTheyBegin) {
  LinkConfig config;
  config.changes = {{.at = 1h, .cut = true}};
  TestNetwork net(with_link("client -> server", config));
  EXPECT_TRUE(net.network.crosses_faults(0, 1, Transport::kUnixStream));
  EXPECT_FALSE(net.network.crosses_faults(1, 0, Transport::kUnixStream));
}

}  // namespace
}  // namespace netrig::network_test
