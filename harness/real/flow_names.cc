#include "harness/real/flow_names.h"

#include <fmt/format.h>

#include "harness/net/mapped_address.h"
#include "harness/real/access_policy.h"
#include "harness/real/kernel_datagram.h"
#include "harness/real/sockaddr.h"

namespace netrig {
namespace {

bool ephemeral(uint16_t port) {
  return port >= 32768;
}  // ip_local_port_range's default

}  // namespace

// fate.h: the service is the end that was bound by hand; a port that the kernel chose is 0 in the
// name.
DatagramRoute FlowNames::route(const SocketState& sender, const std::optional<Endpoint>& to) const {
  DatagramRoute way;
  way.transport = sender.transport;
  way.from = way.to = sender.host;
  way.source = sender.local;
  auto target = to ? to : sender.peer;
  // The other end of a socketpair has no name to be found by.
  if (target && target->kind() == Endpoint::Kind::kUnix && target->path().empty()) target.reset();
  const SocketState* receiver = nullptr;
  if (target) {
    Endpoint destination = unmapped(*target);
    if (destination.kind() == Endpoint::Kind::kUnix && !destination.is_abstract()) {
      destination = Endpoint::unix_path(normalised_path(destination.path()));
    }
    if (sender.local.kind() == Endpoint::Kind::kIp && sender.local.address().is_unspecified()) {
      const auto chosen = source_for(sender, hosts_, destination);
      way.source = Endpoint(chosen.value_or(destination.address()), sender.local.port());
    }
    way.destination = destination;
    way.to = host_of(sender, destination);
    receiver = sockets_.receiver(sender.transport, destination, way.source);
  } else {
    way.pair_peer = sender.pair_peer;
  }
  way.direction = hosts_.name(way.from) + " -> " + hosts_.name(way.to);

  const bool unix_socket = is_unix(sender.transport);
  const bool to_ephemeral = receiver != nullptr
                                ? !receiver->bound
                                : !unix_socket && target && ephemeral(way.destination->port());
  const bool names_sender = sender.bound && to_ephemeral;
  const Endpoint& service = names_sender ? sender.local : way.destination.value_or(Endpoint());
  std::string place;
  if (unix_socket) {
    place = shown_path(service);
  } else {
    const bool chosen = ephemeral(service.port()) && (names_sender || receiver != nullptr);
    place = std::to_string(chosen ? 0 : service.port());
  }
  way.service = fmt::format("{}|{}:{}", transport_name(sender.transport),
                            hosts_.name(names_sender ? way.from : way.to), place);
  const bool known_end = receiver != nullptr && !receiver->bound;
  way.ends = fmt::format("{}>{}", sender.id,
                         known_end         ? std::to_string(receiver->id)
                         : way.destination ? way.destination->to_string()
                                           : std::to_string(way.pair_peer));
  return way;
}

FlowNames::Named FlowNames::next(const DatagramRoute& route) {
  const FlowRegister::FlowId flow = flows_.flow(route.direction, route.service, route.ends);
  return {.packet = flows_.packet_name(flow, flows_.next_ordinal(flow)),
          .stream = flows_.stream(flow),
          .flow_number = flows_.number(flow),
          .service = flows_.service(flow),
          .service_port = flows_.service_port(flow)};
}

size_t FlowNames::host_of(const SocketState& sender, const Endpoint& to) const {
  if (to.kind() == Endpoint::Kind::kIp) {
    if (const auto host = hosts_.by_address(to.address())) return *host;
  }
  const SocketState* owner = has_connections(sender.transport)
                                 ? sockets_.listener(to)
                                 : sockets_.receiver(sender.transport, to, sender.local);
  return owner == nullptr ? sender.host : owner->host;
}

std::string FlowNames::shown_path(const Endpoint& endpoint) const {
  if (endpoint.is_abstract()) return "@" + endpoint.path().substr(1);
  if (endpoint.path().starts_with(tmp_ + "/")) {
    return "${tmp}" + endpoint.path().substr(tmp_.size());
  }
  return endpoint.path();
}

}  // namespace netrig
