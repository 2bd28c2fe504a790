#include "harness/run/world_factory.h"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "fakes/world/fake_world.h"
#include "harness/base/text.h"
#include "harness/real/real_world.h"
#include "harness/run/needed_programs.h"
#include "harness/run/run_process.h"
#include "harness/run/verbs.h"
#include "harness/wire/wire_world.h"

namespace netrig {
namespace {

// Signals come through a descriptor.
void stop_when_asked(RealWorld& world, std::function<void()> on_stop) {
  const sigset_t signals = stop_signals();
  const auto descriptor = std::make_shared<Fd>(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!*descriptor) return;
  world.loop().watch(descriptor->get(), [descriptor, stop = std::move(on_stop)] {
    signalfd_siginfo info;
    while (::read(descriptor->get(), &info, sizeof info) == sizeof info) {
    }
    stop();
  });
}

// A fake world never waits for anything, so it asks now and then whether a signal has come or its
// time on the machine's clock is over.
void stop_when_asked(FakeWorld& world, WorldHooks hooks) {
  const auto wall_clock =
      std::make_shared<Fd>(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(hooks.wall_clock_max);
  itimerspec limit{};
  limit.it_value.tv_sec = seconds.count();
  limit.it_value.tv_nsec = (hooks.wall_clock_max - seconds).count();
  timerfd_settime(wall_clock->get(), 0, &limit, nullptr);
  world.loop().set_pulse(
      [wall_clock, stop = std::move(hooks.on_stop), over = std::move(hooks.on_wall_clock_max)] {
        if (stop_is_asked()) stop();
        uint64_t expirations = 0;
        if (::read(wall_clock->get(), &expirations, sizeof expirations) > 0) over();
      });
}

std::map<std::string, LinkConfig> links_of(const Scenario& scenario) {
  std::map<std::string, LinkConfig> links;
  for (const LinkSpec& link : scenario.links) {
    links.emplace(fmt::format("{} -> {}", link.from, link.to), link.config);
  }
  return links;
}

using MadeWorld = std::expected<std::unique_ptr<World>, std::string>;

// Hosts on which something waits for questions to the port of DNS (RFC 1035 section 4.2).
std::vector<std::string> name_servers(const Scenario& scenario) {
  const auto answers = [](const Address& at) {
    return at.transport == Transport::kUdp && at.port == 53;
  };
  std::vector<std::string> hosts;
  for (const Process& process : scenario.processes) {
    if (std::ranges::any_of(process.ready.listening, answers)) hosts.push_back(process.host);
  }
  for (const Actor& actor : scenario.actors) {
    if (actor.opening == Opening::kBind && answers(actor.address)) hosts.push_back(actor.host);
  }
  return hosts;
}

RealWorldOptions kernel_options(const Scenario& scenario, const RunOptions& options,
                                const Fd& output, WorldHooks& hooks) {
  RealWorldOptions kernel;
  kernel.hosts = scenario.hosts;
  kernel.links = links_of(scenario);
  kernel.seed = options.seed;
  kernel.output_directory = Fd(::fcntl(output.get(), F_DUPFD_CLOEXEC, 0));
  kernel.capture = options.capture;
  kernel.observer = &hooks.observer;
  if (!options.host_network) kernel.tmp = "/tmp";
  kernel.congestion = scenario.congestion;
  kernel.name_servers = name_servers(scenario);
  return kernel;
}

MadeWorld make_real(const Scenario& scenario, const RunOptions& options, const Fd& output,
                    WorldHooks hooks) {
  RealWorldOptions real = kernel_options(scenario, options, output, hooks);
  real.host_network = options.host_network;
  real.allow_remote = options.allow_remote;
  if (options.host_network && scenario.tcp_ecn) {
    return std::unexpected("tcp_ecn is a setting of a network of its own, not of this machine's");
  }
  auto world = RealWorld::make(std::move(real));
  if (!world) return std::unexpected(world.error());
  stop_when_asked(**world, std::move(hooks.on_stop));
  return std::move(*world);
}

// Where packets may cross a host's own lo: to capture each costs some milliseconds.
std::vector<std::string> busy_hosts(const Scenario& scenario) {
  std::map<std::string, int> parts;
  for (const Actor& actor : scenario.actors) {
    // One that connects by itself connects to others: only a raw one may do so to itself.
    parts[actor.host] += actor.opening == Opening::kNone ? 2 : 1;
  }
  for (const Process& process : scenario.processes) parts[process.host] += 2;
  for (const Relay& relay : scenario.relays) ++parts[relay.host];
  std::vector<std::string> busy;
  for (const auto& [host, count] : parts) {
    if (count > 1) busy.push_back(host);
  }
  return busy;
}

MadeWorld make_wire(const Scenario& scenario, const RunOptions& options, const Fd& output,
                    WorldHooks hooks) {
  RealWorldOptions kernel = kernel_options(scenario, options, output, hooks);
  kernel.busy_hosts = busy_hosts(scenario);
  kernel.spin = options.spin;
  auto world = make_wire_world(
      {.real = std::move(kernel), .network = options.wire, .capture_sent = scenario.capture_sent});
  if (!world) return std::unexpected(world.error());
  stop_when_asked(**world, std::move(hooks.on_stop));
  return std::move(*world);
}

MadeWorld make_fake(const Scenario& scenario, const RunOptions& options, const Fd& output,
                    WorldHooks hooks) {
  FakeWorldOptions fake;
  fake.hosts = scenario.hosts;
  fake.links = links_of(scenario);
  fake.seed = options.seed;
  fake.capture_sent = scenario.capture_sent;
  fake.tcp_ecn = scenario.tcp_ecn;
  fake.congestion = scenario.congestion;
  fake.observer = &hooks.observer;
  fake.stacks = options.stacks;
  if (options.capture) {
    Fd file(::openat(output.get(), kCaptureName,
                     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file) {
      return std::unexpected(
          fmt::format("cannot write {}: {}", kCaptureName, std::strerror(errno)));
    }
    fake.capture.emplace(std::move(file), "netrig");
  }
  if (hooks.trace) {
    fake.trace = [tell = hooks.trace](uint64_t index, const FakePacket& packet, const Fate& fate) {
      tell(fmt::format("packet {} at {}: {} {}", index,
                       format_duration(packet.sent_at.time_since_epoch()),
                       format_packet(to_packet(packet)), format_fate(fate)));
    };
  }
  auto world = FakeWorld::make(std::move(fake));
  if (!world) return std::unexpected(world.error());
  stop_when_asked(**world, std::move(hooks));
  return std::move(*world);
}

// The stream connections that the openings make, as pairs of hosts, which the backend cannot
// disturb.
std::optional<Transport> faulty_stream(const Scenario& scenario, const LinkSpec& link,
                                       const std::string& backend) {
  for (const Actor& actor : scenario.actors) {
    if (actor.opening != Opening::kConnect) continue;
    const Address* service = find_service(scenario, actor.target.actor);
    const Transport transport =
        service != nullptr ? service->transport : actor.target.address.transport;
    const std::string& peer_host =
        service != nullptr ? host_of(scenario, actor.target.actor) : actor.target.address.host;
    if (!has_connections(transport)) continue;
    if (backend != "real" && transport == Transport::kTcp) continue;
    if (!link.config.touches(transport)) continue;
    const bool there = link.from == actor.host && link.to == peer_host;
    const bool back = link.from == peer_host && link.to == actor.host;
    if (there || back) return transport;
  }
  return std::nullopt;
}

}  // namespace

const std::vector<std::string>& known_backends() {
  static const std::vector<std::string> backends = {"fake", "real", "wire"};
  return backends;
}

std::optional<std::string> reason_unsupported(const Scenario& scenario,
                                              const std::string& backend) {
  if (!scenario.backends.empty() && !scenario.backends.contains(backend)) {
    const std::vector<std::string> allowed(scenario.backends.begin(), scenario.backends.end());
    return fmt::format("the scenario runs on {} only", join_or(allowed));
  }
  if (scenario.capture_sent && backend == "real") {
    return "packets cannot be captured before their faults on real: fake and wire can";
  }
  if (backend == "wire" && scenario.hosts.size() > kWireHostsMax) {
    return fmt::format("{} hosts are too many for wire, which has at most {}",
                       scenario.hosts.size(), kWireHostsMax);
  }
  if (!scenario.processes.empty() && !is_wall_clock(backend)) {
    return fmt::format("programs cannot run on {}: real and wire can", backend);
  }
  const char* path = std::getenv("PATH");
  if (auto missing = missing_program(scenario, path == nullptr ? "" : path)) return missing;
  for (const LinkSpec& link : scenario.links) {
    const bool from_program = std::ranges::any_of(
        scenario.processes, [&](const Process& process) { return process.host == link.from; });
    if (backend == "real" && from_program && !link.config.is_transparent()) {
      return fmt::format(
          "the faults on {} -> {} cannot be applied to what a program sends on real: wire can",
          link.from, link.to);
    }
    const auto transport =
        link.config.is_transparent() ? std::nullopt : faulty_stream(scenario, link, backend);
    if (!transport) continue;
    return fmt::format("{} on {} -> {} cannot be applied to {} streams on {}{}",
                       link.config.first_fault(*transport), link.from, link.to,
                       transport_name(*transport), backend,
                       *transport == Transport::kTcp ? ": fake and wire can" : "");
  }
  return std::nullopt;
}

bool is_wall_clock(const std::string& backend) {
  return backend != "fake";
}

TimeScale time_scale(const RunOptions& options) {
  return is_wall_clock(options.backend) ? options.time_scale : TimeScale();
}

bool needs_sandbox(const RunOptions& options) {
  return is_wall_clock(options.backend) && !options.host_network;
}

TcpSettings tcp_settings(const Scenario& scenario) {
  TcpSettings tcp;
  tcp.ecn = scenario.tcp_ecn;
  if (!scenario.congestion.empty()) tcp.congestion = scenario.congestion;
  return tcp;
}

std::expected<void, std::string> prepare_network(const Scenario& scenario, RunOptions& options) {
  auto network = WireNetwork::make({.host_count = scenario.hosts.size(),
                                    .exact_segments = scenario.exact_segments,
                                    .tcp = tcp_settings(scenario)});
  if (!network) return std::unexpected(network.error());
  options.wire = std::move(*network);
  return {};
}

std::expected<std::unique_ptr<World>, std::string> make_world(const Scenario& scenario,
                                                              const RunOptions& options,
                                                              const Fd& output, WorldHooks hooks) {
  if (options.backend == "fake") return make_fake(scenario, options, output, std::move(hooks));
  if (options.backend == "wire") return make_wire(scenario, options, output, std::move(hooks));
  return make_real(scenario, options, output, std::move(hooks));
}

}  // namespace netrig
