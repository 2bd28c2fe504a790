// FakeHost: packets, between the network, the TCP stack and the UDP sockets.

#include "fakes/host/host_flows.h"
#include "fakes/host/host_parts.h"
#include "fakes/host/udp_socket.h"
#include "fakes/host/unix_sockets.h"

namespace netrig {

void FakeHost::deliver(FakePacket&& packet) {
  Parts& parts = *parts_;
  if (auto* segment = std::get_if<tcp::Segment>(&packet.body)) {
    parts.stack.process(loop().now(), packet.source, packet.destination, std::move(*segment));
    parts.arm();
  } else if (std::holds_alternative<FakeUdp>(packet.body)) {
    parts.deliver_udp(std::move(packet));
  } else if (const auto* error = std::get_if<FakeIcmpError>(&packet.body)) {
    parts.deliver_icmp(packet, *error);
    parts.arm();
  } else if (std::holds_alternative<FakeUnixDatagram>(packet.body)) {
    deliver_unix_datagram(std::move(packet));
  }
}

void FakeHost::Parts::deliver_udp(FakePacket&& packet) {
  const FakeUdp& datagram = std::get<FakeUdp>(packet.body);
  InetSocket* receiver = inet.udp_receiver(Endpoint(packet.destination, datagram.destination_port),
                                           Endpoint(packet.source, datagram.source_port));
  if (receiver == nullptr) {
    send_port_unreachable(packet);
    return;
  }
  static_cast<UdpSocket*>(receiver)->deliver(std::move(packet));
}

// ---- tcp::Output

TcpRoute* FakeHost::Parts::tcp_route(const tcp::FourTuple& tuple, bool make) {
  if (TcpRoute* known = tcp_routes.find(tuple)) return known;
  if (!make) return nullptr;
  TcpRoute route;
  route.to = network.host_by_address(tuple.peer, id);
  if (route.to) {
    const Endpoint source(tuple.local, tuple.local_port);
    const InetSocket* sender = inet.tcp_socket(source);
    route.flow = flow_of(network, {.transport = Transport::kTcp,
                                   .from = id,
                                   .to = *route.to,
                                   .source = source,
                                   .destination = Endpoint(tuple.peer, tuple.peer_port),
                                   .sender_bound = sender != nullptr && sender->was_bound()});
  }
  return &tcp_routes.add(tuple, route);
}

void FakeHost::Parts::transmit(const IpAddress& source, const IpAddress& destination,
                               tcp::Segment&& segment, const std::string& activity) {
  const tcp::FourTuple tuple{source, destination, segment.source_port, segment.destination_port};
  // An answer to nobody's segment belongs to no flow.
  TcpRoute* route = tcp_route(tuple, !segment.has(kTcpRst));
  const auto to = route != nullptr ? route->to : network.host_by_address(destination, id);
  if (!to) return;
  FakePacket& packet = network.draft();
  packet.from = id;
  packet.to = *to;
  if (route != nullptr) {
    packet.flow = route->flow;
    packet.identification = route->identification++;
  }
  packet.source = source;
  packet.destination = destination;
  packet.body.emplace<tcp::Segment>(std::move(segment));
  if (network.captures()) {
    if (last_activity.str() != activity) last_activity = activity;
    packet.activity = last_activity;
  }
  network.send_draft();
}

uint32_t FakeHost::Parts::mtu(const IpAddress&, const IpAddress& destination) const {
  return network.mtu(id, network.host_by_address(destination, id).value_or(id));
}

// ---- names of flows

std::optional<PacketReceiver::Addressee> FakeHost::addressee(Transport transport,
                                                             const Endpoint& to,
                                                             const Endpoint& from) const {
  const InetTable& table = parts_->inet;
  const InetSocket* found = transport == Transport::kUdp   ? table.udp_receiver(to, from)
                            : transport == Transport::kTcp ? table.tcp_socket(to)
                                                           : nullptr;
  if (found == nullptr) return std::nullopt;
  return Addressee{found->id(), found->was_bound()};
}

uint64_t FakeHost::addressee_generation() const {
  return parts_->inet.generation();
}

}  // namespace netrig
