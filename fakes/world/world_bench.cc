// How fast a whole simulated world goes, from a socket call to a socket call: a TCP transfer, a
// flood of datagrams, and connections that are opened, used and closed, in blocking style on
// fibers. "frames" are packets that hosts sent. A capture goes through the pcapng writer into
// /dev/null. Whole runs of scenarios are in harness/run/exchange_bench.cc.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "fakes/world/fake_world.h"

namespace netrig {
namespace {

constexpr size_t kTransferOctets = 20'000'000;
constexpr size_t kWriteOctets = 65536;
constexpr int kDatagrams = 20'000;
constexpr size_t kDatagramOctets = 1000;
constexpr int kBufferOctets = 4'000'000;

// The link of the bulk scenarios: 100 Mbit/s, 10 ms one way, 256 packets.
LinkConfig bulk_link(uint64_t loss_ppm) {
  LinkConfig config;
  config.delay = {10ms, 10ms};
  config.rate = 100'000'000;
  config.queue_packets = 256;
  config.loss = {static_cast<uint32_t>(loss_ppm)};
  return config;
}

std::unique_ptr<FakeWorld> make_world(bool bulk_links, uint64_t loss_ppm, bool capture) {
  FakeWorldOptions options;
  options.hosts = {"client", "server"};
  if (bulk_links) {
    options.links["client -> server"] = bulk_link(loss_ppm);
    options.links["server -> client"] = bulk_link(0);
  }
  if (capture) {
    options.capture.emplace(Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC)), "bench");
  }
  return std::move(*FakeWorld::make(std::move(options)));
}

// One connection to the server's `port`, or a broken measurement.
Socket listen_at(SocketApi& host, const Endpoint& where, int backlog) {
  const Socket listener = *host.socket(AF_INET, SOCK_STREAM, 0);
  static_cast<void>(host.setsockopt(listener, SOL_SOCKET, SO_RCVBUF, kBufferOctets));
  static_cast<void>(host.bind(listener, where));
  static_cast<void>(host.listen(listener, backlog));
  return listener;
}

Socket connect_to(SocketApi& host, const Endpoint& where) {
  const Socket socket = *host.socket(AF_INET, SOCK_STREAM, 0);
  static_cast<void>(host.setsockopt(socket, SOL_SOCKET, SO_SNDBUF, kBufferOctets));
  static_cast<void>(host.connect(socket, where));
  return socket;
}

void send_all(SocketApi& host, Socket socket, size_t octets) {
  const std::string piece(kWriteOctets, 'x');
  while (octets > 0) {
    const auto sent = host.send(socket, ByteView(piece).substr(0, octets), 0);
    if (!sent) return;
    octets -= *sent;
  }
}

size_t read_to_end(SocketApi& host, Socket socket) {
  std::vector<char> buffer(kWriteOctets);
  size_t total = 0;
  for (auto got = host.recv(socket, buffer, 0); got && *got > 0;) {
    total += *got;
    got = host.recv(socket, buffer, 0);
  }
  return total;
}

void tcp_transfer(benchmark::State& state, uint64_t loss_ppm, bool capture) {
  int64_t frames = 0;
  for (auto _ : state) {
    const auto world = make_world(true, loss_ppm, capture);
    SocketApi& client = world->host("client");
    SocketApi& server = world->host("server");
    const Endpoint where(world->address("server", false), 80);
    size_t received = 0;
    world->loop().spawn("server", [&] {
      const Socket listener = listen_at(server, where, 1);
      received = read_to_end(server, server.accept(listener)->socket);
    });
    world->loop().spawn("client", [&] {
      const Socket socket = connect_to(client, where);
      send_all(client, socket, kTransferOctets);
      static_cast<void>(client.close(socket));
    });
    world->loop().run();
    if (received != kTransferOctets) return state.SkipWithError("octets are missing");
    frames += world->finish().counters.at("packets_sent");
  }
  state.SetItemsProcessed(frames);
}

void udp_flood(benchmark::State& state, bool links, bool capture) {
  int64_t frames = 0;
  for (auto _ : state) {
    const auto world = make_world(links, links ? 10'000 : 0, capture);
    SocketApi& client = world->host("client");
    SocketApi& server = world->host("server");
    const Endpoint where(world->address("server", false), 53);
    world->loop().spawn("server", [&] {
      const Socket socket = *server.socket(AF_INET, SOCK_DGRAM, 0);
      static_cast<void>(server.bind(socket, where));
      std::vector<char> buffer(2 * kDatagramOctets);
      while (server.recv(socket, buffer, 0)) {
      }
    });
    world->loop().spawn("client", [&] {
      const std::string payload(kDatagramOctets, 'x');
      const Socket socket = *client.socket(AF_INET, SOCK_DGRAM, 0);
      static_cast<void>(client.connect(socket, where));
      for (int i = 0; i < kDatagrams; ++i) {
        static_cast<void>(client.send(socket, payload, 0));
        static_cast<void>(world->loop().sleep_until(world->loop().now() + 100us));
      }
    });
    world->loop().run();
    frames += world->finish().counters.at("packets_sent");
  }
  state.SetItemsProcessed(frames);
}

// Clients that are all connected at once; each asks, is answered and leaves.
void connections(benchmark::State& state) {
  const int64_t count = state.range(0);
  for (auto _ : state) {
    const auto world = make_world(false, 0, false);
    SocketApi& client = world->host("client");
    SocketApi& server = world->host("server");
    const Endpoint where(world->address("server", false), 80);
    int64_t answered = 0;
    world->loop().spawn("server", [&] {
      const Socket listener = listen_at(server, where, 4096);
      std::vector<Socket> accepted;
      for (int64_t i = 0; i < count; ++i) accepted.push_back(server.accept(listener)->socket);
      char buffer[64];
      for (const Socket socket : accepted) {
        static_cast<void>(server.recv(socket, buffer, 0));
        static_cast<void>(server.send(socket, "answer", 0));
        static_cast<void>(server.close(socket));
      }
    });
    world->loop().spawn("client", [&] {
      std::vector<Socket> open;
      for (int64_t i = 0; i < count; ++i) {
        open.push_back(connect_to(client, where));
        if (i % 1000 == 999) world->loop().yield();  // the backlog empties
      }
      for (const Socket socket : open) static_cast<void>(client.send(socket, "question", 0));
      char buffer[64];
      for (const Socket socket : open) {
        answered += client.recv(socket, buffer, 0).value_or(0) == 6 ? 1 : 0;
        static_cast<void>(client.close(socket));
      }
    });
    world->loop().run();
    if (answered != count) return state.SkipWithError("answers are missing");
  }
  state.SetItemsProcessed(state.iterations() * count);
}

BENCHMARK_CAPTURE(tcp_transfer, plain, 0, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(tcp_transfer, lossy, 10'000, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(tcp_transfer, captured, 0, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(udp_flood, no_link, false, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(udp_flood, lossy, true, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(udp_flood, captured, true, true)->Unit(benchmark::kMillisecond);
BENCHMARK(connections)->Arg(10)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace netrig
