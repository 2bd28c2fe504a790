// How fast a datagram goes from a call to a call on simulated hosts, and what a TCP connection
// costs.

#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>

#include "fakes/host/fake_host.h"
#include "fakes/host/unix_sockets.h"

namespace netrig {
namespace {

struct Hosts {
  FakeLoop loop;
  BytePool pool;
  Network network{loop, pool, NetworkOptions{.hosts = {"client", "server"}}};
  UnixNames names{"/tmp"};
  FakeHost client{network, names, 0, {}};
  FakeHost server{network, names, 1, {}};
  Endpoint service{network.address(1, false), 53};
};

void udp_sendto_recv(benchmark::State& state) {
  Hosts hosts;
  const Socket server = hosts.server.socket(AF_INET, SOCK_DGRAM, 0).value();
  static_cast<void>(hosts.server.bind(server, hosts.service));
  const Socket client = hosts.client.socket(AF_INET, SOCK_DGRAM, 0).value();
  const std::string payload(1000, 'x');
  std::string buffer(2000, '\0');
  for (auto _ : state) {
    benchmark::DoNotOptimize(hosts.client.sendto(client, payload, 0, hosts.service));
    benchmark::DoNotOptimize(hosts.server.recv(server, buffer, 0));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(udp_sendto_recv);

void udp_echo_between_many(benchmark::State& state) {
  Hosts hosts;
  const Socket server = hosts.server.socket(AF_INET, SOCK_DGRAM, 0).value();
  static_cast<void>(hosts.server.bind(server, hosts.service));
  std::vector<Socket> clients;
  for (int64_t i = 0; i < state.range(0); ++i) {
    clients.push_back(hosts.client.socket(AF_INET, SOCK_DGRAM, 0).value());
    static_cast<void>(hosts.client.connect(clients.back(), hosts.service));
  }
  std::string buffer(2000, '\0');
  size_t next = 0;
  for (auto _ : state) {
    const Socket client = clients[next++ % clients.size()];
    benchmark::DoNotOptimize(hosts.client.send(client, "question", 0));
    const auto got = hosts.server.recvfrom(server, buffer, 0);
    benchmark::DoNotOptimize(hosts.server.sendto(server, "answer", 0, got->from));
    benchmark::DoNotOptimize(hosts.client.recv(client, buffer, 0));
  }
  state.SetItemsProcessed(state.iterations() * 2);
}
BENCHMARK(udp_echo_between_many)->Arg(10)->Arg(1000)->Arg(10000);

void tcp_connect_accept_close(benchmark::State& state) {
  Hosts hosts;
  const Socket listener = hosts.server.socket(AF_INET, SOCK_STREAM, 0).value();
  static_cast<void>(hosts.server.bind(listener, hosts.service));
  static_cast<void>(hosts.server.listen(listener, 16));
  for (auto _ : state) {
    const Socket client = hosts.client.socket(AF_INET, SOCK_STREAM, 0).value();
    static_cast<void>(hosts.client.set_nonblocking(client, true));
    static_cast<void>(hosts.client.set_linger(client, {.on = true, .seconds = 0}));
    static_cast<void>(hosts.client.connect(client, hosts.service));
    const auto accepted = hosts.server.accept(listener);
    if (!accepted) {
      state.SkipWithError("no connection");
      break;
    }
    static_cast<void>(hosts.client.close(client));
    static_cast<void>(hosts.server.close(accepted->socket));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(tcp_connect_accept_close);

}  // namespace
}  // namespace netrig
