// How fast the wire is: TCP's throughput, small datagrams, what it adds to a round trip, how exact
// a delay is, and how long it takes to make and to unmake two hosts; beside a veth pair without
// netrig. Programs are processes of their own, as those under test are; each measurement is a
// sandbox, and its numbers come out as counters.

#include <algorithm>
#include <array>
#include <benchmark/benchmark.h>
#include <ctime>
#include <fcntl.h>
#include <functional>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "harness/net/host_address.h"
#include "harness/real/sandbox.h"
#include "harness/real/sockaddr.h"
#include "harness/wire/devices.h"
#include "harness/wire/wire_path.h"

namespace netrig {
namespace {

constexpr uint16_t kPort = 5000;
constexpr double kSeconds = 1.0;
constexpr size_t kNumbers = 4;
using Numbers = std::array<double, kNumbers>;

double seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

Endpoint server_endpoint() {
  return {host_address(2, false, false), kPort};
}

int open_socket(int type, bool bound) {
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  const auto address = to_socket_address(server_endpoint());
  if (bound) {
    if (::bind(fd, address->get(), address->length) != 0) ::_exit(2);
    if (type == SOCK_STREAM && ::listen(fd, 1) != 0) ::_exit(2);
    return fd;
  }
  for (int tries = 0; tries < 100; ++tries) {
    if (::connect(fd, address->get(), address->length) == 0) return fd;
    ::usleep(10'000);
  }
  ::_exit(2);
}

// ---- programs: what a host does. The server's numbers count.
using Program = std::function<Numbers()>;

Numbers tcp_server() {
  const int listener = open_socket(SOCK_STREAM, true);
  const int fd = ::accept(listener, nullptr, nullptr);
  std::vector<char> buffer(1 << 20);
  double octets = 0;
  ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
  const double begin = seconds();
  while ((got = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0)
    octets += static_cast<double>(got);
  return {octets * 8 / (seconds() - begin) / 1e9};
}

// `congestion`: the algorithm; where it is not allowed, the namespace's own.
Numbers tcp_client(std::string_view congestion) {
  const int fd = open_socket(SOCK_STREAM, false);
  ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion.data(),
               static_cast<socklen_t>(congestion.size()));
  const std::vector<char> buffer(256 << 10, 'x');
  const double end = seconds() + kSeconds;
  while (seconds() < end && ::send(fd, buffer.data(), buffer.size(), MSG_NOSIGNAL) > 0) {
  }
  return {};
}

Numbers udp_server() {
  const int fd = open_socket(SOCK_DGRAM, true);
  const int room = 8 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
  const timeval patience{0, 500'000};
  std::array<char, 64> buffer{};
  double count = 0;
  double first = 0;
  double last = 0;
  while (::recv(fd, buffer.data(), buffer.size(), 0) > 0) {
    if (count++ == 0) {
      first = seconds();
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    }
    last = seconds();
  }
  return {count / (last - first)};
}

Numbers udp_client() {
  const int fd = open_socket(SOCK_DGRAM, false);
  ::usleep(20'000);
  const std::array<char, 32> datagram{};
  const double end = seconds() + kSeconds;
  while (seconds() < end) {
    for (int i = 0; i < 64; ++i) ::send(fd, datagram.data(), datagram.size(), 0);
  }
  return {};
}

Numbers echo_server() {
  const int fd = open_socket(SOCK_DGRAM, true);
  sockaddr_storage from{};
  std::array<char, 64> buffer{};
  while (true) {
    socklen_t length = sizeof(from);
    const ssize_t got = ::recvfrom(fd, buffer.data(), buffer.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from), &length);
    if (got == 1) return {};
    ::sendto(fd, buffer.data(), static_cast<size_t>(got), 0, reinterpret_cast<sockaddr*>(&from),
             length);
  }
}

// Median, 90th percentile and least of round trips, in microseconds.
Numbers echo_client(int count) {
  const int fd = open_socket(SOCK_DGRAM, false);
  ::usleep(20'000);
  const timeval patience{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  std::array<char, 32> datagram{};
  std::vector<double> trips;
  for (int i = 0; i < count; ++i) {
    const double begin = seconds();
    ::send(fd, datagram.data(), datagram.size(), 0);
    if (::recv(fd, datagram.data(), datagram.size(), 0) > 0) trips.push_back(seconds() - begin);
  }
  ::send(fd, datagram.data(), 1, 0);
  std::ranges::sort(trips);
  const auto at = [&](double share) {
    return trips[static_cast<size_t>(share * static_cast<double>(trips.size() - 1))] * 1e6;
  };
  return {at(0.5), at(0.9), at(0)};
}

pid_t run(const Program& program, int pipe) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  const Numbers numbers = program();
  if (pipe >= 0) static_cast<void>(!::write(pipe, &numbers, sizeof(numbers)));
  ::_exit(0);
}

struct Setting {
  Program server;
  Program client;
  bool client_tells = false;
  LinkConfig link;  // from client to server
  bool exact = false;
  PortKind kind = PortKind::kTun;
  Duration spin = kWireSpin;
};

// What comes out of the pipe of a sandbox, once; both its ends are closed.
Numbers told_by(const std::expected<SandboxChild, std::string>& child,
                const std::array<int, 2>& pipe) {
  Numbers numbers{};
  ::close(pipe[1]);
  if (child) {
    static_cast<void>(!::read(pipe[0], &numbers, sizeof(numbers)));
    wait_for_sandbox(*child);
  } else {
    ::fprintf(stderr, "%s\n", child.error().c_str());
  }
  ::close(pipe[0]);
  return numbers;
}

// The wire between two programs until the one that tells has told.
Numbers over_wire(const Setting& setting) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return {};
  std::shared_ptr<WireNetwork> network;
  std::string tmp = "/tmp";
  Numbers extra{};
  const SandboxOptions options{
      .host_count = 0, .network = [&]() -> std::expected<void, std::string> {
        auto done = WireNetwork::make({.kind = setting.kind, .exact_segments = setting.exact});
        if (!done) return std::unexpected(done.error());
        network = std::move(*done);
        return {};
      }};
  auto child = start_in_sandbox(options, [&] {
    RealLoop loop;
    loop.set_spin(setting.spin);
    const HostTable hosts({"client", "server"}, false);
    SocketRegister sockets;
    CaptureTap tap;
    std::map<std::string, LinkConfig> links;
    if (!setting.link.is_transparent()) links.emplace("client -> server", setting.link);
    WirePath path({loop, hosts, sockets, tap, tmp, nullptr}, network, {.links = links});
    std::array<int, 2> told{};
    if (::pipe(told.data()) != 0) return 1;
    network->enter(1);
    run(setting.server, setting.client_tells ? -1 : told[1]);
    network->enter(0);
    run(setting.client, setting.client_tells ? told[1] : -1);
    network->enter(std::nullopt);
    Numbers numbers{};
    bool done = false;
    loop.watch(told[0], [&] {
      done = ::read(told[0], &numbers, sizeof(numbers)) == sizeof(numbers);
      loop.stop();
    });
    loop.spawn("wait", [&] { loop.park(); });
    loop.might_happen_if([] { return true; });
    loop.run();
    WorldReport report;
    path.finish(report);
    for (const std::string& sentence : report.invalid) ::fprintf(stderr, "%s\n", sentence.c_str());
    extra = {numbers[0], numbers[1], numbers[2],
             static_cast<double>(report.counters["late_timer_median_us"])};
    if (!done) extra = {};
    static_cast<void>(!::write(pipe[1], &extra, sizeof(extra)));
    loop.unwatch(told[0]);
    return 0;
  });
  return told_by(child, pipe);
}

// The same two programs at the two ends of a veth pair.
Numbers over_veth(const Setting& setting) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return {};
  auto child = start_in_sandbox({.host_count = 0}, [&] {
    const Fd first(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (::unshare(CLONE_NEWNET) != 0) return 1;
    const auto up = [](const char* device, size_t own) {
      const auto netlink = open_netlink();
      const auto index = device_index(device);
      NetlinkBatch batch;
      bring_up(batch, *index);
      return batch.send(*netlink) && set_addresses(*netlink, *index, own, 2);
    };
    auto netlink = open_netlink();
    if (!add_veth(*netlink, "eth0", "eth0", first) || !up("eth0", 1)) return 2;
    const pid_t server = run(setting.server, setting.client_tells ? -1 : pipe[1]);
    if (::setns(first.get(), CLONE_NEWNET) != 0 || !up("eth0", 0)) return 3;
    const pid_t client = run(setting.client, setting.client_tells ? pipe[1] : -1);
    ::waitpid(client, nullptr, 0);
    ::waitpid(server, nullptr, 0);
    return 0;
  });
  return told_by(child, pipe);
}

LinkConfig with_loss(int64_t parts_per_million) {
  LinkConfig link;
  link.loss = Probability{static_cast<uint32_t>(parts_per_million)};
  return link;
}

void tell(benchmark::State& state, const std::function<Numbers()>& measure, const char* unit,
          size_t which = 0) {
  for (auto _ : state) {
    const Numbers numbers = measure();
    if (numbers[which] == 0 && numbers[0] == 0) return state.SkipWithError("not measured");
    state.counters[unit] = numbers[which];
  }
}

void register_all() {
  const Setting tcp{.server = tcp_server, .client = [] { return tcp_client("reno"); }};
  // Which does not take a lost packet for a full queue.
  const Setting bbr{.server = tcp_server, .client = [] { return tcp_client("bbr"); }};
  const Setting udp{.server = udp_server, .client = udp_client};
  const Setting echo{
      .server = echo_server, .client = [] { return echo_client(5000); }, .client_tells = true};
  const Setting delayed_echo{
      .server = echo_server, .client = [] { return echo_client(400); }, .client_tells = true};
  const auto add = [](const char* name, std::function<Numbers()> measure, const char* unit,
                      size_t which = 0) {
    benchmark::RegisterBenchmark(
        name, [=](benchmark::State& state) { tell(state, measure, unit, which); })
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
  };
  for (const auto& [word, kind] :
       {std::pair("tun", PortKind::kTun), {"packet", PortKind::kPacket}}) {
    const std::string before = std::string("wire_") + word + "/";
    const auto over = [kind = kind](Setting setting, LinkConfig link = {},
                                    Duration spin = kWireSpin) {
      setting.kind = kind;
      setting.link = std::move(link);
      setting.spin = spin;
      return [setting] { return over_wire(setting); };
    };
    add((before + "tcp").c_str(), over(tcp), "gbit_s");
    add((before + "tcp_lossy").c_str(), over(tcp, with_loss(1000)), "gbit_s");
    add((before + "tcp_bbr").c_str(), over(bbr), "gbit_s");
    add((before + "tcp_bbr_lossy").c_str(), over(bbr, with_loss(1000)), "gbit_s");
    add((before + "datagrams").c_str(), over(udp), "per_s");
    add((before + "datagrams_lossy").c_str(), over(udp, with_loss(1000)), "per_s");
    add((before + "round_trip").c_str(), over(echo), "median_us");
    LinkConfig delay;
    delay.delay = {1ms, 1ms};
    add((before + "delay_error").c_str(), over(delayed_echo, delay), "median_us", 3);
    add((before + "delay_error_spinning").c_str(), over(delayed_echo, delay, 80us), "median_us", 3);
  }
  add("veth/tcp", [tcp] { return over_veth(tcp); }, "gbit_s");
  add("veth/datagrams", [udp] { return over_veth(udp); }, "per_s");
  add("veth/round_trip", [echo] { return over_veth(echo); }, "median_us");
  for (const auto& [name, wire] :
       {std::pair("set_up/wire", true), {"set_up/sandbox_alone", false}}) {
    benchmark::RegisterBenchmark(name,
                                 [wire = wire](benchmark::State& state) {
                                   for (auto _ : state) {
                                     std::unique_ptr<WireNetwork> network;
                                     SandboxOptions options{.host_count = 0};
                                     if (wire) {
                                       options.network = [&]() -> std::expected<void, std::string> {
                                         auto made = WireNetwork::make({});
                                         if (made) network = std::move(*made);
                                         return {};
                                       };
                                     }
                                     auto child = start_in_sandbox(options, [] { return 0; });
                                     if (!child) return state.SkipWithError(child.error().c_str());
                                     wait_for_sandbox(*child);
                                   }
                                 })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
}

const bool registered = (register_all(), true);

}  // namespace
}  // namespace netrig
