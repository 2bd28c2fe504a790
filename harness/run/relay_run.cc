#include "harness/run/relay_run.h"

#include <fmt/format.h>

#include "harness/run/relays.h"
#include "harness/run/run_variables.h"
#include "harness/run/verbs.h"

namespace netrig {
namespace {

constexpr int kBacklog = 4096;

}  // namespace

std::optional<Finding> RelayRun::open() {
  RunVariables variables(stage_);
  stage_.loop.set_activity(relay_.name + " listen");
  const Address& address = relay_.address;
  const auto problem = [&](const std::string& what) {
    return Finding{{address.at, relay_.name + " " + what, {}}, relay_.name, ""};
  };
  const auto at = stage_.resolve(address, relay_.host, variables);
  if (!at) return problem(at.error());
  const auto failed = [&](const char* what, Errno error) {
    return problem(
        fmt::format("cannot {} {}: {} ({})", what, at->to_string(), error.name(), error.text()));
  };
  const auto listener = make_socket(api_, address.transport, *at);
  if (!listener) return failed("make a socket for", listener.error());
  if (auto bound = api_.bind(*listener, *at); !bound) return failed("bind to", bound.error());
  if (has_connections(address.transport)) {
    if (auto done = api_.listen(*listener, kBacklog); !done) {
      return failed("listen on", done.error());
    }
  }
  const auto local = api_.getsockname(*listener);
  announce_service(stage_, relay_.name, relay_.name, relay_.host, local ? *local : *at);
  stage_.loop.spawn(relay_.name, [this, socket = *listener] { serve(socket); });
  return std::nullopt;
}

Transport RelayRun::target_transport() const {
  const Address* service = find_service(stage_.scenario, relay_.to.actor);
  return service != nullptr ? service->transport : relay_.to.address.transport;
}

std::expected<Endpoint, std::string> RelayRun::find_target() {
  RunVariables variables(stage_);
  if (relay_.to.actor.empty()) return stage_.resolve(relay_.to.address, relay_.host, variables);
  return service_endpoint(stage_, relay_.to.actor);
}

std::optional<Socket> RelayRun::reach_target(uint64_t number) {
  const auto target = find_target();
  if (!target) return fail(relay_.to.at, target.error()), std::nullopt;
  const Transport transport = target_transport();
  auto socket = make_socket(api_, transport, *target);
  Result<void> reached = socket ? Result<void>() : fail_with(socket.error());
  if (reached && transport == Transport::kUnixDgram) {
    // unix(7): a datagram socket without an address gets no answer.
    reached = api_.bind(*socket, Endpoint::unix_path(fmt::format("{}/{}.{}", stage_.world.tmp(),
                                                                 relay_.name, number)));
  }
  if (reached) reached = api_.connect(*socket, *target);
  if (reached) return *socket;
  if (socket) (void)api_.close(*socket);
  fail(relay_.to.at, fmt::format("{} cannot reach its target at {} {}: {} ({})", relay_.name,
                                 transport_name(transport), target->to_string(),
                                 reached.error().name(), reached.error().text()));
  return std::nullopt;
}

void RelayRun::fail(Location at, std::string message) {
  stage_.failed(Finding{{at, std::move(message), {}}, relay_.name, ""});
}

void RelayRun::tell(bool sent, Transport transport, const Endpoint& peer, ByteView octets) {
  stage_.journal.record(relay_.name, Transfer{.sent = sent,
                                              .path = "",
                                              .at = relay_.at,
                                              .transport = transport,
                                              .peer = stage_.blackboard.who(peer),
                                              .octets = octets.size(),
                                              .preview = Bytes(octets.substr(0, kPreviewOctets))});
}

Relays::Relays(Stage& stage) {
  for (const Relay& relay : stage.scenario.relays) {
    runs_.push_back(keeps_boundaries(relay.address.transport) ? make_datagram_relay(stage, relay)
                                                              : make_stream_relay(stage, relay));
  }
}
Relays::~Relays() = default;

std::optional<Finding> Relays::open() {
  for (const auto& run : runs_) {
    if (auto finding = run->open()) return finding;
  }
  return std::nullopt;
}

bool Relays::busy() const {
  for (const auto& run : runs_) {
    if (run->busy()) return true;
  }
  return false;
}

}  // namespace netrig
