#include "harness/run/world_factory.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "harness/base/text.h"
#include "harness/real/real_world.h"

namespace netrig {
namespace {

// RealWorld with the descriptor through which it hears of signals.
class StoppableRealWorld final : public World {
 public:
  StoppableRealWorld(std::unique_ptr<RealWorld> world, std::function<void()> on_stop)
      : world_(std::move(world)) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    signals_ = Fd(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!signals_) return;
    world_->loop().watch(signals_.get(), [this, stop = std::move(on_stop)] {
      signalfd_siginfo info;
      while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      }
      stop();
    });
  }

  Loop& loop() override { return world_->loop(); }
  SocketApi& host(std::string_view name) override { return world_->host(name); }
  IpAddress address(std::string_view host, bool v6) const override {
    return world_->address(host, v6);
  }
  const std::string& tmp() const override { return world_->tmp(); }
  bool wall_clock() const override { return true; }
  bool packets_under_way() const override { return world_->packets_under_way(); }
  WorldReport finish() override { return world_->finish(); }

 private:
  Fd signals_;
  std::unique_ptr<RealWorld> world_;
};

// The stream connections that the openings make, as pairs of hosts.
std::optional<std::string> faulty_stream(const Scenario& scenario, const LinkSpec& link) {
  for (const Actor& actor : scenario.actors) {
    if (actor.opening != Opening::kConnect) continue;
    const Actor* peer = find_actor(scenario, actor.target.actor);
    const Transport transport =
        peer != nullptr ? peer->address.transport : actor.target.address.transport;
    const std::string& peer_host = peer != nullptr ? peer->host : actor.target.address.host;
    if (!has_connections(transport)) continue;
    const bool there = link.from == actor.host && link.to == peer_host;
    const bool back = link.from == peer_host && link.to == actor.host;
    if (there || back) return std::string(transport_name(transport));
  }
  return std::nullopt;
}

}  // namespace

const std::vector<std::string>& known_backends() {
  static const std::vector<std::string> backends = {"real"};
  return backends;
}

std::optional<std::string> reason_unsupported(const Scenario& scenario,
                                              const std::string& backend) {
  if (!scenario.backends.empty() && !scenario.backends.contains(backend)) {
    const std::vector<std::string> allowed(scenario.backends.begin(), scenario.backends.end());
    return fmt::format("the scenario runs on {} only", join_or(allowed));
  }
  for (const LinkSpec& link : scenario.links) {
    const auto transport =
        link.config.is_transparent() ? std::nullopt : faulty_stream(scenario, link);
    if (!transport) continue;
    return fmt::format(
        "the faults on {} -> {} cannot be applied to {} streams on {}: fake or wire can", link.from,
        link.to, *transport, backend);
  }
  return std::nullopt;
}

bool needs_sandbox(const RunOptions& options) {
  return !options.host_network;
}

std::expected<std::unique_ptr<World>, std::string> make_world(const Scenario& scenario,
                                                              const RunOptions& options, Fd output,
                                                              LinkObserver& observer,
                                                              std::function<void()> on_stop) {
  RealWorldOptions real;
  real.hosts = scenario.hosts;
  for (const LinkSpec& link : scenario.links) {
    real.links.emplace(fmt::format("{} -> {}", link.from, link.to), link.config);
  }
  real.seed = options.seed;
  real.host_network = options.host_network;
  real.allow_remote = options.allow_remote;
  if (!options.host_network) real.tmp = "/tmp";
  real.output_directory = std::move(output);
  real.capture = options.capture;
  real.observer = &observer;
  auto world = RealWorld::make(std::move(real));
  if (!world) return std::unexpected(world.error());
  return std::make_unique<StoppableRealWorld>(std::move(*world), std::move(on_stop));
}

}  // namespace netrig
