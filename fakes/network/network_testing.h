#pragma once
// For tests of the network: two or more hosts that keep what they get, and words for packets.

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "fakes/network/network.h"

namespace netrig::network_test {

inline Instant at(Duration since_start) {
  return Instant{since_start};
}

struct Arrived {
  FakePacket packet;
  Instant when;
};

struct KeepingReceiver : PacketReceiver {
  explicit KeepingReceiver(FakeLoop& its_loop) : loop(its_loop) {}
  void deliver(FakePacket&& packet) override {
    arrived.push_back({std::move(packet), loop.now()});
    if (then) then(arrived.back().packet);
  }
  std::vector<std::string> payloads() const {
    std::vector<std::string> all;
    for (const Arrived& each : arrived) {
      const auto* udp = std::get_if<FakeUdp>(&each.packet.body);
      const auto* segment = std::get_if<tcp::Segment>(&each.packet.body);
      all.emplace_back(udp       ? udp->payload.view()
                       : segment ? segment->payload.view()
                                 : ByteView("?"));
    }
    return all;
  }
  FakeLoop& loop;
  std::vector<Arrived> arrived;
  std::function<void(const FakePacket&)> then;
};

struct KeepingObserver : LinkObserver {
  void on_fate(const FateRecord& record) override { fates.push_back(record); }
  void on_arrival(const ArrivalRecord& record) override { arrivals.push_back(record); }
  std::vector<FateRecord> fates;
  std::vector<ArrivalRecord> arrivals;
};

// Host 0 is "client", 1 is "server".
struct TestNetwork {
  explicit TestNetwork(NetworkOptions options = {}) : network(loop, pool, with(options)) {
    network.attach(0, client);
    network.attach(1, server);
  }
  NetworkOptions with(NetworkOptions options) {
    if (options.hosts.empty()) options.hosts = {"client", "server"};
    if (options.observer == nullptr) options.observer = &observer;
    return options;
  }
  FakePacket packet(Network::HostId from, Network::HostId to, bool v6 = false) {
    FakePacket packet;
    packet.from = from;
    packet.to = to;
    packet.source = network.address(from, v6);
    packet.destination = network.address(to, v6);
    return packet;
  }
  FakePacket udp(Network::HostId from, Network::HostId to, ByteView payload, bool v6 = false) {
    FakePacket made = packet(from, to, v6);
    made.body = FakeUdp{40000, 53, pool.copy(payload)};
    made.flow = network.flow(from, to, "udp|" + network.name(to) + ":53", "1");
    made.activity = "client step 1 (send)";
    return made;
  }
  FakePacket segment(tcp::Segment body, Network::HostId from = 0, Network::HostId to = 1) {
    FakePacket made = packet(from, to);
    body.source_port = 40000;
    body.destination_port = 80;
    made.body = std::move(body);
    made.flow = network.flow(from, to, "tcp|server:80", "1");
    return made;
  }
  tcp::Segment data(uint64_t relative_seq, ByteView payload, uint32_t times_sent = 0) {
    tcp::Segment segment;
    segment.flags = kTcpAck | kTcpPsh;
    segment.seq = tcp::SeqNum(static_cast<uint32_t>(1000 + relative_seq));
    segment.payload = pool.copy(payload);
    segment.relative_seq = relative_seq;
    segment.times_sent = times_sent;
    return segment;
  }
  // Until nothing can happen any more.
  void run() {
    network.settle();
    loop.run_until([] { return false; });
  }

  FakeLoop loop;
  BytePool pool;
  KeepingObserver observer;
  KeepingReceiver client{loop};
  KeepingReceiver server{loop};
  Network network;
};

inline NetworkOptions with_link(const std::string& direction, LinkConfig config) {
  NetworkOptions options;
  options.links.emplace(direction, std::move(config));
  return options;
}

}  // namespace netrig::network_test
