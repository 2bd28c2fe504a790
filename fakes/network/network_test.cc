#include "fakes/network/network.h"

#include <gtest/gtest.h>

#include "fakes/network/network_testing.h"

namespace netrig::network_test {
namespace {

using Strings = std::vector<std::string>;

// ---- addresses

TEST(Network, KnowsHostsByTheAddressesThatRealGivesThem) {
  NetworkOptions options;
  for (int i = 1; i <= 300; ++i) options.hosts.push_back("h" + std::to_string(i));
  TestNetwork test(options);
  const Network& network = test.network;
  EXPECT_EQ(network.address(0, false).to_string(), "10.0.0.1");
  EXPECT_EQ(network.address(299, false).to_string(), "10.0.1.44");
  EXPECT_EQ(network.address(299, true).to_string(), "fd00::12c");
  for (const bool v6 : {false, true}) {
    EXPECT_EQ(network.host_by_address(network.address(299, v6), 7), 299u);
  }
  const auto host_of = [&](std::string_view text) {
    return network.host_by_address(*IpAddress::parse(text), 7);
  };
  EXPECT_EQ(host_of("127.3.2.1"), 7u);
  EXPECT_EQ(host_of("::1"), 7u);
  EXPECT_EQ(host_of("::ffff:10.0.0.2"), 1u);
  EXPECT_EQ(host_of("::ffff:127.0.0.1"), 7u);
  for (const auto* unknown : {"10.0.0.0", "10.0.1.45", "10.1.0.1", "fd00::12d", "fd00::1:1"}) {
    EXPECT_EQ(host_of(unknown), std::nullopt) << unknown;
  }
}

// ---- transparent ways

TEST(Network, DeliversOverTransparentLinksAtTheNextSettleInOrder) {
  TestNetwork test;
  test.network.send(test.udp(0, 1, "one"));
  test.network.send(test.udp(0, 1, "two"));
  EXPECT_TRUE(test.server.arrived.empty());
  EXPECT_TRUE(test.network.under_way());
  test.network.settle();
  EXPECT_EQ(test.server.payloads(), (Strings{"one", "two"}));
  EXPECT_FALSE(test.network.under_way());
}

TEST(Network, DeliversWhatADeliveryCausesInTheSameSettle) {
  TestNetwork test;
  test.server.then = [&](const FakePacket&) {
    test.network.send(test.udp(1, 0, "answer"));
    test.network.settle();  // from within: nothing
    EXPECT_TRUE(test.client.arrived.empty());
  };
  test.network.send(test.udp(0, 1, "question"));
  test.network.settle();
  EXPECT_EQ(test.client.payloads(), Strings{"answer"});
}

TEST(Network, TimeGoesOnThoughHostsAnswerEachOtherForEver) {
  TestNetwork test;
  FakePacket ball = test.udp(0, 1, "ball");
  const auto back = [&](uint32_t from, uint32_t to) {
    return [&test, from, to](const FakePacket&) {
      test.network.send(test.packet(from, to));
      test.client.arrived.clear();
      test.server.arrived.clear();
    };
  };
  test.server.then = back(1, 0);
  test.client.then = back(0, 1);
  test.network.send(std::move(ball));
  test.network.settle();
  EXPECT_EQ(test.network.counters().packets_delivered, kSettleMax);
  test.loop.run_events(at(1ms), [] { return false; });
  EXPECT_EQ(test.network.counters().packets_delivered, 2 * kSettleMax);
}

TEST(Network, DropsInSilenceWhatNobodyReceives) {
  NetworkOptions options;
  options.hosts = {"client", "server", "nobody"};
  TestNetwork test(options);
  test.network.send(test.udp(0, 2, "x"));
  FakePacket lost = test.udp(0, 1, "y");
  lost.to = 99;
  test.network.send(std::move(lost));
  test.network.settle();
  EXPECT_FALSE(test.network.under_way());
  EXPECT_EQ(test.network.counters().packets_delivered, 0u);
}

TEST(Network, TellsOfDatagramsAlsoWithinAHost) {
  TestNetwork test;
  test.network.send(test.udp(0, 0, "abc"));
  test.network.settle();
  ASSERT_EQ(test.observer.fates.size(), 1u);
  const FateRecord& fate = test.observer.fates[0];
  EXPECT_EQ(fate.packet.direction, "client -> client");
  EXPECT_EQ(fate.packet.flow, "udp|client:53|1");
  EXPECT_EQ(fate.packet.ordinal, 1u);
  EXPECT_EQ(fate.size, 3u);
  EXPECT_EQ(fate.activity, "client step 1 (send)");
  test.network.arrived(test.client.arrived[0].packet.trace(), at(0s), true);
  ASSERT_EQ(test.observer.arrivals.size(), 1u);
  EXPECT_EQ(test.observer.arrivals[0].packet.flow, "udp|client:53|1");
  EXPECT_TRUE(test.observer.arrivals[0].read);
}

// ---- links

TEST(Network, DeliversWhenTheLinkLetsGo) {
  LinkConfig config;
  config.delay = {20ms, 20ms};
  TestNetwork test(with_link("client -> server", config));
  test.network.send(test.udp(0, 1, "there"));
  test.network.send(test.udp(1, 0, "back"));
  test.network.settle();
  EXPECT_EQ(test.client.arrived.size(), 1u);  // the other direction has no faults
  EXPECT_TRUE(test.server.arrived.empty());
  test.run();
  ASSERT_EQ(test.server.arrived.size(), 1u);
  EXPECT_EQ(test.server.arrived[0].when, at(20ms));
  EXPECT_EQ(test.server.arrived[0].packet.sent_at, at(0ms));
}

TEST(Network, DeliversAtTheNextSettleWhatALinkLetsGoAtOnce) {
  LinkConfig config;
  config.rules = {{.match = Transport::kUdp, .nth = {2}}};
  TestNetwork test(with_link("client -> server", config));
  for (const auto* text : {"one", "two", "three"}) test.network.send(test.udp(0, 1, text));
  test.network.settle();
  EXPECT_EQ(test.server.payloads(), (Strings{"one", "three"}));
  EXPECT_EQ(test.network.counters().datagrams_dropped, 1u);
  EXPECT_TRUE(test.network.crosses_faults(0, 1, Transport::kUdp));
  EXPECT_FALSE(test.network.crosses_faults(0, 1, Transport::kTcp));
  EXPECT_FALSE(test.network.crosses_faults(1, 0, Transport::kUdp));
}

TEST(Network, CountsHeadersByTheRate) {
  LinkConfig config;
  config.rate = 8'000'000;  // an octet a microsecond
  TestNetwork test(with_link("client -> server", config));
  test.network.send(test.udp(0, 1, Bytes(100, 'x')));
  test.network.send(test.udp(0, 1, Bytes(100, 'x'), true));
  tcp::Segment segment = test.data(1, Bytes(100, 'x'));
  segment.timestamps = tcp::Timestamps{1, 2};
  test.network.send(test.segment(segment));
  test.run();
  ASSERT_EQ(test.server.arrived.size(), 3u);
  EXPECT_EQ(test.server.arrived[0].when, at(128us));
  EXPECT_EQ(test.server.arrived[1].when, at(128us + 148us));
  EXPECT_EQ(test.server.arrived[2].when, at(128us + 148us + 152us));
}

TEST(Network, LosesTheSameDatagramsAsTheLinkModelAlone) {
  LinkConfig config;
  config.loss = {100'000};
  NetworkOptions options = with_link("client -> server", config);
  options.seed = 7;
  TestNetwork test(options);
  for (int i = 0; i < 50; ++i) test.network.send(test.udp(0, 1, "x"));
  std::vector<uint64_t> lost;
  for (const FateRecord& record : test.observer.fates) {
    if (record.fate.dropped == DropCause::kLoss) lost.push_back(record.packet.ordinal);
  }
  Link alone(7, "client -> server", config);
  std::vector<uint64_t> expected;
  for (uint64_t n = 1; n <= 50; ++n) {
    const Fate fate = alone.offer(
        at(0s), {.stream = flow_stream("client -> server", "udp|server:53|1"), .ordinal = n});
    if (fate.dropped == DropCause::kLoss) expected.push_back(n);
  }
  EXPECT_FALSE(lost.empty());
  EXPECT_EQ(lost, expected);
}

TEST(Network, GivesEachCopyOfADuplicateItsNumber) {
  LinkConfig config;
  config.duplicate = {1'000'000};
  config.delay = {1ms, 1ms};
  TestNetwork test(with_link("client -> server", config));
  test.network.send(test.udp(0, 1, "twice"));
  test.run();
  EXPECT_EQ(test.server.payloads(), (Strings{"twice", "twice"}));
  EXPECT_EQ(test.server.arrived[0].packet.copy, 0u);
  EXPECT_EQ(test.server.arrived[1].packet.copy, 1u);
  EXPECT_FALSE(test.network.under_way());
}

TEST(Network, FlipsABitOfADatagramInAPrivateCopy) {
  LinkConfig config;
  config.corrupt = {1'000'000};
  TestNetwork test(with_link("client -> server", config));
  const SharedBytes payload = test.pool.copy(Bytes(10, '\0'));
  FakePacket packet = test.udp(0, 1, "");
  std::get<FakeUdp>(packet.body).payload = payload;
  test.network.send(std::move(packet));
  test.run();
  ASSERT_EQ(test.server.arrived.size(), 1u);
  const FakePacket& arrived = test.server.arrived[0].packet;
  EXPECT_TRUE(arrived.corrupted);
  Bytes expected(10, '\0');
  const uint64_t bit = *test.observer.fates[0].fate.corrupt_bit;
  expected[bit / 8] = static_cast<char>(0x80 >> bit % 8);
  EXPECT_EQ(std::get<FakeUdp>(arrived.body).payload.view(), expected);
  EXPECT_EQ(payload.view(), Bytes(10, '\0'));
  EXPECT_TRUE(decode_packet(to_octets(arrived))->transport_checksum_ok);
}

// ---- TCP

TEST(Network, ACorruptedSegmentHasAWrongChecksum) {
  LinkConfig config;
  config.corrupt = {1'000'000};
  TestNetwork test(with_link("client -> server", config));
  test.network.send(test.segment(test.data(1, "hello")));
  test.run();
  ASSERT_EQ(test.server.arrived.size(), 1u);
  const FakePacket& arrived = test.server.arrived[0].packet;
  EXPECT_FALSE(std::get<tcp::Segment>(arrived.body).checksum_ok);
  const auto seen = decode_packet(to_octets(arrived));
  EXPECT_FALSE(seen->transport_checksum_ok);
  EXPECT_NE(seen->payload, "hello");
}

TEST(Network, LosesSegmentsByTheirPlaceAndNotByWhatElseIsSent) {
  LinkConfig config;
  config.loss = {300'000};
  const auto lost = [&](int acknowledgements) {
    TestNetwork test(with_link("client -> server", config));
    std::vector<uint64_t> places;
    for (uint64_t place = 1; place <= 100; ++place) {
      tcp::Segment pure;
      pure.flags = kTcpAck;
      for (int i = 0; i < acknowledgements; ++i) test.network.send(test.segment(pure));
      const uint64_t before = test.network.counters().tcp_segments_dropped;
      test.network.send(test.segment(test.data(place, "x")));
      if (test.network.counters().tcp_segments_dropped > before) places.push_back(place);
    }
    return places;
  };
  const auto places = lost(0);
  EXPECT_GT(places.size(), 10u);
  EXPECT_LT(places.size(), 60u);
  EXPECT_EQ(lost(3), places);
}

TEST(Network, ARetransmissionDrawsAnew) {
  LinkConfig config;
  config.loss = {500'000};
  TestNetwork test(with_link("client -> server", config));
  for (uint32_t times = 0; times < 64; ++times) {
    test.network.send(test.segment(test.data(1, "x", times)));
  }
  EXPECT_GT(test.network.counters().tcp_segments_dropped, 15u);
  EXPECT_LT(test.network.counters().tcp_segments_dropped, 49u);
}

TEST(Network, TellsOfSegmentsOnlyIfMoreThanADelayHappenedToThem) {
  LinkConfig config;
  config.delay = {10ms, 10ms};
  config.rules = {{.match = Transport::kTcp, .nth = {2, 3}}};
  TestNetwork test(with_link("client -> server", config));
  tcp::Segment pure;
  pure.flags = kTcpAck;
  test.network.send(test.segment(test.data(1, "x")));
  test.network.send(test.segment(test.data(2, "y")));
  test.network.send(test.segment(pure));
  ASSERT_EQ(test.observer.fates.size(), 2u);
  EXPECT_EQ(test.observer.fates[0].packet.flow, "tcp|server:80|1");
  EXPECT_EQ(test.observer.fates[0].packet.ordinal, 2u * 65536);
  EXPECT_EQ(test.observer.fates[1].packet.flow, "tcp|server:80|1|ack");
  EXPECT_EQ(test.observer.fates[1].packet.ordinal, 1u);
}

// ---- fingerprints

TEST(NetworkFingerprint, TellsTimeFromContent) {
  const auto prints = [](Duration start, ByteView payload, uint16_t port, uint32_t to) {
    TestNetwork test;
    if (start > 0s) {
      test.loop.spawn("waits", [&] { test.loop.sleep_until(at(start)); });
      test.loop.run();
    }
    FakePacket packet = test.udp(0, to, payload);
    std::get<FakeUdp>(packet.body).source_port = port;
    test.network.send(std::move(packet));
    test.network.settle();
    return test.network.fingerprints();
  };
  const auto differing = [&](const std::map<std::string, uint64_t>& other) {
    Strings names;
    for (const auto& [name, hash] : prints(0s, "payload of some length, more than 32", 1, 1)) {
      if (other.at(name) != hash) names.push_back(name);
    }
    return names;
  };
  EXPECT_EQ(differing(prints(0s, "payload of some length, more than 32", 1, 1)), Strings{});
  EXPECT_EQ(differing(prints(1ns, "payload of some length, more than 32", 1, 1)), Strings{"time"});
  EXPECT_EQ(differing(prints(0s, "payload of some length, more then 32", 1, 1)),
            Strings{"payload"});
  EXPECT_EQ(differing(prints(0s, "payload of some length, more than 33", 1, 1)),
            Strings{"payload"});
  EXPECT_EQ(differing(prints(0s, "payload of some length, more than 32", 2, 1)),
            Strings{"headers"});
  EXPECT_EQ(differing(prints(0s, "payload of some length, more than 32", 1, 0)),
            (Strings{"headers", "link"}));
}

// Whatever compiler, optimisation and machine: a fingerprint is compared between them.
TEST(NetworkFingerprint, IsPinned) {
  LinkConfig config;
  config.delay = {1ms, 5ms};
  config.loss = config.corrupt = config.reorder = {200'000};
  TestNetwork test(with_link("client -> server", config));
  for (uint64_t i = 0; i < 20; ++i) {
    test.network.send(test.udp(0, 1, Bytes(i * 37, static_cast<char>(i)), i % 3 == 0));
    tcp::Segment segment = test.data(i * 100, Bytes(i, 'x'));
    if (i % 2 == 0) segment.timestamps = tcp::Timestamps{static_cast<uint32_t>(i), 7};
    test.network.send(test.segment(segment));
    test.loop.run_events(test.loop.now() + 1ms, [] { return false; });
  }
  const auto prints = test.network.fingerprints();
  EXPECT_EQ(prints.at("time"), 15432631577030511249u);
  EXPECT_EQ(prints.at("link"), 18180919986667779897u);
  EXPECT_EQ(prints.at("headers"), 11491398525116324101u);
  EXPECT_EQ(prints.at("payload"), 12658596825027183414u);
}

TEST(NetworkTrace, IsToldOfEveryPacketWithItsFate) {
  LinkConfig config;
  config.rules = {{.nth = {2}}};
  NetworkOptions options = with_link("client -> server", config);
  Strings seen;
  options.trace = [&](uint64_t index, const FakePacket& packet, const Fate& fate) {
    seen.push_back(std::to_string(index) + " " + std::to_string(packet.payload_size()) + " " +
                   format_fate(fate));
  };
  TestNetwork test(options);
  test.network.send(test.udp(0, 1, "a"));
  test.network.send(test.udp(0, 1, "bb"));
  test.network.send(test.udp(1, 0, "ccc"));
  EXPECT_EQ(seen, (Strings{"0 1 delivered", "1 2 dropped (rule)", "2 3 delivered"}));
}

}  // namespace
}  // namespace netrig::network_test
