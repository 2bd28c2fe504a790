// What a packet costs the network: from send() to its delivery, over a link with 10 ms of delay and
// 1 % loss, and over no link at all; with a capture (into /dev/null) and without. Nothing else is
// in it: no socket, no TCP.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <memory>
#include <optional>

#include "fakes/network/fake_capture.h"
#include "fakes/network/network.h"

namespace netrig {
namespace {

constexpr Duration kSpacing = 10us;

struct CountingReceiver : PacketReceiver {
  void deliver(FakePacket&& packet) override { octets += packet.payload_size(); }
  uint64_t octets = 0;
};

struct Setting {
  explicit Setting(bool with_link, bool with_capture) {
    NetworkOptions options;
    options.hosts = {"client", "server"};
    if (with_link) {
      LinkConfig config;
      config.delay = {10ms, 10ms};
      config.loss = {10'000};
      options.links.emplace("client -> server", config);
    }
    if (with_capture) {
      capture.emplace(loop, PcapngWriter(Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC)), "bench"),
                      FakeCaptureOptions{.hosts = options.hosts});
      options.capture = &*capture;
    }
    network.emplace(loop, pool, options);
    network->attach(1, server);
    flow = network->flow(0, 1, "udp|server:53", "1");
    payload = pool.copy(Bytes(1000, 'x'));
  }
  FakePacket packet() {
    FakePacket made;
    made.to = 1;
    made.source = network->address(0, false);
    made.destination = network->address(1, false);
    made.flow = flow;
    return made;
  }

  BytePool pool;
  FakeLoop loop;
  std::optional<FakeCapture> capture;
  std::optional<Network> network;
  CountingReceiver server;
  Network::FlowId flow = 0;
  SharedBytes payload;
};

// Lets virtual time go on by kSpacing.
void pass_time(FakeLoop& loop, Alarm& clock) {
  const Instant when = loop.now() + kSpacing;
  clock.set(when);
  loop.run_events(when, [] { return false; });
}

void datagrams(benchmark::State& state, bool with_link, bool with_capture) {
  Setting setting(with_link, with_capture);
  const FakePacket model = setting.packet();
  Alarm clock(setting.loop.events(), EventClass::kTimer, 0, [] {});
  for (auto _ : state) {
    FakePacket packet = model;
    packet.body = FakeUdp{40000, 53, setting.payload};
    setting.network->send(std::move(packet));
    setting.network->settle();
    pass_time(setting.loop, clock);
  }
  state.SetItemsProcessed(state.iterations());
}

void segments(benchmark::State& state, bool with_link, bool with_capture) {
  Setting setting(with_link, with_capture);
  const FakePacket model = setting.packet();
  Alarm clock(setting.loop.events(), EventClass::kTimer, 0, [] {});
  tcp::Segment body;
  body.source_port = 40000;
  body.destination_port = 80;
  body.flags = kTcpAck;
  body.timestamps = tcp::Timestamps{1, 2};
  for (auto _ : state) {
    FakePacket packet = model;
    body.relative_seq += setting.payload.size();
    body.seq += static_cast<uint32_t>(setting.payload.size());
    auto& segment = packet.body.emplace<tcp::Segment>(body);
    segment.payload = setting.payload;
    setting.network->send(std::move(packet));
    setting.network->settle();
    pass_time(setting.loop, clock);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(datagrams, no_link, false, false);
BENCHMARK_CAPTURE(datagrams, lossy_link, true, false);
BENCHMARK_CAPTURE(datagrams, lossy_link_captured, true, true);
BENCHMARK_CAPTURE(segments, no_link, false, false);
BENCHMARK_CAPTURE(segments, lossy_link, true, false);
BENCHMARK_CAPTURE(segments, lossy_link_captured, true, true);

}  // namespace
}  // namespace netrig
